"""The day up to which paper is in time: the next business day behind a Saturday, a Sunday or a federal holiday.

Calculated a second time, and apart from the rules: 8 CFR 1.2 and 5 U.S.C. 6103.
"""

from __future__ import annotations

from calendar import Calendar
from datetime import date
from functools import cache

FIXED = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
FLOATING = ((1, 0, 2), (2, 0, 2), (5, 0, -1), (9, 0, 0), (10, 0, 1), (11, 3, 3))
"""Month, weekday, and which of that month's."""
_CALENDAR = Calendar()


@cache
def holidays(year: int) -> frozenset[int]:
    """The days (ordinals) on which the federal holidays of a year are observed."""
    fixed = (date(year, month, day) for month, day in FIXED)
    shifted = {day.toordinal() + {5: -1, 6: 1}.get(day.weekday(), 0) for day in fixed}
    for month, weekday, which in FLOATING:
        days = [day for day, falls in _CALENDAR.itermonthdays2(year, month) if day and falls == weekday]
        shifted.add(date(year, month, days[which]).toordinal())
    return frozenset(shifted)


def last_filing_day(day: int) -> int:
    """The last day (ordinal) on which paper is in time for a last day."""
    while True:
        there = date.fromordinal(day)
        if there.weekday() < 5 and day not in holidays(there.year) | holidays(there.year + 1):
            return day
        day += 1
