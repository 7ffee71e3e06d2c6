"""Messages that a simulated system writes to a real Kafka: all of them, and none for the sake of a bad neighbour."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from foreign_kafka import ForeignTopic

from adapters.core import Read, Record
from adapters.formats.json_message import JsonMessage
from adapters.transports.kafka_topic import KafkaTopic
from services.simulator import kafka as simulated
from services.simulator.kafka import KafkaDown, write


async def numbers(topic: ForeignTopic) -> list[int]:
    """What is in the topic."""
    consumer = KafkaTopic(key="@key").open(topic.url, JsonMessage())
    reads: list[Read] = [read async for batch in consumer.batches(None) async for read in batch.records()]
    await consumer.close()
    return sorted(read.fields["n"] for read in reads if isinstance(read, Record))


async def test_all_messages_are_written_and_a_topic_that_is_there_is_told(kafka: str) -> None:
    """The library raises nothing where the broker refuses to make a topic: the code in its answer is looked at."""
    topic = ForeignTopic(kafka)
    messages = [(b"key %d" % number, b'{"n": %d}' % number) for number in range(2_500)]
    assert await write(topic.url, messages) == 2_500
    assert await numbers(topic) == list(range(2_500))
    with pytest.raises(KafkaDown, match="TopicAlreadyExistsError"):
        await write(topic.url, messages)


async def test_a_message_that_is_refused_costs_none_of_its_neighbours(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker judges a batch: a record that is too large fails all that are in one batch with it."""
    topic = ForeignTopic(kafka)
    await topic.create(max_message_bytes="5000")

    async def made(*_: Any) -> None:
        return

    monkeypatch.setattr(simulated, "_make", made)
    messages = [(b"key", b'{"n": %d}' % number) for number in range(50)]
    large = (b"key", b'{"n": 99, "text": "%s"}' % (b"x" * 20_000))
    with pytest.raises(KafkaDown, match="MessageSizeTooLargeError"):
        await write(topic.url, [*messages[:25], large, *messages[25:]])
    assert await numbers(topic) == list(range(50))


async def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated, "TIMEOUT", 3.0)
    async with asyncio.timeout(60):
        with pytest.raises(KafkaDown):
            await write("kafka://127.0.0.1:1/t", [])
