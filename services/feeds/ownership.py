"""Which process holds a feed: taken over by a higher epoch, watched, and let go. Ingest and the door use it alike.

A checkpoint carries an epoch and the name of its owner. A process takes a feed over by writing an epoch one higher. The
pair (epoch, owner) is totally ordered: a process that meets a greater one than its own has lost the feed. A checkpoint
that a suspended process writes late does no harm: position and counters in it belong together, and everything before
the position is durable. At worst records are read twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
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
from services.processes import process_name

_KEPT = (*EVENT_TOPICS, DEAD_LETTERS)
"""What feeds write and the bus keeps for good."""

SILENT_SECONDS = 5.0
"""A bus that loses its last messages is away for longer: what was sent before such a silence is compared again."""


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
    doubtful: list[tuple[Partition, tuple[int, bytes]]] = field(default_factory=list)  # sent last before a silence
    last_sent: float = 0.0  # monotonic
    begun: int = 0  # how often it began anew

    def sent(self, placed: Placed) -> None:
        """Remember what was sent last, of what the bus keeps for good. What stands before it is no longer there."""
        kept = {part: span for part, span in placed.items() if part.topic in _KEPT}
        if not kept:
            return
        self.cut({part: span.first for part, span in kept.items()})
        tails, now = dict(self.checkpoint.tails), time.monotonic()
        if now - self.last_sent > SILENT_SECONDS:
            self.doubtful += [(part, tails[part]) for part in kept if part in tails]
        self.last_sent = now
        tails |= {part: (last.position, tail_of(last)) for part, (_, last) in kept.items() if part not in self.missing}
        self.checkpoint = replace(self.checkpoint, tails=tails)

    def cut(self, firsts: Mapping[Partition, int]) -> None:
        """Take what the feed sent for missing where messages sent later stand in its place, or before it."""
        tails = self.checkpoint.tails
        self.lose(part for part, first in firsts.items() if part in tails and first <= tails[part][0])

    def lose(self, partitions: Iterable[Partition]) -> None:
        """Take what the feed sent to partitions for missing, and have the next holder see it if this one ends first."""
        lost = frozenset(partitions)
        if lost:
            self.missing |= lost
            tails = self.checkpoint.tails
            self.checkpoint = replace(
                self.checkpoint, tails={**tails, **{part: (tails[part][0], b"") for part in lost if part in tails}}
            )

    def anew(self) -> Checkpoint:
        """Return the checkpoint in front of everything: nothing was read, and nothing is counted on."""
        self.missing = frozenset()
        self.doubtful.clear()
        self.begun += 1
        held = self.checkpoint
        anew = Checkpoint().held_by(*held.fence(), held.process)
        return replace(anew, condition=held.condition, begins=held.begins, rewound=held.rewound)

    def check(self) -> None:
        """Raise FeedLost if another process took the feed over."""
        if self.lost:
            raise FeedLost(f"another process took {self.key.replace('/', '.')} over; this one leaves it alone")


class Ownership:
    """The feeds that this process holds. Every method raises BusDown and may then be called again."""

    def __init__(self, bus: Bus, producer: Producer, owner: str | None = None) -> None:
        self.owner = owner or new_owner()
        self.process = process_name()
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
            holding.lose(part for part, at in begins.items() if part in tails and at > known.get(part, 0))
            holding.checkpoint = replace(holding.checkpoint, begins=begins)
        # each one by itself: what stands behind it may have been sent after the bus had lost it
        counted = [
            (holding, holding.begun, [*holding.doubtful, *holding.checkpoint.tails.items()]) for holding in holdings
        ]
        asked: dict[Partition, set[tuple[int, bytes]]] = {}
        for part, tail in (one for _, _, each in counted for one in each):
            asked.setdefault(part, set()).add(tail)
        gone: set[tuple[Partition, tuple[int, bytes]]] = set()
        while asked:
            some = {part: tails.pop() for part, tails in asked.items()}
            gone |= {(part, some[part]) for part in await missing(self._bus, some)}
            asked = {part: tails for part, tails in asked.items() if tails}
        for holding, begun, compared in counted:
            if holding.begun == begun:  # otherwise it was begun anew meanwhile
                holding.lose(one[0] for one in compared if one in gone)
                holding.doubtful = [one for one in holding.doubtful if one not in compared]

    async def send(self, holding: Holding, send: Callable[[], Awaitable[Placed]]) -> None:
        """Have a feed send, and see by where that stands whether the bus lost what any feed here had sent before."""
        tops: dict[Partition, int] = {}
        for each in self.holdings.values():
            for part, (position, _) in each.checkpoint.tails.items():
                tops[part] = max(position, tops.get(part, position))
        placed = await send()
        behind = {part: first for part, (first, _) in placed.items() if part in tops and first <= tops[part]}
        if behind:
            for each in self.holdings.values():
                each.cut(behind)
        holding.sent(placed)

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
            held = holding.checkpoint  # meanwhile something may have been found missing
            holding.checkpoint = replace(checkpoint, tails=held.tails, begins=held.begins)

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
