"""Where records place a person, as far as it tells two people apart, or that two records speak of one crossing.

Nobody is admitted twice within minutes: two admissions of one system minutes apart under different passports and
admission numbers are two people's, however alike their names, for twins stand in one line. So are two travellers of one
manifest under different passports. But an inspection is written into several systems, and the manifest of the flight
names whoever is inspected off it: there a passport that is another one is the same traveller's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from schemas.events import Evidence
from schemas.events import Fact as StatusFact
from services.domain.facts import Fact

MINUTES = 15 * 60
"""Seconds within which one person is not admitted again."""
ONE_PORT = 2 * 3600
"""Seconds between a flight's time and the inspection of its travellers, at most; boarding, and the report of it."""
DAY = 24 * 3600
SELDOM = 12
"""Days on which somebody crosses, at most, whom no namesake meets by chance: twelve and twelve in two years are within
two hours of each other at one of ten ports once in three hundred times; commuters over one bridge always are."""
ADMITTED = frozenset({"admitted", "paroled"})
_PLACING = frozenset({"arrival", "departure", "status"})
_NO_NUMBERS: frozenset[str] = frozenset()


class Sighting(NamedTuple):
    """One record's word that its subject was somewhere at an instant."""

    kind: tuple[str, ...]  # what can be seen once only: an admission in one system, a seat on one flight in one system
    start: int
    passports: frozenset[str]
    admissions: frozenset[str]  # I-94 numbers


Sightings = dict[int, list[Sighting]]
"""By the quarter of an hour."""


def sightings_of(facts: Iterable[Fact]) -> list[Sighting]:
    """What the facts of one record place; those without a passport or an instant place nobody."""
    seen: list[Sighting] = []
    for fact in facts:
        kind = fact.kind
        if fact.whole_day or fact.claim is None or kind not in _PLACING:
            continue
        body = fact.body
        admitted = kind == "arrival" and body.get("inspection") in ADMITTED
        flown = bool(body.get("carrier") and body.get("conveyance"))
        if not (admitted or flown):
            continue
        passports = frozenset([text for text in fact.claim.identifiers if text.startswith("passport/")])
        if not passports:
            continue
        if admitted:
            admissions = frozenset([text for text in fact.identifiers if text.startswith("i94/")])
            seen.append(Sighting(("admission", fact.system), fact.start, passports, admissions))
        if flown:
            flight = ("flight", fact.system, kind, body["carrier"], body["conveyance"], body.get("port", ""))
            seen.append(Sighting(flight, fact.start, passports, _NO_NUMBERS))
    return seen


def by_quarter(sightings: Iterable[Sighting]) -> Sightings:
    """The sightings where `two_people` finds them."""
    quarters: Sightings = defaultdict(list)
    for sighting in sightings:
        quarters[sighting.start // MINUTES].append(sighting)
    return quarters


def two_people(mine: Sightings, theirs: Sightings) -> bool:
    """Whether somebody of the one side and somebody of the other cannot be one person."""
    if len(mine) > len(theirs):
        mine, theirs = theirs, mine
    return any(
        _apart(one, other)
        for quarter, seen in mine.items()
        for near in (quarter - 1, quarter, quarter + 1)
        if near in theirs
        for one in seen
        for other in theirs[near]
    )


def _apart(one: Sighting, other: Sighting) -> bool:
    if one.kind != other.kind or one.passports & other.passports or one.admissions & other.admissions:
        return False
    seconds = abs(one.start - other.start)
    # two entries of one instant are one entry made twice, as a rule; on a flight all have one instant
    return seconds == 0 if one.kind[0] == "flight" else 0 < seconds <= MINUTES


class Moment(NamedTuple):
    """One record's word that its subject crossed at an instant."""

    system: str
    leaving: bool
    start: int
    port: str  # "" where the record does not say


Moments = dict[tuple[bool, int], list[Moment]]
"""By direction and span of `ONE_PORT` seconds."""


def moments_of(facts: Iterable[Fact]) -> Iterator[Moment]:
    """The crossings, to the minute, that the facts of one record tell of."""
    for fact in facts:
        if fact.whole_day or fact.kind not in ("arrival", "departure", "status"):
            continue
        body = fact.body
        met = fact.kind != "status" or body.get("fact") == StatusFact.ENCOUNTER.value
        if met and body.get("evidence") != Evidence.BOOKING.value:  # who booked need not have come
            yield Moment(fact.system, fact.kind == "departure", fact.start, body.get("port", ""))


def by_span(moments: Iterable[Moment]) -> Moments:
    """The moments where `at_one_crossing` finds them; none of who crosses so often that a stranger is met by chance."""
    spans: Moments = defaultdict(list)
    for moment in moments:
        spans[moment.leaving, moment.start // ONE_PORT].append(moment)
    return spans if len({moment.start // DAY for seen in spans.values() for moment in seen}) <= SELDOM else {}


def at_one_crossing(mine: Moments, theirs: Moments) -> bool:
    """Whether two systems tell of both sides at one port within `ONE_PORT`, or somewhere within `MINUTES`.

    An inspection is written into several systems at once, and a flight's manifest names whoever is inspected off it.
    """
    if len(mine) > len(theirs):
        mine, theirs = theirs, mine
    return any(
        _one_crossing(one, other)
        for (leaving, span), seen in mine.items()
        for near in (span - 1, span, span + 1)
        for other in theirs.get((leaving, near), ())
        for one in seen
    )


def _one_crossing(one: Moment, other: Moment) -> bool:
    if one.system == other.system:
        return False
    if one.port and other.port:
        return one.port == other.port and abs(one.start - other.start) <= ONE_PORT
    return abs(one.start - other.start) <= MINUTES
