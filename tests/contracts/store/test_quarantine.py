"""A mistake in the program about somebody keeps him out of the view, aloud, and nobody else; mended, all is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import cast

import orjson
import pytest
from correlation import NOW, Driver, batches, export, reference
from populations import bytes_of, world_of

import services.correlator.resolve as resolve_module
from bus.contract import Producer
from services.correlator.changes import unpack_changes
from services.correlator.correlator import Correlator
from services.dead_letters import Spool
from services.domain.facts import Fact, fact_of
from services.domain.history import History
from services.domain.resolve import persons
from services.export import lines
from services.store import Store
from services.store.contract import Incomplete

pytestmark = pytest.mark.slow
PERSON = "MUSTERMANN"


def failing(record: str) -> Callable[..., list[History]]:
    """Persons, but for the pool that holds a record."""

    def results(facts: Collection[Fact], *more: object) -> list[History]:
        if any(fact.record == record for fact in facts):
            raise KeyError(PERSON)
        return persons(facts, *more)  # type: ignore[arg-type]

    return results


async def mended(store: Store, tmp_path: Path) -> None:
    """A correlator starts that has no mistake."""
    clock = lambda: datetime.fromtimestamp(NOW, UTC)  # noqa: E731
    nobody = cast(Producer, None)  # nothing is sent
    correlator = Correlator(store.writer, nobody, Spool(tmp_path / "spool"), clock=clock, stop=asyncio.Event())
    await correlator.check()
    await Driver(store.writer).finish()


async def reported(store: Store) -> list[dict[str, object]]:
    """All changes so far."""
    async with store.writer.begin() as tx:
        return [orjson.loads(body) for _, blob, _ in await tx.changes(100_000) for body in unpack_changes(blob)]


@pytest.mark.law(
    1,
    "the program fails at one person's records: all others resolve, the export refuses, and once mended "
    "the view is whole and the changes without a gap",
)
@pytest.mark.parametrize("before", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("seed", [0, 1, 3, 4])
async def test_one_pool_is_quarantined_and_all_others_resolve(
    store: Store, seed: int, before: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`before`: so much was resolved without the mistake."""
    raws = bytes_of(world_of(seed, persons=12)[0])
    parts = batches(raws, Random(seed))
    good = int(len(parts) * before)
    whole = reference(raws)
    record = fact_of(parts[-1][0]).record
    driver = Driver(store.writer)
    for part in parts[:good]:
        await driver.append(part)
        await driver.finish()
    with monkeypatch.context() as patched:
        patched.setattr(resolve_module, "persons", failing(record))
        for part in parts[good:]:
            await driver.append(part)
            await driver.finish()
    (why,) = (await store.reads.quarantined()).values()
    assert why.startswith("KeyError in results, line ")
    assert PERSON not in why
    stands = await export(store)
    assert set(stands) < set(whole)
    assert stands
    with pytest.raises(Incomplete, match="1 pools of records could not be resolved"):
        [line async for line in lines(store.reads)]
    kept = {fact for pool in [pool async for pool in store.reads.all_pools()] for fact in pool.facts}
    assert kept == {fact_of(raw).id for raw in raws} - {
        fact.id for fact in map(fact_of, raws) if fact.kind == "coverage"
    }
    await mended(store, tmp_path)
    assert await store.reads.quarantined() == {}
    assert await export(store) == whole
    numbers: dict[object, list[object]] = {}
    for change in await reported(store):
        numbers.setdefault(change["person"], []).append(change["sequence"])
    assert all(result == list(range(1, len(result) + 1)) for result in numbers.values())


async def test_what_fails_again_is_quarantined_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = bytes_of(world_of(3, persons=6)[0])
    monkeypatch.setattr(resolve_module, "persons", failing(fact_of(raws[0]).record))
    driver = Driver(store.writer)
    await driver.append(raws)
    await driver.finish()
    quarantined = await store.reads.quarantined()
    assert len(quarantined) == 1
    await mended(store, tmp_path)
    assert (await store.reads.quarantined(), await store.reads.backlog()) == (quarantined, 0)
