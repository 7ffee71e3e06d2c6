"""Periods: what an admission allows, piece by piece, as programs and applications change it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from msgspec.structs import replace

from schemas.moments import zone
from schemas.outcomes import Outcome
from services.domain import programs, rules
from services.domain.facts import Fact, end_of_day, instant
from services.domain.history import Interval
from services.domain.occurrences import numbers_of
from services.domain.programs import FOREVER, Programs, Record
from services.domain.visits import Visit

DURATION = "D/S"
NO_RULE = ("no-rule", "")


@dataclass(slots=True)
class Period:
    """What an admission allows, as applications change it: `end` is the first second after the last day."""

    admission_class: str
    row: rules.Rule
    end: int
    last_day: str | None
    grace: int  # the first second after the days of grace
    timely: int = 0  # the first second at which a filing is late, where that lies behind `end`
    spent: bool = False  # the days after an employment have been given


@dataclass(slots=True)
class Application:
    """All that is known of one receipt."""

    receipt: str
    decided: Fact | None
    filed_at: int
    adjusts: bool
    evidence: tuple[str, ...]
    bridges: bool = False  # asks for the class to which a student's status is carried over
    void: bool = False  # a denial of it leaves no period of authorised stay behind

    @property
    def action(self) -> str:
        """What became of it so far."""
        return self.decided.body["action"] if self.decided else "pending"


def _period(arrival: Fact) -> Period | None:
    """The period at admission, or None where class or date is missing or the date lies before the admission."""
    admission_class = arrival.body.get("class_of_admission") or ""
    paroled = arrival.body.get("inspection") == "paroled" or any(admission_class in row.classes for row in rules.PAROLE)
    day = date.fromordinal(arrival.day)
    rule = rules.parole_for(day) if paroled else rules.rule_for(admission_class, day)
    if rule is None:
        return None
    period_end = arrival.body.get("admitted_until")
    if period_end is None and not paroled and _canadian_without_number(arrival):
        # where no row holds, the one for the class stays, which has no period without a date
        rule = rules.canadian_for(admission_class, day) or rule
    if rule.basis in (rules.Basis.DURATION, rules.Basis.PROGRAM):
        return Period(admission_class, rule, FOREVER, DURATION, FOREVER)
    stated = date.fromisoformat(period_end) if period_end and period_end != DURATION else None
    last = _last_day(rule, day, stated)
    if last is None or last < day:
        return None
    end = programs.over(last.toordinal(), arrival.zone)
    grace = end
    if rule.grace_days and rule.basis is not rules.Basis.DATED_PROGRAM:  # there it lies inside
        grace = programs.over(last.toordinal() + rule.grace_days, arrival.zone)
    return Period(admission_class, rule, end, last.isoformat(), grace)


def _canadian_without_number(arrival: Fact) -> bool:
    """Whether a citizen of Canada was let in without a number of admission."""
    return arrival.claim is not None and "CAN" in arrival.claim.citizenship and not numbers_of(arrival)


def _last_day(rule: rules.Rule, day: date, stated: date | None) -> date | None:
    if rule.basis is rules.Basis.I94_DATE:
        return stated
    if rule.basis is rules.Basis.DATED_PROGRAM:
        return stated and min(stated, months_after(day, rule.months))
    if rule.basis is rules.Basis.MONTHS:
        return months_after(day, rule.months)
    limit = day + timedelta(days=rule.days - 1)
    return min(stated, limit) if stated and rule.basis is rules.Basis.CAPPED else limit


def months_after(day: date, months: int) -> date:
    """The last day of so many months that begin with a day: the eve of the same day of the month, if there is one."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    if year > date.max.year:
        return date.max
    if day.day > monthrange(year, month)[1]:
        return date(year, month, monthrange(year, month)[1])
    return date(year, month, day.day) - timedelta(1)


def applications_of(facts: Sequence[Fact], zone_name: str) -> list[Application]:
    """The applications by receipt in the order of filing. An appeal leaves the last decision as it is."""
    by_receipt: dict[str, list[Fact]] = {}
    for fact in facts:
        by_receipt.setdefault(fact.body["receipt"], []).append(fact)
    applications = []
    for receipt, steps in by_receipt.items():
        filed = next((step for step in steps if step.body["action"] == "filed"), None)
        decisions = [step for step in steps if step.body["action"] in ("approved", "denied", "withdrawn")]
        filed_on = next((step.body["filed_on"] for step in steps if "filed_on" in step.body), None)
        evidence = tuple(sorted(step.uuid for step in steps if step is filed or step in decisions[-1:]))
        decided = decisions[-1] if decisions else None
        filed_at = _filed_at(filed_on, filed or steps[0], zone_name)
        asks = steps[0].body["asks"]
        bridges = asks == "change_class" and any(
            step.body.get("requested_class") == rules.CAP_GAP_CLASS for step in steps
        )
        applications.append(Application(receipt, decided, filed_at, asks == "adjust", evidence, bridges))
    return sorted(applications, key=lambda one: (one.filed_at, one.evidence))


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
class Line:
    """What an admission allows, piece by piece; `reach` is the first second that nothing allows."""

    arrival: Fact
    period: Period
    programs: Programs
    pieces: list[Interval]
    reach: int
    proof: tuple[str, ...]
    after: Interval | None = None  # what holds from `reach` on, if not simply nothing
    from_sevis: bool = False  # whether SEVIS speaks in it

    def add(self, since: int, outcome: Outcome, reason: str, rule: tuple[str, str]) -> None:
        """Adds a piece that rests on the present proof."""
        absence = outcome is Outcome.OVERSTAY_SUSPECTED
        self.pieces.append(interval(since, outcome, reason, rule, self.proof, absence=absence))

    def wait(self, since: int, period_end: int, reason: str, rule: tuple[str, str]) -> None:
        """Adds a period of authorised stay, and the time without any before it."""
        if since > self.reach:
            self.over()
        self.add(since, Outcome.PENDING, reason, rule)
        self.reach = period_end

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
        self.from_sevis, self.after = True, None
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


def admission(visit: Visit, records: Sequence[Record]) -> Line | None:
    """What the admission itself allows, or None where nothing can be computed."""
    arrival, period = visit.arrival, _period(visit.arrival)
    if period is None:
        return None
    closes = visit.closed_by.day if visit.closed_by else None
    line = Line(arrival, period, Programs(records, arrival, closes), [], period.grace, (arrival.uuid,))
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


def _inside_date(line: Line, first: Interval, day: int) -> None:
    """A fixed date under which a program runs."""
    period = line.period
    program_line = line.programs.line(period.row, first.since, day)
    last = date.fromisoformat(period.last_day or "").toordinal()
    line.follow(programs.dated(program_line, period.row, first, last, line.arrival.zone), period.end)


def authorised(line: Line, applications: Sequence[Application], endings: Sequence[Fact] = ()) -> list[Interval]:
    """The time line of an admission with a period, before its end by departure, new status or later admission.

    `endings`: the ends of the employment on which it rests, in order.
    """
    waiting: list[Application] = []
    if applications and line.period.row.extendable:
        # where not, there is no extension or change of status: the filing has no effect
        waiting = [one for one in applications if not one.adjusts]
    for ending in endings:
        # told of a day before the admission, across the date line say: the admission itself is not undone by it
        day = max(ending.day, line.arrival.day)
        while waiting and waiting[0].filed_at < programs.over(day, line.arrival.zone):
            _extend(line, waiting.pop(0))
        _employment_over(line, ending, day, applications)
    for application in waiting:
        _extend(line, application)
    # after all extensions: what is pending for good bridges the time after the last of them
    for application in applications:
        if application.adjusts:
            _await_adjustment(line, application)
    if line.reach < FOREVER:
        line.over()
    return _without_empty(line.pieces) if applications else line.pieces


def endings_of(visit: Visit) -> list[Fact]:
    """The ends of employment during a visit, in order."""
    return [fact for fact in visit.facts if fact.body["fact"] == rules.EMPLOYMENT_ENDED]


def _employment_over(line: Line, ending: Fact, day: int, applications: Sequence[Application]) -> None:
    """The days that are left when the employment ends on which a class rests, never past its date.

    Once per period of validity: a second end inside the same days gives no more. Another petition that was filed by
    then, and not denied, carries on; so the end of the employment under it has to name its receipt.
    """
    period, since = line.period, programs.over(day, line.arrival.zone)
    if not period.row.employment_days or period.spent or since >= period.end:
        return
    named = {text.rpartition("/")[2] for text in ending.identifiers if text[:8] == "receipt/"}
    if any(
        not one.adjusts and one.filed_at < since and one.action in ("pending", "approved") and one.receipt not in named
        for one in applications
    ):
        return
    end = min(period.end, programs.over(day + period.row.employment_days, line.arrival.zone))
    line.proof = (line.arrival.uuid, ending.uuid)
    line.pieces = [piece for piece in line.pieces if piece.since < since]
    line.add(since, Outcome.IN_GRACE, "employment ended", rules.EMPLOYMENT)
    period.last_day, period.spent, period.timely = date.fromordinal(day).isoformat(), True, 0
    period.end = line.reach = end


def _extend(line: Line, application: Application) -> None:
    """What an application to stay longer or otherwise does."""
    decided = application.decided
    proof = (line.arrival.uuid, *application.evidence)
    if application.bridges and application.action != "approved" and "cap-gap" in line.period.row.training:
        _bridge(line, application)
    if application.action == "approved" and decided is not None:
        _approve(line, decided, proof)
    elif application.filed_at < max(line.period.end, line.period.timely) and not application.void:
        line.proof = proof
        period_end = FOREVER if decided is None else _decision_over(decided, line.arrival.zone)
        if period_end > line.reach:
            rule = rules.TIMELY if decided is None else rules.DENIED
            line.wait(line.reach, period_end, "application pending", rule)


def _bridge(line: Line, application: Application) -> None:
    """Carries a student's status over to the one asked for in time, up to a denial; then the days of grace begin."""
    period, zone_name = line.period, line.arrival.zone
    violated = line.after is not None and line.after.outcome != Outcome.OVERSTAY_SUSPECTED
    if period.end >= FOREVER or application.filed_at >= line.reach or violated:
        return
    held = programs.at(line.pieces, period.end - 1)
    carried = held is not None and held.rule == rules.CAP_GAP[0]  # SEVIS has it already
    ended = held.since if held is not None and carried else period.end
    last = rules.cap_gap_until(local_day(application.filed_at, zone_name), local_day(ended - 1, zone_name))
    period_end = max(period.end, programs.over(last.toordinal(), zone_name))
    if application.decided is not None:
        period_end = min(period_end, _decision_over(application.decided, zone_name))
    if period_end in (ended, period.end) or period_end < ended:
        return
    line.proof = tuple(sorted({line.arrival.uuid, *application.evidence, *(held.evidence if held else ())}))
    line.pieces = [piece for piece in line.pieces if piece.since < ended]
    line.add(ended, Outcome.IN_STATUS, "cap gap", rules.CAP_GAP)
    line.add(period_end, Outcome.IN_GRACE, "days of grace", (period.row.id, period.row.citation))
    grace = local_day(period_end - 1, zone_name).toordinal() + period.row.grace_days
    period.end, line.reach, line.after = period_end, programs.over(grace, zone_name), None


def _approve(line: Line, decided: Fact, proof: tuple[str, ...]) -> None:
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
    period.admission_class, period.row, period.spent = new_class, rule or period.row, False
    if rule is not None and rule.basis is rules.Basis.PROGRAM and granted == DURATION:
        _approved_program(line, since)
    elif end is None:
        _incomputable(line, since)
    else:
        line.add(since, Outcome.IN_STATUS, "application approved", rules.APPROVED)
        period.last_day, period.end, line.reach = granted, end, end
        if rule is not None and rule.basis is rules.Basis.DATED_PROGRAM and line.programs.records:
            _inside_date(line, line.pieces.pop(), local_day(since, line.arrival.zone).toordinal())


def _approved_program(line: Line, since: int) -> None:
    """Duration of status in a class whose program is in SEVIS."""
    day = local_day(since, line.arrival.zone).toordinal()
    pieces = line.programs.line(line.period.row, since, day, named=False)
    if pieces:
        line.period.last_day = DURATION
        line.follow([replace(one, evidence=tuple(sorted({*one.evidence, *line.proof}))) for one in pieces])
    else:
        _incomputable(line, since)


def _incomputable(line: Line, since: int) -> None:
    reason = f"no period can be computed for class {line.period.admission_class}"
    line.add(since, Outcome.UNDETERMINED, reason, NO_RULE)
    line.period.last_day, line.reach = None, FOREVER


def _takes_effect(line: Line, decided: Fact, end: int | None, rule: rules.Rule | None) -> int:
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


def _await_adjustment(line: Line, application: Application) -> None:
    """What an application for permanent residence does up to its grant."""
    decided = application.decided
    since = max(line.reach, application.filed_at)
    period_end = FOREVER  # also where it was granted: that ends the time line by itself
    if decided is not None and application.action != "approved":
        period_end = _decision_over(decided, line.arrival.zone)
    if period_end > since:
        line.proof = (line.arrival.uuid, *application.evidence)
        line.wait(since, period_end, "adjustment pending", rules.ADJUSTMENT)


def interval(
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


def _day_end(day: str, zone_name: str, by: int = 0) -> int:
    return programs.over(date.fromisoformat(day).toordinal() + by, zone_name)


def local_day(second: int, zone_name: str) -> date:
    """The calendar day at a port."""
    return instant(second).astimezone(zone(zone_name)).date()
