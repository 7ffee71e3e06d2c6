"""Stays: each application for admission with the departure that ends it, and the time line of its outcomes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from schemas.outcomes import Outcome
from services.domain import applications as filings
from services.domain import periods, programs, protections, rules
from services.domain.applications import Application, local_day
from services.domain.facts import Fact, wall_clock
from services.domain.history import Interval, Stay
from services.domain.occurrences import Reports
from services.domain.periods import DURATION, NO_RULE, Line, interval
from services.domain.programs import Record
from services.domain.visits import Visit, admitted, rank, visits_of

__all__ = ["DURATION", "local_day", "stays_of"]


def stays_of(facts: Sequence[Fact]) -> tuple[tuple[Stay, ...], tuple[str, ...]]:
    """The stays in order of time, and the event ids of departures that match no arrival."""
    journey = visits_of(facts)
    records = programs.records_of(journey.sevis) if journey.sevis else []
    stays = [_stay(visit, records) for visit in journey.visits]
    if journey.reports:
        stays = [
            _with_reports(stay, visit.arrival, journey.reports)
            for stay, visit in zip(stays, journey.visits, strict=True)
        ]
    return tuple(stays), tuple(sorted(journey.unmatched))


def _with_reports(stay: Stay, arrival: Fact, reports: Reports) -> Stay:
    """The stay with all reports of each occurrence as evidence wherever it rests on one of them."""
    timeline = tuple(
        replace(
            piece, evidence=tuple(sorted({report for one in piece.evidence for report in reports.get(one, (one,))}))
        )
        for piece in stay.timeline
    )
    return replace(stay, timeline=timeline, reports=reports.get(arrival.uuid, ()))


def _stay(visit: Visit, records: Sequence[Record]) -> Stay:
    arrival = visit.arrival
    admitted_as = arrival.body.get("class_of_admission")
    line: Line | None = None
    whole = visit.whole or visit
    if not admitted(arrival):
        timeline = _refused(arrival)
    else:
        applications = filings.applications_of(whole.applications, arrival.zone) if whole.applications else []
        line = periods.admission(whole, records)
        timeline = _adjusted(whole, applications, _allowed(whole, line, applications))
        if whole is not visit:
            timeline = _going_on(arrival, timeline)
        allowed: Sequence[tuple[int, int]] = ()
        if whole.facts and visit.departed is not None:
            allowed = [(window.since, window.period_end) for window in protections.windows_of(whole, line.period)]
        timeline = _closed(visit, timeline, allowed, dated_end=line.period.end if line.period.dated else None)
    period = line.period if line else None
    marks = {
        mark
        for fact in (arrival, *visit.departures, *whole.applications, *whole.facts, *_marking(whole))
        for mark in fact.handling
    }
    if line is not None and line.from_sevis:
        marks |= line.programs.handling()
    return Stay(
        id=arrival.handle.hex(),
        since=arrival.start,
        zone=arrival.zone,
        port=arrival.body.get("port"),
        mode=arrival.body.get("mode"),
        admitted_as=admitted_as,
        admission_class=period.admission_class if period else admitted_as,
        authorised_until=period.last_day if period else None,
        departed=visit.departed.start if visit.departed else None,
        i94=tuple(sorted(visit.numbers)),
        handling=tuple(sorted(marks)),
        timeline=tuple(timeline),
        witnesses=visit.witnesses,
    )


def _allowed(visit: Visit, line: Line, applications: list[Application]) -> list[Interval]:
    """What the admission, applications and protections allow, and what was told against a departure."""
    if not (visit.facts or visit.shown or visit.disbelieved or visit.impossible):
        return periods.authorised(line, applications)
    line.period.timely = protections.filing_end(visit, line.period)
    for application in applications:
        application.void = protections.voided(application, visit.facts)
        application.protected = protections.maintains(application, visit, line.period)
    timeline = periods.authorised(line, applications, periods.endings_of(visit))
    return protections.protected(visit, line.period, timeline)


def _going_on(arrival: Fact, line: list[Interval]) -> list[Interval]:
    """The time line of an admission from the moment at which somebody is back on it."""
    held = _at(line, arrival.start)
    proof = (*held.evidence, arrival.uuid)
    if held.outcome == Outcome.IN_STATUS:
        reason = "admitted again on the same I-94"
        first = interval(arrival.start, Outcome.IN_STATUS, reason, rules.REVALIDATED, proof)
    elif held.outcome in (Outcome.IN_GRACE, Outcome.PENDING, Outcome.ADJUSTED):
        first = replace(held, since=arrival.start, evidence=tuple(sorted(set(proof))))
    else:
        reason = "admitted again on an I-94 that was over"
        first = interval(arrival.start, Outcome.UNDETERMINED, reason, NO_RULE, proof)
    rest = [piece for piece in line if piece.since > arrival.start]
    return [first] if first.outcome == Outcome.UNDETERMINED else [first, *rest]


def _marking(visit: Visit) -> list[Fact]:
    """What implies presence in the country, whose marks are the stay's; SEVIS speaks for itself."""
    return [fact for fact in visit.implying if fact.body["fact"][:6] != "sevis_"]


def _refused(arrival: Fact) -> list[Interval]:
    reason = f"application for admission {arrival.body['inspection']}"
    return [interval(arrival.start, Outcome.NOT_ADMITTED, reason, rules.REFUSED, (arrival.uuid,))]


def _adjusted(visit: Visit, applications: Sequence[Application], line: list[Interval]) -> list[Interval]:
    """The time line ended by the first event after which the person is no nonimmigrant any more."""
    arrival = visit.arrival
    granted: list[tuple[int, int, str, tuple[str, ...]]] = [
        (fact.start, 1, fact.body["fact"].replace("_", " "), (fact.uuid,))
        for fact in visit.facts
        if fact.body["fact"] in rules.LEAVES_NONIMMIGRANT
    ]
    granted += [
        (one.decided.start, 0, "adjustment granted", (arrival.uuid, *one.evidence))
        for one in applications
        if one.adjusts and one.action == "approved" and one.decided is not None
    ]
    if not granted:
        return line
    start, _, reason, proof = min(granted)
    since = max(start, arrival.start)
    return [*_before(line, since), interval(since, Outcome.ADJUSTED, reason, rules.RESIDENT, proof)]


def _closed(
    visit: Visit, line: list[Interval], allowed: Sequence[tuple[int, int]], *, dated_end: int | None
) -> list[Interval]:
    """The time line ended by a departure, or by a later application for admission where nobody saw one.

    `allowed`: from when up to when a protection allows to stay, whatever the period is. `dated_end`: the first second
    behind the last day of the period, where it has one: to be out of status before that is no overstay.
    """
    departure = visit.departed
    if departure is not None:
        # a departure known to the day only may be that of the arrival; it ends the stay no earlier than it began
        at = max(departure.start, visit.arrival.start)
        there = max(wall_clock(departure, visit.arrival.zone), visit.arrival.start)
        before = _at(line, there)
        inside_date = dated_end is not None and there < dated_end
        protected = any(since <= there < end for since, end in allowed)
        late = before.absence or (before.outcome == Outcome.TERMINATED and not (inside_date or protected))
        outcome = Outcome.DEPARTED_LATE if late else Outcome.DEPARTED_IN_TIME
        reason = f"left ({departure.body['evidence'].replace('_', ' ')})"
        if visit.disbelieved:
            strongest = all(rank(departure) <= rank(other) for other in visit.disbelieved)
            reason += ", against weaker reports of another day" if strongest else ", against reports of another day"
        if before.outcome == Outcome.UNDETERMINED and not protected:
            outcome, reason = Outcome.UNDETERMINED, before.reason
        proof = (*before.evidence, *visit.crossing)
        return [*_before(line, min(at, there + 1)), interval(at, outcome, reason, rules.LEFT, proof)]
    if visit.closed_by is not None:
        start = visit.closed_by.start
        proof = (*_at(line, start).evidence, visit.closed_by.uuid)
        again = "admitted again" if admitted(visit.closed_by) else "applied for admission"
        reason = f"{again} later, own departure not observed"
        closed = interval(start, Outcome.CLOSED_UNOBSERVED, reason, rules.LATER_ADMISSION, proof)
        return [*_before(line, start), closed]
    return line


def _before(line: Sequence[Interval], second: int) -> list[Interval]:
    return [piece for piece in line if piece.since < second]


def _at(line: Sequence[Interval], second: int) -> Interval:
    """The interval that holds at a second; the first one before the line begins."""
    interval_held = line[0]
    for piece in line:
        if piece.since <= second:
            interval_held = piece
    return interval_held
