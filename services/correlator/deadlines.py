"""Answers that change by themselves: a day passes, or departures become known to be complete."""

from __future__ import annotations

from services.correlator.changes import fire, pack_changes
from services.domain.coverage import Coverage
from services.domain.history import history_of
from services.store.writer import Transaction


async def fire_due(tx: Transaction, limit: int, now: int, coverage: Coverage) -> int:
    """Tell what has become due by `now` (seconds), at most `limit` persons; how many those were.

    The stored histories do not change: only the emission pointer moves. The caller has locked resolving.
    """
    due = [row for row in await tx.due(now, coverage.departures, limit) if row.doc is not None]
    if not due:
        return 0
    moved = [fire(row, history_of(row.doc), coverage, now) for row in due if row.doc is not None]
    await tx.move_on([row for row, _ in moved])
    changes = [body for _, body in moved if body is not None]
    if changes:
        await tx.add_change(pack_changes(changes))
    return len(moved)
