"""The engine that is always there: correlators read the bus into the new edition, as many as are asked for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime

from bus.contract import Bus, BusDown
from schemas.topics import EVENT_TOPICS
from services import wiring
from services.clock import wall_clock
from services.correlator.process import BEHIND, run
from services.rebuild.target import NewStore, NoRebuild, Progress
from services.retry import wait
from services.settings import Settings
from services.store.contract import StoreDown
from services.store.reads import SqlReads
from services.store.writer import Superseded

SECONDS = 0.5
"""How often it is seen how far the edition has come."""
Others = Callable[[NewStore], AbstractAsyncContextManager[object]]
"""Starts further correlators on an edition, and ends them with the context."""


class Fill:
    """One correlator in this process, and the others that are started beside it."""

    def __init__(self, others: Others | None = None, clock: Callable[[], datetime] = wall_clock) -> None:
        self._others = others
        self._clock = clock

    async def fill(self, new: NewStore, settings: Settings, progress: Progress, stop: asyncio.Event) -> None:
        """Return when fewer messages are left than one poll brings, or when `stop` is set."""
        async with AsyncExitStack() as opened:
            store = await new.open()
            opened.push_async_callback(store.close)
            bus = await opened.enter_async_context(wiring.declared_bus(settings))
            if await left_of(bus, store.reads, progress) <= BEHIND:
                return
            if self._others is not None:
                await opened.enter_async_context(self._others(new))
            near = asyncio.Event()
            filling = asyncio.create_task(
                run(settings, once=False, stop=near, hold=True, clock=self._clock, edition=new.number)
            )
            try:
                while not (stop.is_set() or filling.done()) and await _left(bus, store.reads, progress) > BEHIND:
                    await wait(SECONDS, stop)
            finally:
                near.set()
                try:
                    await filling
                except Superseded:
                    raise NoRebuild("the rebuild was given up, or switched to, by somebody else meanwhile") from None


async def _left(bus: Bus, reads: SqlReads, progress: Progress) -> int:
    """How much is left; more than is known while bus or store are away, for which who reads waits."""
    try:
        return await left_of(bus, reads, progress)
    except (BusDown, StoreDown) as error:
        progress.waits(f"the bus or the store cannot be reached: {error}")
        return sys.maxsize


async def left_of(bus: Bus, reads: SqlReads, progress: Progress | None = None) -> int:
    """Return how many messages an edition has not; tell how many of how many it has."""
    ends, positions = await bus.ends(EVENT_TOPICS), await reads.positions()
    begins = await bus.begins(EVENT_TOPICS)
    left = sum(max(0, end - max(positions.get((*part,), 0), begins.get(part, 0))) for part, end in ends.items())
    total = sum(end - begins.get(part, 0) for part, end in ends.items())
    if progress is not None:
        progress.at(total - left, total)
    return left
