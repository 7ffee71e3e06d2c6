"""The simulator's own arithmetic of the rules, case by case."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.outcomes import Outcome
from services.simulator.clock import end_of, instant, midnight
from services.simulator.plans import Application, Crossing, Passport, Stay
from services.simulator.verdict import NEVER, Verdict, verdict

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


def test_the_last_day_ends_at_midnight_of_the_port_of_entry() -> None:
    in_time, late = crossing(LAST, 86_399), crossing(LAST + 1, 0)
    assert judge(left=in_time) == Verdict(Outcome.DEPARTED_IN_TIME, OVER - 1, LAST)
    assert judge(left=late) == Verdict(Outcome.DEPARTED_LATE, OVER, LAST)
    next_day_in_new_york = crossing(LAST + 1, 4 * 3600, "America/New_York")
    assert judge(left=next_day_in_new_york).outcome is Outcome.DEPARTED_IN_TIME


def test_refused() -> None:
    found = verdict(stay(inspection="R"), (), None, None, LONG_AFTER, LONG_AFTER)
    assert found.outcome is Outcome.NOT_ADMITTED


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
    ("filed", "outcome"), [(-3, Outcome.PENDING), (0, Outcome.PENDING), (1, Outcome.OVERSTAY_SUSPECTED)]
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
    assert judge(asked("I-539", 1, decision, 20), left=crossing(LAST + 10)).outcome is Outcome.DEPARTED_LATE


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
