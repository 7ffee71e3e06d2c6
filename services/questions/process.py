"""The process that follows changes of the view and asks, until it is stopped or has nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

import structlog
from tenacity import RetryCallState

from bus.contract import BusDown
from schemas.topics import CHANGES
from services import retry, wiring
from services.questions.book import Book
from services.questions.follow import GROUP, Follower
from services.settings import Settings
from services.store.contract import StoreDown
from services.store.following import followed

_PASSING = (BusDown, StoreDown)
_IDLE_SECONDS = 1.0
log = structlog.get_logger("questions")


async def run(
    settings: Settings, feeds: Mapping[str, Sequence[str]], *, most_open: int, once: bool, stop: asyncio.Event
) -> int:
    """Follow until `stop`, or with `once` until no change is left that there is room for; the number of questions.

    Raises BusDown or StoreDown after the outage that the settings allow.
    """
    policy = retry.bus(_PASSING, stop=stop, deadline=settings.deadlines.bus_outage, on_failure=_log_outage)
    asked = 0
    while not stop.is_set():
        async for attempt in policy.copy():
            with attempt:
                asked += await _follow(settings, feeds, most_open=most_open, once=once, stop=stop)
        if once:
            break
    return asked


async def _follow(
    settings: Settings, feeds: Mapping[str, Sequence[str]], *, most_open: int, once: bool, stop: asyncio.Event
) -> int:
    async with AsyncExitStack() as opened:
        store = await opened.enter_async_context(followed(settings.store_url))
        bus = await opened.enter_async_context(wiring.declared_bus(settings))
        producer = await bus.producer()
        consumer = await bus.consumer(GROUP, [CHANGES])
        try:
            follower = Follower(Book(bus, producer), store, feeds, most_open)
            while not stop.is_set():
                if not await follower.round(consumer):
                    if once:
                        break
                    await retry.wait(_IDLE_SECONDS, stop)
            return follower.asked
        finally:
            await consumer.close()
            await producer.close()


def _log_outage(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    log.warning("waiting for the bus or the store", code=type(error).__name__, attempt=state.attempt_number)
