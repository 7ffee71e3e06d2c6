"""Stays: each application for admission with the departure that ends it, and the time line of its outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from schemas.moments import zone
from schemas.outcomes import Outcome
from services.domain import rules
from services.domain.facts import Fact, end_of_day, instant
from services.domain.history import Interval, Stay

DURATION = "D/S"
FOREVER = 2**62


@dataclass(slots=True)
class Visit:
    """An arrival and what is attached to it, while a person's time line is being built."""

    arrival: Fact
    departures: list[Fact] = field(default_factory=list)
    applications: list[Fact] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    closed_by: Fact | None = None

    @property
    def i94(self) -> tuple[str, ...]:
        """The admission numbers under which this visit is known."""
        facts = (self.arrival, *self.applications)
        return tuple(sorted({text for fact in facts for text in fact.identifiers if text[:4] == "i94/"}))


def stays_of(facts: Sequence[Fact]) -> tuple[tuple[Stay, ...], tuple[str, ...]]:
    """The stays in order of time, and the event ids of departures that match no arrival."""
    ordered = sorted(facts, key=_when)
    visits = [Visit(fact) for fact in ordered if fact.kind == "arrival"]
    unmatched = []
    for fact in ordered:
        if fact.kind == "departure" and fact.body["evidence"] in rules.ACCEPTED:
            visit = _visit_left(visits, fact)
            if visit is None:
                unmatched.append(fact.uuid)
            else:
                visit.departures.append(fact)
        elif fact.kind in ("extension", "status"):
            visit = _visit_meant(visits, fact)
            if visit is not None:
                (visit.applications if fact.kind == "extension" else visit.facts).append(fact)
    counted = [visit for visit in visits if _admitted(visit.arrival)]
    for visit, later in pairwise(counted):
        visit.closed_by = later.arrival
    for visit in counted:
        unmatched += _other_departures(visit)
    stays = tuple(_stay(visit) for visit in visits)
    return stays, tuple(sorted(unmatched))


def _when(fact: Fact) -> tuple[int, str, bytes]:
    return (fact.start, fact.kind, fact.id)


def _admitted(arrival: Fact) -> bool:
    return arrival.body.get("inspection", "admitted") in ("admitted", "paroled")


def _visit_left(visits: Sequence[Visit], departure: Fact) -> Visit | None:
    """The visit that a departure ends: the last admission before it. A day without a time may be that of arrival."""
    found = None
    for visit in visits:
        arrival = visit.arrival
        if _admitted(arrival) and (
            arrival.start <= departure.start or (departure.whole_day and arrival.day <= departure.day)
        ):
            found = visit
    return found


def _visit_meant(visits: Sequence[Visit], fact: Fact) -> Visit | None:
    """The visit that an application or fact is about: the one whose number it names, else the last before it."""
    named = {text for text in fact.identifiers if text[:4] == "i94/"}
    found = None
    for visit in visits:
        if not _admitted(visit.arrival):
            continue
        if named and named & set(visit.i94):
            return visit
        if visit.arrival.start <= fact.start or (fact.whole_day and visit.arrival.day <= fact.day):
            found = visit
    return found


def _other_departures(visit: Visit) -> list[str]:
    """Departures that followed this admission but are another crossing than the one that ended it."""
    accepted = _strongest(visit.departures)
    if accepted is None:
        return []
    return [fact.uuid for fact in visit.departures if abs(fact.day - accepted.day) > 1]


def _strongest(departures: Iterable[Fact]) -> Fact | None:
    return min(
        departures,
        key=lambda fact: (rules.EVIDENCE_ORDER.index(fact.body["evidence"]), -fact.start, fact.id),
        default=None,
    )


@dataclass(slots=True)
class Period:
    """What an admission allows, as applications change it: `end` is the first second that is no longer allowed."""

    admission_class: str
    end: int
    last_day: str
    rule: str
    citation: str
    extendable: bool


def _stay(visit: Visit) -> Stay:
    arrival = visit.arrival
    timeline = _refused(visit) if not _admitted(arrival) else None
    period = None if timeline is not None else _period(arrival)
    if timeline is None:
        timeline = _undetermined(visit) if period is None else _authorised(visit, period)
        timeline = _closed(visit, timeline)
    departure = _strongest(visit.departures)
    handling = {mark for fact in (arrival, *visit.applications, *visit.facts) for mark in fact.handling}
    return Stay(
        id=arrival.handle.hex(),
        since=arrival.start,
        zone=arrival.zone,
        port=arrival.body.get("port"),
        mode=arrival.body.get("mode"),
        admitted_as=arrival.body.get("class_of_admission"),
        admission_class=period.admission_class if period else arrival.body.get("class_of_admission"),
        authorised_until=period.last_day if period else None,
        departed=departure.start if departure else None,
        i94=visit.i94,
        handling=tuple(sorted(handling)),
        timeline=tuple(timeline),
    )


def _refused(visit: Visit) -> list[Interval]:
    rule, citation = rules.REFUSED
    reason = f"application for admission {visit.arrival.body['inspection']}"
    return [Interval(visit.arrival.start, Outcome.NOT_ADMITTED, reason, rule, citation, (visit.arrival.uuid,))]


def _undetermined(visit: Visit) -> list[Interval]:
    said = visit.arrival.body.get("class_of_admission")
    reason = f"no period can be computed for class {said}" if said else "class of admission missing"
    return [Interval(visit.arrival.start, Outcome.UNDETERMINED, reason, "no-rule", "", (visit.arrival.uuid,))]


def _period(arrival: Fact) -> Period | None:
    """The period at admission, or None where class or date is missing."""
    admission_class = arrival.body.get("class_of_admission")
    paroled = arrival.body.get("inspection") == "paroled"
    day = date.fromordinal(arrival.day)
    rule = rules.PAROLE if paroled else rules.rule_for(admission_class or "", day)
    if rule is None:
        return None
    until = arrival.body.get("admitted_until")
    if rule.basis is rules.Basis.DURATION:
        return Period(admission_class or "", FOREVER, DURATION, rule.id, rule.citation, rule.extendable)
    limit = day + timedelta(days=rule.days - 1) if rule.days else None
    stated = date.fromisoformat(until) if until and until != DURATION else None
    last = stated if limit is None else min(stated, limit) if stated else limit
    if last is None:
        return None
    end = end_of_day(last.toordinal() + rule.grace_days, arrival.zone)
    return Period(admission_class or "", end, last.isoformat(), rule.id, rule.citation, rule.extendable)


@dataclass(slots=True)
class Application:
    """All that is known of one receipt."""

    filed: Fact | None
    decided: Fact | None
    filed_at: int
    asks: str
    evidence: tuple[str, ...]


def _applications(facts: Sequence[Fact], zone_name: str) -> list[Application]:
    """The applications by receipt in the order of filing. An appeal leaves the last decision as it is."""
    by_receipt: dict[str, list[Fact]] = {}
    for fact in facts:
        by_receipt.setdefault(fact.body["receipt"], []).append(fact)
    found = []
    for steps in by_receipt.values():
        filed = next((step for step in steps if step.body["action"] == "filed"), None)
        decisions = [step for step in steps if step.body["action"] in ("approved", "denied", "withdrawn")]
        filed_on = next((step.body["filed_on"] for step in steps if "filed_on" in step.body), None)
        if filed_on is not None:
            filed_at = end_of_day(date.fromisoformat(filed_on).toordinal() - 1, zone_name)
        else:
            filed_at = (filed or steps[0]).start
        evidence = tuple(sorted(step.uuid for step in steps if step is filed or step in decisions[-1:]))
        decided = decisions[-1] if decisions else None
        found.append(Application(filed, decided, filed_at, steps[0].body["asks"], evidence))
    return sorted(found, key=lambda one: (one.filed_at, one.evidence))


def _authorised(visit: Visit, period: Period) -> list[Interval]:
    """The time line of an admission with a period, before its end by departure or later admission."""
    arrival = visit.arrival
    evidence: tuple[str, ...] = (arrival.uuid,)
    line = [_interval(arrival.start, Outcome.IN_STATUS, "admitted", (period.rule, period.citation), evidence)]
    end = period.end  # of all that is allowed so far, pending applications included
    for application in _applications(visit.applications, arrival.zone):
        proof = tuple(sorted((arrival.uuid, *application.evidence)))
        timely = application.filed_at < end
        action = application.decided.body["action"] if application.decided else "pending"
        if application.asks == "adjust":
            end = max(end, _adjustment(line, application, action, end, proof))
        elif not period.extendable:
            continue  # no extension or change of status from this class: the filing has no effect
        elif action == "approved" and application.decided is not None:
            granted = application.decided.body.get("granted_until") or application.decided.body.get("requested_until")
            if granted is None:
                continue
            line[:] = [piece for piece in line if piece.since < period.end]
            line.append(_interval(period.end, Outcome.IN_STATUS, "application approved", rules.APPROVED, proof))
            period.end = FOREVER if granted == DURATION else _day_end(granted, arrival.zone)
            period.last_day = granted
            period.admission_class = application.decided.body.get("granted_class") or period.admission_class
            end = period.end
            evidence = proof
        elif timely and action == "pending":
            line.append(_interval(end, Outcome.PENDING, "application pending", rules.TIMELY, proof))
            end = FOREVER
        elif timely and application.decided is not None:
            decided = end_of_day(application.decided.day, arrival.zone)
            if decided > end:
                line.append(_interval(end, Outcome.PENDING, "application pending", rules.TIMELY, proof))
                end = decided
            evidence = proof
    if end < FOREVER:
        reason = "authorised period over, no departure reported"
        line.append(_interval(end, Outcome.OVERSTAY_SUSPECTED, reason, rules.OVER, evidence, absence=True))
    return _without_empty(line)


def _adjustment(line: list[Interval], application: Application, action: str, end: int, proof: tuple[str, ...]) -> int:
    """Adds what an application for permanent residence does; returns the second at which its effect is over."""
    decided = application.decided
    over = FOREVER if decided is None else end_of_day(decided.day, decided.zone)
    if action == "approved" and decided is not None:
        over = FOREVER
        if decided.start > end:
            line.append(
                _interval(
                    max(end, application.filed_at), Outcome.PENDING, "adjustment pending", rules.ADJUSTMENT, proof
                )
            )
        line[:] = [piece for piece in line if piece.since < decided.start]
        line.append(_interval(decided.start, Outcome.ADJUSTED, "adjustment granted", rules.RESIDENT, proof))
    elif over > end:
        start = max(end, application.filed_at)
        if start > end:
            reason = "authorised period over, no departure reported"
            line.append(_interval(end, Outcome.OVERSTAY_SUSPECTED, reason, rules.OVER, proof, absence=True))
        line.append(_interval(start, Outcome.PENDING, "adjustment pending", rules.ADJUSTMENT, proof))
    return over


def _closed(visit: Visit, line: list[Interval]) -> list[Interval]:
    """The time line ended by what ends it first to be believed: a departure, a new status, a later admission."""
    departure = _strongest(visit.departures)
    adjusted = min((f for f in visit.facts if f.body["fact"] in rules.LEAVES_NONIMMIGRANT), key=_when, default=None)
    if departure is not None:
        # a departure known to the day only may be that of the arrival; it ends the stay no earlier than it began
        at = max(departure.start, visit.arrival.start)
        before = _at(line, at)
        left = (*before.evidence, departure.uuid)
        late = before.absence
        kept = [piece for piece in line if piece.since < at] or line[:1]
        if kept[0].outcome == Outcome.UNDETERMINED:
            return [*kept, _interval(at, Outcome.UNDETERMINED, kept[0].reason, rules.LEFT, left)]
        outcome = Outcome.DEPARTED_LATE if late else Outcome.DEPARTED_IN_TIME
        reason = f"left ({departure.body['evidence'].replace('_', ' ')})"
        return [*kept, _interval(at, outcome, reason, rules.LEFT, left)]
    if visit.closed_by is not None:
        start = visit.closed_by.start
        proof = (*_at(line, start).evidence, visit.closed_by.uuid)
        kept = [piece for piece in line if piece.since < start]
        reason = "admitted again later, own departure not observed"
        return [*kept, _interval(start, Outcome.CLOSED_UNOBSERVED, reason, rules.LATER_ADMISSION, proof)]
    if adjusted is not None and not any(piece.outcome == Outcome.ADJUSTED for piece in line):
        kept = [piece for piece in line if piece.since < adjusted.start]
        reason = adjusted.body["fact"].replace("_", " ")
        return [*kept, _interval(adjusted.start, Outcome.ADJUSTED, reason, rules.RESIDENT, (adjusted.uuid,))]
    return line


def _interval(
    since: int,
    outcome: Outcome,
    reason: str,
    rule: tuple[str, str],
    evidence: Iterable[str],
    *,
    absence: bool = False,
) -> Interval:
    return Interval(since, outcome.value, reason, rule[0], rule[1], tuple(sorted(set(evidence))), absence)


def _without_empty(line: list[Interval]) -> list[Interval]:
    """The intervals in order of time; of several that begin at one second the last added holds."""
    ordered: dict[int, Interval] = {}
    for piece in sorted(line, key=lambda piece: piece.since):
        ordered[piece.since] = piece
    return list(ordered.values())


def _at(line: Sequence[Interval], second: int) -> Interval:
    """The interval that holds at a second; the first one before the line begins."""
    found = line[0]
    for piece in line:
        if piece.since <= second:
            found = piece
    return found


def _day_end(day: str, zone_name: str) -> int:
    return end_of_day(date.fromisoformat(day).toordinal(), zone_name)


def local_day(second: int, zone_name: str) -> date:
    """The calendar day at a port."""
    return instant(second).astimezone(zone(zone_name)).date()
