"""Races made on purpose, and the bugs that they are there to catch, planted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from correlation import NOW, Driver, export, reference
from populations import START, World, bytes_of, make

from schemas.events import Departure, Evidence
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment
from services.correlator.append import Batch, append
from services.correlator.compare import compare
from services.correlator.key_cache import KeyCache
from services.correlator.resolve import resolve
from services.domain.coverage import NOTHING
from services.domain.facts import fact_of
from services.store import Store, open_store
from services.store.writer import Transaction

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
    return bytes_of(
        [
            make(
                Departure,
                world,
                record=world.number("T"),
                known=START,
                occurred_at=Moment.instant(START),
                subject=world.subject(person, number),
                evidence=Evidence.BOOKING,
            )
            for number in numbers
        ]
    )


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
                await tx.lock_resolving()
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
