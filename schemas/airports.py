"""Airports of the world: country and time zone by IATA or ICAO code.

The data are those of the package `airportsdata` (MIT licence), which is released monthly. A code of a city with several
airports (NYC) stands for them as far as they have one country and zone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from schemas.countries import ALPHA2

HOME = frozenset({"US", "PR", "VI", "GU", "MP"})
"""What the law calls the United States: 8 U.S.C. 1101(a)(38). American Samoa is no part of it."""


class Airport(NamedTuple):
    """Where an airport lies. `home`: in the United States, as the law of immigration has it."""

    country: str  # ICAO Doc 9303
    zone: str  # IANA name
    home: bool


def airport(code: str) -> Airport | None:
    """The airport, or city with several, of an IATA code (three letters) or ICAO code (four); None if it is unknown."""
    return _airports().get(code)


@cache
def _airports() -> dict[str, Airport]:
    by_code: dict[str, Airport] = {}
    same: dict[Airport, Airport] = {}  # thousands lie in one country and zone
    for row in _table("airports.csv"):
        one = Airport(ALPHA2.get(row["country"], ""), row["tz"], row["country"] in HOME)
        if one.country and one.zone:
            one = same.setdefault(one, one)
            for code in (row["iata"], row["icao"]):
                if code.isalpha():
                    by_code.setdefault(code, one)
    cities: dict[str, set[Airport | None]] = {}
    for row in _table("iata_macs.csv"):
        cities.setdefault(row["City Code"], set()).add(by_code.get(row["Airport Code"]))
    for city, places in cities.items():
        if len(places) == 1 and (only := places.pop()) is not None:
            by_code.setdefault(city, only)
    return by_code


def _table(name: str) -> Iterator[dict[str, str]]:
    with files("airportsdata").joinpath(name).open(encoding="utf-8") as lines:
        yield from csv.DictReader(lines)
