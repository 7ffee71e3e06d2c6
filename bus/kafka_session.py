"""One client's life in a Kafka group: what it was assigned, from where it reads, and the loop that reads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.structs import TopicPartition

from bus.contract import Assigned, Delivery, Partition, Revoked
from bus.kafka_clients import DENIED, cancellable, see_commits, stop_consumer, to_the_end
from bus.kafka_control import Control
from bus.kafka_settings import KafkaSettings

_log = logging.getLogger(__name__)

_BATCH = 5_000
_FETCH_WAIT_MS = 500
_HEARTBEAT = 1.0

Batch = tuple[int, list[Delivery]]


class Session(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """A client, its assignment and its reading loop.

    Every rebalance begins a new round. What was read in an earlier one is dropped, because each partition is sought to
    its start again, whoever holds it then.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        control: Control,
        group: str,
        topics: Sequence[str],
        assigned: Assigned | None,
        revoked: Revoked | None,
    ) -> None:
        self._settings = settings
        self._control = control
        self._group = group
        self._topics = topics
        self._assigned = assigned
        self._revoked = revoked
        self._client = self._make()
        self._positions: dict[Partition, int] = {}
        self._balanced = asyncio.Event()
        self._batches: asyncio.Queue[Batch] = asyncio.Queue(maxsize=1)
        self._loop: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self.reading: frozenset[Partition] = frozenset()
        self.round = 0

    async def start(self) -> None:
        """Join the group and begin to read."""
        self._client.subscribe(topics=list(self._topics), listener=self)
        await self._client.start()
        see_commits(self._client)
        await self._balanced.wait()
        self.raise_failure()
        self._loop = asyncio.create_task(self._read())

    async def next(self) -> Batch:
        """The next batch and the round that it was read in."""
        return await self._batches.get()

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Commit through the client, under the membership that it has."""
        await self._client.commit({TopicPartition(*place): at for place, at in positions.items()})

    def held(self) -> frozenset[Partition]:
        """What the client may commit: also what is about to be given up."""
        return frozenset(Partition(*place) for place in self._client.assignment())

    def position(self, partition: Partition) -> int:
        """Where the client will read on."""
        own = self._positions.get(partition, 0)
        if partition not in self.held():
            return own
        state = self._client._subscription.subscription.assignment.state_value(TopicPartition(*partition))
        # The client's own goes past what compaction has left empty.
        return max(own, state.position) if state.has_valid_position else own

    def is_balanced(self) -> bool:
        """An assignment stands, be it empty."""
        return self._balanced.is_set()

    def broken(self) -> bool:
        """The reading loop or one of the client's tasks has ended."""
        tasks = (self._loop, self._client._coordinator._coordination_task, self._client._fetcher._fetch_task)
        return any(task is None or task.done() for task in tasks)

    def refusal(self) -> BaseException | None:
        """What ended the reading loop, where that is a missing right: another client would meet it too."""
        if self._loop is None or not self._loop.done() or self._loop.cancelled():
            return None
        error = self._loop.exception()
        return error if isinstance(error, DENIED) else None

    def raise_failure(self) -> None:
        """Raise what a callback raised, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def end(self, *, revoke: bool = False) -> None:
        """End the client; `revoke` says so to whoever asked to know, as another member may be next."""
        given_up, self.reading = self.reading, frozenset()
        try:
            if revoke and given_up and self._revoked is not None:
                await self._revoked(given_up)
        finally:
            await to_the_end(self._ended())

    async def _ended(self) -> None:
        """A client that is left alone goes on as a member of its group, and nobody reads what it was assigned."""
        await self._end_loop()
        await stop_consumer(self._client, self._settings.deadline)

    async def _end_loop(self) -> None:
        if self._loop is None:
            return
        self._loop.cancel()
        await asyncio.wait([self._loop], timeout=self._settings.deadline)
        if self._loop.done() and not self._loop.cancelled() and (error := self._loop.exception()):
            _log.warning("the reading loop had ended: %r", error)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Called by the client before it rejoins."""
        self.round += 1
        self._balanced.clear()
        given_up, self.reading = self.reading, frozenset()
        if given_up and self._revoked is not None:
            try:
                await self._revoked(given_up)
            except Exception as error:  # aiokafka would only log it: the next poll raises it
                self._failure = error

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Called by the client once it has joined."""
        partitions = frozenset(Partition(*place) for place in assigned)
        try:
            self._positions = await self._starts(partitions) if partitions else {}
        except Exception as error:  # aiokafka would only log it: the next poll raises it, and then joins anew
            self._failure = error
            self._client._fetcher._fetch_task.cancel()
            self._balanced.set()
            return
        self._seek(partitions)
        self.reading = partitions
        self._balanced.set()

    async def _starts(self, partitions: frozenset[Partition]) -> dict[Partition, int]:
        listed = list(partitions)
        starts = await self._control.starts(listed)
        starts |= await self._control.committed(self._group, listed)
        if self._assigned is not None:
            starts |= await self._assigned(partitions)
        return starts

    def _seek(self, partitions: frozenset[Partition]) -> None:
        for partition in partitions & self.held():
            self._client.seek(TopicPartition(*partition), self._positions[partition])

    async def _read(self) -> None:
        """The one loop that calls getmany, for as long as the client lives; it is never wrapped in a timeout."""
        while True:
            await self._balanced.wait()
            began = self.round
            records = await self._client.getmany(timeout_ms=_FETCH_WAIT_MS, max_records=_BATCH)
            if not records:
                continue
            if began != self.round or not self._balanced.is_set():
                # Read across a rebalance: put the positions back, if the new assignment has set them already.
                if self._balanced.is_set():
                    self._seek(frozenset(Partition(*place) for place in records) & self.reading)
                continue
            batch = [delivery for records_of_one in records.values() for delivery in deliveries_of(records_of_one)]
            for delivery in batch:
                self._positions[delivery.partition] = delivery.position + 1
            await self._batches.put((began, batch))

    def _make(self) -> Any:
        session = self._settings.session_timeout
        options = self._settings.client_options()
        # A request to join is answered when the slowest member has come, or its session is over.
        options["request_timeout_ms"] = int(1000 * (max(self._settings.deadline, session) + session))
        client = AIOKafkaConsumer(
            **options,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(session * 1000),
            heartbeat_interval_ms=int(min(_HEARTBEAT, session / 3) * 1000),
            max_partition_fetch_bytes=self._settings.max_message_bytes,
        )
        return cancellable(client, self._settings.deadline)


def deliveries_of(records: Sequence[Any]) -> list[Delivery]:
    partition = Partition(records[0].topic, records[0].partition)
    return [Delivery(partition, record.offset, record.key, record.value, tuple(record.headers)) for record in records]
