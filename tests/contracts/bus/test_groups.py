"""Who reads what: groups, members that come, go and die, starts given by the reader."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import pytest
from contracts.bus import checks
from contracts.bus.checks import group
from contracts.bus.places import Place, commit, drain, numbered, numbers, quiet, send

from bus.contract import Consumer, Delivery, Partition


async def test_groups_are_independent(place: Place) -> None:
    await checks.groups_are_independent(place)


async def share(*consumers: Consumer, sizes: list[int]) -> list[Delivery]:
    """Poll until the members hold that many partitions, none of them twice; what they were given."""
    results: list[Delivery] = []
    async with asyncio.timeout(60):
        while True:
            for batch in await asyncio.gather(*(consumer.poll(timeout=0.1) for consumer in consumers)):
                results += batch
            held = [consumer.assignment() for consumer in consumers]
            if sorted(map(len, held)) == sizes:
                assert len(frozenset().union(*held)) == sum(sizes)
                return results


async def test_a_second_member_takes_its_share_and_gives_it_back(place: Place) -> None:
    topic, name = await place.topic(partitions=4), group()
    bus, other = await place.reopen(), await place.another()
    first = await bus.consumer(name, [topic])
    assert len(first.assignment()) == 4
    second = await joined(other, name, topic, first)
    await share(first, second, sizes=[2, 2])
    await send(bus, numbered(topic, range(200)))
    results: set[int] = set()
    async with asyncio.timeout(60):
        while len(results) < 200:
            for member in (first, second):
                batch = await member.poll(timeout=0.1)
                assert {d.partition for d in batch} <= member.assignment()
                await commit(member, batch)
                results |= set(numbers(batch))
    await second.close()
    await share(first, sizes=[4])
    assert await quiet(first) == []
    assert sum((await bus.lag(name, [topic])).values()) == 0


async def joined(bus, name: str, topic: str, *present: Consumer) -> Consumer:
    """Join while those present go on polling."""
    joining = asyncio.create_task(bus.consumer(name, [topic]))
    while not joining.done():
        await asyncio.gather(*(member.poll(timeout=0.1) for member in present))
    consumer: Consumer = await joining
    return consumer


async def test_revoked_is_awaited_before_another_member_reads(place: Place) -> None:
    topic, name = await place.topic(partitions=2), group()
    bus, other = await place.reopen(), await place.another()
    lines: list[str] = []

    async def revoked(partitions: frozenset[Partition]) -> None:
        lines.append("giving up")
        await asyncio.sleep(0.3)
        await first.commit(dict.fromkeys(partitions, 5))
        lines.append("gave up")

    async def assigned(partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        if partitions:
            lines.append("taken")
        return {}

    first = await bus.consumer(name, [topic], revoked=revoked)
    await send(bus, numbered(topic, range(40)))
    await drain(first, 40)
    joining = asyncio.create_task(other.consumer(name, [topic], assigned=assigned))
    async with asyncio.timeout(60):
        while "taken" not in lines:
            await first.poll(timeout=0.1)
    assert lines[:3] == ["giving up", "gave up", "taken"]
    second = await joining
    deliveries = await drain(second, 1)
    assert min(delivery.position for delivery in deliveries) == 5


@pytest.mark.slow
async def test_a_killed_member_is_inherited_from(place: Place) -> None:
    topic, name = await place.topic(partitions=2), group()
    bus = await place.reopen()
    await send(bus, numbered(topic, range(40)))
    first = await bus.consumer(name, [topic])
    read = await drain(first, 40)
    async with place.child("hold", name, topic) as child:
        held = ""
        async with asyncio.timeout(60):
            while held != "1":
                polled = asyncio.create_task(first.poll(timeout=0.1))
                held = await child.line()
                await polled
        await child.kill()
    (kept,) = first.assignment()
    inherited = await share(first, sizes=[2])
    expected = {delivery.position for delivery in read if delivery.partition != kept}
    async with asyncio.timeout(60):
        while expected - {delivery.position for delivery in inherited if delivery.partition != kept}:
            inherited += await first.poll()


async def test_the_reader_says_where_to_start(place: Place) -> None:
    topic, name = await place.topic(partitions=2), group()
    bus = await place.reopen()
    await send(bus, numbered(topic, range(40)))
    consumer = await bus.consumer(name, [topic])
    by_partition: dict[Partition, list[int]] = {}
    everything = await drain(consumer, 40)
    for delivery in everything:
        by_partition.setdefault(delivery.partition, []).append(delivery.position)
    one, two = sorted(by_partition)
    await consumer.commit({one: by_partition[one][5], two: by_partition[two][5]})
    bus = await place.reopen()
    asked: list[frozenset[Partition]] = []

    async def assigned(partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        asked.append(partitions)
        return {one: by_partition[one][2]}

    consumer = await bus.consumer(name, [topic], assigned=assigned)
    expected = {one: by_partition[one][2:], two: by_partition[two][5:]}
    deliveries = await drain(consumer, sum(map(len, expected.values())))
    by_name: dict[Partition, list[int]] = {}
    for delivery in deliveries:
        by_name.setdefault(delivery.partition, []).append(delivery.position)
    assert by_name == expected
    assert await quiet(consumer) == []
    assert asked == [frozenset({one, two})]


async def test_what_a_callback_raises_reaches_the_poll(place: Place) -> None:
    topic, name = await place.topic(partitions=1), group()
    bus = await place.reopen()
    await send(bus, numbered(topic, range(5)))
    calls = 0

    async def assigned(partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise LookupError("no database")
        return {}

    with pytest.raises(LookupError):
        await bus.consumer(name, [topic], assigned=assigned)
    consumer = await bus.consumer(name, [topic], assigned=assigned)
    assert numbers(await drain(consumer, 5)) == list(range(5))


async def test_what_a_callback_raises_later_reaches_the_poll(place: Place) -> None:
    topic, name = await place.topic(partitions=2), group()
    bus, other = await place.reopen(), await place.another()
    broken = False

    async def assigned(partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        if broken:
            raise LookupError("no database")
        return {}

    first = await bus.consumer(name, [topic], assigned=assigned)
    second = await joined(other, name, topic, first)
    await share(first, second, sizes=[1, 1])
    broken = True
    await second.close()
    with pytest.raises(LookupError):
        await drain(first, 1)
    broken = False
    with suppress(LookupError):  # a further try may have failed before that
        await first.poll(timeout=0.1)
    await share(first, sizes=[2])
    await send(bus, numbered(topic, range(20)))
    assert sorted(numbers(await drain(first, 20))) == list(range(20))


async def test_a_commit_of_what_is_not_held_changes_nothing(place: Place) -> None:
    topic, name = await place.topic(partitions=2), group()
    bus, other = await place.reopen(), await place.another()
    await send(bus, numbered(topic, range(40)))
    first = await bus.consumer(name, [topic])
    read = await drain(first, 40)
    second = await joined(other, name, topic, first)
    await share(first, second, sizes=[1, 1])
    (lost,) = second.assignment()
    await first.commit({lost: max(d.position for d in read if d.partition == lost) + 1})
    assert (await bus.lag(name, [topic]))[lost] > 0


async def test_late_commit_is_refused(embedded: Place) -> None:
    await checks.late_commit_is_refused(embedded)
