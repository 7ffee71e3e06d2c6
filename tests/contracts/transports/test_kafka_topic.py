"""A foreign topic on a real Kafka: positions that are ours, what was lost is told, nothing good is withheld."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import toy_source
from confluent_kafka import Producer
from contracts.bus.places import Broker
from foreign_kafka import ForeignTopic
from toy_source import settings, world

from adapters.core import (
    BadRecord,
    Batch,
    Closing,
    Credentials,
    Emptied,
    Feed,
    Filtered,
    Mapped,
    Note,
    Origin,
    Outside,
    Read,
    Record,
    SourceDown,
    System,
)
from adapters.formats.json_message import JsonMessage
from adapters.transports.kafka_client import TopicClient
from adapters.transports.kafka_topic import TOMBSTONE, Address, KafkaTopic, TopicConsumer
from bus.embedded import EmbeddedBus
from services import failpoints
from services.ingest import Source, recorded, run
from services.wiring import topics

PLAIN = KafkaTopic(timeout=15)


@pytest.fixture
async def topic(kafka: str) -> ForeignTopic:
    """A topic of one test's own, of one partition."""
    result = ForeignTopic(kafka)
    await result.create()
    return result


async def poll(
    at: ForeignTopic | str, position: Any = None, transport: KafkaTopic = PLAIN, most: int = 10**9
) -> tuple[list[Batch], list[Read]]:
    """The batches of one poll and what is in them; of the first `most` batches only."""
    batches: list[Batch] = []
    reads: list[Read] = []
    consumer = transport.open(at.url if isinstance(at, ForeignTopic) else at, JsonMessage())
    try:
        async with asyncio.timeout(120), aclosing(consumer.batches(position)) as several:  # type: ignore[type-var]
            async for batch in several:
                batches.append(batch)
                reads += [read async for read in batch.records()]
                if len(batches) == most:
                    break
    finally:
        await consumer.close()
    return batches, reads


def value(number: int, **more: Any) -> bytes:
    return json.dumps({"n": number, **more}).encode()


def numbers(reads: list[Read]) -> list[int]:
    return [read.fields["n"] for read in reads if isinstance(read, Record)]


def refused(reads: list[Read]) -> list[str]:
    return [f"{read.place}: {read.reason}" for read in reads if isinstance(read, BadRecord)]


# --- settings ----------------------------------------------------------------------------------------------------


def test_addresses() -> None:
    several = Address.of("kafka://one.example:9092,two.example:9093/upax.travellers")
    assert several.servers == ("one.example:9092", "two.example:9093")
    assert several.topic == "upax.travellers"
    assert str(several) == "topic 'upax.travellers' at one.example:9092, two.example:9093"


@pytest.mark.parametrize(
    "url",
    ["", "kafka://h:1", "kafka://h:1/", "kafka://h/t", "http://h:1/t", "kafka://h:x/t", "kafka:///t", "kafka://[/t"],
)
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(SourceDown, match="address cannot be used"):
        PLAIN.open(url, JsonMessage())


def test_a_secret_in_the_address_is_refused_and_not_told() -> None:
    with pytest.raises(SourceDown, match="do not belong in it") as text:
        PLAIN.open("kafka://user:hunter22@h:1/t", JsonMessage())
    assert "hunter22" not in str(text.value)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"security_protocol": "TLS"}, "security_protocol is one of"),
        ({"security_protocol": "SASL_SSL"}, "do not go together"),
        ({"sasl_mechanism": "PLAIN"}, "do not go together"),
        ({"security_protocol": "SASL_SSL", "sasl_mechanism": "GSSAPI"}, "sasl_mechanism is one of"),
        ({"ssl_cafile": "ca.pem"}, "TLS settings with security_protocol PLAINTEXT"),
        ({"security_protocol": "SSL", "ssl_certfile": "x.pem"}, "go together"),
        ({"messages": 0}, "at least one message"),
        ({"colour": "red"}, "no option colour"),
    ],
)
def test_settings_that_are_half_set_are_refused(options: dict[str, Any], why: str) -> None:
    """As those of the bus are."""
    feed = Feed("topic", PLAIN, lambda read, origin: None, JsonMessage())  # type: ignore[arg-type,return-value]  # not mapped
    with pytest.raises(ValueError, match=why):
        feed.configured(options)


def test_what_is_missing_to_open_it() -> None:
    with pytest.raises(ValueError, match="messages need a format"):
        PLAIN.open("kafka://h:1/t", None)
    login = KafkaTopic(security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN")
    with pytest.raises(ValueError, match="needs user and secret"):
        login.open("kafka://h:1/t", JsonMessage())
    tls = KafkaTopic(security_protocol="SSL", ssl_cafile="/nowhere/ca.pem")
    with pytest.raises(SourceDown, match=r"tls-files: .* /nowhere/ca\.pem: No such file"):
        tls.open("kafka://h:1/t", JsonMessage())


def test_a_client_is_given_the_login_and_nobody_else_is() -> None:
    login = KafkaTopic(security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512")
    consumer = login.open("kafka://h:1/t", JsonMessage(), Credentials("visabus", "hunter22"))
    options = consumer.client_options
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("visabus", "hunter22")
    assert options["ssl_context"].check_hostname
    assert "hunter22" not in repr(consumer)


# --- what is read ------------------------------------------------------------------------------------------------


async def test_messages_come_in_the_order_of_their_partition_with_what_stands_beside_them(topic: ForeignTopic) -> None:
    await topic.send(value(1), key=b"A", headers=[("trace", b"\xff1"), ("none", b"")])
    await topic.send(value(2))
    (batch,), (first, second) = await poll(topic, transport=replace(PLAIN, key="@key"))
    assert batch.name == f"{topic.name} partition 0, offsets 0 to 1"
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert first.fields == {"n": 1, "@key": "A"}
    assert second.fields == {"n": 2, "@key": None}, "a message without a key"
    beside = first.header["message"]
    assert (beside["partition"], beside["offset"], beside["headers"]) == (0, 0, {"trace": "\ufffd1"})
    assert beside["timestamp"] > 1_700_000_000_000
    assert second.place == "partition 0 offset 1, line 1, byte 0"


async def test_a_topic_with_nothing_in_it_has_nothing(topic: ForeignTopic) -> None:
    assert await poll(topic) == ([], [])


async def test_resuming_at_every_position_reads_the_rest(topic: ForeignTopic) -> None:
    await topic.more_partitions(3)
    for number in range(30):
        await topic.send(value(number), partition=number % 3)
    small = replace(PLAIN, messages=4)
    batches, reads = await poll(topic, transport=small)
    assert sorted(numbers(reads)) == list(range(30))
    assert len(batches) > 6
    for done in range(1, len(batches) + 1):
        some, before = await poll(topic, transport=small, most=done)  # partitions take turns as they come
        _, rest = await poll(topic, some[-1].after, small)
        assert sorted(numbers(before) + numbers(rest)) == list(range(30))
    assert json.loads(json.dumps(batches[-1].after)) == batches[-1].after, "it is kept as JSON"


async def test_a_batch_read_again_has_the_same_records(topic: ForeignTopic) -> None:
    await topic.send(*map(value, range(9)))
    (one,), reads = await poll(topic)
    (other,), again = await poll(topic)
    assert (one.name, one.content, one.after) == (other.name, other.content, other.after)
    assert [read.raw for read in reads] == [read.raw for read in again]
    assert [read async for read in one.records()] == [read async for read in one.records()]


async def test_what_is_committed_in_a_group_counts_for_nothing(topic: ForeignTopic) -> None:
    """Positions are ours; no group is joined."""
    await topic.send(value(1), value(2))
    (batch,), _ = await poll(topic)
    async with topic.admin() as admin:
        assert await admin.list_consumer_groups() == [
            group for group in await admin.list_consumer_groups() if "visabus" not in group[0]
        ]
    assert numbers((await poll(topic))[1]) == [1, 2]
    assert await poll(topic, batch.after) == ([], [])


async def test_what_is_no_message_of_the_format_is_refused_alone(topic: ForeignTopic) -> None:
    """Bytes are decoded outside the client: the good messages beside a bad one are not withheld."""
    await topic.send(value(1), b"\xff\xfe", b"{", b"", b"null", b"[1]", b'{"n": NaN}', value(2))
    _, reads = await poll(topic)
    assert numbers(reads) == [1, 2]
    assert [line.partition(", ")[0] for line in refused(reads)] == [f"partition 0 offset {n}" for n in range(1, 7)]
    assert [read.raw for read in reads if isinstance(read, BadRecord)][:4] == [b"\xff\xfe", b"{", b"", b"null"]


async def test_a_message_of_several_lines_is_one(topic: ForeignTopic) -> None:
    await topic.send(json.dumps({"n": 1, "of": {"x": [1, 2]}}, indent=2).encode())
    assert numbers((await poll(topic))[1]) == [1]


async def test_a_message_that_is_too_large_is_refused_whole(topic: ForeignTopic) -> None:
    large = value(1, text="x" * 2000)
    await topic.send(large, value(2))
    _, reads = await poll(topic, transport=replace(PLAIN, limit=1000))
    assert numbers(reads) == [2]
    assert refused(reads) == [f"partition 0 offset 0: a message of {len(large)} bytes, at most 1000"]
    assert reads[0].raw == large


async def test_tombstones_are_records_where_the_mapping_takes_keys_and_notes_where_not(topic: ForeignTopic) -> None:
    await topic.send(None, key=b'{"id": 7}')
    producer = Producer({"bootstrap.servers": topic.server})
    producer.produce(topic.name)
    await asyncio.to_thread(producer.flush)
    await topic.send(value(2))
    _, reads = await poll(topic)
    assert [type(read) for read in reads] == [Outside, Outside, Record]
    _, keyed = await poll(topic, transport=replace(PLAIN, key="@key", key_as="json"))
    assert [type(read) for read in keyed] == [Record, Outside, Record], "neither key nor value says nothing"
    assert isinstance(keyed[0], Record)
    assert keyed[0].fields == {"@key": {"id": 7}, TOMBSTONE: True}
    assert keyed[0].raw == b'{"id": 7}'


async def test_a_key_that_is_no_json_refuses_its_message(topic: ForeignTopic) -> None:
    await topic.send(value(1), key=b"{")
    _, reads = await poll(topic, transport=replace(PLAIN, key="@key", key_as="json"))
    assert refused(reads) == [
        "partition 0 offset 0: its key is no JSON: Expecting property name enclosed in double quotes"
    ]


@pytest.mark.parametrize("compression", ["gzip", "lz4", "snappy", "zstd"])
async def test_every_compression_is_read(topic: ForeignTopic, compression: str) -> None:
    await topic.send(*map(value, range(50)), compression_type=compression)
    assert numbers((await poll(topic))[1]) == list(range(50))


# --- transactions ------------------------------------------------------------------------------------------------


async def test_only_what_is_committed_is_read_and_what_waits_is_named(topic: ForeignTopic) -> None:
    async with topic.producer(transactional_id=topic.name) as producer:
        async with producer.transaction():
            await producer.send(topic.name, value(1), partition=0)
        await producer.begin_transaction()
        await producer.send_and_wait(topic.name, value(2), partition=0)
        await producer.abort_transaction()
        await producer.begin_transaction()
        await producer.send_and_wait(topic.name, value(3), partition=0)
        await topic.send(value(4))
        consumer = PLAIN.open(topic.url, JsonMessage())
        batches = [batch async for batch in consumer.batches(None)]
        reads = [read for batch in batches for read in [read async for read in batch.records()]]
        assert numbers(reads) == [1]
        assert consumer.deferred() == ("partition 0: 2 offsets behind an open transaction",)
        await consumer.close()
        _, dirty = await poll(topic, transport=replace(PLAIN, read_committed=False))
        assert numbers(dirty) == [1, 2, 3, 4]
        await producer.commit_transaction()
    more, rest = await poll(topic, batches[-1].after)
    assert numbers(rest) == [3, 4]
    assert await poll(topic, more[-1].after) == ([], []), "behind the marker that ends a transaction there is nothing"


async def test_a_partition_of_nothing_but_aborted_messages_ends(topic: ForeignTopic) -> None:
    async with topic.producer(transactional_id=topic.name) as producer:
        await producer.begin_transaction()
        for number in range(20):
            await producer.send_and_wait(topic.name, value(number), partition=0)
        await producer.abort_transaction()
    async with asyncio.timeout(60):
        assert await poll(topic) == ([], [])


# --- what was lost is told ---------------------------------------------------------------------------------------


async def test_messages_deleted_before_they_were_read_are_told(topic: ForeignTopic) -> None:
    """Lag is the end less the position, never a count: the position is compared with the front, too."""
    await topic.send(*map(value, range(10)))
    batches, _ = await poll(topic, transport=replace(PLAIN, messages=4), most=1)
    await topic.delete_before(0, 7)
    again, reads = await poll(topic, batches[0].after)
    assert refused(reads) == ["partition 0 offset 4: offsets 4 to 6 of partition 0 were deleted before they were read"]
    assert numbers(reads) == [7, 8, 9]
    assert again[0].after["at"] == {"0": 7}, "told once: the position behind it is saved"
    assert refused((await poll(topic, again[0].after))[1]) == []


async def test_what_was_deleted_before_the_first_reading_was_never_promised(topic: ForeignTopic) -> None:
    await topic.send(*map(value, range(10)))
    await topic.delete_before(0, 7)
    _, reads = await poll(topic)
    assert (numbers(reads), refused(reads)) == ([7, 8, 9], [])


async def test_messages_deleted_while_the_others_are_read_are_told(
    topic: ForeignTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    await topic.send(*map(value, range(10)))
    sound = TopicClient.seek

    def late(self: TopicClient, offsets: Any) -> None:
        sound(self, dict.fromkeys(offsets, 3))  # as if the first three had gone just now

    await topic.delete_before(0, 5)
    monkeypatch.setattr(TopicClient, "seek", late)
    monkeypatch.setattr(TopicClient, "bounds", _as_before(TopicClient.bounds))
    _, reads = await poll(topic, {"id": "", "at": {"0": 3}})
    assert refused(reads) == ["partition 0 offset 3: offsets 3 to 4 of partition 0 were deleted before they were read"]
    assert numbers(reads) == [5, 6, 7, 8, 9]


def _as_before(bounds: Any) -> Any:
    """The bounds with a front that is not yet known to have moved."""

    async def unsound(self: TopicClient, partitions: Any) -> Any:
        return {number: replace(each, begin=0) for number, each in (await bounds(self, partitions)).items()}

    return unsound


async def test_a_topic_made_anew_is_noticed_by_its_id_and_read_from_its_front(topic: ForeignTopic) -> None:
    """Its offsets begin at 0 again: by the offsets alone the first messages of the new one would never be read."""
    await topic.send(*map(value, range(5)))
    batches, _ = await poll(topic)
    await topic.delete()
    await topic.create()
    await topic.send(*map(value, range(100, 108)))
    _, reads = await poll(topic, batches[-1].after)
    assert refused(reads) == [
        "the topic: the topic was made anew, or is another: what of the one before was not read is gone"
    ]
    assert numbers(reads) == list(range(100, 108))


async def test_partitions_that_were_added_are_read_from_their_front(topic: ForeignTopic) -> None:
    await topic.send(value(1))
    batches, _ = await poll(topic)
    await topic.more_partitions(3)
    await topic.send(value(2), partition=2)
    await topic.send(value(3), value(4), partition=1)
    await topic.delete_before(1, 1)
    _, reads = await poll(topic, batches[-1].after)
    assert sorted(numbers(reads)) == [2, 4]
    assert refused(reads) == ["partition 1 offset 0: offsets 0 to 0 of partition 1 were deleted before they were read"]


async def test_a_partition_that_was_cut_back_is_read_again(topic: ForeignTopic) -> None:
    await topic.send(value(1), value(2))
    (batch,), _ = await poll(topic)
    beyond = {**batch.after, "at": {"0": 50}}
    more, reads = await poll(topic, beyond)
    assert refused(reads) == [
        "partition 0: partition 0 ends at offset 2, and was read up to 50: read again from its front"
    ]
    assert numbers(reads) == [1, 2]
    assert more[-1].after == batch.after


async def test_what_compaction_has_left_out_is_no_loss(topic: ForeignTopic) -> None:
    """Offsets have holes: only the front is compared."""
    async with topic.producer(transactional_id=topic.name) as producer:
        for number in range(4):
            async with producer.transaction():
                await producer.send(topic.name, value(number), partition=0)
    batches, reads = await poll(topic, transport=replace(PLAIN, messages=1))
    assert numbers(reads) == [0, 1, 2, 3]
    assert [batch.after["at"]["0"] for batch in batches] == [1, 3, 5, 7], "markers have offsets, too"
    assert refused(reads) == []


# --- why it is down ----------------------------------------------------------------------------------------------


async def test_a_topic_that_is_not_there_is_told_at_once_and_not_made(kafka: str) -> None:
    missing = ForeignTopic(kafka)
    async with asyncio.timeout(60):
        for _ in range(2):
            with pytest.raises(SourceDown, match="there is no such topic") as error:
                await poll(missing)
    assert missing.name in str(error.value)
    async with missing.admin() as admin:
        assert missing.name not in await admin.list_topics()


async def test_a_name_that_is_none_of_a_topic(kafka: str) -> None:
    with pytest.raises(SourceDown, match="no name of a topic"):
        await poll(f"kafka://{kafka}/a%20b")


async def test_nobody_listens() -> None:
    with pytest.raises(SourceDown, match=r"topic 't' at 127.0.0.1:1: refused: "):
        await poll("kafka://127.0.0.1:1/t")


async def test_a_broker_that_takes_no_login_and_one_that_speaks_no_tls(topic: ForeignTopic) -> None:
    """What the library only writes to its log is asked for once more, and told."""
    login = replace(PLAIN, security_protocol="SASL_PLAINTEXT", sasl_mechanism="PLAIN", timeout=15)
    tls = replace(PLAIN, security_protocol="SSL", timeout=15)
    for transport, why in ((login, "mechanism: |closed: "), (tls, "tls-none: ")):
        consumer = transport.open(topic.url, JsonMessage(), Credentials("visabus", "hunter22"))
        with pytest.raises(SourceDown, match=why) as error:
            await anext(aiter(consumer.batches(None)))
        await consumer.close()
        assert "hunter22" not in str(error.value)


async def test_a_broker_that_stops_answering_is_source_down_in_time(
    topic: ForeignTopic, caplog: pytest.LogCaptureFixture
) -> None:
    """Something listens and never answers, as behind a dead network: no wait without end, at opening or at closing."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    caplog.set_level(logging.CRITICAL, "aiokafka")
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with asyncio.timeout(60):
        with pytest.raises(SourceDown, match="timeout: no answer in time"):
            await poll(f"kafka://127.0.0.1:{port}/t", transport=replace(PLAIN, timeout=1))
    server.close()


@pytest.fixture
def private(kafka: str, tmp_path: Path) -> Any:
    """A Kafka that one test may kill; `kafka` comes first, because it knows whether one can be had."""
    broker = Broker(tmp_path / "private-kafka")
    broker.start()
    yield broker
    broker.start()
    broker.stop()


@pytest.mark.slow
async def test_a_broker_killed_while_it_is_read_and_back_again(private: Broker) -> None:
    """What was read before is done, the rest comes once it is back, by a new client."""
    topic = ForeignTopic(private.address)
    await topic.create(2)
    for partition in range(2):
        await topic.send(*(value(number, text="x" * 3000) for number in range(3000)), partition=partition)
    quick = replace(PLAIN, timeout=4, messages=100)
    seen: list[tuple[int, int]] = []
    position: Any = None
    consumer = quick.open(topic.url, JsonMessage())
    with pytest.raises(SourceDown):  # noqa: PT012 (it breaks off somewhere inside)
        async for batch in consumer.batches(None):
            seen += await _places(batch)
            position = batch.after
            if len(seen) == 500:
                await asyncio.to_thread(private.kill)
    async with asyncio.timeout(60):
        await consumer.close()
    with pytest.raises(SourceDown, match=r"refused: |closed: |timeout: |cannot be reached"):
        await poll(topic, position, quick)
    await asyncio.to_thread(private.start)
    assert 500 <= len(seen) < 6000
    rest, _ = await poll(topic, position)
    for batch in rest:
        seen += await _places(batch)
    assert sorted(seen) == sorted({(partition, number) for partition in range(2) for number in range(3000)})


async def test_a_topic_deleted_while_it_is_read_is_source_down_in_time(topic: ForeignTopic) -> None:
    """Reading what is gone may wait without end, and so may stopping: both have a limit."""
    await topic.send(*(value(number, text="x" * 3000) for number in range(6000)))
    consumer = replace(PLAIN, timeout=3, messages=100).open(topic.url, JsonMessage())
    count = 0
    async with asyncio.timeout(120):
        with pytest.raises(SourceDown):  # noqa: PT012 (it breaks off somewhere inside)
            async for batch in consumer.batches(None):
                count += len(await _places(batch))
                if count == 100:
                    await topic.delete()
        await consumer.close()
        with pytest.raises(SourceDown, match="there is no such topic"):
            await poll(topic)
    assert 100 <= count < 6000


class Crash(BaseException):
    """Stands for a death of the process."""


@pytest.mark.parametrize("point", ["ingest.decoded", "ingest.sent", "ingest.saved"])
async def test_a_crash_at_each_step_loses_nothing_and_counts_nothing_twice(
    topic: ForeignTopic, tmp_path: Path, point: str
) -> None:
    """Through the host: the next run goes on at the position that was saved, whatever was sent beyond it."""
    await topic.more_partitions(2)
    for number in range(12):
        await topic.send(value(number), b"{", partition=number % 2)
    feed = Feed("topic", replace(PLAIN, messages=5), _mapping, JsonMessage())
    system = System("TOY", "Toy", "nobody", 28, ("status",), ("fin",), 1, (feed,))
    source, quick = Source(system, feed, topic.url), settings(tmp_path, chunk_records=2, refuse_min=1000)
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    for nth in range(1, 100):
        hits = 0

        async def crash(at: str, nth: int = nth) -> None:
            nonlocal hits
            hits += at == point
            if hits == nth:
                raise Crash

        with failpoints.armed(crash):
            (outcome,) = await run(quick, [source], once=True, bus=bus, clock=recorded)
        if outcome.error is None:
            break
    assert nth > 2
    results = await world(bus)
    assert len(results.ids()) == 12
    counters = results.checkpoints["TOY/topic"]["counters"]
    assert (counters["read"], counters["published"], counters["dead_lettered"]) == (24, 12, 12)
    await bus.close()


def _mapping(read: Record | Note, origin: Origin) -> Mapped | Filtered:
    """A person of that number was met."""
    if isinstance(read, Note):
        return Mapped()
    return toy_source.mapping(replace(read, fields={"word": "met", "key": str(read.fields["n"])}), origin)


async def _places(batch: Batch) -> list[tuple[int, int]]:
    reads = [read async for read in batch.records()]
    return [(read.header["message"]["partition"], read.fields["n"]) for read in reads if isinstance(read, Record)]


async def test_it_can_be_stopped_at_any_moment(topic: ForeignTopic) -> None:
    """Cancelled in whatever call it is: nothing hangs, and the next poll reads all."""
    await topic.send(*map(value, range(200)))

    async def read() -> None:
        await poll(topic, transport=replace(PLAIN, messages=10))

    for milliseconds in (0, 1, 3, 5, 8, 12, 16, 20, 30, 40, 60):
        task = asyncio.create_task(read())
        await asyncio.sleep(milliseconds / 1000)
        task.cancel()
        async with asyncio.timeout(60):
            await asyncio.gather(task, return_exceptions=True)
    assert numbers((await poll(topic))[1]) == list(range(200))


async def test_a_source_that_writes_slowly_is_read_as_far_as_it_is(topic: ForeignTopic) -> None:
    """A poll ends at what was there when it began, however fast another message comes."""
    position: Any = None
    seen: list[int] = []
    for number in range(5):
        await topic.send(value(number))
        batches, reads = await poll(topic, position)
        position = batches[-1].after
        seen += numbers(reads)
    assert seen == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_batch_that_unpacks_to_too_much_is_not_unpacked(topic: ForeignTopic, compression: str) -> None:
    await topic.send(value(1), value(2))
    await topic.send(value(3, text="x" * 900_000), compression_type=compression)
    await topic.send(value(4))
    small = replace(PLAIN, unpacked=200_000, timeout=6)
    consumer = small.open(topic.url, JsonMessage())
    batches: list[Batch] = []

    async def read_on(position: Any) -> None:
        async for batch in consumer.batches(position):
            batches.append(batch)  # noqa: PERF401 (what came before it fails counts)

    try:
        with pytest.raises(SourceDown, match=r"offset 2: a batch of .* unpacks to more than 200000"):
            await read_on(None)
        assert len(batches) == 1, "what stands before it is read"
        assert len([read async for read in batches[0].records()]) == 2
        with pytest.raises(SourceDown, match="unpacks to more"):
            await read_on(batches[0].after)
    finally:
        await consumer.close()
    assert len(batches) == 1
    _, rest = await poll(topic, batches[0].after)
    assert len(rest) == 2, "and all of it once the option allows it"


# --- whoever writes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("partitioner", "alike"), [("murmur2_random", True), ("consistent_random", False)])
async def test_clients_choose_one_partition_for_a_key_only_if_told_to(
    topic: ForeignTopic, partitioner: str, *, alike: bool
) -> None:
    """So say to whoever writes by librdkafka: `partitioner=murmur2_random`."""
    await topic.more_partitions(8)
    keys = [f"key {number}".encode() for number in range(30)]
    producer = Producer({"bootstrap.servers": topic.server, "partitioner": partitioner})
    for key in keys:
        producer.produce(topic.name, value(0), key=key)
        await topic.send(value(1), key=key, partition=None)
    await asyncio.to_thread(producer.flush)
    _, reads = await poll(topic, transport=replace(PLAIN, key="@key"))
    places: dict[tuple[int, str], int] = {}
    for read in reads:
        assert isinstance(read, Record)
        places[read.fields["n"], read.fields["@key"]] = read.header["message"]["partition"]
    assert all(places[0, key.decode()] == places[1, key.decode()] for key in keys) is alike


def test_a_file_stands_for_the_topic(tmp_path: Path) -> None:
    path = tmp_path / "dump.jsonl"
    path.write_bytes(value(1) + b"\n" + value(2) + b"\n")
    assert numbers(list(PLAIN.offline(path, JsonMessage()))) == [1, 2]


class Ends:
    """A format whose every message vouches for something."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        yield Closing("", stream.read(), {"since": "a", "through": "b"})


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.law(8, "a clock in a topic of several partitions vouches for nothing, and says so")
async def test_what_vouches_does_so_in_a_topic_of_one_partition_only(kafka: str, several: bool) -> None:
    topic = ForeignTopic(kafka)
    await topic.create(partitions=1 + several)
    await topic.send(b"{}")
    consumer = PLAIN.open(topic.url, Ends())
    try:
        (read,) = [read async for batch in consumer.batches(None) async for read in batch.records()]
    finally:
        await consumer.close()
    assert isinstance(read, Note)
    assert isinstance(read, Closing) is not several
    assert ("several partitions" in str(read.fields)) is several


class Empties:
    """A format whose every message says that a table was emptied."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        yield Emptied("", stream.read(), {}, "ITEM ", 7)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.law(2, "a table that is emptied, told in a topic of several partitions: what may come after it is told")
async def test_rows_that_may_be_read_after_their_table_was_emptied_are_told(kafka: str, several: bool) -> None:
    topic = ForeignTopic(kafka)
    await topic.create(partitions=1 + several)
    await topic.send(b"{}")
    consumer = PLAIN.open(topic.url, Empties())
    try:
        first, *rest = [read async for batch in consumer.batches(None) async for read in batch.records()]
    finally:
        await consumer.close()
    assert isinstance(first, Emptied)
    assert ["several partitions" in read.reason for read in rest if isinstance(read, BadRecord)] == [True] * several


def test_the_consumer_says_what_it_left() -> None:
    consumer = PLAIN.open("kafka://h:1/t", JsonMessage())
    assert isinstance(consumer, TopicConsumer)
    assert consumer.deferred() == ()
