"""Journeys by air as carriers tell them: stops with scheduled times, legs, and which of these cross the border."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Protocol

from adapters.core import Unreadable
from adapters.dates import day_of, moment_of
from schemas.airports import Airport, airport
from schemas.carriers import carrier
from schemas.moments import Moment, Precision, zone

_FLIGHT = re.compile(r"([A-Z]{3}|[A-Z][A-Z0-9]|[0-9][A-Z])? ?0*([0-9]{1,4})([A-Z]?)")


class Stop(Protocol):
    """An airport of a route, its scheduled times (CCYYMMDD or CCYYMMDDHHMM, blank if not told,
    Unreadable if wrong), and the flight to it.
    """

    @property
    def port(self) -> str: ...
    @property
    def departs(self) -> str | Unreadable: ...
    @property
    def arrives(self) -> str | Unreadable: ...
    @property
    def flight(self) -> str: ...
    @property
    def mode(self) -> str: ...
    @property
    def carrier(self) -> str: ...


class Leg(NamedTuple):
    """From one stop to the next; the airports as tables know them."""

    origin: Stop
    target: Stop
    begins: Airport
    ends: Airport

    @property
    def name(self) -> str:
        """The airports."""
        return f"{self.begins.code}-{self.ends.code}"

    def flight(self) -> tuple[str, str]:
        """Carrier and conveyance. Raises ValueError."""
        return flight(self.target.mode, self.target.flight, self.target.carrier)


class Journey(NamedTuple):
    """The legs that cross the border; if none does, `domestic` or `foreign`; airports on the way that no table has."""

    crossings: tuple[Leg, ...]
    rule: str
    unknown: tuple[str, ...]


def journey(stops: Sequence[Stop], first: str = "", last: str = "") -> Journey:
    """The journey from the stop `first` to `last`; where one is no stop of the route, from or to its end.

    An airport on the way that no table has is left out. Raises ValueError if the journey begins or ends at one:
    whether it crosses the border cannot be known then.
    """
    if len(stops) < 2:
        raise ValueError("a route of less than two airports")
    ports = [_code(stop.port) for stop in stops]
    first, last = _code(first), _code(last)
    start = ports.index(first) if first in ports[:-1] else 0
    end = ports.index(last, start + 1) if last in ports[start + 1 :] else len(ports) - 1
    way = [(stop, airport(stop.port)) for stop in stops[start : end + 1]]
    for stop, known in (way[0], way[-1]):
        if known is None:
            raise ValueError(f"airport {stop.port[:5]!r} is in no table: what it is from or to cannot be known")
    legs = [
        Leg(one, other, begins, ends)
        for (one, begins), (other, ends) in pairwise((stop, known) for stop, known in way if known is not None)
    ]
    crossings = tuple(leg for leg in legs if leg.begins.home != leg.ends.home)
    rule = "" if crossings else "domestic" if legs[0].begins.home else "foreign"
    return Journey(crossings, rule, tuple(stop.port for stop, known in way if known is None))


def _code(port: str) -> str:
    """The one code of an airport, or what was told for one."""
    known = airport(port)
    return port if known is None else known.code


@lru_cache(maxsize=4096)  # a manifest is of one flight
def flight(mode: str, number: str, company: str) -> tuple[str, str]:
    """Carrier and conveyance (the carrier's code and four digits) of a flight. Raises ValueError."""
    if mode not in ("", "4"):
        raise ValueError(f"TDT of mode {mode[:3]!r}, 4 or blank expected")
    match = _FLIGHT.fullmatch(number.upper())
    code = company.upper() or (match and match[1]) or ""
    if match is None or not code:
        raise ValueError(f"TDT {number[:8]!r} is no flight of a carrier that is named")
    code = carrier(code)
    return code, f"{code}{int(match[2]):04}{match[3]}"


@lru_cache(maxsize=4096)
def scheduled(digits: str, place: str) -> Moment:
    """A scheduled time, local to a zone. Raises ValueError."""
    if len(digits) == 8:
        return Moment.whole_day(day_of(int(digits), "DTM"), place)
    local = moment_of(int(digits) * 100, "DTM").replace(tzinfo=zone(place))
    return Moment.instant(local, place, Precision.MINUTE)
