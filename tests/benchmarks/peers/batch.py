"""Identity and status in one batch, on Spark and by Splink with SQL: `python -m tests.benchmarks.peers.batch`.

A simulated population's events, with the usual mistakes, lie in one file of JSON lines. Splink with DuckDB's SQL
(`splink_app.py`, training included) reads it and writes persons and outcomes as Parquet; visabus rebuilds a whole store
in PostgreSQL from the same file (`--engine spark`, local[2]), starting included: every history with its time line, its
evidence and what was known when, ready for a correlator to go on from. Taken in turns; DuckDB's bare scan of the file
is the limit. Printed are the medians of seconds and CPU, and of both how right they are by the population's truth:
precision and recall over pairs of records of one person, and the share of stays whose outcome is the true one.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import comb
from pathlib import Path

import asyncpg
import orjson

sys.path.insert(0, str(Path(__file__).parents[2]))

from servers import start_postgres, stop_postgres

from bus.open import open_bus
from schemas.ids import handle
from schemas.topics import EVENT_TOPICS
from services.cli.population import noise_of, sources_of
from services.export import lines
from services.rebuild.target import begin
from services.simulator import Truth, simulate

from ..correlators import VISABUS
from ..store.__main__ import database_cpu, empty, figures
from .cpu import Tree

ROOT = Path(__file__).parents[3]
SEED = 3
SAMPLE_SECONDS = 0.05
Record = tuple[str, str]


@dataclass(frozen=True)
class Said:
    """What a program says: the person of each record, and the outcome of stays by their id."""

    homes: Mapping[Record, Hashable]
    outcomes: Mapping[str, str]


@dataclass(frozen=True)
class Cost:
    """What a run took, in seconds."""

    elapsed: float
    cpu: float
    database: float = 0.0


def peer(home: Path) -> Path:
    """Return the Python of an environment that has Splink, installed there unless it is."""
    place = home / "splink"
    if not (place / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        install = (place / "bin/python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt")
        subprocess.run([*install, f"{ROOT}[splink]"], check=True)
        (place / "done").touch()
    return place / "bin/python"


def population(directory: Path, persons: int, systems: str) -> tuple[Path, Truth]:
    """Return the bus of a population whose events were published, and its truth."""
    bus, kept = directory / "bus.db", directory / "population"
    command = [VISABUS, "--data", str(directory), "--bus", f"embedded://{bus}", "evaluate", "--json"]
    asked = ["--persons", str(persons), "--seed", str(SEED), "--noise", "1", "--systems", systems]
    subprocess.run([*command, *asked], check=True, stdout=subprocess.DEVNULL)
    sources = sources_of(systems)
    return bus, simulate(kept, persons=persons, seed=SEED, systems=sources, known=sources, noise=noise_of(1.0, None))


async def written(bus: Path, file: Path) -> int:
    """Write all events of a bus as lines, and return how many there are."""
    opened, count = await open_bus(f"embedded://{bus}"), 0
    try:
        with file.open("wb") as out:
            for topic in EVENT_TOPICS:
                async for delivery in opened.read(topic):
                    out.write((delivery.value or b"{}") + b"\n")
                    count += 1
    finally:
        await opened.close()
    return count


def run(command: Iterable[object]) -> Cost:
    """Run a program to its end and return what it and all that it started took. Raises SystemExit if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tree, cpu = Tree(process.pid), 0.0
    while process.poll() is None:
        cpu = tree.sample()
        time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        raise SystemExit(f"failed with {process.returncode}: {process.args!r}")
    return Cost(time.perf_counter() - start, cpu)


def scanned(python: Path, events: Path) -> Cost:
    """The limit: every line read and taken apart, nothing kept."""
    query = "import duckdb, sys; duckdb.execute('SELECT count(DISTINCT id) FROM read_json_auto(?)', [sys.argv[1]])"
    return run([python, "-c", query, events])


def by_splink(python: Path, events: Path, truth: Truth, directory: Path) -> tuple[Cost, Said]:
    """Splink and SQL, and what they say."""
    records, stays = directory / "records.parquet", directory / "stays.parquet"
    cost = run([python, Path(__file__).with_name("splink_app.py"), events, truth.as_of.date(), records, stays])
    listed = "import duckdb, json, sys; print(json.dumps(duckdb.read_parquet(sys.argv[1]).fetchall()))"
    rows = [
        orjson.loads(subprocess.run([python, "-c", listed, file], check=True, capture_output=True).stdout)
        for file in (records, stays)
    ]
    homes = {(system, record): person for system, record, person in rows[0]}
    return cost, Said(homes, {handle(system, record).hex(): outcome for system, record, outcome in rows[1]})


async def by_visabus(events: Path, truth: Truth, directory: Path, url: str) -> tuple[Cost, Said]:
    """A rebuild on Spark from the file, and what its view says."""
    await empty(url)
    connection = await asyncpg.connect(url)
    await connection.execute("DROP SCHEMA IF EXISTS public_edition_2 CASCADE")
    await connection.close()
    _, _, pid, _ = await figures(url)
    burnt = database_cpu(pid)
    given = (VISABUS, "--data", directory / "data", "--bus", f"embedded://{directory}/none.db", "--store", url)
    await asyncio.to_thread(run, [*given, "correlate", "--once"])  # an empty store beside which the new one is built
    rebuild = ("rebuild", "--engine", "spark", "--master", "local[2]", "--no-compare", "--json", "--events", events)
    cost = await asyncio.to_thread(run, [*given, *rebuild])
    database = database_cpu(pid) - burnt
    homes: dict[Record, Hashable] = {}
    outcomes: dict[str, str] = {}
    store = await (await begin(url)).open()
    try:
        async for line in lines(store.reads, as_of=int(truth.as_of.timestamp()), confidential=True):
            body = orjson.loads(line)
            if "person" in body:  # the first line has the coverage
                homes.update(dict.fromkeys(map(tuple, body["records"]), body["person"]))
                outcomes.update({each["stay"]: each["outcome"] for each in body["answers"]})
    finally:
        await store.close()
    return Cost(cost.elapsed, cost.cpu, database), Said(homes, outcomes)


def judged(said: Said, truth: Truth) -> str:
    """Return how right that is."""
    owners: dict[Record, int] = {}
    stays = right = 0
    for person in truth.persons():
        owners |= {(each.system, each.record): person.number for each in person.records}
        stays += len(person.stays)
        right += sum(said.outcomes.get(handle(stay.system, stay.record).hex()) == stay.outcome for stay in person.stays)
    known = [(owner, said.homes.get(record, record)) for record, owner in owners.items()]
    both, true, joined = (
        sum(comb(size, 2) for size in Counter(groups).values())
        for groups in (known, [owner for owner, _ in known], [home for _, home in known])
    )
    return f"precision {both / max(joined, 1):.5f}, recall {both / max(true, 1):.5f}, outcomes {right / stays:.5f}"


async def compare(given: argparse.Namespace, directory: Path, url: str) -> None:
    """Run all in turns and print the medians."""
    python = peer(given.home)
    bus, truth = population(directory, given.persons, given.systems)
    events = directory / "events.jsonl"
    count = await written(bus, events)
    print(f"{count:,} events of {given.persons:,} persons, {events.stat().st_size / 1e6:,.0f} MB", flush=True)
    costs: dict[str, list[Cost]] = {"scan": [], "splink + SQL": [], "visabus": []}
    verdicts: dict[str, str] = {}
    for _ in range(given.runs):
        costs["scan"].append(scanned(python, events))
        for name in ("splink + SQL", "visabus"):
            if name == "visabus":
                cost, said = await by_visabus(events, truth, directory, url)
            else:
                cost, said = by_splink(python, events, truth, directory)
            costs[name].append(cost)
            verdicts[name] = judged(said, truth)
    print(f"{'':14} {'seconds':>8} {'events/s':>9} {'CPU s':>7} {'database CPU s':>15}")
    for name, each in costs.items():
        elapsed, cpu, database = (
            statistics.median(getattr(cost, part) for cost in each) for part in ("elapsed", "cpu", "database")
        )
        print(f"{name:14} {elapsed:8.1f} {count / elapsed:9,.0f} {cpu:7.1f} {database:15.1f}  {verdicts.get(name, '')}")


def main() -> None:
    """Run the module's command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--systems", default="I94,CLAIMS3,APIS,SEVIS,IDENT")
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "visabus-peers")
    given = parser.parse_args()
    given.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "postgres").mkdir()
        url = start_postgres(Path(name) / "postgres").replace("postgresql+asyncpg", "postgresql")
        try:
            asyncio.run(compare(given, Path(name), url))
        finally:
            stop_postgres(Path(name) / "postgres")


if __name__ == "__main__":
    main()
