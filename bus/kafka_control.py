"""What is asked of Kafka beside sending and receiving: topics, ends, committed positions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from aiokafka.structs import TopicPartition

from bus.contract import BusDown, BusError, Partition, Topic, UnknownTopic
from bus.kafka_clients import cancellable, down, stop_admin, stop_consumer
from bus.kafka_settings import KafkaSettings
from links.kafka import diagnosed
from links.reasons import Reason, failure_of

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Connection:
    """One client for metadata and positions, one for administration."""

    consumer: Any
    admin: Any


_log = logging.getLogger(__name__)
# Room for the key, the headers' names and the framing that the limit on a message does not count.
_FRAMING = 64 * 1024
_REACH = 4.0
"""Seconds at most for the question why Kafka cannot be used."""
_COPIES = 3
_LEAST_COPIES = 2
_LAST = 2


class Control:
    """One connection for questions, made when first needed and made anew when it does not answer."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()
        self._counts: dict[str, int] = {}
        self._reached = False

    async def declare(self, topics: Sequence[Topic]) -> None:
        """Create what is missing, and wait until it can be used."""
        counts = await self._ask(_partition_counts)
        missing = [topic for topic in topics if topic.name not in counts]
        if missing:
            await self._ask(lambda to: self._create(to, missing))
            counts = await self._ask(lambda to: _await_topics(to, missing))
        for topic in topics:
            if counts[topic.name] != topic.partitions:
                raise BusError(f"{topic} stands with {counts[topic.name]} partitions")
        standing = [topic for topic in topics if topic not in missing]
        if standing:
            kept = await self._ask(lambda to: _configs(to, standing))
            for topic in standing:
                self._check(topic, kept.get(topic.name, {}))

    def _check(self, topic: Topic, kept: Mapping[str, str]) -> None:
        """Somebody else's topic, or one that Kafka made by itself, may forget in a week what is to be kept for good."""
        for name, wanted in self._keeping(topic).items():
            if kept.get(name, wanted) != wanted:
                raise BusError(f"{topic} stands with {name}={kept[name]} instead of {wanted}")

    @staticmethod
    def _keeping(topic: Topic) -> dict[str, str]:
        return {
            "cleanup.policy": "compact" if topic.compacted else "delete",
            "retention.ms": "-1",
            "retention.bytes": "-1",
        }

    async def counts(self, topics: Iterable[str]) -> dict[str, int]:
        """How many partitions each topic has. Raises UnknownTopic."""
        wanted = set(topics)
        if not self._counts.keys() >= wanted:
            self._counts = await self._ask(_partition_counts)
        missing = sorted(wanted - self._counts.keys())
        if missing:
            raise UnknownTopic(", ".join(missing))
        return {topic: self._counts[topic] for topic in wanted}

    async def partitions(self, topics: Iterable[str]) -> list[Partition]:
        """The partitions of the topics."""
        counts = await self.counts(topics)
        return [Partition(topic, number) for topic, count in counts.items() for number in range(count)]

    async def ends(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """The next position of each partition."""
        return await self._ask(lambda to: _offsets(to.consumer.end_offsets, partitions))

    async def starts(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """The first position of each partition."""
        return await self._ask(lambda to: _offsets(to.consumer.beginning_offsets, partitions))

    async def committed(self, group: str, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """What the group has committed, for the partitions that it has committed."""
        asked = [TopicPartition(*partition) for partition in partitions]
        offsets = await self._ask(lambda to: to.admin.list_consumer_group_offsets(group, partitions=asked))
        return {Partition(*place): at.offset for place, at in offsets.items() if at.offset >= 0}

    async def close(self) -> None:
        """End the connection."""
        await self._discard(self._connection)

    async def _ask(self, question: Callable[[_Connection], Awaitable[Result]]) -> Result:
        """Ask twice, the second time over a new connection, within the deadline in all.

        Once where Kafka was never reached, but for one that did not answer in time: it may only be slow.
        """
        for attempt in (1, _LAST):
            connection: _Connection | None = None
            try:
                async with asyncio.timeout(self._settings.deadline / 2):
                    connection = await self._connected()
                    return await question(connection)
            except BusDown as error:
                known = not self._reached and error.code != Reason.TIMEOUT  # it has just been asked why
                if error.final or attempt == _LAST or known:
                    raise
                continue
            except (TimeoutError, KafkaError) as error:
                _log.info("Kafka did not answer, attempt %d: %r", attempt, error)
                failure = error
            await self._discard(connection)
        raise down(f"Kafka at {', '.join(self._settings.servers)} does not answer", failure) from failure

    async def _reach(self, options: Mapping[str, Any]) -> None:
        """Ask once why Kafka cannot be used, before the first client: clients keep that to themselves, and try on.

        Raises BusDown. A Kafka that was used before is only away: its reasons may pass.
        """
        if self._reached:
            return
        failure = await diagnosed(options, min(_REACH, self._settings.deadline / 3))
        if failure is not None:
            where = f"Kafka at {', '.join(self._settings.servers)}"
            raise BusDown(f"{where}: {failure}", code=failure.reason, final=failure.reason.final)
        self._reached = True

    async def _connected(self) -> _Connection:
        async with self._connecting:
            if self._connection is None:
                options = self._settings.client_options()
                await self._reach(options)
                both = AIOKafkaConsumer(**options), AIOKafkaAdminClient(**options)
                connection = _Connection(*(cancellable(client, self._settings.deadline / 4) for client in both))
                try:
                    await connection.consumer.start()
                    await connection.admin.start()
                except BaseException:
                    await self._end(connection)
                    raise
                self._connection = connection
            return self._connection

    async def _discard(self, connection: _Connection | None) -> None:
        if connection is not None and connection is self._connection:
            self._connection = None
            await self._end(connection)

    async def _end(self, connection: _Connection) -> None:
        await stop_admin(connection.admin, self._settings.deadline / 4)
        await stop_consumer(connection.consumer, self._settings.deadline / 4)

    async def _create(self, to: _Connection, topics: Sequence[Topic]) -> None:
        cluster = await to.consumer._client.fetch_all_metadata()
        copies = self._settings.replication or min(_COPIES, len(cluster.brokers()))
        response = await to.admin.create_topics([self._new(topic, copies) for topic in topics])
        for name, code, *why in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                if (known := failure_of(error())) is not None:
                    raise BusError(f"topic {name} cannot be created: {known}")
                raise BusError(f"{name}: {error.__name__} {why}")

    def _new(self, topic: Topic, copies: int) -> NewTopic:
        configs = {
            **self._keeping(topic),
            # all in-sync replicas acknowledge: with the leader alone in sync that would be one disk
            "min.insync.replicas": str(_LEAST_COPIES) if copies >= _COPIES else "1",
            "max.message.bytes": str(self._settings.max_message_bytes + _FRAMING),
        }
        return NewTopic(topic.name, topic.partitions, copies, topic_configs=configs)


async def _configs(to: _Connection, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    """How each topic keeps its messages; nothing of those that we may not look at."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    configs: dict[str, dict[str, str]] = {}
    for response in await to.admin.describe_configs(asked):
        for code, _, _, name, entries in response.resources:
            if code:
                _log.warning("how %s keeps its messages cannot be looked at: %s", name, for_code(code).__name__)
            else:
                configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


async def _partition_counts(to: _Connection) -> dict[str, int]:
    cluster = await to.consumer._client.fetch_all_metadata()
    return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}


async def _await_topics(to: _Connection, topics: Sequence[Topic]) -> dict[str, int]:
    while True:
        cluster = await to.consumer._client.fetch_all_metadata()
        if all(cluster.available_partitions_for_topic(topic.name) for topic in topics):
            return await _partition_counts(to)
        await asyncio.sleep(0.1)


async def _offsets(ask: Any, partitions: Sequence[Partition]) -> dict[Partition, int]:
    offsets = await ask([TopicPartition(*partition) for partition in partitions])
    return {Partition(*place): offset for place, offset in offsets.items()}
