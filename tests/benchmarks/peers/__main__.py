"""The same keyed work by visabus and by its peers, in one run: `python -m tests.benchmarks.peers [--persons 5000]`.

The events of a simulated population wait on one topic of a real Apache Kafka, keyed by the first identifier of each.
Each peer reads them from the beginning and keeps one row for each key in PostgreSQL (how many events, the first and the
last moment), as its documentation would have it: Quix Streams by a stateful function and its own sink, Pathway by a
group and a snapshot, Flink SQL by one INSERT. visabus takes the same events in by one whole correlator: identity, time
lines, statuses and changes, which the peers leave out. Raw consumption by aiokafka is the limit.

Each peer is installed with pinned versions into an environment of its own (`--home`, kept for the next run). Printed
are medians of the runs, which are taken in turns: seconds from the start of the process and from its first row to the
last event, events a second of the second, and CPU of process and database an event. A peer that cannot be installed, or
has not come to its end in time, is said so.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

sys.path.insert(0, str(Path(__file__).parents[2]))

from servers import start_postgres, stop_postgres

from bus.embedded import EmbeddedBus
from schemas.topics import EVENT_TOPICS
from services import kafka_local

from ..correlators import VISABUS, filled
from ..store.__main__ import database_cpu, empty, figures

HERE = Path(__file__).parent
TOPIC = "keyed-events"
PARTITIONS = 4
TABLE = "CREATE TABLE keyed (key text PRIMARY KEY, events bigint, first_at text, last_at text)"
FLINK_JARS = (
    "org.apache.flink:flink-sql-connector-kafka:4.0.1-2.0",
    "org.apache.flink:flink-connector-jdbc-core:4.0.0-2.0",
    "org.apache.flink:flink-connector-jdbc-postgres:4.0.0-2.0",
    "org.postgresql:postgresql:42.7.7",
)


@dataclass(frozen=True)
class Peer:
    """A peer: how it is installed, and the program that does the work."""

    name: str
    packages: tuple[str, ...]
    program: str
    jars: tuple[str, ...] = ()


PEERS = (
    Peer("quix", ("quixstreams[postgresql]==3.28.1",), "quix_app.py"),
    Peer("pathway", ("pathway==0.33.0",), "pathway_app.py"),
    Peer("flink", ("apache-flink==2.3.0",), "flink_app.py", FLINK_JARS),
)


@dataclass(frozen=True)
class Run:
    """What one run took."""

    seconds: float
    steady: float  # seconds from the first row on
    cpu: float  # seconds of the process, its children among them
    database: float


def installed(peer: Peer, home: Path) -> tuple[Path, str]:
    """Return the peer's Python and the addresses of its jars. Raises CalledProcessError."""
    place = home / peer.name
    python = place / "bin/python"
    if not (place / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        subprocess.run([python, "-m", "pip", "install", *quiet, *peer.packages], check=True)
        for jar in peer.jars:
            copy = ("mvn", "-q", "-B", "dependency:copy", f"-Dartifact={jar}", f"-DoutputDirectory={place}/jars")
            subprocess.run(copy, check=True)
        (place / "done").touch()
    return python, ";".join(f"file://{jar}" for jar in sorted((place / "jars").glob("*.jar")))


async def keyed(bus: Path) -> list[tuple[bytes, bytes]]:
    """The events of an embedded bus: the first identifier of each as its key, and what the work needs of it beside."""
    opened, result = await EmbeddedBus.open(bus), []
    try:
        for topic in EVENT_TOPICS:
            async for delivery in opened.read(topic):
                event = orjson.loads(delivery.value or b"{}")
                numbers = event.get("subject", {}).get("identifiers")
                if numbers:
                    key = "/".join(str(part) for part in numbers[0].values())
                    result.append((key.encode(), orjson.dumps(event | {"key": key})))
    finally:
        await opened.close()
    return result


async def send(brokers: str, messages: list[tuple[bytes, bytes]]) -> None:
    """Put all on the topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=brokers, linger_ms=20) as producer:
        for key, value in messages:
            await producer.send(TOPIC, value, key)
        await producer.flush()


async def consumed(brokers: str, count: int) -> Run:
    """The limit: all messages read, nothing done."""
    start, before = time.perf_counter(), time.process_time()
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=brokers, auto_offset_reset="earliest") as consumer:
        while count > 0:
            count -= sum(map(len, (await consumer.getmany(timeout_ms=1000)).values()))
    seconds = time.perf_counter() - start
    return Run(seconds, seconds, time.process_time() - before, 0.0)


def cpu_of(process: int) -> float:
    """CPU seconds of a process and of those that it started and that run."""
    hertz, total, pending = os.sysconf("SC_CLK_TCK"), 0.0, [process]
    while pending:
        each = pending.pop()
        try:
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15])) / hertz
            for thread in Path(f"/proc/{each}/task").iterdir():
                pending += map(int, (thread / "children").read_text().split())
        except OSError:
            continue
    return total


async def peer_run(command: list[str], plain: str, count: int, limit: float) -> Run | None:
    """A peer from its start until its rows count all events; None if that takes longer than the limit."""
    connection = await asyncpg.connect(plain)
    await connection.execute("DROP TABLE IF EXISTS keyed")
    await connection.execute(TABLE)
    _, _, pid, _ = await figures(plain)
    database, start, first = database_cpu(pid), time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        try:
            while (now := time.perf_counter()) - start < limit:
                done = await connection.fetchval("SELECT sum(events)::int8 FROM keyed") or 0
                first = first or (now if done else 0.0)
                if done >= count:
                    return Run(now - start, now - first, cpu_of(process.pid), database_cpu(pid) - database)
                if process.returncode is not None:
                    log.seek(0)
                    print(f"  ended with {process.returncode}: {log.read()[-600:].decode(errors='replace')}")
                    return None
                await asyncio.sleep(0.1)
            return None
        finally:
            await ended(process)
            await connection.close()


async def ended(process: asyncio.subprocess.Process) -> None:
    """End a peer, in good order if it will."""
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


async def own_run(bus: Path, directory: Path, plain: str) -> Run:
    """One whole correlator over the same events, from an empty store until everything is resolved and told."""
    await empty(plain)
    copy = directory / "own.db"
    for suffix in ("", "-wal"):
        copy.with_name(copy.name + suffix).unlink(missing_ok=True)
        if (source := bus.with_name(bus.name + suffix)).exists():
            shutil.copy(source, copy.with_name(copy.name + suffix))
    _, _, pid, _ = await figures(plain)
    database, start = database_cpu(pid), time.perf_counter()
    options = ["--data", str(directory), "--bus", f"embedded://{copy}", "--store", plain]
    before = os.times()
    process = await asyncio.create_subprocess_exec(VISABUS, *options, "correlate", "--once")
    if await process.wait() != 0:
        raise SystemExit("the correlator failed")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    seconds = time.perf_counter() - start
    return Run(seconds, seconds, cpu, database_cpu(pid) - database)


async def compare(given: argparse.Namespace, directory: Path) -> None:
    """Run all in turns and print the medians."""
    bus = given.bus or filled(directory, given.persons, 1.0)
    messages = await keyed(bus)
    ready: dict[str, list[str]] = {}
    for peer in PEERS:
        if peer.name not in given.peer:
            continue
        try:
            python, jars = installed(peer, given.home)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{peer.name}: cannot be installed here: {error}")
            continue
        ready[peer.name] = [str(python), str(HERE / peer.program), jars]
    brokers = kafka_local.start(directory / "kafka")
    (directory / "postgres").mkdir()
    plain = start_postgres(directory / "postgres").replace("postgresql+asyncpg", "postgresql")
    runs: dict[str, list[Run | None]] = {}
    try:
        await send(brokers, messages)
        print(f"{len(messages):,} events, {len({key for key, _ in messages}):,} keys, {PARTITIONS} partitions")
        for turn in range(given.runs):
            runs.setdefault("raw consumption", []).append(await consumed(brokers, len(messages)))
            for name, (python, program, jars) in ready.items():
                place = directory / f"{name}-{turn}"
                place.mkdir()
                command = [python, program, brokers, TOPIC, plain, str(place), *([jars] if jars else [])]
                runs.setdefault(name, []).append(await peer_run(command, plain, len(messages), given.limit))
            runs.setdefault("visabus (whole)", []).append(await own_run(bus, directory, plain))
    finally:
        stop_postgres(directory / "postgres")
        kafka_local.stop(directory / "kafka")
    print(f"{'':16} {'seconds':>8} {'steady':>8} {'events/s':>9} {'us CPU':>7} {'us database':>12}")
    for name, each in runs.items():
        good = [run for run in each if run is not None]
        if not good:
            print(f"{name:16} not at its end within {given.limit:.0f} s")
            continue
        seconds, steady, cpu, database = (
            statistics.median(getattr(run, part) for run in good) for part in ("seconds", "steady", "cpu", "database")
        )
        count = len(messages)
        print(
            f"{name:16} {seconds:8.1f} {steady:8.1f} {count / max(steady, 0.1):9,.0f} {cpu / count * 1e6:7.0f} "
            f"{database / count * 1e6:12.0f}"
        )


def main() -> None:
    """Run the module's command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--persons", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds after which a peer is given up")
    parser.add_argument("--peer", nargs="+", default=[peer.name for peer in PEERS], help="only these")
    parser.add_argument("--bus", type=Path, help="the file of an embedded bus that holds events")
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "visabus-peers")
    given = parser.parse_args()
    given.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(compare(given, Path(name)))


if __name__ == "__main__":
    main()
