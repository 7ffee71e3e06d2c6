"""Airports of the world: country and time zone by IATA or ICAO code.

The data are those of the package `airportsdata` (MIT licence), which is released monthly. A code of a city with several
airports (NYC) stands for them as far as they have one country and zone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from schemas.countries import ALPHA2

HOME = frozenset({"US", "PR", "VI", "GU", "MP"})
"""What the law calls the United States: 8 U.S.C. 1101(a)(38). American Samoa is no part of it."""


class Airport(NamedTuple):
    """An airport by its one code, and where it lies. `home`: in the United States, as the law of immigration has it."""

    code: str  # IATA, or ICAO where it has no other
    country: str  # ICAO Doc 9303
    zone: str  # IANA name
    home: bool


@lru_cache(maxsize=4096)
def airport(code: str) -> Airport | None:
    """The airport, or city with several, of an IATA code (three letters) or ICAO code (four); None if it is unknown."""
    return _airports().get(code)


@cache
def _airports() -> dict[str, Airport]:
    by_code: dict[str, Airport] = {}
    for row in _table("airports.csv"):
        country, zone = ALPHA2.get(row["country"], ""), row["tz"]
        if country and zone:
            one = Airport(row["iata"] or row["icao"], country, zone, row["country"] in HOME)
            for code in (row["iata"], row["icao"]):
                if code.isalpha():
                    by_code.setdefault(code, one)
    cities: dict[str, set[Airport]] = {}
    for row in _table("iata_macs.csv"):
        place = by_code.get(row["Airport Code"])
        if place is not None:
            cities.setdefault(row["City Code"], set()).add(place._replace(code=row["City Code"]))
    for city, places in cities.items():
        if len(places) == 1:
            by_code.setdefault(city, places.pop())
    return by_code


def _table(name: str) -> Iterator[dict[str, str]]:
    with files("airportsdata").joinpath(name).open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines)
