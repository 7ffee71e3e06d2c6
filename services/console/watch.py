"""The last overview, made anew every two seconds for all who look at the page together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

import structlog

from bus.contract import BusError
from schemas.operations import Overview
from services.audit import Clock
from services.console.history import History
from services.logs import describe
from services.outages import Outage
from services.overview import Observer
from services.retry import wait
from services.store.contract import StoreDown

SECONDS = 2.0
log = structlog.get_logger("console")


@dataclass(slots=True)
class Watch:
    """Looks at the flow until it is stopped."""

    observer: Observer
    history: History
    clock: Clock
    last: Overview | None = None  # none while bus or store cannot be read
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    outage: Outage = field(
        default_factory=lambda: Outage(
            partial(log.warning, "the flow cannot be read"), partial(log.info, "the flow is read again")
        )
    )

    disk: Outage = field(
        default_factory=lambda: Outage(
            partial(log.warning, "the history of the flow cannot be kept"),
            partial(log.info, "the history of the flow is kept again"),
        )
    )

    async def run(self) -> None:
        """Look every two seconds."""
        while not self.stop.is_set():
            await self.observe()
            await wait(SECONDS, self.stop)
        await self._keep()

    async def observe(self) -> Overview | None:
        """Look now."""
        try:
            self.last = await self.observer.observe(self.clock())
        except (BusError, StoreDown) as error:
            self.outage.met(error, 1)
            self.last = None
            return None
        except Exception as error:  # a bug of ours: the page says that it cannot be read, and it is tried again
            self.outage.met(RuntimeError(type(error).__name__), 1)
            log.debug("the flow cannot be read", **describe(error))
            self.last = None
            return None
        self.outage.over()
        if self.history.add(self.last):
            await self._keep()
        return self.last

    async def _keep(self) -> None:
        """Keep the history for the next process; a disk that is full must not stop what the page shows."""
        try:
            await asyncio.to_thread(self.history.save)
        except OSError as error:
            self.disk.met(error, 1)
        else:
            self.disk.over()
