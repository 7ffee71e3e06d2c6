"""The view against the truth: stays with their outcomes, persons with their claims, and the sums of the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from schemas.ids import handle
from schemas.outcomes import Outcome
from services.domain.accounting import Report
from services.domain.coverage import Coverage
from services.domain.facts import Fact
from services.domain.history import Answer, history_of
from services.domain.resolve import answer
from services.evaluation.oracle import Astray, Census, Due, Oracle
from services.evaluation.pairs import Claims, Pairs, pairs_of
from services.simulator.clock import seconds
from services.simulator.truth.records import TruePerson, TrueStay, Truth

NAMED = 20
"""How many wrong stays are shown in full; all are counted."""


@dataclass(frozen=True, slots=True)
class ViewStay:
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
    """A stay that the view has not as it should be. `viewed` is None where the view has no such stay."""

    person: int
    stay: TrueStay
    due: Due
    viewed: ViewStay | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The view against the truth.

    The truth of a clean population is what the simulator works out for itself. Where mistakes are in the records it is
    what a perfect matcher would make of the same events.
    """

    noisy: bool
    persons: int  # in the view
    stays: int  # in the truth
    right: int  # outcome as it should be
    exact: int  # so are the instant since when it holds, the last day and the class
    real: int  # outcome as it really is, whatever the records show
    outcomes: dict[str, int]  # in the view, every class
    admissions: int  # in the truth, counted apart from the classes
    strangers: int  # stays of the view that the truth does not have
    strange: int  # those of them that begin with an admission
    lost: dict[str, int]  # by system: records that no person of the view has
    identity: Pairs
    hard: Pairs  # pairs that share no identifier
    merged: int  # persons that the view joined to another, each once
    wrong: tuple[Wrong, ...]
    twice: tuple[str, ...]  # reports of arrivals that make a stay which the truth does not have, a few of them
    unbalanced: tuple[str, ...]  # sums of the yearly accounts that do not close
    reported: dict[int, int]  # number of reports of an arrival -> stays of the view whose arrival has so many
    mistakes: dict[str, dict[str, int]]  # by kind: how many were put in, how many led to an error
    claims: Claims

    @property
    def accuracy(self) -> float:
        """Share of stays whose outcome is right."""
        return self.right / self.stays if self.stays else 1.0

    @property
    def missing(self) -> int:
        """How many records no person of the view has."""
        return sum(self.lost.values())

    @property
    def closes(self) -> bool:
        """Whether the classes of the view add up to the admissions there were, and all sums of the yearly accounts.

        An admission that the view has twice, because two reports of it are not known for one person's, counts twice.
        """
        counted = sum(count for word, count in self.outcomes.items() if word != Outcome.NOT_ADMITTED)
        return counted == self.admissions + self.strange and not self.unbalanced

    @property
    def sound(self) -> bool:
        """Whether nothing is lost and the sums close; in a clean population nothing is invented, and all is exact."""
        whole = not self.missing and self.closes
        return whole and (self.noisy or (not self.strangers and self.exact == self.stays))

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
            "arrivals": {
                "reported_by": {str(number): stays for number, stays in sorted(self.reported.items())},
                "beyond_the_truth": self.strangers,
            },
            "lost": self.lost,
            "noise": self.mistakes,
        }


@dataclass(slots=True)
class _View:
    """What is kept of the view while it streams by: small things, by the keys of the truth."""

    as_of: int
    coverage: Coverage
    reports: list[Report]
    census: Census = field(default_factory=Census)
    stays: dict[str, ViewStay] = field(default_factory=dict)
    persons: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reported: Counter[int] = field(default_factory=Counter)

    def add(self, data: bytes) -> None:
        history = history_of(data)
        for record in history.records:
            self.census.add_viewed(record, self.persons)
        self.persons += 1
        for stay in history.stays:
            given = answer(stay, self.as_of, self.coverage)
            if given is not None:
                self.stays[stay.id] = _view_stay(given)
                self.outcomes[given.outcome] += 1
                self.reported[len(stay.reports) or 1] += 1
        for report in self.reports:
            report.add(history)


async def compare(
    truth: Truth,
    histories: AsyncIterable[bytes],
    pools: AsyncIterable[Iterable[Fact]],
    coverage: Coverage,
    *,
    keep_claims: bool = False,
) -> Comparison:
    """The histories of a view, at the instant that the truth is about, against the truth. `pools`: all its facts.

    One goes over the histories, the truth, the facts and the truth again, so that none of them lies in memory whole.
    """
    as_of = seconds(truth.as_of)
    # the fiscal years that a population may reach into: two years of records, and a bit before and after
    reports = [Report(truth.records_end.year + years, as_of, coverage) for years in range(-3, 2)]
    view = _View(as_of, coverage, reports)
    async for data in histories:
        view.add(data)
    for person in truth.persons():
        view.census.add_true(person)
    oracle = Oracle(view.census, as_of, coverage, Claims(keep=keep_claims))
    async for facts in pools:
        oracle.add(facts)
        for report in reports:
            report.count(facts)
    return _compared(truth, view, oracle)


@dataclass(slots=True)
class _Tally:
    """What is counted while the truth streams by."""

    view: _View
    due: dict[str, Due]  # empty: the truth itself says it
    astray: Astray
    stays: int = 0
    right: int = 0
    exact: int = 0
    real: int = 0
    admissions: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, person: TruePerson) -> None:
        """One person: every stay, and what the mistakes in its records led to."""
        before = self.stays - self.right
        for stay in person.stays:
            self._add_stay(person, stay)
        lost = [each for each in person.records if self.astray.lost(each.system, each.record)]
        for each in lost:
            self.errors.update(each.noise)
        if lost or self.stays - self.right > before:
            self.errors.update(person.noise)

    def _add_stay(self, person: TruePerson, stay: TrueStay) -> None:
        key = handle(stay.system, stay.record).hex()
        viewed = self.view.stays.get(key)
        due = self.due.get(key) or Due(stay.outcome, stay.since, stay.authorised_until, stay.admission_class)
        self.stays += 1
        self.admissions += bool(stay.number)
        exact = False
        if viewed is not None:
            right = viewed.outcome == due.outcome
            exact = right and _agrees(viewed, due)
            self.right += right
            self.exact += exact
            self.real += viewed.outcome == stay.real
        if not exact and len(self.wrong) < NAMED:
            self.wrong.append(Wrong(person.number, stay, due, viewed))


def _compared(truth: Truth, view: _View, oracle: Oracle) -> Comparison:
    tally = _Tally(view, oracle.due if truth.noisy else {}, Astray.of(view.census))
    beyond = set(view.stays)
    for person in truth.persons():
        beyond -= {handle(stay.system, stay.record).hex() for stay in person.stays}
    for person in truth.persons():
        tally.add(person)
    identity, hard = pairs_of(oracle.claims, oracle.claims.homes)
    return Comparison(
        noisy=truth.noisy,
        persons=view.persons,
        stays=tally.stays,
        right=tally.right,
        exact=tally.exact,
        real=tally.real,
        outcomes={outcome.value: view.outcomes.get(outcome.value, 0) for outcome in Outcome},
        admissions=tally.admissions,
        strangers=len(beyond),
        strange=sum(view.stays[key].outcome != Outcome.NOT_ADMITTED for key in beyond),
        lost=dict(view.census.missing),
        identity=identity,
        hard=hard,
        merged=view.census.merged(),
        wrong=tuple(tally.wrong),
        twice=_reports(truth, beyond) if beyond else (),
        unbalanced=tuple(f"{report.year}: {line}" for report in view.reports for line in report.problems()),
        reported=dict(view.reported),
        mistakes=_mistakes(truth, tally.errors),
        claims=oracle.claims,
    )


def _reports(truth: Truth, stays: Collection[str]) -> tuple[str, ...]:
    """Return the reports of arrivals from which stays have their ids, a few of them."""
    reports = (
        f"{each.system} {each.record} of person {person.number}"
        for person in truth.persons()
        for each in person.records
        if handle(each.system, each.record).hex() in stays
    )
    return tuple(islice(reports, NAMED))


def _mistakes(truth: Truth, errors: Counter[str]) -> dict[str, dict[str, int]]:
    """By kind: how many were put in; of how many the record is astray, or the person not as it should be."""
    if not truth.noisy:
        return {}
    injected: dict[str, int] = truth.counts["noise"]["injected"]
    return {kind: {"injected": number, "errors": errors[kind]} for kind, number in injected.items()}


def _view_stay(given: Answer) -> ViewStay:
    stay = given.stay
    return ViewStay(
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


def _agrees(viewed: ViewStay, due: Due) -> bool:
    """Whether dates and class are as they should be. The truth leaves the class out where nobody was admitted."""
    dates = due.since in (viewed.since, viewed.begun) and viewed.authorised_until == due.authorised_until
    return dates and due.admission_class in (None, viewed.admission_class)
