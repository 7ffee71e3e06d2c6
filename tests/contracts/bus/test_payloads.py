"""Large and odd messages."""

from __future__ import annotations

import os

import pytest
from contracts.bus.checks import group
from contracts.bus.places import Place, drain, send

from bus.contract import Message, MessageTooLarge

LIMIT = 1024 * 1024

ODD = [
    (b"k", b"", ()),
    (b"k", None, ()),
    (b"", b"v", ()),
    (None, b"v", ()),
    (None, b"", ()),
    (b"\x00\xff", b"\x00" * 10, ()),
    (b"k", b"v", (("h", b""),)),
    (b"k", b"v", (("h", bytes(range(256))), ("h", b"again"), ("", b"x"), ("Zürich", b"\xc3\x28"))),
    (b"k" * 5_000, b"v" * 100_000, ()),
]


async def test_odd_messages_arrive_as_they_were(place: Place) -> None:
    topic = await place.topic(partitions=1)
    bus = await place.reopen()
    await send(bus, [Message(topic, *parts) for parts in ODD])
    deliveries = await drain(await bus.consumer(group(), [topic]), len(ODD))
    assert [(d.key, d.value, d.headers) for d in deliveries] == ODD


async def test_messages_without_a_key_are_spread(place: Place) -> None:
    topic = await place.topic(partitions=3)
    bus = await place.reopen()
    producer = await bus.producer()
    for number in range(12):
        await producer.send([Message(topic, None, str(number).encode())])
    deliveries = [delivery async for delivery in bus.read(topic)]
    assert len(deliveries) == 12
    assert len({delivery.partition for delivery in deliveries}) == 3


async def test_no_messages_are_no_trouble(place: Place) -> None:
    bus = await place.reopen()
    await send(bus, [])


@pytest.mark.parametrize("limit", [LIMIT, None])
async def test_the_largest_message_arrives_and_a_larger_one_is_refused(place: Place, limit: int | None) -> None:
    topic = await place.topic(partitions=1)
    bus = await place.reopen(**({"max_message_bytes": limit} if limit else {}))
    limit = limit or 4 * 1024 * 1024
    headers = (("name", b"content"),)
    value = os.urandom(limit - len("keynamecontent"))
    await send(bus, [Message(topic, b"key", value, headers), Message(topic, b"key", b"small")])
    with pytest.raises(MessageTooLarge):
        await send(bus, [Message(topic, b"key", b"with it"), Message(topic, b"key", value + b"x", headers)])
    deliveries = await drain(await bus.consumer(group(), [topic]), 2)
    assert [d.value for d in deliveries] == [value, b"small"]


async def test_many_large_messages_arrive(place: Place) -> None:
    topic = await place.topic(partitions=2)
    bus = await place.reopen()
    values = [bytes([n]) * 700_000 for n in range(30)]
    await send(bus, [Message(topic, str(n).encode(), value) for n, value in enumerate(values)])
    deliveries = await drain(await bus.consumer(group(), [topic]), 30)
    assert sorted(d.value or b"" for d in deliveries) == values
