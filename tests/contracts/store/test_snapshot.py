"""What a look-up reads in one statement is what the single reads say."""

from __future__ import annotations

from random import Random

import pytest
from correlation import Driver, batches
from populations import bytes_of, world_of

from services.domain import caps
from services.domain.facts import fact_of
from services.domain.identity import keys_of
from services.domain.pools import merged_facts
from services.store import Store


@pytest.mark.law(1, "what a look-up reads in one statement, at any moment of random worlds")
@pytest.mark.parametrize("seed", range(4))
async def test_a_snapshot_is_what_the_single_reads_say(
    store: Store, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any moment: also where aliases are committed whose work waits, and where caps bite."""
    monkeypatch.setattr(caps, "CAP", 3)
    raws, rng = bytes_of(world_of(seed, torn=True)[0]), Random(seed)
    facts = [fact_of(raw) for raw in raws]
    keys = sorted({key for fact in facts for key in keys_of(fact)})
    driver, seen = Driver(store.writer), set[bytes]()
    for batch in [*batches(raws, rng), []]:
        if batch:
            await driver.append(batch)
        else:
            await driver.finish()
        if rng.random() < 0.5:
            await driver.compare()
        if rng.random() < 0.5:
            await driver.resolve()
        for key in rng.sample(keys, 12):
            for known_at in (None, rng.choice(facts).known):
                snapshot = await store.reads.snapshot(key, known_at)
                read = {fact.id for fact in merged_facts(snapshot.pools)}
                seen |= read
                assert read == {fact.id for fact in merged_facts(await store.reads.pools([key]))}
                assert snapshot.coverage == await store.reads.coverage(known_at)
                assert snapshot.cutoffs == await store.reads.cutoffs()
                assert snapshot.known_through == await store.reads.known_through()
    assert seen


async def test_an_empty_store_knows_nothing(store: Store) -> None:
    for known_at in (None, 5):
        snapshot = await store.reads.snapshot(7, known_at)
        assert (list(snapshot.pools), snapshot.coverage.scopes, dict(snapshot.cutoffs)) == ([], {}, {})
        assert snapshot.known_through is None
