"""Sorting: work is shared out by the shard of the pool that it leads to, so that several correlators resolve at once.

Each takes another shard, and hardly ever do two want one pool. That is for speed alone: what keeps two from writing one
pool are the locks that resolving takes (`resolve.py`).
"""

from __future__ import annotations

from services.correlator.merge import aliases_of, root_of
from services.correlator.work import PackedWork, Sorting, shard_of
from services.store.writer import Transaction

SORT_ROWS = 10
"""So many rows are held in memory at a time."""


async def sort(tx: Transaction) -> int:
    """Sort all work that waits unsorted; how many rows that was. None where another transaction is sorting."""
    count = 0
    if not await tx.lock_sorting():
        return count
    while blobs := await tx.take_unsorted(SORT_ROWS):
        works = [PackedWork.unpack(blob) for blob in blobs]
        steps = await aliases_of(tx, {pool for work in works for pool in work.touched})
        sorting = Sorting()
        for work in works:
            place(sorting, work, steps)
        await tx.add_sorted(sorting.packed())
        count += len(blobs)
    return count


def place(sorting: Sorting, work: PackedWork, steps: dict[int, int]) -> None:
    """Put work where the ways from its pools end."""
    for pool, facts in work.facts.items():
        sorting.facts(shard_of(root_of(pool, steps)), pool, facts)
    for loser, winner in work.merged:
        sorting.merged(shard_of(root_of(loser, steps)), loser, winner)
    for pool in work.again:
        sorting.again(shard_of(root_of(pool, steps)), pool)
    for key in work.refused:
        sorting.refused(shard_of(key), key)
