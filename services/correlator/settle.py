"""Settle: pools with new facts are read whole, the pure function says who is who, and the view and outbox follow."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from services.correlator.changes import pack_changes, retell
from services.correlator.unite import aliases_of, root_of
from services.correlator.work import Work
from services.domain.caps import NO_HORIZONS, Rank, caps_of
from services.domain.coverage import Coverage, complete
from services.domain.facts import Fact
from services.domain.pools import Pool
from services.domain.settle import persons
from services.store.packing import pack_pool, unpack_pool
from services.store.writer import PersonRow, Transaction

BREATH = 200
"""After so many pools others of this process have a turn: a bus takes whoever is silent for long for dead."""

T = TypeVar("T")
_fact = msgspec.msgpack.Decoder(Fact)


@dataclass(frozen=True, slots=True)
class Settled:
    """What one settling did."""

    rows: int  # of work
    pools: int
    persons: int
    changes: int


async def coverage_of(tx: Transaction) -> Coverage:
    """What is known to be complete, as this transaction sees it."""
    return complete([_fact.decode(blob) for blob in await tx.coverage()])


async def settle(tx: Transaction, limit: int, now: int, coverage: Coverage) -> Settled:
    """Settle up to `limit` rows of work; changes are told as of `now` (seconds).

    The caller has locked settling: what is read without the lock may be replaced by whoever holds it.
    """
    blobs = await tx.take_work(limit)
    if not blobs:
        return Settled(0, 0, 0, 0)
    facts: dict[int, list[Fact]] = defaultdict(list)
    touched: set[int] = set()
    again: set[int] = set()
    for blob in blobs:
        await asyncio.sleep(0)
        work = Work.unpack(blob)
        again.update(work.again)
        for pool, more in work.facts.items():
            facts[pool] += more
        touched.update(pool for pair in work.united for pool in pair)
    touched |= facts.keys() | again
    steps = await aliases_of(tx, touched)
    stored = await tx.pools(sorted(touched | steps.keys() | set(steps.values())))
    pools, grown = await _gather(touched, steps, facts, stored)
    grown |= {root for pool in again if pools[root := root_of(pool, steps)].facts}
    horizons = await _horizons(tx, [pools[root] for root in grown])
    gone = sorted(pool for pool in stored if root_of(pool, steps) in grown)
    before: dict[int, list[PersonRow]] = defaultdict(list)
    for row in await tx.persons(gone) if gone else ():
        before[root_of(row.pool, steps)].append(row)
    changes: list[bytes] = []
    rows: list[PersonRow] = []
    packed: list[tuple[int, bytes]] = []
    async for root in unhurried(sorted(grown)):
        whole = pools.pop(root)
        told = retell(persons(whole.facts.values(), None, horizons), before[root], root, coverage, now)
        rows += told.rows
        changes += told.changes
        packed.append((root, pack_pool(whole)))
    await tx.replace_pools(gone, packed)
    await tx.replace_persons(gone, rows)
    if changes:
        await tx.add_change(pack_changes(changes))
    return Settled(len(blobs), len(grown), len(rows), len(changes))


async def unhurried(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, with a turn for others every now and then."""
    for number, item in enumerate(items):
        if number % BREATH == 0:
            await asyncio.sleep(0)
        yield item


async def _horizons(tx: Transaction, pools: Iterable[Pool]) -> dict[int, Rank]:
    """All horizons; those of identifiers that fall by what the pools hold are written down."""
    horizons = await tx.horizons()
    fell: dict[int, Rank] = {}
    async for pool in unhurried(pools):
        caps = caps_of(pool.facts.values(), NO_HORIZONS, blocks=False)
        for key, rank in caps.horizons.items() if caps else ():
            if key not in horizons or rank < horizons[key]:
                horizons[key] = fell[key] = rank
    if fell:
        await tx.lower_horizons(sorted((key, *rank) for key, rank in fell.items()))
    return horizons


async def _gather(
    touched: set[int], steps: dict[int, int], facts: dict[int, list[Fact]], stored: dict[int, bytes]
) -> tuple[dict[int, Pool], set[int]]:
    """The pools by root with all that is known of each, and the roots where that is more than what was stored."""
    pools: dict[int, Pool] = {root_of(pool, steps): Pool() for pool in touched}
    parts: dict[int, int] = defaultdict(int)
    async for number, blob in unhurried(stored.items()):
        root = root_of(number, steps)
        parts[root] += 1
        if parts[root] == 1:
            pools[root] = unpack_pool(blob)
        else:
            pools[root].unite(unpack_pool(blob))
    grown = {root for root, count in parts.items() if count > 1}
    # a root whose history lies under the name of a pool that has lost since moves as well
    grown |= {root_of(number, steps) for number in stored if number in steps}
    for number, more in facts.items():
        root = root_of(number, steps)
        if pools[root].add(more):
            grown.add(root)
    return pools, grown
