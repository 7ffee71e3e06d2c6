"""A store that is read for long: where another edition becomes the live one, its reads go over to that."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from links.tasks import cancel
from services.logs import describe
from services.outages import Outage
from services.store import Store, open_store
from services.store.contract import StoreDown
from services.store.snapshot import Snapshots

SECONDS = 0.5
"""How often the home is asked which edition is live."""
log = structlog.get_logger(__name__)


@asynccontextmanager
async def followed(url: str) -> AsyncIterator[Store]:
    """The live edition of a store, whose `reads` stay those of the live one. Raises StoreDown, ValueError."""
    store = await open_store(url)
    follower = _Follower(store, url)
    store.reads.moved = follower.moved
    following = asyncio.create_task(follower.run())
    try:
        yield store
    finally:
        store.reads.moved = None
        await cancel(following)
        await follower.close()
        await store.close()


class _Follower:
    """Looks after one store's reads."""

    def __init__(self, store: Store, url: str) -> None:
        self._first, self._url = store, url
        self._number = store.edition
        self._now: Store | None = None  # the edition that was gone over to last
        self._lock = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()
        self._outage = Outage(
            partial(log.error, "the live edition cannot be followed"), partial(log.info, "it is followed again")
        )

    async def run(self) -> None:
        """Go over whenever another edition is live."""
        while True:
            await asyncio.sleep(SECONDS)
            try:
                await self.moved()
            except Exception as error:  # told, and tried again: otherwise an edition that ended would be read for good
                self._outage.met(RuntimeError(type(error).__name__), 1)
                log.debug("the live edition cannot be followed", **describe(error))
            else:
                self._outage.over()

    async def moved(self) -> bool:
        """Whether the reads go to another edition than they did when this was asked; go over where one is live."""
        before = self._number
        async with self._lock:
            if self._number != before:
                return True
            with suppress(StoreDown):  # told by who reads; and nothing is to be gone over to
                live = await self._first.home.live()
                if live != self._number:
                    await self._go_over()
        return self._number != before

    async def _go_over(self) -> None:
        """Open the live edition beside the present one, then read from it."""
        store = await open_store(self._url)
        reads, left = self._first.reads, self._now
        snapshots = reads.go_over(store.engine)
        log.info("another edition of the store is live: read from now on", edition=store.edition)
        self._number, self._now = store.edition, store
        task = asyncio.create_task(self._leave(left, snapshots))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _leave(self, store: Store | None, snapshots: Snapshots) -> None:
        """Close what was read from before, once nothing is under way there."""
        engine = self._first.engine if store is None else store.engine
        while _in_use(engine):  # noqa: ASYNC110 - a pool says to nobody that a connection came back
            await asyncio.sleep(SECONDS)
        await snapshots.close()
        if store is not None:
            await store.close()
        elif engine is not self._first.home.engine:
            await engine.dispose()

    async def close(self) -> None:
        """Let go of all but the first."""
        await cancel(*self._leaving)
        if self._now is not None:
            await self._now.close()


def _in_use(engine: AsyncEngine) -> bool:
    pool = engine.pool
    return isinstance(pool, QueuePool) and pool.checkedout() > 0
