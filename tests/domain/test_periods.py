"""Where a period ends: the day before, the day, the day after, in the zone of the port of entry."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from domain.stories import NEW_YORK, ZONES, Story, number, second

from schemas.events import Evidence, Inspection
from schemas.events import Fact as StatusFact
from services.domain import resolve
from services.domain.coverage import coverage_of

D = date(2025, 1, 10)
ONE = timedelta(1)
LAST_DAYS = (
    date(2025, 4, 10),
    date(2025, 3, 9),  # clocks go forward in the United States, not in Guam or Honolulu
    date(2025, 11, 2),  # and back: a day of 25 hours
    date(2028, 2, 29),
    date(2025, 12, 31),
)
SECONDS = {date(2025, 3, 9): 23 * 3600, date(2025, 11, 2): 25 * 3600}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("last", LAST_DAYS, ids=str)
def test_the_last_day_ends_at_midnight_at_the_port_of_entry(zone: str, last: date) -> None:
    """In status to the last second, over with the first of the next day."""
    story = Story(zone).admitted(D, until=last)
    assert story.outcome(last - ONE) == "IN_STATUS"
    assert story.outcome(last, "23:59:59") == "IN_STATUS"
    assert story.outcome(last + ONE, "00:00:00") == "OVERSTAY_SUSPECTED"
    assert story.outcome(last + ONE) == "OVERSTAY_SUSPECTED"
    (_, _), (_, over) = story.line()
    day = SECONDS.get(last, 86_400) if zone.startswith("America") else 86_400
    assert over - second(zone, last, "00:00:00") == day
    assert resolve.next_change(story.history(), second(zone, last)) == over
    assert resolve.next_change(story.history(), over) is None


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("last", LAST_DAYS, ids=str)
def test_leaving_around_the_last_day(zone: str, last: date) -> None:
    """The last second is in time, the next is late; a departure known to the day counts from its midnight."""
    for day, clock, outcome in (
        (last - ONE, "12:00:00", "DEPARTED_IN_TIME"),
        (last, "23:59:59", "DEPARTED_IN_TIME"),
        (last + ONE, "00:00:00", "DEPARTED_LATE"),
        (last + ONE, "12:00:00", "DEPARTED_LATE"),
        (last, None, "DEPARTED_IN_TIME"),
        (last + ONE, None, "DEPARTED_LATE"),
    ):
        story = Story(zone).admitted(D, until=last).left(day, clock)
        assert story.last().outcome == outcome, (day, clock)
        assert story.last().evidence == tuple(sorted(story.ids))
        assert story.stay().departed == second(zone, day, clock or "00:00:00")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("there", [*ZONES, "America/Puerto_Rico", "America/Anchorage"])
@pytest.mark.parametrize("clock", ["00:00:00", "09:00:00", "23:59:59", None])
def test_the_day_of_a_departure_is_the_day_where_it_happened(zone: str, there: str, clock: str | None) -> None:
    """The last day is a date: whoever leaves on it is in time, whatever the day is at the port of entry."""
    last = date(2025, 4, 10)
    for by, outcome in ((-1, "DEPARTED_IN_TIME"), (0, "DEPARTED_IN_TIME"), (1, "DEPARTED_LATE")):
        story = Story(zone).admitted(D, until=last).left(last + by * ONE, clock, zone=there)
        assert story.last().outcome == outcome, by
        assert story.last().since == second(there, last + by * ONE, clock or "00:00:00")
        assert story.outcome(last + 30 * ONE) == outcome
    suspected = [
        piece.outcome for piece in Story(zone).admitted(D, until=last).left(last, clock, zone=there).stay().timeline
    ]
    assert suspected == ["IN_STATUS", "DEPARTED_IN_TIME"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("admission_class", ["WB", "WT"])
@pytest.mark.parametrize("clock", ["00:00:00", "23:59:59"])
@pytest.mark.parametrize("stated", [None, 89, "D/S"])
def test_ninety_days_under_the_waiver(zone: str, admission_class: str, clock: str, stated: int | str | None) -> None:
    """The day of admission, as the port's calendar has it, is the first."""
    until = D + timedelta(stated) if isinstance(stated, int) else stated
    story = Story(zone).admitted(D, admission_class, until, clock)
    assert story.stay().authorised_until == "2025-04-09"
    assert story.line()[1] == ("OVERSTAY_SUSPECTED", second(zone, date(2025, 4, 10), "00:00:00"))


def test_the_date_on_the_i94_counts_under_the_waiver() -> None:
    """A shorter date and a longer one: the period that was authorised, INA 222(g). 90 days may hold a leap day."""
    assert Story().admitted(D, "WT", D + timedelta(200)).stay().authorised_until == "2025-07-29"
    assert Story().admitted(D, "D1", D + timedelta(179)).stay().authorised_until == "2025-07-08"
    assert Story().admitted(D, "WT", D + timedelta(30)).stay().authorised_until == "2025-02-09"
    assert Story().admitted(date(2028, 2, 1), "WT").stay().authorised_until == "2028-04-30"


@pytest.mark.parametrize("inspection", [Inspection.REFUSED, Inspection.WITHDRAWN])
def test_not_admitted(inspection: Inspection) -> None:
    """No admission; but who applies for one is outside: the earlier stay is closed, and the departure is its own."""
    story = Story().admitted(D, until=D + timedelta(90)).admitted(D + timedelta(9), inspection=inspection, which=2)
    assert story.line(1) == [("NOT_ADMITTED", second(NEW_YORK, D + timedelta(9)))]
    assert inspection.value in story.last(1).reason
    assert [word for word, _ in story.line(0)] == ["IN_STATUS", "CLOSED_UNOBSERVED"]
    assert story.last(0).reason == "applied for admission later, own departure not observed"
    story.left(D + timedelta(10), evidence=Evidence.REMOVAL)
    assert [story.last(which).outcome for which in (0, 1)] == ["CLOSED_UNOBSERVED", "NOT_ADMITTED"]
    assert story.stay(1).departed == second(NEW_YORK, D + timedelta(10))
    assert story.history().unmatched_departures == ()
    left = Story().admitted(D, until=D + timedelta(90)).left(D + timedelta(5), evidence=Evidence.MANIFEST)
    left.admitted(D + timedelta(9), inspection=inspection, which=2).left(D + timedelta(100), evidence=Evidence.REMOVAL)
    assert [left.last(which).outcome for which in (0, 1)] == ["DEPARTED_IN_TIME", "NOT_ADMITTED"]


@pytest.mark.parametrize(
    ("admission_class", "until", "reason"),
    [
        ("F1", "D/S", "no period can be computed for class F1"),
        ("QQ", D + timedelta(90), "no period can be computed for class QQ"),
        (None, D + timedelta(90), "class of admission missing"),
        ("B2", None, "no period can be computed for class B2"),
        ("B2", "D/S", "no period can be computed for class B2"),
        ("B2", D - ONE, "no period can be computed for class B2"),
        ("WT", D - ONE, "no period can be computed for class WT"),
    ],
)
def test_undetermined(admission_class: str | None, until: date | str | None, reason: str) -> None:
    """Class or period missing, or over before it began: nothing is claimed, also after the departure."""
    story = Story().admitted(D, admission_class, until)
    assert story.line() == [("UNDETERMINED", second(NEW_YORK, D))]
    assert story.last().reason == reason
    assert story.stay().authorised_until is None
    story.left(D + timedelta(500))
    assert [word for word, _ in story.line()] == ["UNDETERMINED", "UNDETERMINED"]
    assert story.last().reason == reason
    assert story.last().evidence == tuple(sorted(story.ids))


def test_admitted_for_one_day() -> None:
    """The day of admission may be the last."""
    story = Story().admitted(D, until=D)
    assert story.outcome(D, "23:59:59") == "IN_STATUS"
    assert story.outcome(D + ONE, "00:00:00") == "OVERSTAY_SUSPECTED"


def test_duration_of_status() -> None:
    """No end; whoever leaves leaves in time."""
    story = Story().admitted(D, "A1", "D/S")
    assert story.line() == [("IN_STATUS", second(NEW_YORK, D))]
    assert story.stay().authorised_until == "D/S"
    assert story.left(D + timedelta(1500)).last().outcome == "DEPARTED_IN_TIME"


def test_parole() -> None:
    """The parole's date, whatever the class."""
    for admission_class, inspection in (
        ("B2", Inspection.PAROLED),
        ("DT", Inspection.ADMITTED),
        (None, Inspection.PAROLED),
    ):
        story = Story().admitted(D, admission_class, D + timedelta(30), inspection=inspection)
        assert [piece.rule for piece in story.stay().timeline] == ["parole", "parole-over"]


def test_nothing_is_said_of_the_time_before() -> None:
    """Before the admission there is no answer."""
    story = Story().admitted(D, until=D + timedelta(30))
    history = story.history()
    assert resolve.status(history, second(NEW_YORK, D, "11:59:59"), coverage_of({})) is None
    given = resolve.status(history, second(NEW_YORK, D), coverage_of({}))
    assert given is not None
    assert (given.outcome, given.rule, given.evidence) == ("IN_STATUS", "visitor", tuple(story.ids))


def test_the_status_is_that_of_the_last_stay_begun() -> None:
    """Earlier stays and later ones are not asked."""
    story = Story().admitted(D, until=D + timedelta(30)).left(D + timedelta(5))
    story.admitted(D + timedelta(20), "B1", D + timedelta(50), which=2)
    reported = []
    for by in (1, 6, 21, 51):
        given = resolve.status(story.history(), second(NEW_YORK, D + timedelta(by)), coverage_of({}))
        assert given is not None
        reported.append((given.outcome, given.stay.admitted_as))
    assert reported == [
        ("IN_STATUS", "B2"),
        ("DEPARTED_IN_TIME", "B2"),
        ("IN_STATUS", "B1"),
        ("DEPARTURE_UNKNOWN", "B1"),
    ]


def test_a_stay_says_what_was_stated() -> None:
    """Port, mode, class, number and marks stand as the records have them."""
    story = (
        Story()
        .admitted(D, until=D + timedelta(30), handling=("asylum",))
        .left(D + ONE, evidence=Evidence.BIOMETRIC, handling=("protected",))
    )
    story.extended(D + ONE, handling=("tps",))
    assert story.stay().handling == ("asylum", "protected", "tps")
    story = Story().admitted(D, until=D + timedelta(30), handling=("asylum",)).extended(D + ONE, handling=("tps",))
    story.fact(D + ONE, StatusFact.ENCOUNTER, handling=("protected",))
    stay = story.stay()
    assert (stay.port, stay.zone, stay.admitted_as) == ("JFK", NEW_YORK, "B2")
    assert stay.i94 == (number(1).text,)
    assert stay.handling == ("asylum", "protected", "tps")
