"""kill -9 of ingest and correlator at random moments: nothing lost, nothing twice, the same view."""

from __future__ import annotations

from pathlib import Path
from random import Random

import orjson
import pytest
from pipeline import Pipeline, counters

from bus.open import open_bus
from services.simulator.truth import COUNTS

pytestmark = pytest.mark.slow

KILLS_EMBEDDED = 20
KILLS_KAFKA = 5


def kill_and_finish(pipeline: Pipeline, kills: int, seed: int, after: tuple[float, float]) -> int:
    """Kill both kinds of process in turn, then let each end; how many kills met a process at work."""
    rng = Random(seed)
    met = 0
    for number in range(kills):
        command = ("ingest", "--once", "--stamp", "recorded") if number % 2 == 0 else ("correlate",)
        met += pipeline.kill_at_random(rng, *command, after=after)
    pipeline.ingest()
    pipeline.correlate()
    return met


async def check(pipeline: Pipeline, population: Path, expected: str) -> None:
    """The same view, and every record accounted for."""
    assert pipeline.digest() == expected
    bus = await open_bus(pipeline.bus)
    try:
        told = await counters(bus)
    finally:
        await bus.close()
    assert len(told) == len(pipeline.feeds)
    assert all(one.balanced() for one in told.values())
    written = orjson.loads((population / "truth" / COUNTS).read_bytes())["systems"]
    for key, one in told.items():
        assert one.read == written[key.partition("/")[0]]["read"], key


async def test_killed_on_the_embedded_default(population: Path, tmp_path: Path, expected: str) -> None:
    pipeline = Pipeline.embedded(tmp_path / "data", population, chunk=20)
    met = kill_and_finish(pipeline, KILLS_EMBEDDED, seed=1, after=(0.9, 3.0))
    assert met >= KILLS_EMBEDDED // 2
    await check(pipeline, population, expected)


async def test_killed_on_kafka_and_postgresql(
    population: Path, tmp_path: Path, expected: str, own_kafka: str, postgres: str
) -> None:
    pipeline = Pipeline(
        tmp_path / "data", f"kafka://{own_kafka}", postgres, Pipeline.embedded(tmp_path, population).feeds, chunk=20
    )
    met = kill_and_finish(pipeline, KILLS_KAFKA, seed=2, after=(1.5, 4.0))
    assert met >= KILLS_KAFKA // 2
    await check(pipeline, population, expected)


async def test_the_check_sees_a_lost_event(population: Path, tmp_path: Path, undisturbed: Pipeline) -> None:
    """Planted: a source that lost one file. Were the check blind, it would pass."""
    feeds = dict(undisturbed.feeds)
    name = next(name for name, url in feeds.items() if url.startswith("file:"))
    copy = tmp_path / "files"
    copy.mkdir()
    files = sorted((population / "i94").iterdir())
    for file in files[:100] + files[101:]:
        (copy / file.name).write_bytes(file.read_bytes())
    feeds[name] = f"file://{copy}"
    pipeline = Pipeline(
        tmp_path / "data",
        f"embedded://{tmp_path}/data/bus.db",
        f"sqlite+aiosqlite:///{tmp_path}/data/store.db",
        feeds,
    )
    pipeline.ingest()
    pipeline.correlate()
    with pytest.raises(AssertionError):
        await check(pipeline, population, undisturbed.digest())
