"""The host of the feeds: one task per feed, and a sentry that sees whether another host took one over.

What a feed goes through, chunk by chunk:

    read and map (a thread, one chunk ahead) -> send -> receipt, where a batch ends -> save position and counters
    -> acknowledge to the source, where it is a queue and the batch ends

A chunk is encoded once: whatever is sent again has the same ids and the same stamps. Nothing is saved before all
that it covers is durable, so a crash at any point costs a repeat and never a record. Of a backlog of small batches
many go through these steps as one chunk, for each step waits for a disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import orjson
import structlog
from tenacity import RetryCallState

from adapters.core import (
    BadRecord,
    Batch,
    Connection,
    Credentials,
    Defers,
    Feed,
    Origin,
    Pushed,
    Read,
    SourceDown,
    System,
)
from bus.contract import Bus, BusDown, Message, Producer
from schemas.ids import digest
from services import retry
from services.dead_letters import Spool, SpoolDown, dead_letter, encodable
from services.feeds import NONE, Checkpoint, Checkpoints, Counters
from services.ingest import receipts
from services.ingest.clocks import Clock, now
from services.ingest.prefetch import prefetch
from services.ingest.tally import Limits, Tally, Wholesale
from services.logs import describe
from services.settings import FeedSettings, Settings, SettingsError
from services.wiring import open_bus, topics

T = TypeVar("T")

Pause = Callable[[str], Awaitable[None]]
"""Called at the named points `ingest.decoded`, `ingest.sent` and `ingest.saved`; tests stop the world there."""

_SLICE = 0.05
"""The loop is given back after so many seconds of reading without a wait."""

_FEW = 20
_FEW_BYTES = 65_536
"""So few reads are mapped at once: to have a thread do it would cost more. Below what would go to the spool."""

_LINGER = 0.1
"""A feed that is behind waits so many seconds for more to send together."""

_LEAST = 0.01
"""The least share of what is sent together: never more than a hundred batches, fewer than a queue knows again."""


class Stopped(Exception):
    """A feed is stopped until somebody has looked at it; its position stays where it can be taken up again."""


class Fenced(Exception):
    """Another host took the feed over."""


@dataclass(frozen=True, slots=True)
class Source:
    """A feed at an address."""

    system: System
    feed: Feed
    url: str
    credentials: Credentials | None = None

    def open(self) -> Connection:
        """The source. Raises SourceDown, ValueError."""
        transport = self.feed.transport
        if isinstance(transport, Pushed):
            raise ValueError(f"{self.name} is pushed: nothing can fetch it")
        return transport.open(self.url, self.feed.format, self.credentials)

    @property
    def name(self) -> str:
        """As settings call it."""
        return f"{self.system.name}.{self.feed.name}"

    @property
    def key(self) -> str:
        """As the positions topic calls it."""
        return f"{self.system.name}/{self.feed.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one feed ended. `counters` are as of its saved position, over all runs; `waiting` what the source had and
    was not taken yet, in words."""

    name: str
    counters: Counters
    error: str | None = None
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is sent and saved together: the messages, and where the feed stands once they are durable."""

    messages: list[Message]
    then: Checkpoint
    share: float = _LEAST  # of the records and bytes that are sent together
    done: tuple[Tally, ...] = ()  # the batches that end within this chunk
    saved: tuple[Callable[[], Awaitable[None]], ...] = ()  # called once `then` is saved: the source may forget them
    stop: str | None = None  # the feed stops here


def _joined(chunks: Sequence[Chunk]) -> Chunk:
    """Chunks of one feed that follow one another, as one."""
    if len(chunks) == 1:
        return chunks[0]
    return replace(
        chunks[-1],
        messages=[message for chunk in chunks for message in chunk.messages],
        share=sum(chunk.share for chunk in chunks),
        done=tuple(tally for chunk in chunks for tally in chunk.done),
        saved=tuple(saved for chunk in chunks for saved in chunk.saved),
    )


@dataclass(slots=True)
class Worker:
    """One feed while this host has it."""

    source: Source
    saved: Checkpoint
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False  # to another host
    waiting: tuple[str, ...] = ()  # what the source has and its transport left for later
    saving: asyncio.Lock = field(default_factory=asyncio.Lock)


def sources(settings: Settings, names: Sequence[str] = (), known: dict[str, System] | None = None) -> list[Source]:
    """The feeds that settings give an address, or those of them that are named. Raises SettingsError."""
    if known is None:
        from adapters.registry import systems

        known = systems()
    mistakes = [f"feeds.{name}: not among the feeds of the settings" for name in names if name not in settings.feeds]
    found: list[Source] = []
    for name, at in settings.feeds.items():
        if names and name not in names:
            continue
        system_name, _, feed_name = name.rpartition(".")
        system = known.get(system_name)
        if system is None:
            mistakes.append(f"feeds.{name}: no system {system_name}; `visabus adapters` lists them")
            continue
        try:
            feed = system.feed(feed_name)
        except KeyError as error:
            mistakes.append(f"feeds.{name}: {error.args[0]}")
            continue
        if isinstance(feed.transport, Pushed):
            mistakes.append(f"feeds.{name}: {system_name} pushes it, so it has no address; `visabus door` takes it")
            continue
        try:
            found.append(Source(system, feed.configured(at.options), at.url, _credentials(at)))
        except ValueError as error:
            mistakes.append(f"feeds.{name}.options: {error}")
    if mistakes:
        raise SettingsError(mistakes)
    return found


def _credentials(at: FeedSettings) -> Credentials | None:
    return Credentials(at.user, at.secret.get_secret_value()) if at.user is not None and at.secret is not None else None


async def run(
    settings: Settings,
    feeds: Sequence[Source],
    *,
    once: bool = False,
    stop: asyncio.Event | None = None,
    pause: Pause | None = None,
    clock: Clock = now,
    bus: Bus | None = None,
) -> list[Outcome]:
    """Run the feeds until `stop`, or with `once` until no source has anything more; how each ended.

    A bus that is handed in stays open. Raises BusDown if the bus stays away longer than `deadlines.bus_outage`
    before the feeds have begun; later that ends the feeds, and their outcomes say so.
    """
    stop = stop or asyncio.Event()
    opened = bus if bus is not None else await _open(settings, stop)
    try:
        host = Host(settings, opened, once=once, stop=stop, pause=pause or _no_pause, clock=clock)
        return await host.run(feeds)
    finally:
        if bus is None:
            await opened.close()


async def _open(settings: Settings, stop: asyncio.Event) -> Bus:
    """The bus of the settings; a host may well be up before its bus."""

    async def attempt() -> Bus:
        return await open_bus(settings)

    return await retry.bus(BusDown, stop=stop, deadline=settings.deadlines.bus_outage)(attempt)


async def _no_pause(point: str) -> None:
    return


class Host:
    """Runs feeds. Used through `run`."""

    def __init__(
        self, settings: Settings, bus: Bus, *, once: bool, stop: asyncio.Event, pause: Pause, clock: Clock
    ) -> None:
        self._limits = Limits(settings.ingest.refuse_share, settings.ingest.refuse_min)
        self._settings = settings.ingest
        self._outage = settings.deadlines.bus_outage
        self._grace = settings.deadlines.stop
        self._receipts: Path = settings.data_dir / "receipts"
        self._spool = Spool(settings.data_dir / "spool")
        self._bus = bus
        self._once = once
        self._stop = stop
        self._pause = pause
        self._clock = clock
        self._owner = uuid4().hex
        self._positions = Checkpoints()
        self._log = structlog.get_logger("ingest")
        self._producer: Producer

    async def run(self, feeds: Sequence[Source]) -> list[Outcome]:
        """Take the feeds over, run them, let them go."""
        await self._patiently(self._stop, self._declare)
        self._producer = await self._patiently(self._stop, self._bus.producer)
        try:
            workers = await self._take_over(feeds)
            tasks = [asyncio.create_task(self._feed(worker)) for worker in workers]
            sentries = [asyncio.create_task(self._sentry(workers)), asyncio.create_task(self._relay(workers, tasks))]
            sentries[0].add_done_callback(self._unwatched)
            try:
                results = await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                for task in (*tasks, *sentries):
                    task.cancel()
                await asyncio.gather(*tasks, *sentries, return_exceptions=True)
        finally:
            await self._producer.close()
        return [self._outcome(worker, result) for worker, result in zip(workers, results, strict=True)]

    def _outcome(self, worker: Worker, result: BaseException | None) -> Outcome:
        if result is None or isinstance(result, asyncio.CancelledError):
            return Outcome(worker.source.name, worker.saved.counters, waiting=worker.waiting)
        told = str(result) if isinstance(result, Stopped | Fenced) else f"{type(result).__name__}: {result}"
        return Outcome(worker.source.name, worker.saved.counters, told, worker.waiting)

    async def _declare(self) -> None:
        await self._bus.declare(topics())

    # --- who holds a feed -------------------------------------------------------------------------------------

    async def _take_over(self, feeds: Sequence[Source]) -> list[Worker]:
        """Write an epoch one higher for each feed, and leave the host before time to see it."""
        await self._patiently(self._stop, lambda: self._positions.read(self._bus))
        before = {feed.key: self._positions.held.get(feed.key, Checkpoint()) for feed in feeds}
        workers = [Worker(feed, before[feed.key].held_by(before[feed.key].epoch + 1, self._owner)) for feed in feeds]
        await self._send(self._stop, [worker.saved.message(worker.source.key) for worker in workers])
        if not all(saved.released for saved in before.values()):
            await retry.wait(2 * self._settings.fence_seconds, self._stop)
        await self._patiently(self._stop, lambda: self._positions.read(self._bus))
        for worker in workers:
            # what the host before wrote before it saw us is further on, and as true as what we found
            last = self._positions.last.get(worker.source.key, worker.saved)
            worker.saved = last.held_by(*worker.saved.fence())
        self._compare(workers)
        return workers

    async def _sentry(self, workers: Sequence[Worker]) -> None:
        """See whether another host took a feed over."""
        while True:
            await asyncio.sleep(self._settings.fence_seconds)
            try:
                if await self._positions.moved(self._bus):
                    await self._positions.read(self._bus)
                    self._compare(workers)
                    for worker in workers:
                        await self._insist(worker)
            except BusDown:
                continue  # those who send find out for themselves

    def _unwatched(self, sentry: asyncio.Task[None]) -> None:
        """A host that nobody would fence stops, and a supervisor starts it anew."""
        if not sentry.cancelled() and (error := sentry.exception()) is not None:
            self._log.error("sentry failed", **describe(error))
            self._stop.set()

    def _compare(self, workers: Sequence[Worker]) -> None:
        for worker in workers:
            held = self._positions.held.get(worker.source.key)
            if held is not None and held.fence() > worker.saved.fence() and not worker.lost:
                worker.lost = True
                worker.stop.set()

    async def _insist(self, worker: Worker) -> None:
        """Say again who holds the feed, behind the word of a host that does not: the topic keeps the last word only."""
        async with worker.saving:
            last = self._positions.last.get(worker.source.key)
            if last is not None and last.fence() < worker.saved.fence() and not worker.saved.released:
                await self._producer.send([worker.saved.message(worker.source.key)])

    async def _relay(self, workers: Sequence[Worker], tasks: Sequence[asyncio.Task[None]]) -> None:
        """Pass the stop on; whoever hangs in a call after half of the time there is, is cut off."""
        await self._stop.wait()
        for worker in workers:
            worker.stop.set()
        await asyncio.sleep(self._grace / 2)
        for task in tasks:
            task.cancel()

    def _check(self, worker: Worker) -> None:
        if worker.lost:
            raise Fenced(f"another host took {worker.source.name} over; this one leaves it alone")

    # --- one feed ---------------------------------------------------------------------------------------------

    async def _feed(self, worker: Worker) -> None:
        """Read the feed until it is stopped or, with `once`, until it has nothing more."""
        log = self._log.bind(system=worker.source.system.name, feed=worker.source.feed.name)
        log.info("feed begins", epoch=worker.saved.epoch, **worker.saved.counters.as_json())
        try:
            await self._rounds(worker)
        except asyncio.CancelledError:
            raise
        except (Stopped, Fenced) as error:
            log.error("feed stopped", why=str(error))
            raise
        except BaseException as error:  # only to tell it now: the other feeds go on, the outcome comes at the end
            log.error("feed stopped", **describe(error))
            raise
        finally:
            await self._release(worker)
        log.info("feed done", **worker.saved.counters.as_json())

    async def _rounds(self, worker: Worker) -> None:
        settings = self._settings
        while not worker.stop.is_set():
            self._check(worker)
            policy = retry.source(
                SourceDown,
                stop=worker.stop,
                failures=settings.breaker_failures,
                cap=settings.retry_cap_seconds,
                attempts=settings.breaker_failures if self._once else None,
                on_failure=lambda state: self._log_source_down(worker, state),
            )
            try:
                whole: bool = await policy(self._round, worker)
            except SourceDown as error:
                if worker.stop.is_set():
                    break
                told = f"{worker.source.name} could not be reached ({error}); mend its address or run again later"
                raise Stopped(told) from None
            if whole and self._once:
                break
            # after a failure behind some progress: a short wait, and the policy begins anew
            await retry.wait(settings.poll_seconds if whole else min(1.0, settings.retry_cap_seconds), worker.stop)
        self._check(worker)

    async def _round(self, worker: Worker) -> bool:
        """All that the source has now. False if it went down after some of it. Raises SourceDown before any of it."""
        moved = False
        try:
            transport = worker.source.open()
            try:
                made = prefetch(
                    self._chunks(worker, transport), self._settings.in_flight, lambda each: each.share, _LINGER
                )
                async with aclosing(made) as found:
                    async for chunks in found:
                        await self._deliver(worker, _joined(chunks))
                        moved = True
                        if worker.stop.is_set() or self._stop.is_set():
                            return False
                if isinstance(transport, Defers):
                    worker.waiting = tuple(transport.deferred())
            finally:
                await transport.close()
        except SourceDown:
            if moved:
                return False
            raise
        return True

    def _log_source_down(self, worker: Worker, state: RetryCallState) -> None:
        self._log.warning(
            "source down",
            system=worker.source.system.name,
            feed=worker.source.feed.name,
            stage="breaker open" if state.attempt_number > self._settings.breaker_failures else "retry",
            attempt=state.attempt_number,
            wait=round(state.next_action.sleep, 1) if state.next_action else 0.0,
        )

    # --- reading ----------------------------------------------------------------------------------------------

    async def _chunks(self, worker: Worker, transport: Connection) -> AsyncGenerator[Chunk, None]:
        saved = worker.saved
        async for batch in transport.batches(saved.position):
            async for chunk in self._of_batch(worker, batch, saved):
                yield chunk
                if chunk.stop is not None:
                    return
                saved = chunk.then

    async def _of_batch(self, worker: Worker, batch: Batch, saved: Checkpoint) -> AsyncGenerator[Chunk, None]:
        """The chunks of one batch. `saved` is where the feed stands when it begins, or stood when it broke off."""
        name = encodable(batch.name)
        mark = batch.content or digest(orjson.dumps(batch.after))
        before = replace(
            saved, counters=saved.counters.minus(saved.part), part=NONE, batch=None, mark=None, records=0, reads=0
        )
        # a batch that is not what it was when it broke off is read from its start, and counted from there
        resumed = saved if (saved.batch, saved.mark) == (name, mark) else before
        system = worker.source.system
        origin = Origin(system.name, worker.source.feed.name, name, system.mapping_version)
        tally = Tally(origin, worker.source.feed.mapping, self._clock, self._spool, self._limits)
        tally.skip, tally.part = resumed.reads, resumed.part

        def begun(stopped: str | None = None) -> Checkpoint:
            counters = before.counters.plus(tally.part)
            done = replace(before, counters=counters, batch=name, mark=mark, part=tally.part, stopped=stopped)
            return replace(done, records=tally.records, reads=tally.reads)

        try:
            async for reads in self._slices(batch.records()):
                messages = await self._map(worker, tally, reads)
                if tally.reads > tally.skip:
                    yield Chunk(messages, begun(), self._share(reads))
        except Wholesale as error:
            # what this batch sent before stays sent; the feed stands before the batch, whoever mends it reads it whole
            told = f"{worker.source.name} stopped: {error}; nothing behind {name!r} is read until that is mended"
            yield Chunk([], replace(before, stopped=told), stop=told)
            return
        except (SourceDown, asyncio.CancelledError, GeneratorExit):
            raise
        except Exception as error:
            # A format or transport that raises anything else is a bug of the adapter: the rest of the batch cannot
            # be read now. It is told in the dead letters, not counted, and the feed stays in front of it.
            told = f"adapter error: {type(error).__name__}"
            rest = BadRecord(told, place=f"after record {tally.records}", raw=b"")
            told = f"{worker.source.name} stopped behind record {tally.records} of {name!r}: {told}"
            last = begun(told)
            yield Chunk([dead_letter(rest, origin, self._spool, counted=False)], last, stop=told)
            return
        done = replace(before, counters=before.counters.plus(tally.part), position=batch.after)
        yield Chunk([], done, done=(tally,), saved=(batch.done,) if batch.done is not None else ())

    def _share(self, reads: Sequence[Read]) -> float:
        """Of what is sent together, by number and bytes."""
        size = sum(len(read.raw) for read in reads)
        return max(_LEAST, len(reads) / self._settings.chunk_records, size / self._settings.chunk_bytes)

    async def _slices(self, reads: AsyncIterator[Read]) -> AsyncIterator[list[Read]]:
        """Reads by the chunk, bounded in number and bytes."""
        settings = self._settings
        found: list[Read] = []
        size = 0
        failure: Exception | None = None
        until = time.monotonic() + _SLICE
        try:
            async for read in reads:
                found.append(read)
                size += len(read.raw)
                if len(found) >= settings.chunk_records or size >= settings.chunk_bytes:
                    yield found
                    found, size = [], 0
                if time.monotonic() > until:
                    await asyncio.sleep(0)
                    until = time.monotonic() + _SLICE
        except BadRecord as bad:  # raised where it should be yielded: the piece ends with it
            found.append(bad)
        except Exception as error:  # raised again below: what was read before it is good
            failure = error
        if found:
            yield found
        if failure is not None:
            raise failure

    async def _map(self, worker: Worker, tally: Tally, reads: list[Read]) -> list[Message]:
        few = len(reads) <= _FEW and sum(len(read.raw) for read in reads) <= _FEW_BYTES

        async def work() -> list[Message]:
            return tally.messages(reads) if few else await asyncio.to_thread(tally.messages, reads)

        return await self._patiently(worker.stop, work)

    # --- sending ----------------------------------------------------------------------------------------------

    async def _deliver(self, worker: Worker, chunk: Chunk) -> None:
        self._check(worker)
        await self._pause("ingest.decoded")
        await self._send(worker.stop, chunk.messages)
        await self._pause("ingest.sent")
        await self._receipts_of(worker, chunk.done)
        await self._save(worker, chunk.then)
        await self._pause("ingest.saved")
        for saved in chunk.saved:
            await saved()
        if chunk.stop is not None:
            raise Stopped(chunk.stop)

    async def _save(self, worker: Worker, saved: Checkpoint) -> None:
        async with worker.saving:
            self._check(worker)
            await self._send(worker.stop, [saved.message(worker.source.key)])
            worker.saved = saved

    async def _receipts_of(self, worker: Worker, tallies: Sequence[Tally]) -> None:
        told = [tally for tally in tallies if tally.records or tally.notes]  # not polls that found and said nothing
        if not told:
            return
        await self._patiently(worker.stop, lambda: asyncio.to_thread(receipts.keep, self._receipts, told))
        for tally in told:
            origin = tally.origin
            self._log.debug(
                "batch done", system=origin.system, feed=origin.feed, batch=origin.batch, **tally.part.as_json()
            )

    async def _release(self, worker: Worker) -> None:
        """Let go of the feed, so that the next host need not wait. Nothing depends on it."""
        if worker.lost:
            return
        try:
            async with asyncio.timeout(self._grace / 4), worker.saving:
                worker.saved = replace(worker.saved, released=True)
                await self._producer.send([worker.saved.message(worker.source.key)])
        except (BusDown, TimeoutError):
            self._log.info("bus down", system=worker.source.system.name, feed=worker.source.feed.name)

    async def _send(self, stop: asyncio.Event, messages: Sequence[Message]) -> None:
        """Return when all are durable. The same bytes go again as long as it is unknown whether they arrived."""
        if messages:
            await self._patiently(stop, lambda: self._producer.send(messages))

    async def _patiently(self, stop: asyncio.Event, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, again and again while the bus or the disk is down."""

        async def attempt() -> T:
            return await work()

        policy = retry.bus((BusDown, SpoolDown), stop=stop, deadline=self._outage, on_failure=self._log_held_up)
        return await policy(attempt)

    def _log_held_up(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        self._log.warning("held up", code=type(error).__name__, attempt=state.attempt_number)
