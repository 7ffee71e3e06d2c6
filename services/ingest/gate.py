"""A batch that would change too many outcomes waits for a person: judged before anything of it is sent.

Where the settings set a limit (`ingest.hold_above`), each batch is read through first and compared with the view. One
above the limit is not sent: the feed stands in front of it, and what follows waits behind it. The source still holds
it, so that nothing but the preview has to be kept; it stands in the checkpoint and outlasts restarts. A person's word
comes as an order to the feed: released, it is read and sent as it is; rejected, it is read and none of it is sent.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from adapters.core import System
from bus.contract import Bus, BusDown, Message
from schemas.codec import Undecodable
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS
from services.addresses import exists
from services.domain.facts import Fact, fact_of
from services.feeds import Checkpoint, Order, Orders, Waiting, Word
from services.settings import Settings

if TYPE_CHECKING:
    from services.impact import Impact
    from services.store import Store
    from services.store.reads import SqlReads

REJECTED = "rejected by an operator"
"""The rule under which the records of a batch that was rejected are left out."""
_SLICE = 2_000
_PACE_SECONDS = 60.0
log = structlog.get_logger("ingest")


class NotJudged(Exception):
    """What a batch would change cannot be known now."""


@dataclass(slots=True)
class Gate:
    """Judges batches by the live edition of one store. Before there is one nothing can change."""

    limit: int
    store_url: str
    orders: Orders
    bus: Bus | None
    store: Store | None = None
    _left: list[Store] = field(default_factory=list)  # of editions before, which another task may still read
    warned: float = -_PACE_SECONDS

    @asynccontextmanager
    async def impact(self) -> AsyncIterator[Impact | None]:
        """What a batch would change; None where there is no view yet. Raises NotJudged."""
        if not exists(self.store_url):
            yield None
            return
        from services.impact import Impact  # a process that judges nothing loads no database
        from services.store.contract import StoreDown

        try:
            store = await self._live()
            await self._tell_of_lag(store.reads)
            yield Impact(store.reads, int(time.time()))
        except StoreDown as error:
            raise NotJudged(f"the store cannot be read ({error})") from None

    async def _live(self) -> Store:
        """The edition that is live: behind a rebuild another one. Raises StoreDown."""
        from services.store import open_store

        store = self.store
        if store is not None and await store.home.live() == store.edition:
            return store
        opened = await open_store(self.store_url, migrate=False)
        if self.store is not None:
            self._left.append(self.store)
        self.store = opened
        return opened

    @staticmethod
    def down() -> tuple[type[Exception], ...]:
        """What is raised where the store cannot be read; `impact` tells it as NotJudged."""
        from services.store.contract import StoreDown

        return (StoreDown,)

    async def close(self) -> None:
        """Let go of the store."""
        left = [*self._left, self.store] if self.store is not None else self._left
        self._left, self.store = [], None
        for store in left:
            await store.close()

    async def _tell_of_lag(self, reads: SqlReads) -> None:
        """Say that the view lacks what the bus has, once in a while: it is not compared with that."""
        if self.bus is None or time.monotonic() - self.warned < _PACE_SECONDS:
            return
        from services.store.contract import behind

        try:
            count = behind(await self.bus.ends(EVENT_TOPICS), await reads.positions())
        except BusDown:
            return  # who sends finds out
        if count > _SLICE:
            self.warned = time.monotonic()
            log.warning("batches are compared with a view that lacks messages of the bus", count=count)

    def word(self, key: str, waiting: Waiting | None) -> Order | None:
        """A person's word on the batch that waits."""
        order = self.orders.word(key)
        return order if order is not None and waiting is not None and order.about == waiting.id else None

    def passes(self, order: Order | None, waiting: Waiting | None, impact: Impact) -> bool:
        """Whether a batch that was judged may be sent.

        One that was released passes as it was shown. A source of which each poll is another batch has perhaps more of
        it by then: as many more outcomes may change as any batch may.
        """
        if impact.whole.count <= self.limit:
            return True
        released = order is not None and order.word is Word.RELEASE and waiting is not None
        return released and waiting is not None and impact.shown.count <= waiting.changed + self.limit

    def held(self, system: System, batch: str, mark: str, records: int, impact: Impact, before: Checkpoint) -> Waiting:
        """The batch as one that waits."""
        from services.redaction import may_be_marked

        shown = impact.shown
        waiting = Waiting(
            batch=batch,
            mark=mark,
            at=datetime.now(UTC),
            records=None if may_be_marked(system) else records,
            limit=self.limit,
            changed=shown.count,
            appeared=len(shown.appeared),
            changes=shown.by_outcome(),
        )
        known = before.waiting
        return known if known is not None and known.id == waiting.id and known.changed == waiting.changed else waiting


def facts_of(messages: Sequence[Message]) -> list[Fact]:
    """The events among messages. What no correlator would take changes nothing."""
    facts = []
    for message in messages:
        if message.topic != DEAD_LETTERS and message.value is not None:
            try:
                facts.append(fact_of(message.value))
            except Undecodable:
                continue
    return facts


def gate_of(settings: Settings, orders: Orders, bus: Bus | None) -> Gate | None:
    """What has batches wait for a person, if the settings want it."""
    limit = settings.ingest.hold_above
    return Gate(limit, settings.store_url, orders, bus) if limit is not None else None
