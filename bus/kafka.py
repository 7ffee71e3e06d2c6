"""The bus on Apache Kafka, through aiokafka."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from bus.contract import Assigned, BusDown, Delivery, Partition, Revoked, Topic
from bus.kafka_acls import Allowed, allow
from bus.kafka_clients import DENIED, cancellable, down, stop_consumer
from bus.kafka_consumer import KafkaConsumer
from bus.kafka_control import Control
from bus.kafka_producer import KafkaProducer
from bus.kafka_session import deliveries_of
from bus.kafka_settings import KafkaSettings

_READ_WAIT_MS = 200


class KafkaBus:
    """A bus on a Kafka cluster: `await KafkaBus.open(settings)`."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._control = Control(settings)
        self._producers: list[KafkaProducer] = []
        self._consumers: list[KafkaConsumer] = []

    @classmethod
    async def open(cls, settings: KafkaSettings) -> KafkaBus:
        """A bus whose connections are made when they are needed: Kafka may still be starting.

        Raises Unusable for certificates and keys that cannot be used.
        """
        settings.client_options()
        return cls(settings)

    async def declare(self, topics: Iterable[Topic]) -> None:
        """Create what is missing: kept for good, or compacted."""
        await self._control.declare(list(topics))

    async def producer(self) -> KafkaProducer:
        """A new producer."""
        producer = KafkaProducer(self._settings, self._control)
        self._producers.append(producer)
        return producer

    async def consumer(
        self,
        group: str,
        topics: Sequence[str],
        *,
        assigned: Assigned | None = None,
        revoked: Revoked | None = None,
    ) -> KafkaConsumer:
        """Join a group."""
        await self._control.counts(topics)
        consumer = KafkaConsumer(self._settings, self._control, group, topics, assigned, revoked)
        await consumer.join()
        self._consumers.append(consumer)
        return consumer

    async def read(self, topic: str, start: Mapping[int, int] | None = None) -> AsyncIterator[Delivery]:
        """All that a topic holds now."""
        partitions = await self._control.partitions([topic])
        ends = await self._control.ends(partitions)
        starts = await self._control.starts(partitions)
        starts |= {p: start[p.number] for p in partitions if start and p.number in start}
        left = {TopicPartition(*p): ends[p] for p in partitions if starts[p] < ends[p]}
        if not left:
            return
        client = self._reader()
        client.assign(list(left))
        try:
            await self._start(client)
            for place in left:
                client.seek(place, starts[Partition(*place)])
            async for delivery in self._until(client, left):
                yield delivery
        finally:
            await stop_consumer(client, self._settings.deadline)

    async def peek(self, places: Mapping[Partition, int]) -> dict[Partition, Delivery]:
        """The message at each position."""
        partitions = sorted(places)
        starts, ends = await self._control.starts(partitions), await self._control.ends(partitions)
        left = {TopicPartition(*p): places[p] + 1 for p in partitions if starts[p] <= places[p] < ends[p]}
        if not left:
            return {}
        client = self._reader()
        client.assign(list(left))
        try:
            await self._start(client)
            for place, after in left.items():
                client.seek(place, after - 1)
            return {delivery.partition: delivery async for delivery in self._until(client, dict(left))}
        finally:
            await stop_consumer(client, self._settings.deadline)

    async def begins(self, topics: Sequence[str]) -> dict[Partition, int]:
        """The first position of each partition."""
        return await self._control.starts(await self._control.partitions(topics))

    async def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        """The next position of each partition."""
        return await self._control.ends(await self._control.partitions(topics))

    async def lag(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        """Positions between the group's and the end: an upper bound of the messages."""
        partitions = await self._control.partitions(topics)
        done = await self._control.starts(partitions)
        done |= await self._control.committed(group, partitions)
        ends = await self._control.ends(partitions)
        return {partition: max(0, ends[partition] - done[partition]) for partition in partitions}

    async def allow(self, rules: Iterable[Allowed]) -> None:
        """Make what is missing of the authoriser's rules. Raises BusDown, and BusError where that cannot be."""
        await allow(self._settings, rules)

    async def close(self) -> None:
        """Close everything this bus opened."""
        closing = [p.close() for p in self._producers] + [c.close() for c in self._consumers]
        await asyncio.gather(*closing)
        await self._control.close()

    def _reader(self) -> Any:
        client = AIOKafkaConsumer(
            **self._settings.client_options(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=self._settings.max_message_bytes,
        )
        return cancellable(client, self._settings.deadline)

    async def _start(self, client: Any) -> None:
        try:
            async with asyncio.timeout(self._settings.deadline):
                await client.start()
        except (TimeoutError, KafkaError) as error:
            raise down("could not read", error) from error

    async def _until(self, client: Any, left: dict[TopicPartition, int]) -> AsyncIterator[Delivery]:
        """Yield up to the ends given. Compaction leaves gaps, so the client's position says when it is there."""
        loop = asyncio.get_running_loop()
        progressed = loop.time()
        while left:
            try:
                records = await client.getmany(timeout_ms=_READ_WAIT_MS)
            except DENIED as error:
                raise down("could not read", error) from error
            for place, batch in records.items():
                for delivery in deliveries_of(batch):
                    if place in left and delivery.position < left[place]:
                        yield delivery
            for place in list(left):
                state = client._subscription.subscription.assignment.state_value(place)
                # none while the client looks for its place anew, where what it was to read is gone
                if state.has_valid_position and state.position >= left[place]:
                    del left[place]
            if records:
                progressed = loop.time()
            elif loop.time() - progressed > self._settings.deadline:
                raise BusDown(f"no answer within {self._settings.deadline} s while reading")
