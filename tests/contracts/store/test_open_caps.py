"""On both databases: under a low cap the plain view is that of the open records alone, by however many writers."""

from __future__ import annotations

from random import Random

import pytest
from confidential_worlds import worlds_of
from correlation import Driver, reference
from populations import bytes_of

from services.domain import caps
from services.store import Store


@pytest.mark.law(7, "the plain view under a low cap, on both databases, two writers in turns")
@pytest.mark.parametrize("seed", range(40, 44))
async def test_the_plain_view_is_that_of_the_open_records(
    store: Store, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "CAP", 2)
    worlds, rng = worlds_of(seed, share=0.4), Random(seed)
    drivers = [Driver(store.writer), Driver(store.writer)]
    for batch in worlds.whole:
        driver = rng.choice(drivers)
        if batch:
            await driver.append(bytes_of(list(batch)))
        if rng.random() < 0.5:
            await driver.compare()
        if rng.random() < 0.5:
            await rng.choice(drivers).resolve(2)
    await drivers[0].finish()
    expected = reference(bytes_of([event for batch in worlds.open for event in batch]))
    assert [line async for line in store.reads.histories()] == expected
    whole = reference(bytes_of([event for batch in worlds.whole for event in batch]))
    assert [line async for line in store.reads.histories(confidential=True)] == whole
