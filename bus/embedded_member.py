"""A member of a group on the embedded bus: its leases, the task that keeps them, and what it reads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from bus import leases, log_tables
from bus.contract import Assigned, BusDown, BusError, Delivery, Partition, Revoked
from bus.leases import Membership, Share
from bus.sqlite_file import SqliteFile
from links.tasks import cancel

_log = logging.getLogger(__name__)

# How often a poll looks whether another process has written; a send of this process wakes it at once.
_POLL_AGAIN = 0.02
# How often a member that waits for others to let go looks at the group.
_ASK_AGAIN = 0.05


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Whom a member tells what happens to it."""

    assigned: Assigned | None
    revoked: Revoked | None
    closed: Callable[[EmbeddedConsumer], None]


@dataclass(slots=True)
class _Hold:
    row: int
    epoch: int
    position: int


class EmbeddedConsumer:
    """Reads the partitions that it holds a lease on."""

    def __init__(
        self,
        writer: SqliteFile,
        reader: SqliteFile,
        me: Membership,
        rows: Mapping[int, Partition],
        callbacks: Callbacks,
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._me = me
        self._rows = rows
        self._replaced = writer.replaced + reader.replaced
        self._callbacks = callbacks
        self._epochs: leases.Epochs = {}
        self._reading: dict[Partition, _Hold] = {}
        self._generation = -1
        self._renewed = 0.0
        self._failure: Exception | None = None
        self._news = asyncio.Event()
        self._unbalanced = asyncio.Event()
        self._balancing = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._turn = 0
        self.refused_commits = 0
        """Commits under a lease that had passed to another member."""

    async def join(self) -> None:
        """Enter the group and take what is free."""
        await self._balance()
        self._tasks = [asyncio.create_task(self._keep_alive()), asyncio.create_task(self._keep_balance())]

    async def poll(self, *, max_messages: int = 5_000, timeout: float = 0.5) -> list[Delivery]:
        """Deliveries of the partitions held."""
        until = time.monotonic() + timeout
        while True:
            await self._check()
            self._news.clear()
            deliveries = await self._fetch(max_messages)
            left = until - time.monotonic()
            if deliveries or left <= 0:
                return deliveries
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _POLL_AGAIN)):
                    await self._news.wait()

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Remember positions, as far as the leases still stand."""
        under = {
            row: (self._epochs[row], positions[partition])
            for row, partition in self._rows.items()
            if partition in positions and row in self._epochs
        }
        self.refused_commits += len(positions) - len(under)
        if under:
            commit = partial(leases.commit, me=self._me, positions=under)
            self.refused_commits += await self._writer.write(commit)

    def assignment(self) -> frozenset[Partition]:
        """The partitions held now."""
        return frozenset(self._reading)

    def wake(self) -> None:
        """Say that something was written."""
        self._news.set()

    async def close(self) -> None:
        """Leave the group."""
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        await cancel(*tasks)
        self._reading.clear()
        self._epochs.clear()
        self._callbacks.closed(self)
        try:
            await self._writer.write(partial(leases.leave, me=self._me))
        except BusError as error:
            _log.warning("left the group %s without a word, the lease will run out: %s", self._me.group, error)

    async def _check(self) -> None:
        if not self._tasks:
            raise BusError("the consumer is closed")
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self._writer.replaced + self._reader.replaced != self._replaced:
            raise BusDown("the log is another file than this member joined: join anew")
        # Not renewed in time: others may hold the partitions by now, so nothing is delivered before that is known.
        if time.monotonic() - self._renewed >= self._me.lease:
            await self._balance()

    async def _fetch(self, max_messages: int) -> list[Delivery]:
        self._turn += 1
        holds = list(self._reading.items())
        turn = self._turn % max(1, len(holds))
        asked = [(partition, hold, hold.position) for partition, hold in holds[turn:] + holds[:turn]]
        generation, deliveries = await self._reader.read(partial(self._fetch_all, asked=asked, limit=max_messages))
        if generation != self._generation:
            self._unbalanced.set()
        delivered: list[Delivery] = []
        for (partition, hold, position), batch in zip(asked, deliveries, strict=False):
            # A partition that went while the thread was reading is another's to deliver.
            if batch and self._reading.get(partition) is hold and hold.position == position:
                hold.position = batch[-1].position + 1
                delivered += batch
        return delivered

    def _fetch_all(
        self, connection: sqlite3.Connection, asked: list[tuple[Partition, _Hold, int]], limit: int
    ) -> tuple[int, list[list[Delivery]]]:
        deliveries: list[list[Delivery]] = []
        for partition, hold, position in asked:
            if limit <= 0:
                break
            batch = log_tables.fetch(connection, hold.row, partition, position, limit)
            limit -= len(batch)
            deliveries.append(batch)
        return leases.generation(connection, self._me.group), deliveries

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._me.lease / 4)
            began = time.monotonic()
            try:
                alive = await self._writer.write(partial(leases.renew, me=self._me, now=time.time()))
            except BusError as error:
                _log.warning("could not renew the lease in group %s: %s", self._me.group, error)
                continue
            if alive:
                self._renewed = began
            else:
                self._unbalanced.set()

    async def _keep_balance(self) -> None:
        pause = self._me.lease / 2
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._unbalanced.wait()
            self._unbalanced.clear()
            try:
                pause = _ASK_AGAIN if await self._balance() else self._me.lease / 2
            except BusError as error:
                # A poll says so itself if it lasts: then the lease runs out.
                _log.warning("could not look at the group %s: %s", self._me.group, error)
                pause = self._me.lease / 4
            except Exception as error:  # a callback's own error, which the next poll raises
                self._failure = error
                pause = self._me.lease / 4

    async def _balance(self) -> bool:
        """Look at the group; true if a partition is on its way here."""
        async with self._balancing:
            began = time.monotonic()
            work = partial(leases.balance, me=self._me, held=dict(self._epochs), now=time.time())
            share = await self._writer.write(work)
            self._renewed = began
            self._generation = share.generation
            await self._give_up(share)
            await self._take_up(share)
            return share.waiting

    async def _give_up(self, share: Share) -> None:
        going = share.lost | share.to_release
        if not going:
            return
        partitions = frozenset(self._rows[row] for row in going)
        for partition in partitions:
            self._reading.pop(partition, None)
        for row in share.lost:
            self._epochs.pop(row, None)
        try:
            if self._callbacks.revoked is not None:
                await self._callbacks.revoked(partitions)
        finally:
            await self._release(share.to_release)

    async def _take_up(self, share: Share) -> None:
        if not share.gained:
            return
        self._epochs |= share.gained
        gained = frozenset(self._rows[row] for row in share.gained)
        try:
            start = await self._reader.read(partial(log_tables.committed, group=self._me.group, rows=self._rows))
            if self._callbacks.assigned is not None:
                start |= await self._callbacks.assigned(gained)
        except BaseException:
            await self._release(frozenset(share.gained))
            raise
        for row, epoch in share.gained.items():
            partition = self._rows[row]
            self._reading[partition] = _Hold(row, epoch, start.get(partition, 0))
        self._news.set()

    async def _release(self, rows: frozenset[int]) -> None:
        epochs = {row: self._epochs.pop(row) for row in rows if row in self._epochs}
        if epochs:
            await self._writer.write(partial(leases.release, me=self._me, held=epochs))
