"""What things cost as the store grows: `python -m tests.benchmarks.growth --persons 100000 300000 1000000 --plot FILE`.

Synthetic arrivals and departures, in time order, fill a PostgreSQL of the benchmark's own as one correlator does. At
each size it stops, and prints of the events since the last one: CPU of client and database, WAL and rows an event; of
the whole: bytes on disk an event and a person, and the memory of the process that fills. Then, at each rate, look-ups
by an I-94 number come at even distances, whether or not earlier ones are answered: of `visabus serve` over HTTP, one
process, authenticated and audited; and, as the limit, of the database alone by the statement that a look-up runs.
Printed are p50 and p99 from the instant that each was due, CPU of the API, and its memory. `--plot` draws a table of
the figures as SVG.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1]))

from correlation import NOW
from servers import start_postgres, stop_postgres

from services.correlator.append import Batch, append
from services.correlator.compare import compare
from services.correlator.correlator import RESOLVE_ROWS
from services.correlator.key_cache import KeyCache
from services.correlator.resolve import resolve
from services.domain.coverage import coverage_of_joined
from services.domain.facts import fact_of, key_hash
from services.memory import collect_rarely
from services.store import Store, open_store
from services.store.snapshot import _statements

from .correlators import VISABUS
from .store.__main__ import database_cpu, empty, figures
from .store.stream import events

BATCH, PENDING_BATCHES = 20_000, 10
CALLERS = 32
SECONDS = 15


def memory_of(process: int | str) -> float:
    """Resident memory of a process, in MiB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def cpu_of(process: int) -> float:
    """Seconds of CPU that a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Filler:
    """Takes events in as one correlator does, and remembers some of the numbers in them."""

    def __init__(self, store: Store, source: Iterator[bytes]) -> None:
        self._store, self._source, self._keys = store, source, KeyCache()
        self.events = 0
        self.numbers: list[str] = []

    async def fill(self, count: int) -> float:
        """Take in so many events, and return the seconds of CPU that this process used for them."""
        cpu = 0.0
        pending = 0
        while count > 0 and (raws := list(islice(self._source, min(BATCH, count)))):
            self.numbers += [raw.partition(b'"value":"')[2][:11].decode() for raw in raws[::97]]
            before = time.process_time()
            async with self._store.writer.begin() as tx:
                appended = await append(tx, Batch([fact_of(raw) for raw in raws], []), self._keys)
            self._keys.remember(appended)
            async with self._store.writer.begin() as tx:
                await compare(tx, 20)
            pending += 1
            if pending == PENDING_BATCHES:
                await self._resolve()
                pending = 0
            cpu += time.process_time() - before
            count -= len(raws)
            self.events += len(raws)
        before = time.process_time()
        await self._resolve()
        return cpu + time.process_time() - before

    async def _resolve(self) -> None:
        rows = 1
        while rows:
            async with self._store.writer.begin() as tx:
                rows = (await resolve(tx, RESOLVE_ROWS, NOW, coverage_of_joined(await tx.coverage()))).rows


@dataclass(frozen=True)
class Waits:
    """What callers waited, in seconds."""

    sorted: list[float]

    def share(self, part: float) -> float:
        """Return a quantile, in milliseconds."""
        return 1000 * self.sorted[min(len(self.sorted) - 1, int(len(self.sorted) * part))]

    def __str__(self) -> str:
        return f"p50 {self.share(0.5):6.2f} ms, p99 {self.share(0.99):7.2f} ms"


async def asked(one: Callable[[str], Awaitable[None]], numbers: list[str], rate: int, seconds: float) -> Waits:
    """Ask at even distances, and return what each waited since it was due."""
    rng, waits = random.Random(1), []
    pending: set[asyncio.Task[None]] = set()
    start = time.perf_counter()

    async def timed(due: float, number: str) -> None:
        await one(number)
        waits.append(time.perf_counter() - due)

    for each in range(int(rate * seconds)):
        due = start + each / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(timed(due, rng.choice(numbers)))
        pending.add(task)
        task.add_done_callback(pending.discard)
    await asyncio.gather(*pending)
    return Waits(sorted(waits))


@asynccontextmanager
async def by_database(url: str) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """The statement of a look-up, by asyncpg alone, over as many connections as the API has."""
    statement = _statements("$1::bigint", "$2::bigint")[False, False]
    async with asyncpg.create_pool(url, min_size=4, max_size=4) as pool:

        async def one(number: str) -> None:
            await pool.fetch(statement, key_hash(f"i94/CBP/{number}"))

        yield one


@asynccontextmanager
async def by_api(port: int, token: str) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Over HTTP, by connections that are kept."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(CALLERS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    head = f"Host: x\r\nAuthorization: Bearer {token}\r\nVisabus-Purpose: overstay-review\r\n\r\n"

    async def one(number: str) -> None:
        reader, writer = await free.get()
        writer.write(f"GET /v1/status/i94/{number} HTTP/1.1\r\n{head}".encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"refused: {answer[:60]!r}")
        await reader.readexactly(int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        free.put_nowait((reader, writer))

    yield one
    while not free.empty():
        free.get_nowait()[1].close()


@dataclass(frozen=True)
class Api:
    """A served API."""

    process: subprocess.Popen[bytes]
    port: int
    token: str


@asynccontextmanager
async def serving(directory: Path, url: str) -> AsyncIterator[Api]:
    """`visabus serve` on the store, one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = directory / "data"
    given = [VISABUS, "--data", str(data), "--bus", f"embedded://{directory}/none.db", "--store", url]
    scope = ("token", "--scope", "status:read", "--purpose", "overstay-review")
    token = await asyncio.to_thread(subprocess.check_output, [*given, *scope], text=True)
    unbound = {"VISABUS_API__RATE": "100000", "VISABUS_API__BURST": "1000000"}
    command = [*given, "serve", "--host", "127.0.0.1", "--port", str(port)]
    with (directory / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, env={**os.environ, **unbound}, stdout=log, stderr=log)  # noqa: ASYNC220 - starts at once
    try:
        for _ in range(300):
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            except OSError:
                await asyncio.sleep(0.2)
        yield Api(process, port, token.strip())
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


@dataclass(frozen=True)
class Size:
    """What was measured at one size."""

    persons: int
    client: float  # microseconds an event
    database: float
    wal: float  # bytes an event
    disk: float  # bytes a person
    memory: float  # MiB
    waits: dict[int, tuple[Waits, Waits]]  # by rate: the database's, the API's


async def measured(filler: Filler, persons: int, each: int, given: argparse.Namespace, directory: Path) -> Size:
    """Fill to a size, and measure there. Printed, too."""
    url = given.url
    wal, rows, pid, _ = await figures(url)
    burnt, count = database_cpu(pid), persons * each - filler.events
    cpu = await filler.fill(count)
    burnt = database_cpu(pid) - burnt
    after, rows_after, _, _ = await figures(url)
    connection = await asyncpg.connect(url)
    held = await connection.fetchval("SELECT count(*) FROM person")
    disk = await connection.fetchval("SELECT pg_database_size(current_database())")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    memory = memory_of("self")
    print(f"{held:,} persons, {filler.events:,} events")
    print(f"  client {cpu / count * 1e6:.0f} + database {burnt / count * 1e6:.0f} us CPU an event")
    print(f"  WAL {(after - wal) / count:,.0f} bytes, {rows_after.since(rows, count)} an event")
    print(f"  on disk {disk / filler.events:,.0f} bytes an event, {disk / held:,.0f} a person; filler {memory:.0f} MiB")
    waits: dict[int, tuple[Waits, Waits]] = {}
    async with serving(directory, url) as api, by_database(url) as plain, by_api(api.port, api.token) as over_http:
        await asked(over_http, filler.numbers, 50, 4)  # warm
        for rate in given.rates:
            own = await asked(plain, filler.numbers, rate, given.seconds)
            before = cpu_of(api.process.pid)
            served = await asked(over_http, filler.numbers, rate, given.seconds)
            used = (cpu_of(api.process.pid) - before) / len(served.sorted)
            waits[rate] = own, served
            print(f"  {rate:4}/s: database {own}; API {served}, {1000 * used:.2f} ms CPU", flush=True)
        print(f"  API {memory_of(api.process.pid):.0f} MiB", flush=True)
    return Size(held, cpu / count * 1e6, burnt / count * 1e6, (after - wal) / count, disk / held, memory, waits)


def plot(sizes: list[Size], file: Path) -> None:
    """Draw each figure against the persons, the axis of persons by powers of ten."""
    from math import log10

    rate = max(sizes[0].waits)
    series: list[tuple[str, list[float]]] = [
        ("client, us CPU an event", [size.client for size in sizes]),
        ("database, us CPU an event", [size.database for size in sizes]),
        ("WAL, bytes an event", [size.wal for size in sizes]),
        ("disk, bytes a person", [size.disk for size in sizes]),
        ("filling process, MiB", [size.memory for size in sizes]),
        (f"look-up p99 at {rate}/s, ms: API", [size.waits[rate][1].share(0.99) for size in sizes]),
    ]
    least, most = log10(sizes[0].persons), log10(max(sizes[-1].persons, sizes[0].persons + 1))
    parts = []
    for place, (title, values) in enumerate(series):
        left, top = 20 + place % 3 * 260, 30 + place // 3 * 170
        high = max(values) * 1.25
        points = [
            (left + 200 * (log10(size.persons) - least) / (most - least), top + 120 - 110 * value / high)
            for size, value in zip(sizes, values, strict=True)
        ]
        parts.append(f'<text x="{left}" y="{top - 6}" font-weight="bold">{title}</text>')
        parts.append(f'<path d="M{left} {top}V{top + 120}H{left + 220}" fill="none" stroke="#888"/>')
        line = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="#1666ba" stroke-width="2"/>')
        for (x, y), value, size in zip(points, values, sizes, strict=True):
            parts.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="#1666ba"/>')
            parts.append(f'<text x="{x + 4:.0f}" y="{y - 6:.0f}">{value:,.0f}</text>')
            parts.append(f'<text x="{x - 6:.0f}" y="{top + 134}">{size.persons / 1000:,.0f}k</text>')
    body = "".join(parts)
    file.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 370" font-family="sans-serif" font-size="11">'
        f'<rect width="800" height="370" fill="#fff"/>{body}</svg>\n'
    )


async def compare_sizes(given: argparse.Namespace, directory: Path) -> None:
    """Measure at every size."""
    await empty(given.url)
    store = await open_store(given.url)
    persons = sorted(given.persons)
    filler = Filler(store, events(persons[-1] * given.each, 1, given.each))
    sizes = [await measured(filler, size, given.each, given, directory) for size in persons]
    await store.close()
    if given.plot:
        plot(sizes, given.plot)


def main() -> None:
    """Run the module's command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--each", type=int, default=3, help="events a person")
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 300], help="look-ups a second")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of look-ups at each rate")
    parser.add_argument("--plot", type=Path, help="an SVG file to draw into")
    given = parser.parse_args()
    collect_rarely()  # as the correlator's process does
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "postgres").mkdir()
        given.url = start_postgres(Path(name) / "postgres").replace("postgresql+asyncpg", "postgresql")
        try:
            asyncio.run(compare_sizes(given, Path(name)))
        finally:
            stop_postgres(Path(name) / "postgres")


if __name__ == "__main__":
    main()
