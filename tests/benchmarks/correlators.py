"""How fast whole correlators are: `python -m tests.benchmarks.correlators --persons 20000 --noise 1 --correlators 1 2`.

A simulated population's events wait on the embedded bus; then so many `visabus correlate --once` processes start at
once on an empty PostgreSQL of the benchmark's own, and take them in until everything is resolved and told. Printed:
events a second from the first process's start to the last one's end, the correlators' and the database's CPU, rows read
and written an event, and a calibration loop beside it, because machines drift. `--bus` takes events that lie on an
embedded bus already.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import start_postgres, stop_postgres

from .store.__main__ import calibration, database_cpu, empty, figures

VISABUS = str(Path(sys.executable).with_name("visabus"))


def filled(directory: Path, persons: int, noise: float) -> Path:
    """The bus of a simulated population."""
    bus = directory / "bus.db"
    command = [VISABUS, "evaluate", "--persons", str(persons), "--seed", "3", "--noise", str(noise), "--json"]
    subprocess.run([*command, "--bus", f"embedded://{bus}"], check=False, stdout=subprocess.DEVNULL)
    return bus


async def measure(url: str, bus: Path, directory: Path, correlators: int) -> None:
    """One run, printed."""
    await empty(url)
    copy = directory / f"bus-{correlators}.db"
    for suffix in ("", "-wal"):
        if (source := bus.with_name(bus.name + suffix)).exists():
            shutil.copy(source, copy.with_name(copy.name + suffix))
    wal, rows, pid, _ = await figures(url)
    burnt, speed = database_cpu(pid), calibration()
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    options = ["--data", str(directory), "--bus", f"embedded://{copy}", "--store", url]
    command = (VISABUS, *options, "correlate", "--once")
    processes = [await asyncio.create_subprocess_exec(*command) for _ in range(correlators)]
    codes = [await process.wait() for process in processes]
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    burnt = database_cpu(pid) - burnt
    if any(codes):
        raise SystemExit(f"a correlator failed: {codes}")
    wal_after, rows_after, _, _ = await figures(url)
    connection = await asyncpg.connect(url)
    count = await connection.fetchval("SELECT sum(next)::int8 FROM position")
    pools = await connection.fetchval("SELECT count(*) FROM pool")
    await connection.close()
    client = used.ru_utime + used.ru_stime - own.ru_utime - own.ru_stime
    print(f"{correlators} correlators: {count:,} events, {pools:,} pools, {count / seconds:,.0f} events/s")
    print(f"  calibration {speed:.1f} before, {calibration():.1f} after (million dictionary updates/s)")
    print(f"  correlators {client / count * 1e6:.0f} + database {burnt / count * 1e6:.0f} us CPU an event")
    print(f"  WAL {(wal_after - wal) / count:,.0f} bytes, {rows_after.since(rows, count)} an event")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=20_000)
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--bus", type=Path, help="the file of an embedded bus that holds events")
    parser.add_argument("--correlators", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        bus = given.bus or filled(directory, given.persons, given.noise)
        (directory / "postgres").mkdir()
        url = start_postgres(directory / "postgres")
        try:
            for correlators in given.correlators:
                asyncio.run(measure(url.replace("postgresql+asyncpg", "postgresql"), bus, directory, correlators))
        finally:
            stop_postgres(directory / "postgres")


if __name__ == "__main__":
    main()
