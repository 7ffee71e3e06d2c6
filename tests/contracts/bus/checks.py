"""The promises that planted bugs break: written as functions, so that the bugs can be run through them too."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict

from contracts.bus.places import Place, commit, drain, numbered, numbers, quiet, send

from bus.contract import Delivery, Partition


def group() -> str:
    """A group that nobody has used."""
    return f"group.{uuid.uuid4().hex}"


async def order_is_kept_per_key(place: Place) -> None:
    """Equal keys stay in the order sent, in one partition, however the sends were cut."""
    topic = await place.topic()
    bus = await place.reopen()
    sent = numbered(topic, range(2_000), keys=50)
    producer = await bus.producer()
    for start, stop in ((0, 1), (1, 700), (700, 703), (703, 2_000)):
        await producer.send(sent[start:stop])
    consumer = await bus.consumer(group(), [topic])
    per_key: dict[bytes | None, list[Delivery]] = defaultdict(list)
    for delivery in await drain(consumer, len(sent)):
        per_key[delivery.key].append(delivery)
    assert len(per_key) == 50
    for number, deliveries in enumerate(per_key[f"key-{n}".encode()] for n in range(50)):
        assert numbers(deliveries) == list(range(number, 2_000, 50))
        assert len({delivery.partition for delivery in deliveries}) == 1


async def uncommitted_comes_again(place: Place) -> None:
    """After a restart a group resumes behind what it committed, and nowhere else."""
    topic = await place.topic(partitions=1)
    name = group()
    bus = await place.reopen()
    await send(bus, numbered(topic, range(100)))
    consumer = await bus.consumer(name, [topic])
    first = await drain(consumer, 100)
    await commit(consumer, first[:40])
    bus = await place.reopen()
    consumer = await bus.consumer(name, [topic])
    assert numbers(await drain(consumer, 60)) == list(range(40, 100))
    assert await quiet(consumer) == []


async def late_commit_is_refused(place: Place) -> None:
    """A member that was given up for dead does not move the position of those who took over."""
    topic = await place.topic(partitions=1)
    name = group()
    bus = await place.reopen()
    await send(bus, numbered(topic, range(50)))
    zombie = await bus.consumer(name, [topic])
    read = await drain(zombie, 50)
    heir_bus = await place.another()
    await _give_up_for_dead(zombie)
    heir = await heir_bus.consumer(name, [topic])
    assert numbers(await drain(heir, 50)) == list(range(50))
    await heir.commit({Partition(topic, 0): 10})
    await commit(zombie, read)
    assert await heir_bus.lag(name, [topic]) == {Partition(topic, 0): 40}


async def _give_up_for_dead(zombie: object) -> None:
    """Stop its heartbeats, as a stopped process would, and wait until its lease is over."""
    for task in zombie._tasks:  # type: ignore[attr-defined]
        task.cancel()
    await asyncio.sleep(1.3)


async def groups_are_independent(place: Place) -> None:
    """What one group reads and commits is nothing to another."""
    topic = await place.topic()
    bus = await place.reopen()
    await send(bus, numbered(topic, range(60)))
    for name in (group(), group()):
        consumer = await bus.consumer(name, [topic])
        deliveries = await drain(consumer, 60)
        assert sorted(numbers(deliveries)) == list(range(60))
        await commit(consumer, deliveries)


async def acknowledged_survives_a_kill(place: Place) -> None:
    """What a process was told is durable is there after its SIGKILL, in order."""
    topic = await place.topic(partitions=1)
    async with place.child("send", topic) as child:
        acknowledged = [int(await child.line()) for _ in range(20)]
        acknowledged += [int(line) for line in await child.kill()]
    bus = await place.reopen()
    kept = numbers([delivery async for delivery in bus.read(topic)])
    assert kept[: len(acknowledged)] == acknowledged


async def last_value_per_key_is_kept(place: Place) -> None:
    """Whatever compaction does, the last value of each key can be read, also after a restart."""
    topic = await place.topic(partitions=2, compacted=True)
    bus = await place.reopen()
    for start in range(0, 300, 100):
        await send(bus, numbered(topic, range(start, start + 100), keys=7))
    bus = await place.reopen()
    last = {delivery.key: delivery.value async for delivery in bus.read(topic)}
    assert last == {f"key-{n % 7}".encode(): str(n).encode() for n in range(293, 300)}
