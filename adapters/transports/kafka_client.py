"""What is asked of a foreign Kafka, by aiokafka: a topic with its identity, its bounds, its messages.

No group is joined and nothing is committed. Messages come as bytes: what
a deserialiser raised inside the client would withhold the good messages beside a bad one. Each call has a limit of
time, for the library may wait for a broker that never answers. Its types are not checked: hence `Any`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from adapters.core import SourceDown
from adapters.transports.kafka_batches import oversized
from links.kafka import diagnosed
from links.reasons import Reason, failure_of

T = TypeVar("T")
_COMMITTED, _UNCOMMITTED = 1, 0
_FETCHED, _FETCHED_OF_ONE = 8 * 2**20, 2**20
"""Bytes of an answer, and of a partition in it; a message that is larger comes alone."""
_SOON = 1.5
"""Seconds after which a client that has not connected is asked about."""
_REACH = 4.0
_GRACE = 1.25
"""The library's own limit for an answer comes first: it knows what it has to clean up."""
_WORDS = {
    "CorruptRecordError": "what the broker keeps fails its checksum",
    "KafkaConnectionError": "cannot be reached",
    "LeaderNotAvailableError": "a partition has no leader",
    "NodeNotReadyError": "cannot be reached",
    "UnsupportedCodecError": "messages are compressed in a way that is not read",
}


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it stands now. `id` is another once it was made anew; empty where the broker (before 2.8) has none."""

    name: str
    id: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a partition: the first offset, the one behind what may be read, and the one behind the last."""

    begin: int
    end: int
    last: int


@dataclass(frozen=True, slots=True)
class Gone(Exception):
    """Offsets that were asked for and are not there: partition to offset."""

    offsets: Mapping[int, int]


class TopicClient:
    """One client's life: made for one poll of a topic, never used again after an error or another set of topics."""

    def __init__(
        self,
        where: str,
        topic: str,
        options: Mapping[str, Any],
        *,
        committed: bool,
        timeout: float,
        unpacked: int = 64 * 2**20,
    ) -> None:
        self._where = where
        self._topic = topic
        self._options = options
        self._committed = committed
        self._timeout = timeout
        self._unpacked = unpacked
        self._refused = ""
        self._consumer: Any = None

    async def open(self) -> None:
        """Connect. Raises SourceDown, which says why as far as that can be known."""
        from aiokafka import AIOKafkaConsumer

        consumer = AIOKafkaConsumer(
            **self._options,
            request_timeout_ms=int(self._timeout * 1000),
            retry_backoff_ms=100,
            group_id=None,
            enable_auto_commit=False,
            # where to begin is the caller's to say: a jump in silence would hide what is gone
            auto_offset_reset="none",
            isolation_level="read_committed" if self._committed else "read_uncommitted",
            fetch_max_bytes=_FETCHED,
            max_partition_fetch_bytes=_FETCHED_OF_ONE,
        )
        self._consumer = consumer
        consumer._client.send = self._bounded(consumer._client.send)
        await self._connected(consumer)

    async def _connected(self, consumer: Any) -> None:
        """Start a client. Where that fails or takes long, ask why meanwhile: the library keeps that to its log."""
        starting = asyncio.create_task(self._within(self._started(consumer)))
        try:
            await asyncio.wait([starting], timeout=_SOON)
            if not starting.done() or starting.exception() is not None:
                failure = await diagnosed(self._options, min(self._timeout, _REACH))
                if failure is not None and (failure.reason.final or starting.done()):
                    raise SourceDown.by(self._where, failure)
            await starting
        finally:
            if not starting.done():
                starting.cancel()
                await asyncio.wait([starting], timeout=self._timeout / 4)
            starting.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _started(self, consumer: Any) -> None:
        """Start a client, which forgets the connection of its first question where it is cancelled before the answer.

        So that question is let finish, for a part of the time.
        """
        starting = asyncio.create_task(consumer.start())
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting], timeout=self._timeout / 4)
            starting.cancel()
            starting.add_done_callback(lambda task: task.cancelled() or task.exception())
            raise

    async def state(self) -> TopicState:
        """The topic. Raises SourceDown if there is none, if it may not be read, or if a partition has no leader."""
        code, identity, partitions = await self._within(self._metadata())
        if code:
            reason, words = _TOPIC_ERRORS.get(code, (None, f"the topic answers with error {code}"))
            said = f"{reason}: {words}" if reason is not None else words
            raise SourceDown(f"{self._where}: {said}", code=reason)
        without = sorted(number for number, error in partitions.items() if error)
        if without:
            raise SourceDown(f"{self._where}: partition {without[0]} has no leader")
        return TopicState(self._topic, identity, tuple(sorted(partitions)))

    async def bounds(self, partitions: Sequence[int]) -> dict[int, Bounds]:
        """The offsets between which each partition has messages. Raises SourceDown. Call it before `seek`."""
        places = [self._place(number) for number in partitions]
        consumer, fetcher = self._consumer, self._consumer._fetcher
        begins = await self._within(consumer.beginning_offsets(places))
        fetcher._isolation_level = _UNCOMMITTED  # nothing is fetched before `seek`
        try:
            lasts = await self._within(consumer.end_offsets(places))
        finally:
            fetcher._isolation_level = _COMMITTED if self._committed else _UNCOMMITTED
        ends = await self._within(consumer.end_offsets(places)) if self._committed else lasts
        return {place.partition: Bounds(begins[place], ends[place], lasts[place]) for place in places}

    async def begins(self, partitions: Sequence[int]) -> dict[int, int]:
        """The first offset of each partition. Raises SourceDown."""
        places = [self._place(number) for number in partitions]
        begins = await self._within(self._consumer.beginning_offsets(places))
        return {place.partition: begins[place] for place in places}

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions from these offsets on."""
        self._consumer.assign([self._place(number) for number in offsets])
        for number, at in offsets.items():
            self._consumer.seek(self._place(number), at)

    def move(self, partition: int, at: int) -> None:
        """Read on from there."""
        self._consumer.seek(self._place(partition), at)

    async def messages(self, most: int, wait: float) -> dict[int, list[Any]]:
        """The next messages by partition, none if `wait` seconds bring none. Raises SourceDown, Gone."""
        from aiokafka.errors import OffsetOutOfRangeError

        fetched = self._consumer.getmany(timeout_ms=int(wait * 1000), max_records=most)
        try:
            many = await self._within(fetched)
        except OffsetOutOfRangeError as error:
            raise Gone({place.partition: at for place, at in error.args[0].items()}) from None
        if self._refused and not many:
            raise SourceDown(f"{self._where}: {self._refused}", code=Reason.SETTINGS)
        return {place.partition: messages for place, messages in many.items()}

    async def reached(self, partition: int) -> int:
        """Where a partition is read on: behind what was given out, and what no reader is given. Raises SourceDown."""
        return int(await self._within(self._consumer.position(self._place(partition))))

    async def close(self) -> None:
        """Let go of the broker, in time whatever state the client is in."""
        consumer, self._consumer = self._consumer, None
        if consumer is None or await _ended(consumer.stop(), self._timeout / 4):
            return
        consumer._closed = True
        fetcher = consumer._fetcher
        tasks = [] if fetcher is None else [fetcher._fetch_task, *fetcher._pending_tasks]
        for task in tasks:
            task.cancel()
        await _ended(consumer._client.close(), self._timeout / 4)

    def _bounded(self, send: Any) -> Any:
        """The library's way to ask, without batches that unpack to too much: it would unpack each whole.

        What stands before such a batch is read; then the batch is first in the answer, and the topic cannot be read on.
        """

        async def bounded(*arguments: Any, **named: Any) -> Any:
            answer = await send(*arguments, **named)
            if type(answer).__name__.startswith("FetchResponse"):
                answer.topics = [
                    (topic, [self._fitting(partition) for partition in partitions])
                    for topic, partitions in answer.topics
                ]
            return answer

        return bounded

    def _fitting(self, partition: Any) -> Any:
        *before, records = partition
        large = oversized(records, self._unpacked) if isinstance(records, bytes) else None
        if large is None:
            return partition
        if not large.at:
            self._refused = (
                f"partition {before[0]}, offset {large.offset}: a batch of {large.size} bytes unpacks to more than"
                f" {self._unpacked}, which the option unpacked allows"
            )
        return (*before, records[: large.at])

    def _place(self, partition: int) -> Any:
        from aiokafka.structs import TopicPartition

        return TopicPartition(self._topic, partition)

    async def _metadata(self) -> tuple[int, str, dict[int, int]]:
        from adapters.transports.kafka_metadata import TopicMetadata, described  # here: it loads the library

        client = self._consumer._client
        return described(await client.send(client.get_random_node(), TopicMetadata(self._topic)))

    async def _within(self, call: Coroutine[Any, Any, T]) -> T:
        """The result of a call, in time. Raises SourceDown, OffsetOutOfRangeError."""
        with self._as_source_down():
            async with asyncio.timeout(self._timeout * _GRACE):
                return await call

    @contextmanager
    def _as_source_down(self) -> Iterator[None]:
        from aiokafka.errors import KafkaError, OffsetOutOfRangeError

        try:
            yield
        except OffsetOutOfRangeError:
            raise
        except (KafkaError, OSError, TimeoutError) as error:
            failure = failure_of(error)
            if failure is not None:
                raise SourceDown.by(self._where, failure) from None
            name = type(error).__name__
            raise SourceDown(f"{self._where} {_WORDS.get(name, f'answers with {name}')}") from None


_TOPIC_ERRORS: Mapping[int, tuple[Reason | None, str]] = {
    3: (Reason.ABSENT, "there is no such topic, or the right to see it is missing"),
    5: (None, "a partition has no leader"),
    17: (Reason.SETTINGS, "that is no name of a topic"),
    29: (Reason.NOT_AUTHORISED, "the right to read the topic is missing"),
}


async def _ended(closing: Coroutine[Any, Any, None], seconds: float) -> bool:
    """Whether it came to a good end in time; in a task of its own, for the library awaits tasks that it cancelled."""
    task = asyncio.create_task(closing)
    await asyncio.wait([task], timeout=seconds)
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=seconds)
        return False
    return not task.cancelled() and task.exception() is None
