"""What reading a feed now would come to: read and mapped as a host does, and nothing sent, saved or acknowledged.

It begins where the bus says that the feed stands, or at the beginning of the source where there is no bus yet. What the
connection would keep is kept in memory; bytes too large for a message go to a directory that is deleted afterwards.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from adapters.core import Asks, Defers, Keeps, SourceDown
from bus.contract import Bus, BusDown, Message, Placed, UnknownTopic
from schemas.topics import DEAD_LETTERS
from services.dead_letters import Spool, shape
from services.feeds import NONE, Checkpoint, Checkpoints, Counters, FeedStorage, Orders
from services.feeds.storage import Values
from services.ingest.clocks import Clock
from services.ingest.gate import Gate, gate_of
from services.ingest.reading import Reader
from services.ingest.retrying import Patience
from services.ingest.sources import Source
from services.ingest.truncation import Emptying
from services.settings import IngestSettings, Settings


@dataclass(frozen=True, slots=True)
class Forecast:
    """What reading a feed would come to. Reasons are without the values of records."""

    name: str
    counters: Counters = NONE
    batches: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    resumed: bool = False  # from a position on the bus; else from the beginning
    paused: str | None = None
    error: str | None = None  # why it would be stopped, or could not be read
    deferred: tuple[str, ...] = ()


@dataclass(slots=True)
class _Scratch:
    """A storage that reads what the feed keeps on the bus, and has what is kept anew in memory."""

    directory: Path
    stored: FeedStorage | None
    own: dict[str, bytes] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)

    async def names(self) -> Sequence[str]:
        """The names of all values."""
        stored = await self.stored.names() if self.stored is not None else ()
        return [*(name for name in stored if name not in self.dropped and name not in self.own), *self.own]

    async def load(self, name: str) -> bytes:
        """The value. Raises KeyError."""
        if name in self.own:
            return self.own[name]
        if self.stored is None or name in self.dropped:
            raise KeyError(name)
        return await self.stored.load(name)

    async def keep(self, values: Mapping[str, bytes]) -> None:
        """Hold them in memory."""
        self.own |= values
        self.dropped -= values.keys()

    async def drop(self, names: Sequence[str]) -> None:
        """Forget values, here alone."""
        for name in names:
            self.own.pop(name, None)
        self.dropped |= set(names)


class _Mute:
    """A producer that sends nothing: nothing here may ask it to."""

    async def send(self, messages: Sequence[Message]) -> Placed:
        """Refuse. Raises RuntimeError."""
        raise RuntimeError("a dry run sends nothing")

    async def close(self) -> None:
        """Nothing is held."""


async def dry_run(
    sources: Sequence[Source],
    settings: Settings,
    bus: Bus | None,
    clock: Clock,
    scratch: Path,
) -> list[Forecast]:
    """Return what reading each feed would come to. `bus`: None where there is none yet. Raises BusDown."""
    checkpoints, orders = Checkpoints(), Orders()
    gate = gate_of(settings, orders, bus)
    emptying = Emptying.of(bus, settings, waits=False) if bus is not None else None
    if bus is not None:
        try:
            await checkpoints.read(bus)
            await orders.follow(bus)
        except UnknownTopic:  # to make it would change something
            pass
    try:
        return [
            await _foreseen(source, settings.ingest, bus, clock, scratch, checkpoints, orders, gate, emptying)
            for source in sources
        ]
    finally:
        if gate is not None:
            await gate.close()


async def _foreseen(
    source: Source,
    settings: IngestSettings,
    bus: Bus | None,
    clock: Clock,
    scratch: Path,
    checkpoints: Checkpoints,
    orders: Orders,
    gate: Gate | None,
    emptying: Emptying | None,
) -> Forecast:
    begin = checkpoints.last.get(source.key, Checkpoint())
    rewind, pause = orders.rewind(source.key), orders.pause(source.key)
    if rewind is not None and rewind.id != begin.rewound and not rewind.about:
        begin = Checkpoint()
    paused = f"{pause.why} ({pause.by})" if pause is not None else None
    forecast = await _forecast(source, begin, settings, bus, clock, scratch, gate, emptying)
    return replace(forecast, paused=paused)


async def _forecast(
    source: Source,
    begin: Checkpoint,
    settings: IngestSettings,
    bus: Bus | None,
    clock: Clock,
    scratch: Path,
    gate: Gate | None,
    emptying: Emptying | None,
) -> Forecast:
    counters, reasons = NONE, Counter[str]()
    batches, error = 0, None
    deferred: tuple[str, ...] = ()
    try:
        connection = source.open()
        try:
            if isinstance(connection, Asks):
                return Forecast(source.name, error="its source is asked about persons: a dry run asks nobody")
            if isinstance(connection, Keeps):
                connection.keep_in(_storage(source, bus, scratch))
            spool = Spool(scratch / "spool")
            reader = Reader(
                source, settings, clock, spool, Patience(0.0), asyncio.Event(), gate=gate, emptying=emptying
            )
            async with aclosing(reader.chunks(connection, begin)) as chunks:
                async for chunk in chunks:
                    counters = chunk.checkpoint.counters.minus(begin.counters)
                    batches += sum(1 for tally in chunk.finished if tally.records or tally.notes)
                    for message in chunk.messages:
                        if message.topic == DEAD_LETTERS and message.value is not None:
                            reasons[shape(orjson.loads(message.value)["reason"])] += 1
                    error = chunk.stop
            if isinstance(connection, Defers):
                deferred = tuple(connection.deferred())
        finally:
            await connection.close()
    except SourceDown as down:
        error = f"its source cannot be read: {down}"
    except BusDown:
        raise
    except Exception as bug:  # told as what it is: other feeds are still looked at
        error = f"{type(bug).__name__}: its source or adapter failed"
    resumed = begin.position is not None or begin.batch is not None
    return Forecast(source.name, counters, batches, dict(reasons.most_common()), resumed, None, error, deferred)


def _storage(source: Source, bus: Bus | None, scratch: Path) -> _Scratch:
    directory = scratch / source.name
    if bus is None:
        return _Scratch(directory, None)
    return _Scratch(directory, FeedStorage(Values(bus, _Mute()), source.key, directory, _at_once))


async def _at_once(step: Callable[[], Awaitable[None]]) -> None:
    await step()
