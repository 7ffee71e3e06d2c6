"""The parts that the console works with, opened beside those of the look-ups."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from services.cli.context import need
from services.clock import wall_clock

if TYPE_CHECKING:
    from fastapi import FastAPI

    from bus.contract import Bus
    from services.api.tokens import Trust
    from services.audit import Audit
    from services.settings import Settings
    from services.store import Store


@asynccontextmanager
async def console_of(settings: Settings, trust: Trust, audit: Audit, store: Store) -> AsyncIterator[FastAPI]:
    """Open the console's own parts and yield its application. Waits for the bus; Refusal where there is none.

    Raises BusDown after the outage that the settings allow.
    """
    import structlog

    from adapters.registry import systems
    from bus.contract import BusDown
    from services import retry
    from services.api.limits import Limits
    from services.authority import Admission
    from services.authority.signatures import Verifier
    from services.console import Console, Watch, create_app
    from services.console.history import History
    from services.console.open_flow import OpenFlow
    from services.dead_letters import Spool
    from services.feeds import Orders
    from services.ingest.gate import gate_of
    from services.ingest.sources import without_key
    from services.outages import Outage
    from services.overview import Observer
    from services.redaction import Veil
    from services.wiring import declared_bus, receipt_index, signing_keys

    need(settings.bus_url, "bus", "ingest")
    keys = signing_keys(settings)
    log = structlog.get_logger("console")
    outage = Outage(partial(log.warning, "waiting for the bus"), partial(log.info, "the bus is there again"))
    deadline = settings.deadlines.bus_outage
    policy = retry.bus(BusDown, stop=asyncio.Event(), deadline=deadline, on_failure=outage.failed)
    async with AsyncExitStack() as opened:

        async def attempt() -> Bus:
            return await opened.enter_async_context(declared_bus(settings))

        bus: Bus = await policy(attempt)
        outage.over()
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        history = History(settings.data_dir / "console-history.json")
        watch = Watch(Observer(bus, store.reads, settings.feeds, store.home, settings.data_dir), history, wall_clock)
        console = Console(
            trust=trust,
            limits=Limits.of(settings.api, time.monotonic),
            audit=audit,
            clock=wall_clock,
            bus=bus,
            reads=store.reads,
            watch=watch,
            open_flow=OpenFlow(Veil(bus, store.reads, systems())),
            systems=systems(),
            spool=Spool(settings.data_dir / "spool"),
            receipts=receipt_index(settings),
            gate=lambda: gate_of(settings, Orders(), bus),
            admission=partial(Admission, wall_clock, verifier=Verifier(keys) if keys is not None else None),
            unsigned=partial(without_key, settings),
            bus_name=settings.bus_url,
        )
        looking = asyncio.create_task(watch.run())
        try:
            yield create_app(console)
        finally:
            watch.stop.set()
            await asyncio.gather(looking, return_exceptions=True)
