"""Dates and times as legacy systems write them. Each function names the field in what it raises (ValueError)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)


@lru_cache(maxsize=4096)
def day_of(digits: int, what: str) -> date:
    """CCYYMMDD."""
    text = f"{digits:08}"
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except (ValueError, OverflowError):  # the latter for a day of ten digits and more
        raise ValueError(f"{what} {text} is no date") from None


@lru_cache(maxsize=4096)  # a file tells some of its moments again and again
def moment_of(digits: int, what: str) -> datetime:
    """CCYYMMDDHHMMSS, UTC."""
    text = f"{digits:014}"
    try:
        if len(text) != 14:
            raise ValueError
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}Z")
    except ValueError:
        raise ValueError(f"{what} {text} is no moment") from None


def birth_of(digits: int, what: str) -> str | None:
    """CCYYMMDD as far as it is known: day 00, month 00, all zeros. What is no date is left to the event's own check."""
    text = f"{digits:08}"
    year, month, day = text[:4], text[4:6], text[6:]
    if digits == 0:
        return None
    if month == "00" and day != "00":
        raise ValueError(f"{what} {text} has a day without a month")
    return "-".join(part for part in (year, month, day) if part != "00")


def iso_day(text: object, what: str) -> date | None:
    """YYYY-MM-DD and no other spelling that the library knows; None stays None."""
    if text is None:
        return None
    try:
        if not isinstance(text, str) or not _ISO_DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{what} {text!r} is no date") from None


def iso_moment(text: object, what: str) -> datetime:
    """YYYY-MM-DDTHH:MM:SS, with an offset or without; 24:00:00 is the day's end, as XML Schema has it."""
    try:
        if not isinstance(text, str) or not _ISO_MOMENT.fullmatch(text):
            raise ValueError
        if text[11:19] == "24:00:00":
            return datetime.fromisoformat(f"{text[:11]}00:00:00{text[19:]}") + timedelta(days=1)
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(f"{what} {text!r} is no moment") from None
