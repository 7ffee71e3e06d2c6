"""Periods: what an admission allows, piece by piece, as programs and applications change it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import zip_longest

from msgspec.structs import replace

from schemas.outcomes import Outcome
from services.domain import programs, rules
from services.domain.applications import Application, decision_over, local_day
from services.domain.facts import Fact
from services.domain.history import Interval
from services.domain.notices import Notice, notice_for
from services.domain.occurrences import numbers_of
from services.domain.programs import FOREVER, Programs, Record
from services.domain.rules import Basis
from services.domain.visits import Visit, paroled_in

DURATION = "D/S"
NO_RULE = ("no-rule", "")
UNTOLD = "reinstated; how long the program lasts nobody reported"
UNKNOWN = rules.Rule("no-rule", frozenset(), Basis.PROGRAM, "")
"""Where no row holds: nothing is known until an approval names a class and a date."""


@dataclass(slots=True)
class Period:
    """What an admission allows, as applications change it: `end` is the first second after the last day.

    `status_end`: the first second out of status, where that lies before `end`; 0: status lasts as long as the period.
    """

    admission_class: str
    row: rules.Rule
    end: int
    last_day: str | None
    grace: int  # the first second after the days of grace
    timely: int = 0  # the first second at which a filing is late, where that lies behind `end`
    spent: bool = False  # the days after an employment have been given
    paroled: bool = False
    status_end: int = 0
    work_ended: int = 0  # the first second behind the day on which the employment ended, where `status_end` rests on it
    notice: Notice | None = None  # what ended it before the date on the I-94
    stated: str | None = None  # the date on the I-94 itself, or as granted, whatever ended the period before it

    @property
    def dated(self) -> bool:
        """Whether it has a last day in the calendar."""
        return self.last_day is not None and self.last_day != DURATION

    @property
    def over(self) -> tuple[str, str]:
        """The rule by which nothing is allowed any more."""
        if self.notice is not None:
            return (self.notice.id, self.notice.citation)
        return rules.PAROLE_OVER if self.paroled else rules.OVER


def _period(visit: Visit) -> Period | None:
    """The period at admission, or None where class or date is missing or the date lies before the admission."""
    arrival = visit.arrival
    admission_class = arrival.body.get("class_of_admission") or ""
    day = date.fromordinal(arrival.day)
    paroled = paroled_in(arrival)
    rule = rules.parole_for(day) if paroled else rules.rule_for(admission_class, day, citizenship_of(arrival))
    if rule is None:
        return None
    until = arrival.body.get("admitted_until")
    if until is None and not paroled and _canadian_without_number(arrival):
        # where no row holds, the one for the class stays, which has no period without a date
        rule = rules.canadian_for(admission_class, day) or rule
    stated = date.fromisoformat(until) if until and until != DURATION else None
    if stated is None and rule.basis in (Basis.DURATION, Basis.PROGRAM):
        stated = rules.transition_limit(rule, day)
        if stated is None:
            return Period(admission_class, rule, FOREVER, DURATION, FOREVER)
    last = _last_day(rule, day, stated)
    if last is None or last < day:
        return None
    period = Period(admission_class, rule, 0, last.isoformat(), 0, paroled=paroled, stated=until)
    if paroled:
        _end_early(period, visit, day, last)
    elif admission_class == rules.TPS_CLASS:
        _designation_over(period, visit, last)
    last_ordinal = date.fromisoformat(str(period.last_day)).toordinal()
    period.end = period.grace = programs.over(last_ordinal, arrival.zone)
    if rule.grace_days and rule.basis is Basis.I94_DATE:  # else it lies inside, or with the program
        period.grace = programs.over(last_ordinal + rule.grace_days, arrival.zone)
    return period


def citizenship_of(arrival: Fact) -> tuple[str, ...]:
    """The citizenships on the record of an arrival."""
    return arrival.claim.citizenship if arrival.claim is not None else ()


def _end_early(period: Period, visit: Visit, day: date, stated: date) -> None:
    """Ends a parole where it was ended, or a notice ended the program that the class or a fact about it names."""
    notice, end = _ended_program(visit, period.admission_class, stated)
    if end is not None and end < stated:
        period.last_day, period.notice = end.isoformat(), notice
    ended = _ended_by_notice(visit)
    if ended and date.fromordinal(min(ended)).isoformat() < str(period.last_day):
        period.last_day, period.notice = date.fromordinal(min(ended)).isoformat(), None


def _designation_over(period: Period, visit: Visit, stated: date) -> None:
    """Ends an admission in protected status where the designation ended by notice, or the status was withdrawn.

    Who comes back with leave is admitted in that status, and in no other (INA 244(f)(3)): it ends with the designation
    (INA 244(b)(3)(B)) or by its withdrawal (INA 244(c)(3)), whatever the date on the I-94.
    """
    arrival = visit.arrival
    notice = _designation(arrival)
    end = None if notice is None else notice.end_of(stated, date.fromordinal(arrival.day))
    if end is not None and end < stated:
        period.last_day, period.notice = end.isoformat(), notice
    ended = min(_withdrawals(visit), default=None)
    if ended is not None and date.fromordinal(ended).isoformat() < str(period.last_day):
        period.last_day, period.notice = date.fromordinal(ended).isoformat(), None


def _designation(arrival: Fact) -> Notice | None:
    """The notice that ended the designation of the person's country."""
    return notice_for(rules.MAINTAINING, "", citizenship_of(arrival))


def _withdrawals(visit: Visit) -> tuple[int, ...]:
    """The days (ordinals) on which temporary protected status was withdrawn from the person, from the admission on."""
    withdrawn = (fact.day for fact in visit.facts if fact.body["fact"] == rules.TPS_WITHDRAWN)
    return tuple(sorted(day for day in withdrawn if day >= visit.arrival.day))


def _ended_program(visit: Visit, admission_class: str, stated: date | None) -> tuple[Notice | None, date | None]:
    """The notice that ended the program of a parole up to a day (None: not known), and the last day by it."""
    day = date.fromordinal(visit.arrival.day)
    named = [admission_class, *(_program(fact) for fact in visit.facts if fact.body["fact"] == "parole")]
    for program in named:
        notice = notice_for("parole", program, ())
        end = None if notice is None else notice.end_of(stated, day)
        if end is not None and day <= end:
            return notice, end
    return None, None


def _ended_by_notice(visit: Visit) -> tuple[int, ...]:
    """The days (ordinals) on which a person was told in writing that parole is over: 8 CFR 212.5(e)(2)(i)."""
    ended = (fact.day for fact in visit.facts if fact.body["fact"] == rules.PAROLE_ENDED)
    return tuple(day for day in ended if day >= visit.arrival.day)


def _program(fact: Fact) -> str:
    return str(fact.body.get("reason", "")).upper()


def _canadian_without_number(arrival: Fact) -> bool:
    """Whether a citizen of Canada was let in without a number of admission."""
    return "CAN" in citizenship_of(arrival) and not numbers_of(arrival)


def _last_day(rule: rules.Rule, day: date, stated: date | None) -> date | None:
    if rule.basis is Basis.MONTHS:
        return months_after(day, rule.months)
    if rule.basis is Basis.COUNTED and stated is None:
        return day + timedelta(days=rule.days - 1)
    return stated


def months_after(day: date, months: int) -> date:
    """The last day of so many months that begin with a day: the eve of the same day of the month, if there is one."""
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    if year > date.max.year:
        return date.max
    if day.day > monthrange(year, month)[1]:
        return date(year, month, monthrange(year, month)[1])
    return date(year, month, day.day) - timedelta(1)


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
    rest: tuple[Interval, ...] = ()  # what follows that by itself
    from_sevis: bool = False  # whether SEVIS speaks in it
    parole_ends: tuple[int, ...] = ()  # the days (ordinals) on which a parole was ended by notice
    program: Notice | None = None  # what ended the program of a parole
    tps_ends: tuple[int, ...] = ()  # the days (ordinals) on which protected status was withdrawn
    designation: Notice | None = None  # what ended the designation
    bridging: list[Application] = field(default_factory=list)  # filed in time, and not granted
    gap_end: int = 0  # the first second behind the cap-gap of the petition looked at last
    waits: int = 0  # up to which second petitions wait behind it
    granted: str = ""  # the receipt of what was granted last
    class_since: int = 0  # the first second of the day on which the class was granted; 0: that of the admission
    extended: int = 0  # up to which second the status of a victim goes on by an adjustment

    def add(self, since: int, outcome: Outcome, reason: str, rule: tuple[str, str]) -> None:
        """Adds a piece that rests on the present proof."""
        absence = outcome is Outcome.OVERSTAY_SUSPECTED
        self.pieces.append(interval(since, outcome, reason, rule, self.proof, absence=absence))

    def wait(self, since: int, period_end: int, reason: str, rule: tuple[str, str]) -> None:
        """Adds a period of authorised stay, and the time without any before it."""
        if since > self.reach:
            self.over(since)
        self.add(since, Outcome.PENDING, reason, rule)
        self.reach, self.rest = period_end, ()

    def over(self, before: int = FOREVER) -> None:
        """Adds what holds from `reach` on, as far as it begins before a second."""
        after, end = self.after, self.period.end
        out_of_status = after is not None and after.outcome == Outcome.TERMINATED
        if after is None or (out_of_status and self.period.dated and end <= self.reach):
            self.add(self.reach, Outcome.OVERSTAY_SUSPECTED, programs.OVER, self.period.over)
            return
        proof = tuple(sorted({*after.evidence, *self.proof}))
        self.pieces.append(replace(after, since=self.reach, evidence=proof))
        if out_of_status and self.period.dated and end < before:
            self.add(end, Outcome.OVERSTAY_SUSPECTED, programs.OVER, self.period.over)
        self.pieces += [piece for piece in self.rest if self.reach < piece.since < before]

    def follow(self, pieces: Sequence[Interval], end: int | None = None) -> None:
        """Goes on as the programs say. Its end is that of status, or that of the date on the I-94."""
        last = pieces[-1]
        self.from_sevis, self.after, self.rest = True, None, ()
        if last.outcome in programs.ALLOWED:
            self.reach, allowed = FOREVER, pieces
        else:
            self.after, self.reach, allowed = last, last.since, pieces[:-1]
        self.pieces += allowed
        ended = min(_status_end(pieces), self.reach)
        self.period.end = ended if end is None else min(end, self.reach)
        graceful = self.after is not None and self.after.absence
        self.period.grace = self.reach if graceful else self.period.end

    def cut(self, since: int) -> None:
        """Leaves out the pieces from a second on."""
        self.pieces = [piece for piece in self.pieces if piece.since < since]


def _status_end(pieces: Sequence[Interval]) -> int:
    """The second at which the last piece in status is over; the first one's where there is none."""
    for piece, following in zip(reversed(pieces), (None, *reversed(pieces)), strict=False):
        if piece.outcome == Outcome.IN_STATUS:
            return FOREVER if following is None else following.since
    return pieces[0].since


def admission(visit: Visit, records: Sequence[Record]) -> Line:
    """What the admission itself allows. Where that cannot be computed it is not known, until an approval says more."""
    arrival, period = visit.arrival, _period(visit)
    closes = visit.closed_by.day if visit.closed_by else None
    sevis = Programs(records, arrival, closes)
    ends = _ended_by_notice(visit)
    if period is None:
        return _unknown(visit, sevis, ends)
    program = _ended_program(visit, period.admission_class, None)[0] if period.paroled else None
    line = Line(arrival, period, sevis, [], period.grace, (arrival.uuid,), parole_ends=ends, program=program)
    line.tps_ends, line.designation = _withdrawals(visit), _designation(arrival)
    rule = (period.row.id, period.row.citation)
    if period.row.basis is Basis.PROGRAM:
        pieces = sevis.line(period.row, arrival.start, arrival.day)
        if not period.dated and not pieces:
            return _unknown(visit, sevis, ends)
        if period.dated:
            admitted = interval(arrival.start, Outcome.IN_STATUS, "admitted", rule, line.proof)
            if pieces and pieces[0].reason == programs.REPORTED_LATER:
                pieces[0] = admitted  # the date on the I-94 counts, also before SEVIS tells of a program
            _until_changed(line, pieces or [admitted])
            line.from_sevis = bool(pieces)
        else:
            line.follow(pieces)
        return line
    line.add(arrival.start, Outcome.IN_STATUS, "admitted", rule)
    if period.row.basis is Basis.DATED_PROGRAM and records:
        _inside_date(line, line.pieces.pop(), arrival.day)
    elif period.grace > period.end:
        line.add(period.end, Outcome.IN_GRACE, "days of grace", rule)
    return line


def _unknown(visit: Visit, sevis: Programs, ends: tuple[int, ...]) -> Line:
    """Nothing can be computed from the admission, but that a parole was ended by notice, whatever its date was."""
    arrival = visit.arrival
    admission_class = arrival.body.get("class_of_admission")
    reason = (
        f"no period can be computed for class {admission_class}" if admission_class else "class of admission missing"
    )
    paroled = paroled_in(arrival)
    notice, program_end = _ended_program(visit, admission_class or "", None) if paroled else (None, None)
    known = [*ends, *([] if program_end is None else [program_end.toordinal()])] if paroled else []
    end = programs.over(min(known), arrival.zone) if known else FOREVER
    period = Period(admission_class or "", UNKNOWN, end, None, end, paroled=paroled)
    period.notice = None if ends and program_end and min(ends) <= program_end.toordinal() else notice
    period.stated = _stated(arrival)
    first = interval(arrival.start, Outcome.UNDETERMINED, reason, NO_RULE, (arrival.uuid,))
    line = Line(arrival, period, sevis, [first], end, (arrival.uuid,), parole_ends=ends, program=notice)
    line.tps_ends, line.designation = _withdrawals(visit), _designation(arrival)
    return line


def _stated(arrival: Fact) -> str | None:
    """The date on the I-94; None where there is none, or one before the admission."""
    until: str | None = arrival.body.get("admitted_until")
    if until is None or until == DURATION or date.fromisoformat(until).toordinal() >= arrival.day:
        return until
    return None


def _until_changed(line: Line, pieces: Sequence[Interval]) -> None:
    """Duration of status but for a date on the I-94 (Form I-515A, say): what became of that is not known behind it."""
    period, end = line.period, line.period.end
    line.pieces += [piece for piece in pieces if piece.since < end]
    behind = programs.at(pieces, end)
    if behind is not None and behind.outcome not in programs.ALLOWED:
        line.after = None if behind.outcome == Outcome.TERMINATED else replace(behind, since=end)
        last = line.pieces[-1] if line.pieces else None
        if last is not None and last.absence:  # over with the program, before the date
            line.pieces.pop()
            line.after, line.reach = last, last.since
        return
    reason = f"class {period.admission_class} was admitted to a date; whether that was changed nobody reported"
    line.after = interval(end, Outcome.UNDETERMINED, reason, (period.row.id, period.row.citation), line.proof)
    over = next((piece for piece in pieces if piece.since > end and piece.outcome not in programs.ALLOWED), None)
    line.rest = () if over is None else tuple(piece for piece in pieces if piece.since >= over.since)


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
    before = [one for one in applications if one.action == "approved" and _granted_before(line, one)]
    applications = _without_unbegun(line, applications, before, endings)
    waiting = _by_last_action([one for one in applications if not one.adjusts and one not in before])
    revoked = [
        one.revoked
        for one in applications
        if one.revoked is not None and (one not in before or _rests_on(line, one, one.revoked))
    ]
    resting = {one.receipt for one in before}
    for ending in sorted((*endings, *revoked), key=lambda fact: fact.day) if revoked else endings:
        # reported with a day before the admission, across the date line say: the admission is not undone by it
        day = max(ending.day, line.arrival.day)
        waiting = _employment_over(line, ending, day, waiting, resting)
    for application in waiting:
        _extend(line, application)
    # after all extensions: what is pending for good bridges the time after the last of them
    for application in applications:
        if application.adjusts and not application.void:
            _await_adjustment(line, application)
    if line.reach < FOREVER:
        line.over()
    return _without_empty(line.pieces) if applications or line.period.status_end else line.pieces


def _without_unbegun(
    line: Line, applications: Sequence[Application], before: Sequence[Application], endings: Sequence[Fact]
) -> Sequence[Application]:
    """The applications, with each extension that was taken back before its first day as one that granted nothing.

    An extension of the stay that names no first day begins where the stay would end (8 CFR 214.1(c)(4)), unless the
    employment had ended by its grant, or it was granted to no later day than the stay had: then at its grant.
    """
    if all(one.revoked is None for one in applications):
        return applications
    standing = list(applications)
    approved = [one for one in applications if one.action == "approved" and one not in before]
    for one in sorted(approved, key=_acted):
        decided, ended = one.decided, one.revoked
        if decided is None or ended is None or one.asks != "extend" or "valid_from" in decided.body:
            continue
        others = [each for each in standing if each.action == "approved" and each is not one and each not in before]
        last = _last_day_without(line, others, decided)
        granted = _granted_day(decided)
        if last is None or granted is None or granted == DURATION or granted <= last.isoformat():
            continue
        if ended.day <= last.toordinal() and not any(fact.day <= decided.day for fact in endings):
            standing[standing.index(one)] = one.never_begun()
    return standing


def _last_day_without(line: Line, others: Sequence[Application], decided: Fact) -> date | None:
    """The last day of the stay when an extension was granted; None where it had none."""
    last = line.period.last_day
    for other in sorted((each for each in others if not each.adjusts), key=_acted):
        if other.decided is not None and other.decided.start <= decided.start:
            last = _granted_day(other.decided) or last
    return None if last is None or last == DURATION else date.fromisoformat(last)


def _granted_day(decided: Fact) -> str | None:
    """The last day granted, or `D/S`; the one that was asked for where the decision names none."""
    granted: str | None = decided.body.get("granted_until") or decided.body.get("requested_until")
    return granted


def _granted_before(line: Line, petition: Application) -> bool:
    """Whether it was granted before the admission, which alone says class and date then."""
    decided = petition.decided
    return decided is not None and not petition.inspection and _decided_before(line, decided)


def _decided_before(line: Line, decided: Fact) -> bool:
    return decision_over(decided, line.arrival.zone) <= line.arrival.start


def _rests_on(line: Line, petition: Application, revoked: Fact) -> bool:
    """Whether an admission may rest on a petition that was granted before: not in another class, nor where the petition
    had been revoked by then."""
    if _decided_before(line, revoked):
        return False
    body = {} if petition.decided is None else petition.decided.body
    granted = body.get("granted_class") or body.get("requested_class")
    return granted is None or granted == line.period.admission_class


def _by_last_action(applications: Sequence[Application]) -> list[Application]:
    """In the order of filing, but what was granted in that in which it took effect: the last action governs.

    The agency's practice where it granted two: what was granted last, or began last, says class and date, whichever was
    asked for first (letter of USCIS Business and Trade Services, August 2004; 8 CFR 214.1(c), 248.1).
    """
    granted = iter(sorted((one for one in applications if one.action == "approved"), key=_acted))
    return [next(granted) if one.action == "approved" else one for one in applications]


def _acted(application: Application) -> tuple[int, int, tuple[str, ...]]:
    """The second at which a grant took effect: that of the decision, or the first of a later day that it names."""
    decided = application.decided
    if decided is None:
        return (FOREVER, application.filed_at, application.evidence)
    valid = decided.body.get("valid_from")
    begins = decided.start if valid is None else max(decided.start, _day_end(valid, decided.zone, -1))
    return (begins, application.filed_at, application.evidence)


def endings_of(visit: Visit) -> list[Fact]:
    """The ends of employment during a visit, in order."""
    return [fact for fact in visit.facts if fact.body["fact"] == rules.EMPLOYMENT_ENDED]


def _employment_over(
    line: Line, ending: Fact, day: int, waiting: list[Application], resting: Collection[str]
) -> list[Application]:
    """The days that are left when the employment ends on which a class rests, never past its date.

    Behind them the person is out of status up to the date. Once per period of validity: a second end inside the same
    days gives no more. Another petition that was filed by then and granted later carries on; one that is pending, or
    was denied, protects behind those days up to its decision; one that was granted before the end, from a day behind
    it, begins on that day. So the end of the employment under a petition has to name its receipt. `resting`: the
    receipts on which the admission itself may rest. Returns the applications that are still to be considered.
    """
    since = programs.over(day, line.arrival.zone)
    named = {text.rpartition("/")[2] for text in ending.identifiers if text[:8] == "receipt/"}
    if ending.kind == "extension":
        named.add(ending.body["receipt"])  # its subject need not name it
    left_over = list[Application]()
    for one in waiting:
        granted = one.filed_at < since and one.granted_by(since)
        if granted and (one.receipt in named or _begins(line, one) < since):
            _extend(line, one)  # the employment that ended is the one that was granted last
        else:
            left_over.append(one)
    earlier = [one for one in left_over if one.filed_at < since and not one.granted_by(since)]
    period = line.period
    revoked = ending.kind == "extension"
    if named and line.granted not in named and (line.granted or (revoked and named.isdisjoint(resting))):
        # an employment of before: status rests on the petition that was granted since; or on none that was revoked
        return left_over
    if period.row.employment_days is None or period.spent or since >= period.end:
        for application in earlier:
            _extend(line, application)
        return [one for one in left_over if one not in earlier]
    if any(one.action == "approved" and one.receipt not in named for one in earlier):
        return left_over
    line.proof = (line.arrival.uuid, ending.uuid)
    line.cut(since)
    left = _employment_days(line, day)
    reason = "petition revoked" if revoked else "employment ended"
    if left:
        line.add(since, Outcome.IN_GRACE, reason, rules.EMPLOYMENT)
    period.spent, period.work_ended = True, since
    period.status_end = min(period.end, programs.over(day + left, line.arrival.zone))
    if period.status_end < period.end:
        period.timely = 0  # out of status before the days behind the date
    line.reach, line.rest = period.status_end, ()
    if period.status_end == period.end < period.grace:  # in status up to the date: its days of grace follow
        line.add(period.end, Outcome.IN_GRACE, "days of grace", (period.row.id, period.row.citation))
        line.reach = period.grace
    line.after = interval(line.reach, Outcome.TERMINATED, reason, rules.OUT_OF_STATUS, line.proof)
    return [one for one in left_over if one not in earlier or one.receipt not in named]


def _begins(line: Line, petition: Application) -> int:
    """The first second of the day from which a petition was granted, where the grant names one behind itself; that
    behind the date so far, if that comes first.
    """
    decided = petition.decided
    valid = None if decided is None else decided.body.get("valid_from")
    return 0 if valid is None else min(_day_end(valid, line.arrival.zone, -1), line.period.end)


def _employment_days(line: Line, day: int) -> int:
    """How many days are left behind an employment that ended on a day, by the law of that day."""
    period, ended = line.period, date.fromordinal(day)
    if ended < rules.EMPLOYMENT_DAYS_SINCE:
        return 0
    row = rules.rule_for(period.admission_class, ended, citizenship_of(line.arrival))
    days = None if row is None else row.employment_days
    return days if days is not None else period.row.employment_days or 0


def _open_to(period: Period, application: Application) -> bool:
    """Whether the class allows what is asked for. Victims are given theirs in any class: INA 248(b)."""
    granted = application.decided.body.get("granted_class") if application.decided else None
    if application.inspection or (application.action == "approved" and granted in rules.VICTIMS):
        return True
    return period.row.extendable and (period.row.changeable or application.asks != "change_class")


def _extend(line: Line, application: Application) -> None:
    """What an application to stay longer or otherwise does."""
    period, decided, zone_name = line.period, application.decided, line.arrival.zone
    if not _open_to(period, application):
        return  # there is no extension or change of status: the filing has no effect
    proof = (line.arrival.uuid, *application.evidence)
    if application.action == "approved" and decided is not None:
        waited = not application.void and not application.inspection and _filed_in_time(line, application)
        if waited:
            _pending_between(line, application)
        _approve(line, application, decided, proof)
        if waited and line.reach < FOREVER:
            # granted to a day before the decision: up to that the stay rested on the pending filing
            _bridge_over(line, application, line.reach)
        for earlier in line.bridging:  # what was filed in time and waits bridges the time behind the new date, too
            if earlier.in_time(period.end, zone_name):
                _bridge_over(line, earlier, line.reach)
        return
    if application.void:
        return
    if application.bridges and period.admission_class == rules.CAP_GAP_FROM and "cap-gap" in period.row.training:
        _bridge(line, application)
        if line.gap_end and _waits_behind(line, application):
            return
    if not _filed_in_time(line, application):
        return
    # filed out of status it gives no status, but a stay behind the date: INA 212(a)(9)(B)(iv)
    late = bool(period.status_end) and not application.in_time(period.status_end, zone_name)
    since = max(line.reach, period.end) if late else line.reach
    if application.protected:
        since = max(line.reach, application.filed_at)
    line.bridging.append(application)
    _pending_between(line, application)
    _bridge_over(line, application, since)


def _pending_between(line: Line, application: Application) -> None:
    """What was filed in a status, or in days of grace that are open to it, is pending up to its decision where that
    status ended and was given back since, by SEVIS or by what had been granted for a later day.
    """
    held = programs.at(line.pieces, application.filed_at)
    if held is None or (held.outcome != Outcome.IN_STATUS and not _open_grace(held, application)):
        return
    line.proof, decided = (line.arrival.uuid, *application.evidence), application.decided
    ended = FOREVER if decided is None else decision_over(decided, line.arrival.zone)
    words = ("application pending", rules.DENIED if application.action in ("denied", "withdrawn") else rules.TIMELY)
    line.pieces = _pending_inside(line, application.filed_at, min(ended, line.reach), *words)


def _open_grace(held: Interval, application: Application) -> bool:
    """Whether a piece is of days of grace in which may be filed what is asked for."""
    if held.outcome != Outcome.IN_GRACE:
        return False
    rows = (row for row in rules.RULES if application.asks in row.filed_in_grace)
    return held.rule == rules.EMPLOYMENT[0] or any(held.rule == row.id for row in rows)


def _filed_in_time(line: Line, application: Application) -> bool:
    """Whether an application was filed before the period was over, or in days of grace that are open to it."""
    period = line.period
    deadline = max(period.end, period.timely)
    if application.asks in period.row.filed_in_grace and not 0 < period.status_end < period.end:
        deadline = max(deadline, period.grace)  # days that nobody has who was out of status before the date
    if application.protected:
        return True
    if application.filed_at < deadline:
        return not _filed_in_a_gap(line, application)
    # a violation ends duration of status at once: that is no period whose last day could move
    violated = line.after is not None and line.after.outcome == Outcome.TERMINATED and not period.dated
    return not violated and application.in_time(deadline, line.arrival.zone)


def _filed_in_a_gap(line: Line, application: Application) -> bool:
    """Whether it was filed while a program was over that SEVIS gave back since: out of status all the same, so nothing
    but a grant heals it (8 CFR 248.1(b)).
    """
    held = programs.at(line.pieces, application.filed_at)
    if held is None or not line.from_sevis or line.period.dated or application.filed_at >= line.reach:
        return False
    if held.outcome == Outcome.OVERSTAY_SUSPECTED:
        return not application.in_time(held.since, line.arrival.zone)
    return held.outcome == Outcome.TERMINATED


def _bridge_over(line: Line, application: Application, since: int) -> None:
    """A period of authorised stay from a second up to the decision on an application."""
    decided = application.decided
    period_end = FOREVER if decided is None else decision_over(decided, line.arrival.zone)
    if period_end > since:
        line.proof = (line.arrival.uuid, *application.evidence)
        in_time = decided is None or application.action == "approved"
        line.wait(since, period_end, "application pending", rules.TIMELY if in_time else rules.DENIED)


def _bridge(line: Line, application: Application) -> None:
    """Carries a student's status over to the one asked for in time, up to a denial; then the days of grace begin."""
    period, zone_name = line.period, line.arrival.zone
    violated = line.after is not None and line.after.outcome != Outcome.OVERSTAY_SUSPECTED
    line.gap_end = 0  # that of a petition before is none of this one's
    if period.end >= FOREVER or violated or not application.in_time(line.reach, zone_name):
        return
    held = programs.at(line.pieces, period.end - 1)
    carried = held is not None and held.rule == rules.CAP_GAP[0]  # SEVIS has it already
    ended = held.since if held is not None and carried else period.end
    filed = local_day(application.filed_at, zone_name)
    last = rules.cap_gap_until(filed, local_day(ended - 1, zone_name), application.starts)
    period_end = max(period.end, programs.over(last.toordinal(), zone_name))
    if application.decided is not None:
        period_end = min(period_end, decision_over(application.decided, zone_name))
    if period_end in (ended, period.end) or period_end < ended:
        if carried and period_end == period.end:
            line.gap_end = period_end
        return
    line.proof = tuple(sorted({line.arrival.uuid, *application.evidence, *(held.evidence if held else ())}))
    line.cut(ended)
    line.add(ended, Outcome.IN_STATUS, "cap gap", rules.CAP_GAP)
    line.add(period_end, Outcome.IN_GRACE, "days of grace", (period.row.id, period.row.citation))
    grace = local_day(period_end - 1, zone_name).toordinal() + period.row.grace_days
    period.end, line.reach, line.after = period_end, programs.over(grace, zone_name), None
    period.grace, line.gap_end, line.waits = line.reach, period_end, 0


def _waits_behind(line: Line, application: Application) -> bool:
    """Whether a petition outlasts its cap-gap; then its holder may stay, not as a student, up to the decision.

    "While the change of status petition is pending" is what the agency says of it (USCIS, 28 September 2018, of the
    gap that then ended on 1 October). Days of grace that are left at a denial are not taken.
    """
    decided, zone_name = application.decided, line.arrival.zone
    decision = FOREVER if decided is None else decision_over(decided, zone_name)
    if decision <= line.gap_end:
        return False
    row = line.period.row
    grace = programs.over(local_day(line.gap_end - 1, zone_name).toordinal() + row.grace_days, zone_name)
    if decision <= line.waits or grace < line.reach >= decision:
        return True  # another one waits as long
    grace, line.waits = min(grace, line.reach), decision
    line.cut(line.gap_end)
    line.bridging.append(application)
    _bridge_over(line, application, line.gap_end)
    if decision < grace:
        line.add(decision, Outcome.IN_GRACE, "days of grace", (row.id, row.citation))
        line.reach = grace
    return True


def _approve(line: Line, application: Application, decided: Fact, proof: tuple[str, ...]) -> None:
    """The new class and date, from the old end on; a late filing is healed."""
    period = line.period
    granted = _granted_day(decided)
    new_class = decided.body.get("granted_class") or period.admission_class
    rule = _row_granted(line, application, decided, new_class)
    if granted is None and application.inspection:
        granted = _date_kept(line, rule)
    if rule is period.row and rule.basis is Basis.PROGRAM and granted == DURATION:
        asked = not application.inspection  # which mends the I-94, and reinstates no one
        if asked and (period.last_day == DURATION or _terminated_in_sevis(line, decided)):
            _reinstate(line, application, decided, proof)
        if period.last_day == DURATION:
            return  # the program itself is SEVIS's to move
    end = _granted_end(granted, rule, line.arrival.zone)
    since = _takes_effect(line, application, decided, end, rule)
    if line.from_sevis and not application.inspection:
        since = _healed(line, since)
    held = _held_until(line, decided) if application.inspection else 0
    if end is not None and held:
        end = max(end, held)
        since = min(since, end)
    elif end is not None and end <= since:
        return  # over before it was given, and shorter than what holds anyway
    if since > line.reach:
        line.over(since)
    line.proof = proof
    if not application.inspection:  # which mends a date or a class, and leaves the petition what it was
        line.granted = application.receipt
        if new_class != period.admission_class:
            line.class_since = programs.over(decided.day - 1, line.arrival.zone)
    line.cut(since)
    line.after, line.rest = None, ()
    same_class = new_class == period.admission_class
    period.admission_class, period.row, period.spent = new_class, rule or period.row, False
    period.status_end, period.work_ended, period.notice, period.stated = 0, 0, None, granted
    period.paroled = rule in rules.PAROLE
    if rule is not None and rule.basis is Basis.PROGRAM and granted == DURATION:
        _approved_program(line, since, named=same_class)
    elif end is None:
        _incomputable(line, since)
    else:
        reason, source = _words(application, paroled=period.paroled)
        line.add(since, Outcome.IN_STATUS, reason, source)
        protected = new_class == rules.TPS_CLASS and (same_class or application.inspection)
        if (period.paroled or protected) and granted is not None:
            granted = _cut(line, decided, granted)
            end = max(_day_end(granted, line.arrival.zone), held)
        period.last_day, period.end, line.reach = granted, end, end
        period.grace = end
        if rule is not None and rule.basis is Basis.PROGRAM:
            _program_to_a_date(line, line.pieces.pop(), named=same_class)
        elif rule is not None and rule.basis is Basis.DATED_PROGRAM and line.programs.records:
            _inside_date(line, line.pieces.pop(), local_day(since, line.arrival.zone).toordinal())
        elif rule is not None and rule.basis is Basis.I94_DATE and rule.grace_days and granted is not None:
            last = date.fromisoformat(granted).toordinal() + rule.grace_days
            period.grace = line.reach = max(end, programs.over(last, line.arrival.zone))
            line.add(end, Outcome.IN_GRACE, "days of grace", (rule.id, rule.citation))


def _reinstate(line: Line, application: Application, decided: Fact, proof: tuple[str, ...]) -> None:
    """Student status again from the day of a grant, where the program had ended before: up to the end of the program
    that SEVIS had terminated, whether SEVIS says so yet or not (8 CFR 214.2(f)(16)(ii)). Where that is over itself,
    nobody has told how long the new one lasts, up to SEVIS's next word.
    """
    day = local_day(decided.start, line.arrival.zone) if not decided.whole_day else date.fromordinal(decided.day)
    since = programs.over(day.toordinal() - 1, line.arrival.zone)
    held = programs.at(line.pieces, since) if since < line.reach else line.after
    if line.period.admission_class not in rules.REINSTATED_CLASSES:
        return
    if held is not None and held.outcome == Outcome.IN_STATUS:
        return
    standing = (record.without_ends(day.toordinal()) for record in line.programs.records)
    records = [record for record in standing if record.steps]
    pieces = Programs(records, line.arrival, line.programs.closes).line(line.period.row, since, day.toordinal())
    if pieces and pieces[0].outcome == Outcome.IN_STATUS:
        first = replace(pieces[0], reason="reinstated", rule=rules.REINSTATED[0], citation=rules.REINSTATED[1])
        following = pieces[1:]
    else:
        if held is not None and held.outcome == Outcome.IN_GRACE:
            since = line.reach  # the days of grace are no worse
        first = interval(since, Outcome.UNDETERMINED, UNTOLD, rules.REINSTATED, proof)
        again = next((at for at, one in enumerate(pieces) if one.outcome == Outcome.IN_STATUS), len(pieces))
        following = pieces[again:]
    if since > line.reach and not application.void and _filed_in_time(line, application):
        _bridge_over(line, application, line.reach)
    if since > line.reach:
        line.over(since)
    line.cut(since)
    line.period.last_day = DURATION
    line.follow([replace(one, evidence=tuple(sorted({*one.evidence, *proof}))) for one in (first, *following)])


def _terminated_in_sevis(line: Line, decided: Fact) -> bool:
    """Whether SEVIS had terminated the program of a student who was admitted to a date, by the day of a decision."""
    if line.period.admission_class not in rules.REINSTATED_CLASSES:
        return False
    since = programs.over(decided.day - 1, line.arrival.zone)
    held = programs.at(line.programs.line(line.period.row, line.arrival.start, line.arrival.day), since)
    return line.period.dated and held is not None and held.outcome == Outcome.TERMINATED


def _held_until(line: Line, mended: Fact) -> int:
    """The first second that the period did not allow before it was mended.

    A date mended to an earlier one takes back no day on which the I-94 said more, that of the correction among them
    (8 CFR 1.4; INA 222(g)).
    """
    return max(min(line.period.end, decision_over(mended, line.arrival.zone)), line.arrival.start + 1)


def _date_kept(line: Line, rule: rules.Rule | None) -> str | None:
    """The last day where the inspecting agency mended the class alone: that on the I-94, which what ended the former
    class before it does not move; a number of days is that of the class to which the law gives it.
    """
    period = line.period
    if rule is period.row:
        return period.last_day
    if period.stated is None and rule is not None and rule.basis is Basis.COUNTED:
        return (date.fromordinal(line.arrival.day) + timedelta(days=rule.days - 1)).isoformat()
    return DURATION if period.stated is None and period.last_day == DURATION else period.stated


def _cut(line: Line, decided: Fact, granted: str) -> str:
    """The last day of a parole that was extended: no later than it was ended, by a notice to the person or to all.

    So is class TPS whose date was mended, by the withdrawal or the end of the designation.
    """
    paroled = line.period.paroled
    days, program = (line.parole_ends, line.program) if paroled else (line.tps_ends, line.designation)
    ends = [date.fromordinal(day) for day in days if day >= decided.day]
    stated = date.fromisoformat(granted)
    by_notice = program.end_of(stated, date.fromordinal(decided.day)) if program else None
    if by_notice is not None and by_notice < min([stated, *ends]):
        line.period.notice = program
        return by_notice.isoformat()
    return min([stated, *ends]).isoformat()


def _row_granted(line: Line, application: Application, decided: Fact, new_class: str) -> rules.Rule | None:
    """The row for what was granted; None where there is none for that class."""
    row, day = line.period.row, date.fromordinal(decided.day)
    if application.inspection and any(new_class in each.classes for each in rules.PAROLE):
        return rules.parole_for(day)
    if line.period.paroled and "granted_class" not in decided.body:
        return row
    granted = rules.rule_for(new_class, day, citizenship_of(line.arrival))
    if new_class not in row.classes:
        return granted
    # the days behind a date are those of the law under which it was granted
    by_date = row.basis is Basis.I94_DATE and not application.inspection
    return granted if by_date and granted is not None and granted.basis is Basis.I94_DATE else row


def _words(application: Application, *, paroled: bool) -> tuple[str, tuple[str, str]]:
    """The reason and the source of what was granted."""
    if not application.inspection:
        return "application approved", rules.APPROVED
    return ("parole extended", rules.PAROLED_AGAIN) if paroled else ("corrected by inspection", rules.CORRECTED)


def _approved_program(line: Line, since: int, *, named: bool) -> None:
    """Duration of status in a class whose program is in SEVIS."""
    day = local_day(since, line.arrival.zone).toordinal()
    pieces = line.programs.line(line.period.row, since, day, named=named)
    if pieces:
        line.period.last_day = DURATION
        line.follow([replace(one, evidence=tuple(sorted({*one.evidence, *line.proof}))) for one in pieces])
    else:
        _incomputable(line, since)


def _program_to_a_date(line: Line, granted: Interval, *, named: bool) -> None:
    """A date in a class whose program is in SEVIS, as at an admission to one."""
    day = local_day(granted.since, line.arrival.zone).toordinal()
    pieces = line.programs.line(line.period.row, granted.since, day, named=named)
    line.from_sevis = line.from_sevis or bool(pieces)
    if pieces and pieces[0].outcome == Outcome.IN_GRACE:
        _until_changed(line, pieces)
    else:
        _until_changed(line, [granted, *pieces[1:]])


def _incomputable(line: Line, since: int) -> None:
    reason = f"no period can be computed for class {line.period.admission_class}"
    line.add(since, Outcome.UNDETERMINED, reason, NO_RULE)
    line.period.last_day, line.reach = None, FOREVER


def _takes_effect(line: Line, application: Application, decided: Fact, end: int | None, rule: rules.Rule | None) -> int:
    """The second from which what was granted holds.

    That is the end of the old period. Where that was a program's or becomes one, or nothing was known, a change of
    status holds from the day that the approval names, or that of the decision: there is no date to wait for. What the
    inspecting agency mends holds from its day on, or closes the gap before it; a new parole closes none.
    """
    period, first, zone_name = line.period, line.arrival.start + 1, line.arrival.zone
    valid = decided.body.get("valid_from")
    # a day, wherever it was written down, is that day at the port of entry
    day = programs.over(decided.day - 1, zone_name) if decided.whole_day else decided.start
    named = day if valid is None else max(day, _day_end(valid, zone_name, -1))
    status_end = period.status_end or period.end
    if application.inspection:
        given = day if valid is None else _day_end(valid, zone_name, -1)
        gap = valid is None and rule not in rules.PAROLE
        return max(min(given, status_end) if gap else given, first)
    if period.last_day is None:
        return max(named, first)
    if decided.start < period.work_ended:
        return max(min(named, period.end), first)  # granted before the employment ended, so it heals no days behind it
    if period.status_end or (rule is not period.row and Basis.PROGRAM in (period.row.basis, rule and rule.basis)):
        return min(status_end, max(named, first))
    if period.end == FOREVER or (end is not None and end <= period.end):
        # no longer than before: the new date holds from the moment at which it was given, or the day that it names
        return max(named, first)
    return status_end


def _healed(line: Line, since: int) -> int:
    """The first second of the days out of status in which something was granted, whatever SEVIS gave back later.

    What was filed before them may be pending in them.
    """
    held = programs.at(line.pieces, since) if since < line.reach else None
    out = (Outcome.TERMINATED, Outcome.OVERSTAY_SUSPECTED, Outcome.PENDING)
    return since if held is None or held.outcome not in out else max(held.since, line.arrival.start + 1)


def _granted_end(granted: str | None, rule: rules.Rule | None, zone_name: str) -> int | None:
    """The first second after what was granted, or None where that cannot be told."""
    if granted is None:
        return None
    if granted != DURATION:
        return _day_end(granted, zone_name)
    return FOREVER if rule is not None and rule.basis is Basis.DURATION else None


def _await_adjustment(line: Line, application: Application) -> None:
    """What an application for permanent residence does up to its grant."""
    decided, zone_name = application.decided, line.arrival.zone
    since = max(line.reach, application.filed_at)
    period_end = FOREVER  # also where it was granted: that ends the time line by itself
    if decided is not None and application.action != "approved":
        period_end = decision_over(decided, zone_name)
    line.proof = (line.arrival.uuid, *application.evidence)
    in_status = line.class_since <= application.filed_at  # an adjustment asked for before the class is another one
    held = max(line.period.end, line.extended)
    if line.period.admission_class in rules.VICTIMS and in_status and application.in_time(held, zone_name):
        _extend_victim(line, period_end)
        return
    line.pieces = _pending_inside(line, application.filed_at, min(period_end, line.reach), "adjustment pending")
    if period_end > since:
        line.wait(since, period_end, "adjustment pending", rules.ADJUSTMENT)


def _extend_victim(line: Line, period_end: int) -> None:
    """Status goes on behind its last day up to a second, whatever else is pending then."""
    since = max(line.period.end, line.extended)
    if period_end <= since:
        return
    line.extended = period_end
    pieces = _without_empty(line.pieces)
    line.pieces = [piece for piece in pieces if piece.since < since]
    line.add(since, Outcome.IN_STATUS, "status extended while the adjustment is pending", rules.VICTIM_ADJUSTING)
    if period_end >= line.reach:
        line.reach, line.rest = period_end, ()
        return
    held = programs.at(pieces, period_end)
    line.pieces += [] if held is None else [replace(held, since=period_end)]
    line.pieces += [piece for piece in pieces if piece.since > period_end]


def _pending_inside(
    line: Line, since: int, period_end: int, reason: str, rule: tuple[str, str] = rules.ADJUSTMENT
) -> list[Interval]:
    """The pieces with what is pending in place of those in which nothing else allows to stay, from a second to another:
    an adjustment is, whatever else was filed.
    """
    pieces, result = _without_empty(line.pieces), list[Interval]()
    for piece, following in zip_longest(pieces, pieces[1:]):
        end = line.reach if following is None else following.since
        begins, ends = max(piece.since, since), min(end, period_end)
        if begins >= ends or piece.outcome not in (Outcome.TERMINATED, Outcome.OVERSTAY_SUSPECTED):
            result.append(piece)
            continue
        if piece.since < begins:
            result.append(piece)
        result.append(interval(begins, Outcome.PENDING, reason, rule, line.proof))
        if ends < end:
            result.append(replace(piece, since=ends))
    return result


def interval(
    since: int,
    outcome: Outcome,
    reason: str,
    rule: tuple[str, str],
    evidence: tuple[str, ...],
    *,
    absence: bool = False,
) -> Interval:
    """A piece of a time line."""
    proof = evidence if len(evidence) == 1 else tuple(sorted(set(evidence)))
    return Interval(since, outcome.value, reason, rule[0], rule[1], proof, absence)


def _without_empty(line: Iterable[Interval]) -> list[Interval]:
    """The intervals in order of time; of several that begin at one second the last added holds."""
    ordered = {piece.since: piece for piece in sorted(line, key=lambda piece: piece.since)}
    return list(ordered.values())


def _day_end(day: str, zone_name: str, by: int = 0) -> int:
    return programs.over(date.fromisoformat(day).toordinal() + by, zone_name)
