"""Elements of NIEM as mappings read them: a record's content, which has under each name a list of what stands there."""

from __future__ import annotations

import re
from typing import Any

from adapters import converters
from adapters.dates import iso_moment
from adapters.fields import Fields
from schemas.moments import Moment, zone

_DATE = re.compile(r"(.*?)(?:T.*)?(?:Z|[+-][0-9]{2}:[0-9]{2})?")
"""As much of a date as there is, and behind it a time and a zone that say nothing of a birth."""


def texts(said: Fields, name: str) -> list[str]:
    """What stands in the elements of that name that have text."""
    return [each for each in said.get(name) or () if isinstance(each, str) and each]


def text(said: Fields, name: str) -> str:
    """The text of an element that comes once at most; nothing where it is absent or empty."""
    result = said.get(name) or ("",)
    return result[0] if isinstance(result[0], str) else next((each for each in result if isinstance(each, str)), "")


def numbers(said: Fields, name: str) -> list[str]:
    """The identification in each element of that name, where there is one."""
    return [one for each in said.groups(name) if (one := text(each, "IdentificationID"))]


def name(said: Fields) -> dict[str, str] | None:
    """A name as events have it: a single one stands in the family name, middle names behind the given one.

    The particle of a surname stands before it, once.
    """
    family, given = text(said, "PersonSurName"), text(said, "PersonGivenName")
    if "PersonMiddleName" in said:
        given = " ".join([*filter(None, (given,)), *texts(said, "PersonMiddleName")])
    if family and "PersonSurNamePrefixText" in said:
        particle = " ".join(texts(said, "PersonSurNamePrefixText"))
        family = family if family.upper().startswith(f"{particle} ".upper()) else f"{particle} {family}".strip()
    if not family and not given:
        family = text(said, "PersonFullName")
    family, given = said.fitting("PersonSurName", family), said.fitting("PersonGivenName", given)
    return {"family": family or given, "given": given if family else ""} if family or given else None


def birth(value: Any, what: str) -> str | None:
    """A date of birth as far as it is known, whatever zone it was written down in. Raises ValueError."""
    match = _DATE.fullmatch(value)
    return converters.birth(match[1] if match else value, what)


def tell_lost(record: Fields) -> None:
    """Note the elements that refer to others which are not in the record."""
    for element in record.get("@lost") or ():
        record.lose(element, f"{element} refers to an element that is not in the record")


def local_moment(said: Fields, of: str, place: str) -> Moment:
    """The day, or the date and time, of an activity: local to a place, or with an offset of its own.

    `of` begins the names of the elements. An hour that the clocks repeat is told by an indicator. Raises ValueError.
    """
    local_day = text(said, f"{of}LocalDate")
    if local_day:
        return Moment.whole_day(converters.day(local_day[:10], f"{of}LocalDate"), place)
    at = iso_moment(text(said, f"{of}LocalDateTime"), f"{of}LocalDateTime")
    if at.tzinfo is not None:
        return Moment.instant(at, place)
    field = f"{of}RepeatedHourIndicator"
    again = next(iter(said.several(field, [text(said, field)], converters.boolean)), False)
    return Moment.instant(at.replace(tzinfo=zone(place), fold=again), place)
