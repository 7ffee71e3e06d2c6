"""Whole correlators of two builds in turns, on the same events and the same machine. From the root of a checkout:

    git worktree add ../before v1 && make -C ../before install
    python -m tests.benchmarks.correlator_speed --old ../before --persons 3000 --correlators 1 2 --rounds 3

The events of a simulated population wait on an embedded bus (`--bus` takes one that is there already). Each run is
`visabus correlate --once` on an empty database of a PostgreSQL of the benchmark's own. Printed: for each run CPU of
the correlators and of the database an event, and events a second; then the medians and what the new build takes of the
old one's. The digest of all histories stands beside each run: by one set of rules it is the same, whoever correlates.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1]))

from servers import start_postgres, stop_postgres

from .correlators import filled
from .store.__main__ import database_cpu, empty, figures


@dataclass(frozen=True, slots=True)
class Run:
    """One run."""

    build: str
    correlators: int
    events: int
    seconds: float
    client: float  # seconds of CPU
    database: float
    digest: str

    @property
    def cost(self) -> float:
        """Microseconds of the correlators' CPU an event."""
        return self.client / self.events * 1e6

    def __str__(self) -> str:
        """In words."""
        database = self.database / self.events * 1e6
        rate = self.events / self.seconds
        return (
            f"{self.build:4} {self.correlators} correlators: {self.cost:6.1f} + {database:5.1f} us CPU an event,"
            f" {rate:6,.0f} events/s, {self.events:,} events, digest {self.digest}"
        )


async def measured(build: str, tree: Path, url: str, bus: Path, directory: Path, correlators: int) -> Run:
    """Return what one run took."""
    await empty(url)
    copy = directory / "copy.db"
    for suffix in ("", "-wal", "-shm"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
        if (source := bus.with_name(bus.name + suffix)).exists():
            shutil.copy(source, copy.with_name(copy.name + suffix))
    _, _, pid, _ = await figures(url)
    data = directory / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    options = ["--data", str(data), "--bus", f"embedded://{copy}", "--store", url, "correlate", "--once"]
    burnt, own, start = database_cpu(pid), resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [str(tree / ".venv/bin/visabus"), *options]
    quiet = {"cwd": tree, "stderr": asyncio.subprocess.DEVNULL}
    processes = [await asyncio.create_subprocess_exec(*command, **quiet) for _ in range(correlators)]
    codes = [await process.wait() for process in processes]
    if any(codes):
        raise SystemExit(f"a correlator of {tree} failed")
    seconds, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    burnt = database_cpu(pid) - burnt
    connection = await asyncpg.connect(url)
    count = await connection.fetchval("SELECT sum(next)::int8 FROM position")
    digest = sha256()
    async with connection.transaction():
        async for row in connection.cursor("SELECT doc FROM person WHERE doc IS NOT NULL ORDER BY person"):
            digest.update(row[0] + b"\n")
    await connection.close()
    client = used.ru_utime + used.ru_stime - own.ru_utime - own.ru_stime
    return Run(build, correlators, count, seconds, client, burnt, digest.hexdigest()[:16])


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=Path, required=True, help="a checkout of the other build, with its .venv")
    parser.add_argument("--new", type=Path, default=Path(__file__).parents[2])
    parser.add_argument("--persons", type=int, default=3_000)
    parser.add_argument("--noise", type=float, default=1.0)
    parser.add_argument("--bus", type=Path, help="the file of an embedded bus that holds events")
    parser.add_argument("--correlators", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        bus = given.bus or filled(directory, given.persons, given.noise)
        (directory / "postgres").mkdir()
        url = start_postgres(directory / "postgres").replace("postgresql+asyncpg", "postgresql")
        builds = {"old": given.old.resolve(), "new": given.new.resolve()}
        try:
            for _ in range(given.rounds):
                for correlators in given.correlators:
                    for build, tree in builds.items():
                        runs.append(asyncio.run(measured(build, tree, url, bus, directory, correlators)))
                        print(runs[-1], flush=True)
        finally:
            stop_postgres(directory / "postgres")
    for correlators in given.correlators:
        costs, rates = (
            {
                build: statistics.median(
                    value(run) for run in runs if (run.build, run.correlators) == (build, correlators)
                )
                for build in builds
            }
            for value in (lambda run: run.cost, lambda run: run.events / run.seconds)
        )
        print(
            f"{correlators} correlators, medians: {costs['old']:.1f} -> {costs['new']:.1f} us CPU an event"
            f" ({costs['new'] / costs['old']:.2f}), {rates['old']:,.0f} -> {rates['new']:,.0f} events/s"
            f" ({rates['new'] / rates['old']:.2f})"
        )


if __name__ == "__main__":
    main()
