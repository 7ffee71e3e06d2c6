"""Correlator processes that correlate one small world after the other, each on a bus and in a store of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from converging import STOP, Message, Order
from correlation import batches, facts_known_by, reference
from killing import wait_until
from pipeline import wrong_changes

from bus.contract import Bus, Partition
from bus.events import message_of
from bus.open import open_bus
from schemas.codec import decode
from schemas.topics import EVENT_TOPICS
from services.correlator.process import caught_up
from services.domain.coverage import complete
from services.domain.facts import fact_of
from services.domain.history import canonical
from services.export import lines
from services.store import Store, open_store
from services.wiring import topics


class Hand:
    """One process. Orders go in, and what it tells is read as it comes."""

    def __init__(self, log: Path) -> None:
        self._log = log
        here = str(Path(__file__).parent)
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "converging"],
                env={**os.environ, "PYTHONPATH": here},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._hearing: asyncio.Task[int] | None = None
        self.holds: frozenset[Partition] = frozenset()

    def begin(self, order: Order) -> None:
        """Correlate as the order has it."""
        self.holds = frozenset()
        self._say(msgspec.json.encode(order) + b"\n")
        self._hearing = asyncio.create_task(self._hear())

    def check(self) -> None:
        """Raises AssertionError if it ended, with what it said last."""
        if self._hearing is not None and self._hearing.done():
            self._hearing.result()

    async def end(self) -> int:
        """Stop; how many batches it appended."""
        assert self._hearing is not None
        self._say(STOP)
        async with asyncio.timeout(60):
            return await self._hearing

    def kill(self) -> None:
        """For good."""
        self._process.kill()
        self._process.communicate()

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    async def _hear(self) -> int:
        assert self._process.stdout is not None
        while True:
            line = await asyncio.to_thread(self._process.stdout.readline)
            assert line, f"a correlator ended:\n{self._log.read_text(errors='replace')[-3_000:]}"
            message = msgspec.json.decode(line, type=Message)
            if message.holds is not None:
                self.holds = frozenset(message.holds)
            if message.appended is not None:
                return message.appended


@dataclass(slots=True)
class Crew:
    """As many processes as were ever needed at once."""

    log: Path
    hands: list[Hand] = field(default_factory=list)

    @contextmanager
    def at_work(self, count: int) -> Iterator[list[Hand]]:
        """So many of them. Where anything goes wrong all are ended: nobody knows what they are at."""
        while len(self.hands) < count:
            self.hands.append(Hand(self.log))
        try:
            yield self.hands[:count]
        except BaseException:
            self.dismiss()
            raise

    def dismiss(self) -> None:
        """End them."""
        while self.hands:
            self.hands.pop().kill()


@dataclass(frozen=True, slots=True)
class Installation:
    """A bus, a store, and the settings that lead there."""

    data: Path
    bus_url: str
    store_url: str
    bus: Bus
    store: Store

    @property
    def environment(self) -> dict[str, str]:
        """The settings of its processes."""
        return {
            "VISABUS_DATA_DIR": str(self.data),
            "VISABUS_BUS_URL": self.bus_url,
            "VISABUS_STORE_URL": self.store_url,
        }

    async def send(self, raws: Sequence[bytes]) -> None:
        """Events onto the bus, in this order."""
        producer = await self.bus.producer()
        await producer.send([message_of(decode(raw)) for raw in raws])
        await producer.close()

    async def resolved(self, hands: Sequence[Hand]) -> None:
        """Until these processes have resolved and told all."""

        async def done() -> bool:
            for hand in hands:
                hand.check()
            return await caught_up(self.bus, self.store)

        await wait_until(done, every=0.05)

    async def exported(self, known_at: int | None = None) -> list[bytes]:
        """What `visabus export` writes."""
        return [line async for line in lines(self.store.reads, known_at=known_at)]


@asynccontextmanager
async def installed(
    data: Path, store_url: str | None = None, bus_url: str | None = None
) -> AsyncIterator[Installation]:
    """An installation, everything in files where nothing else is said."""
    os.makedirs(data)
    bus_url = bus_url or f"embedded://{data}/bus.db"
    store_url = store_url or f"sqlite+aiosqlite:///{data}/store.db"
    bus, store = await open_bus(bus_url), await open_store(store_url)
    try:
        await bus.declare(topics())
        yield Installation(data, bus_url, store_url, bus, store)
    finally:
        await store.close()
        await bus.close()


async def shared_out(hands: Sequence[Hand], installation: Installation) -> None:
    """Until each process has its share of the partitions, and they have all of them."""
    everything = frozenset(await installation.bus.ends(EVENT_TOPICS))

    async def done() -> bool:
        for hand in hands:
            hand.check()
        held = [hand.holds for hand in hands]
        return sum(map(len, held)) == len(everything) == len(frozenset().union(*held)) and min(map(len, held)) >= len(
            everything
        ) // len(hands)

    await wait_until(done)


async def correlated(
    crew: Crew, installation: Installation, raws: Sequence[bytes], order: dict[str, Any], count: int, rng: Random
) -> list[int]:
    """The events in another order, some twice, in any batches, by so many processes; how much each of them appended.

    In a third of the cases one of them comes when half of the events are there.
    """
    orders = [Order(installation.environment, seed=rng.randrange(2**32), **order) for _ in range(count)]
    for one in orders:
        one.poll = rng.choice((5, 20, 5_000))
    late = int(count > 1 and rng.random() < 1 / 3)
    with crew.at_work(count) as hands:
        for hand, one in list(zip(hands, orders, strict=True))[: count - late]:
            hand.begin(one)
        await shared_out(hands[: count - late], installation)
        parts = batches(raws, rng)
        for number, part in enumerate(parts):
            if late and number == len(parts) // 2:
                hands[-1].begin(orders[-1])
            await installation.send(part)
            await asyncio.sleep(rng.uniform(0, 0.02))  # so much for a process to have taken some of it, or none
        await installation.resolved(hands)
        return list(await asyncio.gather(*(hand.end() for hand in hands)))


def expected(raws: Sequence[bytes], known_at: int | None = None) -> list[bytes]:
    """The export as it must be: a pure reading of the events known by then."""
    heard = list(raws) if known_at is None else facts_known_by(raws, known_at)
    covers = [fact for fact in map(fact_of, heard) if fact.kind == "coverage"]
    return [canonical({"complete": complete(covers).scopes}), *reference(heard)]


async def differing(installation: Installation, raws: Sequence[bytes], moments: Sequence[int]) -> list[str]:
    """Where the installation says something else than the events do: now, as known then, in its changes."""
    wrong = await wrong_changes(installation.bus, installation.store)
    for moment in (None, *moments):
        if await installation.exported(moment) != expected(raws, moment):
            wrong.append(f"the export as known at {moment or 'the end'}")
    return wrong
