"""Compare: claims of committed appends are scored against the claims of their blocks; pools of alike claims merge.

Every writer commits its claims before it compares them, so of two claims written at the same time at least one sees
the other. Comparing before committing would lose links in silence.

A block that more claims share than it admits has a cutoff. The comparison that lowers a cutoff queues the pools of all
claims that fell behind it: they were compared in this block before, and are no longer. What open records alone make of
a capped block is compared as well (`services.correlator.open_caps`).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from itertools import chain, combinations

import msgspec

from services.correlator.merge import Groups, aliases_of, merge
from services.correlator.open_caps import OpenBlocks, open_blocks
from services.correlator.work import PackedWork, Work
from services.domain import caps
from services.domain.blocks import KINDS
from services.domain.caps import OpenCutoffs, Rank, admits
from services.domain.facts import Claim
from services.domain.identity import alike
from services.store.writer import ClaimRow, Transaction

BREATH = 1_000
"""So many blocks are compared at a time; then others of this process have a turn."""
_decoder = msgspec.msgpack.Decoder(Claim)


async def compare(tx: Transaction, limit: int) -> int:
    """Compare the claims of up to `limit` rows of work not compared yet. Return the number of rows."""
    rows = await tx.uncompared(limit)
    if not rows:
        return 0
    mine = {claim for row in rows for claim in PackedWork.unpack(row.blob).claims}
    stored = await tx.cutoffs()
    others = await tx.open_cutoffs() if stored else {}
    asked = _asked(await tx.claims(sorted(mine)), stored, others)
    work = Work()
    if any(asked):
        blocks = {one for some in asked for one in some}
        members = await tx.block(asked)
        admitted, lowered, fallen = _admitted(members, blocks, stored)
        if lowered or not others.keys().isdisjoint(blocks) or _hidden(members, blocks & stored.keys()):
            # which records are hidden is written by who resolves: read again what is known of it once none does
            await tx.lock_resolving()
            stored, others, members = await tx.cutoffs(), await tx.open_cutoffs(), await tx.block(asked)
            admitted, lowered, fallen = _admitted(members, blocks, stored)
            lower = {block: (known, claim) for block, known, claim in lowered}
            open_to_all = open_blocks(members, blocks, stored, stored | lower, others)
        else:
            open_to_all = OpenBlocks()
        if lowered:
            await tx.lower_cutoffs(lowered)
        if open_to_all.rows or open_to_all.gone:
            await tx.replace_open_cutoffs(open_to_all.gone, open_to_all.rows)
            # claims committed since the blocks were read were not asked for by these cutoffs
            await tx.add_work(Work(claims=_firsts(open_to_all)).pack(), compared=False)
        every = {row.claim for rows in open_to_all.admitted for row in rows}
        merged = await _merged(tx, chain(admitted, open_to_all.admitted))
        groups = [*await _groups(mine, admitted, merged), *await _groups(every, open_to_all.admitted, merged)]
        work.merged = await merge(tx, groups)
        work.again = sorted(fallen | open_to_all.moved)
    await tx.mark_compared([row.id for row in rows])
    if work.merged or work.again:
        await tx.add_work(work.pack(), compared=True)
    return len(rows)


def _hidden(members: Iterable[ClaimRow], capped: Set[int]) -> bool:
    """Whether a capped block holds a claim that open records make later, or not at all."""
    return bool(capped) and any(row.open_known is not None and not capped.isdisjoint(row.blocks) for row in members)


def _firsts(open_to_all: OpenBlocks) -> list[int]:
    """A claim of each block, by which the block is read again."""
    return sorted({rows[0].claim for rows in open_to_all.admitted if rows})


def _asked(mine: Sequence[ClaimRow], stored: dict[int, Rank], others: OpenCutoffs) -> list[list[int]]:
    """Return the blocks to read: those that admit one of the claims."""
    asked: dict[int, set[int]] = {}
    for places in KINDS:
        some: set[int] = set()
        asked |= dict.fromkeys(places, some)  # blocks of one kind are looked for in all places of the kind
        for row in mine:
            for block in {row.blocks[place] for place in places} - {0}:
                admitted = admits(stored.get(block), row.rank) or (block in others and admits(others[block], row.rank))
                # a hidden claim tells by the cutoff alone
                if admitted or row.open_known is not None:
                    some.add(block)
    return [sorted(some) for _, some in sorted(asked.items())]


def _admitted(
    rows_read: Iterable[ClaimRow], asked: set[int], stored: dict[int, Rank]
) -> tuple[list[list[ClaimRow]], list[tuple[int, int, int]], set[int]]:
    """The claims that each block admits, the cutoffs that are lower now, the pools of the claims that fell behind."""
    blocks: dict[int, list[ClaimRow]] = defaultdict(list)
    for row in rows_read:
        for block in set(row.blocks):
            if block in asked:
                blocks[block].append(row)
    cap = caps.CAP
    lowered: list[tuple[int, int, int]] = []
    fallen: set[int] = set()
    for block, rows in blocks.items():
        if len(rows) <= cap:
            continue
        rows.sort(key=lambda row: row.rank)
        last, before = rows[cap - 1].rank, stored.get(block)
        if before is None or last < before:
            lowered.append((block, *last))
            fallen |= {row.pool for row in rows[cap:] if before is None or row.rank <= before}
        del rows[cap:]
    return list(blocks.values()), sorted(lowered), fallen


async def _merged(tx: Transaction, blocks: Iterable[list[ClaimRow]]) -> Groups:
    """Which pools of claims that stand in one block are merged already."""
    merged = Groups()
    for step in (await aliases_of(tx, {row.pool for rows in blocks if len(rows) > 1 for row in rows})).items():
        merged.join(step)
    return merged


async def _groups(mine: set[int], blocks: Sequence[list[ClaimRow]], merged: Groups) -> list[set[int]]:
    """The pools that alike claims bring together, some blocks at a time: a backlog's are compared in one go."""
    groups: list[set[int]] = []
    pairs = Pairs(mine, merged)
    for first in range(0, len(blocks), BREATH):
        groups += pairs.of(blocks[first : first + BREATH])
        await asyncio.sleep(0)
    return groups


class Pairs:
    """Claims that are one person's by score, at least one of each pair being among `mine`."""

    def __init__(self, mine: set[int], merged: Groups) -> None:
        """`merged`: which pools are merged already. It is kept up."""
        self._mine = mine
        self._merged = merged
        self._claims: dict[int, Claim] = {}
        self._done: set[tuple[int, int]] = set()

    def of(self, blocks: Iterable[list[ClaimRow]]) -> list[set[int]]:
        """The pools of such pairs that stand in one block.

        Pools that are merged already, or are so by a pair before, are not compared: nothing would come of it.
        """
        mine, merged, done = self._mine, self._merged, self._done
        groups = []
        for rows in blocks:
            if len(rows) < 2 or len({merged.find(row.pool) for row in rows}) == 1:
                continue
            for one, other in combinations(rows, 2):
                if one.pool == other.pool or not (one.claim in mine or other.claim in mine):
                    continue
                pair = (one.claim, other.claim) if one.claim < other.claim else (other.claim, one.claim)
                if pair in done:
                    continue
                done.add(pair)
                if merged.find(one.pool) != merged.find(other.pool) and alike(self._claim(one), self._claim(other)):
                    groups.append({one.pool, other.pool})
                    merged.join((one.pool, other.pool))
        return groups

    def _claim(self, row: ClaimRow) -> Claim:
        claim = self._claims.get(row.claim)
        if claim is None:
            claim = self._claims[row.claim] = _decoder.decode(row.features)
        return claim
