"""The correlator killed at every named point, and one that was stopped past its session and wakes up."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pipeline import Pipeline, replay
from stopping import wait_until_stopped

from services import failpoints

_CORRELATOR = ("append", "compare", "resolve", "outbox")
POINTS = sorted(point for point in failpoints.POINTS if point.split(".")[0] in _CORRELATOR)

pytestmark = pytest.mark.slow


@pytest.mark.law(2, "the correlator killed at each of its eight named points")
@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_named_point(
    point: str, tmp_path: Path, population: Path, undisturbed: Pipeline, expected: str
) -> None:
    pipeline = Pipeline.embedded(tmp_path / "data", population)
    await replay(undisturbed, pipeline)
    for nth in (1, 2, 3):
        assert pipeline.correlating(point, nth, "SIGKILL", "--once").wait(120) in (-signal.SIGKILL, 0)
    assert pipeline.correlating(point, 1, "SIGKILL", "--once").wait(120) in (-signal.SIGKILL, 0)
    pipeline.correlate()
    assert pipeline.digest() == expected


async def zombie(pipeline: Pipeline) -> str:
    """One correlator stopped with a batch in hand, another one takes over and ends, the first wakes up; its log."""
    stopped = pipeline.correlating("append.begin", 1, "SIGSTOP")
    try:
        wait_until_stopped(stopped.pid)
        pipeline.correlate()
        digest = pipeline.digest()
        stopped.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 60
        while "fenced" not in pipeline.log_of("correlate"):
            assert time.monotonic() < deadline, pipeline.log_of("correlate")
            await asyncio.to_thread(time.sleep, 0.1)  # it is another process: there is nothing to wait on
        stopped.send_signal(signal.SIGTERM)
        assert stopped.wait(60) == 0
    finally:
        stopped.kill()
    assert pipeline.digest() == digest
    return pipeline.log_of("correlate")


@pytest.mark.law(3, "a correlator stopped with a batch in hand, that wakes up behind its heir")
async def test_a_zombie_writes_nothing_embedded(
    tmp_path: Path, population: Path, undisturbed: Pipeline, expected: str
) -> None:
    pipeline = Pipeline.embedded(tmp_path / "data", population)
    await replay(undisturbed, pipeline)
    assert "fenced" in await zombie(pipeline)
    assert pipeline.digest() == expected


@pytest.mark.law(3, "the same on Kafka and PostgreSQL")
async def test_a_zombie_writes_nothing_on_kafka_and_postgresql(
    tmp_path: Path, population: Path, undisturbed: Pipeline, expected: str, own_kafka: str, postgres: str
) -> None:
    pipeline = Pipeline.embedded(tmp_path / "data", population)
    pipeline = replace(pipeline, bus=f"kafka://{own_kafka}", store=postgres)
    await replay(undisturbed, pipeline)
    assert "fenced" in await zombie(pipeline)
    assert pipeline.digest() == expected
