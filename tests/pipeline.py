"""The real processes over a simulated population: started, killed, started again, and compared."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

from bus.contract import Bus, Message
from bus.open import open_bus
from schemas.codec import decode
from schemas.topics import EVENT_TOPICS, POSITIONS
from services.ingest import Counters
from services.ingest.positions import Saved, parsed
from services.simulator.simulation import addresses
from services.wiring import topics

VISABUS = Path(sysconfig.get_path("scripts")) / "visabus"


@dataclass(frozen=True)
class Pipeline:
    """One installation: where its bus, store and sources are."""

    data: Path
    bus: str
    store: str
    feeds: Mapping[str, str]
    chunk: int = 200

    @classmethod
    def embedded(cls, data: Path, population: Path, **more: int) -> Pipeline:
        """Everything in files below `data`."""
        feeds = addresses(population)
        return cls(data, f"embedded://{data}/bus.db", f"sqlite+aiosqlite:///{data}/store.db", feeds, **more)

    def start(self, *arguments: str, program: Sequence[str | Path] = (VISABUS,)) -> subprocess.Popen[bytes]:
        """A process (`visabus`, if not said otherwise) with its log below `data`."""
        self.data.mkdir(parents=True, exist_ok=True)
        settings = {
            "PYTHONPATH": str(Path(__file__).parent),
            "VISABUS_DATA_DIR": str(self.data),
            "VISABUS_BUS_URL": self.bus,
            "VISABUS_STORE_URL": self.store,
            "VISABUS_FEEDS": json.dumps({name: {"url": url} for name, url in self.feeds.items()}),
            "VISABUS_INGEST__CHUNK_RECORDS": str(self.chunk),
            "VISABUS_INGEST__RETRY_CAP_SECONDS": "0.5",  # a source that was down is asked again within seconds
            "VISABUS_INGEST__POLL_SECONDS": "1",
            "VISABUS_LOG__LEVEL": "warning",
        }
        with (self.data / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen([*program, *arguments], env={**os.environ, **settings}, stdout=log, stderr=log)

    def correlating(self, point: str, nth: int, fate: str, *more: str) -> subprocess.Popen[bytes]:
        """A correlator that is killed or stopped at the n-th passing of a named point."""
        return self.start(point, str(nth), fate, *more, program=(sys.executable, "-m", "correlating"))

    def run(self, *arguments: str, seconds: float = 240) -> None:
        """A `visabus` process to its good end."""
        code = self.start(*arguments).wait(seconds)
        assert code == 0, f"{arguments} ended with {code}:\n{self.told(arguments[0])}"

    def told(self, command: str) -> str:
        """The end of a command's log."""
        return (self.data / f"{command}.log").read_text(errors="replace")[-3_000:]

    def ingest(self) -> None:
        """Read all that the sources hold."""
        self.run("ingest", "--once", "--stamp", "recorded")

    def correlate(self) -> None:
        """Settle all that the bus holds."""
        self.run("correlate", "--once")

    def digest(self, *options: str) -> str:
        """The export's digest."""
        settings = {"VISABUS_DATA_DIR": str(self.data), "VISABUS_STORE_URL": self.store}
        command = [VISABUS, "export", "--digest", *options]
        told = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, check=True, text=True)
        return told.stdout.strip()

    def kill_at_random(self, rng: Random, *arguments: str, after: tuple[float, float]) -> bool:
        """Start a process and SIGKILL it somewhere on its way; whether it was still at work."""
        process = self.start(*arguments)
        time.sleep(rng.uniform(*after))  # somewhere on its way: nothing to wait for
        alive = process.poll() is None
        process.kill()
        process.wait()
        return alive


async def positions(bus: Bus) -> dict[str, Saved]:
    """Where each feed stands, by its key."""
    latest: dict[str, Saved] = {}
    async for delivery in bus.read(POSITIONS):
        if delivery.key is not None and delivery.value is not None:
            latest[delivery.key.decode()] = parsed(delivery.value)
    return latest


async def counters(bus: Bus) -> dict[str, Counters]:
    """What each feed counted, as of its saved position."""
    return {key: saved.counters for key, saved in (await positions(bus)).items()}


async def events_of(bus: Bus) -> list[Message]:
    """All events on a bus."""
    return [
        Message(topic, delivery.key, delivery.value, delivery.headers)
        for topic in EVENT_TOPICS
        async for delivery in bus.read(topic)
    ]


def stamp_of(message: Message) -> datetime:
    """The moment of knowing of an event."""
    stamp = decode(message.value or b"").published_at
    assert stamp is not None
    return stamp


async def replay(
    source: Pipeline, target: Pipeline, rng: Random | None = None, known_by: datetime | None = None
) -> None:
    """Copy all events (known by then) from one bus to another; with `rng` shuffled, some twice, in any batches."""
    target.data.mkdir(parents=True, exist_ok=True)
    bus = await open_bus(source.bus)
    messages = await events_of(bus)
    await bus.close()
    if known_by is not None:
        messages = [message for message in messages if stamp_of(message) <= known_by]
    if rng is not None:
        messages += rng.sample(messages, len(messages) // 5)
        rng.shuffle(messages)
    bus = await open_bus(target.bus)
    await bus.declare(topics())
    producer = await bus.producer()
    while messages:
        size = rng.choice((1, 10, 100, 700)) if rng is not None else 300
        await producer.send(messages[:size])
        messages = messages[size:]
    await producer.close()
    await bus.close()
