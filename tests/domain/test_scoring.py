"""What speaks for one person and how much: names in other spellings, dates mistyped, documents renewed; and twins."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.domain import blocks, names, scoring
from services.domain.facts import Claim
from services.domain.names import Alike, alike, tokens
from services.domain.scoring import ACCEPT, NEVER, POSSIBLE, score


def claim(
    family: str = "SMITH",
    given: str = "JOHN",
    birth: str = "1980-02-03",
    sex: str = "M",
    citizenship: str = "GBR",
    passport: str = "",
) -> Claim:
    """What a record says of somebody."""
    identifiers = (f"passport/{citizenship}/{passport}",) if passport else ()
    return Claim(((family, given),), birth, sex, (citizenship,) if citizenship else (), identifiers)


JOINED = {
    "cut behind a particle that the other leaves out": (
        claim("ZAVALETA", "MARIA DEL"),
        claim("ZAVALETA", "MARIA ROSARIO"),
    ),
    "the same": (claim(), claim()),
    "a renewed passport": (claim(passport="P1234567"), claim(passport="X9876543")),
    "a letter too many": (claim(), claim("SMITHE")),
    "letters changed": (claim("SHCROEDER"), claim("SCHROEDER")),
    "names swapped": (claim(), claim("JOHN", "SMITH")),
    "another transliteration": (claim("IBRAHIM", "MOHAMMED"), claim("EBRAHIM", "MUHAMMAD")),
    "diacritics": (claim("MÜLLER", "JÜRGEN"), claim("MUELLER", "JURGEN")),
    "letters of other alphabets": (claim("Ørsted", "Åse"), claim("ORSTED", "ASE")),
    "one of two family names": (claim("GARCIA LOPEZ", "JUAN"), claim("GARCIA", "JUAN")),
    "one of two given names": (claim(given="JOHN PETER"), claim()),
    "an initial": (claim(), claim(given="J")),
    "the second given name mistyped": (claim("ZAVALETA", "MARIA ELENA"), claim("ZAVALETA", "MARIA ELNA")),
    "a short second name mistyped": (claim("CHOUDHURI", "MUHAMMAD ALI"), claim("CHOUDHURI", "MUHAMMAD ALE")),
    "a renewed passport, names swapped": (
        claim("ZAVALETA", "MARIO", passport="P1234567"),
        claim("MARIO", "ZAVALETA", passport="X9876543"),
    ),
    "a name that was cut": (claim("WOLFESCHLEGELSTEINHAUSEN"), claim("WOLFESCHLEGELSTEIN")),
    "two family names cut in the second": (claim("TORRES GONZALEZ", "ANA"), claim("TORRES GON", "ANA")),
    "given names cut to a letter": (claim(given="EDUARDO BRUNO"), claim(given="EDUARDO B")),
    "both names cut": (claim("MUKHERJEE-DAS", "LAKSHMI PRIYA"), claim("MUKHERJEE-D", "LAKSHMI PR")),
    "names that are rare, a digit of the date": (
        claim("ZWICKLY", "ODOWARD"),
        claim("ZWICKLY", "ODOWARD", "1980-02-04"),
    ),
    "rare names, day and month swapped": (claim("ZWICKLY", "ODOWARD"), claim("ZWICKLY", "ODOWARD", "1980-03-02")),
    "rare names, another century": (
        claim("ZWICKLY", "ODOWARD", "1919-02-03"),
        claim("ZWICKLY", "ODOWARD", "2019-02-03"),
    ),
}  # fmt: skip
POSSIBLY = {
    "twins a letter apart, a passport each": (
        claim("ZAVALETA", "MARIO", passport="P1234567"),
        claim("ZAVALETA", "MARCO", passport="X9876543"),
    ),
    "common names, a digit of the date": (claim(), claim(birth="1980-02-04")),
    "common names, day and month swapped": (claim(), claim(birth="1980-03-02")),
    "cut where little was left": (claim("GIL MARTINEZ"), claim("GIL MA")),
    "cut, and something else behind it": (claim("TORRES GONZALEZ"), claim("TORRES GON ALVES")),
    "two that one may have been cut to": (claim("TORRES GONZALEZ"), claim("TORRES GOMEZ")),
    "a given name less and another passport": (
        claim(given="JOHN PETER", passport="P1234567"),
        claim(passport="X9876543"),
    ),
}  # fmt: skip
APART = {
    "twins": (claim(), claim(given="PETER")),
    "twins with alike names": (claim(given="LENA"), claim(given="ELENA")),
    "twins with a name in common": (
        claim("ZAVALETA PRIETO", "MARIA ELENA"),
        claim("ZAVALETA PRIETO", "MARIA JOSE"),
    ),
    "twins with the second name in common": (claim("OYELARAN", "TAIWO ADE"), claim("OYELARAN", "KEHINDE ADE")),
    "one name that half the world has": (claim("CHOUDHURI", "MUHAMMAD ALI"), claim("CHOUDHURI", "MUHAMMAD HASSAN")),
    "one common name is not another one mistyped": (claim("LI", "WEI"), claim("LIU", "WEI")),
    "a name and another one": (claim(), claim("JONES")),
    "another date": (claim(), claim(birth="1975-11-21")),
    "father and son": (claim(), claim(birth="1952-02-13")),
    "names alone": (claim(birth=""), claim(birth="")),
}  # fmt: skip


@pytest.mark.parametrize("what", JOINED)
def test_joined(what: str) -> None:
    one, other = JOINED[what]
    assert score(one, other) >= ACCEPT
    shared = {block for block in blocks.texts_of(one) if block} & set(blocks.texts_of(other))
    assert shared, "they would never be compared"


@pytest.mark.parametrize("what", POSSIBLY)
def test_for_a_person_to_decide(what: str) -> None:
    assert POSSIBLE <= score(*POSSIBLY[what]) < ACCEPT


@pytest.mark.parametrize("what", APART)
def test_apart(what: str) -> None:
    assert score(*APART[what]) < POSSIBLE


def test_twins_are_never_joined_by_score() -> None:
    """However rare the family name, whatever else agrees."""
    assert score(claim("ZWICKLYBERG", "ODOWARD"), claim("ZWICKLYBERG", "PHILEMUS")) == NEVER
    assert scoring.given_conflict(("SMITH", "JOHN"), ("SMITH", "PETER"))
    assert not scoring.given_conflict(("SMITH", "JOHN"), ("JONES", "JOHN"))
    assert not scoring.given_conflict(("SMITH", ""), ("SMITH", "PETER"))


def test_tokens_and_their_likeness() -> None:
    assert tokens("O'Brien-Smith, St. John") == ("OBRIEN", "SMITH", "ST", "JOHN")
    assert tokens("FNU") == ()
    assert tokens("Иванова") == ("IVANOVA",)
    results = {
        ("ANA", "ANA"): Alike.SAME,
        ("MUELLER", "MULLER"): Alike.VARIANT,
        ("SERGEY", "SERHII"): Alike.VARIANT,
        ("OHNO", "OHNOH"): Alike.VARIANT,
        ("ERIC", "ERIK"): Alike.VARIANT,
        ("WEI", "VEI"): Alike.VARIANT,
        ("TCHEKHOV", "CHEKHOV"): Alike.VARIANT,
        ("CELIA", "KELIA"): Alike.NEAR,
        ("CHEN", "KEN"): Alike.NOT,
        ("SCHROEDER", "SHCROEDER"): Alike.NEAR,
        ("J", "JOHN"): Alike.CUT,
        ("LENA", "ELENA"): Alike.NOT,
        ("SMITH", "JONES"): Alike.NOT,
    }
    for (one, other), how in results.items():
        assert alike(one, other) is alike(other, one) is how, (one, other)


def test_documents_speak_too() -> None:
    """Another passport of one issuer speaks against, one mistyped for, one of another issuer not at all."""
    plain = score(claim(), claim())
    assert score(claim(passport="P1234567"), claim(passport="X9876543")) < plain
    assert score(claim(passport="P1234567"), claim(passport="P1243567")) > plain
    assert score(claim(passport="P1234567"), claim(passport="P1934567")) > plain
    # the next number of a series is a relative's, as a rule
    assert score(claim(passport="P1234567"), claim(passport="P1234568")) < plain


def test_what_is_said_explains_itself() -> None:
    assert scoring.explained(claim(), claim(birth="1980-03-02")) == (
        "names +9.1; date of birth +5.8; sex, citizenship, documents +4.4"
    )


def test_the_tables_are_in_order() -> None:
    """A spelling stands in one group only; every group has several."""
    groups = [group.split() for group in names.DATA["variants"]]
    every = [token for group in groups for token in group]
    assert len(every) == len(set(every))
    assert all(len(group) > 1 for group in groups)
    assert all(token.isascii() and token.isalpha() and token.isupper() for token in every)


words = st.sampled_from(
    ["SMITH", "SMYTHE", "JOHN", "J", "GARCIA LOPEZ", "MÜLLER", "MUELLER", "FNU", "", "ANN-MARIE", "李"]
)
births = st.sampled_from(["", "1980", "1980-02", "1980-02-03", "1980-03-02", "1980-02-04", "1880-02-03"])
claims = st.builds(
    claim,
    words,
    words,
    births,
    st.sampled_from(["F", "M", "X", ""]),
    st.sampled_from(["GBR", "DEU", ""]),
    st.sampled_from(["", "P1234567", "P1234568", "X0000000"]),
)


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(claims, claims)
def test_a_score_has_no_order(one: Claim, other: Claim) -> None:
    """The same whichever is asked first, and any claim is at least as like itself as another one is."""
    assert score(one, other) == score(other, one)
    assert scoring.explained(one, other) == scoring.explained(other, one)
    if score(one, one) != NEVER and one.birth == other.birth:
        assert score(one, one) >= score(one, other) - scoring.DOCUMENT_NEAR - 0.1
