"""A rebuild from its beginning to the switch, in the steps that its command names."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from bus.contract import Bus
from schemas.topics import EVENT_TOPICS
from services import failpoints, wiring
from services.clock import wall_clock
from services.rebuild import comparing, switching
from services.rebuild.builder import Builder, builder
from services.rebuild.catching_up import PATIENCE_SECONDS, Stopped, met
from services.rebuild.comparing import Comparison, Difference
from services.rebuild.correlators import left_of
from services.rebuild.switching import Switched
from services.rebuild.target import Engine, NewStore, NoRebuild, Progress, begin
from services.settings import Settings
from services.store import Store, open_store
from services.store.editions import PROGRESS, Edition

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What is common to all steps."""

    progress: Progress
    stop: asyncio.Event
    clock: Callable[[], datetime] = wall_clock
    patience: float = PATIENCE_SECONDS


async def fill(settings: Settings, engine: Engine, options: Options) -> NewStore:
    """Begin a rebuild, or go on with it, until the new edition is close to the end of the bus.

    Raises NoRebuild, Stopped, BusDown, StoreDown.
    """
    new = await begin(settings.store_url)
    log.info("a new edition is built beside the live one", edition=new.number)
    await _warn_of_gone(settings)
    await engine.fill(new, settings, options.progress, options.stop)
    if options.stop.is_set():
        raise Stopped
    await failpoints.reach("rebuild.filled")
    return new


async def _warn_of_gone(settings: Settings) -> None:
    """Say where the bus has less than the live edition was made of: a rebuild has no other source."""
    async with wiring.declared_bus(settings) as bus:
        gone = sum((await bus.begins(EVENT_TOPICS)).values())
    if gone:
        log.error("the bus no longer has its first messages: the new edition will lack what they said", count=gone)


@asynccontextmanager
async def _both(settings: Settings, new: NewStore, options: Options) -> AsyncIterator[tuple[Store, Builder, Bus]]:
    """The live edition, and the new one in the hands of this process alone."""
    async with AsyncExitStack() as opened:
        live = await open_store(settings.store_url)
        opened.push_async_callback(live.close)
        bus = await opened.enter_async_context(wiring.declared_bus(settings))
        hands = await opened.enter_async_context(builder(new, settings, bus, options.clock, options.stop))
        yield live, hands, bus


async def follow(settings: Settings, new: NewStore, options: Options) -> None:
    """Take the new edition to where the live one is now. Raises Stopped, BusDown, StoreDown."""
    async with _both(settings, new, options) as (live, hands, _):
        await hands.to(await live.reads.positions())
        if options.stop.is_set():
            raise Stopped


async def compare(
    settings: Settings, new: NewStore, options: Options, differing: Callable[[Difference], None] | None = None
) -> Comparison:
    """Compare the new edition with the live one, both at one point of the bus, and keep what it came to.

    Raises NoRebuild, Stopped, BusDown, StoreDown.
    """
    async with _both(settings, new, options) as (live, hands, bus):
        await left_of(bus, hands.store.reads, options.progress)
        async with met(live, hands, options.patience, options.progress.waits) as both:
            await left_of(bus, hands.store.reads, options.progress)
            persons = sum((await both.live.outcomes()).values())

            def advance(count: int) -> None:
                if options.stop.is_set():
                    raise Stopped
                options.progress.at(count, max(count, persons), "compare")

            now = int(options.clock().timestamp())
            result = await comparing.compare(both, now, differing=differing, advance=advance)
        await failpoints.reach("rebuild.compared")
        await live.home.note(new.number, result.as_json() | {"at": int(time.time())})
        return result


async def noted(settings: Settings, new: NewStore) -> dict[str, Any] | None:
    """Return what the last comparison came to; None where there was none."""

    def compared(each: Edition) -> dict[str, Any]:
        return {name: value for name, value in (each.noted or {}).items() if name != PROGRESS}

    live = await open_store(settings.store_url)
    try:
        return next(
            (known for each in await live.home.all() if each.number == new.number and (known := compared(each))), None
        )
    finally:
        await live.close()


async def switch(settings: Settings, new: NewStore, options: Options, *, tell: bool) -> Switched:
    """Make the new edition the live one. Raises NoRebuild, Incomplete, Stopped, BusDown, StoreDown."""
    async with _both(settings, new, options) as (live, hands, _):
        if live.edition == new.number:
            raise NoRebuild("the new edition is live already")
        return await switching.switch(new, live, hands, options.clock, tell=tell, patience=options.patience)
