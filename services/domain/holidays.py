"""Federal holidays as dated rows, and the business day on which a paper filing is still in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

CITATION = "5 U.S.C. 6103(a), (b)"
LOOKED_AT = date(2026, 11, 30)
MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6
ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Holiday:
    """A federal holiday: a fixed day, or the `nth` of a weekday in a month (-1: the last). It holds from `since` on."""

    name: str
    month: int
    day: int = 0
    weekday: int = 0
    nth: int = 0
    since: date = date.min

    def on(self, year: int) -> date:
        """The day of the holiday itself in a year."""
        if not self.nth:
            return date(year, self.month, self.day)
        if self.nth > 0:
            first = date(year, self.month, 1)
            return first + timedelta(days=(self.weekday - first.weekday()) % 7 + 7 * (self.nth - 1))
        last = date(year, self.month + 1, 1) - ONE
        return last - timedelta(days=(last.weekday() - self.weekday) % 7)

    def observed(self, year: int) -> date:
        """The working day on which it is observed: the Friday before a Saturday, the Monday after a Sunday."""
        day = self.on(year)
        return day - ONE if day.weekday() == SATURDAY else day + ONE if day.weekday() == SUNDAY else day


HOLIDAYS: tuple[Holiday, ...] = (
    Holiday("New Year's Day", 1, 1),
    Holiday("Birthday of Martin Luther King, Jr.", 1, weekday=MONDAY, nth=3, since=date(1986, 1, 20)),
    Holiday("Washington's Birthday", 2, weekday=MONDAY, nth=3),
    Holiday("Memorial Day", 5, weekday=MONDAY, nth=-1),
    Holiday("Juneteenth National Independence Day", 6, 19, since=date(2021, 6, 17)),
    Holiday("Independence Day", 7, 4),
    Holiday("Labor Day", 9, weekday=MONDAY, nth=1),
    Holiday("Columbus Day", 10, weekday=MONDAY, nth=2),
    Holiday("Veterans Day", 11, 11),
    Holiday("Thanksgiving Day", 11, weekday=THURSDAY, nth=4),
    Holiday("Christmas Day", 12, 25),
)
"""Not covered: Inauguration Day, which the District of Columbia alone has (5 U.S.C. 6103(c)); closures by order."""


@lru_cache(maxsize=512)
def holidays_of(year: int) -> frozenset[date]:
    """The days of a year on which a federal holiday is observed; New Year's Day of the next year may be among them."""
    days = (row.observed(each) for each in (year, year + 1) for row in HOLIDAYS if row.on(each) >= row.since)
    return frozenset(day for day in days if day.year == year)


def is_business_day(day: date) -> bool:
    """Whether it is neither a Saturday, a Sunday nor a federal holiday as observed."""
    return day.weekday() < SATURDAY and day not in holidays_of(day.year)


def business_day(day: date) -> date:
    """The day itself if it is a business day, else the next one that is."""
    while not is_business_day(day):
        day += ONE
    return day
