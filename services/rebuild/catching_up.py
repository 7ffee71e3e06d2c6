"""Meeting: the live edition and the one that is built, both at one point of the bus, with everything resolved.

The live edition is never stopped for it: a state of it is held (as its readers do), and the other one is taken to the
very point of that state. Only there can two editions be compared byte for byte.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.rebuild.builder import PAUSE_SECONDS, Builder
from services.rebuild.target import NoRebuild
from services.retry import wait
from services.store import Store
from services.store.reads import SqlReads

PATIENCE_SECONDS = 60.0
"""So long the live edition may stand still while it is behind the other one, or has work that is not resolved."""


@dataclass(frozen=True, slots=True)
class Met:
    """Both editions in one state of the bus."""

    live: SqlReads
    new: SqlReads
    point: dict[tuple[str, int], int]


class Stopped(Exception):
    """An order to stop came first."""


def reached(point: dict[tuple[str, int], int], mine: dict[tuple[str, int], int]) -> bool:
    """Return whether a point lies nowhere before another one."""
    return all(point.get(part, 0) >= position for part, position in mine.items())


class Waiting:
    """Waits for the live edition, as long as it moves."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._seen: object = None
        self._since = time.monotonic()

    def still(self, state: object) -> bool:
        """Whether the state has been the same for too long."""
        if state != self._seen:
            self._seen, self._since = state, time.monotonic()
        return time.monotonic() - self._since > self._patience


def no_correlator() -> NoRebuild:
    """The live edition does not move."""
    return NoRebuild(
        "the live view does not get to where the new one is, or leaves work undone: let `visabus correlate` run on it"
        " (`visabus status` says who does), then run this again"
    )


@asynccontextmanager
async def met(
    live: Store, builder: Builder, patience: float = PATIENCE_SECONDS, waits: Callable[[str], object] | None = None
) -> AsyncIterator[Met]:
    """Hold a state of the live edition, with the other one taken to its very point.

    `waits` is told where the live one has to come first. Raises NoRebuild where it does not get to where the new one
    is; Stopped, BusDown, StoreDown.
    """
    waiting = Waiting(patience)
    while not builder.stop.is_set():
        async with live.reads.one_state() as state:
            point, backlog = await state.positions(), await state.backlog()
            if backlog == 0 and reached(point, await builder.position()):
                await builder.to(point)
                if builder.stop.is_set():
                    break
                async with builder.store.reads.one_state() as other:
                    yield Met(state, other, point)
                    return
        if waiting.still((point, backlog)):
            raise no_correlator()
        if waits is not None:
            waits("the live view has to get to where the new one is: a correlator has to run on it")
        await wait(PAUSE_SECONDS, builder.stop)
    raise Stopped
