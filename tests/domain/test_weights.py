"""No weight or constant of matching can change without a judgement or a score that is written here changing.

A score is asked for pairs chosen so that each weight takes part in one of them; then each weight is changed by as
little as it may be, and one of the answers has to be another.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log2
from types import ModuleType

import pytest
from domain.pairs import Record, verdict

from services.domain import births, blocks, fingerprint, frequencies, identity, names, numbers, scoring, sightings
from services.domain.facts import Claim

CACHED = (
    births.birth_score,
    births.a_generation_apart,
    frequencies.bits_of,
    frequencies.is_rare,
    names.alike,
    names._heard,
    names._full_forms,
    names.aligned,
    names.two_korean,
    names.name_of,
    names.strange,
    numbers.is_placeholder,
    scoring.compared,
    scoring._matched,
    scoring._name_score,
    scoring._name_with_rare_in_common,
    scoring.given_conflict,
    scoring.strange_given,
    scoring.two_given,
    blocks.texts_of,
    blocks._stem,
    blocks._spoken,
)
"""What remembers what it made of the weights."""


def claim(
    family: str = "ZWICKLY",
    given: str = "ODOWARD",
    birth: str = "1980-02-13",
    sex: str = "",
    citizenship: str = "",
) -> Claim:
    """What a record says of somebody."""
    return Claim(((family, given),), birth, sex, tuple(citizenship.split()), ())


def with_passport(given: str, number: str, family: str = "ZWICKLY") -> Claim:
    """The same with a British passport."""
    return Claim(((family, given),), "1980-02-13", "", (), (f"passport/GBR/{number}",))


RARE = claim()
SCORES: dict[str, tuple[Claim, Claim, float]] = {
    "rare names, one date": (RARE, RARE, 30.9),
    "common names": (claim("SMITH", "ANN"), claim("SMITH", "ANN"), 23.1),
    "listed names": (claim("SMITH", "JOHN", citizenship="GBR"), claim("SMITH", "JOHN", citizenship="GBR"), 27.0),
    "a particle": (claim("VON ZWICKLY"), claim("VON ZWICKLY"), 31.4),
    "an initial": (claim(given="ODOWARD J"), claim(given="ODOWARD J"), 31.9),
    "day and month swapped": (claim(birth="1980-02-03"), claim(birth="1980-03-02"), 22.3),
    "a digit": (RARE, claim(birth="1980-02-18"), 20.4),
    "a day": (claim(birth="1980-02-19"), claim(birth="1980-02-20"), 20.4),
    "two digits changed places": (claim(birth="1980-12-13"), claim(birth="1980-12-31"), 20.4),
    "a century": (claim(birth="1919-02-13"), claim(birth="2019-02-13"), 21.5),
    "a generation": (RARE, claim(birth="1950-02-13"), 18.0),
    "the year alone": (RARE, claim(birth="1980"), 22.5),
    "the month alone": (RARE, claim(birth="1980-02"), 26.0),
    "another date": (RARE, claim(birth="1961-11-27"), 9.5),
    "1 January": (claim(birth="1980-01-01"), claim(birth="1980-01-01"), 29.2),
    "1 January of Afghans": (claim("A", "B", "1980-01-01", "", "AFG"), claim("A", "B", "1980-01-01", "", "AFG"), 12.9),
    "1 January of Afghans beside a day": (
        claim("A", "B", "1980-01-01", "", "AFG"),
        claim("A", "B", "1980-06-17", "", "AFG"),
        7.5,
    ),
    "1 January of Iranians beside a day": (
        claim("A", "B", "1980-01-01", "", "IRN"),
        claim("A", "B", "1980-06-17", "", "IRN"),
        -1.5,
    ),
    "one sex": (claim(sex="F"), claim(sex="F"), 31.8),
    "two sexes": (claim(sex="F"), claim(sex="M"), 25.9),
    "one citizenship": (claim(citizenship="GBR"), claim(citizenship="GBR"), 34.4),
    "two citizenships": (claim(citizenship="GBR"), claim(citizenship="FRA"), 26.9),
    "a variant": (claim("MUELLENBACH"), claim("MULLENBACH"), 30.0),
    "a letter": (RARE, claim("ZWICKLEY"), 27.3),
    "two letters": (claim("SZAKETZ"[:6]), claim("SZOKEZ"[:6]), 24.6),
    "a cut name": (claim("WOLFESCHLEGEL"), claim("WOLFESCHLE"), 25.5),
    "a cut field": (claim("ZWIC GONZALEZ"), claim("ZWIC GON"), 32.8),
    "a token lost": (claim("ZWICKLY BRACHT"), RARE, 28.4),
    "another family name": (RARE, claim("TOBLER"), 12.4),
    "a given name of several is another": (claim(given="ODOWARD IDA"), claim(given="ODOWARD ADA"), 22.9),
    "names crossed": (RARE, claim("ODOWARD", "ZWICKLY"), 27.4),
    "a single name": (claim(given=""), claim(given=""), 20.4),
    "no given name": (RARE, claim(given=""), 19.4),
    "another passport": (with_passport("ODOWARD", "N1234567"), with_passport("ODOWARD", "N9876543"), 26.9),
    "a passport nearly": (with_passport("ODOWARD", "N1234567"), with_passport("ODOWARD", "N1934567"), 32.9),
    "a passport of a twin": (with_passport("MARIO", "N1234567"), with_passport("MARCO", "N9876543"), 17.9),
    "another passport of a namesake": (
        with_passport("ANN", "N1234567", "SMITH"),
        with_passport("ANN", "N9876543", "SMITH"),
        19.1,
    ),
    "two people": (RARE, claim(given="PHILEMUS"), scoring.NEVER),
}
"""Two claims and their score."""

WEIGHED = {
    scoring: {
        "ACCEPT", "POSSIBLE", "RENEWED", "NAMESAKE", "NEVER",
        "SEX_SAME", "SEX_OTHER", "CITIZENSHIP_SAME", "CITIZENSHIP_OTHER", "TOKEN_LOST",
        "FAMILY_OTHER", "GIVEN_OTHER", "CROSSED", "SINGLE", "FIELD_LOST", "DOCUMENT_OTHER", "DOCUMENT_NEAR",
        "DOCUMENT_TWIN", "SHARED_DOCUMENT", "STRANGE_NAMES",
    },
    births: {
        "BIRTH_SAME", "BIRTH_SWAPPED", "BIRTH_DIGIT", "BIRTH_CENTURY", "BIRTH_PART", "BIRTH_MONTH", "BIRTH_OTHER",
        "BIRTH_GENERATION", "BIRTH_CUSTOM", "CUSTOM_BITS", "ANY_DAY",
    },
    frequencies: {
        "FAMILY_COMMON", "FAMILY_RARE", "GIVEN_COMMON", "GIVEN_RARE", "PARTICLE", "INITIAL", "LISTED", "ANY_DAY",
    },
}  # fmt: skip
"""The weights of each module."""
NOT_BY_SCORE = {"ACCEPT", "POSSIBLE", "RENEWED", "NAMESAKE", "SHARED_DOCUMENT", "STRANGE_NAMES", "CUSTOM_BITS"}
"""What scores are compared with, and what a common number adds to them."""


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing is remembered of the weights as they were, nor afterwards of those that were changed."""
    _forget()
    yield monkeypatch
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for function in CACHED:
        function.cache_clear()


def scores_differ() -> list[str]:
    """The pairs that no longer have the score that is written here."""
    return [what for what, (one, other, bits) in SCORES.items() if scoring.score(one, other) != bits]


@pytest.mark.parametrize("what", SCORES)
def test_a_score(what: str) -> None:
    one, other, bits = SCORES[what]
    assert scoring.score(one, other) == scoring.score(other, one) == bits


def test_every_weight_is_named_here() -> None:
    for module, words in WEIGHED.items():
        assert {name for name, value in vars(module).items() if isinstance(value, float) and name.isupper()} == words


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, words in WEIGHED.items() for name in sorted(words - NOT_BY_SCORE)]
)
def test_no_weight_changes_unnoticed(forgetful: pytest.MonkeyPatch, module: ModuleType, name: str) -> None:
    """A tenth of a bit shows, and in the fingerprint of the view."""
    before = fingerprint.fingerprint()
    forgetful.setattr(module, name, getattr(module, name) + 0.1)
    assert scores_differ()
    assert fingerprint.fingerprint() != before


@pytest.mark.parametrize("how", scoring.KEPT)
def test_no_part_of_a_weight_changes_unnoticed(forgetful: pytest.MonkeyPatch, how: names.Alike) -> None:
    before = fingerprint.fingerprint()
    forgetful.setitem(scoring.KEPT, how, scoring.KEPT[how] + 0.02)
    assert scores_differ()
    assert fingerprint.fingerprint() != before


def test_how_often_a_day_has_to_be_given_to_say_nothing(forgetful: pytest.MonkeyPatch) -> None:
    """1 January is the birthday of 250 in 10,000 of Palestine, 9 times as many as of another day, and 3.19 bits."""
    pair = claim("A", "B", "1980-01-01", "", "PSE"), claim("A", "B", "1980-06-17", "", "PSE")
    before, mark = scoring.score(*pair), fingerprint.fingerprint()
    forgetful.setattr(births, "CUSTOM_BITS", births.CUSTOM_BITS + 0.2)
    _forget()
    assert scoring.score(*pair) == before + births.BIRTH_OTHER - births.BIRTH_CUSTOM
    assert fingerprint.fingerprint() != mark


def test_the_thresholds() -> None:
    """What scores the threshold is joined or listed, what scores a tenth of a bit less is not."""
    assert (scoring.ACCEPT, scoring.POSSIBLE) == (22.5, 14.0)
    assert identity.alike(RARE, claim(birth="1980"))  # 22.5
    assert not identity.alike(claim(birth="1980-02-03"), claim(birth="1980-03-02"))  # 22.3


@pytest.mark.parametrize(("word", "family"), [("RENEWED", "ZWICKLY"), ("NAMESAKE", "SMITH")])
@pytest.mark.parametrize("by", [-0.1, 0.0, 0.1])
def test_what_two_passports_need_above_the_threshold(
    forgetful: pytest.MonkeyPatch, word: str, family: str, by: float
) -> None:
    one, other = (
        Claim(((family, "ANN"),), "1980-02-13", "F", ("GBR",), (f"passport/GBR/{number}",))
        for number in ("N1234567", "N9876543")
    )
    before = fingerprint.fingerprint()
    forgetful.setattr(scoring, word, scoring.score(one, other) - scoring.ACCEPT + by)
    assert scoring.joined_by_score(one, other) == (by <= 0.0)
    assert fingerprint.fingerprint() != before


def test_what_two_passports_need() -> None:
    assert (scoring.RENEWED, scoring.NAMESAKE) == (3.0, 6.0)


@pytest.mark.parametrize("by", [-0.6, 0.6])
def test_what_a_common_document_adds(forgetful: pytest.MonkeyPatch, by: float) -> None:
    one, other = claim("SMITH", birth="1980-02-03"), claim("TOBLER", birth="1980-03-02")
    need = scoring.ACCEPT - scoring.score(one, other)
    forgetful.setattr(scoring, "SHARED_DOCUMENT", need + by)
    assert identity.same_holder(one, other) == (by > 0)


def test_what_names_of_two_people_count_under_a_common_number() -> None:
    stranger = claim("TOBLER", "PHILEMUS")
    assert scoring.score(RARE, stranger) == scoring.NEVER
    assert scoring.score_with_number(RARE, stranger) == births.BIRTH_SAME + scoring.STRANGE_NAMES
    assert (scoring.STRANGE_NAMES, scoring.SHARED_DOCUMENT) == (-10.0, 14.0)


def test_the_lengths_that_count(forgetful: pytest.MonkeyPatch) -> None:
    """Of a cut field, of a stem behind a prefix, of a placeholder, of a sound in a block."""
    cut = claim("ZWIC GONZALEZ"), claim("ZWIC GON")
    before = fingerprint.fingerprint()
    forgetful.setattr(scoring, "FIELD_CUT", 9)
    assert scoring.score(*cut) < 32.8
    assert fingerprint.fingerprint() != before
    assert names.alike("ALMAKTO", "MAKTO") is names.Alike.VARIANT
    assert names.alike("ALMAKT", "MAKT") is not names.Alike.VARIANT
    for number, made_up in {
        "passport/GBR/000000": True,
        "passport/GBR/00000": False,
        "passport/GBR/123456789": True,
        "passport/GBR/987654321": True,
        "passport/GBR/P1234567": False,
        "passport/GBR/P0000000": True,
        "a_number/USCIS/A000000000": True,
        "receipt/USCIS/EAC9999999999": True,
        "receipt/USCIS/EACX999999999": False,
        "passport/GBR/UNKNOWN": True,
        "passport/GBR/XX": True,
        "passport/GBR/123456780": False,
    }.items():
        assert numbers.is_placeholder(number) == made_up, number
    for word in numbers.PLACEHOLDER_WORDS:
        assert numbers.is_placeholder(f"passport/GBR/{word}")
    assert blocks.texts_of(claim("ZWICKLYBERGER"))[0] == "n/19800213/SFKL"
    assert blocks.texts_of(claim("VANDERBERG"))[0] == "n/19800213/PRK"
    assert blocks.texts_of(claim("VANDER"))[0] == "n/19800213/FNTR"


def test_the_years_between_generations() -> None:
    ages = {years: births.a_generation_apart("1950-02-13", f"{1950 + years}-02-13") for years in range(100)}
    assert [years for years, apart in ages.items() if apart] == list(range(14, 46))
    assert not births.a_generation_apart("1950-02-13", "1980-02-14")
    assert not births.a_generation_apart("1950-02", "1980-02")


def test_the_minutes_between_admissions() -> None:
    """Somebody of one name with another passport, so much later in the same system."""
    mine = sightings.Sighting(("admission", "I94"), 10_000, frozenset({"passport/GBR/1"}), frozenset({"i94/CBP/1"}))
    for seconds, apart in {0: False, 1: True, 899: True, 900: True, 901: False}.items():
        theirs = mine._replace(
            start=10_000 + seconds, passports=frozenset({"passport/GBR/2"}), admissions=frozenset({"i94/CBP/2"})
        )
        sides = [sightings.by_quarter([each]) for each in (mine, theirs)]
        assert sightings.two_people(*sides) == sightings.two_people(*sides[::-1]) == apart
        for same in (
            theirs._replace(passports=mine.passports),
            theirs._replace(admissions=mine.admissions),
            theirs._replace(kind=("admission", "TECS")),
        ):
            assert not sightings.two_people(sides[0], sightings.by_quarter([same]))
    flight = mine._replace(kind=("flight", "APIS", "departure", "BA", "BA178"), admissions=frozenset())
    beside = flight._replace(passports=frozenset({"passport/GBR/2"}))
    assert sightings.two_people(sightings.by_quarter([flight]), sightings.by_quarter([beside]))


def test_every_listed_name_and_day_says_what_its_share_is() -> None:
    """A row of the tables that changed would change a weight, and the fingerprint."""
    for role in ("family", "given"):
        for country, text in frequencies.DATA[role].items():
            words = text.split()
            by_name: dict[str, int] = {}
            for name, share in zip(words[::2], words[1::2], strict=True):
                by_name[names.spelling(name)] = max(int(share), by_name.get(names.spelling(name), 0))
            for name in words[::2]:
                if name not in names.PARTICLES:
                    rarity = 10_000 / by_name[names.spelling(name)]
                    bits = frequencies.bits_of(name, role, country)
                    assert bits == pytest.approx(0.75 * log2(rarity), abs=0.051), (role, country, name)
    for day, text in frequencies.DATA["birth"].items():
        for country, share in zip(text.split()[::2], text.split()[1::2], strict=True):
            assert frequencies.day_bits(day, country) == pytest.approx(log2(10_000 / int(share)))
    assert frequencies.day_bits("02-13", "AFG") == frequencies.ANY_DAY
    assert frequencies.bits_of("MUELLER", "family", "D") == frequencies.bits_of("MUELLER", "family", "DEU") == 5.0


KEEP_APART = {
    # a table's row -> a pair that it makes alike
    "titles": ("TANYA", "TANYAMRS"),
    "prefixes": ("BERGEN", "VANDERBERGEN"),
    "articles": ("ALSHAZLY", "ELSHAZLY"),
    "nicknames": ("ROBERT", "BOB"),
    "variants": ("MUHAMMAD", "MAHOMED"),
}


@pytest.mark.parametrize("table", KEEP_APART)
def test_what_the_tables_of_names_make_alike(table: str) -> None:
    assert table in names.DATA
    assert names.alike(*KEEP_APART[table]) >= names.Alike.NEAR


def test_the_elder_and_the_younger() -> None:
    """Their lack says nothing, and two of them are two people."""
    elder, younger = claim(given="ODOWARD SR"), claim(given="ODOWARD JR")
    assert scoring.score(elder, younger) == scoring.NEVER
    assert scoring.score(elder, RARE) == scoring.score(RARE, RARE)


def test_numbers_in_sequence_told_on_one_day() -> None:
    """Almost one number says that one is mistyped, but not where both are told on one day: families have such."""
    one = Record("SMITH", "JOHN", "1980-02-13", "", ("GBR",), ("passport/GBR/N1234567",))
    other = Record("SMITH", "JON", "1980-02-13", "", ("GBR",), ("passport/GBR/N1934567",))
    assert verdict(one, other, days=(0, 40)) == "possible"
    zwickly = Record("ZWICKLY", "ODOWARD", "1980-02-13", "M", ("GBR",), ("passport/GBR/N1234567",))
    beside = Record("ZWICKLY", "ODOWARD", "1980-02-14", "M", ("GBR",), ("passport/GBR/N1934567",))
    assert verdict(zwickly, beside, days=(0, 40)) == "join"
    assert verdict(zwickly, beside, days=(0, 0)) == "possible"
