"""What each system adds: the answers from the same records once more, less those of one system and its coverage.

The answers with all systems are the measure. An answer that is another one without a system is worse; it has to say so:
by an outcome that does not know (`NOT_KNOWN`) or no stay at all; because the coverage that the answer names lacks the
system and the kind of what it would have told; or, where what it would have told is a departure, by giving none: such
an answer says what the person may do there, and never that the person is there. Where a system never vouches for what
it tells, no answer claims to be complete in that, with the system or without (`UNVOUCHED`): that is the weakest of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from schemas.ids import handle
from schemas.outcomes import Outcome
from services.domain.coverage import Coverage, coverage_of
from services.domain.facts import Fact
from services.domain.history import Answer, History, Stay
from services.domain.resolve import answer, persons

NOT_KNOWN = frozenset(
    {Outcome.UNDETERMINED.value, Outcome.DEPARTURE_UNKNOWN.value, Outcome.CLOSED_UNOBSERVED.value},
)
"""Outcomes by which an answer says that it does not know."""
ONE_ARRIVAL = 24 * 3600
"""Seconds by which two systems may date one arrival apart."""
NO_STAY = "no stay"


class Said(StrEnum):
    """How an answer that is worse says so."""

    NOT_KNOWN = "not_known"
    COVERAGE = "coverage"
    NO_DEPARTURE = "no_departure"
    UNVOUCHED = "unvouched"
    NOT_AT_ALL = "not_at_all"


@dataclass(frozen=True, slots=True)
class Worse:
    """A stay whose answer is another one without a system."""

    stay: str  # its id with all systems
    outcome: str
    instead: str
    said: Said


@dataclass(frozen=True, slots=True)
class Without:
    """What is lost without one system."""

    system: str
    records: int
    stays: int  # with all systems
    scopes: tuple[str, ...]  # of its coverage
    parted: int  # how many persons more there are, whose records nothing joins now
    fewer: int  # stays with the same answer on less evidence
    worse: tuple[Worse, ...]

    @property
    def unsaid(self) -> tuple[Worse, ...]:
        """Return the answers that are worse and do not say so."""
        return tuple(each for each in self.worse if each.said is Said.NOT_AT_ALL)

    def as_json(self) -> dict[str, Any]:
        """For reports."""
        changes = Counter(f"{each.outcome} -> {each.instead}" for each in self.worse)
        return {
            "records": self.records,
            "worse": len(self.worse),
            "said": dict(sorted(Counter(each.said.value for each in self.worse).items())),
            "changes": dict(changes.most_common()),
            "on_less_evidence": self.fewer,
            "persons_parted": self.parted,
            "coverage_lost": list(self.scopes),
        }


@dataclass(slots=True)
class _Answers:
    """The answers that some facts lead to, by the person whose records they are."""

    persons: int = 0
    stays: list[tuple[Stay, Answer]] = field(default_factory=list)
    by_owner: dict[int, list[tuple[Stay, Answer]]] = field(default_factory=dict)


class Complementary:
    """Takes systems away. The facts are all of a view; `owners` has the true person of each record, by its handle."""

    def __init__(self, facts: Iterable[Fact], owners: dict[bytes, int], as_of: int, coverage: Coverage) -> None:
        self._facts = list(facts)
        self._owners = owners
        self._as_of = as_of
        self._coverage = coverage
        self._kinds: dict[tuple[int, str], set[str]] = {}
        for fact in self._facts:
            owner = owners.get(fact.handle)
            if owner is not None:
                self._kinds.setdefault((owner, fact.system), set()).add(fact.kind)
        self._all = self._answers(self._facts, coverage)

    @property
    def systems(self) -> tuple[str, ...]:
        """Return all systems that have facts, in order."""
        return tuple(sorted({fact.system for fact in self._facts}))

    def without(self, system: str) -> Without:
        """Return what is lost without that system."""
        facts = [fact for fact in self._facts if fact.system != system]
        coverage, scopes = _less(self._coverage, system)
        left = self._answers(facts, coverage)
        worse, fewer = [], 0
        for owner, stays in self._all.by_owner.items():
            kinds = self._kinds.get((owner, system), set())
            others = left.by_owner.get(owner, [])
            for stay, given in stays:
                instead = _met(stay, others)
                if instead is not None and instead.outcome == given.outcome:
                    fewer += len(instead.evidence) < len(given.evidence)
                else:
                    outcome = NO_STAY if instead is None else instead.outcome
                    said = _said(instead, kinds, scopes)
                    worse.append(Worse(stay.id, given.outcome, outcome, said))
        return Without(
            system,
            len({fact.handle for fact in self._facts if fact.system == system}),
            len(self._all.stays),
            scopes,
            max(0, left.persons - self._all.persons),
            fewer,
            tuple(worse),
        )

    def _answers(self, facts: Collection[Fact], coverage: Coverage) -> _Answers:
        answers = _Answers()
        for history in persons(facts):
            answers.persons += 1
            owner = self._owner(history)
            for stay in history.stays:
                given = answer(stay, self._as_of, coverage)
                if given is not None:
                    answers.stays.append((stay, given))
                    answers.by_owner.setdefault(owner, []).append((stay, given))
        return answers

    def _owner(self, history: History) -> int:
        """Return the true person most of whose records the history has; -1 for none."""
        return next(iter(Counter(self._of(history)).most_common(1)), (-1, 0))[0]

    def _of(self, history: History) -> Iterator[int]:
        for system, record in history.records:
            owner = self._owners.get(handle(system, record))
            if owner is not None:
                yield owner


def _met(stay: Stay, others: Iterable[tuple[Stay, Answer]]) -> Answer | None:
    """Return the answer for the same stay among others: of one id, or begun nearest within the hours of one arrival."""
    near = [
        (other.id != stay.id, abs(other.since - stay.since), other.id, given)
        for other, given in others
        if other.id == stay.id or abs(other.since - stay.since) <= ONE_ARRIVAL
    ]
    return min(near, key=lambda each: each[:3])[3] if near else None


def _said(instead: Answer | None, kinds: Collection[str], scopes: Iterable[str]) -> Said:
    """Return how the answer says that it is worse; the system told of these kinds, and vouched for these scopes."""
    if instead is None or instead.outcome in NOT_KNOWN:
        return Said.NOT_KNOWN
    if any(scope.partition(":")[0] in kinds for scope in scopes):
        return Said.COVERAGE
    if "departure" in kinds and instead.stay.departed is None:
        return Said.NO_DEPARTURE
    return Said.UNVOUCHED if {"status", "extension"} & set(kinds) else Said.NOT_AT_ALL


def _less(coverage: Coverage, system: str) -> tuple[Coverage, tuple[str, ...]]:
    """Return the coverage less that of a system, and the scopes that are lost."""
    kept = {
        (other, scope): stretches
        for scope, systems in coverage.scopes.items()
        for other, stretches in systems.items()
        if other != system
    }
    lost = tuple(sorted(scope for scope, systems in coverage.scopes.items() if system in systems))
    return coverage_of(kept), lost
