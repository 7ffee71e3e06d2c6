"""Processes killed at random while they work: SIGKILL so long after a sign of progress as the seed has it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from statistics import median, quantiles
from subprocess import Popen
from typing import Any

import httpx
from pipeline import KEY, PUSHED, Pipeline, stop

from bus.contract import Bus, BusDown
from bus.open import open_bus
from services.correlator.process import caught_up
from services.feeds import Checkpoints
from services.simulator.push import Pushed
from services.simulator.systems.ident.source import send_messages
from services.simulator.truth.records import Truth
from services.store import Store, open_store
from services.wiring import topics

KILLS = int(os.environ.get("VISABUS_TEST_KILLS", "30"))
"""Of each kind of process."""
MOST_AT_WORK, LEAST_AT_WORK = 1 / 2, 1 / 5
"""So large a share of all kills, and of those of each kind, meets work in hand; or the test would say little."""
_STARTING = 0.4  # no process gets anywhere sooner: so long nobody has to look
PATIENCE_SECONDS = 60.0
"""A process that shows no progress by then has nothing to do."""
DECLARATIONS = 20
"""So often a broker that was started just now is asked."""


Progress = Callable[[], Awaitable[object]]
"""Tells how far something is."""


def new_seed() -> int:
    """The seed of a run: a new one each time, or the one that is to be repeated."""
    given = os.environ.get("VISABUS_TEST_SEED")
    return int(given) if given else Random().randrange(1_000_000)


@dataclass(slots=True)
class Kind:
    """A kind of process, and what became of those that were killed."""

    name: str
    start: Callable[[], Popen[bytes]]
    begun: Callable[[Popen[bytes]], Awaitable[object]]  # returns once the process shows progress
    at_work: Callable[[], Awaitable[bool]]  # asked behind the kill: whether it left work
    within: float  # seconds: it is killed so long after its first progress at most
    kills: int = 0
    met: int = 0
    seconds: list[float] = field(default_factory=list)  # from the start of each to its first progress

    async def kill(self, rng: Random) -> None:
        """Start one and kill it on its way."""
        delay = rng.uniform(0, self.within)
        began = time.monotonic()
        process = self.start()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self.begun(process)
            if process.poll() is None:
                self.seconds.append(time.monotonic() - began)
            await asyncio.sleep(delay)  # somewhere on its way: nothing to wait for
        except TimeoutError:
            pass
        finally:
            alive = process.poll() is None
            process.kill()
            process.wait()
        self.kills += 1
        self.met += alive and await self.at_work()

    def summary(self) -> str:
        """A line for whoever runs the tests."""
        return f"{self.name}: {self.kills} kills, {self.met} at work, {spread('first progress', self.seconds)}"


def spread(what: str, seconds: list[float]) -> str:
    """Median and 95th percentile of some waits."""
    if len(seconds) < 2:
        return f"{what} {', '.join(f'{one:.2f}' for one in seconds) or 'never'} s"
    return f"{what} {median(seconds):.2f} s (p95 {quantiles(seconds, n=20)[-1]:.2f} s)"


async def wait_until(done: Callable[[], Awaitable[bool]], every: float = 0.02, seconds: float = 120) -> None:
    """Look at other processes until something is so. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            if await done():
                return
            await asyncio.sleep(every)  # it is another process: there is nothing to wait on


async def moved(progress: Progress) -> float:
    """Seconds until what `look` tells is another."""
    began = time.monotonic()
    before = await progress()

    async def other() -> bool:
        return await progress() != before

    await wait_until(other)
    return time.monotonic() - began


async def pushed(
    pipeline: Pipeline,
    asks: Callable[[httpx.Request], Awaitable[None]],
    hears: Callable[[httpx.Response], Awaitable[None]],
) -> Pushed:
    """Send IDENT's messages, each until it is answered; told of each request and each answer."""
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [asks], "response": [hears]}
    url = pipeline.door_url
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30, event_hooks=hooks) as http:
        return await send_messages(http, pipeline.messages, KEY)


@dataclass(slots=True)
class Sender:
    """IDENT's side, which sends each message until it is answered."""

    pipeline: Pipeline
    asked: int = 0  # requests begun, those that found nobody listening included
    answered: int = 0
    pending: bool = False  # for an answer
    task: asyncio.Task[Pushed] = field(init=False)

    def __post_init__(self) -> None:
        self.task = asyncio.create_task(pushed(self.pipeline, self._asks, self._hears))

    async def _asks(self, _request: httpx.Request) -> None:
        self.asked += 1
        self.pending = True

    async def _hears(self, response: httpx.Response) -> None:
        self.answered += response.status_code == 200
        self.pending = False


@dataclass(slots=True)
class Watch:
    """What shows from outside: the bus and the store of a pipeline."""

    bus: Bus
    store: Store
    positions: Checkpoints = field(default_factory=Checkpoints)

    async def read(self) -> tuple[int, object]:
        """How many records ingest has read, and how far each of its feeds is."""
        await self.positions.read(self.bus)
        held = {key: checkpoint for key, checkpoint in self.positions.last.items() if key != PUSHED}
        where = {
            key: (str(checkpoint.position), checkpoint.batch, checkpoint.reads) for key, checkpoint in held.items()
        }
        return sum(checkpoint.counters.read for checkpoint in held.values()), where

    async def correlated(self) -> object:
        """How far the correlators are."""
        reads = self.store.reads
        return await reads.positions(), await reads.backlog(), await reads.undelivered()

    async def correlating(self) -> bool:
        """Whether there is more to correlate."""
        return not await caught_up(self.bus, self.store)


def changed(progress: Progress) -> Callable[[Popen[bytes]], Awaitable[None]]:
    """Waits until what `look` tells is another than it was, or the process ended."""

    async def begun(process: Popen[bytes]) -> None:
        before = await progress()
        await asyncio.sleep(_STARTING)

        async def done() -> bool:
            return process.poll() is not None or await progress() != before

        await wait_until(done, every=0.015)

    return begun


def kinds(pipeline: Pipeline, watch: Watch, sender: Sender, wanted: int) -> list[Kind]:
    """The three kinds that move records; `wanted` are those that the feeds hold which ingest reads."""

    async def asked(door: Popen[bytes]) -> None:
        await pipeline.ready(door)
        before = sender.asked

        async def done() -> bool:
            return sender.asked > before or sender.task.done()

        await wait_until(done, every=0.001)

    async def reading() -> bool:
        return (await watch.read())[0] < wanted

    async def pushing() -> bool:
        return sender.pending

    def ingest() -> Popen[bytes]:
        return pipeline.start("ingest", "--once", "--take-over", "--stamp", "recorded")

    def correlate() -> Popen[bytes]:
        return pipeline.start("correlate")

    return [
        Kind("ingest", ingest, changed(watch.read), reading, within=0.08),
        Kind("correlate", correlate, changed(watch.correlated), watch.correlating, within=0.04),
        Kind("door", pipeline.open_door, asked, pushing, within=0.03),
    ]


async def _declared(bus: Bus) -> None:
    """Declare the topics; a broker that was started just now may not answer yet."""
    for left in reversed(range(DECLARATIONS)):
        try:
            return await bus.declare(topics())
        except BusDown as error:
            if error.final or left == 0:
                raise
            await asyncio.sleep(1)
    return None


@asynccontextmanager
async def watching(pipeline: Pipeline) -> AsyncIterator[Watch]:
    """What shows from outside."""
    pipeline.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    bus = await open_bus(pipeline.bus)
    store = await open_store(pipeline.store)
    try:
        await _declared(bus)
        yield Watch(bus, store)
    finally:
        await store.close()
        await bus.close()


async def storm(pipeline: Pipeline, truth: Truth, kills: int, seed: int) -> list[Kind]:
    """Kill all kinds at once, again and again, while IDENT pushes; then let each do the rest in peace."""
    rng = Random(seed)
    wanted = sum(summary["read"] for system, summary in truth.counts["systems"].items() if system != "IDENT")
    sender = Sender(pipeline)
    try:
        async with watching(pipeline) as watch:
            killed = kinds(pipeline, watch, sender, wanted)
            for _ in range(kills):
                await asyncio.gather(*(kind.kill(rng) for kind in killed))
        door = pipeline.open_door()
        try:
            await pipeline.ready(door)
            await sender.task
            await stop(door)
        finally:
            door.kill()
    finally:
        sender.task.cancel()
        await asyncio.gather(sender.task, return_exceptions=True)
    await asyncio.to_thread(pipeline.ingest)
    await asyncio.to_thread(pipeline.correlate)
    return killed
