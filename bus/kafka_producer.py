"""Sends to Kafka: idempotent, acknowledged by all in-sync replicas, within the deadline."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    CorruptRecordException,
    InvalidProducerEpoch,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownError,
    UnknownProducerId,
)

from bus.contract import BusDown, BusError, Delivery, Message, MessageTooLarge, Partition, Placed, Span
from bus.kafka_clients import cancellable, down, seen, stop_producer
from bus.kafka_control import Control
from bus.kafka_settings import KafkaSettings
from bus.limits import check_size, partition_of
from links.reasons import failure_of

_log = logging.getLogger(__name__)

# One batch a partition and round trip: large, because each waits for the one before.
_BATCH_BYTES = 1024 * 1024
# aiokafka cannot go on after these with the producer id that it has (aiokafka issue 1017).
_LOST_SEQUENCE = (
    OutOfOrderSequenceNumber,
    UnknownProducerId,
    InvalidProducerEpoch,
    ProducerFenced,
    ProducerClosed,
)
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
# The broker's answer to a record that it will never take, such as one without a key on a compacted topic.
_REFUSED = (CorruptRecordException, InvalidTopicError, TopicAuthorizationFailedError, UnknownError)

Batches = dict[Partition, list[Message]]


class KafkaProducer:
    """Sends each call as one batch per partition; rebuilds its client when that is past mending."""

    def __init__(self, settings: KafkaSettings, control: Control) -> None:
        self._settings = settings
        self._control = control
        self._client: Any = None
        self._starting = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()
        self._spread = itertools.count()
        self._sending = 0
        self._closed = False
        self.rebuilds = 0
        """How often the client was thrown away."""

    async def send(self, messages: Sequence[Message]) -> Placed:
        """Return when all messages are acknowledged."""
        if self._closed:
            raise BusError("the producer is closed")
        for message in messages:
            check_size(message, self._settings.max_message_bytes)
        self._sending += 1
        try:
            async with asyncio.timeout(self._settings.deadline):
                return await self._deliver(await self._split(messages))
        except TimeoutError as error:
            self._discard(self._client)
            raise BusDown(f"no acknowledgement within {self._settings.deadline} s") from error
        finally:
            self._sending -= 1

    async def close(self) -> None:
        """End the client; sends under way raise BusDown."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await stop_producer(client, self._settings.deadline, gently=self._sending == 0)
        if self._ending:
            await asyncio.wait(self._ending, timeout=self._settings.deadline)

    async def _split(self, messages: Sequence[Message]) -> Batches:
        counts = await self._control.counts({message.topic for message in messages})
        spread = next(self._spread)
        batches: Batches = {}
        for message in messages:
            topic, key = message.topic, message.key
            count = counts[topic]
            number = spread % count if key is None else partition_of(key, count)
            batches.setdefault(Partition(topic, number), []).append(message)
        return batches

    async def _deliver(self, batches: Batches) -> Placed:
        """Send, and once more over a new client if the old one has lost its sequence: repeats are allowed."""
        for last in (False, True):
            client = await self._started()
            try:
                return await _send_all(client, batches)
            except _TOO_LARGE as error:
                raise MessageTooLarge(str(error)) from error
            except _REFUSED as error:
                known = failure_of(error)
                raise BusError(f"not sent: {known}" if known is not None else repr(error)) from error
            except _LOST_SEQUENCE as error:
                self._discard(client)
                if last or self._closed:
                    raise BusDown(repr(error)) from error
            except KafkaError as error:
                self._discard(client)
                raise down("could not send", error) from error
        raise BusDown("the producer lost its sequence")  # never reached: the last attempt returns or raises

    async def _started(self) -> Any:
        async with self._starting:
            if self._client is None:
                client = self._make()
                try:
                    await client.start()
                except KafkaError as error:
                    self._throw_away(client)
                    raise down("could not connect to send", error) from error
                except BaseException:
                    self._throw_away(client)
                    raise
                self._client = client
            return self._client

    def _make(self) -> Any:
        client = AIOKafkaProducer(
            **self._settings.client_options(),
            acks="all",
            enable_idempotence=True,
            compression_type=self._settings.compression,
            max_batch_size=_BATCH_BYTES,
            max_request_size=self._settings.max_message_bytes + _BATCH_BYTES,
        )
        return cancellable(client, self._settings.deadline)

    def _discard(self, client: Any) -> None:
        if client is None or client is not self._client:
            return
        _log.warning("the Kafka producer is thrown away and built anew")
        self._client = None
        self.rebuilds += 1
        self._throw_away(client)

    def _throw_away(self, client: Any) -> None:
        # In the background, so that whoever sent is told in time.
        task = asyncio.create_task(stop_producer(client, self._settings.deadline, gently=False))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


async def _send_all(client: Any, batches: Batches) -> Placed:
    sends = [_send_partition(client, partition, messages) for partition, messages in batches.items()]
    placed: dict[Partition, Span] = {}
    for partition, outcome in zip(batches, await asyncio.gather(*sends, return_exceptions=True), strict=True):
        if isinstance(outcome, BaseException):
            raise outcome
        if outcome is not None:
            first, at = outcome
            last = batches[partition][-1]
            placed[partition] = Span(first, Delivery(partition, at, last.key, last.value, last.headers))
    return placed


async def _send_partition(client: Any, partition: Partition, messages: Sequence[Message]) -> tuple[int, int] | None:
    """Return the positions of the first and the last message; None where Kafka did not tell, as for what it had."""
    begun, position = -1, -1
    for batch in _built(client, messages):
        acknowledged = await client.send_batch(batch, partition.topic, partition=partition.number)
        acknowledged.add_done_callback(seen)
        await asyncio.wait([acknowledged])  # which leaves it alone when it is given up, so that its end is seen
        first = acknowledged.result().offset
        begun = begun if begun >= 0 else first
        position = first + batch.record_count() - 1 if first >= 0 else -1
    return (begun, position) if position >= 0 else None


def _built(client: Any, messages: Sequence[Message]) -> Iterator[Any]:
    batch = client.create_batch()
    for message in messages:
        record = {
            "key": message.key,
            "value": message.value,
            "headers": list(message.headers),
            "timestamp": None,
        }
        if batch.append(**record) is None:
            yield batch
            batch = client.create_batch()
            batch.append(**record)
    batch.close()
    if batch.record_count():
        yield batch
