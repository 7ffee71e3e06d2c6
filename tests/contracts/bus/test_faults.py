"""Kills, locks, outages and stalls."""

from __future__ import annotations

import asyncio
import gc
import signal
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.structs import TopicPartition
from contracts.bus import checks
from contracts.bus.checks import group
from contracts.bus.places import PATIENCE, Broker, Place, commit, drain, numbered, numbers, send

from bus import kafka_session
from bus.contract import BusDown, Delivery, Message, Partition, Producer
from bus.kafka_clients import stop_consumer

pytestmark = pytest.mark.slow

AtBroker = tuple[Broker, Place]


@pytest.mark.law(2, "what `send` acknowledged stays, on both buses")
async def test_acknowledged_survives_a_kill_of_the_sender(place: Place) -> None:
    await checks.acknowledged_survives_a_kill(place)


async def test_everything_survives_a_restart(place: Place) -> None:
    topic, name = await place.topic(partitions=2), group()
    bus = await place.reopen()
    await send(bus, numbered(topic, range(500)))
    consumer = await bus.consumer(name, [topic])
    await commit(consumer, await drain(consumer, 500))
    ends = await bus.ends([topic])
    bus = await place.reopen()
    assert await bus.ends([topic]) == ends
    assert sorted(numbers([delivery async for delivery in bus.read(topic)])) == list(range(500))
    assert sum((await bus.lag(name, [topic])).values()) == 0


# The embedded bus


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Another process's hold on the file, as far as SQLite can tell."""
    connection = sqlite3.connect(place.url.removeprefix("embedded://"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def test_a_file_locked_by_another_is_down_and_comes_back(embedded: Place) -> None:
    topic = await embedded.topic(partitions=1)
    bus = await embedded.reopen(deadline=0.5)
    producer, consumer = await bus.producer(), await bus.consumer(group(), [topic])
    await producer.send(numbered(topic, [1]))
    deliveries = await drain(consumer, 1)
    with locked(embedded):
        for attempt in (producer.send(numbered(topic, [2])), commit(consumer, deliveries)):
            began = time.monotonic()
            with pytest.raises(BusDown):
                await attempt
            assert time.monotonic() - began < PATIENCE
    await producer.send(numbered(topic, [3]))
    assert numbers(await drain(consumer, 1))[-1] == 3


async def test_sends_under_way_outlast_another_process_that_locks_the_file_and_dies(embedded: Place) -> None:
    topic, name = await embedded.topic(partitions=2), group()
    bus = await embedded.reopen(deadline=PATIENCE)
    producer, consumer = await bus.producer(), await bus.consumer(name, [topic])
    await producer.send(numbered(topic, [0]))
    results = set(numbers(await drain(consumer, 1)))
    async with embedded.child("lock", embedded.url.removeprefix("embedded://")) as child:
        assert await child.line() == "locked"
        sending = [asyncio.create_task(producer.send(numbered(topic, [number]))) for number in range(1, 30)]
        await asyncio.sleep(1.2)  # longer than the lease
        assert not any(task.done() for task in sending)
        await child.kill()
        await asyncio.gather(*sending)
    while len(results) < 30:
        results |= set(numbers(await drain(consumer, 1)))
    assert sorted(numbers([delivery async for delivery in bus.read(topic)])) == list(range(30))


async def test_a_file_locked_past_the_lease_gives_nothing_and_says_so(embedded: Place) -> None:
    topic = await embedded.topic(partitions=1)
    bus = await embedded.reopen(deadline=0.3)
    consumer = await bus.consumer(group(), [topic])
    await send(bus, numbered(topic, [1]))
    with locked(embedded):
        await asyncio.sleep(1.5)
        with pytest.raises(BusDown):
            await consumer.poll()
    assert numbers(await drain(consumer, 1)) == [1]


async def test_a_locked_bus_closes_in_time(embedded: Place) -> None:
    topic = await embedded.topic()
    bus = await embedded.reopen(deadline=0.5)
    await bus.consumer(group(), [topic])
    producer = await bus.producer()
    with locked(embedded):
        sending = asyncio.gather(*(producer.send(numbered(topic, [n])) for n in range(5)), return_exceptions=True)
        await asyncio.sleep(0.1)
        async with asyncio.timeout(PATIENCE):
            await bus.close()
            assert all(isinstance(outcome, BusDown) for outcome in await sending)


async def test_a_full_disk_is_down_and_comes_back(embedded: Place) -> None:
    topic = await embedded.topic(partitions=1)
    bus: Any = await embedded.reopen()
    (pages,) = await bus._writer.read(lambda file: file.execute("PRAGMA page_count").fetchone())
    await bus._writer.read(lambda file: file.execute(f"PRAGMA max_page_count={pages + 20}").fetchone())
    producer = await bus.producer()
    with pytest.raises(BusDown, match="full"):
        await producer.send([Message(topic, b"k", b"x" * 1_000_000)])
    await producer.send(numbered(topic, [1]))
    await bus._writer.read(lambda file: file.execute("PRAGMA max_page_count=1000000").fetchone())
    await producer.send([Message(topic, b"k", b"x" * 1_000_000)])
    assert [len(d.value or b"") async for d in bus.read(topic)] == [1, 1_000_000]


async def test_many_processes_share_the_file(embedded: Place) -> None:
    topic = await embedded.topic(partitions=1)
    bus = await embedded.reopen()
    async with embedded.child("send", topic) as one, embedded.child("send", topic) as other:
        for child in (one, other):
            for expected in range(30):
                assert await child.line() == str(expected)
    kept = numbers([delivery async for delivery in bus.read(topic)])
    assert all(kept.count(number) >= 2 for number in range(30))


async def test_a_frozen_member_loses_its_lease_and_its_late_commit(embedded: Place) -> None:
    topic, name = await embedded.topic(partitions=1), group()
    bus = await embedded.reopen()
    await send(bus, numbered(topic, range(20)))
    async with embedded.child("commit", name, topic) as child:
        assert await child.line() == "20"
        child.signal(signal.SIGSTOP)
        await asyncio.sleep(1.2)
        heir = await bus.consumer(name, [topic])
        assert numbers(await drain(heir, 20)) == list(range(20))
        await heir.commit({Partition(topic, 0): 7})
        child.signal(signal.SIGCONT)
        assert await child.line() == "committed"
        assert await bus.lag(name, [topic]) == {Partition(topic, 0): 13}


# Kafka


async def until_sent(producer: Producer, messages: list[Message]) -> None:
    """Send again until it is acknowledged, as every caller does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await producer.send(messages)
            except BusDown:
                await asyncio.sleep(0.2)


def complaining() -> list[dict[str, Any]]:
    """What asyncio complains of from now on."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, reported: complaints.append(reported))
    return complaints


async def outage(broker: Broker, place: Place, *, kill: bool) -> None:
    """Kafka goes while sends are under way, and comes back: nothing acknowledged is lost, and all goes on.

    The senders are told, and what aiokafka leaves behind that nobody awaits any more is nothing to complain of.
    """
    complaints = complaining()
    topic, name = await place.topic(partitions=2), group()
    bus = await place.reopen()
    producer, consumer = await bus.producer(), await bus.consumer(name, [topic])
    sent: list[int] = []
    down = asyncio.Event()

    async def keep_sending() -> None:
        while not down.is_set():
            number = len(sent)
            began = time.monotonic()
            try:
                await producer.send(numbered(topic, [number]))
                sent.append(number)
            except BusDown:
                down.set()
            assert time.monotonic() - began < PATIENCE

    sending = asyncio.create_task(keep_sending())
    await asyncio.sleep(0.5)
    await asyncio.to_thread(broker.kill if kill else broker.stop)
    await sending
    assert sent
    await asyncio.to_thread(broker.start)
    await until_sent(producer, numbered(topic, [10**6]))
    results: set[int] = set()
    async with asyncio.timeout(120):
        while not results >= {*sent, 10**6}:
            results |= set(numbers(await consumer.poll()))
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
async def test_kafka_goes_and_comes_back(broker: AtBroker, *, kill: bool) -> None:
    await outage(*broker, kill=kill)


async def test_a_frozen_kafka_is_down_in_time_and_closed_in_time(broker: AtBroker) -> None:
    kafka, place = broker
    complaints = complaining()
    topic = await place.topic()
    bus = await place.reopen()
    producer, consumer = await bus.producer(), await bus.consumer(group(), [topic])
    await producer.send(numbered(topic, [1]))
    deliveries = await drain(consumer, 1)
    kafka.freeze()
    try:
        calls: list[Any] = [producer.send(numbered(topic, [n])) for n in range(3)]
        calls += [
            commit(consumer, deliveries),
            bus.ends([topic]),
            (await bus.producer()).send([Message(topic, b"k", b"v")]),
        ]
        async with asyncio.timeout(PATIENCE):
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(outcome, BusDown) for outcome in outcomes), outcomes
        async with asyncio.timeout(PATIENCE):
            await bus.close()
    finally:
        kafka.thaw()
    bus = await place.reopen()
    await until_sent(await bus.producer(), numbered(topic, [2]))
    gc.collect()
    assert complaints == []


async def test_no_kafka_at_all_is_down_in_time() -> None:
    place = Place("kafka", "kafka://127.0.0.1:1", {"deadline": 1.0})
    bus = await place.reopen()
    producer = await bus.producer()
    for call in (producer.send([Message("t", b"k", b"v")]), bus.consumer("g", ["t"]), bus.declare([])):
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(BusDown):
                await call
    async with asyncio.timeout(PATIENCE):
        await place.close()


async def stall(client: Any) -> None:
    """Let every fetch wait for ever, in silence: heartbeats go on, and no task has ended."""

    async def nothing(*_: object) -> bool:
        await asyncio.Event().wait()
        return False

    client._fetcher._proc_fetch_request = nothing


async def test_a_silent_stall_is_seen_and_mended(on_kafka: Place) -> None:
    place = on_kafka
    place.options |= {"stall_timeout": 1.5}
    topic = await place.topic(partitions=2)
    bus = await place.reopen()
    consumer: Any = await bus.consumer(group(), [topic])
    await send(bus, numbered(topic, range(10)))
    await drain(consumer, 10)
    await stall(consumer._session._client)
    await send(bus, numbered(topic, range(10, 30)))
    # One fetch may have been under way already, so what counts is that the rest arrives.
    results: set[int] = set()
    async with asyncio.timeout(PATIENCE):
        while not results >= set(range(10, 30)) or consumer.rebuilds == 0:
            results |= set(numbers(await consumer.poll(timeout=0.2)))
            if results >= set(range(10, 30)):
                await send(bus, numbered(topic, range(10, 30)))
    assert consumer.rebuilds >= 1


async def test_one_stalled_partition_is_seen_while_another_flows(on_kafka: Place) -> None:
    place = on_kafka
    place.options |= {"stall_timeout": 1.0}
    topic = await place.topic(partitions=2)
    bus = await place.reopen()
    consumer: Any = await bus.consumer(group(), [topic])
    await send(bus, numbered(topic, range(20)))
    both = {delivery.partition for delivery in await drain(consumer, 20)}
    assert len(both) == 2
    consumer._session._client.pause(TopicPartition(topic, 0))
    wanted: set[int] = set()
    results: set[int] = set()
    async with asyncio.timeout(PATIENCE):
        while consumer.rebuilds == 0 or not results >= wanted:
            if consumer.rebuilds == 0:
                fresh = range(20 + len(wanted), 30 + len(wanted))
                await send(bus, numbered(topic, fresh))
                wanted |= set(fresh)
            results |= set(numbers(await consumer.poll(timeout=0.2)))
    assert consumer.rebuilds >= 1


async def test_an_idle_partition_is_no_stall(on_kafka: Place) -> None:
    place = on_kafka
    place.options |= {"stall_timeout": 0.5}
    topic = await place.topic(partitions=2)
    bus = await place.reopen()
    consumer: Any = await bus.consumer(group(), [topic])
    await send(bus, numbered(topic, range(10)))
    await drain(consumer, 10)
    for _ in range(8):
        await consumer.poll(timeout=0.2)
    assert consumer.rebuilds == 0


async def test_a_dead_coordination_task_is_mended(on_kafka: Place) -> None:
    place = on_kafka
    topic = await place.topic(partitions=1)
    bus = await place.reopen()
    consumer: Any = await bus.consumer(group(), [topic])
    consumer._session._client._coordinator._coordination_task.cancel()
    await send(bus, numbered(topic, range(10)))
    assert sorted(set(numbers(await drain(consumer, 10)))) == list(range(10))
    assert consumer.rebuilds >= 1


async def test_a_rebalance_that_never_ends_is_mended(on_kafka: Place) -> None:
    place = on_kafka
    place.options |= {"stall_timeout": 1.0}
    topic = await place.topic(partitions=1)
    bus = await place.reopen()
    consumer: Any = await bus.consumer(group(), [topic])
    consumer._session._balanced.clear()
    await send(bus, numbered(topic, range(10)))
    assert sorted(set(numbers(await drain(consumer, 10)))) == list(range(10))
    while consumer.rebuilds == 0:
        await consumer.poll(timeout=0.2)
    assert consumer.assignment()


async def test_rebuilds_that_do_not_help_end_in_down(on_kafka: Place) -> None:
    place = on_kafka
    place.options |= {"stall_timeout": 0.3, "max_rebuilds": 2}
    topic = await place.topic(partitions=1)
    bus = await place.reopen()
    consumer: Any = await bus.consumer(group(), [topic])
    enter = consumer._entered

    async def stalled() -> Any:
        session = await enter()
        session._loop.cancel()
        session._loop = asyncio.create_task(asyncio.Event().wait())
        return session

    consumer._entered = stalled
    consumer._session._loop.cancel()
    await send(bus, numbered(topic, range(10)))
    with pytest.raises(BusDown, match="2 rebuilds"):
        await drain(consumer, 1)
    assert consumer.rebuilds == 2


async def test_a_producer_that_lost_its_sequence_is_rebuilt(on_kafka: Place) -> None:
    place = on_kafka
    topic = await place.topic(partitions=1)
    bus = await place.reopen()
    producer: Any = await bus.producer()
    await producer.send(numbered(topic, [0]))
    transactions = producer._client._txn_manager
    transactions.increment_sequence_number(next(iter(transactions._sequence_numbers)), 100)
    await producer.send(numbered(topic, [1]))
    assert numbers([delivery async for delivery in bus.read(topic)]) == [0, 1]
    assert producer.rebuilds == 1


async def test_a_forced_close_ends_a_consumer(on_kafka: Place) -> None:
    place = on_kafka
    topic = await place.topic(partitions=1)
    bus = await place.reopen()
    consumer: Any = await bus.consumer(group(), [topic])
    before = asyncio.all_tasks()
    await stop_consumer(consumer._session._client, 2.0, gently=False)
    assert len(asyncio.all_tasks()) < len(before)


@pytest.mark.parametrize("call", ["send", "ends", "read", "join"])
async def test_whoever_is_cancelled_while_starting_leaves_no_connection(
    on_kafka: Place, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """At the one moment at which aiokafka would forget a connection: its first question is under way."""
    topic = await on_kafka.topic(partitions=1)
    opened: list[AIOKafkaConnection] = []
    asked = asyncio.Event()
    whole = AIOKafkaConnection.send

    def send(self: AIOKafkaConnection, request: Any, **options: Any) -> Any:
        opened.append(self)
        if isinstance(request, MetadataRequest):
            asked.set()
        return whole(self, request, **options)

    bus = await on_kafka.reopen()
    producer = await bus.producer()
    if call in ("send", "read"):
        await bus.ends([topic])  # what they ask first has its own clients
    monkeypatch.setattr(AIOKafkaConnection, "send", send)

    async def read() -> list[Delivery]:
        return [delivery async for delivery in bus.read(topic)]

    calls: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {
        "send": lambda: producer.send(numbered(topic, [1])),
        "ends": lambda: bus.ends([topic]),
        "read": read,
        "join": lambda: bus.consumer(group(), [topic]),
    }
    if call == "read":
        await producer.send(numbered(topic, [1]))
        opened.clear()
        asked.clear()
    running = asyncio.create_task(calls[call]())
    await asked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await on_kafka.close()
    assert opened
    assert not any(connection.connected() for connection in opened)


async def plainly(closing: Coroutine[Any, Any, None]) -> None:
    """Planted: whoever is cancelled leaves a client alone."""
    await closing


@pytest.mark.parametrize("planted", [False, True])
async def test_a_member_that_is_cancelled_while_it_leaves_has_left(
    on_kafka: Place, planted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is left alone keeps its partitions, and nobody reads them."""
    topic = await on_kafka.topic(partitions=1)
    bus = await on_kafka.reopen()
    consumer: Any = await bus.consumer(group(), [topic])
    client = consumer._session._client
    with monkeypatch.context() as patched:
        if planted:
            patched.setattr(kafka_session, "to_the_end", plainly)
        leaving = asyncio.create_task(consumer.close())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
    assert client._coordinator._coordination_task.done() is not planted
    await stop_consumer(client, 2.0)


async def test_a_place_that_is_gone_while_it_is_looked_at_is_down(
    on_kafka: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The topic was made anew meanwhile: what was there a moment ago is not."""
    topic = await on_kafka.topic(partitions=1)
    on_kafka.options |= {"deadline": 2.0}
    bus: Any = await on_kafka.reopen()
    await send(bus, numbered(topic, [1]))
    here = Partition(topic, 0)

    async def ends(_partitions: object) -> dict[Partition, int]:
        return {here: 100}

    monkeypatch.setattr(bus._control, "ends", ends)
    with pytest.raises(BusDown, match="while reading"):
        await bus.peek({here: 50})
