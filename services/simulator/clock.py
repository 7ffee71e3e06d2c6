"""Local days and seconds at a port, and the instants (seconds since 1970) that they are. Days are ordinals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

DAY = 86_400


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=65_536)
def midnight(day: int, zone: str) -> int:
    """Return the instant at which a local day begins."""
    begins = datetime.fromordinal(day).replace(tzinfo=_zone(zone))
    return int(begins.timestamp())


def end_of(day: int, zone: str) -> int:
    """Return the first instant after a local day."""
    return midnight(day + 1, zone)


def instant(day: int, second: int, zone: str, *, again: bool = False) -> int:
    """Return the instant of a wall-clock time. `again`: the second pass of an hour that is repeated."""
    begins = midnight(day, zone)
    if midnight(day + 1, zone) - begins == DAY:
        return begins + second
    wall = datetime.fromordinal(day) + timedelta(seconds=second)
    return int(wall.replace(tzinfo=_zone(zone), fold=int(again)).timestamp())


def changes(day: int, zone: str) -> bool:
    """Return whether clocks are set on that day."""
    return midnight(day + 1, zone) - midnight(day, zone) != DAY


def exists(day: int, second: int, zone: str) -> bool:
    """Return whether the wall clock ever shows that time: an hour is left out when clocks are set forward."""
    if not changes(day, zone):
        return True
    wall = datetime.fromordinal(day) + timedelta(seconds=second)
    there = datetime.fromtimestamp(int(wall.replace(tzinfo=_zone(zone)).timestamp()), _zone(zone))
    return there.replace(tzinfo=None) == wall


def repeated(day: int, second: int, zone: str) -> bool:
    """Return whether the wall clock shows that time twice."""
    return changes(day, zone) and instant(day, second, zone) != instant(day, second, zone, again=True)


@lru_cache(maxsize=65_536)
def digits(day: int) -> str:
    """CCYYMMDD."""
    return date.fromordinal(day).strftime("%Y%m%d")


@lru_cache(maxsize=65_536)
def iso(day: int) -> str:
    """YYYY-MM-DD."""
    return date.fromordinal(day).isoformat()


@cache
def _second_digits(second: int) -> str:
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"


def wall_digits(second: int) -> str:
    """HHMMSS."""
    return _second_digits(second)


EPOCH = date(1970, 1, 1).toordinal()


def stamp(at: int) -> str:
    """Return an instant as CCYYMMDDHHMMSS, UTC."""
    days, second = divmod(at, DAY)
    return digits(EPOCH + days) + _second_digits(second)


def iso_stamp(at: int) -> str:
    """Return an instant as YYYY-MM-DDTHH:MM:SS, UTC, without its Z."""
    days, second = divmod(at, DAY)
    clock = _second_digits(second)
    return f"{iso(EPOCH + days)}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"


def utc_day(at: int) -> int:
    """Return the day (ordinal) of an instant, UTC."""
    return EPOCH + at // DAY


def local(zone: str, at: int) -> tuple[int, int]:
    """Return the local day of an instant, and its wall-clock time in seconds."""
    there = datetime.fromtimestamp(at, _zone(zone))
    return there.toordinal(), there.hour * 3600 + there.minute * 60 + there.second


def seconds(at: datetime) -> int:
    """Return a moment as an instant. It needs its offset."""
    if at.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return int(at.timestamp())


def moment(at: int) -> datetime:
    """Return an instant as a moment, UTC."""
    return datetime.fromtimestamp(at, UTC)
