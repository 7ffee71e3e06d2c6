"""When something happened, with how precisely the source said so."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict


class Precision(StrEnum):
    """How much of the moment the source stated."""

    INSTANT = "instant"
    MINUTE = "minute"
    DAY = "day"


@cache
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no IANA time zone") from None


_ONE_OF_TWO: JsonDict = {
    "if": {"properties": {"precision": {"const": Precision.DAY.value}}},
    "then": {"required": ["day"], "properties": {"day": {"type": "string"}, "at": {"type": "null"}}},
    "else": {"required": ["at"], "properties": {"at": {"type": "string"}, "day": {"type": "null"}}},
}
"""The validator below, in the words of JSON Schema."""


class Moment(BaseModel):
    """An instant (`at`, with offset) or a whole day (`day`), seen in the zone of the port it happened at."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"allOf": [_ONE_OF_TWO]})

    precision: Precision
    zone: Annotated[str, Field(max_length=40)] = "UTC"
    at: datetime | None = None
    day: date | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        zone(self.zone)
        if self.precision is Precision.DAY:
            if self.day is None or self.at is not None:
                raise ValueError("a moment of precision day has a day and nothing else")
        elif self.at is None or self.day is not None:
            raise ValueError(f"a moment of precision {self.precision.value} has an instant and nothing else")
        elif self.at.tzinfo is None:
            raise ValueError("an instant needs its offset")
        year = (self.day or self._instant()).year
        if not 1 < year < 9999:  # its day would leave the calendar in another zone
            raise ValueError(f"the year {year} is at the end of the calendar")
        return self

    @classmethod
    def instant(cls, at: datetime, zone: str = "UTC", precision: Precision = Precision.INSTANT) -> Moment:
        """A moment known to the second (or minute). Raises ValueError, also at the end of the calendar."""
        try:
            return cls(precision=precision, zone=zone, at=at.astimezone(UTC))
        except OverflowError:  # its instant has no year in UTC
            raise ValueError(f"the year {at.year} is at the end of the calendar") from None

    @classmethod
    def whole_day(cls, day: date, zone: str = "UTC") -> Moment:
        """A moment known to the day only."""
        return cls(precision=Precision.DAY, zone=zone, day=day)

    def local_day(self) -> date:
        """The calendar day at the port."""
        return self.day if self.day is not None else self._instant().astimezone(zone(self.zone)).date()

    def start(self) -> datetime:
        """The earliest instant (UTC) that the moment may mean."""
        if self.day is not None:
            return midnight(self.day, self.zone)
        return self._instant()

    def _instant(self) -> datetime:
        if self.at is None:
            raise ValueError("the moment is a whole day")
        return self.at


def midnight(day: date, zone_name: str) -> datetime:
    """The instant (UTC) at which `day` begins in a zone."""
    return datetime.combine(day, time(), zone(zone_name)).astimezone(UTC)


def end_of(day: date, zone_name: str) -> datetime:
    """The first instant (UTC) after `day` in a zone."""
    return midnight(day + timedelta(days=1), zone_name)
