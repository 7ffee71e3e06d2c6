"""How much the store costs: synthetic canonical events in time order, appended and resolved, on a real PostgreSQL.

    python -m tests.benchmarks.store --url postgresql://user@host/db --events 1000000 --batch 5000 20000 50000

Prints, for each batch size: events/s, CPU microseconds per event and stage (client) and of the database's processes,
WAL bytes and rows per event; beside it a calibration loop, because machines drift, and the durability settings.
Without `--url` it starts a PostgreSQL of its own. The database is emptied first. About each tenth of the events
stands on a line of its own, with the rows that were read and written: they are to stay the same, however many persons
there are.

What was appended waits to be resolved as long as the correlator lets it wait while it reads a backlog. `--gather N` has
N events resolved at a time instead, as where the correlator keeps up with what comes; then a person with many events
is resolved many times.

    python -m tests.benchmarks.store --events 2000000 --each 2 --batch 20000    # a million persons
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[2]))

from correlation import NOW
from servers import start_postgres, stop_postgres

from services.correlator.append import Batch, append
from services.correlator.compare import compare
from services.correlator.correlator import RESOLVE_ROWS
from services.correlator.key_cache import KeyCache
from services.correlator.process import GATHER_SECONDS
from services.correlator.resolve import resolve
from services.domain.coverage import coverage_of_joined
from services.domain.facts import fact_of
from services.memory import collect_rarely
from services.store import Store, open_store

from .stream import events


class Meter:
    """CPU and wall time per stage."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = defaultdict(float)
        self.wall: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Everything inside counts for the stage."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.cpu[name] += time.process_time() - cpu
        self.wall[name] += time.perf_counter() - wall


def calibration() -> float:
    """Millions of dictionary updates a second: what this machine gives right now."""
    table: dict[int, int] = {}
    start = time.perf_counter()
    for n in range(1_000_000):
        table[n & 0xFFFF] = n
    return 1.0 / (time.perf_counter() - start)


def database_cpu(postmaster: int) -> float:
    """Seconds of CPU that the server's processes took, those that ended included."""
    ticks = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(entry.name) == postmaster:
                ticks += sum(int(field) for field in fields[11:15])
            elif int(fields[1]) == postmaster:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of all tables so far."""

    read: int
    written: int

    def since(self, before: Rows, count: int) -> str:
        """In words, an event."""
        return (
            f"{(self.read - before.read) / count:.2f} rows read, {(self.written - before.written) / count:.2f} written"
        )


async def rows_of(connection: asyncpg.Connection) -> Rows:
    """As the server's statistics have them, which lag a second behind."""
    await asyncio.sleep(1.5)
    result = await connection.fetchrow(
        "SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::int8 AS read,"
        " coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int8 AS written FROM pg_stat_user_tables"
    )
    return Rows(result["read"], result["written"])


async def figures(url: str) -> tuple[int, Rows, int, dict[str, str]]:
    """Bytes of WAL, rows, the server's process id, durability settings."""
    connection = await asyncpg.connect(url)
    try:
        wal = await connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8")
        rows = await rows_of(connection)
        path = Path(await connection.fetchval("SELECT current_setting('data_directory')"))
        pid = int((path / "postmaster.pid").read_text().splitlines()[0])
        names = (
            "server_version",
            "fsync",
            "synchronous_commit",
            "full_page_writes",
            "wal_level",
            "shared_buffers",
            "max_wal_size",
            "wal_compression",
        )
        return wal, rows, pid, {name: await connection.fetchval(f"SHOW {name}") for name in names}
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured."""

    events: int
    each: int  # events a person
    gather: int | None  # events that wait before they are resolved; None: as while the correlator reads a backlog

    def ripe(self, batches: int, size: int, since: float) -> bool:
        """Whether what waits is to be resolved; `since`: of the clock, when the last resolving ended."""
        if self.gather is None:
            return batches >= RESOLVE_ROWS or time.perf_counter() - since >= GATHER_SECONDS
        return batches * size >= self.gather

    def __str__(self) -> str:
        """In words."""
        return "resolved at the pace of a backlog" if self.gather is None else f"{self.gather:,} resolved at a time"


async def correlate(store: Store, url: str, asked: Asked, size: int, meter: Meter) -> None:
    """Append, look and resolve all events."""
    count = asked.events
    keys = KeyCache()
    source = events(count, 1, asked.each)
    waiting = done = message = 0
    connection = await asyncpg.connect(url)
    before, start = await rows_of(connection), time.perf_counter()
    resolved = start
    while True:
        with meter.stage("(make events)"):
            raws = [raw for raw, _ in zip(source, range(size), strict=False)]
        if not raws:
            break
        with meter.stage("decode"):
            batch = Batch([fact_of(raw) for raw in raws], [])
        with meter.stage("append"):
            async with store.writer.begin() as tx:
                appended = await append(tx, batch, keys)
            keys.remember(appended)
        with meter.stage("look"):
            async with store.writer.begin() as tx:
                await compare(tx, 20)
        waiting += 1
        done += len(raws)
        if asked.ripe(waiting, size, resolved):
            await resolve_all(store, meter)
            waiting, resolved = 0, time.perf_counter()
        if waiting == 0 and (done - message) * 10 >= count:
            with meter.stage("(figures)"):
                seconds, now = time.perf_counter() - start, await rows_of(connection)
                # as the statistics have it: to count them would be to read them
                persons = await connection.fetchval("SELECT n_live_tup FROM pg_stat_user_tables WHERE relname='person'")
            passed = done - message
            cost = f"{now.since(before, passed)}, {seconds / passed * 1e6:.0f} us an event"
            print(f"  {done:9,} events, {persons:9,} persons: {cost}")
            before, message, start = now, done, time.perf_counter()
            resolved = start
    await resolve_all(store, meter)
    await connection.close()


async def resolve_all(store: Store, meter: Meter) -> None:
    """Until no work is left."""
    with meter.stage("resolve"):
        rows = 1
        while rows:
            async with store.writer.begin() as tx:
                rows = (await resolve(tx, RESOLVE_ROWS, NOW, coverage_of_joined(await tx.coverage()))).rows


async def empty(url: str) -> None:
    """Nothing of an earlier run, and the server set as in use."""
    connection = await asyncpg.connect(url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    # as docs/operations.md advises: every page is logged whole once a checkpoint, so checkpoints had better be rare
    for name, value in (("max_wal_size", "8GB"), ("checkpoint_timeout", "15min"), ("wal_compression", "on")):
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


async def measure(url: str, asked: Asked, size: int) -> None:
    """One run, printed."""
    count = asked.events
    await empty(url)
    store = await open_store(url)
    meter = Meter()
    wal, rows, pid, settings = await figures(url)
    burnt, before = database_cpu(pid), calibration()
    start = time.perf_counter()
    await correlate(store, url, asked, size, meter)
    seconds = time.perf_counter() - start - meter.wall["(make events)"] - meter.wall["(figures)"]
    burnt = database_cpu(pid) - burnt
    wal_after, rows_after, _, _ = await figures(url)
    client = sum(value for name, value in meter.cpu.items() if name[0] != "(")
    print(f"\n{count:,} events, {size:,} a batch: {count / seconds:,.0f} events/s, {asked}")
    print(f"  durability: {', '.join(f'{name}={value}' for name, value in settings.items())}")
    print(f"  calibration: {before:.1f} before, {calibration():.1f} after (million dictionary updates/s)")
    for name, value in meter.cpu.items():
        print(f"  {name:14} {value / count * 1e6:7.1f} us CPU, {meter.wall[name] / count * 1e6:7.1f} us wall, an event")
    print(f"  client {client / count * 1e6:.0f} + database {burnt / count * 1e6:.0f} us CPU an event")
    print(f"  WAL {(wal_after - wal) / count:,.0f} bytes, {rows_after.since(rows, count)} an event")
    await store.close()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a database that may be emptied")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--each", type=int, default=5, help="events a person")
    parser.add_argument("--gather", type=int, help="events that are resolved at a time, at least")
    parser.add_argument("--batch", type=int, nargs="+", default=[5_000, 20_000, 50_000])
    given = parser.parse_args()
    asked = Asked(given.events, given.each, given.gather)
    collect_rarely()  # as the correlator's process does
    if given.url:
        for size in given.batch:
            asyncio.run(measure(given.url, asked, size))
        return
    with tempfile.TemporaryDirectory() as directory:
        url = start_postgres(Path(directory)).replace("postgresql+asyncpg", "postgresql")
        try:
            for size in given.batch:
                asyncio.run(measure(url, asked, size))
        finally:
            stop_postgres(Path(directory))


if __name__ == "__main__":
    main()
