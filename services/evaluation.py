"""How right the view is: its persons and outcomes against the truth of a simulated population."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Any

from schemas.ids import handle
from schemas.outcomes import Outcome
from services.domain.coverage import Coverage
from services.domain.history import Answer, history_of
from services.domain.settle import answer
from services.simulator.clock import seconds
from services.simulator.truth import TruePerson, TrueStay, Truth

NAMED = 20
"""So many wrong stays are told in full; all are counted."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of records of one person: how many there are, how many were found, how many of those are right."""

    true: int
    found: int
    right: int

    @property
    def precision(self) -> float | None:
        """Of those found, the share that is right; None where none was found."""
        return self.right / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """Of those there are, the share that was found; None where there are none."""
        return self.right / self.true if self.true else None

    def as_json(self) -> dict[str, float | None]:
        """For reports."""
        return {"precision": self.precision, "recall": self.recall}


@dataclass(frozen=True, slots=True)
class Said:
    """What the view says of a stay."""

    outcome: str
    since: int
    begun: int  # when the unbroken time of this outcome began, whatever rules or evidence followed each other in it
    authorised_until: str | None
    admission_class: str | None
    reason: str
    rule: str
    citation: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A stay that the view has not as it is. `said` is None where the view has no such stay."""

    person: int
    true: TrueStay
    said: Said | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The view against the truth."""

    persons: int  # in the view
    stays: int  # in the truth
    right: int  # outcome as it should be
    exact: int  # so are the instant since when it holds, the last day and the class
    real: int  # outcome as it really is, whatever the records show
    outcomes: dict[str, int]  # in the view, every class
    admissions: int  # in the truth, counted apart from the classes
    strangers: int  # stays of the view that the truth does not have
    missing: int  # records that no person of the view has
    identity: Pairs
    hard: Pairs  # pairs that share no identifier
    merged: int  # persons that the view joined to another, each once
    wrong: tuple[Wrong, ...]

    @property
    def accuracy(self) -> float:
        """Share of stays whose outcome is right."""
        return self.right / self.stays if self.stays else 1.0

    @property
    def closes(self) -> bool:
        """Whether the classes of the view add up to the admissions there were."""
        counted = sum(count for word, count in self.outcomes.items() if word != Outcome.NOT_ADMITTED)
        return counted == self.admissions

    @property
    def sound(self) -> bool:
        """Whether every stay is there, with its outcome, dates and class, and none beside them."""
        return self.exact == self.stays and not self.strangers and not self.missing and self.closes

    def as_json(self, true_persons: int) -> dict[str, Any]:
        """For reports."""
        return {
            "identity": {
                **self.identity.as_json(),
                "hard": self.hard.as_json(),
                "wrong_merges_per_100k": 100_000 * self.merged / true_persons,
            },
            "status": {
                "accuracy": self.accuracy,
                "exact": self.exact / self.stays if self.stays else 1.0,
                "real_world": self.real / self.stays if self.stays else 1.0,
            },
            "report": {"closes": self.closes, "admissions": self.admissions, "classes": self.outcomes},
        }


@dataclass(slots=True)
class _View:
    """What is kept of the view while it streams by: small things, by the keys of the truth."""

    said: dict[str, Said] = field(default_factory=dict)
    persons: dict[tuple[str, str], int] = field(default_factory=dict)  # record -> number of its person
    sizes: list[int] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, data: bytes, as_of: int, coverage: Coverage) -> None:
        history = history_of(data)
        number = len(self.sizes)
        self.sizes.append(len(history.records))
        for record in history.records:
            self.persons[record] = number
        for stay in history.stays:
            given = answer(stay, as_of, coverage)
            if given is not None:
                self.said[stay.id] = _said(given)
                self.outcomes[given.outcome] += 1


async def compare(truth: Truth, histories: AsyncIterable[bytes], coverage: Coverage) -> Comparison:
    """The histories of a view, at the instant that the truth is about, against the truth."""
    view = _View()
    as_of = seconds(truth.as_of)
    async for data in histories:
        view.add(data, as_of, coverage)
    return _compared(truth.persons(), view)


@dataclass(slots=True)
class _Tally:
    """What is counted while the truth streams by."""

    view: _View
    stays: int = 0
    right: int = 0
    exact: int = 0
    real: int = 0
    admissions: int = 0
    met: int = 0
    missing: int = 0
    true: int = 0
    hit: int = 0
    hard_true: int = 0
    hard_hit: int = 0
    holders: Counter[int] = field(default_factory=Counter)  # person of the view -> persons of the truth in it
    wrong: list[Wrong] = field(default_factory=list)

    def add_records(self, person: TruePerson) -> None:
        """Pairs inside one person: those across persons follow from the sizes of the view's persons."""
        homes = [self.view.persons.get((each.system, each.record), -1) for each in person.records]
        self.missing += homes.count(-1)
        held = Counter(home for home in homes if home >= 0)
        self.holders.update(held.keys())
        self.true += comb(len(homes), 2)
        self.hit += sum(comb(count, 2) for count in held.values())
        told = [each.identifiers for each in person.records]
        for one, other in combinations(range(len(homes)), 2):
            if told[one].isdisjoint(told[other]):
                self.hard_true += 1
                self.hard_hit += homes[one] == homes[other] >= 0

    def add_stay(self, person: TruePerson, stay: TrueStay) -> None:
        """One stay, outcome and dates."""
        said = self.view.said.get(handle("I94", stay.record).hex())
        self.stays += 1
        self.admissions += bool(stay.number)
        exact = False
        if said is not None:
            right = said.outcome == stay.outcome
            exact = right and _dates_agree(said, stay) and stay.admission_class in (None, said.admission_class)
            self.met += 1
            self.right += right
            self.exact += exact
            self.real += said.outcome == stay.real
        if not exact and len(self.wrong) < NAMED:
            self.wrong.append(Wrong(person.number, stay, said))


def _compared(persons: Iterable[TruePerson], view: _View) -> Comparison:
    tally = _Tally(view)
    for person in persons:
        tally.add_records(person)
        for stay in person.stays:
            tally.add_stay(person, stay)
    found = sum(comb(size, 2) for size in view.sizes)
    across = found - tally.hit
    return Comparison(
        persons=len(view.sizes),
        stays=tally.stays,
        right=tally.right,
        exact=tally.exact,
        real=tally.real,
        outcomes={outcome.value: view.outcomes.get(outcome.value, 0) for outcome in Outcome},
        admissions=tally.admissions,
        strangers=len(view.said) - tally.met,
        missing=tally.missing,
        identity=Pairs(tally.true, found, tally.hit),
        # records of two people share no identifier in this population, so every wrong pair is a hard one
        hard=Pairs(tally.hard_true, tally.hard_hit + across, tally.hard_hit),
        merged=sum(count - 1 for count in tally.holders.values()),
        wrong=tuple(tally.wrong),
    )


def _said(given: Answer) -> Said:
    stay = given.stay
    return Said(
        given.outcome,
        given.since,
        _begun(given),
        stay.authorised_until,
        stay.admission_class,
        given.reason,
        given.rule,
        given.citation,
        given.evidence,
    )


def _begun(given: Answer) -> int:
    since = given.since
    for interval in reversed([each for each in given.stay.timeline if each.since < given.since]):
        if interval.outcome != given.outcome:
            break
        since = interval.since
    return since


def _dates_agree(said: Said, true: TrueStay) -> bool:
    return true.since in (said.since, said.begun) and said.authorised_until == true.authorised_until
