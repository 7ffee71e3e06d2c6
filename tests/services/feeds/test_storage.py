"""What feeds keep on the bus: found from any process, large or small, and forgotten when it is dropped."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bus.contract import Bus, BusDown
from bus.open import open_bus
from services.feeds import FeedStorage, Values
from services.wiring import topics


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A bus, by its URL."""
    if request.param == "embedded":
        return f"embedded://{tmp_path / 'bus.db'}"
    return f"kafka://{request.getfixturevalue('kafka')}"


@pytest.fixture
async def bus(address: str) -> AsyncIterator[Bus]:
    """It is open, with all topics."""
    opened = await open_bus(address)
    await opened.declare(topics())
    yield opened
    await opened.close()


@pytest.fixture
def feed() -> str:
    """The key of a feed of this test alone."""
    return f"TOY/{uuid.uuid4().hex}"


async def at_once(step: Callable[[], Awaitable[None]]) -> None:
    await step()


async def process(bus: Bus, feed: str, directory: Path) -> FeedStorage:
    """The storage as a process that just started has it."""
    return FeedStorage(Values(bus, await bus.producer()), feed, directory, at_once)


async def test_values_are_found_by_another_process_and_by_that_feed_alone(bus: Bus, feed: str, tmp_path: Path) -> None:
    one = await process(bus, feed, tmp_path)
    large = os.urandom(3 * 2**20)
    await one.keep({"a": b"1", "b": large})
    assert sorted(await one.names()) == ["a", "b"]
    other = await process(bus, feed, tmp_path)
    assert await other.load("b") == large, "found before anything was listed"
    assert sorted(await other.names()) == ["a", "b"]
    stranger = await process(bus, f"{feed}2", tmp_path)
    assert await stranger.names() == []
    with pytest.raises(KeyError):
        await stranger.load("a")


async def test_a_value_that_is_written_again_or_dropped(bus: Bus, feed: str, tmp_path: Path) -> None:
    one, other = await process(bus, feed, tmp_path), await process(bus, feed, tmp_path)
    await one.keep({"a": b"1", "b": b"2"})
    assert await other.load("a") == b"1"
    await one.keep({"a": b"1"})  # a process that died before its checkpoint does it once more
    assert await other.load("a") == b"1"
    await one.drop(["a", "never"])
    assert await other.names() == ["b"]
    with pytest.raises(KeyError):
        await other.load("a")
    assert await (await process(bus, feed, tmp_path)).names() == ["b"]


async def test_it_waits_while_the_bus_is_down(feed: str, tmp_path: Path) -> None:
    bus = await open_bus(f"embedded://{tmp_path / 'bus.db'}")
    await bus.declare(topics())
    tries = 0

    async def patient(step: Callable[[], Awaitable[None]]) -> None:
        nonlocal tries
        while True:
            tries += 1
            try:
                if tries < 3:
                    raise BusDown("away")
                await step()
                return
            except BusDown:
                await asyncio.sleep(0)

    storage = FeedStorage(Values(bus, await bus.producer()), feed, tmp_path, patient)
    await storage.keep({"a": b"1"})
    assert tries == 3
    assert await storage.load("a") == b"1"
    await bus.close()
