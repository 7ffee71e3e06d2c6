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
NO_RULE = ("no-rule", "")


@dataclass(slots=True)
class Visit:
    """An arrival and what is attached to it, while a person's time line is being built."""

    arrival: Fact
    numbers: set[str]  # the admission numbers under which it is known
    departures: list[Fact] = field(default_factory=list)
    applications: list[Fact] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    departed: Fact | None = None  # the departure that is believed
    closed_by: Fact | None = None


def stays_of(facts: Sequence[Fact]) -> tuple[tuple[Stay, ...], tuple[str, ...]]:
    """The stays in order of time, and the event ids of departures that match no arrival."""
    ordered = sorted(facts, key=_when) if len(facts) > 1 else facts
    visits = [Visit(fact, _numbers(fact)) for fact in ordered if fact.kind == "arrival"]
    counted = [visit for visit in visits if _admitted(visit.arrival)]
    unmatched = []
    for fact in ordered:
        if fact.kind == "departure":
            if fact.body["evidence"] not in rules.ACCEPTED:
                continue
            left = _visit_left(counted, fact)
            if left is None:
                unmatched.append(fact.uuid)
            else:
                left.departures.append(fact)
        elif fact.kind != "arrival":
            meant = _visit_meant(counted, fact)
            if meant is not None and fact.kind == "extension":
                meant.applications.append(fact)
                meant.numbers |= _numbers(fact)
            elif meant is not None:
                meant.facts.append(fact)
    for visit, later in pairwise(counted):
        visit.closed_by = later.arrival
    for visit in counted:
        if visit.departures:
            visit.departed = accepted = _strongest(visit.departures)
            # what is no report of that crossing is another one
            unmatched += [fact.uuid for fact in visit.departures if abs(fact.day - accepted.day) > 1]
    stays = tuple(_stay(visit) for visit in visits)
    return stays, tuple(sorted(unmatched))


def _when(fact: Fact) -> tuple[int, str, bytes]:
    return (fact.start, fact.kind, fact.id)


def _numbers(fact: Fact) -> set[str]:
    return {text for text in fact.identifiers if text[:4] == "i94/"}


def _admitted(arrival: Fact) -> bool:
    return arrival.body.get("inspection", "admitted") in ("admitted", "paroled")


def _begun(visit: Visit, fact: Fact) -> bool:
    """Whether the visit had begun when something happened. A day without a time may be that of arrival."""
    arrival = visit.arrival
    return arrival.start <= fact.start or (fact.whole_day and arrival.day <= fact.day)


def _visit_left(visits: Sequence[Visit], departure: Fact) -> Visit | None:
    """The visit that a departure ends: the last admission before it.

    Who leaves and is back on one day leaves two visits to choose from where the time is not known: the one whose
    number the departure names, else the later one.
    """
    begun = [visit for visit in visits if _begun(visit, departure)]
    if not begun:
        return None
    if len(begun) > 1 and departure.whole_day and begun[-1].arrival.day == departure.day:
        named = _numbers(departure)
        return next((visit for visit in reversed(begun[-2:]) if named & visit.numbers), begun[-1])
    return begun[-1]


def _visit_meant(visits: Sequence[Visit], fact: Fact) -> Visit | None:
    """The visit that an application or fact is about: the one whose number it names, else the last before it."""
    named = _numbers(fact)
    if named:
        for visit in visits:
            if named & visit.numbers:
                return visit
    return next((visit for visit in reversed(visits) if _begun(visit, fact)), None)


def _strongest(departures: Iterable[Fact]) -> Fact:
    return min(departures, key=lambda fact: (rules.EVIDENCE_ORDER.index(fact.body["evidence"]), -fact.start, fact.id))


@dataclass(slots=True)
class Period:
    """What an admission allows, as applications change it: `end` is the first second after the last day."""

    admission_class: str
    end: int
    last_day: str | None
    rule: str
    citation: str
    extendable: bool
    grace: int  # the first second after the days of grace


@dataclass(slots=True)
class Application:
    """All that is known of one receipt."""

    decided: Fact | None
    filed_at: int
    adjusts: bool
    evidence: tuple[str, ...]

    @property
    def action(self) -> str:
        """What became of it so far."""
        return self.decided.body["action"] if self.decided else "pending"


def _stay(visit: Visit) -> Stay:
    arrival = visit.arrival
    said = arrival.body.get("class_of_admission")
    period: Period | None = None
    if not _admitted(arrival):
        timeline = _refused(arrival)
    else:
        period = _period(arrival)
        applications = _applications(visit.applications, arrival.zone) if visit.applications else []
        timeline = _undetermined(arrival) if period is None else _authorised(arrival, period, applications)
        timeline = _closed(visit, _adjusted(visit, applications, timeline))
    facts = (arrival, *visit.departures, *visit.applications, *visit.facts)
    return Stay(
        id=arrival.handle.hex(),
        since=arrival.start,
        zone=arrival.zone,
        port=arrival.body.get("port"),
        mode=arrival.body.get("mode"),
        admitted_as=said,
        admission_class=period.admission_class if period else said,
        authorised_until=period.last_day if period else None,
        departed=visit.departed.start if visit.departed else None,
        i94=tuple(sorted(visit.numbers)),
        handling=tuple(sorted({mark for fact in facts for mark in fact.handling})),
        timeline=tuple(timeline),
    )


def _refused(arrival: Fact) -> list[Interval]:
    reason = f"application for admission {arrival.body['inspection']}"
    return [_interval(arrival.start, Outcome.NOT_ADMITTED, reason, rules.REFUSED, (arrival.uuid,))]


def _undetermined(arrival: Fact) -> list[Interval]:
    said = arrival.body.get("class_of_admission")
    reason = f"no period can be computed for class {said}" if said else "class of admission missing"
    return [_interval(arrival.start, Outcome.UNDETERMINED, reason, NO_RULE, (arrival.uuid,))]


def _period(arrival: Fact) -> Period | None:
    """The period at admission, or None where class or date is missing or the date lies before the admission."""
    admission_class = arrival.body.get("class_of_admission") or ""
    paroled = arrival.body.get("inspection") == "paroled" or admission_class in rules.PAROLE.classes
    day = date.fromordinal(arrival.day)
    rule = rules.PAROLE if paroled else rules.rule_for(admission_class, day)
    if rule is None:
        return None
    if rule.basis is rules.Basis.DURATION:
        return Period(admission_class, FOREVER, DURATION, rule.id, rule.citation, rule.extendable, FOREVER)
    until = arrival.body.get("admitted_until")
    stated = date.fromisoformat(until) if until and until != DURATION else None
    last = _last_day(rule, day, stated)
    if last is None or last < day:
        return None
    end = end_of_day(last.toordinal(), arrival.zone)
    grace = end_of_day(last.toordinal() + rule.grace_days, arrival.zone)
    return Period(admission_class, end, last.isoformat(), rule.id, rule.citation, rule.extendable, grace)


def _last_day(rule: rules.Rule, day: date, stated: date | None) -> date | None:
    if rule.basis is rules.Basis.I94_DATE:
        return stated
    limit = day + timedelta(days=rule.days - 1)
    return min(stated, limit) if stated and rule.basis is rules.Basis.CAPPED else limit


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
        evidence = tuple(sorted(step.uuid for step in steps if step is filed or step in decisions[-1:]))
        decided = decisions[-1] if decisions else None
        filed_at = _filed_at(filed_on, filed or steps[0], zone_name)
        found.append(Application(decided, filed_at, steps[0].body["asks"] == "adjust", evidence))
    return sorted(found, key=lambda one: (one.filed_at, one.evidence))


def _filed_at(filed_on: str | None, step: Fact, zone_name: str) -> int:
    """The second of filing. A day, wherever it was written down, is that day at the port of entry."""
    if filed_on is not None:
        return end_of_day(date.fromisoformat(filed_on).toordinal() - 1, zone_name)
    return end_of_day(step.day - 1, zone_name) if step.whole_day else step.start


def _decision_over(decided: Fact, zone_name: str) -> int:
    """The second at which the day of a decision is over at the port of entry."""
    day = decided.day if decided.whole_day else local_day(decided.start, zone_name).toordinal()
    return end_of_day(day, zone_name)


@dataclass(slots=True)
class _Line:
    """What an admission allows, piece by piece; `reach` is the first second that nothing allows."""

    arrival: Fact
    period: Period
    pieces: list[Interval]
    reach: int
    proof: tuple[str, ...]

    def add(self, since: int, outcome: Outcome, reason: str, rule: tuple[str, str]) -> None:
        """Adds a piece that rests on the present proof."""
        absence = outcome is Outcome.OVERSTAY_SUSPECTED
        self.pieces.append(_interval(since, outcome, reason, rule, self.proof, absence=absence))

    def wait(self, since: int, until: int, reason: str, rule: tuple[str, str]) -> None:
        """Adds a period of authorised stay, and the time without any before it."""
        if since > self.reach:
            self.over()
        self.add(since, Outcome.PENDING, reason, rule)
        self.reach = until

    def over(self) -> None:
        """From `reach` on nothing is allowed."""
        self.add(self.reach, Outcome.OVERSTAY_SUSPECTED, "authorised period over, no departure reported", rules.OVER)


def _authorised(arrival: Fact, period: Period, applications: Sequence[Application]) -> list[Interval]:
    """The time line of an admission with a period, before its end by departure, new status or later admission."""
    rule = (period.rule, period.citation)
    line = _Line(arrival, period, [], period.grace, (arrival.uuid,))
    line.add(arrival.start, Outcome.IN_STATUS, "admitted", rule)
    if period.grace > period.end:
        line.add(period.end, Outcome.IN_GRACE, "days of grace", rule)
    if period.extendable:
        # where not, there is no extension or change of status: the filing has no effect
        for application in applications:
            if not application.adjusts:
                _extend(line, application)
    # after all extensions: what is pending for good bridges the time after the last of them
    for application in applications:
        if application.adjusts:
            _await_adjustment(line, application)
    if line.reach < FOREVER:
        line.over()
    return _without_empty(line.pieces) if applications else line.pieces


def _extend(line: _Line, application: Application) -> None:
    """What an application to stay longer or otherwise does."""
    decided = application.decided
    proof = (line.arrival.uuid, *application.evidence)
    if application.action == "approved" and decided is not None:
        _approve(line, decided, proof)
    elif application.filed_at < line.period.end:
        line.proof = proof
        until = FOREVER if decided is None else _decision_over(decided, line.arrival.zone)
        if until > line.reach:
            rule = rules.TIMELY if decided is None else rules.DENIED
            line.wait(line.reach, until, "application pending", rule)


def _approve(line: _Line, decided: Fact, proof: tuple[str, ...]) -> None:
    """The new class and date, from the old end on; a late filing is healed."""
    period, zone_name = line.period, line.arrival.zone
    granted = decided.body.get("granted_until") or decided.body.get("requested_until")
    new_class = decided.body.get("granted_class") or period.admission_class
    end = _granted_end(granted, new_class, decided, zone_name)
    since = period.end
    if since == FOREVER or (end is not None and end <= since):
        # no longer than before: the new date holds from the moment at which it was given
        since = max(decided.start, line.arrival.start + 1)
    if end is not None and end <= since:
        return  # over before it was given, and shorter than what holds anyway
    line.proof = proof
    line.pieces = [piece for piece in line.pieces if piece.since < since]
    period.admission_class = new_class
    if end is None:
        line.add(since, Outcome.UNDETERMINED, f"no period can be computed for class {new_class}", NO_RULE)
        period.last_day, line.reach = None, FOREVER
    else:
        line.add(since, Outcome.IN_STATUS, "application approved", rules.APPROVED)
        period.last_day, period.end, line.reach = granted, end, end


def _granted_end(granted: str | None, new_class: str, decided: Fact, zone_name: str) -> int | None:
    """The first second after what was granted, or None where that cannot be told."""
    if granted is None:
        return None
    if granted != DURATION:
        return _day_end(granted, zone_name)
    rule = rules.rule_for(new_class, date.fromordinal(decided.day))
    return FOREVER if rule is not None and rule.basis is rules.Basis.DURATION else None


def _await_adjustment(line: _Line, application: Application) -> None:
    """What an application for permanent residence does until it is granted."""
    decided = application.decided
    since = max(line.reach, application.filed_at)
    until = FOREVER  # also where it was granted: that ends the time line by itself
    if decided is not None and application.action != "approved":
        until = _decision_over(decided, line.arrival.zone)
    if until > since:
        line.proof = (line.arrival.uuid, *application.evidence)
        line.wait(since, until, "adjustment pending", rules.ADJUSTMENT)


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
    return [*_before(line, since), _interval(since, Outcome.ADJUSTED, reason, rules.RESIDENT, proof)]


def _closed(visit: Visit, line: list[Interval]) -> list[Interval]:
    """The time line ended by a departure, or by a later admission where nobody saw one."""
    departure = visit.departed
    if departure is not None:
        # a departure known to the day only may be that of the arrival; it ends the stay no earlier than it began
        at = max(departure.start, visit.arrival.start)
        before = _at(line, at)
        outcome = Outcome.DEPARTED_LATE if before.absence else Outcome.DEPARTED_IN_TIME
        reason = f"left ({departure.body['evidence'].replace('_', ' ')})"
        if before.outcome == Outcome.UNDETERMINED:
            outcome, reason = Outcome.UNDETERMINED, before.reason
        proof = (*before.evidence, departure.uuid)
        return [*_before(line, at), _interval(at, outcome, reason, rules.LEFT, proof)]
    if visit.closed_by is not None:
        start = visit.closed_by.start
        proof = (*_at(line, start).evidence, visit.closed_by.uuid)
        reason = "admitted again later, own departure not observed"
        closed = _interval(start, Outcome.CLOSED_UNOBSERVED, reason, rules.LATER_ADMISSION, proof)
        return [*_before(line, start), closed]
    return line


def _before(line: Sequence[Interval], second: int) -> list[Interval]:
    return [piece for piece in line if piece.since < second]


def _interval(
    since: int,
    outcome: Outcome,
    reason: str,
    rule: tuple[str, str],
    evidence: tuple[str, ...],
    *,
    absence: bool = False,
) -> Interval:
    proof = evidence if len(evidence) == 1 else tuple(sorted(set(evidence)))
    return Interval(since, outcome.value, reason, rule[0], rule[1], proof, absence)


def _without_empty(line: list[Interval]) -> list[Interval]:
    """The intervals in order of time; of several that begin at one second the last added holds."""
    ordered = {piece.since: piece for piece in sorted(line, key=lambda piece: piece.since)}
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
