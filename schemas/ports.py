"""Ports of entry in the codes of the former INS, and the visa-issuing posts: both of three letters, both no airports.

The tables are `data/ports.tsv` and `data/posts.tsv`, and `data/ports_canada.tsv` of the land ports on the other side;
their heads name the sources. LOS is Los Angeles here, which IATA calls LAX; LOS of IATA is Lagos.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from schemas.country_codes import name as plain


class Port(NamedTuple):
    """A port: the zone of its local times, "" where it is not known, and whether the code is a place at all."""

    code: str
    zone: str
    name: str

    @property
    def somewhere(self) -> bool:
        """Whether the code is that of a place: "not reported" and "unidentified" are none."""
        return bool(self.zone) or not self.name.startswith(_NOWHERE)


_AIRPORT = re.compile(r"\b(AIRPORT|AEROPORT|INTL|AIR TERMINAL)\b", re.IGNORECASE)
_NOWHERE = ("NOT REPORTED", "UNIDENTIF", "UNKNOWN", "No PORT Code", "Collapsed", "INVALID")


def port(code: str) -> Port | None:
    """The port of a code of the former INS, None where the table does not have it."""
    return ports().get(code)


class PortOfCanada(NamedTuple):
    """A land port of Canada: the code of the port on the other side, and the zone of its clocks."""

    name: str
    other_side: str
    zone: str


def port_of_canada(text: str) -> PortOfCanada | None:
    """The land port of that name, whatever its case, accents and marks; None where the table does not have it."""
    return _ports_of_canada().get(plain(text))


def names_an_airport(text: str) -> bool:
    """Whether the name of a port tells of an airport, in English or French."""
    return _AIRPORT.search(plain(text)) is not None


@cache
def _ports_of_canada() -> dict[str, PortOfCanada]:
    return {plain(name): PortOfCanada(name, code, zone) for name, code, zone in _rows("ports_canada")}


def is_post(code: str) -> bool:
    """Whether it is the code of a visa-issuing post."""
    return code in _posts()


@cache
def ports() -> dict[str, Port]:
    """The ports of all codes of the former INS."""
    return {code: Port(code, zone, name) for code, zone, _, name in _rows("ports")}


@cache
def _posts() -> frozenset[str]:
    return frozenset(code for code, *_ in _rows("posts"))


def _rows(table: str) -> list[list[str]]:
    text = files("schemas").joinpath(f"data/{table}.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
