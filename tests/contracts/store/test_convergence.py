"""Any order, batches, copies and number of writers end in the one view that a pure reading of all events gives."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from correlation import Driver, batches, export, facts_known_by, known_of, reference
from planted import deaf_to_retractions, last_copy_stands
from populations import START, World, again, bytes_of, encounter, passport, world_of

import services.correlator.compare as compare_module
import services.correlator.resolve as resolve_module
from schemas.identifiers import Identifier, Scheme
from schemas.ids import handle
from services.domain import caps
from services.domain.facts import fact_of, handle_key
from services.domain.history import canonical
from services.domain.pools import Pool
from services.domain.resolve import persons
from services.store import Store

pytestmark = pytest.mark.slow


async def drive(store: Store, raws: list[bytes], rng: Random, writers: int) -> None:
    """Several correlators' steps, interleaved at random."""
    drivers = [Driver(store.writer) for _ in range(writers)]
    for batch in batches(raws, rng):
        driver = rng.choice(drivers)
        await driver.append(batch)
        if rng.random() < 0.4:
            await rng.choice(drivers).compare()
        if rng.random() < 0.4:
            await rng.choice(drivers).resolve()
    await drivers[0].finish()


@pytest.mark.law(1, "the same worlds through both databases, by one to four writers in turn, against the pure function")
@pytest.mark.parametrize("seed", range(25))
async def test_the_view_depends_on_the_events_alone(store: Store, seed: int) -> None:
    events, _ = world_of(seed)
    raws = bytes_of(events)
    await drive(store, raws, Random(seed), 1 + seed % 4)
    assert await export(store) == reference(raws)


@pytest.mark.parametrize("seed", range(700, 708))
async def test_resolved_in_slices(store: Store, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So few pools are loaded at a time that every resolving takes several turns, with cutoffs falling between them."""
    monkeypatch.setattr(caps, "CAP", 2)
    monkeypatch.setattr(resolve_module, "SLICE", 1 + seed % 3)
    raws = bytes_of(world_of(seed)[0])
    driver = Driver(store.writer)
    for batch in batches(raws, Random(seed)):
        await driver.append(batch)
    await driver.compare()
    while await driver.resolve(100):
        await driver.compare()
    assert await export(store) == reference(raws)


@pytest.mark.law(1, "the same where a key admits two claims, so that nearly every world meets a cap")
@pytest.mark.parametrize("seed", range(400, 420))
async def test_under_a_low_cap(store: Store, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutoffs fall while writers append, look and resolve; what was admitted under a higher one is told anew."""
    monkeypatch.setattr(caps, "CAP", 2)
    raws = bytes_of(world_of(seed)[0])
    await drive(store, raws, Random(seed), 1 + seed % 4)
    assert await export(store) == reference(raws)
    pools = [pool async for pool in store.reads.all_pools()]
    cutoffs = await store.reads.cutoffs()
    for known_at in Random(seed).sample(known_of(raws), 3):
        results = sorted(canonical(one) for pool in pools for one in persons(pool.facts.values(), known_at, cutoffs))
        assert results == sorted(reference(facts_known_by(raws, known_at)))


@pytest.mark.law(1, "a number that many people share makes no pool of all of them")
async def test_a_low_cap_parts_pools(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number on the records of many people makes no pool of all of them, whether they come together or apart."""
    monkeypatch.setattr(caps, "CAP", 2)
    world = World(9)
    shared = Identifier.of(Scheme.RECEIPT, "SRC0000000001")
    raws = bytes_of([encounter(world, world.person(), START + timedelta(day), shared) for day in range(40)])
    driver = Driver(store.writer)
    await driver.append(raws[:10])
    await driver.finish()
    for raw in raws[10:]:
        await driver.append([raw])
        await driver.finish()
    assert await export(store) == reference(raws)
    assert max([len(pool.facts) async for pool in store.reads.all_pools()]) <= 4


@pytest.mark.law(1, "a claim is junior under a number that it comes by late")
async def test_a_number_that_comes_late_to_a_claim_of_old(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is junior under that number, in one batch as in several, today as before it came."""
    monkeypatch.setattr(caps, "CAP", 2)
    world = World(12)
    shared = Identifier.of(Scheme.RECEIPT, "SRC0000000002")
    old, *others = people = [replace(world.person(), sex="F", birth="1980-02-03") for _ in range(3)]
    stories = [encounter(world, one, START + timedelta(day), passport(one)) for day, one in enumerate(people)]
    stories += [
        encounter(world, one, START + timedelta(day), shared, passport(one)) for day, one in enumerate(others, 50)
    ]
    stories.append(encounter(world, old, START + timedelta(100), shared, passport(old)))
    raws = bytes_of(stories)
    driver = Driver(store.writer)
    await driver.append(raws)
    await driver.finish()
    assert await export(store) == reference(raws)
    pools = [pool async for pool in store.reads.all_pools()]
    cutoffs = await store.reads.cutoffs()
    for known_at in known_of(raws):
        results = sorted(canonical(one) for pool in pools for one in persons(pool.facts.values(), known_at, cutoffs))
        assert results == sorted(reference(facts_known_by(raws, known_at)))
        assert len(results) == min(3, 1 + known_of(raws).index(known_at)) - (known_at >= known_of(raws)[4])


@pytest.mark.law(1, planted="a cutoff that falls, and claims behind it that are not resolved again")
async def test_a_cutoff_nobody_hears_of_is_caught(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the look that lowers a cutoff does not have those told anew that fell behind it."""
    monkeypatch.setattr(caps, "CAP", 2)
    plain = compare_module._admitted
    monkeypatch.setattr(compare_module, "_admitted", lambda *given: (*plain(*given)[:2], set()))
    broken = 0
    for seed in range(500, 530):
        world = World(seed)
        person = world.person()
        stamps = [START + timedelta(day) for day in range(5, 0, -1)]
        numbers = [Identifier.of(Scheme.RECEIPT, f"LIN{seed}{day:07d}") for day in range(5)]
        raws = bytes_of([encounter(world, person, at, number) for at, number in zip(stamps, numbers, strict=True)])
        driver = Driver(store.writer)
        before = set(await export(store))
        for raw in raws:
            await driver.append([raw])
            await driver.finish()
        broken += set(await export(store)) - before != set(reference(raws))
    assert broken


@pytest.mark.law(5, "through the store")
@pytest.mark.parametrize("seed", range(100, 106))
async def test_what_was_known_is_answered_from_what_was_known(store: Store, seed: int) -> None:
    events, _ = world_of(seed)
    raws = bytes_of(events)
    await drive(store, raws, Random(seed), 2)
    pools = [pool async for pool in store.reads.all_pools()]
    cutoffs = await store.reads.cutoffs()
    stamps = known_of(raws)
    for known_at in Random(seed).sample(stamps, min(6, len(stamps))):
        results = sorted(canonical(one) for pool in pools for one in persons(pool.facts.values(), known_at, cutoffs))
        assert results == sorted(reference(facts_known_by(raws, known_at)))


@pytest.mark.law(1, "three writers at once")
@pytest.mark.parametrize("seed", range(200, 210))
async def test_writers_at_the_same_time(store: Store, seed: int) -> None:
    events, _ = world_of(seed)
    raws = bytes_of(events)

    async def writer(number: int) -> None:
        rng = Random(seed * 10 + number)
        driver = Driver(store.writer)
        for batch in batches(raws, rng):
            await driver.append(batch)
            await asyncio.sleep(rng.random() * 0.003)
            await driver.compare()
            await driver.resolve(rng.randint(1, 5))

    await asyncio.gather(*(writer(number) for number in range(3)))
    await Driver(store.writer).finish()
    assert await export(store) == reference(raws)


async def test_a_record_whose_pool_lost_and_has_not_been_resolved(store: Store) -> None:
    """Its next revision is resolved first, by another number: what stands of the record moves along."""
    world = World(14)
    # pools are called by their records' keys, and the least stands
    third, second, first = sorted(
        (world.number("T") for _ in range(3)), key=lambda record: handle_key(handle("I94", record))
    )
    one, two, three = (world.person() for _ in range(3))
    number = Identifier.of(Scheme.RECEIPT, "SRC0000000003")
    report = encounter(world, one, START + timedelta(1), passport(one), record=first)
    other = encounter(world, two, START + timedelta(2), passport(two), record=second)
    owner = encounter(world, three, START + timedelta(9), passport(three), number, record=third)
    tie = encounter(world, one, START + timedelta(10), passport(one), passport(two))
    later = again(
        report, number=2, published_at=START + timedelta(3), subject=world.subject(one, passport(one), number)
    )
    driver = Driver(store.writer)
    for event in (report, other, owner):
        await driver.append(bytes_of([event]))
        await driver.finish()
    await driver.append(bytes_of([tie]))
    await driver.append(bytes_of([later]))
    assert await driver.resolve()  # before anybody looked at the tie
    await driver.finish()
    assert await export(store) == reference(bytes_of([report, other, owner, tie, later]))


def test_the_worlds_hold_what_they_are_about() -> None:
    """Least shares: a law that is never put to the test proves nothing."""
    results = [world_of(seed)[1] for seed in range(200)]
    share = {kind: sum(1 for one in results if one[kind]) / len(results) for kind in results[0]}
    assert share["merges"] >= 0.3
    assert share["vetoes"] >= 0.1
    assert share["splits"] >= 0.1
    assert min(share.values()) >= 0.1


@pytest.mark.law(1, planted="of copies the one that came last, in the store's comparison")
async def test_order_of_arrival_must_not_decide(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: of several copies the one that came last stands, whatever its stamp. The check has to see it."""

    differing = 0
    for seed in range(300, 360):
        events, _ = world_of(seed)
        raws = bytes_of(events)
        want = reference(raws)
        with monkeypatch.context() as patched:
            patched.setattr(Pool, "add", last_copy_stands)
            shuffled = list(raws)
            Random(seed).shuffle(shuffled)
            got = [canonical(one) for one in persons(Pool(map(fact_of, shuffled)).facts.values())]
        differing += got != want
    assert differing > 0


@pytest.mark.law(1, planted="nothing worked out again where only retractions came")
async def test_no_resolving_after_a_retraction_is_caught(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a pool that hears nothing but retractions is not worked out anew."""
    raws = bytes_of(world_of(600, persons=12)[0])
    taken_back = [raw for raw in raws if fact_of(raw).retract]
    assert len(taken_back) >= 3
    driver = Driver(store.writer)
    await driver.append([raw for raw in raws if raw not in taken_back])
    await driver.finish()
    with monkeypatch.context() as patched:
        patched.setattr(Pool, "add", deaf_to_retractions)
        await driver.append(taken_back)
        await driver.finish()
    assert await export(store) != reference(raws)
    await driver.append(taken_back)  # and heard once it listens
    await driver.finish()
    assert await export(store) == reference(raws)
