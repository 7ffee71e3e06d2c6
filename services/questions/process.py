"""The process that follows changes of the view and asks, until it is stopped or has nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

import structlog

from bus.contract import BusDown, Consumer, UnknownTopic
from schemas.topics import CHANGES
from services import retry, wiring
from services.outages import Outage
from services.questions.follow import Anew, Follower
from services.questions.open_questions import Book
from services.settings import Settings
from services.stopping import Stopped, cut_off
from services.store.contract import StoreDown
from services.store.following import followed

_PASSING = (BusDown, StoreDown, UnknownTopic)  # topics that are being made anew
_IDLE_SECONDS = 1.0
_ONCE_SECONDS = 0.2
_IDLE_ROUNDS = 25
"""Rounds without a change after which none is left for who holds all partitions: a lag may count what is gone."""
log = structlog.get_logger("questions")


async def run(
    settings: Settings, feeds: Mapping[str, Sequence[str]], *, most_open: int, once: bool, stop: asyncio.Event
) -> int:
    """Follow until `stop`, or with `once` until no change is left that there is room for; the number of questions.

    Raises BusDown or StoreDown after the outage that the settings allow.
    """
    outage = Outage(
        partial(log.warning, "waiting for the bus or the store"), partial(log.info, "bus and store are there again")
    )
    deadline = settings.deadlines.bus_outage
    policy = retry.bus(_PASSING, stop=stop, deadline=deadline, on_failure=outage.failed, away=outage.seconds)
    asked = 0
    while not stop.is_set():
        try:
            async for attempt in policy.copy():
                with attempt:
                    asked += await _follow(settings, feeds, outage, most_open=most_open, once=once, stop=stop)
        except Stopped:
            break
        except _PASSING:
            if not stop.is_set():
                raise
        if once:
            break
    return asked


async def _follow(
    settings: Settings,
    feeds: Mapping[str, Sequence[str]],
    outage: Outage,
    *,
    most_open: int,
    once: bool,
    stop: asyncio.Event,
) -> int:
    async with AsyncExitStack() as opened:
        async with cut_off(stop):
            store = await opened.enter_async_context(followed(settings.store_url))
            bus = await opened.enter_async_context(wiring.declared_bus(settings))
            producer = await bus.producer()
            follower = Follower(Book(bus, producer), store, feeds, most_open)
            consumer = await follower.join()
        try:
            idle = 0
            while not stop.is_set():
                try:
                    came = await follower.round(consumer)
                except Anew:
                    await consumer.close()
                    consumer = await follower.join()
                    continue
                outage.over()
                if came:
                    idle = 0
                    continue
                idle += 1
                if once and (not follower.has_room() or await _is_behind_all(follower, consumer, idle)):
                    break
                await retry.wait(_IDLE_SECONDS if not once else _ONCE_SECONDS, stop)
            return follower.asked
        finally:
            await consumer.close()
            await producer.close()


async def _is_behind_all(follower: Follower, consumer: Consumer, idle: int) -> bool:
    """Return whether no change is left. A round without any does not tell: another member, or one that was killed, may
    still hold the partitions, and a server may be slow to give the first.
    """
    if not await follower.behind():
        return True
    return idle >= _IDLE_ROUNDS and consumer.assignment() == set(await follower.book.bus.ends([CHANGES]))
