"""The host of the feeds: takes them over, runs a task for each, and sees whether another process took one over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

import structlog

from bus.contract import Bus, BusDown, UnknownTopic
from links.tasks import cancel
from services import retry
from services.dead_letters import Spool
from services.feeds import FeedHeld, FeedLost, Orders, Ownership, Values
from services.feeds.status import HEARTBEAT_SECONDS
from services.ingest.clocks import Clock, now
from services.ingest.feed_run import FeedRun, Installation
from services.ingest.gate import gate_of
from services.ingest.mappers import Mappers
from services.ingest.receipts import expired
from services.ingest.retrying import Patience
from services.ingest.sources import Outcome, Source
from services.ingest.truncation import Emptying
from services.logs import describe
from services.questions import Book
from services.settings import Settings
from services.stopping import Stopped, cut_off
from services.tracing import tracing_of
from services.wiring import open_bus, receipt_keys, topics

_MINUTE, _DAY = 60.0, 86_400.0
PROGRESS_SECONDS = 1.0
Progress = Callable[[int, int | None], object]
"""Is told how many records were read since the start, and how many there are by the look of it, where that is known."""
VERIFY_SECONDS = 60.0
"""How often a host looks whether the bus still has what the feeds sent; and as soon as the bus is back."""
log = structlog.get_logger("ingest")


async def run(
    settings: Settings,
    feeds: Sequence[Source],
    *,
    once: bool = False,
    take_over: bool = True,
    stop: asyncio.Event | None = None,
    clock: Clock = now,
    bus: Bus | None = None,
    mappers: int = 0,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Run the feeds until `stop`, or with `once` until no source has anything more. Return how each ended.

    Without `take_over` a feed that another process holds and works at is left to it: with `once` that raises FeedHeld;
    otherwise it is waited for, as is a feed that another process takes over later. A bus that is handed in stays open.
    The records of big batches are mapped by that many further processes, if any. `progress` is told every second.
    Raises BusDown if the bus stays away longer than `deadlines.bus_outage` before the feeds have begun; later that ends
    the feeds that need it, with their process, and their outcomes say so.
    """
    stop = stop or asyncio.Event()
    patience = Patience(settings.deadlines.bus_outage)
    opened = bus
    try:
        async with cut_off(stop):
            opened = bus if bus is not None else await patience(stop, lambda: open_bus(settings))
    except Stopped:
        if bus is None and opened is not None:  # the order came as it opened
            await opened.close()
        return []
    pool = Mappers(mappers) if mappers else None
    try:
        host = Host(
            settings, opened, once=once, stop=stop, clock=clock, patience=patience, mappers=pool, progress=progress
        )
        return await host.run(feeds, take_over=take_over)
    except Stopped:
        return []  # nothing was begun
    except BusDown:
        if not stop.is_set():
            raise
        return []  # it was told to stop while it waited for the bus
    finally:
        if pool is not None:
            pool.close()
        if bus is None:
            await opened.close()


class Host:
    """Runs feeds. Used through `run`."""

    def __init__(
        self,
        settings: Settings,
        bus: Bus,
        *,
        once: bool,
        stop: asyncio.Event,
        clock: Clock,
        patience: Patience,
        mappers: Mappers | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._once = once
        self._stop = stop
        self._clock = clock
        self._patience = patience
        self._mappers = mappers
        self._progress = progress

    async def run(self, feeds: Sequence[Source], *, take_over: bool) -> list[Outcome]:
        """Take the feeds, run them, let them go. Raises Stopped if told to stop before."""
        orders = Orders()
        async with cut_off(self._stop):
            await self._patience(self._stop, lambda: self._bus.declare(topics()))
            await self._patience(self._stop, lambda: orders.follow(self._bus))
            producer = await self._patience(self._stop, self._bus.producer)
        tracing = tracing_of(self._settings, "ingest")
        gate = gate_of(self._settings, orders, self._bus)
        try:
            ownership = Ownership(self._bus, producer)
            taken = await self._take(ownership, feeds, take_over=take_over)
            shared = Installation(
                settings=self._settings.ingest,
                producer=producer,
                ownership=ownership,
                orders=orders,
                values=Values(self._bus, producer),
                directory=self._settings.data_dir / "extracts",
                book=Book(self._bus, producer),
                spool=Spool(self._settings.data_dir / "spool"),
                receipt_keys=receipt_keys(self._settings),
                clock=self._clock,
                patience=self._patience,
                mappers=self._mappers,
                gate=gate,
                emptying=Emptying.of(self._bus, self._settings),
                tracing=tracing,
                once=self._once,
                stop=self._stop,
                grace=self._settings.deadlines.stop,
            )
            runs = [_Keeper(feed, shared, held=feed.key in taken) for feed in feeds]
            with self._exported(ownership, orders):
                return await self._run(runs, shared)
        finally:
            if gate is not None:
                await gate.close()
            if tracing is not None:
                await asyncio.to_thread(tracing.close)
            await producer.close()

    def _exported(self, ownership: Ownership, orders: Orders) -> AbstractContextManager[object]:
        """The metrics, served while the context lasts if the settings name a port: only then their library is read."""
        metrics = self._settings.metrics
        if metrics.ingest is None:
            return nullcontext()
        from services.metrics import FeedCollector, exported

        return exported(metrics.host, metrics.ingest, FeedCollector(lambda: ownership.status(orders.paused)))

    async def _take(self, ownership: Ownership, feeds: Sequence[Source], *, take_over: bool) -> set[str]:
        """Take the feeds, or those that are free. Return the keys of those taken."""
        keys = [feed.key for feed in feeds]
        if not take_over and not self._once:
            async with cut_off(self._stop):
                keys = await self._patience(self._stop, lambda: ownership.free(keys))
        if await self._patience(self._stop, lambda: ownership.claim(keys, only_free=not take_over and self._once)):
            await retry.wait(2 * self._settings.ingest.fence_seconds, self._stop)
        await self._patience(self._stop, ownership.confirm)
        return set(keys)

    async def _run(self, runs: Sequence[_Keeper], shared: Installation) -> list[Outcome]:
        tasks = [asyncio.create_task(run.run()) for run in runs]
        for task in tasks if not self._once else ():
            task.add_done_callback(self._feed_ended)
        sentry = asyncio.create_task(self._sentry(shared.ownership, shared.orders))
        sentry.add_done_callback(self._unwatched)
        besides = [sentry, asyncio.create_task(self._relay(runs, tasks)), asyncio.create_task(self._expire(shared))]
        if self._progress is not None:
            besides.append(asyncio.create_task(_telling(self._progress, runs)))
        try:
            results = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await cancel(*tasks, *besides)
        return [run.outcome(result) for run, result in zip(runs, results, strict=True)]

    async def _sentry(self, ownership: Ownership, orders: Orders) -> None:
        """See whether another process took a feed over, and what operators ordered; say that this one runs."""
        beaten = verified = time.monotonic()
        while True:
            await asyncio.sleep(self._settings.ingest.fence_seconds)
            try:
                await ownership.watch()
                await orders.follow(self._bus)
                if time.monotonic() - beaten >= HEARTBEAT_SECONDS:
                    beaten = time.monotonic()
                    await ownership.beat()
                if time.monotonic() - verified >= VERIFY_SECONDS:
                    await ownership.verify()
                    verified = time.monotonic()
            except (BusDown, UnknownTopic):
                verified = -VERIFY_SECONDS  # a bus that comes back, or is made anew, may have less than it had
                continue  # those who send find out for themselves

    def _unwatched(self, sentry: asyncio.Task[None]) -> None:
        """Stop a host that has lost its sentry: it could not be fenced. A supervisor starts it anew."""
        if not sentry.cancelled() and (error := sentry.exception()) is not None:
            log.error("sentry failed", **describe(error))
            self._stop.set()

    def _feed_ended(self, task: asyncio.Task[None]) -> None:
        """Stop a host one of whose feeds ended with an error: no other would read it. A supervisor starts it anew."""
        if not task.cancelled() and (error := task.exception()) is not None and not self._stop.is_set():
            log.error("a feed ended for good, and its process with it", **describe(error))
            self._stop.set()

    async def _relay(self, runs: Sequence[_Keeper], tasks: Sequence[asyncio.Task[None]]) -> None:
        """Pass the stop on; after half of the grace cut off what still hangs in a call."""
        await self._stop.wait()
        for run in runs:
            run.halt()
        await asyncio.sleep(self._settings.deadlines.stop / 2)
        for task in tasks:
            task.cancel()

    async def _expire(self, shared: Installation) -> None:
        """End the receipts that are older than the settings keep, once a day; a run with `once` leaves them alone."""
        while not self._once:
            try:
                ends = await expired(self._bus, self._settings.ingest.receipt_days, datetime.now(UTC))
                if ends:
                    await shared.producer.send(ends)
                    log.info("receipts ended", count=len(ends))
                await asyncio.sleep(_DAY)
            except (BusDown, UnknownTopic):
                await asyncio.sleep(_MINUTE)
            except Exception as error:  # told, and tried again: otherwise receipts would be kept for good
                log.error("receipts cannot be ended", **describe(error))
                await asyncio.sleep(_DAY)


async def _telling(progress: Progress, runs: Sequence[_Keeper]) -> None:
    """Tell how far the feeds are, as long as they read something."""
    before = 0
    while True:
        await asyncio.sleep(PROGRESS_SECONDS)
        read = sum(run.read for run in runs)
        if read != before:
            progress(read, _expected(read, [run.extent for run in runs if run.reads]))
        before = read


def _expected(read: int, extents: Sequence[tuple[int, int] | None]) -> int | None:
    """How many records there are if those to come are as long as those that were read; None where that is not known."""
    known = [extent for extent in extents if extent is not None]
    passed, met = sum(each[0] for each in known), sum(each[1] for each in known)
    return max(read, read * met // passed) if passed and len(known) == len(extents) else None


class _Keeper:
    """One feed for as long as this host runs: held and read, or waited for while another process holds it."""

    def __init__(self, source: Source, host: Installation, *, held: bool) -> None:
        self.stop = asyncio.Event()
        self._source = source
        self._host = host
        self._run = self._new_run() if held else None
        self._log = log.bind(system=source.system.name, feed=source.feed.name)

    async def run(self) -> None:
        """Read the feed until it is stopped, taking it up again when another process let it go. Raises Stopped.

        With `once` a feed that was lost stays lost: raises FeedLost.
        """
        while not self.stop.is_set():
            if self._run is None:
                await self._take_up()
                continue
            try:
                return await self._run.run()
            except FeedLost:
                if self._host.once:
                    raise
                self._run = None

    async def _take_up(self) -> None:
        """Wait until no other process holds the feed, and take it."""
        key, ownership, seconds = self._source.key, self._host.ownership, self._host.settings.fence_seconds
        self._log.warning("another process holds the feed: it is taken up when that one lets it go")
        while not await self._host.patience(self.stop, lambda: ownership.free([key])):
            await retry.wait(seconds, self.stop)
            if self.stop.is_set():
                return
        try:
            contested = await self._host.patience(self.stop, lambda: ownership.claim([key], only_free=True))
        except FeedHeld:
            return  # another one that waited was quicker
        if contested:
            await retry.wait(2 * seconds, self.stop)
        await self._host.patience(self.stop, lambda: ownership.confirm([key]))
        self._run = self._new_run()

    def _new_run(self) -> FeedRun:
        return FeedRun(self._source, self._host.ownership.holdings[self._source.key], self._host)

    @property
    def read(self) -> int:
        """How many records were read of the feed since the start."""
        return self._run.read if self._run is not None else 0

    @property
    def reads(self) -> bool:
        """Whether its source is read now."""
        return self._run is not None and self._run.connection is not None

    @property
    def extent(self) -> tuple[int, int] | None:
        """Bytes that were come past and that there are, where the source knows."""
        return self._run.extent if self._run is not None else None

    def halt(self) -> None:
        """End at the next good place."""
        self.stop.set()
        if self._run is not None:
            self._run.stop.set()

    def outcome(self, result: BaseException | None) -> Outcome:
        """Return how the feed ended."""
        if self._run is not None:
            return self._run.outcome(result)
        error = f"{type(result).__name__}: {result}" if isinstance(result, Exception) else None
        return Outcome(self._source.name, self._host.ownership.counted(self._source.key).counters, error)
