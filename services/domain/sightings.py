"""Where records place a person, as far as it tells two people apart: nobody is admitted twice within minutes.

Two admissions of one system minutes apart under different passports and admission numbers are two people's, however
alike their names: twins stand in one line. So are two travellers of one manifest under different passports.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from services.domain.facts import Fact

MINUTES = 15 * 60
"""Seconds within which one person is not admitted again."""
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
