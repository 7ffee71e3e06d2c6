"""A Kafka of somebody else's, as its owner uses it: topics made, emptied and made anew, messages of all kinds sent."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.errors import for_code
from aiokafka.structs import TopicPartition


@dataclass
class ForeignTopic:
    """A topic that its owner has rights on, on a real broker."""

    server: str
    name: str = field(default_factory=lambda: f"upax.{uuid.uuid4().hex}")

    @property
    def url(self) -> str:
        """The address of a feed."""
        return f"kafka://{self.server}/{self.name}"

    async def create(self, partitions: int = 1, **configs: str) -> None:
        """Make it, and wait until it can be used. The library never raises what the broker refuses: it is looked at."""
        configs = {name.replace("_", "."): value for name, value in configs.items()}
        async with self.admin() as admin:
            response = await admin.create_topics([NewTopic(self.name, partitions, 1, topic_configs=configs)])
            for _, code, *_ in response.topic_errors:
                if code:
                    raise for_code(code)(self.name)
            await _until(lambda: self._ready(admin), partitions)

    async def _listed(self, admin: AIOKafkaAdminClient) -> int:
        return (await admin.list_topics()).count(self.name)

    async def _ready(self, admin: AIOKafkaAdminClient) -> int:
        """How many partitions have a leader."""
        (topic,) = await admin.describe_topics([self.name])
        return sum(each["leader"] >= 0 for each in topic["partitions"])

    async def delete(self) -> None:
        """Delete it, and wait until it is gone."""
        async with self.admin() as admin:
            response = await admin.delete_topics([self.name])
            assert all(not code for _, code, *_ in response.topic_error_codes)
            await _until(lambda: self._listed(admin), 0)

    async def more_partitions(self, count: int) -> None:
        """Have that many partitions from now on."""
        async with self.admin() as admin:
            await admin.create_partitions({self.name: NewPartitions(total_count=count)})
            await _until(lambda: self._ready(admin), count)

    async def delete_before(self, partition: int, offset: int) -> None:
        """Have the messages before an offset deleted, as their age would."""
        async with self.admin() as admin:
            await admin.delete_records({TopicPartition(self.name, partition): RecordsToDelete(offset)})

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        """Its owner's client."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.server)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    @asynccontextmanager
    async def producer(self, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
        """Somebody who writes."""
        producer = AIOKafkaProducer(bootstrap_servers=self.server, max_batch_size=2**20, **options)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def send(
        self,
        *values: bytes | None,
        partition: int | None = 0,
        key: bytes | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
        **options: Any,
    ) -> None:
        """Write messages, one after another."""
        async with self.producer(**options) as producer:
            for value in values:
                await producer.send(self.name, value, key=key, partition=partition, headers=list(headers))
            await producer.flush()


async def _until(asked: Callable[[], Awaitable[int]], expected: int) -> None:
    """Ask until the answer is that."""
    async with asyncio.timeout(30):
        while await asked() != expected:  # noqa: ASYNC110 (another process's state)
            await asyncio.sleep(0.05)
