"""What may not make two people one between them: bare numbers, records without a passport, claims that say nothing.

Each kind was met in evaluations. All persons are invented. Every test names the planted bug that it catches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from domain.pairs import Record, event_of, groups, verdict

from schemas import codec
from services.domain import identity, resolve, scoring
from services.domain.facts import fact_of
from services.matches import possible_among

Persons = set[frozenset[int]]
PASSPORT = "passport/MEX/G85028912"
MIRAUZ = Record("MIRAUZ MARTINEZ", "", "1940-07-02", "F", ("MEX",), (PASSPORT,))
ORNECIDO = Record(
    "PELNIEGO ORNECIDO", "ADRIANA", "1972-07-09", "F", ("MEX",), ("fin/1105587854", "passport/MEX/G19696909")
)
MISTYPED = replace(ORNECIDO, ids=(PASSPORT, "fin/1105587854"))
NUMBER = Record(ids=(PASSPORT,))
ZHANG = Record("ZHANG", "GUOGHAO", "1944-03-22", "M", ("CHN",), ("a_number/A234570253", "receipt/SRC5740838354"))
CARD = replace(ZHANG, sex="", citizenship=(), ids=("a_number/A876545552", "receipt/SRC5740838354"))
FILE = Record(ids=("a_number/A876545552",))
VALERA = Record("VALERA", "EDELMIRA", "1969-11-30", "F", ("MEX",), ("a_number/A012000345", "fin/1003450117"))
KHAN = Record("KHAN", "SHAZIA", "1967-06-10", "F", ("PAK",), ("passport/PAK/P54049816",))
TWIN = replace(KHAN, given="SHAERA", ids=("passport/PAK/P98939148",))
BRIDGES: dict[str, tuple[list[Record], Persons]] = {
    # one person's passport on one record of another's, and a record that has nothing but its number
    "it is nobody's where each is told once": (
        [MIRAUZ, MISTYPED, ORNECIDO, NUMBER],
        {frozenset({0}), frozenset({1, 2}), frozenset({3})},
    ),
    "it is hers of whom three records tell it": (
        [MIRAUZ, MIRAUZ, replace(MIRAUZ, given="FNU"), MISTYPED, ORNECIDO, NUMBER],
        {frozenset({0, 1, 2, 5}), frozenset({3, 4})},
    ),
    "two told of it twice each: nobody's": (
        [MIRAUZ, MIRAUZ, MISTYPED, MISTYPED, NUMBER],
        {frozenset({0, 1}), frozenset({2, 3}), frozenset({4})},
    ),
    # of two A-numbers under one receipt and one name one is mistyped; a file of that number is somebody else's
    "a number that one record tells against another": (
        [ZHANG, replace(ZHANG, ids=ZHANG.ids[:1]), CARD, FILE],
        {frozenset({0, 1}), frozenset({2}), frozenset({3})},
    ),
    "the number that several records tell": (
        [ZHANG, replace(ZHANG, ids=ZHANG.ids[:1]), CARD, replace(FILE, ids=ZHANG.ids[:1])],
        {frozenset({0, 1, 3}), frozenset({2})},
    ),
}


@pytest.mark.parametrize("what", BRIDGES)
def test_a_record_of_nothing_but_a_number(what: str) -> None:
    records, persons = BRIDGES[what]
    assert groups(records) == persons


def _on_days(*records: tuple[Record, int]) -> Persons:
    """The persons of records that are each of a day."""
    facts = [fact_of(codec.encode(event_of(record, f"{at}", day))) for at, (record, day) in enumerate(records)]
    return {frozenset(int(record) for _, record in person.records) for person in resolve.persons(facts)}


OF_ONE_DAY = ((MIRAUZ, 0), (MIRAUZ, 9), (MIRAUZ, 30), (ORNECIDO, 10), (MISTYPED, 25), (NUMBER, 25))


def test_a_record_of_nothing_but_a_number_is_of_who_crossed_that_day() -> None:
    """Two people have one passport number; she left that day by another system's word, under that number."""
    assert _on_days(*OF_ONE_DAY) == {frozenset({0, 1, 2}), frozenset({3, 4, 5})}
    assert _on_days(*OF_ONE_DAY[:-1], (NUMBER, 30)) == {frozenset({0, 1, 2, 5}), frozenset({3, 4})}
    both_there = _on_days(*OF_ONE_DAY, (MIRAUZ, 25), (MISTYPED, 50))
    assert both_there == {frozenset({0, 1, 2, 6}), frozenset({3, 4, 7}), frozenset({5})}


def test_a_day_that_is_forgotten_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = resolve._nodes

    def without_days(*given: Any) -> Any:
        nodes, home = fresh(*given)
        for node in nodes.values():
            node.days.clear()
        return nodes, home

    monkeypatch.setattr(resolve, "_nodes", without_days)
    assert _on_days(*OF_ONE_DAY) == {frozenset({0, 1, 2, 5}), frozenset({3, 4})}


PLANTED: dict[str, tuple[object, str, object]] = {
    "it is nobody's where each is told once": (identity._Parted, "_free", lambda self, text, key, other: True),
    "it is hers of whom three records tell it": (identity, "OUTWEIGHS", 99),
    "two told of it twice each: nobody's": (identity._Parted, "_free", lambda self, text, key, other: True),
    "a number that one record tells against another": (identity._Parted, "_doubt", lambda self, mine, theirs: None),
    "the number that several records tell": (identity._Parted, "_reported_once", lambda self, text: True),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_bare_number_that_joins_otherwise_is_caught(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*PLANTED[what])
    records, persons = BRIDGES[what]
    facts = [fact_of(codec.encode(event_of(record, f"{place}", place))) for place, record in enumerate(records)]
    actual = {frozenset(int(record) for _, record in person.records) for person in resolve.persons(facts)}
    assert actual != persons


def test_a_number_of_one_whose_other_number_was_mistyped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two FINs part her records, but whoever of the two a bare A-number goes to, it is hers."""
    records = [VALERA, replace(VALERA, ids=(VALERA.ids[0], "fin/1003450197")), Record(ids=VALERA.ids[:1])]
    assert len(groups(records)) == 2
    monkeypatch.setattr(identity.Cluster, "of_one_birth_and_name", lambda self, other: False)
    assert len(groups(records)) == 3


def test_a_record_without_a_passport_joins_no_two_who_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is hers whose name it has; that another name is like it says too little where each has a passport."""
    bare = replace(KHAN, ids=())
    assert verdict(bare, TWIN) == "join"  # as far as the two say
    assert groups([KHAN, bare, TWIN]) == {frozenset({0, 1}), frozenset({2})}
    monkeypatch.setattr(scoring, "passports_apart", lambda mine, theirs: False)
    assert groups([KHAN, bare, TWIN]) == {frozenset({0, 1, 2})}


@pytest.mark.parametrize(
    ("one", "bare", "other"),
    [
        ("RAMESH", "R", "RAJESH"),
        ("RAMESH", "", "RAJESH"),
        ("RAMESH KUMAR", "KUMAR", "RAJESH KUMAR"),
        ("RAMESH", "RAESH", "RAJESH"),
        ("MUHAMMAD ALI", "MUHAMMAD", "MUHAMMAD UMAR"),
    ],
)
def test_a_record_that_is_like_two_twins_joins_them_not(
    one: str, bare: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one's or a person's to decide; the twins are two, in whatever order they are known."""
    twins = [Record("KOTHANDARAMAN", given, "1990-05-05", "M", ("IND",)) for given in (one, bare, other)]
    for records in (twins, twins[::-1]):
        assert not any({0, 2} <= person for person in groups(records))
    monkeypatch.setattr(scoring, "torn", lambda claim, one, other: False)
    monkeypatch.setattr(scoring, "two_known", lambda mine, theirs: False)
    if bare != "MUHAMMAD":  # whose twins are told apart by the rule of given names, too
        assert groups(twins) == {frozenset({0, 1, 2})}


def test_a_record_that_is_like_two_names_of_one_person_is_hers() -> None:
    """Fingerprints say that the two names are one person's: a record without a given name is torn between no two."""
    names = [
        Record("KOTHANDARAMAN", given, "1990-05-05", "M", ("IND",), VALERA.ids[1:]) for given in ("RAMESH", "RAJESH")
    ]
    bare = Record("KOTHANDARAMAN", "R", "1990-05-05", "M", ("IND",))
    assert groups([*names, bare]) == {frozenset({0, 1, 2})}
    assert groups([replace(names[0], ids=()), replace(names[1], ids=()), bare]) == {*map(frozenset, ([0], [1], [2]))}


@pytest.mark.parametrize(("year", "persons"), [("1985", 2), ("1985-06", 2), ("1960", 1), ("1980", 1)])
def test_a_father_and_a_son_whose_year_alone_is_known(year: str, persons: int) -> None:
    """Under one passport: not one person, unless a digit of the year alone is another."""
    father = Record("GUTIERREZ BARRANTES", "JOSE", "1960-04-04", "M", ("CRI",), ("passport/CRI/A1234567",))
    assert len(groups([father, replace(father, birth=year)])) == persons


def test_a_renewed_passport_and_a_record_without_one_stay_one_persons() -> None:
    rare = Record("BARAKOVSKY", "OMID", "1979-03-14", "M", ("AFG",), ("passport/AFG/P01234567",))
    assert groups([rare, replace(rare, ids=()), replace(rare, ids=("passport/AFG/P07654321",))]) == {
        frozenset({0, 1, 2})
    }
    common = replace(rare, family="KARIMI")
    assert len(groups([common, replace(common, ids=()), replace(common, ids=("passport/AFG/P07654321",))])) == 2


def test_twins_whose_names_differ_in_letters_have_a_passport_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """However rare the family name is: by nothing but a score they are never one."""
    one = Record("GONSALEZ PERDNCIA", "LEANDRO", "1941-01-22", "M", ("COL",), ("passport/COL/P85966082",))
    other = replace(one, given="ALEIANDRO", ids=("passport/COL/P32857408",))
    assert verdict(one, other) == "possible"
    monkeypatch.setattr(scoring, "_above", lambda mine, theirs: scoring.NAMESAKE)
    assert verdict(one, other) == "possible"
    monkeypatch.setattr(scoring, "given_in_common", lambda one, other: True)
    assert verdict(one, other) == "join"


def test_a_mistyped_fin_joins_no_one_of_whom_all_is_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prints are one person's under any name; a record that has their number and nothing that agrees is told."""
    rodriguez = Record("ARREGO RODRIGUEZ", "CAROLINA", "1955-01-28", "F", ("MEX",), ("fin/1818293415", PASSPORT))
    card = Record("YUAN", "BOWEN", "2008-02-18", "", (), ("fin/1818293415",))
    assert verdict(rodriguez, card) == "possible"
    assert verdict(rodriguez, replace(card, sex="F")) == "join"
    monkeypatch.setattr(identity.Cluster, "_nothing_agrees", lambda *_: False)
    assert verdict(rodriguez, card) == "join"


def test_a_passport_swapped_between_spouses_born_on_one_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """A given name like the other's family name is no given name in common."""
    his = Record("IUNG", "SUNG SUC", "1980-12-31", "M", ("KOR",), ("passport/KOR/P94145555",))
    hers = replace(his, family="JUNG", given="MIN HEE", sex="F")
    assert verdict(his, hers) == "possible"
    monkeypatch.setattr(identity.Cluster, "_no_given_in_common", lambda *_: False)
    monkeypatch.setattr(scoring, "two_given", scoring.strange_given)
    assert verdict(his, hers) == "join"


AHMADI = Record("AHMADI", "MOHAMMAD", "1985-01-01", "M", ("AFG",))
SAYS_TOO_LITTLE: dict[str, tuple[Record, str]] = {
    "a made-up number": (Record(ids=("passport/GBR/000000000",)), "separate"),
    "a booking": (Record(ids=("booking/BA/QX7RTA",)), "separate"),
    "a common name": (Record("SMITH", "JOHN"), "separate"),
    "a name and a year": (Record("SMITH", "JOHN", "1980"), "possible"),
    "a common name and 1 January": (AHMADI, "possible"),
    "the same and a made-up number": (replace(AHMADI, ids=("passport/AFG/000000000",)), "possible"),
}


@pytest.mark.parametrize("what", SAYS_TOO_LITTLE)
def test_two_records_that_say_the_same_and_too_little(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record, judged = SAYS_TOO_LITTLE[what]
    assert verdict(record, record) == judged
    assert len(groups([record] * 4)) == 4
    for module in (resolve, identity):
        monkeypatch.setattr(module, "tells_who", lambda claim: True)
    assert verdict(record, record) == "join"


@pytest.mark.parametrize(
    "record",
    [
        Record("SMITH", "JOHN", "1985-03-14", "M", ("GBR",)),
        replace(AHMADI, ids=("booking/BA/QX7RTA",)),
        replace(AHMADI, ids=("passport/AFG/P01234567",)),
        Record(ids=("passport/GBR/512345670",)),
    ],
)
def test_two_records_that_say_the_same_and_enough(record: Record) -> None:
    assert verdict(record, record) == "join"


def test_a_made_up_passport_hides_no_number_of_a_stay() -> None:
    """Two of one name under 000000000 are two where each has an admission number."""
    one, other = (replace(AHMADI, ids=("passport/AFG/000000000", f"i94/30000000{at}A1")) for at in (1, 2))
    assert groups([one, other, one]) == {frozenset({0, 2}), frozenset({1})}


def customary() -> list[tuple[Record, Record]]:
    """Two of common names who were given one birthday, of whom one or neither shows a passport of that issuer."""
    pairs = []
    for country, day, names in (
        ("ETH", "07-01", ("TESFAYE", "ABEBE")),
        ("ETH", "01-01", ("TESFAYE", "ABEBE")),
        ("AFG", "01-01", ("AHMADI", "MOHAMMAD")),
        ("SOM", "01-01", ("MOHAMED", "AHMED")),
        ("PAK", "01-01", ("KHAN", "MUHAMMAD")),
        ("IRQ", "07-01", ("ALI", "AHMED")),
    ):
        family, given = names
        one = Record(family, given, f"1985-{day}", "M", (country,), (f"passport/{country}/P01234567",))
        for ids in ((), ("passport/XKX/A1234567",), ("receipt/EAC2690001234",)):
            pairs.append((one, replace(one, ids=ids)))
            pairs.append((one, replace(one, family=given, given=family, ids=ids)))
    return pairs


@pytest.mark.parametrize("pair", customary(), ids=str)
def test_common_names_and_a_birthday_by_custom_are_not_enough(pair: tuple[Record, Record]) -> None:
    assert verdict(*pair) in ("possible", "separate")


def test_a_birthday_by_custom_that_counts_as_any_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """And rare names, or a real birthday, are still enough."""
    one, other = customary()[0]
    rare = [replace(each, family="WOLDEGABRIELU") for each in (one, other)]
    assert verdict(*rare) == "join"
    assert verdict(*(replace(each, birth="1985-03-14") for each in (one, other))) == "join"
    monkeypatch.setattr(scoring, "by_custom", lambda day, country: False)
    assert verdict(one, other) == "join"


def test_what_is_refused_is_listed_with_its_reason() -> None:
    """A pair whose passports forbid it is possible, and the list says why."""
    records = [KHAN, replace(KHAN, ids=("receipt/EAC2690001234",)), TWIN]
    facts = [fact_of(codec.encode(event_of(record, f"{place}", place))) for place, record in enumerate(records)]
    (match,) = possible_among(facts)
    assert "different passports of one issuer, and too little besides" in match.vetoes
