"""Pairs of records that matching once judged wrongly, and those beside them, through the whole pure path.

All persons and documents are invented. `best` is what an examiner would want, `acceptable` what does no harm.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import pytest
from domain.pairs import Record, groups, verdict

from services.domain import frequencies, identity, scoring
from services.domain.facts import Claim

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parent / "cases" / "identity.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["case"].split()[0] for case in CASES])
def test_a_pair_is_judged_as_an_examiner_would(case: dict[str, Any]) -> None:
    one, other = Record.of(case["a"]), Record.of(case["b"])
    judged = verdict(one, other)
    assert judged in case["acceptable"]
    assert verdict(other, one) == judged


BLANKS = """MCDONALD/FIONA=MC DONALD/FIONA|VAN DER BERG/PIETER=VANDERBERG/PIETER|AL-HASSAN/OMAR=ALHASSAN/OMAR|
GARCIA LOPEZ/ANA=GARCIALOPEZ/ANA|HADDAD/ABD AL RAHMAN=HADDAD/ABDULRAHMAN|PEACOCKE/TANYA=PEACOCKE/MRSTANYA|
OXENHAM/IAN=OXENHAM/IANMR|SUHARTOYO/=SUHARTOYO/SUHARTOYO|O'BRIEN/SEAN=O BRIEN/SEAN|WEI/ZHANG=ZHANG/WEI|
BELTRAN OROZCO/MARIA JOSE=BELTRAN OROZCO/MARIAJOSE|PEACOCK/TANYA=PEACOCK/TANYAMRS|
VON DER HEIDE/JUTTA=VONDERHEIDE/JUTTA"""


@pytest.mark.parametrize("pair", BLANKS.replace("\n", "").split("|"))
def test_a_blank_does_not_decide(pair: str) -> None:
    """Names and date of birth alone, as two systems write them."""
    one, other = (Record(*side.split("/"), "1979-03-14", "", ("GBR",)) for side in pair.split("="))
    assert verdict(one, other) == "join"


JOHN = Record("SMITHERS", "JOHN", "1950-03-04", "M", ("GBR",), ("passport/GBR/500000011", "i94/300000001A1"))
PIERRE = Record("DUPONTEL", "PIERRE", "1988-09-11", "M", ("FRA",), ("passport/FRA/12AB00011", "i94/300000002A1"))
HANNAH = Record("ROSENTHAL", "HANNAH", "2000-07-04", "F", ("ISR",), ("passport/ISR/22334455", "i94/300000031A1"))
MIRIAM = Record("ROSENTHAL", "MIRIAM", "2000-07-04", "F", ("ISR",), ("passport/ISR/22334456", "i94/300000032A1"))
NIKOS = Record("PETRAKIS", "NIKOLAOS", "1955-05-05", "M", ("GRC",), ("passport/GRC/AE1234567", "i94/300000061A1"))
NUMBERS: dict[str, tuple[list[Record], set[frozenset[int]]]] = {
    "a departure under another's number by one digit": (
        [JOHN, PIERRE, replace(PIERRE, ids=("passport/FRA/12AB00011", "i94/300000001A1"))],
        {frozenset({0}), frozenset({1, 2})},
    ),
    "one made-up number": (
        [
            Record("KWON", "MINJI", "1990-01-01", "F", ("KOR",), ("passport/KOR/000000000", "i94/300000021A1")),
            Record("BAEK", "JIHOON", "1990-01-01", "M", ("KOR",), ("passport/KOR/000000000", "i94/300000022A1")),
        ],
        {frozenset({0}), frozenset({1})},
    ),
    "one passport scanned for both twins": (
        [HANNAH, MIRIAM, replace(MIRIAM, ids=("passport/ISR/22334455", "i94/300000032A1"))],
        {frozenset({0}), frozenset({1, 2})},
    ),
    "father and son of one name under one number": (
        [NIKOS, replace(NIKOS, birth="1995-05-05", ids=("passport/GRC/AE1234567", "i94/300000062A1"))],
        {frozenset({0}), frozenset({1})},
    ),
}


@pytest.mark.parametrize("what", NUMBERS)
def test_a_number_does_not_outweigh_all_else(what: str) -> None:
    records, persons = NUMBERS[what]
    assert groups(records) == persons


HELD = replace(MIRIAM, ids=("a_number/A087654321", "fin/1402335566", "passport/ISR/22334456"))
SISTER = replace(HANNAH, ids=("a_number/A087654322", "passport/ISR/22334455"))
A_NUMBERS: dict[str, tuple[list[Record], set[frozenset[int]]]] = {
    "a digit wrong, under one passport": (
        [HELD, replace(HELD, ids=("a_number/A087654327", HELD.ids[2]))],
        {frozenset({0, 1})},
    ),
    "two digits swapped, under one admission": (
        [
            replace(HELD, ids=("a_number/A087654321", "i94/300000031A1")),
            replace(HELD, ids=("a_number/A087653421", "i94/300000031A1")),
        ],
        {frozenset({0, 1})},
    ),
    "two digits swapped, under one receipt": (
        [
            replace(HELD, ids=("a_number/A087654321", "receipt/EAC2690001234")),
            replace(HELD, ids=("a_number/A087653421", "receipt/EAC2690001234")),
        ],
        {frozenset({0}), frozenset({1})},
    ),
    "two files under one FIN": ([HELD, replace(HELD, ids=("a_number/A012000345", HELD.ids[1]))], {frozenset({0, 1})}),
    "two files under one passport": (
        [HELD, replace(HELD, ids=("a_number/A012000345", HELD.ids[2]))],
        {frozenset({0}), frozenset({1})},
    ),
    "of twins, under a receipt that is one's": (
        [
            HELD,
            replace(SISTER, ids=(*SISTER.ids, "receipt/EAC2690001234")),
            replace(HELD, ids=(HELD.ids[0], "receipt/EAC2690001234")),
        ],
        {frozenset({0, 2}), frozenset({1})},
    ),
    "of another birthday, under one passport": (
        [HELD, replace(HELD, birth="2000-07-14", ids=("a_number/A087654327", HELD.ids[2]))],
        {frozenset({0}), frozenset({1})},
    ),
    "and nothing but the names": (
        [replace(HELD, ids=HELD.ids[:1]), replace(HELD, ids=("a_number/A087654327",))],
        {frozenset({0}), frozenset({1})},
    ),
    "and two FINs": (
        [HELD, replace(HELD, ids=("a_number/A087654327", "fin/1402335599", HELD.ids[2]))],
        {frozenset({0}), frozenset({1})},
    ),
}


@pytest.mark.parametrize("what", A_NUMBERS)
def test_two_a_numbers_are_two_people_unless_one_is_mistyped(what: str) -> None:
    records, persons = A_NUMBERS[what]
    assert groups(records) == persons
    assert groups(records[::-1]) == {frozenset(len(records) - 1 - place for place in person) for person in persons}


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("A087654321", "A087654327", True),
        ("A087654321", "A087653421", True),
        ("A087654321", "A087654321", False),
        ("A087654321", "A087654312", True),
        ("A087654321", "A087654123", False),
        ("A087654321", "A08765432", False),
    ],
)
def test_numbers_that_are_nearly_one(one: str, other: str, near: bool) -> None:
    assert identity.nearly(one, other) == identity.nearly(other, one) == near


def test_strangers_born_on_1_january_stay_strangers() -> None:
    """Eight hundred men of one state with common names, a third of them born on 1 January, each with a passport."""
    rng = Random(7)
    given = "MOHAMMAD AHMAD ABDUL ALI HUSSAIN HASSAN MAHMOOD GHULAM SAYED KHALID NOOR AMIR OMID FARID JAWAD".split()
    family = "AHMADI MOHAMMADI RAHIMI HUSSAINI KARIMI NOORI SHARIFI AZIZI AMIRI HAIDARI REZAI SAFI".split()
    men = []
    for number in range(800):
        born = rng.randint(1970, 2004)
        day = "01-01" if rng.random() < 0.33 else f"{rng.randint(2, 12):02}-{rng.randint(2, 28):02}"
        name = (
            rng.choices(family, [1 / (place + 3) for place in range(len(family))])[0],
            rng.choices(given, [1 / (place + 1) for place in range(len(given))])[0],
        )
        men.append(Record(*name, f"{born}-{day}", "M", ("AFG",), (f"passport/AFG/P{number * 7919 + 10_000_000}",)))
    assert len(groups(men)) == len(men)


def _namesakes(country: str, families: Sequence[str], givens: Sequence[str], number: int) -> list[Claim]:
    """Men of one state who share its commonest names, each with a birthday that is real and a passport."""
    rng = Random(7)
    return [
        Claim(
            (
                (
                    rng.choices(families, [1 / (place + 3) for place in range(len(families))])[0],
                    rng.choices(givens, [1 / (place + 1) for place in range(len(givens))])[0],
                ),
            ),
            f"{rng.randint(1970, 2004)}-{rng.randint(1, 12):02}-{rng.randint(2, 28):02}",
            "M",
            (country,),
            (f"passport/{country}/P{rng.randint(1_000_000, 99_999_999):08}",),
        )
        for _ in range(number)
    ]


def _of_one_birthday(men: Sequence[Claim]) -> Iterator[tuple[Claim, Claim]]:
    by_birth: dict[str, list[Claim]] = defaultdict(list)
    for man in men:
        by_birth[man.birth].append(man)
    for some in by_birth.values():
        yield from combinations(some, 2)


@pytest.mark.parametrize("country", ["AFG", "KOR", "CHN", "IND", "MEX", "PAK", "EGY", "GBR"])
def test_ten_thousand_namesakes_of_one_country_stay_strangers(country: str) -> None:
    """None is joined; among so many some do share name and birthday, and are listed."""
    families, givens = (frequencies.DATA[role][country].split()[::2] for role in ("family", "given"))
    pairs = list(_of_one_birthday(_namesakes(country, families[:30], givens[:20], 10_000)))
    assert [pair for pair in pairs if scoring.joined_by_score(*pair)] == []
    assert len([pair for pair in pairs if scoring.score(*pair) >= scoring.POSSIBLE]) > 10


def test_without_the_weight_of_common_names_the_crowd_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: a second passport speaks against common names as little as it did."""
    monkeypatch.setattr(scoring, "RENEWED", 0.0)
    monkeypatch.setattr(scoring, "NAMESAKE", 0.0)
    families, givens = (frequencies.DATA[role]["AFG"].split()[::2] for role in ("family", "given"))
    pairs = _of_one_birthday(_namesakes("AFG", families, givens[:20], 10_000))
    assert sum(scoring.joined_by_score(*pair) for pair in pairs) > 3


def test_a_renewed_passport_is_one_persons_where_a_name_is_rare() -> None:
    rare = Record("BARAKOVSKY", "OMID", "1979-03-14", "M", ("AFG",), ("passport/AFG/P01234567",))
    assert verdict(rare, replace(rare, ids=("passport/AFG/P07654321",))) == "join"
    common = replace(rare, family="KARIMI")
    assert verdict(common, replace(common, ids=("passport/AFG/P07654321",))) == "possible"
