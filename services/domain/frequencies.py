"""How often names are borne, by country: what a token that agrees is worth.

An agreement on SMITH says less than one on FETHERSTONHAUGH, and KIM says less of a Korean than of a Swede. The weight
of a token is the logarithm (base 2) of its rarity among the people of the country whose citizens the two claims are;
where the table of that country does not have it, that of a common or of a rare name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from math import log2
from typing import Any

from services.domain.names import COMMON, PARTICLES, PREFIXES, spelling

DATA: dict[str, Any] = tomllib.loads(files("services.domain").joinpath("frequencies.toml").read_text("utf-8"))
"""Shipped and versioned, never counted in a store: two stores must agree on who is who."""

FAMILY_COMMON, FAMILY_RARE, GIVEN_COMMON, GIVEN_RARE, PARTICLE, INITIAL = 4.8, 9.0, 3.9, 7.5, 0.5, 1.0
LISTED = 0.75
"""The part of a listed name's rarity that counts: names go with each other, with years of birth and with regions."""
PART, PART_ELSEWHERE = 2, 3
"""Letters of each of two common names, at least, of which a longer name may be made: of the country, of any country."""
_OF = 10_000
_CODES = {"D": "DEU", "RKS": "XXK", "ROM": "ROU"}
"""Codes of machine-readable documents that stand for a country of another code."""


def _table(role: str) -> dict[str, dict[str, float]]:
    """Country -> spelling -> bits."""
    tables = {}
    for country, text in DATA[role].items():
        words = text.split()
        by_name: dict[str, int] = {}
        for name, share in zip(words[::2], words[1::2], strict=True):
            by_name[spelling(name)] = max(int(share), by_name.get(spelling(name), 0))
        tables[country] = {name: log2(_OF / share) for name, share in by_name.items()}
    return tables


_BITS = {"family": _table("family"), "given": _table("given")}
_LISTED = {role: {name: 0.0 for table in tables.values() for name in table} for role, tables in _BITS.items()}
_DAYS = {
    day: {country: log2(_OF / int(share)) for country, share in zip(text.split()[::2], text.split()[1::2], strict=True)}
    for day, text in DATA["birth"].items()
}
_ELSEWHERE = {day: log2(_OF / share) for day, share in DATA["birth_elsewhere"].items()}
ANY_DAY = log2(365.25)


@lru_cache(maxsize=50_000)
def bits_of(token: str, role: str, country: str) -> float:
    """What it says that two claims have this token as (part of) a family or given name."""
    if token in PARTICLES:
        return PARTICLE
    if len(token) == 1:
        return INITIAL
    spelt = spelling(token)
    listed = _counted(token, _BITS[role].get(_CODES.get(country, country), {}))
    if listed is not None:
        return round(LISTED * listed, 1)
    common = token in COMMON or spelt in COMMON
    most = FAMILY_RARE if role == "family" else GIVEN_RARE
    if common:
        return FAMILY_COMMON if role == "family" else GIVEN_COMMON
    parts = _common_parts(token, role, country)
    return round(min(most, sum(bits_of(part, role, country) for part in parts)), 1) if parts else most


def _counted(token: str, table: Mapping[str, float]) -> float | None:
    """The bits of a name that the table has, also where a particle is written to it: ALQAHTANI, DEJONG."""
    listed = table.get(spelling(token))
    if listed is not None:
        return listed
    for length in range(2, min(6, len(token) - PART_ELSEWHERE) + 1):
        if token[:length] in PREFIXES and (listed := table.get(spelling(token[length:]))) is not None:
            return listed
    return None


@lru_cache(maxsize=16_384)
def _common_parts(token: str, role: str, country: str) -> tuple[str, str] | None:
    """The two common names of the country of which a name is made that was written together: GARCIAMARTINEZ."""
    listed = _BITS[role].get(_CODES.get(country, country), {})
    for at in range(PART, len(token) - PART + 1):
        one, other = token[:at], token[at:]
        if _is_part(one, listed) and _is_part(other, listed):
            return one, other
    return None


def _is_part(part: str, listed: Mapping[str, float]) -> bool:
    """Whether a part of a name is a common name, or one that the country's table has."""
    return (len(part) >= PART_ELSEWHERE and part in COMMON) or (bool(listed) and spelling(part) in listed)


@lru_cache(maxsize=50_000)
def is_rare(token: str, role: str, country: str) -> bool:
    """Whether a name is neither in the country's table nor a common one anywhere.

    Where the country is not known, or has no table, a name that stands in any table is not rare.
    """
    if token in PARTICLES or len(token) == 1:
        return False
    spelt = spelling(token)
    table = _BITS[role].get(_CODES.get(country, country), _LISTED[role])
    if token in COMMON or spelt in COMMON or _counted(token, table) is not None:
        return False
    return _common_parts(token, role, country) is None


def customary(month_and_day: str) -> bool:
    """Whether the day ("01-01") is one that is given to who does not know their date of birth."""
    return month_and_day in _ELSEWHERE


def by_custom(month_and_day: str, country: str) -> bool:
    """Whether more people of the country have this birthday than one that nothing but birth decides."""
    return day_bits(month_and_day, country) < ANY_DAY


def day_bits(month_and_day: str, country: str) -> float:
    """What it says that two claims have this day of the year as the birthday."""
    elsewhere = _ELSEWHERE.get(month_and_day)
    if elsewhere is None:
        return ANY_DAY
    return _DAYS[month_and_day].get(_CODES.get(country, country), elsewhere)
