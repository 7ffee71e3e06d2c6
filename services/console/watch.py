"""The last overview, made anew every two seconds for all who look at the page together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog

from bus.contract import BusDown
from schemas.operations import Overview
from services.audit import Clock
from services.console.history import History
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

    async def run(self) -> None:
        """Look every two seconds."""
        while not self.stop.is_set():
            await self.observe()
            await wait(SECONDS, self.stop)
        self.history.save()

    async def observe(self) -> Overview | None:
        """Look now."""
        try:
            self.last = await self.observer.observe(self.clock())
        except (BusDown, StoreDown) as error:
            if self.last is not None:
                log.warning("the flow cannot be read", code=type(error).__name__)
            self.last = None
            return None
        if self.history.add(self.last):
            await asyncio.to_thread(self.history.save)
        return self.last
