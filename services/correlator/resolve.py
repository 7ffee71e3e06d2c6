"""Resolve: pools with new facts are read whole, the pure function says who is who, and the view and outbox follow."""

from __future__ import annotations

import asyncio
import traceback
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import msgspec
import structlog

from services import failpoints
from services.correlator.changes import ViewUpdate, person_of, tell, view_update
from services.correlator.merge import aliases_of, root_of
from services.correlator.open_caps import Bounds, Recount, admit_refused, recount
from services.correlator.work import PackedWork, Sorting, facts_in, shard_of
from services.domain.caps import NO_CUTOFFS, Cutoffs, Rank, caps_of
from services.domain.confidential import any_marked, open_facts
from services.domain.coverage import Coverage
from services.domain.facts import Fact
from services.domain.pools import Pool
from services.domain.resolve import persons
from services.store.contract import CONFIDENTIAL
from services.store.packing import pack_pool, unpack_pool
from services.store.writer import PersonRow, Transaction, View

SLICE = 5_000
"""So many pools are read and written at a time."""
BREATH = 200
"""So many are unpacked at a time: they fit the processor's cache, and then others of this process have a turn: a bus
takes whoever is silent for long for dead."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Resolved:
    """What one resolving did."""

    rows: int  # of work
    pools: int
    persons: int
    changes: int


NOTHING_DONE = Resolved(0, 0, 0, 0)


async def resolve(tx: Transaction, limit: int, now: int, coverage: Coverage) -> Resolved:
    """Resolve up to `limit` rows of work, of whatever shards; changes are told as of `now` (seconds)."""
    blobs = await tx.take_work(limit)
    return await _resolve(tx, blobs, None, now, coverage) if blobs else NOTHING_DONE


async def resolve_shard(tx: Transaction, now: int, coverage: Coverage) -> Resolved:
    """Resolve all work of one shard that no other transaction resolves."""
    taken = await tx.take_shard()
    return await _resolve(tx, taken[1], taken[0], now, coverage) if taken else NOTHING_DONE


@dataclass(frozen=True, slots=True)
class _Taken:
    """Work that was taken."""

    facts: dict[int, list[msgspec.Raw]]  # by pool
    again: set[int]
    members: dict[int, list[int]]  # by root the pools on all ways to it
    refused: set[int]


async def _resolve(
    tx: Transaction, blobs: Sequence[bytes], shard: int | None, now: int, coverage: Coverage
) -> Resolved:
    """Resolve work that was taken; hand on what leads to other shards, or lost its root to another writer."""
    await tx.share_resolving()
    taken = await _gathered(tx, blobs)
    if shard is not None:
        await _hand_on(tx, taken, {root: root for root in taken.members if shard_of(root) != shard}, sort=True)
    await _lock(tx, taken, sort=shard is not None)
    await failpoints.reach("resolve.locked")
    facts, again, members = taken.facts, taken.again, taken.members
    cutoffs = await tx.cutoffs()  # they fall by who holds the pools that they are about
    bounds, recounted = Bounds(cutoffs, await tx.open_cutoffs() if cutoffs else {}), Recount()
    if cutoffs:
        await tx.savepoint()
        await admit_refused(tx, taken.refused, bounds, recounted)
    pools = people = 0
    changes: list[bytes] = []
    confidential: list[bytes] = []
    roots = sorted(members)
    for first in range(0, len(roots), SLICE):
        some = {root: members[root] for root in roots[first : first + SLICE]}
        done = await _resolve_some(tx, some, facts, again, bounds, recounted, now, coverage)
        pools, people = pools + len(done.packed), people + len(done.rows)
        changes += done.changes
        confidential += done.confidential
    if recounted.waits:
        # nothing of this turn stands: what it takes up comes again when the capped keys know what is hidden
        await tx.back()
        await _put_back(tx, blobs, shard)
        await recounted.write(tx)
        return Resolved(len(blobs), 0, 0, 0)
    await recounted.write(tx)
    await bounds.write(tx)
    # by person, for the order of pools tells what they hold
    changes.sort(key=person_of)
    await tell(tx, changes, confidential)
    return Resolved(len(blobs), pools, people, len(changes) + len(confidential))


async def _gathered(tx: Transaction, blobs: Sequence[bytes]) -> _Taken:
    facts: dict[int, list[msgspec.Raw]] = defaultdict(list)
    touched: set[int] = set()
    again: set[int] = set()
    refused: set[int] = set()
    for blob in blobs:
        await asyncio.sleep(0)
        work = PackedWork.unpack(blob)
        again.update(work.again)
        refused.update(work.refused)
        for pool, more in work.facts.items():
            facts[pool].append(more)
        touched |= work.touched
    steps = await aliases_of(tx, touched)
    members: dict[int, list[int]] = defaultdict(list)
    for pool in touched | steps.keys() | set(steps.values()):
        members[root_of(pool, steps)].append(pool)
    return _Taken(facts, again, members, refused)


async def _lock(tx: Transaction, taken: _Taken, *, sort: bool) -> None:
    """Lock all pools, in one order, so that no two writers wait for each other; then see which are still roots.

    A pool that was merged into another while it was waited for may have been resolved as a part of that one. Its work
    is handed on: written under the old root it would stand there for good, for nothing names that pool any more.
    """
    if not await tx.lock_pools(sorted(chain.from_iterable(taken.members.values()))):
        return
    lost = await aliases_of(tx, taken.members)
    await _hand_on(tx, taken, {root: root_of(root, lost) for root in taken.members if root in lost}, sort=sort)


async def _hand_on(tx: Transaction, taken: _Taken, roots: Mapping[int, int], *, sort: bool) -> None:
    """Put the work of some roots back, given with those that they have now: sorted by those, or for any to take."""
    handed = Sorting()
    for root, now in sorted(roots.items()):
        shard = shard_of(now) if sort else 0
        for pool in taken.members.pop(root):
            for packed in taken.facts.pop(pool, ()):
                handed.facts(shard, pool, packed)
            if pool in taken.again:
                handed.again(shard, pool)
            if pool != now:
                handed.merged(shard, pool, now)
    rows = handed.packed()
    if sort:
        await tx.add_sorted(rows)
    else:
        for _, blob in rows:
            await tx.add_work(blob, compared=True)


async def _put_back(tx: Transaction, blobs: Sequence[bytes], shard: int | None) -> None:
    """Put work back as it was taken; to resolve twice what was handed on of it changes nothing."""
    if shard is not None:
        await tx.add_sorted([(shard, blob) for blob in blobs])
        return
    for blob in blobs:
        await tx.add_work(blob, compared=True)


@dataclass(slots=True)
class _Done:
    """What is to be written of some pools."""

    packed: list[tuple[int, bytes]] = field(default_factory=list)
    rows: list[PersonRow] = field(default_factory=list)
    opened: list[tuple[int, bytes | None]] = field(default_factory=list)
    open_rows: list[PersonRow] = field(default_factory=list)
    changes: list[bytes] = field(default_factory=list)
    confidential: list[bytes] = field(default_factory=list)
    quarantined: list[tuple[int, str]] = field(default_factory=list)


async def _resolve_some(
    tx: Transaction,
    members: dict[int, list[int]],
    facts: dict[int, list[msgspec.Raw]],
    again: set[int],
    bounds: Bounds,
    recounted: Recount,
    now: int,
    coverage: Coverage,
) -> _Done:
    """Resolve the pools of some roots, given by root with those that were merged into it."""
    stored = await tx.pools(sorted(chain.from_iterable(members.values())))
    opened = await tx.open_pools(sorted(stored)) if stored else {}
    root_by_pool = {pool: root for root, pools in members.items() for pool in pools}
    before: dict[int, list[PersonRow]] = defaultdict(list)
    for row in await tx.persons(sorted(stored)) if stored else ():
        before[root_by_pool[row.pool]].append(row)
    open_before: dict[int, list[PersonRow]] = defaultdict(list)
    for row in await tx.persons(sorted(opened), "open_person") if opened else ():
        open_before[root_by_pool[row.pool]].append(row)
    due = await _due(tx, before, now, coverage, "person")
    open_due = due | await _due(tx, open_before, now, coverage, "open_person")
    gone: list[int] = []
    done = _Done()
    roots = sorted(members)
    for first in range(0, len(roots), BREATH):
        grown = _grown({root: members[root] for root in roots[first : first + BREATH]}, facts, again, stored)
        await _lower(tx, grown.values(), bounds)
        marked = {root: Pool(open_facts(known)) for root, known in _facts_of(grown) if any_marked(known)}
        if marked or bounds.others:
            both = {
                root: (known, marked[root].facts.values() if root in marked else known)
                for root, known in _facts_of(grown)
            }
            await recount(tx, both, bounds, recounted)
        for root, whole in grown.items():
            numbers = [number for number in members[root] if number in stored]
            known = whole.facts.values()
            if root in marked or not opened.keys().isdisjoint(numbers) or bounds.differ(known):
                shared = [row for row in before[root] if row.pool not in opened]
                apart = [row for row in before[root] if row.pool in opened]
                # of these who has the right is told each person once more, by numbers of their own
                apart += [row._replace(announced=row.announced and "", sequence=0) for row in shared]
                update = _updated(done, root, known, bounds.full, apart, coverage, now, due, of=CONFIDENTIAL)
                done.rows += update.rows
                done.confidential += update.changes
                open_pool = marked.get(root, whole)
                open_to_all = open_pool.facts.values()
                others = open_before[root] + shared
                update = _updated(done, root, open_to_all, bounds.open, others, coverage, now, open_due)
                done.open_rows += update.rows
                done.changes += update.changes
                done.opened.append((root, pack_pool(open_pool) if open_to_all else None))
            else:
                update = _updated(done, root, known, bounds.full, before[root], coverage, now, due)
                done.rows += update.rows
                done.changes += update.changes
            done.packed.append((root, pack_pool(whole)))
            gone += numbers
        await asyncio.sleep(0)
    gone.sort()
    await tx.replace_pools(gone, done.packed)
    await tx.replace_persons(gone, done.rows)
    if opened or done.opened:
        left = sorted(opened.keys() & set(gone))
        await tx.replace_open_pools(left, done.opened)
        await tx.replace_persons(left, done.open_rows, "open_person")
    if done.quarantined or await tx.quarantined():
        resolved = sorted({*gone, *(root for root, _ in done.packed)})
        await tx.replace_quarantined(resolved, sorted(done.quarantined))
    return done


def _updated(
    done: _Done,
    root: int,
    facts: Collection[Fact],
    cutoffs: Cutoffs,
    before: list[PersonRow],
    coverage: Coverage,
    now: int,
    due: Mapping[bytes, bytes],
    *,
    of: str = "",
) -> ViewUpdate:
    """The rows and changes of a pool's persons. A mistake in the program about one must not stop it for all others."""
    try:
        return view_update(persons(facts, None, cutoffs), before, root, coverage, now, due)
    except Exception as error:
        why = failure(error)
        log.error("records quarantined: they could not be resolved", count=len(facts), why=why)
        done.quarantined.append((root, of + why))
        return _rows_without_history(before, root)


async def _due(
    tx: Transaction, before: dict[int, list[PersonRow]], now: int, coverage: Coverage, view: View
) -> dict[bytes, bytes]:
    """The histories of those whose answers have changed by themselves and are not told yet."""
    persons_due = [
        row.person
        for rows in before.values()
        for row in rows
        if (row.next_change_at is not None and row.next_change_at <= now)
        or (row.awaits is not None and coverage.vouches(row.awaits_from or 0, row.awaits))
    ]
    return await tx.docs(sorted(persons_due), view) if persons_due else {}


def failure(error: Exception) -> str:
    """What failed and where; not the message, which may tell of a person."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno} of {Path(last.filename).name}"


def _rows_without_history(before: Iterable[PersonRow], root: int) -> ViewUpdate:
    """The rows of a pool that cannot be resolved: without a history, but what was told last stays known."""
    return ViewUpdate(
        [row._replace(pool=root, next_change_at=None, awaits_from=None, awaits=None, doc=None) for row in before]
    )


def _facts_of(pools: Mapping[int, Pool]) -> Iterator[tuple[int, Collection[Fact]]]:
    for root, pool in pools.items():
        yield root, pool.facts.values()


async def _lower(tx: Transaction, pools: Iterable[Pool], bounds: Bounds) -> None:
    """Lowers the cutoffs of identifiers that fall by what the pools hold, here and in the store."""
    fell: dict[int, Rank] = {}
    for pool in pools:
        caps = caps_of(pool.facts.values(), NO_CUTOFFS, blocks=False)
        for key, rank in caps.cutoffs.items() if caps else ():
            if key not in bounds.full or rank < bounds.full[key]:
                fell[key] = min(rank, fell.get(key, rank))
    if fell:
        bounds.lower(fell)
        await tx.lower_cutoffs(sorted((key, *rank) for key, rank in fell.items()))


def _grown(
    members: dict[int, list[int]], facts: dict[int, list[msgspec.Raw]], again: set[int], stored: dict[int, bytes]
) -> dict[int, Pool]:
    """By root the pools of which more is known than was stored, or that are to be told anew, with all that is known."""
    grown: dict[int, Pool] = {}
    for root, numbers in members.items():
        stored_numbers = [number for number in numbers if number in stored]
        whole = unpack_pool(stored[stored_numbers[0]]) if stored_numbers else Pool()
        for number in stored_numbers[1:]:
            whole.merge(unpack_pool(stored[number]))
        # a root whose history lies under the name of a pool that has lost since moves as well
        more = len(stored_numbers) > 1 or (bool(stored_numbers) and stored_numbers[0] != root)
        for number in numbers:
            for raw in facts.pop(number, ()):
                more |= whole.add(facts_in(raw))
        if more or (whole.facts and not again.isdisjoint(numbers)):
            grown[root] = whole
    return grown
