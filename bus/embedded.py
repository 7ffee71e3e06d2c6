"""The embedded bus: a durable log in one SQLite file that many processes may open at once."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bus import log_tables
from bus.contract import (
    Assigned,
    BusDown,
    BusError,
    Delivery,
    Message,
    Partition,
    Placed,
    Revoked,
    Span,
    Topic,
    UnknownTopic,
)
from bus.durable import make_closed
from bus.embedded_member import Callbacks, EmbeddedConsumer
from bus.leases import Membership
from bus.limits import DEADLINE, MAX_MESSAGE_BYTES, check_size
from bus.log_tables import Stored
from bus.sqlite_file import SqliteFile

LEASE = 3.0

_READ_BATCH = 1_000
# The file gives up at the deadline itself; a send that queued behind another waits this much longer.
_GRACE = 1.0


class EmbeddedBus:
    """A bus in one file: `await EmbeddedBus.open(path)`."""

    def __init__(self, path: Path, *, deadline: float, lease: float, max_message_bytes: int) -> None:
        self._writer = SqliteFile(path, deadline)
        self._reader = SqliteFile(path, deadline)
        self._lease = lease
        self._max_message_bytes = max_message_bytes
        self._topics: dict[str, Stored] = {}
        self._replaced = 0  # as often when the topics were read
        self._appender = _Appender(self._writer, deadline + _GRACE, self._wake)
        self._consumers: set[EmbeddedConsumer] = set()

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        deadline: float = DEADLINE,
        lease: float = LEASE,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> EmbeddedBus:
        """Open the file, or make it."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            make_closed(path)
        except OSError as error:
            raise BusDown(f"{path}: {error.strerror}") from error
        bus = cls(path, deadline=deadline, lease=lease, max_message_bytes=max_message_bytes)
        try:
            await bus._writer.write(log_tables.create)
        except BaseException:  # a cancellation among them
            await bus.close()
            raise
        return bus

    async def declare(self, topics: Iterable[Topic]) -> None:
        """Create what is missing."""
        await self._writer.write(partial(log_tables.declare, topics=list(topics)))

    async def producer(self) -> EmbeddedProducer:
        """A new producer."""
        return EmbeddedProducer(self, self._appender, self._max_message_bytes)

    async def consumer(
        self,
        group: str,
        topics: Sequence[str],
        *,
        assigned: Assigned | None = None,
        revoked: Revoked | None = None,
    ) -> EmbeddedConsumer:
        """Join a group."""
        rows = _numbered(await self.stored(topics))
        consumer = EmbeddedConsumer(
            self._writer,
            self._reader,
            Membership(group, uuid.uuid4().hex, tuple(rows), self._lease),
            rows,
            Callbacks(assigned, revoked, self._consumers.discard),
        )
        await consumer.join()
        self._consumers.add(consumer)
        return consumer

    async def read(self, topic: str, start: Mapping[int, int] | None = None) -> AsyncIterator[Delivery]:
        """All that a topic holds now."""
        rows = _numbered(await self.stored([topic]))
        ends = await self.ends([topic])
        for row, partition in rows.items():
            position = (start or {}).get(partition.number, 0)
            while position < ends[partition]:
                fetch = partial(log_tables.fetch, row=row, partition=partition, start=position, limit=_READ_BATCH)
                batch = [delivery for delivery in await self._reader.read(fetch) if delivery.position < ends[partition]]
                for delivery in batch:
                    yield delivery
                position = batch[-1].position + 1 if batch else ends[partition]

    async def peek(self, places: Mapping[Partition, int]) -> dict[Partition, Delivery]:
        """The message at each position."""
        standing: dict[Partition, Delivery] = {}
        for row, partition in _numbered(await self.stored(sorted({place.topic for place in places}))).items():
            if partition in places:
                at = places[partition]
                fetch = partial(log_tables.fetch, row=row, partition=partition, start=at, limit=1)
                standing |= {one.partition: one for one in await self._reader.read(fetch) if one.position == at}
        return standing

    async def begins(self, topics: Sequence[str]) -> dict[Partition, int]:
        """The first position of each partition."""
        return await self._reader.read(partial(log_tables.begins, topics=await self.stored(topics)))

    async def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        """The next position of each partition."""
        return await self._reader.read(partial(log_tables.ends, topics=await self.stored(topics)))

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        """Messages not yet committed."""
        rows = _numbered(await self.stored(topics))
        done = await self._reader.read(partial(log_tables.committed, group=group, rows=rows))
        ends = await self.ends(topics)
        return {partition: max(0, end - done.get(partition, 0)) for partition, end in ends.items()}

    async def close(self) -> None:
        """Close everything this bus opened."""
        for consumer in list(self._consumers):
            await consumer.close()
        await asyncio.gather(self._writer.close(), self._reader.close())

    async def stored(self, topics: Iterable[str]) -> list[Stored]:
        """The topics as the file has them."""
        wanted = list(topics)
        replaced = self.replaced
        if replaced != self._replaced or not self._topics.keys() >= set(wanted):
            self._topics = await self._reader.read(log_tables.stored)
            self._replaced = replaced
        missing = sorted(set(wanted) - self._topics.keys())
        if missing:
            raise UnknownTopic(", ".join(missing))
        return [self._topics[name] for name in wanted]

    @property
    def replaced(self) -> int:
        """How often the file was seen to be another one: what is remembered of the former is void."""
        return self._writer.replaced + self._reader.replaced

    def _wake(self) -> None:
        for consumer in self._consumers:
            consumer.wake()


def _numbered(topics: Iterable[Stored]) -> dict[int, Partition]:
    return {row: Partition(topic.name, n) for topic in topics for n, row in enumerate(topic.partitions)}


class EmbeddedProducer:
    """Appends to the file; sends that come at once share a transaction."""

    def __init__(self, bus: EmbeddedBus, appender: _Appender, max_message_bytes: int) -> None:
        self._bus = bus
        self._appender = appender
        self._max_message_bytes = max_message_bytes
        self._spread = itertools.count()
        self._closed = False

    async def send(self, messages: Sequence[Message]) -> Placed:
        """Return when all messages are on the disk."""
        if self._closed:
            raise BusError("the producer is closed")
        topics = {topic.name: topic for topic in await self._bus.stored({m.topic for m in messages})}
        for message in messages:
            check_size(message, self._max_message_bytes)
            if message.key is None and topics[message.topic].compacted:
                raise BusError(f"{message.topic} is compacted: a message there needs a key")
        return await self._appender.append(messages, topics, next(self._spread)) if messages else {}

    async def close(self) -> None:
        """Nothing is held: a send returns when it is done."""
        self._closed = True


class _Appender:
    """One writer for all producers of a bus: what piles up during a transaction goes into the next one."""

    def __init__(self, file: SqliteFile, deadline: float, wake: Callable[[], None]) -> None:
        self._file = file
        self._deadline = deadline
        self._wake = wake
        self._waiting: list[_Sending] = []
        self._task: asyncio.Task[None] | None = None

    async def append(self, messages: Sequence[Message], topics: Mapping[str, Stored], spread: int) -> Placed:
        done: asyncio.Future[Placed] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Sending(messages, topics, spread, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        try:
            async with asyncio.timeout(self._deadline):
                return await done
        except TimeoutError as error:
            raise BusDown("the log is busy with earlier sends") from error

    async def _drain(self) -> None:
        while self._waiting:
            batch = [sending for sending in self._waiting if not sending.done.done()]
            self._waiting = []
            outcomes: Sequence[Placed | BusError]
            try:
                outcomes = await self._file.write(partial(_append, batch=batch))
            except BusError as error:
                outcomes = [error] * len(batch)
            for sending, outcome in zip(batch, outcomes, strict=True):
                sending.finish(outcome)
            self._wake()


@dataclass(frozen=True, slots=True)
class _Sending:
    messages: Sequence[Message]
    topics: Mapping[str, Stored]
    spread: int
    done: asyncio.Future[Placed]

    def finish(self, outcome: Placed | BusError) -> None:
        if self.done.done():
            return
        if isinstance(outcome, BusError):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)


def _append(connection: sqlite3.Connection, batch: Sequence[_Sending]) -> list[Placed]:
    outcomes: list[Placed] = []
    for sending in batch:
        rows = log_tables.rows_of(sending.messages, sending.topics, sending.spread)
        compacted = frozenset(row for t in sending.topics.values() if t.compacted for row in t.partitions)
        last = log_tables.append(connection, rows, compacted)
        numbered = _numbered(sending.topics.values())
        outcomes.append(
            {
                numbered[row]: Span(
                    last[row] - len(rows_of_one) + 1,
                    log_tables.delivery_of(numbered[row], last[row], rows_of_one[-1]),
                )
                for row, rows_of_one in rows.items()
            }
        )
    return outcomes
