"""Order, redelivery, positions, topics."""

from __future__ import annotations

import asyncio

import pytest
from contracts.bus import checks
from contracts.bus.checks import group
from contracts.bus.places import Place, commit, drain, numbered, numbers, quiet, send

from bus.contract import BusError, Message, Partition, Topic, UnknownTopic


async def test_order_is_kept_per_key(place: Place) -> None:
    await checks.order_is_kept_per_key(place)


async def test_uncommitted_comes_again(place: Place) -> None:
    await checks.uncommitted_comes_again(place)


async def test_committed_does_not_come_again(place: Place) -> None:
    topic, name = await place.topic(), group()
    bus = await place.reopen()
    await send(bus, numbered(topic, range(100)))
    consumer = await bus.consumer(name, [topic])
    await commit(consumer, await drain(consumer, 100))
    bus = await place.reopen()
    consumer = await bus.consumer(name, [topic])
    await send(bus, numbered(topic, [100]))
    assert numbers(await drain(consumer, 1)) == [100]


async def test_positions_grow_and_resume_behind_themselves(place: Place) -> None:
    topic = await place.topic(partitions=1)
    bus = await place.reopen()
    await send(bus, numbered(topic, range(30)))
    deliveries = await drain(await bus.consumer(group(), [topic]), 30)
    positions = [delivery.position for delivery in deliveries]
    assert positions == sorted(set(positions))
    resumed = [delivery async for delivery in bus.read(topic, {0: positions[9] + 1})]
    assert numbers(resumed) == list(range(10, 30))
    assert (await bus.ends([topic]))[Partition(topic, 0)] > positions[-1]


async def test_a_message_is_seen_by_its_position(place: Place) -> None:
    """Those that stand, of several partitions; none where there is none, or none any more."""
    topic = await place.topic(partitions=2)
    bus = await place.reopen()
    await send(bus, numbered(topic, range(30)))
    deliveries = await drain(await bus.consumer(group(), [topic]), 30)
    ends = await bus.ends([topic])
    for one in (deliveries[0], deliveries[-1]):
        assert await bus.peek({one.partition: one.position}) == {one.partition: one}
    last = {one.partition: one for one in deliveries}
    assert await bus.peek({part: one.position for part, one in last.items()}) == last
    assert await bus.peek(ends) == {}
    assert await bus.peek({}) == {}


async def test_a_poll_takes_no_more_than_asked(place: Place) -> None:
    topic = await place.topic(partitions=2)
    bus = await place.reopen()
    await send(bus, numbered(topic, range(100)))
    consumer = await bus.consumer(group(), [topic])
    results: list[int] = []
    while len(results) < 100:
        batch = await consumer.poll(max_messages=7, timeout=5)
        assert 0 < len(batch) <= 7
        results += numbers(batch)
    assert sorted(results) == list(range(100))


async def test_a_poll_waits_and_wakes(place: Place) -> None:
    topic = await place.topic(partitions=1)
    bus = await place.reopen()
    consumer = await bus.consumer(group(), [topic])
    assert await quiet(consumer) == []
    polling = asyncio.create_task(consumer.poll(timeout=30))
    await send(bus, numbered(topic, [1]))
    async with asyncio.timeout(30):
        assert numbers(await polling) == [1]


async def test_a_read_ends_where_the_topic_ended(place: Place) -> None:
    topic = await place.topic()
    bus = await place.reopen()
    assert [delivery async for delivery in bus.read(topic)] == []
    await send(bus, numbered(topic, range(100)))
    seen: list[int] = []
    async for delivery in bus.read(topic):
        if not seen:
            await send(bus, numbered(topic, range(100, 110)))
        seen += numbers([delivery])
    assert sorted(seen) == list(range(100))


async def test_lag_counts_what_is_not_committed(place: Place) -> None:
    topic, name = await place.topic(partitions=1), group()
    bus = await place.reopen()
    await send(bus, numbered(topic, range(50)))
    assert await bus.lag(name, [topic]) == {Partition(topic, 0): 50}
    consumer = await bus.consumer(name, [topic])
    await commit(consumer, (await drain(consumer, 50))[:20])
    assert await bus.lag(name, [topic]) == {Partition(topic, 0): 30}


async def test_last_value_per_key_is_kept(place: Place) -> None:
    await checks.last_value_per_key_is_kept(place)


async def test_none_deletes_a_key_and_is_seen(place: Place) -> None:
    topic = await place.topic(partitions=1, compacted=True)
    bus = await place.reopen()
    await send(bus, [Message(topic, b"a", b"1"), Message(topic, b"b", b"2"), Message(topic, b"a", None)])
    last = {delivery.key: delivery.value async for delivery in bus.read(topic)}
    assert last == {b"a": None, b"b": b"2"}


async def test_a_compacted_topic_takes_no_message_without_a_key(place: Place) -> None:
    topic = await place.topic(compacted=True)
    bus = await place.reopen()
    with pytest.raises(BusError):
        await send(bus, [Message(topic, None, b"1")])
    assert [delivery async for delivery in bus.read(topic)] == []


async def test_topics_are_declared_once(place: Place) -> None:
    topic = await place.topic(partitions=3)
    bus = await place.reopen()
    await bus.declare([Topic(topic, 3)])
    assert len(await bus.ends([topic])) == 3
    with pytest.raises(BusError, match="3 partitions"):
        await bus.declare([Topic(topic, 4)])


@pytest.mark.parametrize("compacted", [False, True])
async def test_a_topic_that_keeps_otherwise_is_no_topic_of_ours(place: Place, *, compacted: bool) -> None:
    """Compacting the events of the past would rewrite them, and positions that are not compacted grow for ever."""
    topic = await place.topic(partitions=1, compacted=compacted)
    bus = await place.reopen()
    await bus.declare([Topic(topic, 1, compacted)])
    with pytest.raises(BusError, match="stands with"):
        await bus.declare([Topic(topic, 1, not compacted)])


async def test_an_undeclared_topic_is_refused(place: Place) -> None:
    bus = await place.reopen()
    with pytest.raises(UnknownTopic):
        await send(bus, [Message("test.nobody", b"k", b"v")])
    with pytest.raises(UnknownTopic):
        await bus.consumer(group(), ["test.nobody"])
    with pytest.raises(UnknownTopic):
        await bus.ends(["test.nobody"])


async def test_what_is_closed_refuses(place: Place) -> None:
    topic = await place.topic()
    bus = await place.reopen()
    producer, consumer = await bus.producer(), await bus.consumer(group(), [topic])
    for opened in (producer, consumer, bus):
        await opened.close()
        await opened.close()
    with pytest.raises(BusError):
        await producer.send(numbered(topic, [1]))
    with pytest.raises(BusError):
        await consumer.poll()
