"""Carriers' reservations to bookings of those who mean to leave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from adapters.converters import text
from adapters.core import Filtered, Record
from adapters.documents import booked, paper
from adapters.fields import Fields
from adapters.formats.reservation import CANCELLED, WAITING
from adapters.mapper import Mapper, Person, Says
from adapters.routes import flight, scheduled
from schemas.airports import Airport, airport
from schemas.events import Departure
from schemas.identifiers import Spelling

UNNAMED = frozenset({"TBA", "TBD", "TBN", "UNNAMED"})
"""What stands for the family name of a seat that nobody has a name for yet."""
LOCATOR = re.compile(r"[A-Z0-9]{5,8}")
LONGEST_BEFORE_FLIGHT = timedelta(days=370)
"""So long before a flight a booking is told at the most."""
PERSON = Person("family", ("given",), "birth", "sex", "citizenship", birth_as=lambda value, _: value)  # as read


@lru_cache(maxsize=4096)
def crossing(origin: str, target: str) -> tuple[Airport, str | None]:
    """Return where a flight begins, and the rule that leaves it out unless it leaves the country. Raises ValueError."""
    ends = []
    for port in (origin, target):
        known = airport(port)
        if known is None:
            raise ValueError(f"airport {port[:5]!r} is in no table: whether the flight crosses the border is not known")
        ends.append(known)
    begins, last = ends
    if begins.home:
        return begins, "ats.domestic" if last.home else None
    return begins, "ats.inbound" if last.home else "ats.foreign"


def key(traveller: Fields) -> str:
    """Return flight, day, airport, locator, traveller. Raises ValueError."""
    at, held = traveller["heading"], traveller["reservation"]
    who = traveller["who"]
    if who == "/":
        raise ValueError("neither number nor name of the traveller")
    _, conveyance = flight("", at.number, at.carrier)
    return f"{conveyance} {at.departs[:8]} {at.origin} {held.locators[0][1]}/{who}".upper()


def version(traveller: Record) -> int:
    """Return when the interchange was prepared, its reference, the place of the traveller in the reservation."""
    at: datetime = traveller.header["prepared"]
    minute = (((at.year * 100 + at.month) * 100 + at.day) * 100 + at.hour) * 100 + at.minute
    return int((minute * 10_000 + traveller.header["reference"]) * 1_000 + min(traveller.number, 999))


def says(traveller: Fields) -> Iterator[Says] | Filtered:
    """Return the departure that was booked, or the rule that leaves it out. Raises ValueError."""
    at, held = traveller["heading"], traveller["reservation"]
    begins, rule = crossing(at.origin, at.target)
    if rule is not None:
        return Filtered(rule)
    company, conveyance = flight("", at.number, at.carrier)
    traveller.optional("ambiguous", text)
    fields: dict[str, Any] = {
        "occurred_at": scheduled(at.departs, begins.zone),
        "subject": PERSON.of(traveller, list(numbers(traveller, held.locators, company))),
        "port": begins.code,
        "mode": "air",
        "carrier": company,
        "conveyance": conveyance,
        "evidence": "booking",
    }
    return iter((Says(Departure, fields),))


def numbers(traveller: Fields, locators: tuple[tuple[str, str], ...], company: str) -> Iterator[Spelling]:
    """Yield documents and bookings; what is wrong in one costs itself."""
    for one, wrong in map(paper, traveller["documents"]):
        for _, why in wrong:
            traveller.lose("SSR", why.replace("LOC+91", "issuer").replace("DOC 2.1", "number"))
        if one is not None:
            yield one
    for carrier, locator in locators:
        yield booked(locator, carrier or company)


def skips(traveller: Fields) -> str | None:
    """Return the rule that leaves a traveller out."""
    if traveller["test"]:
        return "ats.test"
    return "ats.unnamed" if traveller["family"].upper() in UNNAMED and not traveller["documents"] else None


RESERVATIONS = Mapper(
    key=key,
    version=version,
    says=says,
    recorded=lambda traveller: traveller["prepared"],
    retracted=lambda traveller: traveller["reservation"].status in CANCELLED | WAITING,
    skips=skips,
    future=LONGEST_BEFORE_FLIGHT,
)
