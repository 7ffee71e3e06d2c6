"""The same events in another order, in other batches, some twice, by two correlator processes: the same digest."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from pipeline import Pipeline, replay, wrong_changes

from bus.open import open_bus
from services.store import open_store

pytestmark = pytest.mark.slow


async def together(pipeline: Pipeline, processes: int) -> None:
    """Several correlator processes until all is resolved."""
    started = [pipeline.start("correlate", "--once") for _ in range(processes)]
    codes = await asyncio.gather(*(asyncio.to_thread(one.wait, 240) for one in started))
    assert set(codes) == {0}, pipeline.log_of("correlate")


@pytest.mark.law(1, "whole processes: the bus shuffled, a fifth doubled, two correlators, one digest")
async def test_shuffled_and_doubled_by_two_correlators_embedded(
    tmp_path: Path, population: Path, undisturbed: Pipeline, expected: str
) -> None:
    pipeline = Pipeline.embedded(tmp_path / "data", population)
    await replay(undisturbed, pipeline, Random(1))
    await together(pipeline, 2)
    assert pipeline.digest() == expected


@pytest.mark.law(1, "the same on Kafka and PostgreSQL")
async def test_shuffled_and_doubled_by_two_correlators_on_kafka_and_postgresql(
    tmp_path: Path, population: Path, undisturbed: Pipeline, expected: str, own_kafka: str, postgres: str
) -> None:
    pipeline = Pipeline.embedded(tmp_path / "data", population)
    pipeline = replace(pipeline, bus=f"kafka://{own_kafka}", store=postgres)
    await replay(undisturbed, pipeline, Random(2))
    await together(pipeline, 2)
    assert pipeline.digest() == expected


@pytest.mark.law(1, "numbers per person from 1 without a gap; the last changes are the persons of the view")
async def test_changes_fold_up_to_the_view_without_a_gap(undisturbed: Pipeline) -> None:
    """Per person the numbers run from one without a gap, and the last change says what the view says."""
    bus = await open_bus(undisturbed.bus)
    store = await open_store(undisturbed.store)
    try:
        assert await wrong_changes(bus, store) == []
    finally:
        await store.close()
        await bus.close()
