"""The yearly accounting: every admission in one outcome class, by class, citizenship and waiver; sums that can fail.

A fiscal year runs from 1 October to 30 September, in days of the port of entry. Two lists are accounted for: who was
admitted in the year, and whose authorised period ended in it (the *expected departures*). Admissions are counted
without asking for their outcome, and once more from the arrivals themselves, so that a sum that is wrong shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schemas.outcomes import ORDER, Outcome
from services.domain import rules
from services.domain.coverage import Coverage
from services.domain.facts import Fact
from services.domain.history import History, Interval, Stay
from services.domain.occurrences import as_one
from services.domain.programs import FOREVER, over
from services.domain.records import active
from services.domain.resolve import answer
from services.domain.stays import DURATION, local_day

CLASSES: tuple[str, ...] = tuple(one.value for one in ORDER if one is not Outcome.NOT_ADMITTED)
"""The classes that admissions add up to: who was not admitted is no admission to count."""
UNKNOWN = "-"
ENDS = frozenset({Outcome.DEPARTED_IN_TIME.value, Outcome.DEPARTED_LATE.value, Outcome.CLOSED_UNOBSERVED.value})


class Unbalanced(Exception):
    """The sums do not close; the text says which."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What admissions are told apart by. Of several citizenships the first; `-` where there is none."""

    admission_class: str
    citizenship: str
    waiver: bool


@dataclass(slots=True)
class Cell:
    """What became of some admissions. `due`: the outcomes of those that were expected to leave in the year."""

    admissions: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    expected: int = 0
    due: Counter[str] = field(default_factory=Counter)

    @property
    def overstays(self) -> int:
        """Of the expected departures those that came late, and those suspected not to have come."""
        return self.due[Outcome.DEPARTED_LATE] + self.due[Outcome.OVERSTAY_SUSPECTED]

    @property
    def rate(self) -> float | None:
        """Overstays over expected departures; None where none was expected."""
        return self.overstays / self.expected if self.expected else None

    def include(self, other: Cell) -> None:
        """Counts another cell's admissions as well."""
        self.admissions += other.admissions
        self.expected += other.expected
        self.outcomes.update(other.outcomes)
        self.due.update(other.due)

    def as_json(self) -> dict[str, Any]:
        """For machines: all classes, in their order."""
        return {
            "admissions": self.admissions,
            "outcomes": {word: self.outcomes[word] for word in CLASSES},
            "expected_departures": self.expected,
            "expected_outcomes": {word: self.due[word] for word in CLASSES},
            "overstays": self.overstays,
            "overstay_rate": self.rate,
        }


@dataclass(slots=True)
class Report:
    """The account of a fiscal year as of an instant (seconds)."""

    year: int
    as_of: int
    coverage: Coverage
    cells: dict[Key, Cell] = field(default_factory=dict)
    total: Cell = field(default_factory=Cell)
    refused: int = 0  # applications for admission that were refused or withdrawn
    arrived: Counter[str] = field(default_factory=Counter)  # by class, from the arrivals alone
    _reports: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of arrivals told more than once, by the first
    _repeats: set[str] = field(default_factory=set)  # and all of their reports but the first

    def add(self, history: History) -> None:
        """Accounts for a person."""
        citizenship = history.citizenship[0] if history.citizenship else UNKNOWN
        for stay in history.stays:
            if stay.reports:
                self._reports[stay.reports[0]] = stay.reports
                self._repeats.update(stay.reports[1:])
            if stay.since <= self.as_of:
                self._add(stay, citizenship)

    def _add(self, stay: Stay, citizenship: str) -> None:
        began = fiscal_year(local_day(stay.since, stay.zone)) == self.year
        if stay.timeline[0].outcome == Outcome.NOT_ADMITTED:
            self.refused += began
            return
        expected = self._expected(stay)
        if not (began or expected):
            return
        admission_class = stay.admitted_as or UNKNOWN
        cell = self.cells.setdefault(Key(admission_class, citizenship, admission_class in rules.WAIVERS), Cell())
        held = answer(stay, self.as_of, self.coverage)
        for one in (cell, self.total):
            one.admissions += began
            one.expected += expected
            if held is not None:
                one.outcomes[held.outcome] += began
                one.due[held.outcome] += expected

    def _expected(self, stay: Stay) -> bool:
        day = last_day(stay)
        if day is None or fiscal_year(day) != self.year:
            return False
        return over(day.toordinal(), stay.zone) <= self.as_of

    def count(self, facts: Iterable[Fact]) -> None:
        """Counts the admissions among arrivals, apart from stays and outcomes. All facts of a pool come at once.

        Which arrivals are reports of one the persons say, so they are added before.
        """
        records, _ = active(facts)
        arrivals = [fact for parts in records.values() for fact in parts if fact.kind == "arrival"]
        for arrival in self._occurrences(arrivals) if self._repeats else arrivals:
            if arrival.body.get("inspection", "admitted") in ("admitted", "paroled"):
                day = date.fromordinal(arrival.day)
                if arrival.start <= self.as_of and fiscal_year(day) == self.year:
                    self.arrived[arrival.body.get("class_of_admission") or UNKNOWN] += 1

    def _occurrences(self, arrivals: Iterable[Fact]) -> Iterator[Fact]:
        """Each arrival once, however many reports tell of it: the first one of each is counted, its repeats are not."""
        by_event = {fact.uuid: fact for fact in arrivals}
        for name in by_event:
            if name not in self._repeats:
                yield as_one([by_event[one] for one in self._reports.get(name, (name,)) if one in by_event])

    def by(self, name: Callable[[Key], Hashable]) -> dict[Hashable, Cell]:
        """The cells put together by what the function gives for their keys, in its order."""
        cells: dict[Hashable, Cell] = {}
        for key in sorted(self.cells):
            cells.setdefault(name(key), Cell()).include(self.cells[key])
        return cells

    def problems(self) -> Iterator[str]:
        """Every sum that does not close."""
        for key, cell in (*sorted(self.cells.items()), ("all", self.total)):
            yield from _unequal(f"{key}: admissions", cell.admissions, _classes(cell.outcomes))
            yield from _unequal(f"{key}: expected departures", cell.expected, _classes(cell.due))
        everything = Cell()
        for cell in self.cells.values():
            everything.include(cell)
        yield from _unequal("admissions of all cells", self.total.admissions, everything.admissions)
        yield from _unequal("expected departures of all cells", self.total.expected, everything.expected)
        for word in CLASSES:
            yield from _unequal(f"{word} of all cells", self.total.outcomes[word], everything.outcomes[word])
            yield from _unequal(f"expected and {word} of all cells", self.total.due[word], everything.due[word])
        yield from self._arrivals()

    def _arrivals(self) -> Iterator[str]:
        classes: dict[Hashable, Cell] = self.by(lambda key: key.admission_class)
        for admission_class in sorted({*self.arrived, *map(str, classes)}):
            admissions = classes[admission_class].admissions if admission_class in classes else 0
            yield from _unequal(f"arrivals in class {admission_class}", self.arrived[admission_class], admissions)

    def close(self) -> None:
        """Raises Unbalanced where a sum does not close."""
        wrong = list(self.problems())
        if wrong:
            raise Unbalanced("; ".join(wrong))

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "fiscal_year": self.year,
            "as_of": self.as_of,
            "closes": not any(self.problems()),
            "refused": self.refused,
            "total": self.total.as_json(),
            "cells": [
                {"class": key.admission_class, "citizenship": key.citizenship, "waiver": key.waiver, **cell.as_json()}
                for key, cell in sorted(self.cells.items())
            ],
        }


def _unequal(what: str, one: int, other: int) -> Iterator[str]:
    if one != other:
        yield f"{what}: {one}, not {other}"


def _classes(outcomes: Mapping[str, int]) -> int:
    return sum(outcomes[word] for word in CLASSES if word in outcomes)


def fiscal_year(day: date) -> int:
    """The year that begins on 1 October of the calendar year before it."""
    return day.year + (day.month >= 10)


def last_day(stay: Stay) -> date | None:
    """The last day of the authorised period, grace apart; None where there is none, or not yet, or none known.

    Who is paroled is not admitted, so nobody expects a departure. Duration of status ends with the program, or with
    the stay itself where that was over before.
    """
    if stay.timeline[0].rule in {row.id for row in rules.PAROLE} or stay.authorised_until is None:
        return None
    if stay.authorised_until != DURATION:
        return date.fromisoformat(stay.authorised_until)
    ended = _after_status(stay)
    if ended is None or ended.since >= FOREVER:
        return None
    return local_day(ended.since if ended.outcome in ENDS else ended.since - 1, stay.zone)


def _after_status(stay: Stay) -> Interval | None:
    """The piece behind the last one in status."""
    after = None
    for piece, following in zip(reversed(stay.timeline), (None, *reversed(stay.timeline)), strict=False):
        if piece.outcome == Outcome.IN_STATUS:
            after = following
            break
    return after
