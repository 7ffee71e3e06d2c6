"""Moments: days are the port's, and some are 23 or 25 hours long or not there at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from pydantic import ValidationError
from strategies import days, moments, zones

from schemas.moments import Moment, Precision, end_of, midnight, zone

NEW_YORK = "America/New_York"
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("day", "zone_name", "begins", "hours"),
    [
        ("2026-11-24", "UTC", "2026-11-24T00:00:00Z", 24),
        ("2026-11-24", NEW_YORK, "2026-11-24T05:00:00Z", 24),
        ("2026-03-08", NEW_YORK, "2026-03-08T05:00:00Z", 23),  # spring forward
        ("2026-11-01", NEW_YORK, "2026-11-01T04:00:00Z", 25),  # fall back
        ("2026-11-24", "Asia/Kathmandu", "2026-11-23T18:15:00Z", 24),
        ("2026-11-24", "Pacific/Kiritimati", "2026-11-23T10:00:00Z", 24),
        ("2026-11-24", "Pacific/Pago_Pago", "2026-11-24T11:00:00Z", 24),
    ],
)
def test_days_in_their_zone(day: str, zone_name: str, begins: str, hours: int) -> None:
    first, last = (edge(date.fromisoformat(day), zone_name) for edge in (midnight, end_of))
    assert first == at(begins)
    assert last - first == timedelta(hours=hours)
    assert first.tzinfo is UTC


@pytest.mark.parametrize(
    ("instant", "zone_name", "local"),
    [
        ("2026-11-24T04:59:59Z", NEW_YORK, "2026-11-23"),
        ("2026-11-24T05:00:00Z", NEW_YORK, "2026-11-24"),
        ("2026-11-01T05:30:00Z", NEW_YORK, "2026-11-01"),  # 01:30, the first of two
        ("2026-11-01T06:30:00Z", NEW_YORK, "2026-11-01"),  # 01:30, the second
        ("2026-11-24T09:59:59Z", "Pacific/Kiritimati", "2026-11-24"),
        ("2026-11-24T10:00:00Z", "Pacific/Kiritimati", "2026-11-25"),
        ("2026-11-24T10:59:59Z", "Pacific/Pago_Pago", "2026-11-23"),
        ("1969-12-31T23:59:59.5Z", "UTC", "1969-12-31"),
    ],
)
def test_instants_have_the_day_of_the_port(instant: str, zone_name: str, local: str) -> None:
    moment = Moment.instant(at(instant), zone_name)
    assert moment.local_day() == date.fromisoformat(local)
    assert moment.start() == at(instant)


def test_a_day_that_a_place_left_out() -> None:
    """Samoa had no 30 December 2011; what a source says of it still has its place in time."""
    thirtieth = Moment.whole_day(date(2011, 12, 30), "Pacific/Apia")
    assert (
        midnight(date(2011, 12, 29), "Pacific/Apia") < thirtieth.start() <= midnight(date(2011, 12, 31), "Pacific/Apia")
    )


def test_a_whole_day_begins_at_the_ports_midnight() -> None:
    moment = Moment.whole_day(date(2026, 11, 24), NEW_YORK)
    assert (moment.precision, moment.start()) == (Precision.DAY, at("2026-11-24T05:00:00Z"))
    assert moment.local_day() == date(2026, 11, 24)


def test_an_instant_is_kept_in_utc() -> None:
    moment = Moment.instant(at("2026-11-24T00:30:00-05:00"), NEW_YORK, Precision.MINUTE)
    assert moment.at is not None
    assert moment.at.isoformat() == "2026-11-24T05:30:00+00:00"
    assert moment.precision is Precision.MINUTE


@given(moment=moments)
def test_a_moment_lies_in_its_day(moment: Moment) -> None:
    day = moment.local_day()
    assert midnight(day, moment.zone) <= moment.start() < end_of(day, moment.zone) or moment.zone == "Pacific/Apia"


@given(moment=moments)
def test_json_and_back(moment: Moment) -> None:
    assert Moment.model_validate_json(moment.model_dump_json()) == moment


@given(day=days, zone_name=zones)
def test_days_follow_on_one_another(day: date, zone_name: str) -> None:
    assert end_of(day, zone_name) == midnight(day + timedelta(days=1), zone_name)
    assert midnight(day, zone_name) < end_of(day, zone_name) or zone_name == "Pacific/Apia"


@pytest.mark.parametrize(
    "fields",
    [
        {"precision": "day"},
        {"precision": "instant"},
        {"precision": "day", "at": at("2026-01-01T00:00:00Z")},
        {"precision": "day", "day": date(2026, 1, 1), "at": at("2026-01-01T00:00:00Z")},
        {"precision": "minute", "day": date(2026, 1, 1)},
        {"precision": "instant", "at": at("2026-01-01T00:00:00Z"), "day": date(2026, 1, 1)},
        {"precision": "instant", "at": NAIVE},
        {"precision": "second", "at": at("2026-01-01T00:00:00Z")},
        {"precision": "day", "day": date(2026, 1, 1), "hour": 3},
        {"precision": "day", "day": date(1, 1, 1), "zone": "Asia/Tokyo"},
        {"precision": "instant", "at": at("9999-12-31T23:59:59Z"), "zone": "Asia/Tokyo"},
    ],
)
def test_what_is_no_moment(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Moment.model_validate(fields)


@pytest.mark.parametrize(
    "name", ["", "America", "Mars/Olympus", "../etc/passwd", "zone.tab", "EST5\x00", "Ü", "A" * 300]
)
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(ValueError, match="no IANA time zone"):
        zone(name)
    with pytest.raises(ValidationError):
        Moment(precision=Precision.DAY, zone=name, day=date(2026, 1, 1))


def test_a_moment_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Moment.whole_day(date(2026, 1, 1)).zone = "UTC"  # type: ignore[misc]


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-05:00", "9998-12-31T23:59:59-05:00"]
)
def test_an_instant_at_the_end_of_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="end of the calendar"):
        Moment.instant(at(text), NEW_YORK)
