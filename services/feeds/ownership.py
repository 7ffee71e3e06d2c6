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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bus.contract import Bus, Partition, Placed, Producer
from bus.tails import missing, tail_of
from schemas.operations import FeedStatus
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from services.feeds.checkpoints import Checkpoint, Checkpoints
from services.feeds.orders import Order
from services.feeds.processes import has_ended, new_owner
from services.feeds.status import ALIVE_SECONDS, feeds_of

_KEPT = (*EVENT_TOPICS, DEAD_LETTERS)
"""What feeds write and the bus keeps for good."""


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
    missing: frozenset[Partition] = frozenset()  # where the bus has not what the feed sent: it has to be read again

    def sent(self, placed: Placed) -> None:
        """Remember what was sent last, of what the bus keeps for good. What stands before it is no longer there."""
        kept = {part: one for part, one in placed.items() if part.topic in _KEPT}
        if not kept:
            return
        tails = dict(self.checkpoint.tails)
        behind = [part for part, one in kept.items() if part in tails and one.position <= tails[part][0]]
        if behind:
            self.missing |= frozenset(behind)
        tails |= {part: (one.position, tail_of(one)) for part, one in kept.items() if part not in self.missing}
        self.checkpoint = replace(self.checkpoint, tails=tails)

    def anew(self) -> Checkpoint:
        """Return the checkpoint in front of everything: nothing was read, and nothing is counted on."""
        self.missing = frozenset()
        held = self.checkpoint
        anew = Checkpoint().held_by(*held.fence(), held.process)
        return replace(anew, condition=held.condition, begins=held.begins, rewound=held.rewound)

    def check(self) -> None:
        """Raise FeedLost if another process took the feed over."""
        if self.lost:
            raise FeedLost(f"another process took {self.key.replace('/', '.')} over; this one leaves it alone")


class Ownership:
    """The feeds that this process holds. Every method raises BusDown and may then be called again."""

    def __init__(self, bus: Bus, producer: Producer) -> None:
        self.owner = new_owner()
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
        for key in keys:
            silent = self._alive(key)
            if silent is not None:
                raise FeedHeld(
                    f"{key.replace('/', '.')} is held by a process that was alive {max(0, int(silent))} s ago; "
                    "--take-over takes it from there"
                )

    def _alive(self, key: str) -> float | None:
        """Return how many seconds ago another process that holds the feed was heard of; None if the feed is free."""
        held = self._checkpoints.held.get(key)
        if held is None or held.released or held.owner == self.owner or held.at is None or has_ended(held.owner):
            return None
        silent = (datetime.now(UTC) - held.at).total_seconds()
        return silent if silent < ALIVE_SECONDS else None

    async def free(self, keys: Iterable[str]) -> list[str]:
        """Return those of the feeds that no other process holds and works at."""
        await self._checkpoints.read(self._bus)
        return [key for key in keys if self._alive(key) is None]

    def counted(self, key: str) -> Checkpoint:
        """Return the last checkpoint of a feed, by any process."""
        return self._checkpoints.last.get(key, Checkpoint())

    async def confirm(self, keys: Iterable[str] | None = None) -> None:
        """Adopt what the process before wrote last: it is further on, and as true as what stood at the claim.

        Behind it, `missing` of each holding says whether the bus still has what the feed sent. `keys`: None for all.
        """
        await self._checkpoints.read(self._bus)
        mine = [self.holdings[key] for key in keys] if keys is not None else list(self.holdings.values())
        for holding in mine:
            last = self._checkpoints.last.get(holding.key, holding.checkpoint)
            holding.checkpoint = last.held_by(*holding.checkpoint.fence(), self.process)
        self._compare()
        await self._verify(mine)

    async def verify(self) -> None:
        """See whether the bus still has what the feeds sent, as far as that is known; `missing` says where not."""
        await self._verify(list(self.holdings.values()))

    async def _verify(self, holdings: list[Holding]) -> None:
        begins = {part: at for part, at in (await self._bus.begins(_KEPT)).items() if at > 0}
        for holding in holdings:
            known = holding.checkpoint.begins
            tails = holding.checkpoint.tails
            holding.missing |= {part for part, at in begins.items() if part in tails and at > known.get(part, 0)}
            holding.checkpoint = replace(holding.checkpoint, begins=begins)
        last: dict[Partition, tuple[int, bytes]] = {}
        for holding in holdings:
            for part, tail in holding.checkpoint.tails.items():
                last[part] = max(last.get(part, tail), tail)
        gone = set(await missing(self._bus, last))
        for holding in holdings:
            # what stands before a message that stands was kept; behind one that is gone each is looked for
            doubtful = {part: tail for part, tail in holding.checkpoint.tails.items() if part in gone}
            if doubtful:
                holding.missing |= frozenset(await missing(self._bus, doubtful))

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
            held = holding.checkpoint
            checkpoint = replace(checkpoint, tails=held.tails, begins=held.begins)
            await self.producer.send([checkpoint.message(holding.key)])
            holding.checkpoint = checkpoint

    def status(self, paused: Mapping[str, Order] | None = None) -> tuple[FeedStatus, ...]:
        """Return how the feeds fare that this process holds. `paused`: the orders to hold feeds."""
        now = datetime.now(UTC)
        held = {key: replace(each.checkpoint, at=now) for key, each in self.holdings.items() if not each.lost}
        own = {key: order for key, order in (paused or {}).items() if key in held}
        return feeds_of(held, held, now, own)

    async def release(self, holding: Holding) -> None:
        """Let go of a feed, so that the next process need not wait. Nothing depends on it."""
        if not holding.lost:
            async with holding.turn:
                holding.checkpoint = replace(holding.checkpoint, released=True)
                await self.producer.send([holding.checkpoint.message(holding.key)])
