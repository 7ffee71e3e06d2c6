"""How fast Spark rebuilds a store: `python -m tests.benchmarks.rebuild_spark --persons 20000 --correlators 2`.

A simulated population's events wait on the embedded bus. First so many `visabus correlate --once` take them into an
empty PostgreSQL of its own; then `local[2]` fills a new edition beside that store from the same bus, in a process
of its own. Printed of both: events a second from start to end, starting Spark included, and whether
the digests of the two views are equal. `--rounds` runs both in turn. A calibration loop stands
beside it, because machines drift.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncpg
from servers import start_postgres, stop_postgres

from bus.open import open_bus
from schemas.topics import EVENT_TOPICS
from services.export import lines
from services.logs import configure
from services.rebuild.target import begin
from services.settings import Settings
from services.store import Store, open_store

from .correlators import VISABUS, filled
from .store.__main__ import calibration, database_cpu, empty, figures

CORES = 2


class Quiet:
    """Says nothing."""

    def at(self, done: int, total: int | None, stage: str = "read") -> None:
        """Nothing."""


async def rebuilt(directory: Path, bus: Path, url: str, master: str) -> None:
    """Fill a new edition, in this process."""
    from services.rebuild.spark import Fill

    configure("info", "console")
    settings = Settings(data_dir=directory, bus_url=f"embedded://{bus}", store_url=url)
    await Fill(master=master).fill(await begin(url), settings, Quiet(), asyncio.Event())


async def digest(store: Store) -> str:
    """The digest of a view, confidential records included."""
    total = sha256()
    try:
        async for line in lines(store.reads, confidential=True):
            total.update(line + b"\n")
    finally:
        await store.close()
    return total.hexdigest()


async def measured(name: str, url: str, count: int, commands: list[list[str]]) -> None:
    """Run the commands at once, and print what they took."""
    _, _, pid, _ = await figures(url)
    burnt, before = database_cpu(pid), resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    processes = [await asyncio.create_subprocess_exec(*command) for command in commands]
    codes = [await process.wait() for process in processes]
    seconds = time.perf_counter() - start
    if any(codes):
        raise SystemExit(f"{name} failed: {codes}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    database = database_cpu(pid) - burnt
    print(f"{name}: {count:,} events in {seconds:.1f} s, {count / seconds:,.0f} events/s")
    print(f"  {client / count * 1e6:.0f} + database {database / count * 1e6:.0f} us CPU an event", flush=True)


async def compared(url: str, bus: Path, directory: Path, correlators: int, master: str) -> None:
    """Both in one run, printed."""
    plain = url.replace("postgresql+asyncpg", "postgresql")
    await empty(plain)
    connection = await asyncpg.connect(plain)
    await connection.execute("DROP SCHEMA IF EXISTS public_edition_2 CASCADE")
    await connection.close()
    copy = directory / "bus-copy.db"
    for suffix in ("", "-wal"):
        if (source := bus.with_name(bus.name + suffix)).exists():
            shutil.copy(source, copy.with_name(copy.name + suffix))
    store = await open_store(plain)
    await store.close()
    print(f"calibration {calibration():.1f} (million dictionary updates/s)")
    given = (VISABUS, "--data", str(directory), "--bus", f"embedded://{copy}", "--store", plain)
    count = await events_in(copy)
    await measured(f"{correlators} correlators", plain, count, [[*given, "correlate", "--once"]] * correlators)
    module = [sys.executable, "-m", "tests.benchmarks.rebuild_spark", "--rebuild", str(directory), str(copy), plain]
    await measured(f"Spark {master}", plain, count, [[*module, master]])
    print(f"calibration {calibration():.1f}")
    live = await digest(await open_store(plain))
    new = await digest(await (await begin(plain)).open())
    print(f"digest {'equal' if live == new else 'NOT EQUAL'}: {live[:16]} {new[:16]}", flush=True)


async def events_in(bus: Path) -> int:
    """How many messages the event topics of an embedded bus hold."""
    opened = await open_bus(f"embedded://{bus}")
    try:
        return sum((await opened.ends(EVENT_TOPICS)).values())
    finally:
        await opened.close()


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--bus", type=Path, help="the file of an embedded bus that holds events")
    parser.add_argument("--correlators", type=int, default=2)
    parser.add_argument("--master", default=f"local[{CORES}]")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--rebuild", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.rebuild:
        directory, bus, url, master = given.rebuild
        asyncio.run(rebuilt(Path(directory), Path(bus), url, master))
        return
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        bus = given.bus or filled(directory, given.persons, given.noise)
        (directory / "postgres").mkdir()
        url = start_postgres(directory / "postgres")
        try:
            for _ in range(given.rounds):
                asyncio.run(compared(url, bus, directory, given.correlators, given.master))
        finally:
            stop_postgres(directory / "postgres")


if __name__ == "__main__":
    main()
