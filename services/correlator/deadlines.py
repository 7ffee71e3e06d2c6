"""Answers that change by themselves: a day passes, or departures become known to be complete."""

from __future__ import annotations

from itertools import chain
from operator import itemgetter

from services.correlator.changes import fire, tell
from services.domain.coverage import Coverage
from services.domain.history import history_of
from services.store.writer import PersonRow, Transaction, View

_Place = tuple[bool, int, bytes]
"""Orders those that are due in one go: as if there were no view but the one of who lacks the right."""


async def fire_due(tx: Transaction, limit: int, now: int, coverage: Coverage) -> int:
    """Tell what has become due by `now` (seconds), at most `limit` persons of each view; how many those were.

    The stored histories do not change: only the emission pointer moves. None where another transaction tells.
    """
    whole, others = await _due(tx, limit, now, coverage)
    if not (whole or others) or not await tx.lock_firing():
        return 0
    pools = {row.pool for row in chain(whole, others)}
    if await tx.lock_pools(sorted(pools)):  # who resolves them numbers their changes as well
        whole, others = await _due(tx, limit, now, coverage)
    bounds = [_place(rows[-1], now) for rows in (whole, others) if len(rows) == limit]
    count = len(whole) + len(others)
    whole, others = ([row for row in rows if row.pool in pools] for rows in (whole, others))
    opened = await tx.open_pools(sorted({row.pool for row in whole}))
    due: list[tuple[_Place, PersonRow, View]] = [(_place(row, now), row, "person") for row in whole]
    due += [(_place(row, now), row, "open_person") for row in others]
    due = sorted((each for each in due if not bounds or each[0] <= min(bounds)), key=itemgetter(0))
    moved: dict[View, list[PersonRow]] = {"person": [], "open_person": []}
    changes: dict[bool, list[bytes]] = {False: [], True: []}
    for _, row, view in due:
        if row.doc is None:
            continue
        after, body = fire(row, history_of(row.doc), coverage, now)
        moved[view].append(after)
        if body is not None:
            changes[view == "person" and row.pool in opened].append(body)
    for view, rows in moved.items():
        if rows:
            await tx.move_on(rows, view)
    await tell(tx, changes[False], changes[True])
    return sum(map(len, moved.values())) or count


async def is_due(tx: Transaction, now: int, coverage: Coverage) -> bool:
    """Whether anybody's answer has changed by itself by `now` (seconds) and that is not written yet."""
    return any(await _due(tx, 1, now, coverage))


async def _due(tx: Transaction, limit: int, now: int, coverage: Coverage) -> tuple[list[PersonRow], list[PersonRow]]:
    whole = await tx.due(now, coverage.departures, limit)
    return whole, await tx.due(now, coverage.departures, limit, "open_person")


def _place(row: PersonRow, now: int) -> _Place:
    if row.next_change_at is not None and row.next_change_at <= now:
        return (False, row.next_change_at, row.person)
    return (True, row.awaits or 0, row.person)
