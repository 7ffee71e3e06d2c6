"""Stays: each application for admission with the departure that ends it, and the time line of its outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from msgspec.structs import replace

from schemas.moments import zone
from schemas.outcomes import Outcome
from services.domain import programs, rules
from services.domain.facts import Fact, end_of_day, instant
from services.domain.history import Interval, Stay
from services.domain.programs import FOREVER, Programs, Record

DURATION = "D/S"
NO_RULE = ("no-rule", "")


@dataclass(slots=True)
class Visit:
    """An arrival and what is attached to it, while a person's time line is being built."""

    arrival: Fact
    numbers: set[str]  # the admission numbers under which it is known
    departures: list[Fact] = field(default_factory=list)
    applications: list[Fact] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    departed: Fact | None = None  # the report of the departure that is believed
    crossing: tuple[str, ...] = ()  # the event ids of all reports of that departure
    closed_by: Fact | None = None


def stays_of(facts: Sequence[Fact]) -> tuple[tuple[Stay, ...], tuple[str, ...]]:
    """The stays in order of time, and the event ids of departures that match no arrival."""
    ordered = sorted(facts, key=_when) if len(facts) > 1 else facts
    visits = [Visit(fact, _numbers(fact)) for fact in ordered if fact.kind == "arrival"]
    counted = [visit for visit in visits if _admitted(visit.arrival)]
    unmatched, sevis = [], []
    for fact in ordered:
        if fact.kind == "departure":
            if fact.body["evidence"] not in rules.ACCEPTED:
                continue
            left = _visit_left(counted, fact)
            if left is None:
                unmatched.append(fact.uuid)
            else:
                left.departures.append(fact)
        elif fact.kind == "status" and programs.is_program(fact):
            sevis.append(fact)  # the person's, not one visit's
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
            unmatched += _depart(visit)
    records = programs.records_of(sevis) if sevis else []
    stays = tuple(_stay(visit, records) for visit in visits)
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


def _depart(visit: Visit) -> list[str]:
    """Settles which departure ended the visit; the event ids of those that are no report of that crossing."""
    if len(visit.departures) == 1:
        (visit.departed,) = visit.departures
        visit.crossing = (visit.departed.uuid,)
        return []
    visit.departed = accepted = _strongest(visit.departures)
    visit.crossing = tuple(fact.uuid for fact in visit.departures if _same_crossing(fact, accepted))
    return [fact.uuid for fact in visit.departures if not _same_crossing(fact, accepted)]


def _same_crossing(one: Fact, other: Fact) -> bool:
    """Whether two departures of one stay are reports of one crossing: near in time, or in days without one."""
    if one.whole_day or other.whole_day:
        return abs(one.day - other.day) <= 1
    return abs(one.start - other.start) <= rules.ONE_CROSSING


@dataclass(slots=True)
class Period:
    """What an admission allows, as applications change it: `end` is the first second after the last day."""

    admission_class: str
    row: rules.Rule
    end: int
    last_day: str | None
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


def _stay(visit: Visit, records: Sequence[Record]) -> Stay:
    arrival = visit.arrival
    said = arrival.body.get("class_of_admission")
    line: _Line | None = None
    if not _admitted(arrival):
        timeline = _refused(arrival)
    else:
        applications = _applications(visit.applications, arrival.zone) if visit.applications else []
        line = _admission(visit, records)
        timeline = _undetermined(arrival) if line is None else _authorised(line, applications)
        timeline = _closed(visit, _adjusted(visit, applications, timeline))
    period = line.period if line else None
    marks = {mark for fact in (arrival, *visit.departures, *visit.applications, *visit.facts) for mark in fact.handling}
    if line is not None and line.told:
        marks |= line.programs.handling()
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
        handling=tuple(sorted(marks)),
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
    if rule.basis in (rules.Basis.DURATION, rules.Basis.PROGRAM):
        return Period(admission_class, rule, FOREVER, DURATION, FOREVER)
    until = arrival.body.get("admitted_until")
    stated = date.fromisoformat(until) if until and until != DURATION else None
    last = _last_day(rule, day, stated)
    if last is None or last < day:
        return None
    end = programs.over(last.toordinal(), arrival.zone)
    grace = 0 if rule.basis is rules.Basis.DATED_PROGRAM else rule.grace_days  # there it lies inside
    return Period(admission_class, rule, end, last.isoformat(), programs.over(last.toordinal() + grace, arrival.zone))


def _last_day(rule: rules.Rule, day: date, stated: date | None) -> date | None:
    if rule.basis in (rules.Basis.I94_DATE, rules.Basis.DATED_PROGRAM):
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
        return _day_end(filed_on, zone_name, -1)
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
    programs: Programs
    pieces: list[Interval]
    reach: int
    proof: tuple[str, ...]
    after: Interval | None = None  # what holds from `reach` on, if not simply nothing
    told: bool = False  # whether SEVIS speaks in it

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
        if self.after is None:
            self.add(self.reach, Outcome.OVERSTAY_SUSPECTED, programs.OVER, rules.OVER)
        else:
            proof = tuple(sorted({*self.after.evidence, *self.proof}))
            self.pieces.append(replace(self.after, since=self.reach, evidence=proof))

    def follow(self, pieces: Sequence[Interval], end: int | None = None) -> None:
        """Goes on as the programs say. Its end is that of status, or that of the date on the I-94."""
        last = pieces[-1]
        self.told, self.after = True, None
        if last.outcome in programs.ALLOWED:
            self.reach, allowed = FOREVER, pieces
        else:
            self.after, self.reach, allowed = last, last.since, pieces[:-1]
        self.pieces += allowed
        ended = min(_status_end(pieces), self.reach)
        self.period.end = ended if end is None else min(end, self.reach)


def _status_end(pieces: Sequence[Interval]) -> int:
    """The second at which the last piece in status is over; the first one's where there is none."""
    for piece, following in zip(reversed(pieces), (None, *reversed(pieces)), strict=False):
        if piece.outcome == Outcome.IN_STATUS:
            return FOREVER if following is None else following.since
    return pieces[0].since


def _admission(visit: Visit, records: Sequence[Record]) -> _Line | None:
    """What the admission itself allows, or None where nothing can be computed."""
    arrival, period = visit.arrival, _period(visit.arrival)
    if period is None:
        return None
    closes = visit.closed_by.day if visit.closed_by else None
    line = _Line(arrival, period, Programs(records, arrival, closes), [], period.grace, (arrival.uuid,))
    if period.row.basis is rules.Basis.PROGRAM:
        pieces = line.programs.line(period.row, arrival.start, arrival.day)
        if not pieces:
            return None
        line.follow(pieces)
        return line
    rule = (period.row.id, period.row.citation)
    line.add(arrival.start, Outcome.IN_STATUS, "admitted", rule)
    if period.row.basis is rules.Basis.DATED_PROGRAM and records:
        _inside_date(line, line.pieces.pop(), arrival.day)
    elif period.grace > period.end:
        line.add(period.end, Outcome.IN_GRACE, "days of grace", rule)
    return line


def _inside_date(line: _Line, first: Interval, day: int) -> None:
    """A fixed date under which a program runs."""
    period = line.period
    said = line.programs.line(period.row, first.since, day)
    last = date.fromisoformat(period.last_day or "").toordinal()
    line.follow(programs.dated(said, period.row, first, last, line.arrival.zone), period.end)


def _authorised(line: _Line, applications: Sequence[Application]) -> list[Interval]:
    """The time line of an admission with a period, before its end by departure, new status or later admission."""
    if line.period.row.extendable:
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
    period = line.period
    granted = decided.body.get("granted_until") or decided.body.get("requested_until")
    new_class = decided.body.get("granted_class") or period.admission_class
    rule = period.row if new_class in period.row.classes else rules.rule_for(new_class, date.fromordinal(decided.day))
    if rule is period.row and rule.basis is rules.Basis.PROGRAM and granted == DURATION:
        return  # reinstated, say: the program itself is SEVIS's to move
    end = _granted_end(granted, rule, line.arrival.zone)
    since = _takes_effect(line, decided, end, rule)
    if end is not None and end <= since:
        return  # over before it was given, and shorter than what holds anyway
    line.proof = proof
    line.pieces = [piece for piece in line.pieces if piece.since < since]
    line.after = None
    period.admission_class, period.row = new_class, rule or period.row
    if rule is not None and rule.basis is rules.Basis.PROGRAM and granted == DURATION:
        _approved_program(line, since)
    elif end is None:
        _incomputable(line, since)
    else:
        line.add(since, Outcome.IN_STATUS, "application approved", rules.APPROVED)
        period.last_day, period.end, line.reach = granted, end, end
        if rule is not None and rule.basis is rules.Basis.DATED_PROGRAM and line.programs.records:
            _inside_date(line, line.pieces.pop(), local_day(since, line.arrival.zone).toordinal())


def _approved_program(line: _Line, since: int) -> None:
    """Duration of status in a class whose program is in SEVIS."""
    day = local_day(since, line.arrival.zone).toordinal()
    pieces = line.programs.line(line.period.row, since, day, named=False)
    if pieces:
        line.period.last_day = DURATION
        line.follow([replace(one, evidence=tuple(sorted({*one.evidence, *line.proof}))) for one in pieces])
    else:
        _incomputable(line, since)


def _incomputable(line: _Line, since: int) -> None:
    reason = f"no period can be computed for class {line.period.admission_class}"
    line.add(since, Outcome.UNDETERMINED, reason, NO_RULE)
    line.period.last_day, line.reach = None, FOREVER


def _takes_effect(line: _Line, decided: Fact, end: int | None, rule: rules.Rule | None) -> int:
    """The second from which what was granted holds.

    That is the end of the old period. Where that was a program's or becomes one, a change of status holds from the
    day that the approval names, or that of the decision: duration of status has no date to wait for.
    """
    period, first = line.period, line.arrival.start + 1
    if rule is not period.row and rules.Basis.PROGRAM in (period.row.basis, rule and rule.basis):
        valid = decided.body.get("valid_from")
        named = decided.start if valid is None else max(decided.start, _day_end(valid, line.arrival.zone, -1))
        return min(period.end, max(named, first))
    if period.end == FOREVER or (end is not None and end <= period.end):
        # no longer than before: the new date holds from the moment at which it was given
        return max(decided.start, first)
    return period.end


def _granted_end(granted: str | None, rule: rules.Rule | None, zone_name: str) -> int | None:
    """The first second after what was granted, or None where that cannot be told."""
    if granted is None:
        return None
    if granted != DURATION:
        return _day_end(granted, zone_name)
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
        late = before.absence or before.outcome == Outcome.TERMINATED
        outcome = Outcome.DEPARTED_LATE if late else Outcome.DEPARTED_IN_TIME
        reason = f"left ({departure.body['evidence'].replace('_', ' ')})"
        if before.outcome == Outcome.UNDETERMINED:
            outcome, reason = Outcome.UNDETERMINED, before.reason
        proof = (*before.evidence, *visit.crossing)
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


def _day_end(day: str, zone_name: str, by: int = 0) -> int:
    return programs.over(date.fromisoformat(day).toordinal() + by, zone_name)


def local_day(second: int, zone_name: str) -> date:
    """The calendar day at a port."""
    return instant(second).astimezone(zone(zone_name)).date()
