"""What a look-up costs: the demo's population, the API as a process of its own, callers over HTTP.

    python tests/benchmarks/lookups.py
    python tests/benchmarks/lookups.py --old ../checkout-of-another-build --persons 2000

Printed, for each number of callers: CPU of the API for a look-up, the median and the 99th percentile of what callers
wait, look-ups a second; then the same with four times the coverage events. Each look-up is authenticated, audited
durably and answered for one person by an I-94 number. With `--old` both builds are asked in turns, in one run; each
runs with the `.venv` of its own checkout.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

HERE = Path(__file__).resolve().parents[2]
START = 120.0
"""Seconds that the API may take to start; on a machine that is overcommitted it does."""
TIMES = 4
"""So many times the coverage events in the second part."""
MORE_COVERAGE = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from bus.contract import Message
from bus.open import open_bus
from schemas.codec import encode
from schemas.events import Coverage, Revision
from schemas.ids import event_id
from schemas.topics import PARTITIONS

async def main(url, count):
    bus = await open_bus(url, deadline=30.0)
    producer = await bus.producer()
    first = datetime(2024, 1, 1, tzinfo=UTC)
    for start in range(0, count, 500):
        batch = []
        for number in range(start, min(start + 500, count)):
            name, system = f"more {number}", ("I94", "CLAIMS3")[number % 2]
            since, through = first + timedelta(hours=number), first + timedelta(hours=number + 1)
            event = Coverage(
                id=event_id(system, name, "", 1, "0" * 16, 1), system=system, record=name, place=name, batch=name,
                revision=Revision(number=1, digest="0" * 16), mapping_version=1, published_at=through,
                scope=("departure:air", "extension")[number % 2], since=since, through=through,
            )
            batch.append(Message(CONTROL, f"{system}/{name}".encode(), encode(event)))
        await producer.send(batch)
    await producer.close()
    await bus.close()

CONTROL = next(topic for topic in PARTITIONS if "control" in topic)
asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@dataclass(slots=True)
class Build:
    """A checkout with its own environment, and the demo's data that it made."""

    name: str
    checkout: Path
    directory: Path
    port: int = 0
    token: str = ""
    server: subprocess.Popen[bytes] | None = None
    numbers: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """Where bus, store and audit log are."""
        return self.directory / "data"

    def visabus(self, *words: str) -> str:
        """Run a command of the build; what it printed."""
        command = [str(self.checkout / ".venv/bin/visabus"), *words]
        done = subprocess.run(command, cwd=self.checkout, check=False, capture_output=True, text=True)
        if done.returncode and words[0] != "demo":  # which ends with 1 where one answer differs from the truth
            raise SystemExit(f"{' '.join(words)} of {self.name} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def python(self, script: str, *words: str) -> None:
        """Run a script with the build's packages."""
        command = [str(self.checkout / ".venv/bin/python"), "-c", script, *words]
        subprocess.run(command, cwd=self.checkout, check=True, capture_output=True)

    def make(self, persons: int) -> None:
        """Run the demo and keep its data, unless they were kept before."""
        if not (self.data / "store.db").exists():
            self.visabus("demo", "--once", "--keep", str(self.directory), "--persons", str(persons))
        with sqlite3.connect(self.data / "store.db") as connection:
            documents = [row[0] for row in connection.execute("SELECT doc FROM person WHERE doc IS NOT NULL")]
        texts = sorted({text for doc in documents for text in orjson.loads(doc)["identifiers"]})
        self.numbers = [text.rpartition("/")[2] for text in texts if text.startswith("i94/")]

    def coverage_events(self) -> int:
        """How many coverage events the store has taken in."""
        with sqlite3.connect(self.data / "store.db") as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            table = "coverage_event" if "coverage_event" in tables else "coverage"
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def more_coverage(self, count: int) -> None:
        """Publish so many coverage events more, and take them into the store."""
        self.python(MORE_COVERAGE, f"embedded:{self.data / 'bus.db'}", str(count))
        self.visabus("--data", str(self.data), "correlate", "--once")

    @contextmanager
    def serving(self) -> Iterator[None]:
        """The API, as a process of its own."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.token = self.visabus(
            *("--data", str(self.data), "token", "--scope", "status:read", "--purpose", "overstay-review")
        ).strip()
        command = [str(self.checkout / ".venv/bin/visabus"), "--data", str(self.data), "serve"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        quiet = subprocess.DEVNULL
        bounded = (self.checkout / "services" / "buckets.py").exists()  # a build of before knows no such setting
        unbound = {"VISABUS_API__RATE": "100000", "VISABUS_API__BURST": "1000000"} if bounded else {}
        environment = {**os.environ, **unbound}
        self.server = subprocess.Popen(command, cwd=self.checkout, env=environment, stdout=quiet, stderr=quiet)
        try:
            self._await_port()
            yield
        finally:
            self.server.terminate()
            self.server.wait(30)

    def _await_port(self) -> None:
        ends = time.monotonic() + START
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise SystemExit(f"the API of {self.name} does not answer")

    def cpu(self) -> float:
        """Seconds of CPU that the API has had."""
        assert self.server is not None
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Taken:
    """What look-ups cost."""

    cpu: float = 0.0
    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    refused: int = 0  # answered otherwise than by 200, such as by 503 after 15 s

    def line(self) -> str:
        """In words."""
        ordered = sorted(self.waits)
        p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        count = len(ordered)
        refused = f"   {self.refused} refused" if self.refused else ""
        return (
            f"{1000 * self.cpu / count:6.2f} ms CPU   p50 {1000 * statistics.median(ordered):7.2f} ms"
            f"   p99 {1000 * p99:7.2f} ms   {count / self.seconds:7.0f}/s{refused}"
        )


async def ask(build: Build, callers: int, requests: int, taken: Taken, rng: random.Random) -> None:
    """Ask so often, so many callers at once, each over a connection of its own."""
    left = [rng.choice(build.numbers) for _ in range(requests)]

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", build.port)
        head = f"Host: x\r\nAuthorization: Bearer {build.token}\r\nVisabus-Purpose: overstay-review\r\n\r\n"
        while left:
            number = left.pop()
            began = time.perf_counter()
            writer.write(f"GET /v1/status/i94/{number} HTTP/1.1\r\n{head}".encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            taken.waits.append(time.perf_counter() - began)
            taken.refused += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    cpu, began = build.cpu(), time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    taken.seconds += time.perf_counter() - began
    taken.cpu += build.cpu() - cpu


def measured(builds: Sequence[Build], crowds: Sequence[int], requests: int, turns: int) -> None:
    """Ask all builds in turns, and print what it cost."""
    with ExitStack() as stack:
        for build in builds:
            stack.enter_context(build.serving())
            asyncio.run(ask(build, 4, 100, Taken(), random.Random(0)))  # warm
        for callers in crowds:
            costs = {build.name: Taken() for build in builds}
            for turn in range(turns):
                for build in builds:
                    asyncio.run(ask(build, callers, requests // turns, costs[build.name], random.Random(turn)))
            for build in builds:
                print(f"  {callers:3} callers  {build.name:4} {costs[build.name].line()}", flush=True)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=Path, help="a checkout of another build, with its .venv")
    parser.add_argument("--persons", type=int, default=2_000)
    parser.add_argument("--requests", type=int, default=600, help="for each number of callers and each build")
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 8, 32])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="where demos' data are kept, and found again")
    asked = parser.parse_args()
    with ExitStack() as stack:
        place = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="visabus-lookups-")))
        builds = [Build("new", HERE, place.resolve() / "new")]
        if asked.old is not None:
            builds.insert(0, Build("old", asked.old.resolve(), place.resolve() / "old"))
        for build in builds:
            build.make(asked.persons)
        events = {build.name: build.coverage_events() for build in builds}
        print(f"{asked.persons:,} persons, coverage events {events}", flush=True)
        measured(builds, asked.callers, asked.requests, asked.turns)
        for build in builds:
            build.more_coverage((TIMES - 1) * events[build.name])
            if build.coverage_events() != TIMES * events[build.name]:
                raise SystemExit(f"{build.name} did not take in all of the coverage events; see its dead letters")
        print(f"with coverage events { {build.name: build.coverage_events() for build in builds} }", flush=True)
        measured(builds, asked.callers, asked.requests, asked.turns)


if __name__ == "__main__":
    main()
