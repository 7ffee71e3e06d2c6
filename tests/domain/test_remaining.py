"""Days that remain, alerts before the end, and work meanwhile, all off the time line that answers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from domain import laws
from domain.stories import NEW_YORK, ZONES, Story, second
from domain.students import Student
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Action
from schemas.events import Fact as StatusFact
from services.domain import remaining, resolve
from services.domain.history import Stay
from services.domain.pools import Pool
from services.domain.programs import at, over

D, END = date(2025, 1, 10), date(2025, 4, 10)
ONE = timedelta(1)


def days(by: int) -> timedelta:
    """A length."""
    return timedelta(by)


def left(story: Story, day: date, clock: str = "12:00:00") -> int | None:
    """Days that remain at a wall clock of the port."""
    return remaining.remaining_days(story.stay(), second(story.zone, day, clock))


@pytest.mark.parametrize("zone", ZONES)
def test_days_remain_by_the_calendar_of_the_port(zone: str) -> None:
    """One on the day before the last, none on the last, nothing to count behind it."""
    story = Story(zone).admitted(D, until=END)
    assert left(story, D) == (END - D).days
    for clock in ("00:00:00", "23:59:59"):
        assert left(story, END - ONE, clock) == 1
        assert left(story, END, clock) == 0
        assert left(story, END + ONE, clock) is None
    assert left(story, D - ONE) is None


def test_grace_and_protections_remain_too() -> None:
    """Whatever allows to stay, one piece after another; without an end there is nothing to count."""
    student = Student().came(D, names=1).created(D - ONE, END)
    assert left(student, END) == 60
    assert left(student, END + days(60)) == 0
    assert left(student.terminated(END - days(9)), END - days(9)) == 0
    protected = Story().admitted(D, until=END).fact(END, StatusFact.TPS, until=END + days(30))
    assert left(protected, END) == 30
    assert left(Story().admitted(D, until=END).extended(END), END) is None
    assert left(Story().admitted(D, "A1", "D/S"), END) is None
    assert left(Story().admitted(D, None), END) is None


def test_who_has_left_had_the_days_of_the_date() -> None:
    """Asked about the time before; afterwards none remain."""
    story = Story().admitted(D, until=END).left(END - days(20))
    assert left(story, END - days(30)) == 30
    assert left(story, END - days(20)) is None
    assert left(Story().admitted(D, "A1", "D/S").left(END), D) is None


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("before", [0, 1, 30])
def test_an_alert_before_the_end(zone: str, before: int) -> None:
    """With the first second of the day on which so many remain; once in any row of stretches."""
    story = Story(zone).admitted(D, until=END)
    due = second(zone, END - days(before), "00:00:00")
    assert remaining.alert_at(story.stay(), second(zone, D), before) == due
    assert left(story, END - days(before), "00:00:00") == before
    reported = [list(remaining.alerts([story.stay()], due + by, due + by + 100, before)) for by in (-100, 0, 100)]
    assert reported == [[], [(story.stay(), END)], []]


def test_who_is_admitted_for_less_is_told_at_once() -> None:
    """The alert falls on the admission."""
    story = Story().admitted(D, until=D + days(3))
    since = story.stay().since
    assert list(remaining.alerts([story.stay()], since, since + 1, 30)) == [(story.stay(), D + days(3))]
    assert list(remaining.alerts([story.stay()], since + 1, since + 999, 30)) == []


def worker(admission_class: str = "H1B", filed: date = END, zone: str = NEW_YORK) -> Stay:
    """Employed, and the employer asked for more."""
    return Story(zone).admitted(D, admission_class, END).extended(filed, form="I-129").stay()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("admission_class", "E1 E2 E3 H1B H1B1 L1 L1A L1B O1 P1 P2 P3 TN".split())
def test_work_goes_on_for_240_days(admission_class: str, zone: str) -> None:
    """From the date on, while the application that came in time is pending, in days of the port."""
    last = END + days(240)
    stay = worker(admission_class, zone=zone)
    assert remaining.work_until(stay, second(zone, END, "23:59:59")) is None
    assert remaining.work_until(stay, second(zone, END + ONE, "00:00:00")) == last
    assert remaining.work_until(stay, second(zone, last - ONE)) == last
    assert remaining.work_until(stay, second(zone, last, "23:59:59")) == last
    assert remaining.work_until(stay, second(zone, last + ONE, "00:00:00")) is None


def test_work_does_not_go_on() -> None:
    """For a visitor, behind a late filing, or under what was denied."""
    later = second(NEW_YORK, END + days(9))
    assert remaining.work_until(worker("B2"), later) is None
    assert remaining.work_until(worker(filed=END + ONE), later) is None
    denied = Story().admitted(D, "H1B", END).extended(END, END + days(20), Action.DENIED, form="I-129")
    assert remaining.work_until(denied.stay(), later) is None


@pytest.mark.slow
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20), st.integers(*laws.SPAN))
def test_an_answer_and_its_days_agree(seed: int, as_of: int) -> None:
    """Days remain exactly up to the second from which the answer is another, unless something happens before."""
    _, facts, _ = laws.world(seed)
    for history in resolve.persons(Pool(facts).facts.values()):
        for stay in history.stays:
            last = remaining.last_day(stay, as_of)
            held = at(stay.timeline, as_of)
            if last is None or held is None:
                assert remaining.remaining_days(stay, as_of) is None
                continue
            assert held.outcome in remaining.ALLOWED
            end = over(last.toordinal(), stay.zone)
            assert not [piece for piece in stay.timeline if as_of < piece.since < end and remaining.ended(piece)]
            if remaining.ended(stay.timeline[-1]):
                assert at(stay.timeline, end) != at(stay.timeline, end - 1)
                assert remaining.last_day(stay, end) is None
