"""One correlator that takes events into an edition being built up to a given point of the bus, and not beyond."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import datetime

from bus.contract import Bus, Delivery
from schemas.topics import EVENT_TOPICS
from services.correlator.correlator import Correlator
from services.correlator.process import POLL_MESSAGES, admission_of
from services.dead_letters import Spool
from services.rebuild.target import NewStore
from services.retry import wait
from services.settings import Settings
from services.store import Store
from services.store.writer import Fenced

PAUSE_SECONDS = 0.05
Point = Mapping[tuple[str, int], int]
"""By partition the next position to read."""


class Builder:
    """Takes partitions for itself, so that whoever else builds the edition is fenced."""

    def __init__(self, correlator: Correlator, bus: Bus, store: Store, stop: asyncio.Event) -> None:
        self._correlator = correlator
        self._bus = bus
        self.store = store
        self.stop = stop
        self._taken = False

    async def position(self) -> dict[tuple[str, int], int]:
        """Return how far the edition has come."""
        return await self.store.reads.positions()

    async def to(self, point: Point) -> None:
        """Take in what lies before a point, and resolve it all. Raises BusDown, StoreDown."""
        while not self.stop.is_set():
            try:
                await self._read_to(point)
                break
            except Fenced:  # by one that was still at it
                self._taken = False
        await self.rest()

    async def rest(self) -> None:
        """Compare and resolve what was taken in, and move on what has changed by itself."""
        while not self.stop.is_set():
            await self._correlator.compare()
            rows = (await self._correlator.resolve()).rows
            if not (rows or await self._correlator.fire()):
                if not await self.store.reads.backlog():
                    return
                await wait(PAUSE_SECONDS, self.stop)  # another has taken some of it

    async def _read_to(self, point: Point) -> None:
        standing = await self.position()
        behind = {part: end for part, end in point.items() if standing.get(part, 0) < end}
        if not self._taken:
            parts = sorted(await self._bus.ends(EVENT_TOPICS))
            standing |= dict((await self._correlator.assigned(parts)).items())
            self._taken = True
        for topic in sorted({topic for topic, _ in behind}):
            ends = {number: end for (each, number), end in behind.items() if each == topic}
            start = {part: position for (each, part), position in standing.items() if each == topic}
            async with aclosing(_batches(self._bus, topic, start, ends)) as batches:
                async for batch in batches:
                    await self._correlator.take(batch, compares=False)  # `rest` does, all together


async def _batches(
    bus: Bus, topic: str, start: Mapping[int, int], ends: Mapping[int, int]
) -> AsyncGenerator[list[Delivery], None]:
    """What a topic holds from `start` up to `ends`, by partition number."""
    left = {number for number, end in ends.items() if start.get(number, 0) < end}
    batch: list[Delivery] = []
    messages = bus.read(topic, start)
    try:
        async for one in messages:
            number = one.partition.number
            end = ends.get(number, 0)
            if one.position < end:
                batch.append(one)
            if one.position >= end - 1:
                left.discard(number)
            if len(batch) >= POLL_MESSAGES or not left:
                if batch:
                    yield batch
                batch = []
            if not left:
                return
    finally:
        close = getattr(messages, "aclose", None)
        if close is not None:
            await close()
    if batch:
        yield batch


@asynccontextmanager
async def builder(
    new: NewStore, settings: Settings, bus: Bus, clock: Callable[[], datetime], stop: asyncio.Event
) -> AsyncIterator[Builder]:
    """Open an edition to be built on by this process alone. Raises BusDown, StoreDown, OtherConfiguration."""
    async with AsyncExitStack() as opened:
        store = await new.open()
        opened.push_async_callback(store.close)
        producer = await bus.producer()
        opened.push_async_callback(producer.close)
        admission = admission_of(settings, clock)
        spool = Spool(settings.data_dir / "spool")
        correlator = Correlator(store.writer, producer, spool, clock=clock, stop=stop, bus=bus, admission=admission)
        await correlator.check()
        yield Builder(correlator, bus, store, stop)
