"""The rules once more, worked out by the simulator for itself: what an admission has come to at an instant.

Written from the published rules and from nothing of the correlator's, so that an error in one does not hide in both.

Students and exchange visitors, as 8 CFR 214.2 and the interface of SEVIS have it:

- On any day the program is what its latest record that holds by then says. All days are days at the port of entry.
- F-1, J-1 (duration of status): IN_STATUS to the end of the last day of program, practical or academic training and
  cap-gap, whichever is latest; training and cap-gap count if they begin no later than the day after the days of grace
  behind what they follow. Then IN_GRACE for 60 (F) or 30 days (J), then over. The last day authorised stays D/S.
- An authorised early withdrawal (F): IN_STATUS to the end of its day, IN_GRACE for 15 days.
- A termination for a violation: TERMINATED once its day is over, with no end but a departure (late), a later admission
  or a reactivation. Under a date on the I-94 (M) a departure before that is in time, and behind it is an overstay.
- A reactivation: IN_STATUS from the beginning of its day, to the end that it tells. What was before stays.
- M-1: the date on the I-94 rules and holds the 30 days already: IN_STATUS until the program (with training) is over
  and 30 days or fewer are left, then IN_GRACE to the end of that date, then over. The last day authorised is the
  date on the I-94.
- F-1, J-1 without any record in SEVIS: UNDETERMINED, also after a departure.

Cases of a person, laid over what the admission gives, in the order of the closed list:

- An application for asylum (INA 208, 212(a)(9)(B)(iii)(II)): PENDING from the day of its filing wherever the person
  would be TERMINATED or over the period, to the end of the day of a denial. A referral to the immigration court changes
  nothing: the application goes on there. A grant: ADJUSTED from the day of the decision.
- Naturalisation (INA 337): ADJUSTED from the day of the oath; an application or an approval changes nothing.
- A removal case changes nothing before its departure, which is one like any other (8 CFR 241).

- What the person alone shows of a departure (8 CFR 103.2(b)(16)(i)) closes nothing, but from its day on (a day at the
  border agency's headquarters) nobody is suspected: UNDETERMINED wherever the period is over.

An outcome holds since the beginning of the unbroken time that it fills: an extension begins no new one. Not covered:
dependents, administrative terminations, changes to and from student classes.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.outcomes import Outcome
from services.simulator.clock import end_of, instant, local, midnight
from services.simulator.population.plans import Application, Asylum, Crossing, Program, Stay, Step
from services.simulator.truth.business import last_filing_day

OFFICE = "America/New_York"
"""Decisions of the benefits agency are dated in this zone."""
NEVER = 2**62
WAIVER_DAYS = 90
GRACE = {"F-1": 60, "J-1": 30, "M-1": 30}
WITHDRAWAL_GRACE = 15
PERIODS = ("OPTEmployment", "AcademicTraining", "CapGapExtension")
"""Elements of SEVIS that are periods beside the program and reach beyond its end."""
VIOLATION, WITHDRAWAL = "OTHER-VIOLATION", "EARLY-WITHDRAWAL"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, the instant since when it holds, and the last day authorised by a date (ordinal, 0 for none)."""

    outcome: Outcome
    since: int
    last_day: int


@dataclass(frozen=True, slots=True)
class Protected:
    """What else moves the clock of a stay.

    An application for asylum; the day of the oath of a citizen; that of a departure which the person shows. 0: no day.
    """

    asylum: Asylum | None = None
    oath: int = 0
    shown: int = 0


NOTHING = Protected()


@dataclass(slots=True)
class _Line:
    """What is allowed, piece by piece; `reach` is the first instant that nothing allows."""

    pieces: list[tuple[int, Outcome]]
    last_day: int
    dated: int  # the first instant after the last day
    reach: int
    adjusted: int = NEVER

    def holds(self, at: int) -> tuple[int, Outcome]:
        """Return the piece in force at an instant."""
        return max((piece for piece in enumerate(self.pieces) if piece[1][0] <= at), key=lambda p: (p[1][0], p[0]))[1]


def verdict(
    stay: Stay,
    applications: tuple[Application, ...],
    departure: Crossing | None,
    later: int | None,
    as_of: int,
    covered: int,
    steps: tuple[Step, ...] = (),
    protected: Protected = NOTHING,
) -> Verdict:
    """Return the outcome of a stay at `as_of`.

    Taken for known are the applications, departure, steps of the program and cases given, a later application for
    admission at `later`, and every departure up to `covered`.
    """
    begun = stay.arrival.at
    if stay.inspection != "A":
        return Verdict(Outcome.NOT_ADMITTED, begun, 0)
    line = _studies(stay, stay.program, steps) if stay.student else _allowed(stay, applications)
    _protect(line, protected, stay)
    if departure is not None and departure.at <= as_of:
        # the day of a departure is the day where it happened; that of the period is a date
        there = instant(*local(departure.zone, departure.at), stay.arrival.zone)
        _, word = line.holds(max(there, begun))
        late = word is Outcome.OVERSTAY_SUSPECTED or (word is Outcome.TERMINATED and stay.duration)
        left = Outcome.DEPARTED_LATE if late else Outcome.DEPARTED_IN_TIME
        return Verdict(word if word is Outcome.UNDETERMINED else left, departure.at, line.last_day)
    if later is not None and later <= as_of:
        return Verdict(Outcome.CLOSED_UNOBSERVED, later, line.last_day)
    if line.adjusted <= as_of:
        return Verdict(Outcome.ADJUSTED, line.adjusted, line.last_day)
    since, word = line.holds(as_of)
    if word is Outcome.OVERSTAY_SUSPECTED and covered < since:
        word = Outcome.DEPARTURE_UNKNOWN
    return Verdict(word, since, line.last_day)


def _allowed(stay: Stay, applications: tuple[Application, ...]) -> _Line:
    zone = stay.arrival.zone
    over = end_of(stay.last_day, zone)
    line = _Line([(stay.arrival.at, Outcome.IN_STATUS)], stay.last_day, over, over)
    for application in sorted(applications, key=lambda each: each.filed):
        if application.form == "I-485":
            _adjust(line, application, zone)
        elif not stay.waiver:
            _extend(line, application, zone)
    if line.reach < NEVER:
        line.pieces.append((line.reach, Outcome.OVERSTAY_SUSPECTED))
    return line


def _extend(line: _Line, application: Application, zone: str) -> None:
    if application.decision == "approved":
        # filed late and approved all the same: the gap is healed
        line.pieces = [piece for piece in line.pieces if piece[0] < line.dated]
        line.pieces.append((line.dated, Outcome.IN_STATUS))
        line.last_day = application.granted_until
        line.dated = line.reach = end_of(application.granted_until, zone)
        return
    # paper is in time on the next business day; what is filed online is not
    if application.filed > (line.last_day if application.online else last_filing_day(line.last_day)):
        return
    pending_end = end_of(application.decided, zone) if application.decision else NEVER
    if pending_end > line.reach:
        line.pieces.append((line.reach, Outcome.PENDING))
        line.reach = pending_end


def _adjust(line: _Line, application: Application, zone: str) -> None:
    approved = application.decision == "approved"
    pending_end = end_of(application.decided, zone) if application.decision and not approved else NEVER
    begins = max(line.reach, midnight(application.filed, zone))
    if approved:
        line.adjusted = midnight(application.decided, OFFICE)
    if pending_end > begins:
        if begins > line.reach:
            line.pieces.append((line.reach, Outcome.OVERSTAY_SUSPECTED))
        line.pieces.append((begins, Outcome.PENDING))
        line.reach = pending_end


def _protect(line: _Line, protected: Protected, stay: Stay) -> None:
    """Lay over the line what cases allow."""
    asylum, zone = protected.asylum, stay.arrival.zone
    if asylum is not None:
        since = max(stay.arrival.at, midnight(asylum.filed, zone))
        until = end_of(asylum.decided, zone) if asylum.decision == "denied" else NEVER
        worse = (Outcome.TERMINATED, Outcome.OVERSTAY_SUSPECTED)
        line.pieces = _in_place_of(line.pieces, worse, Outcome.PENDING, since, until)
        if asylum.decision == "granted":
            line.adjusted = min(line.adjusted, midnight(asylum.decided, OFFICE))
    if protected.shown:
        since = midnight(protected.shown, OFFICE)
        line.pieces = _in_place_of(line.pieces, (Outcome.OVERSTAY_SUSPECTED,), Outcome.UNDETERMINED, since, NEVER)
    if protected.oath:
        line.adjusted = min(line.adjusted, midnight(protected.oath, OFFICE))


def _in_place_of(
    pieces: list[tuple[int, Outcome]], outcomes: tuple[Outcome, ...], stated: Outcome, since: int, until: int
) -> list[tuple[int, Outcome]]:
    """Return the pieces with another outcome in the place of some, from an instant to another."""
    pieces = _unbroken(pieces)
    changed: list[tuple[int, Outcome]] = []
    for (begins, word), (ends, _) in zip(pieces, [*pieces[1:], (NEVER, None)], strict=True):
        low, high = max(begins, since), min(ends, until)
        if low >= high or word not in outcomes:
            changed.append((begins, word))
            continue
        if begins < low:
            changed.append((begins, word))
        changed.append((low, stated))
        if high < ends:
            changed.append((high, word))
    return _unbroken(changed)


def _studies(stay: Stay, program: Program | None, steps: tuple[Step, ...]) -> _Line:
    """Return what is allowed to a student: each record about the program holds until the next one does."""
    if program is None:
        return _Line(_without_program(stay), stay.last_day, 0, NEVER)
    periods = [step for step in steps if step.element in PERIODS]
    created = Step("CreateStudent", program.issued, program.issued, program.ends)
    pieces: list[tuple[int, Outcome]] = []
    for step in sorted((created, *(each for each in steps if each not in periods)), key=_in_order):
        later = _allowed_by(stay, step, periods)
        pieces = [*(piece for piece in pieces if piece[0] < later[0][0]), *later]
    return _Line(_unbroken(pieces), stay.last_day, 0, NEVER)


def _without_program(stay: Stay) -> list[tuple[int, Outcome]]:
    if stay.duration:
        return [(stay.arrival.at, Outcome.UNDETERMINED)]
    over = end_of(stay.last_day, stay.arrival.zone)
    return [(stay.arrival.at, Outcome.IN_STATUS), (over, Outcome.OVERSTAY_SUSPECTED)]


def _allowed_by(stay: Stay, step: Step, periods: list[Step]) -> list[tuple[int, Outcome]]:
    """Return what one record about the program allows, from when it holds."""
    begun, zone = stay.arrival.at, stay.arrival.zone
    if step.reason == VIOLATION:
        ended = [(max(begun, end_of(step.day, zone)), Outcome.TERMINATED)]
        if not stay.duration:
            ended.append((end_of(stay.last_day, zone), Outcome.OVERSTAY_SUSPECTED))
        return ended
    since = max(begun, midnight(step.day, zone))
    last, grace = _ends(stay, step, periods)
    return [
        (since, Outcome.IN_STATUS),
        (max(since, end_of(last, zone)), Outcome.IN_GRACE),
        (max(since, end_of(grace, zone)), Outcome.OVERSTAY_SUSPECTED),
    ]


def _in_order(step: Step) -> tuple[int, int]:
    return step.day, step.processed


def _ends(stay: Stay, step: Step, periods: list[Step]) -> tuple[int, int]:
    """Return the last day in status and the last day of grace, as one record about the program has them."""
    if step.reason == WITHDRAWAL:
        return step.day, step.day + WITHDRAWAL_GRACE
    days = GRACE[stay.admission_class]
    last = step.period_end
    for period in sorted(periods, key=_in_order):
        if period.day <= last + days + 1:
            last = max(last, period.period_end)
    if stay.duration:
        return last, last + days
    return min(max(last, stay.last_day - days), stay.last_day), stay.last_day


def _unbroken(pieces: list[tuple[int, Outcome]]) -> list[tuple[int, Outcome]]:
    """Return the pieces in force, those joined that say the same."""
    joined: list[tuple[int, Outcome]] = []
    for index, (since, word) in enumerate(pieces):
        empty = index + 1 < len(pieces) and pieces[index + 1][0] <= since
        if not empty and (not joined or joined[-1][1] is not word):
            joined.append((since, word))
    return joined
