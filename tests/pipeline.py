"""The real processes over a simulated population: started, killed, started again, and compared."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sysconfig
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
from servers import free_port

from bus.contract import Bus, Message
from bus.open import open_bus
from schemas.codec import decode
from schemas.topics import CHANGES, EVENT_TOPICS, POSITIONS
from schemas.view import StatusChange
from services.cli import serving
from services.domain.history import history_of
from services.failpoints import VARIABLE
from services.feeds import Checkpoint, Counters, parse
from services.simulator import addresses
from services.simulator.push import PushKey
from services.simulator.systems.ident.source import send_messages
from services.simulator.truth.records import COUNTS
from services.store import Store
from services.wiring import topics

VISABUS = Path(sysconfig.get_path("scripts")) / "visabus"
KEY = PushKey("ident-test", "a secret of the tests, 32 bytes or more")
PUSHED = "IDENT/push"


@dataclass(frozen=True)
class Pipeline:
    """One installation: where its bus, store and sources are. What IDENT pushes lies in `messages`."""

    data: Path
    bus: str
    store: str
    feeds: Mapping[str, str]
    messages: Path
    chunk: int = 200
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by feed
    port: int = field(default_factory=free_port)  # of the door

    @classmethod
    def embedded(cls, data: Path, population: Path, **more: int) -> Pipeline:
        """Everything in files below `data`."""
        where = (f"embedded://{data}/bus.db", f"sqlite+aiosqlite:///{data}/store.db")
        feeds = addresses(population)
        return cls(
            data,
            *where,
            {name: each["url"] for name, each in feeds.items()},
            population / "ident",
            options={name: each.get("options", {}) for name, each in feeds.items()},
            **more,
        )

    @property
    def door_url(self) -> str:
        """Where the door listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """A `visabus` process with its log below `data`."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        settings = {
            "PYTHONPATH": str(Path(__file__).parent),
            "VISABUS_DATA_DIR": str(self.data),
            "VISABUS_BUS_URL": self.bus,
            "VISABUS_STORE_URL": self.store,
            "VISABUS_FEEDS": json.dumps(
                {name: {"url": url, "options": self.options.get(name, {})} for name, url in self.feeds.items()}
            ),
            "VISABUS_INGEST__CHUNK_RECORDS": str(self.chunk),
            "VISABUS_INGEST__RETRY_CAP_SECONDS": "0.5",  # a source that was down is asked again within seconds
            "VISABUS_INGEST__POLL_SECONDS": "1",
            "VISABUS_INGEST__FENCE_SECONDS": "0.2",  # whoever follows one that was killed waits twice as long
            "VISABUS_API__RATE": "10000",  # one caller asks as fast as it is answered
            "VISABUS_API__BURST": "100000",
            "VISABUS_LOG__LEVEL": "warning",
        }
        for name, value in serving.door({"IDENT": KEY}, self.port).items():
            settings[f"VISABUS_DOOR__{name.upper()}"] = json.dumps(value)
        with (self.data / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [VISABUS, *arguments],
                env={**os.environ, **settings, **(environment or {})},
                stdout=log,
                stderr=log,
            )

    def correlating(self, point: str, nth: int, sent: str, *options: str) -> subprocess.Popen[bytes]:
        """A correlator that gets a signal the n-th time that it reaches a failpoint."""
        return self.start("correlate", *options, environment={VARIABLE: f"{point}:{nth}:{sent}"})

    def run(self, *arguments: str, seconds: float = 240) -> None:
        """A `visabus` process to its good end."""
        code = self.start(*arguments).wait(seconds)
        assert code == 0, f"{arguments} ended with {code}:\n{self.log_of(arguments[0])}"

    def log_of(self, command: str) -> str:
        """The end of a command's log."""
        return (self.data / f"{command}.log").read_text(errors="replace")[-3_000:]

    def ingest(self) -> None:
        """Read all that the sources hold."""
        self.run("ingest", "--once", "--take-over", "--stamp", "recorded")

    def open_door(self) -> subprocess.Popen[bytes]:
        """A door; `ready` tells when it listens."""
        return self.start("door", "--stamp", "recorded")

    async def ready(self, door: subprocess.Popen[bytes], seconds: float = 60) -> None:
        """Until the door takes messages."""
        async with asyncio.timeout(seconds), httpx.AsyncClient(base_url=self.door_url, trust_env=False) as http:
            while True:
                assert door.poll() is None, self.log_of("door")
                with suppress(httpx.TransportError):
                    if (await http.get("/readyz")).is_success:
                        return
                await asyncio.sleep(0.02)

    async def push(self) -> None:
        """Send all that IDENT has to tell through a door of its own time."""
        door = self.open_door()
        try:
            await self.ready(door)
            async with httpx.AsyncClient(base_url=self.door_url, trust_env=False, timeout=30) as http:
                await send_messages(http, self.messages, KEY)
            await stop(door)
        finally:
            door.kill()

    async def fill(self) -> None:
        """Everything of all systems onto the bus."""
        await asyncio.to_thread(self.ingest)
        await self.push()

    def correlate(self) -> None:
        """Settle all that the bus holds."""
        self.run("correlate", "--once")

    def digest(self, *options: str) -> str:
        """The export's digest."""
        settings = {"VISABUS_DATA_DIR": str(self.data), "VISABUS_STORE_URL": self.store}
        command = [VISABUS, "export", "--digest", *options]
        log_of = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, check=True, text=True)
        return log_of.stdout.strip()


async def stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and a good end."""
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 60) == 0


async def positions(bus: Bus) -> dict[str, Checkpoint]:
    """Where each feed stands, by its key."""
    latest: dict[str, Checkpoint] = {}
    async for delivery in bus.read(POSITIONS):
        if delivery.key is not None and delivery.value is not None:
            latest[delivery.key.decode()] = parse(delivery.value)
    return latest


async def counters(bus: Bus) -> dict[str, Counters]:
    """What each feed counted, as of its saved position."""
    return {key: checkpoint.counters for key, checkpoint in (await positions(bus)).items()}


async def wrong_counts(pipeline: Pipeline, population: Path) -> list[str]:
    """Where what was counted is not what the simulator wrote; `read = published + dead_lettered + filtered`."""
    bus = await open_bus(pipeline.bus)
    try:
        log_of = await counters(bus)
    finally:
        await bus.close()
    written = orjson.loads((population / "truth" / COUNTS).read_bytes())["systems"]
    names = {key.partition("/")[0] for key in log_of}
    wrong = [f"{system} was never heard of" for system in sorted(written.keys() - names)]
    of_system: dict[str, Counters] = {}
    for key, one in log_of.items():
        system = key.partition("/")[0]
        of_system[system] = of_system.get(system, Counters()).plus(one)
    for system, all_feeds in of_system.items():
        due = written[system]
        counted = (all_feeds.read, all_feeds.published, all_feeds.dead_lettered, sum(all_feeds.filtered.values()))
        if counted != (due["read"], due["published"], 0, due["filtered"]) or not all_feeds.balanced():
            wrong.append(f"{system}: {counted}, written were {due}")
    return wrong


async def wrong_changes(bus: Bus, store: Store) -> list[str]:
    """Where the changes told do not add up to the view: gaps in a person's numbers, persons only one of the two has."""
    log_of: dict[str, list[StatusChange]] = defaultdict(list)
    async for delivery in bus.read(CHANGES):
        change = StatusChange.model_validate_json(delivery.value or b"")
        log_of[change.person].append(change)
    wrong = []
    for person, changes in log_of.items():
        numbers = [change.sequence for change in changes]
        if numbers != list(range(1, len(numbers) + 1)):
            wrong.append(f"{person}: changes {numbers}")
    standing = {history_of(line).person async for line in store.reads.histories()}
    heard_of = {person for person, changes in log_of.items() if not changes[-1].ended}
    return wrong + [f"{person}: in the view or in the changes, not in both" for person in sorted(standing ^ heard_of)]


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
    target.data.mkdir(parents=True, exist_ok=True, mode=0o700)
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
