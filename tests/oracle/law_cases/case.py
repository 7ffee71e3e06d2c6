"""A small history with its right outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from oracle.histories import KNOWN, World
from oracle.reading import Event

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """A history, the instant that is asked about, and the right outcomes of its stays."""

    name: str
    why: str
    build: Callable[[World], None]
    on: datetime
    right: tuple[str, ...]  # of the stays in order
    known_at: datetime | None = None
    covered: bool = True

    def events(self) -> list[Event]:
        """The events, with departures known complete throughout."""
        world = World(Random(self.name))
        if self.covered:
            world.cover(LONG_AGO, KNOWN)
        self.build(world)
        return world.events


ALL: list[Case] = []


def right(
    *outcomes: str, on: datetime, why: str, known_at: datetime | None = None, covered: bool = True
) -> Callable[[Callable[[World], None]], None]:
    """Keep a history with what is right of it."""

    def keep(build: Callable[[World], None]) -> None:
        ALL.append(Case(build.__name__, why, build, on, outcomes, known_at, covered))

    return keep
