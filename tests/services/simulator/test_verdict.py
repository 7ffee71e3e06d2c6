"""The simulator's own arithmetic of the rules, case by case."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.outcomes import Outcome
from services.simulator.clock import end_of, instant, midnight
from services.simulator.population.plans import Application, Asylum, Crossing, Passport, Program, Stay, Step
from services.simulator.truth.verdict import NEVER, VIOLATION, WITHDRAWAL, Protected, Verdict, verdict

ZONE = "Pacific/Honolulu"
CAME, LAST = date(2025, 3, 1).toordinal(), date(2025, 8, 30).toordinal()
OVER = end_of(LAST, ZONE)
LONG_AFTER = OVER + 400 * 86_400


def crossing(day: int, second: int = 43_200, zone: str = ZONE) -> Crossing:
    return Crossing("HNL", zone, "A", day, second, instant(day, second, zone))


def stay(admission_class: str = "B-2", inspection: str = "A") -> Stay:
    return Stay("", inspection, admission_class, crossing(CAME), "1", LAST, None, True, (), Passport("GBR", "1"))


def asked(form: str, filed: int, decision: str = "", decided: int = 0, granted: int = 0) -> Application:
    return Application(form, "R", LAST + filed, decision, LAST + decided, granted_until=LAST + granted)


def judge(
    *applications: Application,
    left: Crossing | None = None,
    later: int | None = None,
    as_of: int = LONG_AFTER,
    covered: int = LONG_AFTER,
    admission_class: str = "B-2",
) -> Verdict:
    return verdict(stay(admission_class), applications, left, later, as_of, covered)


def test_the_last_day_is_one_of_the_place_that_one_leaves() -> None:
    in_time, late = crossing(LAST, 86_399), crossing(LAST + 1, 0)
    assert judge(left=in_time) == Verdict(Outcome.DEPARTED_IN_TIME, OVER - 1, LAST)
    assert judge(left=late) == Verdict(Outcome.DEPARTED_LATE, OVER, LAST)
    next_day_in_new_york = crossing(LAST + 1, 4 * 3600, "America/New_York")
    assert judge(left=next_day_in_new_york).outcome is Outcome.DEPARTED_LATE
    last_day_in_guam = crossing(LAST, 86_399, "Pacific/Guam")
    assert judge(left=last_day_in_guam).outcome is Outcome.DEPARTED_IN_TIME


def test_refused() -> None:
    result = verdict(stay(inspection="R"), (), None, None, LONG_AFTER, LONG_AFTER)
    assert result.outcome is Outcome.NOT_ADMITTED


def test_absence_is_evidence_only_where_departures_are_complete() -> None:
    assert judge(as_of=OVER - 1).outcome is Outcome.IN_STATUS
    assert judge(covered=OVER) == Verdict(Outcome.OVERSTAY_SUSPECTED, OVER, LAST)
    assert judge(covered=OVER - 1) == Verdict(Outcome.DEPARTURE_UNKNOWN, OVER, LAST)


def test_a_later_admission_closes_and_a_departure_goes_before() -> None:
    again = OVER + 10
    assert judge(later=again) == Verdict(Outcome.CLOSED_UNOBSERVED, again, LAST)
    assert judge(later=again, left=crossing(LAST)).outcome is Outcome.DEPARTED_IN_TIME
    assert judge(later=again, as_of=again - 1).outcome is Outcome.OVERSTAY_SUSPECTED
    adjusted = asked("I-485", -20, "approved", -5)
    assert judge(adjusted, later=again).outcome is Outcome.CLOSED_UNOBSERVED


@pytest.mark.parametrize(
    ("filed", "outcome"),
    [(-3, Outcome.PENDING), (0, Outcome.PENDING), (3, Outcome.PENDING), (4, Outcome.OVERSTAY_SUSPECTED)],
)
def test_pending_in_time_or_late(filed: int, outcome: Outcome) -> None:
    assert judge(asked("I-539", filed)) == Verdict(outcome, OVER, LAST)


def test_approved_in_time_and_late() -> None:
    for filed in (-3, 4):
        approved = asked("I-539", filed, "approved", 30, 90)
        assert judge(approved, as_of=OVER + 86_400 * 40) == Verdict(Outcome.IN_STATUS, OVER, LAST + 90)
        assert judge(approved, left=crossing(LAST + 90)).outcome is Outcome.DEPARTED_IN_TIME
        assert judge(approved, left=crossing(LAST + 91)).outcome is Outcome.DEPARTED_LATE
        assert judge(approved).since == end_of(LAST + 90, ZONE)


@pytest.mark.parametrize("decision", ["denied", "withdrawn"])
def test_denied_after_the_last_day(decision: str) -> None:
    denied = asked("I-539", -3, decision, 20)
    assert judge(denied, left=crossing(LAST + 20)).outcome is Outcome.DEPARTED_IN_TIME
    assert judge(denied, left=crossing(LAST + 21)).outcome is Outcome.DEPARTED_LATE
    assert judge(denied) == Verdict(Outcome.OVERSTAY_SUSPECTED, end_of(LAST + 20, ZONE), LAST)
    assert judge(asked("I-539", -30, decision, -20), left=crossing(LAST + 1)).outcome is Outcome.DEPARTED_LATE
    assert judge(asked("I-539", 4, decision, 20), left=crossing(LAST + 10)).outcome is Outcome.DEPARTED_LATE


def test_waiver_visitors_can_only_adjust() -> None:
    assert judge(asked("I-539", -3), admission_class="WT").outcome is Outcome.OVERSTAY_SUSPECTED
    assert judge(asked("I-539", -3, "approved", 5, 90), admission_class="WT").last_day == LAST
    assert judge(asked("I-485", -3), admission_class="WT") == Verdict(Outcome.PENDING, OVER, LAST)


def test_adjustment() -> None:
    late = asked("I-485", 15)
    assert judge(late) == Verdict(Outcome.PENDING, midnight(LAST + 15, ZONE), LAST)
    assert judge(late, as_of=OVER + 86_400).outcome is Outcome.OVERSTAY_SUSPECTED
    approved = asked("I-485", -20, "approved", 40)
    assert judge(approved).outcome is Outcome.ADJUSTED
    assert judge(approved).since == midnight(LAST + 40, "America/New_York")
    assert judge(approved, as_of=OVER + 86_400).outcome is Outcome.PENDING
    denied = asked("I-485", -20, "denied", 40)
    assert judge(denied) == Verdict(Outcome.OVERSTAY_SUSPECTED, end_of(LAST + 40, ZONE), LAST)


def test_a_second_extension() -> None:
    first, second = asked("I-539", -9, "approved", 10, 60), asked("I-539", 50)
    assert judge(first, second) == Verdict(Outcome.PENDING, end_of(LAST + 60, ZONE), LAST + 60)
    assert NEVER > LONG_AFTER


ENDS = LAST - 30
"""The last day of the program below; LAST is the date on an M-1's I-94."""


def studied(
    *steps: Step,
    admission_class: str = "F-1",
    left: Crossing | None = None,
    as_of: int = LONG_AFTER,
    known: bool = True,
) -> Verdict:
    """A student admitted on CAME, in a program through ENDS."""
    program = Program("N1", admission_class.replace("-", ""), CAME - 60, ENDS, steps) if known else None
    last_day = LAST if admission_class == "M-1" else 0
    admitted = Stay(
        "", "A", admission_class, crossing(CAME), "1", last_day, None, True, (), Passport("GBR", "1"), program
    )
    return verdict(admitted, (), left, None, as_of, LONG_AFTER, steps)


def at(day: int) -> int:
    """Noon at the port."""
    return crossing(day).at


@pytest.mark.parametrize(("admission_class", "days"), [("F-1", 60), ("J-1", 30)])
def test_duration_of_status_and_days_of_grace(admission_class: str, days: int) -> None:
    def judged(day: int) -> Outcome:
        return studied(admission_class=admission_class, as_of=at(day)).outcome

    assert [judged(ENDS), judged(ENDS + 1), judged(ENDS + days)] == [
        Outcome.IN_STATUS,
        Outcome.IN_GRACE,
        Outcome.IN_GRACE,
    ]
    assert studied(admission_class=admission_class).since == end_of(ENDS + days, ZONE)
    last, late = crossing(ENDS + days, 86_399), crossing(ENDS + days + 1, 0)
    assert studied(admission_class=admission_class, left=last).outcome is Outcome.DEPARTED_IN_TIME
    assert studied(admission_class=admission_class, left=late).outcome is Outcome.DEPARTED_LATE


def test_a_vocational_student_has_the_grace_inside_the_date() -> None:
    assert studied(admission_class="M-1", as_of=at(ENDS)).outcome is Outcome.IN_STATUS
    grace = studied(admission_class="M-1", as_of=at(LAST))
    assert grace == Verdict(Outcome.IN_GRACE, end_of(ENDS, ZONE), LAST)
    assert studied(admission_class="M-1") == Verdict(Outcome.OVERSTAY_SUSPECTED, OVER, LAST)
    early = Step("Complete", ENDS - 50, ENDS - 50, ENDS - 50)
    assert studied(early, admission_class="M-1", as_of=at(ENDS)).outcome is Outcome.IN_STATUS
    assert studied(early, admission_class="M-1", as_of=at(ENDS + 1)).outcome is Outcome.IN_GRACE
    assert studied(admission_class="M-1", known=False, as_of=at(LAST)).outcome is Outcome.IN_STATUS


def test_a_later_record_about_the_program_replaces_the_earlier() -> None:
    longer = Step("ProgramExtension", ENDS - 10, ENDS - 10, ENDS + 100)
    shorter = Step("ShortenProgram", ENDS - 40, ENDS - 40, ENDS - 20)
    assert studied(longer, as_of=at(ENDS + 100)) == Verdict(Outcome.IN_STATUS, at(CAME), 0)
    assert studied(shorter, as_of=at(ENDS - 19)).outcome is Outcome.IN_GRACE
    assert studied(shorter, longer, as_of=at(ENDS + 100)).outcome is Outcome.IN_STATUS


def test_training_and_cap_gap_carry_on_without_a_gap() -> None:
    done = Step("Complete", ENDS, ENDS, ENDS)
    training = Step("OPTEmployment", ENDS + 40, ENDS - 20, ENDS + 200)
    gap = Step("CapGapExtension", ENDS + 200, ENDS + 190, ENDS + 300)
    assert studied(done, training, as_of=at(ENDS + 20)) == Verdict(Outcome.IN_STATUS, at(CAME), 0)
    assert studied(done, training, gap, as_of=at(ENDS + 300)).outcome is Outcome.IN_STATUS
    assert studied(done, training, gap).since == end_of(ENDS + 360, ZONE)
    too_late = Step("OPTEmployment", ENDS + 62, ENDS - 20, ENDS + 200)
    assert studied(done, too_late, as_of=at(ENDS + 100)).outcome is Outcome.OVERSTAY_SUSPECTED


def test_withdrawal_and_violation() -> None:
    day = ENDS - 50
    withdrawn = Step("Terminate", day, day, reason=WITHDRAWAL)
    assert studied(withdrawn, as_of=at(day + 15)) == Verdict(Outcome.IN_GRACE, end_of(day, ZONE), 0)
    assert studied(withdrawn, left=crossing(day + 16)).outcome is Outcome.DEPARTED_LATE
    violated = Step("Terminate", day, day, reason=VIOLATION)
    assert studied(violated, as_of=at(day)).outcome is Outcome.IN_STATUS
    assert studied(violated) == Verdict(Outcome.TERMINATED, end_of(day, ZONE), 0)
    assert studied(violated, left=crossing(day + 1)).outcome is Outcome.DEPARTED_LATE
    again = Step("Reactivate", day + 20, day + 20, ENDS)
    assert studied(violated, again, as_of=at(ENDS)) == Verdict(Outcome.IN_STATUS, midnight(day + 20, ZONE), 0)


def test_without_a_record_nothing_can_be_said() -> None:
    assert studied(known=False) == Verdict(Outcome.UNDETERMINED, at(CAME), 0)
    left = crossing(ENDS)
    assert studied(known=False, left=left) == Verdict(Outcome.UNDETERMINED, left.at, 0)


def test_a_step_taken_back_is_not_known_any_more() -> None:
    void = Step("Terminate", ENDS - 50, ENDS - 50, reason=VIOLATION, mended=ENDS - 48, void=True)
    program = Program("N1", "F1", CAME - 60, ENDS, (void,))
    assert program.known_by(ENDS - 51) == ()
    assert program.known_by(ENDS - 49) == (void,)
    assert program.known_by(ENDS - 48) == ()


def protected(
    asylum: Asylum | None = None,
    oath: int = 0,
    *,
    left: Crossing | None = None,
    as_of: int = LONG_AFTER,
    covered: int = LONG_AFTER,
) -> Verdict:
    """A visitor with cases."""
    return verdict(stay(), (), left, None, as_of, covered, (), Protected(asylum, oath))


def test_who_asks_for_asylum_is_pending_behind_the_period() -> None:
    asked = Asylum("Z", CAME + 40)
    assert protected(asked, as_of=at(LAST)).outcome is Outcome.IN_STATUS
    assert protected(asked) == Verdict(Outcome.PENDING, OVER, LAST)
    assert protected(asked, covered=0) == Verdict(Outcome.PENDING, OVER, LAST)
    late = Asylum("Z", LAST + 30)
    assert protected(late, as_of=at(LAST + 29)).outcome is Outcome.OVERSTAY_SUSPECTED
    assert protected(late) == Verdict(Outcome.PENDING, midnight(LAST + 30, ZONE), LAST)
    assert protected(asked, left=crossing(LAST + 200)).outcome is Outcome.DEPARTED_IN_TIME
    assert protected(late, left=crossing(LAST + 10)).outcome is Outcome.DEPARTED_LATE


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ("referred", Verdict(Outcome.PENDING, OVER, LAST)),
        ("denied", Verdict(Outcome.OVERSTAY_SUSPECTED, end_of(LAST + 50, ZONE), LAST)),
        ("granted", Verdict(Outcome.ADJUSTED, midnight(LAST + 50, "America/New_York"), LAST)),
    ],
)
def test_what_a_decision_on_asylum_changes(decision: str, expected: Verdict) -> None:
    asked = Asylum("Z", CAME + 40, CAME + 60, LAST + 50, decision)
    assert protected(asked) == expected
    assert protected(asked, as_of=at(LAST + 49)).outcome is Outcome.PENDING


def test_asylum_counts_in_the_place_of_a_termination() -> None:
    program = Program("N1", "F1", CAME - 60, ENDS, (Step("Terminate", CAME + 50, CAME + 50, reason=VIOLATION),))
    admitted = Stay("", "A", "F-1", crossing(CAME), "1", 0, None, True, (), Passport("GBR", "1"), program)

    def judged(day: int) -> Outcome:
        case = Protected(Asylum("Z", CAME + 80, decided=CAME + 120, decision="denied"))
        return verdict(admitted, (), None, None, at(day), LONG_AFTER, program.steps, case).outcome

    days = (CAME + 50, CAME + 51, CAME + 79, CAME + 80, CAME + 120, CAME + 121)
    assert [judged(day) for day in days] == [
        Outcome.IN_STATUS,
        Outcome.TERMINATED,
        Outcome.TERMINATED,
        Outcome.PENDING,
        Outcome.PENDING,
        Outcome.TERMINATED,
    ]


def test_the_oath_makes_a_citizen() -> None:
    assert protected(oath=LAST - 5) == Verdict(Outcome.ADJUSTED, midnight(LAST - 5, "America/New_York"), LAST)
    assert protected(Asylum("Z", CAME + 1, CAME + 9, CAME + 20, "granted"), LAST).since == midnight(
        CAME + 20, "America/New_York"
    )


@pytest.mark.parametrize(("shown", "since"), [(LAST - 20, OVER), (LAST + 9, midnight(LAST + 9, "America/New_York"))])
def test_what_is_shown_rebuts_and_closes_nothing(shown: int, since: int) -> None:
    def judged(day: int, covered: int = LONG_AFTER) -> Verdict:
        return verdict(stay(), (), None, None, at(day), covered, (), Protected(shown=shown))

    assert judged(LAST).outcome is Outcome.IN_STATUS
    assert judged(LAST + 40) == Verdict(Outcome.UNDETERMINED, since, LAST)
    assert judged(LAST + 40, covered=0) == Verdict(Outcome.UNDETERMINED, since, LAST)
    if shown > LAST:
        assert judged(shown - 1).outcome is Outcome.OVERSTAY_SUSPECTED


def test_online_nothing_is_in_time_on_the_next_business_day() -> None:
    saturday = date(2025, 8, 30)
    assert saturday.toordinal() == LAST
    assert judge(asked("I-539", 2)).outcome is Outcome.PENDING
    online = Application("I-539", "R", LAST + 2, online=True)
    assert judge(online).outcome is Outcome.OVERSTAY_SUSPECTED
    assert judge(Application("I-539", "R", LAST, online=True)).outcome is Outcome.PENDING
