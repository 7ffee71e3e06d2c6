"""Brokers and databases that go away under load, sources that are not there yet, and records that cannot be read."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import httpx
import pytest
from killing import moved, pushed, spread, wait_until, watching
from pipeline import Pipeline, counters, positions, stop, wrong_counts
from servers import restart_postgres, start_postgres, stop_postgres

from bus.open import open_bus
from services import kafka_local
from services.simulator.push import Pushed
from services.wiring import topics

pytestmark = pytest.mark.slow

RESTARTS = 3


class Portions:
    """IDENT's messages, let through some at a time: whatever a machine can do, there is something left to do."""

    def __init__(self, pipeline: Pipeline, portions: int) -> None:
        self._pipeline = pipeline
        self._size = len(list(pipeline.messages.iterdir())) // portions
        self._allowed = asyncio.Semaphore(0)

    def more(self, count: int = 0) -> None:
        """Let the next portion through, or so many."""
        for _ in range(count or self._size):
            self._allowed.release()

    async def send(self) -> Pushed:
        """Send all, as they are let through."""
        return await pushed(self._pipeline, self._asks, self._hears)

    async def _asks(self, _request: httpx.Request) -> None:
        await self._allowed.acquire()

    async def _hears(self, response: httpx.Response) -> None:
        if response.status_code != 200:
            self.more(1)  # it comes again


@asynccontextmanager
async def under_load(pipeline: Pipeline, portions: int = 1) -> AsyncIterator[Portions]:
    """All processes at work while something happens; behind it all is in the view."""
    correlator = pipeline.start("correlate")
    reader = pipeline.start("ingest", "--once", "--take-over", "--stamp", "recorded")
    door = pipeline.open_door()
    messages = Portions(pipeline, portions)
    sending = asyncio.create_task(messages.send())
    try:
        yield messages
        messages.more(10_000)
        assert await asyncio.to_thread(reader.wait, 200) == 0, pipeline.log_of("ingest")

        async def sent() -> bool:
            assert door.poll() is None, pipeline.log_of("door")
            return sending.done()

        await wait_until(sent, every=0.1, seconds=200)
        await sending
        await asyncio.gather(stop(door), stop(correlator))
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        for process in (correlator, reader, door):
            process.kill()
            process.wait()
    await asyncio.to_thread(pipeline.correlate)


@pytest.mark.law(2, "PostgreSQL stopped at once, three times under load")
async def test_postgresql_stopped_at_once_and_started_again(
    tmp_path: Path, population: Path, expected: str, postgres_server: str, tell: Callable[[str], None]
) -> None:
    """A PostgreSQL of the test's own; `postgres_server` only says whether one can be run here."""
    assert postgres_server
    home = tmp_path / "postgres"
    home.mkdir()
    pipeline = replace(Pipeline.embedded(tmp_path / "data", population, chunk=20), store=start_postgres(home))
    waits = []
    try:
        async with under_load(pipeline, 3 * RESTARTS + 1) as messages, watching(pipeline) as watch:
            for _ in range(RESTARTS):
                messages.more()
                await moved(watch.correlated)
                began = time.monotonic()
                messages.more()
                await asyncio.to_thread(restart_postgres, home)
                messages.more()
                await moved(watch.correlated)
                waits.append(time.monotonic() - began)
        tell(spread("from stopping PostgreSQL at once to the next thing that a correlator did", waits))
        assert pipeline.digest() == expected
        assert await wrong_counts(pipeline, population) == []
    finally:
        stop_postgres(home)


@pytest.mark.law(2, "Kafka killed under load")
async def test_the_broker_killed_and_started_again_under_load(
    tmp_path: Path, population: Path, expected: str, kafka: str, tell: Callable[[str], None]
) -> None:
    """A Kafka of the test's own; `kafka` only says whether one can be run here."""
    assert kafka
    home = tmp_path / "kafka"
    address = kafka_local.start(home)
    pipeline = replace(Pipeline.embedded(tmp_path / "data", population, chunk=20), bus=f"kafka://{address}")
    try:
        async with under_load(pipeline) as messages:
            messages.more()
            async with watching(pipeline) as watch:
                await moved(watch.read)
            await asyncio.to_thread(kafka_local.kill, home)
            await asyncio.sleep(2)
            began = time.monotonic()
            await asyncio.to_thread(kafka_local.start, home)
            up = time.monotonic() - began
            async with watching(pipeline) as watch:
                await moved(watch.read)
            wait = time.monotonic() - began
        tell(f"from starting Kafka to the next thing that ingest did {wait:.2f} s, {up:.2f} s of it Kafka's own")
        assert pipeline.digest() == expected
        assert await wrong_counts(pipeline, population) == []
    finally:
        kafka_local.stop(home)


OUTAGE_SECONDS = 30
LINES = 100
"""Of one process in half a minute without Kafka."""


def lines_of(pipeline: Pipeline, command: str, *, bounded: bool = True) -> list[str]:
    """The lines of a command's log; without `bounded` as many as were said, those that were counted each as one."""
    lines = (pipeline.data / f"{command}.log").read_text().splitlines()
    return (
        lines
        if bounded
        else lines + ["counted"] * sum(int(number) for line in lines for number in re.findall(r"\bcount=(\d+)", line))
    )


@pytest.mark.law(2, "half a minute without Kafka is told in few lines, and those are filled in")
async def test_half_a_minute_without_kafka_floods_no_log(
    tmp_path: Path, population: Path, kafka: str, tell: Callable[[str], None]
) -> None:
    """A Kafka of the test's own; `kafka` only says whether one can be run here."""
    assert kafka
    home = tmp_path / "kafka"
    address = await asyncio.to_thread(kafka_local.start, home)
    pipeline = replace(Pipeline.embedded(tmp_path / "data", population, chunk=20), bus=f"kafka://{address}")
    running = [pipeline.start("ingest", "--take-over"), pipeline.start("correlate"), pipeline.open_door()]
    commands = ("ingest", "correlate", "door")
    try:
        async with watching(pipeline) as watch:
            await moved(watch.read)
        await asyncio.to_thread(kafka_local.kill, home)
        await asyncio.sleep(OUTAGE_SECONDS)
        assert [process.poll() for process in running] == [None, None, None]
        await asyncio.to_thread(kafka_local.start, home)
        async with watching(pipeline) as watch:
            await moved(watch.read)
        await asyncio.sleep(3)
        await asyncio.gather(*(stop(process) for process in running))
        for command in commands:
            lines = lines_of(pipeline, command)
            said = len(lines_of(pipeline, command, bounded=False))
            tell(f"{command} wrote {len(lines)} lines, in place of {said}")
            assert len(lines) <= LINES, "\n".join(lines[-LINES:])
            assert [line for line in lines if "%s" in line or "%r" in line] == []
    finally:
        for process in running:
            process.kill()
            process.wait()
        await asyncio.to_thread(kafka_local.stop, home)


@pytest.mark.law(2, "a source that comes late")
async def test_a_source_that_is_not_there_at_the_start(
    tmp_path: Path, population: Path, undisturbed: Pipeline, expected: str
) -> None:
    late = tmp_path / "late"
    wanted = await reads_of(undisturbed)
    feeds = {name: url.replace(str(population), str(late)) for name, url in undisturbed.feeds.items()}
    pipeline = replace(Pipeline.embedded(tmp_path / "data", population), feeds=feeds)
    reader = pipeline.start("ingest", "--stamp", "recorded")
    try:
        await asyncio.sleep(3)
        assert reader.poll() is None
        shutil.copytree(population, late)
        await pipeline.push()

        async def read() -> bool:
            return await reads_of(pipeline) == wanted

        await wait_until(read, every=0.5, seconds=240)
        await stop(reader)
    finally:
        reader.kill()
        reader.wait()
    pipeline.correlate()
    assert pipeline.digest() == expected


async def reads_of(pipeline: Pipeline) -> dict[str, int]:
    """How many records each feed has read, for the feeds that stand behind a whole batch: its coverage comes last."""
    bus = await open_bus(pipeline.bus)
    try:
        await bus.declare(topics())
        return {
            key: checkpoint.counters.read
            for key, checkpoint in (await positions(bus)).items()
            if checkpoint.batch is None
        }
    finally:
        await bus.close()


def spoil(population: Path, directory: Path, share: float) -> int:
    """A copy of the I-94 files in which a share of the details is unreadable; how many those are."""
    rng = Random(3)
    directory.mkdir()
    spoilt = 0
    for file in sorted(population.iterdir()):
        data = bytearray(file.read_bytes())
        for start in range(250, len(data) - 250, 250):
            if rng.random() < share:
                data[start + 3 : start + 9] = b"\xff" * 6  # a transaction number that is no packed decimal
                spoilt += 1
        (directory / file.name).write_bytes(data)
        shutil.copystat(file, directory / file.name)
    return spoilt


@pytest.mark.law(2, "a twentieth of the records unreadable, and all of them")
@pytest.mark.parametrize("share", [0.05, 1.0])
async def test_poison_is_kept_and_the_rest_goes_through(tmp_path: Path, population: Path, share: float) -> None:
    directory = tmp_path / "spoilt"
    spoilt = spoil(population / "i94", directory, share)
    assert spoilt > 5
    embedded = Pipeline.embedded(tmp_path / "data", population)
    name = next(name for name in embedded.feeds if name.startswith("I94."))
    pipeline = replace(embedded, feeds={name: f"file://{directory}"})
    pipeline.ingest()
    bus = await open_bus(pipeline.bus)
    lines = (await counters(bus))[name.replace(".", "/")]
    await bus.close()
    assert lines.balanced()
    assert lines.dead_lettered >= spoilt
    assert (lines.published == 0) == (share == 1.0)
