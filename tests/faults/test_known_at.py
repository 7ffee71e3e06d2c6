"""What was known then: a full store asked about the past, and a store that never heard the rest."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from pipeline import Pipeline, events_of, replay, stamp_of

from bus.open import open_bus

pytestmark = pytest.mark.slow


@pytest.mark.law(5, "the full store's export as known then is the export of a store that never heard the rest")
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_known_at_is_what_a_store_of_then_would_say(
    seed: int, tmp_path: Path, population: Path, undisturbed: Pipeline
) -> None:
    bus = await open_bus(undisturbed.bus)
    stamps = sorted(stamp_of(message) for message in await events_of(bus))
    await bus.close()
    known = Random(seed).choice(stamps[len(stamps) // 10 :])
    then = Pipeline.embedded(tmp_path / "data", population)
    await replay(undisturbed, then, Random(seed), known_by=known)
    then.correlate()
    asked = undisturbed.digest("--known-at", known.isoformat())
    assert then.digest() == asked
    assert then.digest("--as-of", "2026-06-01T00:00:00Z") == undisturbed.digest(
        "--known-at", known.isoformat(), "--as-of", "2026-06-01T00:00:00Z"
    )
    assert asked != undisturbed.digest()
