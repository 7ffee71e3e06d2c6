"""Which process holds a feed: taken over by a higher epoch, watched, and let go. Ingest and the door use it alike.

A checkpoint carries an epoch and the name of its owner. A process takes a feed over by writing an epoch one higher. The
pair (epoch, owner) is totally ordered: a process that meets a greater one than its own has lost the feed. A checkpoint
that a suspended process writes late does no harm: position and counters in it belong together, and everything before
the position is durable. At worst records are read twice.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

from bus.contract import Bus, Producer
from schemas.operations import FeedStatus
from services.feeds.checkpoints import Checkpoint, Checkpoints
from services.feeds.status import ALIVE_SECONDS, feeds_of


class FeedLost(Exception):
    """Another process took the feed over."""


class FeedHeld(Exception):
    """Another process holds the feed, runs, and was not to be disturbed."""


def _ignore() -> None:
    return


@dataclass(slots=True)
class Holding:
    """A feed in the hands of this process."""

    key: str
    checkpoint: Checkpoint
    lost: bool = False
    on_lost: Callable[[], None] = _ignore  # called once, when `lost` becomes true
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def check(self) -> None:
        """Raise FeedLost if another process took the feed over."""
        if self.lost:
            raise FeedLost(f"another process took {self.key.replace('/', '.')} over; this one leaves it alone")


class Ownership:
    """The feeds that this process holds. Every method raises BusDown and may then be called again."""

    def __init__(self, bus: Bus, producer: Producer) -> None:
        self.owner = uuid4().hex
        self.process = f"{socket.gethostname()}/{os.getpid()}"
        self.holdings: dict[str, Holding] = {}
        self._bus = bus
        self.producer = producer
        self._checkpoints = Checkpoints()

    async def claim(self, keys: Iterable[str], *, only_free: bool = False) -> bool:
        """Write an epoch one higher for each feed. Return whether a process before may still run one of them.

        Where one may, wait until it has had time to see that it lost the feed, and call `confirm` then. With
        `only_free` nothing is taken from a process that runs: raises FeedHeld.
        """
        await self._checkpoints.read(self._bus)
        contested = False
        wanted = list(keys)
        if only_free:
            self._refuse_held(wanted)
        for key in wanted:
            before = self._checkpoints.held.get(key, Checkpoint())
            epoch = before.epoch if before.owner == self.owner else before.epoch + 1
            self.holdings[key] = Holding(key, before.held_by(epoch, self.owner, self.process))
            contested = contested or not before.released
        await self.producer.send([self.holdings[key].checkpoint.message(key) for key in wanted])
        return contested

    def _refuse_held(self, keys: Iterable[str]) -> None:
        now = datetime.now(UTC)
        for key in keys:
            held = self._checkpoints.held.get(key)
            if held is None or held.released or held.owner == self.owner or held.at is None:
                continue
            silent = (now - held.at).total_seconds()
            if silent < ALIVE_SECONDS:
                raise FeedHeld(
                    f"{key.replace('/', '.')} is held by a process that was alive {max(0, int(silent))} s ago; "
                    "--take-over takes it from there"
                )

    async def confirm(self) -> None:
        """Adopt what the process before wrote last: it is further on, and as true as what stood at the claim."""
        await self._checkpoints.read(self._bus)
        for key, holding in self.holdings.items():
            last = self._checkpoints.last.get(key, holding.checkpoint)
            holding.checkpoint = last.held_by(*holding.checkpoint.fence(), self.process)
        self._compare()

    async def watch(self) -> None:
        """See whether another process took a feed over, and have the last word where it did not."""
        if await self._checkpoints.moved(self._bus):
            await self._checkpoints.read(self._bus)
            self._compare()
            for holding in self.holdings.values():
                await self._insist(holding)

    def _compare(self) -> None:
        for key, holding in self.holdings.items():
            held = self._checkpoints.held.get(key)
            if held is not None and held.fence() > holding.checkpoint.fence() and not holding.lost:
                holding.lost = True
                holding.on_lost()

    async def _insist(self, holding: Holding) -> None:
        """Write the checkpoint again behind that of a process that lost the feed: the topic keeps the last one only."""
        async with holding.turn:
            last = self._checkpoints.last.get(holding.key)
            mine = holding.checkpoint
            if last is not None and last.fence() < mine.fence() and not mine.released:
                await self.producer.send([mine.message(holding.key)])

    async def beat(self) -> None:
        """Say that this process still holds its feeds."""
        for holding in self.holdings.values():
            async with holding.turn:
                if not holding.lost and not holding.checkpoint.released:
                    await self.producer.send([holding.checkpoint.message(holding.key)])

    async def save(self, holding: Holding, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; it is the holding's once it is durable. Raises FeedLost."""
        async with holding.turn:
            holding.check()
            await self.producer.send([checkpoint.message(holding.key)])
            holding.checkpoint = checkpoint

    def status(self) -> tuple[FeedStatus, ...]:
        """Return how the feeds fare that this process holds."""
        now = datetime.now(UTC)
        held = {key: replace(each.checkpoint, at=now) for key, each in self.holdings.items() if not each.lost}
        return feeds_of(held, held, now)

    async def release(self, holding: Holding) -> None:
        """Let go of a feed, so that the next process need not wait. Nothing depends on it."""
        if not holding.lost:
            async with holding.turn:
                holding.checkpoint = replace(holding.checkpoint, released=True)
                await self.producer.send([holding.checkpoint.message(holding.key)])
