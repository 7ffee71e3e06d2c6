"""What is known to be complete: stretches of time in which a system has told all there is in a scope.

Coverage is kept by system and scope, so that one system's live feed never hides another's silence. Absence is evidence
only inside one unbroken stretch of every system that the rules name. A feed that began late, a night that is missing,
a file that vouches for nothing because a record in it was refused: each makes a gap, and a stay that lies across a gap
does not become an overstay by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from services.domain import rules
from services.domain.facts import MICRO, Fact
from services.domain.records import active

Stretch = tuple[int, int]
"""From and through, both included: seconds since 1970 in a `Coverage`, microseconds where events are joined."""
Source = tuple[str, str]
"""A system and a scope of it."""


class Coverage(msgspec.Struct, frozen=True):
    """By scope and system the stretches that are complete, in order and apart.

    `departures`: the stretches in which a missing departure means that the person did not leave: those in which every
    source that the rules name (`rules.ABSENCE_SOURCES`) is complete.
    """

    scopes: dict[str, dict[str, tuple[Stretch, ...]]]
    departures: tuple[Stretch, ...]

    def vouches(self, since: int, through: int) -> bool:
        """Return whether a departure between two seconds would be known."""
        return any(start <= since and through <= end for start, end in self.departures)

    @property
    def absence_known(self) -> int | None:
        """The second up to which the present stretch of departures reaches; None where there is none."""
        return self.departures[-1][1] if self.departures else None

    def systems(self, scope: str) -> tuple[str, ...]:
        """Return the systems that vouch for a scope at some time."""
        return tuple(self.scopes.get(scope, ()))

    def reach(self) -> dict[Source, int]:
        """Return the second up to which each source has told all there is."""
        return {
            (system, scope): stretches[-1][1]
            for scope, systems in self.scopes.items()
            for system, stretches in systems.items()
        }


def coverage_of(stretches: Mapping[Source, Iterable[Stretch]]) -> Coverage:
    """Return the coverage of stretches (seconds), whatever their order; stretches of one source that meet are one."""
    scopes: dict[str, dict[str, tuple[Stretch, ...]]] = {}
    for system, scope in sorted(stretches, key=lambda source: (source[1], source[0])):
        if pieces := joined(stretches[system, scope]):
            scopes.setdefault(scope, {})[system] = pieces
    departures: tuple[Stretch, ...] | None = None
    for system, scope in rules.ABSENCE_SOURCES:
        pieces = scopes.get(scope, {}).get(system, ())
        departures = pieces if departures is None else _common(departures, pieces)
    return Coverage(scopes, departures or ())


def coverage_of_joined(stretches: Mapping[Source, Iterable[Stretch]]) -> Coverage:
    """Return the coverage of joined stretches in microseconds, as a store keeps them."""
    return coverage_of({source: _seconds(pieces) for source, pieces in stretches.items()})


def complete(facts: Iterable[Fact], known_at: int | None = None) -> Coverage:
    """Return what the coverage facts known by `known_at` (microseconds; None: all) vouch for."""
    records, _ = active(facts, known_at)
    stretches: dict[Source, list[Stretch]] = {}
    for parts in records.values():
        for fact in parts:
            source = (fact.system, fact.body["scope"])
            stretches.setdefault(source, []).append((fact.body["since"], fact.body["through"]))
    return coverage_of_joined({source: joined(pieces) for source, pieces in stretches.items()})


def joined(pieces: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return stretches in order; those that meet are one."""
    whole: list[Stretch] = []
    for since, through in sorted(pieces):
        if whole and since <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], through))
        else:
            whole.append((since, through))
    return tuple(whole)


def _seconds(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Microseconds to seconds; a second that is vouched for in part is not vouched for."""
    whole = [(-(-since // MICRO), through // MICRO) for since, through in stretches]
    return [(since, through) for since, through in whole if since <= through]


def _common(some: Sequence[Stretch], others: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Return where two lists of stretches, each in order and apart, overlap."""
    overlaps: list[Stretch] = []
    one = other = 0
    while one < len(some) and other < len(others):
        since, through = max(some[one][0], others[other][0]), min(some[one][1], others[other][1])
        if since <= through:
            overlaps.append((since, through))
        if some[one][1] < others[other][1]:
            one += 1
        else:
            other += 1
    return tuple(overlaps)


NOTHING = coverage_of({})
