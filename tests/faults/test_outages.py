"""Brokers and databases that go away under load, sources that are not there yet, and records that cannot be read."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import time
from pathlib import Path
from random import Random

import pytest
from pipeline import Pipeline, counters, positions
from servers import restart_postgres, start_postgres, stop_postgres

from bus.open import open_bus
from services import kafka_local
from services.wiring import topics

pytestmark = pytest.mark.slow


def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and a good end."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


async def test_postgresql_stopped_at_once_and_started_again(
    tmp_path: Path, population: Path, expected: str, postgres_server: str
) -> None:
    """A PostgreSQL of the test's own; `postgres_server` only says whether one can be run here."""
    assert postgres_server
    home = tmp_path / "postgres"
    home.mkdir()
    url = start_postgres(home)
    try:
        pipeline = Pipeline.embedded(tmp_path / "data", population)
        pipeline = Pipeline(pipeline.data, pipeline.bus, url, pipeline.feeds, chunk=20)
        correlator = pipeline.start("correlate")
        reader = pipeline.start("ingest", "--once", "--stamp", "recorded")
        for _ in range(3):
            await asyncio.sleep(2)
            restart_postgres(home)
        assert reader.wait(120) == 0, pipeline.told("ingest")
        pipeline.correlate()
        stop(correlator)
        assert pipeline.digest() == expected
    finally:
        stop_postgres(home)


async def test_the_broker_killed_and_started_again_under_load(
    tmp_path: Path, population: Path, expected: str, kafka: str
) -> None:
    """A Kafka of the test's own; `kafka` only says whether one can be run here."""
    assert kafka
    home = tmp_path / "kafka"
    address = kafka_local.start(home)
    try:
        embedded = Pipeline.embedded(tmp_path / "data", population)
        pipeline = Pipeline(embedded.data, f"kafka://{address}", embedded.store, embedded.feeds, chunk=20)
        correlator = pipeline.start("correlate")
        reader = pipeline.start("ingest", "--once", "--stamp", "recorded")
        await asyncio.sleep(4)
        await asyncio.to_thread(kafka_local.kill, home)
        await asyncio.sleep(2)
        await asyncio.to_thread(kafka_local.start, home)
        assert reader.wait(200) == 0, pipeline.told("ingest")
        pipeline.correlate()
        stop(correlator)
        assert pipeline.digest() == expected
    finally:
        kafka_local.stop(home)


async def test_a_source_that_is_not_there_at_the_start(
    tmp_path: Path, population: Path, undisturbed: Pipeline, expected: str
) -> None:
    late = tmp_path / "late"
    wanted = await reads_of(undisturbed)
    feeds = {name: url.replace(str(population), str(late)) for name, url in undisturbed.feeds.items()}
    data = tmp_path / "data"
    pipeline = Pipeline(data, f"embedded://{data}/bus.db", f"sqlite+aiosqlite:///{data}/store.db", feeds)
    reader = pipeline.start("ingest", "--stamp", "recorded")
    try:
        await asyncio.sleep(3)
        assert reader.poll() is None
        shutil.copytree(population, late)
        deadline = time.monotonic() + 240
        while await reads_of(pipeline) != wanted:
            assert time.monotonic() < deadline, pipeline.told("ingest")
            await asyncio.sleep(0.5)
        stop(reader)
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
        return {key: saved.counters.read for key, saved in (await positions(bus)).items() if saved.batch is None}
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


@pytest.mark.parametrize("share", [0.05, 1.0])
async def test_poison_is_kept_and_the_rest_goes_through(tmp_path: Path, population: Path, share: float) -> None:
    directory = tmp_path / "spoilt"
    spoilt = spoil(population / "i94", directory, share)
    assert spoilt > 5
    embedded = Pipeline.embedded(tmp_path / "data", population)
    name = next(name for name in embedded.feeds if name.startswith("I94."))
    pipeline = Pipeline(embedded.data, embedded.bus, embedded.store, {name: f"file://{directory}"})
    pipeline.ingest()
    bus = await open_bus(pipeline.bus)
    told = (await counters(bus))[name.replace(".", "/")]
    await bus.close()
    assert told.balanced()
    assert told.dead_lettered >= spoilt
    assert (told.published == 0) == (share == 1.0)
