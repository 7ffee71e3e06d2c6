"""What is known to be complete: stretches of time in which a scope has told all there is.

Absence is evidence only inside one unbroken stretch. A feed that began late, a night that is missing, a file that
vouches for nothing because a record in it was refused: each makes a gap, and nobody whose stay lies across it
becomes an overstayer by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from services.domain import rules
from services.domain.facts import MICRO, Fact
from services.domain.records import active

Stretch = tuple[int, int]
"""From and through, seconds since 1970."""


class Coverage(msgspec.Struct, frozen=True):
    """Per scope the stretches that are complete, in order and apart; `departures`: those in which every way out is."""

    scopes: dict[str, tuple[Stretch, ...]]
    departures: tuple[Stretch, ...]

    def vouches(self, since: int, through: int) -> bool:
        """Whether somebody who left between two seconds would be known to have left."""
        return any(start <= since and through <= end for start, end in self.departures)

    @property
    def absence_known(self) -> int | None:
        """The second up to which the present stretch of departures reaches; None where there is none."""
        return self.departures[-1][1] if self.departures else None


def coverage_of(stretches: Mapping[str, Iterable[Stretch]]) -> Coverage:
    """The coverage of these stretches, whatever their order; those that meet are one."""
    scopes = {scope: _joined(pieces) for scope, pieces in sorted(stretches.items())}
    both: tuple[Stretch, ...] | None = None
    for scope in rules.ABSENCE_SCOPES:
        mine = scopes.get(scope, ())
        both = mine if both is None else _common(both, mine)
    return Coverage(scopes, both or ())


def complete(facts: Iterable[Fact], known_at: int | None = None) -> Coverage:
    """What the coverage facts known by `known_at` (microseconds; None: all) vouch for."""
    records, _ = active(facts, known_at)
    stretches: dict[str, list[Stretch]] = {}
    for parts in records.values():
        for fact in parts:
            stretches.setdefault(fact.body["scope"], []).append((fact.body["since"], fact.body["through"]))
    return coverage_of({scope: _seconds(_joined(pieces)) for scope, pieces in stretches.items()})


def _seconds(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Microseconds to seconds; a second that is vouched for in part is not vouched for."""
    whole = [(-(-since // MICRO), through // MICRO) for since, through in stretches]
    return [(since, through) for since, through in whole if since <= through]


def _joined(pieces: Iterable[Stretch]) -> tuple[Stretch, ...]:
    joined: list[Stretch] = []
    for since, through in sorted(pieces):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], through))
        else:
            joined.append((since, through))
    return tuple(joined)


def _common(some: Sequence[Stretch], others: Sequence[Stretch]) -> tuple[Stretch, ...]:
    pairs = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return tuple(sorted((since, through) for since, through in pairs if since <= through))


NOTHING = coverage_of({})
