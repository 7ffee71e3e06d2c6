"""The same host over a real Kafka: conservation, a crash at each step, and the fence."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from killing import wait_until
from toy_source import expected, settings, toy, world

from bus.contract import Bus
from bus.open import open_bus
from services import failpoints, kafka_local
from services.ingest import recorded, run


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[Bus]:
    opened = await open_bus(f"kafka://{kafka}")
    yield opened
    await opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "in"
    directory.mkdir()
    (directory / "a.txt").write_text("good 1\ntwo 2\nbad x\nskip 3\nrefuse 4\nthrough 9\ngood 8\nbug 9")
    (directory / "b.txt").write_text("good 11\nskip 12")
    return directory


async def violations(folder: Path, bus: Bus, feed: str) -> list[str]:
    """As `check`, on a bus that holds other tests' messages as well."""
    wanted, seen = expected(folder), await world(bus)
    dead_letters = {dead_letter["id"] for dead_letter in seen.dead_letters if dead_letter["feed"] == feed}
    wrong = [] if wanted["ids"] <= set(seen.ids()) else ["events lost"]
    wrong += [] if len(dead_letters) == wanted["counters"]["dead_lettered"] else [f"{len(dead_letters)} dead letters"]
    counters = seen.checkpoints[f"TOY/{feed}"]["counters"]
    return wrong + ([] if counters == wanted["counters"] else [f"counters {counters}"])


async def test_crashes_cost_no_record(bus: Bus, folder: Path) -> None:
    feed = f"feed{uuid.uuid4().hex}"
    for point in ("ingest.decoded", "ingest.sent", "ingest.saved"):

        async def crash(at: str, point: str = point) -> None:
            if at == point:
                raise RuntimeError(point)

        with failpoints.armed(crash):
            (outcome,) = await run(settings(folder), [toy(folder, name=feed)], once=True, bus=bus, clock=recorded)
        assert outcome.error == f"RuntimeError: {point}"
    (outcome,) = await run(settings(folder), [toy(folder, name=feed)], once=True, bus=bus, clock=recorded)
    assert outcome.error is None
    assert await violations(folder, bus, feed) == []


async def test_a_second_host_takes_over_and_the_first_takes_the_feed_up_again(bus: Bus, folder: Path) -> None:
    feed = f"feed{uuid.uuid4().hex}"
    quick = settings(folder, fence_seconds=0.3)
    stop = asyncio.Event()
    reading = asyncio.Event()

    async def checkpoint(at: str) -> None:
        if at == "ingest.saved":
            reading.set()

    with failpoints.armed(checkpoint):
        first = asyncio.create_task(run(quick, [toy(folder, name=feed)], bus=bus, stop=stop, clock=recorded))
    await reading.wait()
    (second,) = await run(quick, [toy(folder, name=feed)], once=True, bus=bus, clock=recorded)
    assert second.error is None
    await asyncio.sleep(2)  # the first one looks every 0.3 s who holds the feed
    (folder / "c.txt").write_text("good 20")

    async def whole() -> bool:
        return not await violations(folder, bus, feed)

    await wait_until(whole, every=0.2, seconds=20)
    assert (await world(bus)).checkpoints[f"TOY/{feed}"]["epoch"] == 3
    stop.set()
    (outcome,) = await asyncio.wait_for(first, 60)
    assert outcome.error is None
    assert await violations(folder, bus, feed) == []


@pytest.mark.law(2, "the broker killed")
@pytest.mark.slow
async def test_a_broker_killed_and_started_again_costs_no_record(kafka: str, tmp_path: Path, folder: Path) -> None:
    """A Kafka of its own, killed with SIGKILL while a feed is read. `kafka` only says whether one can be run here."""
    home = tmp_path / "kafka"
    address = await asyncio.to_thread(kafka_local.start, home)
    bus = await open_bus(f"kafka://{address}", deadline=3.0)
    try:
        feed = f"feed{uuid.uuid4().hex}"
        passed = 0
        killed = asyncio.Event()

        async def slowly(at: str) -> None:
            nonlocal passed
            passed += at == "ingest.decoded"
            if at == "ingest.decoded" and passed == 2:
                await asyncio.to_thread(kafka_local.kill, home)
                killed.set()

        source = toy(folder, name=feed)
        with failpoints.armed(slowly):
            running = asyncio.create_task(
                run(settings(folder, chunk_records=2), [source], once=True, bus=bus, clock=recorded)
            )
        async with asyncio.timeout(60):
            await killed.wait()
        await asyncio.sleep(6)  # longer than the bus's deadline: it is down, and told so
        assert not running.done()
        assert await asyncio.to_thread(kafka_local.start, home) == address
        (outcome,) = await asyncio.wait_for(running, 60)
        assert outcome.error is None
        assert await violations(folder, bus, feed) == []
    finally:
        await bus.close()
        await asyncio.to_thread(kafka_local.stop, home)
