"""kill -9 of every kind of process at random moments: nothing lost, nothing twice, the same view.

`make test-long` kills 200 of each kind; VISABUS_TEST_SEED repeats the delays of a run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from killing import KILLS, LEAST_AT_WORK, MOST_AT_WORK, Kind, new_seed, storm
from pipeline import Pipeline, wrong_counts

from services.simulator.truth.records import Truth

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 60 * KILLS)]

KILLS_KAFKA = max(5, KILLS // 6)


async def check(pipeline: Pipeline, population: Path, expected: str) -> None:
    """The same view, and every record accounted for."""
    assert pipeline.digest() == expected
    assert await wrong_counts(pipeline, population) == []


def enough(killed: list[Kind], kills: int) -> None:
    """Whether so many of each kind were killed, most of them at work."""
    assert [kind.kills for kind in killed] == [kills] * len(killed)
    assert sum(kind.met for kind in killed) >= MOST_AT_WORK * kills * len(killed)
    assert all(kind.met >= LEAST_AT_WORK * kills for kind in killed)


@pytest.mark.law(
    2,
    "all systems that lie in files, and IDENT; 30 random kills each of ingest, correlator and door, at once (200 with "
    "`make test-long`), most of them at work: the digest of the run in peace, counters as the simulator wrote",
)
async def test_killed_on_the_embedded_default(
    population: Path, tmp_path: Path, expected: str, tell: Callable[[str], None]
) -> None:
    seed = new_seed()
    pipeline = Pipeline.embedded(tmp_path / "data", population, chunk=20)
    killed = await storm(pipeline, Truth.read(population / "truth"), KILLS, seed)
    tell("; ".join([f"embedded, seed {seed}", *(kind.summary() for kind in killed)]))
    await check(pipeline, population, expected)
    enough(killed, KILLS)


@pytest.mark.law(2, "a sixth as many on Kafka and PostgreSQL")
async def test_killed_on_kafka_and_postgresql(
    population: Path, tmp_path: Path, expected: str, own_kafka: str, postgres: str, tell: Callable[[str], None]
) -> None:
    seed = new_seed()
    embedded = Pipeline.embedded(tmp_path / "data", population, chunk=20)
    pipeline = replace(embedded, bus=f"kafka://{own_kafka}", store=postgres)
    killed = await storm(pipeline, Truth.read(population / "truth"), KILLS_KAFKA, seed)
    tell("; ".join([f"Kafka and PostgreSQL, seed {seed}", *(kind.summary() for kind in killed)]))
    await check(pipeline, population, expected)
    enough(killed, KILLS_KAFKA)


@pytest.mark.law(2, planted="one file or message of four systems lost")
async def test_the_check_sees_a_lost_piece(population: Path, tmp_path: Path, undisturbed: Pipeline) -> None:
    """Planted: one file or message of each of these systems is gone. Were the check blind, it would pass."""
    copy = tmp_path / "population"
    shutil.copytree(population, copy)
    lost = ("I94", "APIS", "SEVIS", "IDENT")
    for system in lost:
        max((copy / system.lower()).iterdir(), key=lambda piece: piece.stat().st_size).unlink()
    pipeline = Pipeline.embedded(tmp_path / "data", copy)
    await pipeline.fill()
    wrong = await wrong_counts(pipeline, population)
    assert {line.partition(":")[0] for line in wrong} == set(lost)
    pipeline.correlate()
    with pytest.raises(AssertionError):
        await check(pipeline, population, undisturbed.digest())
