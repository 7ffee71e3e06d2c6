"""Avro on a real Kafka, written by Confluent's own serialiser and read with a small registry on loopback."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import schema_registry as small
from confluent_kafka import Producer
from confluent_kafka.serialization import MessageField, SerializationContext
from foreign_kafka import ForeignTopic

from adapters.core import BadRecord, Met, Outside, Read, Record, SourceDown
from adapters.formats.avro import HEADER, Avro
from adapters.formats.json_message import JsonMessage
from adapters.transports import schema_registry
from adapters.transports.kafka_topic import KafkaTopic, TopicConsumer

with warnings.catch_warnings():
    from authlib.deprecate import AuthlibDeprecationWarning  # which sets that it is always shown

    warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # of a library of the library
    from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
    from confluent_kafka.schema_registry.avro import AvroSerializer

WRITTEN = {
    "type": "record",
    "name": "Match",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "on", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "internal", "type": "string"},
    ],
}
READ = {
    "type": "record",
    "name": "Match",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "on", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "until", "type": {"type": "int", "logicalType": "date"}, "default": 20_513},
    ],
}
VALUE = {"id": "A1", "on": date(2026, 2, 28), "at": datetime(2026, 2, 28, 14, 12, 0, 5, tzinfo=UTC), "internal": "x"}
EXPECTED = {"id": "A1", "on": "2026-02-28", "at": "2026-02-28T14:12:00.000005Z", "until": "2026-03-01"}


@pytest.fixture
def registry() -> Iterator[small.Registry]:
    schema_registry._SCHEMAS.clear()
    with small.serving() as result:
        yield result


@pytest.fixture
async def topic(kafka: str, registry: small.Registry) -> AsyncIterator[ForeignTopic]:
    result = ForeignTopic(kafka)
    await result.create()
    yield result
    registry.before = lambda path: None


def transport(registry: small.Registry, **options: Any) -> KafkaTopic:
    return KafkaTopic(avro=Avro(READ), registry=registry.url, timeout=10, **options)


async def poll(topic: ForeignTopic, registry: small.Registry, position: Any = None, **options: Any) -> list[Read]:
    consumer = transport(registry, **options).open(topic.url, None)
    try:
        async with asyncio.timeout(60):
            return await all_of(consumer, position)
    finally:
        await consumer.close()


async def all_of(consumer: TopicConsumer, position: Any = None) -> list[Read]:
    return [read async for batch in consumer.batches(position) async for read in batch.records()]


def serialised(topic: ForeignTopic, registry: small.Registry, schema: Any, values: list[Any], *, header: bool) -> None:
    """Write messages as any client of Confluent's would."""
    client = SchemaRegistryClient({"url": registry.url})
    conf = {"schema.id.serializer": header_schema_id_serializer} if header else {}
    serializer = AvroSerializer(client, json.dumps(schema), conf=conf)
    producer = Producer({"bootstrap.servers": topic.server, "partitioner": "murmur2_random"})
    for value in values:
        headers: list[Any] = []
        context = SerializationContext(topic.name, MessageField.VALUE, headers)
        producer.produce(topic.name, serializer(value, context), key=b"A1", headers=context.headers, partition=0)
    producer.flush(30)


@pytest.mark.parametrize("header", [False, True], ids=["before the body", "in a header"])
async def test_messages_of_confluents_own_serialiser(
    topic: ForeignTopic, registry: small.Registry, *, header: bool
) -> None:
    await asyncio.to_thread(serialised, topic, registry, WRITTEN, [VALUE, VALUE | {"id": "A2"}], header=header)
    registry.asked.clear()
    reads = await poll(topic, registry)
    assert [dict(read.fields) for read in reads if isinstance(read, Record)] == [EXPECTED, EXPECTED | {"id": "A2"}]
    assert reads[1].place == "partition 0 offset 1"
    assert len(registry.asked) == 1, "one question a schema"
    await poll(topic, registry)
    assert len(registry.asked) == 1, "in the life of a process"


async def test_a_message_may_be_as_short_as_its_header_lets_it_be(
    topic: ForeignTopic, registry: small.Registry
) -> None:
    """Of a record without fields nothing is left: look for the header first, check a length in the prefix form only."""
    known = registry.add({"type": "record", "name": "Match", "fields": []})
    identity = b"\0" + known.to_bytes(4, "big")
    await topic.send(b"", headers=[(HEADER, identity)])
    await topic.send(identity)
    consumer = KafkaTopic(
        avro=Avro({"type": "record", "name": "Match", "fields": [{"name": "n", "type": "int", "default": 1}]}),
        registry=registry.url,
    ).open(topic.url, None)
    reads = await all_of(consumer)
    await consumer.close()
    assert [read.fields for read in reads if isinstance(read, Record)] == [{"n": 1}, {"n": 1}]


async def test_what_cannot_be_read_is_refused_alone(topic: ForeignTopic, registry: small.Registry) -> None:
    await asyncio.to_thread(serialised, topic, registry, WRITTEN, [VALUE], header=False)
    await topic.send(b"\0\0\0", b"{}", b"\0\0\0\3\xe7body", b"\0\0\0\0\1\x02")
    await topic.send(b"x", headers=[(HEADER, b"\0")])
    await topic.send(None, key=b"A1")
    reads = await poll(topic, registry)
    assert isinstance(reads[0], Record)
    assert isinstance(reads[-1], Outside)
    refused = [read for read in reads if isinstance(read, BadRecord)]
    assert [read.place for read in refused] == [f"partition 0 offset {number}" for number in range(1, 6)]
    reasons = ["too short", "begins with hex 7b", "schema 999 is unknown", "", "holds no id of a schema"]
    assert all(expected in read.reason for expected, read in zip(reasons, refused, strict=True))
    assert refused[0].raw == b"\0\0\0"


async def test_an_unknown_id_is_asked_for_again_at_the_next_poll(topic: ForeignTopic, registry: small.Registry) -> None:
    await topic.send(b"\0\0\0\0\1")
    assert isinstance((await poll(topic, registry))[0], BadRecord)
    registry.add({"type": "record", "name": "Match", "fields": []})
    (read,) = await poll(topic, registry)
    assert isinstance(read, BadRecord)
    assert "unknown" not in read.reason, "known now, and not to be read by the reader's schema"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ((500, {"error_code": 50001}), "answered 500"),
        ((401, {"error_code": 40101}), "answered 401"),
        ((404, {}), "answered 404"),  # a proxy's page, not the registry's word that it has no such schema
        ((200, {}), "answered with no schema"),
    ],
)
async def test_a_registry_that_is_out_of_order_is_source_down(
    topic: ForeignTopic, registry: small.Registry, reply: small.Reply, why: str
) -> None:
    await asyncio.to_thread(serialised, topic, registry, WRITTEN, [VALUE], header=False)
    registry.before = lambda path: reply
    with pytest.raises(SourceDown, match=why):
        await poll(topic, registry)
    registry.before = lambda path: None
    (read,) = await poll(topic, registry)
    assert read.place == "partition 0 offset 0", "nothing is passed over"


async def test_a_registry_that_is_not_there(topic: ForeignTopic, registry: small.Registry) -> None:
    await topic.send(b"\0\0\0\0\1body")
    nowhere = replace(transport(registry), registry="http://user:hunter22@127.0.0.1:1")
    consumer = nowhere.open(topic.url, None)
    with pytest.raises(SourceDown, match=r"schema registry 127.0.0.1:1 cannot be reached") as error:
        await all_of(consumer)
    await consumer.close()
    assert "hunter22" not in f"{error.value} {nowhere!r}"


async def test_schemas_that_refer_to_others_and_those_of_other_kinds(
    topic: ForeignTopic, registry: small.Registry
) -> None:
    port = {"type": "record", "name": "Port", "fields": [{"name": "code", "type": "string"}]}
    registry.add(port, "port")
    schema = {"type": "record", "name": "Match", "fields": [{"name": "port", "type": "Port"}]}
    known = registry.add(schema, references=[{"name": "Port", "subject": "port", "version": 1}])
    other = registry.add({"type": "object"}, schemaType="JSON")
    lost = registry.add(schema, references=[{"name": "Port", "subject": "gone", "version": 1}])
    for each in (known, other, lost):
        await topic.send(b"\0" + each.to_bytes(4, "big") + b"\x06JFK")
    whole = {"type": "record", "name": "Match", "fields": [{"name": "port", "type": port}]}
    consumer = KafkaTopic(avro=Avro(whole), registry=registry.url).open(topic.url, None)
    read, *refused = await all_of(consumer)
    await consumer.close()
    assert isinstance(read, Record)
    assert read.fields == {"port": {"code": "JFK"}}
    assert all(isinstance(each, BadRecord) for each in refused)
    assert "is of type JSON" in str(refused[0])
    assert "is unknown" in str(refused[1])


async def test_the_key_of_a_message_and_what_is_kept_of_it(topic: ForeignTopic, registry: small.Registry) -> None:
    await asyncio.to_thread(serialised, topic, registry, WRITTEN, [VALUE], header=False)
    (read,) = await poll(topic, registry, key="@key")
    assert read.fields == EXPECTED | {"@key": "A1"}  # type: ignore[union-attr]  # a record
    feed = transport(registry)
    (again,) = feed.reread(read.raw, Met("partition 0 offset 0", ordinal=1))
    assert again.fields == EXPECTED  # type: ignore[union-attr]  # a record
    assert next(iter(feed.render(read.raw))) == f"  {'id':<28} 'A1'"
    assert feed.field_names() == ("id", "on", "at", "until")
    (bad,) = feed.reread(b"\0\0\0", Met("partition 0 offset 1"))
    assert isinstance(bad, BadRecord)


def test_what_is_missing_to_open_it() -> None:
    with pytest.raises(ValueError, match="option registry"):
        KafkaTopic(avro=Avro(READ)).open("kafka://h:1/t", None)
    with pytest.raises(ValueError, match="messages need a format"):
        KafkaTopic(avro=Avro(READ), registry="http://x").open("kafka://h:1/t", JsonMessage())
