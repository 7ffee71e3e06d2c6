"""The nightly files of I-94, read by a reader of the test's own: layout, totals, coverage, and the truth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from simulated import digest

from services.simulator import Truth, simulate

pytestmark = pytest.mark.slow

LENGTH = 250


@dataclass(frozen=True)
class Read:
    """One nightly file."""

    sequence: int
    since: str
    through: str
    scopes: list[str]
    created: str
    details: list[bytes]


def words(data: bytes, first: int, last: int) -> str:
    """A field of text by its positions in the interface document."""
    return data[first - 1 : last].decode("cp037")


def number(data: bytes, first: int, last: int) -> int:
    """A packed field by its positions."""
    return int(data[first - 1 : last].hex()[:-1])


def read(path: Path) -> Read:
    data = path.read_bytes()
    assert len(data) % LENGTH == 0
    header, *details, trailer = [data[at : at + LENGTH] for at in range(0, len(data), LENGTH)]
    assert words(header, 1, 13) == "HCBPI94  0100"
    assert path.name == f"I94.D{words(header, 14, 21)}.S{words(header, 22, 27)}"
    assert words(header, 42, 47) == f"{int(words(header, 22, 27)) - 1:06}"
    count = int(words(header, 48, 49))
    entries = [words(header, 50 + 30 * each, 79 + 30 * each) for each in range(count)]
    assert len({entry[2:] for entry in entries}) == 1
    kinds = Counter(words(detail, 2, 2) for detail in details)
    assert words(trailer, 1, 7) == f"T{words(header, 22, 27)}"
    totals = [int.from_bytes(trailer[at : at + 4], "big") for at in (7, 11, 15, 19)]
    assert totals == [len(details), kinds["A"], kinds["D"], kinds["X"]]
    assert number(trailer, 24, 32) == sum(number(detail, 4, 9) for detail in details) % 10**17
    assert all(words(detail, 1, 1) == "D" for detail in details)
    numbers = [number(detail, 4, 9) for detail in details]
    assert len(set(numbers)) == len(numbers)
    return Read(
        int(words(header, 22, 27)),
        entries[0][2:16],
        entries[0][16:],
        [entry[:2] for entry in entries],
        words(header, 28, 41),
        details,
    )


@pytest.fixture(scope="module")
def nights(written: tuple[Path, Truth]) -> list[Read]:
    return [read(path) for path in sorted((written[0] / "i94").iterdir())]


def test_one_file_a_night_and_coverage_without_a_gap(nights: list[Read], written: tuple[Path, Truth]) -> None:
    assert [night.sequence for night in nights] == list(range(1, 731))
    for before, night in pairwise(nights):
        assert before.through == night.since
    assert nights[-1].through == written[1].records_end.strftime("%Y%m%d%H%M%S")
    for night in nights:
        assert night.scopes == ["AA", "AS", "AL", "DA", "DS", "DL"]
        assert night.since < night.through < night.created


def test_nothing_is_told_before_it_happened_or_after_the_file_was_made(nights: list[Read]) -> None:
    for night in nights:
        for detail in night.details:
            assert words(detail, 10, 23) <= night.created


def test_the_counts_told_are_those_of_the_files(nights: list[Read], written: tuple[Path, Truth]) -> None:
    details = [detail for night in nights for detail in night.details]
    kinds = Counter(words(detail, 2, 2) for detail in details)
    actions = Counter(words(detail, 3, 3) for detail in details)
    counted = written[1].counts["systems"]["I94"]
    assert counted == {
        "files": 730,
        "read": len(details),
        "published": len(details),
        "filtered": 0,
        "arrivals": kinds["A"],
        "departures": kinds["D"],
        "extensions": kinds["X"],
        "corrections": actions["C"],
        "deletions": actions["D"],
        "coverage": 730 * 6,
    }


def test_every_record_of_the_truth_is_in_the_files_alone(nights: list[Read], written: tuple[Path, Truth]) -> None:
    actions: dict[str, str] = {}
    for night in nights:
        for detail in night.details:
            actions[f"{number(detail, 4, 9):011}"] = words(detail, 3, 3)
    persons = list(written[1].persons())
    true = {each.record for person in persons for each in person.records if each.system == "I94"}
    gone = {record for person in persons for system, record in person.retracted if system == "I94"}
    assert true == {record for record, action in actions.items() if action != "D"}
    assert gone == {record for record, action in actions.items() if action == "D"}
    assert gone


def test_a_flush_in_between_changes_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulate(tmp_path / "whole", persons=80, years=1)
    monkeypatch.setattr("services.simulator.systems.i94.files._FLUSH", 20 * LENGTH)
    simulate(tmp_path / "often", persons=80, years=1)
    assert digest(tmp_path / "whole") == digest(tmp_path / "often")
