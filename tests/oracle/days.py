"""Days: local days of events, federal holidays, business days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def instant(text: str) -> datetime:
    """The instant that an RFC 3339 text names, in UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def local_day(at: datetime, zone: str) -> date:
    """The calendar day of an instant in a zone."""
    return at.astimezone(ZoneInfo(zone)).date()


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def day_of(moment: dict[str, Any]) -> date:
    """The calendar day of a moment where it happened."""
    if moment["precision"] == "day":
        return date.fromisoformat(moment["day"])
    return local_day(instant(moment["at"]), moment.get("zone", "UTC"))


def start_of(moment: dict[str, Any]) -> datetime:
    """The earliest instant that a moment may mean."""
    if moment["precision"] == "day":
        return midnight(date.fromisoformat(moment["day"]), moment.get("zone", "UTC"))
    return instant(moment["at"])


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    """The n-th such weekday of a month."""
    day = date(year, month, 1)
    while day.weekday() != weekday:
        day += DAY
    return day + timedelta(weeks=nth - 1)


def holidays(year: int) -> set[date]:
    """The federal holidays of a year as they are observed (5 U.S.C. 6103(a), (b); Executive Order 11582)."""
    last_monday_of_may = max(date(year, 5, d) for d in range(25, 32) if date(year, 5, d).weekday() == 0)
    fixed = [date(year, 1, 1), date(year, 7, 4), date(year, 11, 11), date(year, 12, 25), date(year + 1, 1, 1)]
    if year >= 2021:
        fixed.append(date(year, 6, 19))  # Pub. L. 117-17
    observed = {
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        last_monday_of_may,
        _nth(year, 9, 0, 1),
        _nth(year, 10, 0, 2),
        _nth(year, 11, 3, 4),
    }
    for day in fixed:
        observed.add(day - DAY if day.weekday() == 5 else day + DAY if day.weekday() == 6 else day)
    return observed


def closed(day: date) -> bool:
    """Whether a day is a Saturday, a Sunday or a legal holiday."""
    return day.weekday() >= 5 or day in holidays(day.year)


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or the last one of that month."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
