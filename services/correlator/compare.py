"""Compare: claims of committed appends are scored against the claims of their blocks; pools of alike claims merge.

Every writer commits its claims before it compares them, so of two claims written at the same time at least one sees
the other. Comparing before committing would lose links in silence.

A block that more claims share than it admits has a cutoff. The comparison that lowers a cutoff queues the pools of all
claims that fell behind it: they were compared in this block before, and are no longer. What open records alone make of
a capped block is compared as well (`services.correlator.open_caps`).
"""

from __future__ import annotations

import asyncio
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from itertools import combinations

import msgspec

from services.correlator.merge import Groups, aliases_of, merge
from services.correlator.open_caps import OpenBlocks, open_blocks
from services.correlator.work import PackedWork, Work
from services.domain import caps
from services.domain.blocks import KINDS
from services.domain.caps import OpenCutoffs, Rank, admits
from services.domain.facts import Claim
from services.domain.identity import alike
from services.store.writer import MemberRow, Transaction

BREATH = 1_000
"""So many blocks are compared at a time; then others of this process have a turn."""
ROWS, CLAIMS, SLICE = 5, 10_000, 10_000
"""So many rows of work, claims, and blocks with all that stand in them, are held in memory at a time: a turn may take
in a whole backlog, for a block is read once a turn, however many of its claims are new."""
GROUPS = 5_000
"""So many groups of pools are merged at a time."""
Members = Mapping[int, Sequence[MemberRow]]
"""The claims that stand in each block."""
_decoder = msgspec.msgpack.Decoder(Claim)


class GivenUp(Exception):
    """The order to stop came: the transaction is to be rolled back, and whoever starts next finds nothing compared."""


async def compare(tx: Transaction, limit: int, stop: asyncio.Event | None = None) -> int:
    """Compare the claims of up to `limit` rows of work not compared yet. Return the number of rows.

    Raises GivenUp if `stop` is set before all is compared: a turn may take longer than a process has to end.
    """
    mine, count = await _taken(tx, limit)
    if mine:
        turn = _Turn(tx, mine)
        for asked in await _asked(tx, mine):
            if stop is not None and stop.is_set():
                raise GivenUp
            await turn.compare(asked)
        work, groups = Work(again=sorted(turn.again)), _in_order(turn.groups)
        for first in range(0, len(groups), GROUPS):
            work.merged += await merge(tx, groups[first : first + GROUPS])
        if work.merged or work.again:
            await tx.add_work(work.pack(), compared=True)
    return count


def _in_order(groups: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Bring the same pools together by pairs of the least and another, the others in ascending order.

    An alias is locked from its portion to the end of the turn: two correlators that write the same ones, each in the
    order of its slices, would wait for each other.
    """
    sets = Groups()
    for group in groups:
        sets.join(group)
    return [(least, other) for other, least in sets.losers()]


async def _taken(tx: Transaction, limit: int) -> tuple[set[int], int]:
    """The claims of up to `limit` rows of work, and the number of rows: from the commit on they count as compared."""
    mine: set[int] = set()
    count = 0
    while count < limit and (rows := await tx.uncompared(min(ROWS, limit - count))):
        for row in rows:
            mine.update(PackedWork.unpack(row.blob).claims)
        await tx.mark_compared([row.id for row in rows])
        count += len(rows)
        await asyncio.sleep(0)
    return mine, count


async def _asked(tx: Transaction, mine: Set[int]) -> Iterator[list[list[int]]]:
    """The blocks to read, a slice of them by kind at a time: those that admit one of the claims."""
    stored = await tx.cutoffs()
    others: OpenCutoffs = await tx.open_cutoffs() if stored else {}
    claims = sorted(mine)
    slices = -(-sum(map(len, KINDS)) * len(claims) // SLICE)
    buckets = [[array("q") for _ in KINDS] for _ in range(slices)]
    for first in range(0, len(claims), CLAIMS):
        for row in await tx.claims(claims[first : first + CLAIMS]):
            blocks = row.blocks
            for kind, places in enumerate(KINDS):
                for block in {blocks[place] for place in places} - {0}:
                    # a hidden claim tells by the cutoff alone
                    if row.open_known is not None or _admits(block, row.rank, stored, others):
                        buckets[block % slices][kind].append(block)
        await asyncio.sleep(0)
    return ([sorted(set(blocks)) for blocks in kinds] for kinds in buckets)


def _admits(block: int, rank: Rank, stored: Mapping[int, Rank], others: OpenCutoffs) -> bool:
    return admits(stored.get(block), rank) or (block in others and admits(others[block], rank))


class _Turn:
    """One comparing of some claims, a slice of their blocks at a time."""

    def __init__(self, tx: Transaction, mine: Set[int]) -> None:
        self.groups: list[tuple[int, int]] = []
        """The pools that alike claims bring together."""
        self.again: set[int] = set()
        """The pools of claims that a block admits no more, or admits now to those who lack the right to all."""
        self._tx = tx
        self._mine = mine
        self._sets = Groups()  # which pools are merged already, or are to be

    async def compare(self, asked: Sequence[Sequence[int]]) -> None:
        """Compare the claims that stand in some blocks, given by kind."""
        if not any(asked):
            return
        tx = self._tx
        stored = await tx.cutoffs()
        others = await tx.open_cutoffs() if stored else {}
        members = _by_block(await tx.members(asked))
        admitted, lowered, fallen = _admitted(members, stored)
        if lowered or not others.keys().isdisjoint(members) or _hidden(members, stored.keys()):
            # which records are hidden is written by who resolves: read again what is known of it once none does
            await tx.lock_resolving()
            stored, others = await tx.cutoffs(), await tx.open_cutoffs()
            members = _by_block(await tx.members(asked))
            admitted, lowered, fallen = _admitted(members, stored)
            lower = {block: (known, claim) for block, known, claim in lowered}
            open_to_all = open_blocks(members, stored, stored | lower, others)
        else:
            open_to_all = OpenBlocks()
        if lowered:
            await tx.lower_cutoffs(lowered)
        if open_to_all.rows or open_to_all.gone:
            await tx.replace_open_cutoffs(open_to_all.gone, open_to_all.rows)
            # claims committed since the blocks were read were not asked for by these cutoffs
            await tx.add_work(Work(claims=_firsts(open_to_all)).pack(), compared=False)
        self.again |= fallen | open_to_all.moved
        await self._join(admitted, self._mine)
        every = {row.claim for rows in open_to_all.admitted for row in rows}
        await self._join(open_to_all.admitted, every)

    async def _join(self, blocks: Iterable[Sequence[MemberRow]], mine: Set[int]) -> None:
        """Find the pools that alike claims bring together, at least one of each pair being among `mine`.

        Some blocks at a time: a backlog's are compared in one go. Pools that are merged already, or are so by a pair
        before, are not compared: nothing would come of it.
        """
        several = [rows for rows in blocks if len(rows) > 1]
        await self._see_merged({row.pool for rows in several for row in rows})
        apart = [rows for rows in several if self._apart(rows) and not mine.isdisjoint(row.claim for row in rows)]
        if not apart:
            return
        features = await self._tx.features(sorted({row.claim for rows in apart for row in rows}))
        pairs = Pairs(mine, self._sets, features)
        for first in range(0, len(apart), BREATH):
            self.groups += pairs.of(rows for rows in apart[first : first + BREATH] if self._apart(rows))
            await asyncio.sleep(0)

    async def _see_merged(self, pools: Set[int]) -> None:
        fresh = {pool for pool in pools if pool not in self._sets}
        for step in (await aliases_of(self._tx, fresh)).items():
            self._sets.join(step)

    def _apart(self, rows: Iterable[MemberRow]) -> bool:
        """Whether the claims are of several pools."""
        find = self._sets.find
        return len({find(row.pool) for row in rows}) > 1


def _by_block(rows: Iterable[MemberRow]) -> Members:
    blocks: dict[int, list[MemberRow]] = defaultdict(list)
    for row in rows:
        blocks[row.block].append(row)
    return blocks


def _hidden(members: Members, capped: Collection[int]) -> bool:
    """Whether a capped block holds a claim that open records make later, or not at all."""
    return any(row.open_known is not None for block in capped for row in members.get(block, ()))


def _firsts(open_to_all: OpenBlocks) -> list[int]:
    """A claim of each block, by which the block is read again."""
    return sorted({rows[0].claim for rows in open_to_all.admitted if rows})


def _admitted(
    members: Members, stored: Mapping[int, Rank]
) -> tuple[list[Sequence[MemberRow]], list[tuple[int, int, int]], set[int]]:
    """The claims that each block admits, the cutoffs that are lower now, the pools of the claims that fell behind."""
    cap = caps.CAP
    admitted: list[Sequence[MemberRow]] = []
    lowered: list[tuple[int, int, int]] = []
    fallen: set[int] = set()
    for block, rows in members.items():
        if len(rows) <= cap:
            admitted.append(rows)
            continue
        ranked = sorted(rows, key=lambda row: row.rank)
        last, before = ranked[cap - 1].rank, stored.get(block)
        if before is None or last < before:
            lowered.append((block, *last))
            fallen |= {row.pool for row in ranked[cap:] if before is None or row.rank <= before}
        admitted.append(ranked[:cap])
    return admitted, sorted(lowered), fallen


class Pairs:
    """Claims that are one person's by score, at least one of each pair being among `mine`."""

    def __init__(self, mine: Set[int], merged: Groups, features: Mapping[int, bytes]) -> None:
        """`merged`: which pools are merged already. It is kept up. `features`: those of all claims that it is given."""
        self._mine = mine
        self._merged = merged
        self._features = features
        self._claims: dict[int, Claim] = {}
        self._done: set[tuple[int, int]] = set()

    def of(self, blocks: Iterable[Sequence[MemberRow]]) -> list[tuple[int, int]]:
        """The pools of such pairs that stand in one block."""
        mine, merged, done = self._mine, self._merged, self._done
        groups = []
        for rows in blocks:
            for one, other in combinations(rows, 2):
                if one.pool == other.pool or not (one.claim in mine or other.claim in mine):
                    continue
                pair = (one.claim, other.claim) if one.claim < other.claim else (other.claim, one.claim)
                if pair in done:
                    continue
                done.add(pair)
                if merged.find(one.pool) != merged.find(other.pool) and alike(self._claim(one), self._claim(other)):
                    groups.append((one.pool, other.pool))
                    merged.join((one.pool, other.pool))
        return groups

    def _claim(self, row: MemberRow) -> Claim:
        claim = self._claims.get(row.claim)
        if claim is None:
            claim = self._claims[row.claim] = _decoder.decode(self._features[row.claim])
        return claim
