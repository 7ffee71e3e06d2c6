"""What the values of legacy systems mean. Each takes a value and the name of its field, which it names if it fails."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from adapters.dates import birth_of, day_of, iso_day, iso_moment, moment_of
from adapters.fields import Converter
from schemas.countries import citizenship
from schemas.country_codes import CountryCodes, Use
from schemas.moments import Moment, zone
from schemas.ports import is_post

_CODE = re.compile(r"[A-Z0-9][A-Z0-9/_-]{0,11}")
_ZONE = re.compile(r"(?<=[0-9])(?:Z|[+-][0-9]{2}:[0-9]{2})\Z")
_PARTIAL = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?")


def tables(package: str, name: str = "codes.toml") -> dict[str, Any]:
    """The code tables in a system's folder, by their names."""
    result: dict[str, Any] = tomllib.loads(files(package).joinpath(name).read_text(encoding="utf-8"))
    return result


def code(table: Mapping[str, Any]) -> Converter[Any]:
    """What a code means by a table."""

    def convert(value: Any, what: str) -> Any:
        try:
            return table[value]
        except (KeyError, TypeError):
            return lookup(table, value, what)

    return convert


def lookup(table: Mapping[str, Any], value: Any, what: str) -> Any:
    """What a code of a table means. Raises ValueError."""
    try:
        return table[value]
    except (KeyError, TypeError):
        raise ValueError(f"{what}: {value!r} is in no code table") from None


def known(table: Mapping[str, Any], called: str) -> Converter[str]:
    """A code that events carry as it is, if a table has it; `called` is what a refusal calls the field."""

    def convert(value: Any, _: str) -> str:
        lookup(table, value, called)
        return str(value)

    return convert


def choice(*values: str) -> Converter[str]:
    """One of a few values."""

    def convert(value: Any, what: str) -> str:
        if value not in values:
            raise ValueError(f"{what} {value!r}, one of {', '.join(values)} expected")
        return str(value)

    return convert


def symbol(value: Any, what: str) -> str:
    """A code that events carry as it is: a carrier, a flight, a class. Raises ValueError."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise ValueError(f"{what} {value!r} is no code of capital letters and digits")
    return value


def text(value: Any, what: str) -> str:
    """A text. Raises ValueError, without the value: it may be a name."""
    if not isinstance(value, str):
        raise ValueError(f"{what} is absent" if value is None else f"{what} is no text")
    return value


def whole(value: Any, what: str) -> int:
    """A number from 1. Raises ValueError."""
    if type(value) is not int or value < 1:
        raise ValueError(f"{what} {value!r} is no number from 1")
    return value


def day(value: Any, what: str) -> date:
    """A day as YYYY-MM-DD. Raises ValueError."""
    result = iso_day(value, what)
    if result is None:
        raise ValueError(f"{what} is absent")
    return result


@lru_cache(maxsize=8192)  # making a moment is slow, and a batch has few days
def whole_day(of: date, place: str) -> Moment:
    """A day that is known to the day only, in the zone that it was told for. Raises ValueError."""
    return Moment.whole_day(of, place)


def xml_day(value: Any, what: str) -> date:
    """A day as XML Schema has it: with a zone, which says nothing of it, or without. Raises ValueError."""
    return day(_ZONE.sub("", value) if isinstance(value, str) else value, what)


def day_or_status(value: Any, what: str) -> date | Literal["D/S"]:
    """The end of a period: a day as YYYY-MM-DD, or D/S for duration of status. Raises ValueError."""
    return "D/S" if value == "D/S" else day(value, what)


def instant(value: Any, what: str) -> datetime:
    """A moment in ISO 8601 with its offset, in UTC. Raises ValueError."""
    at = iso_moment(value, what)
    if at.tzinfo is None:
        raise ValueError(f"{what} {value!r} is no moment")
    return _utc(at, value, what)


def instant_at(place: str) -> Converter[datetime]:
    """A moment in ISO 8601, in UTC; without an offset it is local to a zone."""

    @lru_cache(maxsize=4096)  # a file tells some of its moments again and again
    def moment(value: str, what: str) -> datetime:
        at = iso_moment(value, what)
        return _utc(at if at.tzinfo is not None else at.replace(tzinfo=zone(place)), value, what)

    def convert(value: Any, what: str) -> datetime:
        return moment(value, what) if isinstance(value, str) else iso_moment(value, what)

    return convert


def _utc(at: datetime, value: Any, what: str) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{what} {value!r} is no moment") from None


def digits_day(value: Any, what: str) -> date:
    """A day as the number CCYYMMDD. Raises ValueError."""
    return day_of(value, what)


def month_first_day(value: Any, what: str) -> date:
    """A day as the number MMDDCCYY. Raises ValueError."""
    return day_of(_year_first(value, what), what)


def month_first_birth(value: Any, what: str) -> str | None:
    """A date of birth as the number MMDDCCYY, zeros for what is not known. Raises ValueError."""
    result = birth_of(_year_first(value, what), what)
    return None if result is None else birth(result, what)


def _year_first(value: Any, what: str) -> int:
    text = f"{value:08}" if type(value) is int else ""
    if len(text) != 8:
        raise ValueError(f"{what} {value!r} is no date of eight digits")
    return int(text[4:] + text[:4])


def digits_instant(value: Any, what: str) -> datetime:
    """A moment in UTC as the number CCYYMMDDHHMMSS. Raises ValueError."""
    return moment_of(value, what)


def birth(value: Any, what: str) -> str | None:
    """A date of birth as far as it is known: YYYY, YYYY-MM or YYYY-MM-DD. Raises ValueError."""
    if not isinstance(value, str) or not _PARTIAL.fullmatch(value):
        raise ValueError(f"{what} is no date")
    return _real(value, what)


def digits_birth(value: Any, what: str) -> str | None:
    """A date of birth as the number CCYYMMDD, with zeros for what is not known. Raises ValueError."""
    result = birth_of(value, what)
    return _real(result, what) if result is not None else None


def _real(value: str, what: str) -> str:
    try:
        date.fromisoformat((value + "-01-01")[:10])
    except ValueError:
        raise ValueError(f"{what} is no date") from None
    return value


def sex(value: Any, what: str) -> Literal["F", "M", "X"] | None:
    """As events have it; U and the filler of a machine-readable zone state none. Raises ValueError."""
    if value in ("U", "<"):
        return None
    if value in ("F", "M", "X"):
        return value  # type: ignore[no-any-return]  # one of the three
    raise ValueError(f"{what} is not F, M or X")


def nationality(value: Any, what: str) -> str:
    """A state by its code of ICAO 9303 or a usual spelling of it. Raises ValueError."""
    try:
        return citizenship(value)
    except (ValueError, TypeError, AttributeError):
        raise ValueError(f"{what} {value!r} is no state of ICAO 9303") from None


def nationalities(states: str | tuple[str, ...], what: str) -> str | tuple[str, ...]:
    """One state, or all of several, each once. Raises ValueError."""
    if isinstance(states, str):
        return nationality(states, what)
    return tuple(dict.fromkeys([nationality(each, what) for each in states]))


def country(*sets: CountryCodes, of: Use = "citizenship") -> Converter[str | None]:
    """A country by the codes of one set, or of the first of several that has the code, in that of ICAO 9303.

    None where the code stands for no country. `of` says what it tells of the person: some are places of birth alone.
    """

    @lru_cache(maxsize=1024)
    def state(value: str | int, what: str) -> str | None:
        text = str(value)
        known = next((one for one in sets if text in one), None)
        if known is None:
            raise ValueError(f"{what} {value!r} is no {' and no '.join(one.called for one in sets)}")
        try:
            return known.state(text, of)
        except ValueError as error:
            raise ValueError(f"{what} {error}") from None

    def convert(value: Any, what: str) -> str | None:
        if type(value) is not int and not isinstance(value, str):
            raise ValueError(f"{what} {value!r} is no code of a country")
        return state(value, what)

    return convert


def post(value: Any, what: str) -> str:
    """The code of a visa-issuing post. Raises ValueError."""
    if not isinstance(value, str) or not is_post(value):
        raise ValueError(f"{what} {value!r} is no visa post")
    return value


def flag(value: Any, what: str) -> bool:
    """True or false, as JSON has them. Raises ValueError: a mark that cannot be read must not count as absent."""
    if not isinstance(value, bool):
        raise ValueError(f"{what} {value!r} is neither true nor false")
    return value


def boolean(value: Any, what: str) -> bool:
    """As XML Schema has it. Raises ValueError."""
    return bool(lookup({"true": True, "1": True, "false": False, "0": False}, value, what))
