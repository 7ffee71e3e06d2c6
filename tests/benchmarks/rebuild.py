"""A rebuild under traffic: how long it takes, whether it ends in the same bytes, and what a client of the API notices.

    python -m tests.benchmarks.rebuild --events 1000000
    python -m tests.benchmarks.rebuild --events 200000 --store sqlite --rate 100
    python -m tests.benchmarks.rebuild --events 20000 --bus kafka             # a Kafka of one node, of its own

So many synthetic events of five a person lie on the bus (embedded, or a real Kafka) and are taken into a store (an
empty PostgreSQL of the benchmark's own). Then `visabus correlate` and `visabus serve` run, `--rate` further events a
second are published, and one client asks the API for known persons without a pause. Meanwhile `visabus rebuild` and
`visabus rebuild --switch` run. At the end the traffic stops, and once the live view has everything, a second view is
built from an empty store (`--check`), and both digests are compared.

Printed: events a second of the rebuild, seconds of its steps, how long writers waited in the switch, whether both views
were equal at one point of the bus; of the client answers, failures, median and longest waits, before and meanwhile; a
calibration loop, because machines drift. Exits with 1 if the views differ or the client was ever not answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import start_postgres, stop_postgres

from bus.contract import Bus, Message
from bus.open import open_bus
from schemas.codec import decode
from schemas.ids import event_id
from schemas.topics import EVENT_TOPICS, key_of, topic_of
from services.wiring import topics

from .store.__main__ import calibration
from .store.stream import events

VISABUS = str(Path(sys.executable).with_name("visabus"))
EACH = 5
BATCH = 2_000


def messages(count: int) -> Iterator[Message]:
    """The events, with the ids that their records give them, as they go onto the bus."""
    for raw in events(count, 1, EACH):
        event = decode(raw)
        revision = event.revision
        mine = event_id(event.system, event.record, event.part, revision.number, revision.digest, event.mapping_version)
        yield Message(topic_of(event), key_of(event), raw.replace(str(event.id).encode(), str(mine).encode(), 1))


def environment() -> dict[str, str]:
    """Settings under which a machine that has much else to do measures something."""
    settings = {"API__RATE": "100000", "API__BURST": "1000000", "DEADLINES__BUS_CALL": "120"}
    return {**os.environ, **{f"VISABUS_{name}": value for name, value in settings.items()}}


@dataclass
class Installation:
    """Where it all is."""

    directory: Path
    store: str
    bus: str

    @property
    def options(self) -> list[str]:
        """Stand before every command."""
        where = ["--bus", self.bus, "--store", self.store]
        return [VISABUS, "--data", str(self.directory), *where]

    def run(self, *words: str) -> str:
        """Run a command to its good end; what it printed."""
        done = subprocess.run([*self.options, *words], check=False, capture_output=True, text=True, env=environment())
        if done.returncode:
            raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-3000:]}")
        return done.stdout

    async def timed(self, *words: str) -> tuple[list[dict[str, Any]], float]:
        """Run a command beside what this process does; its objects, and its seconds."""
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *self.options, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        )
        output, errors = await process.communicate()
        if process.returncode:
            raise SystemExit(f"{' '.join(words)} ended with {process.returncode}: {errors.decode()[-3000:]}")
        return [json.loads(line) for line in output.splitlines()], time.perf_counter() - began

    @asynccontextmanager
    async def running(self, *words: str) -> AsyncIterator[None]:
        """Have a command run."""
        with (self.directory / f"{words[0]}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *self.options, *words, env=environment(), stdout=log, stderr=log
            )
        try:
            yield
        finally:
            if process.returncode is not None:
                print(f"  {words[0]} ended by itself with {process.returncode}")
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


@dataclass
class Client:
    """Asks the API all the time."""

    port: int
    token: str
    waits: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    most: int | None = None  # so many questions

    async def ask(self, numbers: Sequence[str]) -> None:
        """Ask until cancelled, by a connection that is kept."""
        rng = random.Random(1)
        head = f"Host: x\r\nAuthorization: Bearer {self.token}\r\nVisabus-Purpose: overstay-review\r\n\r\n"
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                while True:
                    began = time.perf_counter()
                    writer.write(f"GET /v1/status/i94/{rng.choice(numbers)} HTTP/1.1\r\n{head}".encode())
                    answer = await reader.readuntil(b"\r\n\r\n")
                    await reader.readexactly(int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
                    self.waits.append(time.perf_counter() - began)
                    if not answer.startswith(b"HTTP/1.1 200"):
                        self.failures.append(answer[:40].decode())
                    if self.most is not None and len(self.waits) >= self.most:
                        writer.close()
                        return
                    await asyncio.sleep(0.01)
            except (OSError, EOFError) as error:
                self.failures.append(type(error).__name__)
                await asyncio.sleep(0.1)

    def line(self, since: int = 0) -> str:
        """In words, what it waited since so many answers."""
        waits = sorted(self.waits[since:])
        return (
            f"{len(waits):,} answers, median {1000 * statistics.median(waits):.1f} ms,"
            f" p99 {1000 * waits[int(len(waits) * 0.99)]:.1f} ms, longest {1000 * waits[-1]:.0f} ms"
        )


async def published(bus: Bus, source: Iterator[Message], count: int, rate: float | None = None) -> int:
    """Publish up to so many messages, so many a second; how many those were."""
    producer = await bus.producer()
    done, size = 0, BATCH if rate is None else max(1, int(rate / 5))
    try:
        while done < count and (some := list(islice(source, min(size, count - done)))):
            began = time.perf_counter()
            await producer.send(some)
            done += len(some)
            if rate is not None:
                await asyncio.sleep(max(0.0, len(some) / rate - (time.perf_counter() - began)))
    finally:
        await producer.close()
    return done


async def measure(at: Installation, asked: argparse.Namespace) -> bool:
    """Measure and print; whether all was well."""
    bus = await open_bus(at.bus)
    await bus.declare(topics())
    source = messages(2 * asked.events)
    began = time.perf_counter()
    await published(bus, source, asked.events)
    print(f"{asked.events:,} events published in {time.perf_counter() - began:.0f} s", flush=True)
    print(f"calibration {calibration():.1f} (million dictionary updates/s)", flush=True)
    began = time.perf_counter()
    at.run("correlate", "--once")
    seconds = time.perf_counter() - began
    print(f"the live view: one correlator, {seconds:.0f} s, {asked.events / seconds:,.0f} events/s", flush=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = at.run("token", "--scope", "status:read", "--purpose", "overstay-review").strip()
    client = Client(port, token)
    persons = 2 * asked.events // EACH
    population = range(min(persons, asked.events // 10))
    numbers = [f"{person * 10:011d}" for person in random.Random(2).sample(population, min(500, len(population)))]
    async with at.running("correlate"), at.running("serve", "--host", "127.0.0.1", "--port", str(port)):
        while True:
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            except OSError:
                await asyncio.sleep(0.2)
        numbers = await known(client, numbers)
        asking = asyncio.create_task(client.ask(numbers))
        traffic = asyncio.create_task(published(bus, source, asked.events, asked.rate))
        await asyncio.sleep(asked.before)
        print(f"the client before: {client.line()}", flush=True)
        before = len(client.waits)
        compared, took = await at.timed("rebuild", "--json", *asked.options)
        events_read = sum((await bus.ends(EVENT_TOPICS)).values())
        print(f"rebuild and comparison: {took:.0f} s, {events_read / took:,.0f} events/s of {events_read:,} at its end")
        print(f"  {json.dumps(compared[0]['compared'])}", flush=True)
        switched, took = await at.timed("rebuild", "--switch", "--json")
        print(f"switch: {took:.1f} s, writers waited {switched[0]['seconds']} s", flush=True)
        await asyncio.sleep(5)
        traffic.cancel()
        await asyncio.gather(traffic, return_exceptions=True)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        print(f"the client meanwhile: {client.line(before)}")
        print(f"the client was not answered {len(client.failures)} times {client.failures[:3]}", flush=True)
    at.run("correlate", "--once")
    equal = bool(compared[0]["compared"]["equal"])
    if asked.check:
        digest = at.run("export", "--digest").strip()
        other = replace(at, store=f"sqlite+aiosqlite:///{at.directory}/other.db")
        other.run("correlate", "--once", "--hold")
        alone = other.run("export", "--digest").strip()
        print(f"digest {digest}; of a view made from nothing {'the same' if alone == digest else alone}")
        equal &= alone == digest
    await bus.close()
    return equal and not client.failures


async def known(client: Client, numbers: Sequence[str]) -> list[str]:
    """Those of the numbers for which there is an answer."""
    result = []
    for number in numbers:
        trial = Client(client.port, client.token, most=1)
        await trial.ask([number])
        if not trial.failures:
            result.append(number)
    return result


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000, help="on the bus when it begins")
    parser.add_argument("--rate", type=float, default=200.0, help="events a second that come meanwhile")
    parser.add_argument("--before", type=float, default=10.0, help="seconds of traffic before the rebuild begins")
    parser.add_argument("--store", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--bus", choices=("embedded", "kafka"), default="embedded")
    parser.add_argument("--check", action="store_true", help="make a view from nothing at the end, and compare")
    parser.add_argument("--options", nargs="*", default=[], help="for `visabus rebuild`, such as --correlators=2")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="visabus-rebuild-") as name:
        directory = Path(name)
        with served_bus(directory, asked.bus) as bus, served_store(directory, asked.store) as store:
            well = asyncio.run(measure(Installation(directory, store, bus), asked))
    sys.exit(0 if well else 1)


@contextmanager
def served_bus(directory: Path, kind: str) -> Iterator[str]:
    """The address of an empty bus: a file, or a Kafka of one node that ends with the context."""
    if kind == "embedded":
        yield f"embedded://{directory}/bus.db"
        return
    from services.kafka_local import start, stop

    url = f"kafka://{start(directory / 'kafka')}"
    try:
        yield url
    finally:
        stop(directory / "kafka")


@contextmanager
def served_store(directory: Path, kind: str) -> Iterator[str]:
    """The address of an empty store: a file, or a PostgreSQL that ends with the context."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{directory}/store.db"
        return
    (directory / "postgres").mkdir()
    try:
        yield start_postgres(directory / "postgres")
    finally:
        stop_postgres(directory / "postgres")


if __name__ == "__main__":
    main()
