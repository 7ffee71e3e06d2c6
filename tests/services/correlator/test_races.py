"""Races made on purpose, and the bugs that they are there to catch, planted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from typing import cast

import orjson
import pytest
from correlation import NOW, Driver, batches, export, reference
from populations import START, Person, World, booking, bytes_of, encounter, make, passport, world_of

from schemas.events import Arrival, Departure, Evidence
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment
from services.correlator.append import Batch, append
from services.correlator.changes import unpack_changes
from services.correlator.compare import compare
from services.correlator.deadlines import fire_due
from services.correlator.key_cache import KeyCache
from services.correlator.resolve import resolve
from services.correlator.work import Sorting
from services.domain.coverage import NOTHING
from services.domain.facts import fact_of, handle_key
from services.store import Store, open_store
from services.store.postgres import PostgresTransaction
from services.store.writer import Conflict, Transaction

ROUNDS = 20


@pytest.fixture
async def store(postgres: str) -> AsyncIterator[Store]:
    """SQLite has one writer at a time and nothing to race: PostgreSQL."""
    opened = await open_store(postgres)
    yield opened
    await opened.close()


def namesakes(world: World, count: int = 2) -> list[bytes]:
    """Records of one person that share nothing but name, date of birth and citizenship."""
    person = world.person()
    numbers = [Identifier.of(Scheme.VISA, world.number("V", 7)) for _ in range(count)]
    return bytes_of([booking(world, person, number) for number in numbers])


async def race(store: Store, raws: list[bytes], *, compare_before_commit: bool) -> None:
    """Every record by a writer of its own; all have written before any commits."""
    barrier = asyncio.Barrier(len(raws))

    async def writer(raw: bytes) -> None:
        async with store.writer.begin() as tx:
            await append(tx, Batch([fact_of(raw)], []), KeyCache())
            if compare_before_commit:
                await compare(tx, 10)
            await barrier.wait()
        if not compare_before_commit:
            await Driver(store.writer).compare()

    await asyncio.gather(*(writer(raw) for raw in raws))
    await Driver(store.writer).finish()


@pytest.mark.law(1, "the race for a link by names")
async def test_two_claims_written_at_once_find_each_other(store: Store) -> None:
    world = World(1)
    everything: list[bytes] = []
    for _ in range(ROUNDS):
        raws = namesakes(world)
        everything += raws
        await race(store, raws, compare_before_commit=False)
    assert await export(store) == reference(everything)


@pytest.mark.law(1, planted="comparing claims before they are committed")
async def test_comparing_before_committing_is_caught(store: Store) -> None:
    """Planted: the link is lost, and the comparison says so."""
    world = World(2)
    lost = 0
    everything: list[bytes] = []
    for _ in range(ROUNDS):
        raws = namesakes(world)
        everything += raws
        before = len(await export(store))
        await race(store, raws, compare_before_commit=True)
        lost += len(await export(store)) - before == 2
    assert lost == ROUNDS
    assert await export(store) != reference(everything)


async def resolve_race(store: Store, raws: list[bytes], *, lock: bool) -> None:
    """Two records of one pool resolved by two at once: both have read the pool before either writes."""
    driver = Driver(store.writer)
    for raw in raws:
        await driver.append([raw])
    await driver.compare()
    await driver.resolve(1)  # the pool stands; the other records wait
    reached, written = asyncio.Barrier(2), asyncio.Event()

    async def resolver(*, first: bool) -> None:
        async with store.writer.begin() as tx:
            if lock:
                await resolve(tx, 1, NOW, NOTHING)
            else:
                await resolve(cast(Transaction, _Meeting(tx, reached, None if first else written)), 1, NOW, NOTHING)
        written.set()

    await asyncio.gather(resolver(first=True), resolver(first=False))
    await driver.finish()


class _Meeting:
    """A transaction that, once it has read the pools, waits for another one to have read them (and written its own)."""

    def __init__(self, tx: Transaction, read: asyncio.Barrier, written: asyncio.Event | None) -> None:
        self._tx = tx
        self._read = read
        self._written = written

    def __getattr__(self, name: str) -> object:
        return getattr(self._tx, name)

    async def lock_pools(self, pools: list[int]) -> bool:
        return False

    async def pools(self, pools: list[int]) -> dict[int, bytes]:
        result = await self._tx.pools(pools)
        await self._read.wait()
        if self._written is not None:
            await self._written.wait()
        return result


def one_persons(world: World, count: int) -> list[bytes]:
    """Records of one person on one passport."""
    person = world.person()
    passport = Identifier.of(Scheme.PASSPORT, person.passports[0], person.citizenship)
    return bytes_of(
        [
            make(
                Departure,
                world,
                record=world.number("T"),
                known=START,
                occurred_at=Moment.instant(START),
                subject=world.subject(person, passport),
                evidence=Evidence.BOOKING,
            )
            for _ in range(count)
        ]
    )


@pytest.mark.law(1, "the race for a pool")
async def test_two_resolvers_of_one_pool_lose_nothing(store: Store) -> None:
    world = World(3)
    everything: list[bytes] = []
    for _ in range(5):
        raws = one_persons(world, 3)
        everything += raws
        await resolve_race(store, raws, lock=True)
    assert await export(store) == reference(everything)


@pytest.mark.law(1, planted="resolving without the lock")
async def test_resolving_without_the_lock_is_caught(store: Store) -> None:
    """Planted: the one that writes last forgets what the other one read."""
    raws = one_persons(World(4), 3)
    await resolve_race(store, raws, lock=False)
    assert await export(store) != reference(raws)


# --- two resolvers of pools that unite --------------------------------------------------------------------------------


class _Held:
    """A transaction that rests before it locks pools: what it read until then grows old."""

    def __init__(self, tx: Transaction, wait: asyncio.Event, reached: asyncio.Event, *, forgetful: bool) -> None:
        self._tx = tx
        self._wait = wait
        self._reached = reached
        self._forgetful = forgetful

    def __getattr__(self, name: str) -> object:
        return getattr(self._tx, name)

    async def lock_pools(self, pools: list[int]) -> bool:
        self._reached.set()
        await self._wait.wait()
        return await self._tx.lock_pools(pools) and not self._forgetful


def founded(world: World) -> list[tuple[Person, bytes]]:
    """Two people with a report each, which founds a pool; the lesser pool's first."""
    reports = [
        (person, encounter(world, person, START, passport(person))) for person in (world.person(), world.person())
    ]
    return sorted(
        ((person, bytes_of([report])[0]) for person, report in reports),
        key=lambda one: handle_key(fact_of(one[1]).handle),
    )


async def merged_meanwhile(store: Store, world: World, *, forgetful: bool = False) -> list[bytes]:
    """One resolves a report of a pool; before it locks that, another merges the pool into a lesser one and resolves.

    `forgetful`: the first one does not look again which pools are roots. Returns all reports.
    """
    (one, report), (two, other) = founded(world)
    tie = bytes_of([encounter(world, one, START, passport(one), passport(two))])
    later = bytes_of([encounter(world, two, START, passport(two))])
    driver = Driver(store.writer)
    for raw in (report, other):
        await driver.append([raw])
    await driver.finish()
    await driver.append(later)
    wait, reached = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with store.writer.begin() as tx:
            held = cast(Transaction, _Held(tx, wait, reached, forgetful=forgetful))
            await resolve(held, 1, NOW, NOTHING)

    async def quick() -> None:
        await reached.wait()
        await driver.append(tie)
        await driver.finish()
        wait.set()

    await asyncio.gather(slow(), quick())
    await driver.finish()
    return [report, other, *tie, *later]


@pytest.mark.law(1, "the race of pools that unite: a root that lost while it was waited for")
async def test_a_root_that_lost_meanwhile_hands_its_work_on(store: Store) -> None:
    everything: list[bytes] = []
    world = World(5)
    for _ in range(5):
        everything += await merged_meanwhile(store, world)
    assert await export(store) == reference(everything)


@pytest.mark.law(1, planted="a root not resolved again once its lock is held")
async def test_a_root_not_looked_up_again_is_caught(store: Store) -> None:
    """Planted: the report is written under a pool that nothing names any more."""
    assert await export(store) != reference(await merged_meanwhile(store, World(5), forgetful=True))


@pytest.mark.law(1, planted="work that is not handed on where its root was lost")
async def test_work_that_is_not_handed_on_is_caught(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what leads to another root is forgotten."""
    monkeypatch.setattr(Sorting, "packed", lambda _: [])
    assert await export(store) != reference(await merged_meanwhile(store, World(5)))


async def due_while_resolved(store: Store, *, lock: bool) -> list[int]:
    """A period runs out, and is fired while the pool is resolved by a report that comes. Return the numbers told."""
    world = World(9)
    person = world.person()
    end = START + timedelta(90)
    arrival = make(
        Arrival,
        world,
        record=world.number("I"),
        known=START,
        occurred_at=Moment.instant(START),
        subject=world.subject(person, passport(person)),
        class_of_admission="B2",
        admitted_until=end.date(),
    )
    driver = Driver(store.writer)
    driver.now = int(START.timestamp()) + 86_400
    await driver.append(bytes_of([arrival]))
    await driver.finish()
    left = make(
        Departure,
        world,
        record=world.number("T"),
        known=end,
        occurred_at=Moment.instant(end - timedelta(1)),
        subject=world.subject(person, passport(person)),
        evidence=Evidence.MANIFEST_CLOSED,
    )
    await driver.append(bytes_of([left]))
    now = int(end.timestamp()) + 10 * 86_400
    resolved, read, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def resolver() -> None:
        async with store.writer.begin() as tx:
            await resolve(tx, 1, now, NOTHING)
            resolved.set()
            await read.wait()
        done.set()

    async def firing() -> None:
        await resolved.wait()
        async with store.writer.begin() as tx:
            await fire_due(cast(Transaction, _Firing(tx, read, None if lock else done)), 10, now, NOTHING)

    await asyncio.gather(resolver(), firing())
    async with store.writer.begin() as tx:
        rows = await tx.changes(100)
    return sorted(orjson.loads(body)["sequence"] for _, blob, _ in rows for body in unpack_changes(blob))


class _Firing:
    """A transaction that tells when it has read what is due. With `done` it locks no pools, but goes on after that."""

    def __init__(self, tx: Transaction, read: asyncio.Event, done: asyncio.Event | None) -> None:
        self._tx = tx
        self._read = read
        self._done = done

    def __getattr__(self, name: str) -> object:
        return getattr(self._tx, name)

    async def lock_firing(self) -> bool:
        self._read.set()
        return await self._tx.lock_firing()

    async def lock_pools(self, pools: list[int]) -> bool:
        if self._done is None:
            return await self._tx.lock_pools(pools)
        await self._done.wait()
        return False


@pytest.mark.law(3, "a deadline that fires while its pool is resolved")
async def test_a_deadline_that_fires_while_its_pool_is_resolved(store: Store) -> None:
    assert await due_while_resolved(store, lock=True) == [1, 2]


@pytest.mark.law(3, planted="firing without the lock of the pool")
async def test_firing_without_the_lock_is_caught(store: Store) -> None:
    """Planted: two changes of one person have one number."""
    assert await due_while_resolved(store, lock=False) == [1, 2, 2]


async def crossing(store: Store, *, backwards: bool) -> list[BaseException]:
    """Two lock the same pools, each after it has one of them where one of the two goes backwards. Returns failures."""
    world = World(6)
    raws = [raw for _ in range(2) for raw in one_persons(world, 1)]
    driver = Driver(store.writer)
    for raw in raws:
        await driver.append([raw])
    await driver.finish()
    pools = sorted(handle_key(fact_of(raw).handle) for raw in raws)
    met = asyncio.Barrier(2)

    async def locking(order: list[int]) -> None:
        async with store.writer.begin() as tx:
            if backwards:
                await tx.lock_pools(order[:1])
                await met.wait()
            await tx.lock_pools(order)

    orders = [pools, pools[::-1] if backwards else pools]
    done = await asyncio.gather(*(locking(order) for order in orders), return_exceptions=True)
    return [each for each in done if each is not None]


async def test_pools_are_locked_in_one_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """And given so by resolving, whatever the order of the work."""
    assert await crossing(store, backwards=False) == []
    asked: list[list[int]] = []
    plain = PostgresTransaction.lock_pools

    async def noted(self: PostgresTransaction, pools: list[int]) -> bool:
        asked.append(list(pools))
        return await plain(self, pools)

    monkeypatch.setattr(PostgresTransaction, "lock_pools", noted)
    await merged_meanwhile(store, World(8))
    assert all(pools == sorted(set(pools)) for pools in asked)
    assert max(map(len, asked)) > 1


@pytest.mark.law(1, planted="locks of pools in two orders")
async def test_locks_in_two_orders_are_caught(store: Store) -> None:
    """Planted: the two wait for each other, and the database gives one of them up."""
    assert [type(error) for error in await crossing(store, backwards=True)] == [Conflict]


@pytest.mark.law(1, "many resolve at once, each another shard")
@pytest.mark.parametrize("seed", range(800, 804))
async def test_shards_are_resolved_at_the_same_time(store: Store, seed: int) -> None:
    """Three writers that each sort, and resolve the shards that no other has."""
    raws = bytes_of(world_of(seed)[0])

    async def writer(number: int) -> None:
        rng = Random(seed * 10 + number)
        driver = Driver(store.writer)
        for batch in batches(raws, rng):
            await driver.append(batch)
            await driver.compare()
            for _ in range(rng.randint(0, 3)):
                await driver.resolve_sorted()

    await asyncio.gather(*(writer(number) for number in range(3)))
    last = Driver(store.writer)
    await last.compare()
    while await last.resolve_sorted():
        await last.compare()
    assert await export(store) == reference(raws)
    assert await store.reads.backlog() == 0
