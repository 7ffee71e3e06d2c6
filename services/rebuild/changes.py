"""Whom a view answers otherwise than they were told last, and having them told so."""

from __future__ import annotations

from contextlib import aclosing

from services.correlator.changes import digest_of
from services.domain.history import history_of
from services.domain.resolve import status
from services.rebuild.carry_over import work_of
from services.store import Store
from services.store.writer import View

_VIEWS: tuple[View, View] = ("person", "open_person")


async def untold(store: Store, now: int) -> set[int]:
    """Return the pools of persons whose answer at `now` (seconds) is another one than they were told last."""
    pools: set[int] = set()
    async with store.reads.one_state() as state:
        coverage = await state.coverage()
        for view in _VIEWS:
            async with aclosing(state.announcements(view)) as rows:
                async for pool, announced, doc in rows:
                    answered = None if doc is None else digest_of(status(history_of(doc), now, coverage))
                    if answered != announced:
                        pools.add(pool)
    return pools


async def tell(live: Store, now: int) -> int:
    """Have the correlators of the live edition tell what a switch has held back; of how many pools."""
    pools = await untold(live, now)
    async with live.writer.begin() as tx:
        for blob in work_of(pools):
            await tx.add_work(blob, compared=True)
    return len(pools)
