"""What a look-up finds, as pure functions of the facts of the pools, of the two instants and of the caller's right.

Confidential facts are left out *before* persons are made of the rest, so what somebody without the right is told is a
function of the other facts alone: it cannot betray that there was more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import zip_longest
from uuid import UUID

from schemas.identifiers import Identifier, Scheme
from schemas.ids import handle
from schemas.outcomes import Outcome
from schemas.view import (
    EvidenceView,
    FreshnessView,
    Holds,
    IdentityView,
    IntervalView,
    LinkView,
    NameView,
    PersonStatus,
    PersonTimeline,
    PresentView,
    RecordView,
    StatusView,
    StayTimelineView,
    StayView,
    Sureness,
    TimelineView,
)
from services.domain.caps import Cutoffs, caps_of
from services.domain.confidential import open_facts
from services.domain.coverage import Coverage
from services.domain.facts import MICRO, Fact, claim_key, handle_key, instant, key_hash
from services.domain.history import Answer, History, Interval, Link, Stay
from services.domain.identity import DECISION_WEIGHT, ONE_HOLDER, WEIGHTS
from services.domain.remaining import remaining_days
from services.domain.resolve import answer, persons, status
from services.domain.stays import local_day

SEARCHABLE: tuple[Scheme, ...] = tuple(scheme for scheme in Scheme if scheme.value in WEIGHTS)
"""The schemes whose numbers lead to a person's pool."""
END_OF_TIME = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp())
"""What would begin later never does; domain intervals after a stay without end lie beyond."""
_SURE = min(WEIGHTS[scheme] for scheme in ONE_HOLDER)


@dataclass(frozen=True, slots=True)
class ByIdentifier:
    """Who holds this number."""

    identifier: Identifier

    @property
    def text(self) -> str:
        """What was asked, spelt one way."""
        return self.identifier.text

    @property
    def key(self) -> int:
        """Where the pool is found."""
        return key_hash(self.text)

    def holds(self, history: History) -> bool:
        """Whether this is one who does."""
        return self.text in history.identifiers


@dataclass(frozen=True, slots=True)
class ByPerson:
    """Who holds the record with this handle: any record that ever gave a person its id finds the person of today."""

    handle: bytes

    @property
    def text(self) -> str:
        """What was asked, spelt one way."""
        return f"person/{self.handle.hex()}"

    @property
    def key(self) -> int:
        """Where the pool is found."""
        return handle_key(self.handle)

    def holds(self, history: History) -> bool:
        """Whether this is the one."""
        return any(handle(*record) == self.handle for record in history.records)


By = ByIdentifier | ByPerson


@dataclass(frozen=True, slots=True)
class When:
    """The two instants of a question: how things stood (seconds), as known when (microseconds; None: all)."""

    as_of: int
    known_at: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """All that an answer may rest on."""

    facts: tuple[Fact, ...]
    coverage: Coverage
    known_through: int | None
    cutoffs: Cutoffs = field(default_factory=dict)


def visible(facts: Collection[Fact], known_at: int | None = None, *, confidential: bool) -> list[Fact]:
    """The facts known by `known_at` that may be told of, by what is known today of what is confidential."""
    open_to_caller = facts if confidential else open_facts(facts)
    return [fact for fact in open_to_caller if known_at is None or fact.known <= known_at]


def holders(by: By, facts: Collection[Fact], known_at: int | None, cutoffs: Cutoffs) -> list[History]:
    """Those whom the question is about.

    Under a number that too many claims share a pool also keeps some that came early and were then thrown out: who is
    found must not depend on the order of arrival, so only those are told whose claim the number still admits.
    """
    holding = [history for history in persons(facts, known_at, cutoffs) if by.holds(history)]
    caps = caps_of(facts, cutoffs, blocks=False, known_at=known_at)
    if caps is None or by.key not in caps.cutoffs:
        return holding
    admitted = {
        (fact.system, fact.record)
        for fact in facts
        if fact.claim is not None and by.text in fact.identifiers and caps.admits(by.key, claim_key(fact.claim))
    }
    return [history for history in holding if not admitted.isdisjoint(history.records)]


def status_view(by: By, when: When, known: Known, *, confidential: bool) -> StatusView:
    """The status of each who is asked for."""
    facts = visible(known.facts, when.known_at, confidential=confidential)
    coverage = known.coverage
    events = _Events(facts)
    return StatusView(
        as_of=instant(when.as_of),
        known_at=_moment(when.known_at),
        freshness=_freshness(known, when, coverage),
        truncated=_truncated(by, when, known),
        persons=tuple(
            PersonStatus(
                person=history.person,
                present=_present(status(history, when.as_of, coverage), when.as_of, events),
                stays=tuple(
                    _stay(stay, held, when.as_of)
                    for stay in history.stays
                    if (held := answer(stay, when.as_of, coverage)) is not None
                ),
                unmatched_departures=events.of(
                    event
                    for event in history.unmatched_departures
                    if (fact := events.find(event)) is not None and fact.start <= when.as_of
                ),
                identity=_identity(history),
            )
            for history in holders(by, facts, when.known_at, known.cutoffs)
        ),
    )


def _truncated(by: By, when: When, known: Known) -> bool:
    """Whether there may be claims known by then that the number does not admit: none before it was full."""
    cutoff = known.cutoffs.get(by.key)
    return cutoff is not None and (when.known_at is None or cutoff[0] <= when.known_at)


def timeline_view(by: By, when: When, known: Known, *, confidential: bool) -> TimelineView:
    """All stays of each who is asked for, with all their intervals."""
    facts = visible(known.facts, when.known_at, confidential=confidential)
    coverage = known.coverage
    events = _Events(facts)
    return TimelineView(
        as_of=instant(when.as_of),
        known_at=_moment(when.known_at),
        freshness=_freshness(known, when, coverage),
        truncated=_truncated(by, when, known),
        persons=tuple(
            PersonTimeline(
                person=history.person,
                stays=tuple(_stay_timeline(stay, when.as_of, coverage, events) for stay in history.stays),
                unmatched_departures=events.of(history.unmatched_departures),
                identity=_identity(history),
            )
            for history in holders(by, facts, when.known_at, known.cutoffs)
        ),
    )


class _Events:
    """The facts by event id."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._by_id = {fact.id: fact for fact in facts}

    def find(self, event: str) -> Fact | None:
        return self._by_id.get(UUID(event).bytes)

    def of(self, events: Iterable[str]) -> tuple[EvidenceView, ...]:
        facts = (fact for event in events if (fact := self.find(event)) is not None)
        return tuple(_evidence(fact) for fact in sorted(facts, key=lambda fact: (fact.start, fact.id)))


def _evidence(fact: Fact) -> EvidenceView:
    return EvidenceView(
        id=UUID(bytes=fact.id),
        system=fact.system,
        record=fact.record,
        kind=fact.kind,
        occurred_on=date.fromordinal(fact.day),
        occurred_at=None if fact.whole_day else instant(fact.start),
        known_at=_instant_of(fact.known),
    )


def _present(held: Answer | None, as_of: int, events: _Events) -> PresentView | None:
    if held is None:
        return None
    return PresentView(
        outcome=Outcome(held.outcome),
        reason=held.reason,
        since=instant(held.since),
        rule=held.rule,
        citation=held.citation,
        evidence=events.of(held.evidence),
        stay=held.stay.id,
        authorised_until=held.stay.authorised_until,
        days_over=days_over(held, as_of),
        days_left=remaining_days(held.stay, as_of),
    )


def days_over(held: Answer, as_of: int) -> int:
    """Days stayed without authorisation, the first one counted, in the zone of the port of entry; 0 if none."""
    stay = held.stay
    if held.outcome in (Outcome.OVERSTAY_SUSPECTED, Outcome.DEPARTURE_UNKNOWN, Outcome.TERMINATED):
        return _days(held.since, as_of, stay.zone)
    if held.outcome == Outcome.DEPARTED_LATE:
        over = [piece.since for piece in stay.timeline if piece.since < held.since and _over(piece)]
        return _days(over[-1], held.since, stay.zone) if over else 0
    return 0


def _over(piece: Interval) -> bool:
    return piece.absence or piece.outcome == Outcome.TERMINATED


def _days(since: int, until: int, zone: str) -> int:
    return (local_day(until, zone) - local_day(since, zone)).days + 1


def _stay(stay: Stay, held: Answer, as_of: int) -> StayView:
    return StayView(
        id=stay.id,
        since=instant(stay.since),
        port=stay.port,
        mode=stay.mode,
        zone=stay.zone,
        admitted_as=stay.admitted_as,
        admission_class=stay.admission_class,
        authorised_until=stay.authorised_until,
        departed=instant(stay.departed) if stay.departed is not None and stay.departed <= as_of else None,
        i94=stay.i94,
        outcome=Outcome(held.outcome),
        reason=held.reason,
    )


def _stay_timeline(stay: Stay, as_of: int, coverage: Coverage, events: _Events) -> StayTimelineView:
    starts = {piece.since: piece for piece in stay.timeline if piece.since < END_OF_TIME}
    pieces = list(starts.values())  # of several that begin at one second the last holds
    return StayTimelineView(
        id=stay.id,
        since=instant(stay.since),
        port=stay.port,
        mode=stay.mode,
        zone=stay.zone,
        admitted_as=stay.admitted_as,
        admission_class=stay.admission_class,
        authorised_until=stay.authorised_until,
        departed=instant(stay.departed) if stay.departed is not None else None,
        i94=stay.i94,
        witnesses=events.of(stay.witnesses),
        intervals=tuple(
            _interval(piece, later, stay, as_of, coverage, events)
            for piece, later in zip_longest(pieces, pieces[1:])
            if piece is not None
        ),
    )


def _interval(
    piece: Interval, later: Interval | None, stay: Stay, as_of: int, coverage: Coverage, events: _Events
) -> IntervalView:
    held = answer(stay, piece.since, coverage)
    over = later is not None and later.since <= as_of
    return IntervalView(
        outcome=Outcome(held.outcome if held else piece.outcome),
        reason=held.reason if held else piece.reason,
        since=instant(piece.since),
        rule=piece.rule,
        citation=piece.citation,
        evidence=events.of(piece.evidence),
        until=instant(later.since) if later is not None else None,
        holds=Holds.FUTURE if piece.since > as_of else Holds.PAST if over else Holds.PRESENT,
        absence=piece.absence,
        absence_known=coverage.vouches(stay.since, piece.since) if piece.absence else None,
    )


def _identity(history: History) -> IdentityView:
    return IdentityView(
        names=tuple(NameView(family=family, given=given) for family, given in history.names),
        births=history.births,
        citizenship=history.citizenship,
        identifiers=history.identifiers,
        records=len(history.records),
        links=tuple(_link(link) for link in history.links),
    )


def _link(link: Link) -> LinkView:
    one, other = (RecordView(system=system, record=record) for system, record in (link.one, link.other))
    return LinkView(one=one, other=other, by=link.by, weight=link.weight, sure=sureness(link))


def sureness(link: Link) -> Sureness:
    """The word for how sure a link is."""
    weight = link.weight
    if link.scored:
        return Sureness.PROBABLE
    if weight >= DECISION_WEIGHT - 1:
        return Sureness.DECIDED
    if weight >= _SURE:
        return Sureness.CERTAIN
    return Sureness.DOCUMENT


def _freshness(known: Known, when: When, coverage: Coverage) -> FreshnessView:
    through = known.known_through
    reach = coverage.absence_known
    return FreshnessView(
        known_through=_moment(through),
        provisional=when.known_at is not None and (through is None or when.known_at > through),
        coverage=_reach(coverage),
        absence_known_through=instant(reach) if reach is not None else None,
    )


def _reach(coverage: Coverage) -> dict[str, dict[str, datetime]]:
    systems: dict[str, dict[str, datetime]] = {}
    for (system, scope), through in sorted(coverage.reach().items()):
        systems.setdefault(system, {})[scope] = instant(through)
    return systems


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else _instant_of(micros)


def _instant_of(micros: int) -> datetime:
    return instant(micros // MICRO).replace(microsecond=micros % MICRO)


def ids_of(view: StatusView | TimelineView) -> Sequence[str]:
    """The persons in an answer."""
    return [person.person for person in view.persons]
