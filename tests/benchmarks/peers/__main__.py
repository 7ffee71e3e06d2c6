"""The same keyed work by visabus and by its peers, in one run: `python -m tests.benchmarks.peers [--persons 5000]`.

The events of a simulated population wait on one topic of a real Apache Kafka, keyed by the first identifier of each.
Each peer reads them from the beginning and keeps one row for each key in PostgreSQL (how many events, the first and the
last moment), as its documentation would have it: Quix Streams by a stateful function and its own sink, Pathway by a
group and a snapshot, Flink SQL by one INSERT, Kafka Streams by an aggregate whose rows JDBC writes. visabus takes the
same events in by one whole correlator: identity, time lines, statuses and changes, which the peers leave out. Raw
consumption by aiokafka is the limit.

Each peer is installed with pinned versions into a folder of its own (`--home`, kept for the next run). Printed
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
from typing import Protocol
from urllib.parse import urlencode, urlsplit

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
from .cpu import Tree

HERE = Path(__file__).parent
TOPIC = "keyed-events"
PARTITIONS = 4
TABLE = "CREATE TABLE keyed (key text PRIMARY KEY, events bigint, first_at text, last_at text)"


class Peer(Protocol):
    """A peer: how it is installed, and the program that does the work."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    def command(self, home: Path) -> list[str]:
        """Install it under a directory unless it is there, and return how it is started. Raises CalledProcessError."""

    def address(self, url: str) -> str:
        """Return the database's address as the peer takes it."""


@dataclass(frozen=True)
class PythonPeer:
    """A peer of packages in an environment of its own."""

    name: str
    packages: tuple[str, ...]
    program: str

    def command(self, home: Path) -> list[str]:
        """Return its Python and its program."""
        python = home / self.name / "bin/python"
        if not (home / self.name / "done").exists():
            subprocess.run([sys.executable, "-m", "venv", home / self.name], check=True)
            quiet = ("--quiet", "--disable-pip-version-check")
            subprocess.run([python, "-m", "pip", "install", *quiet, *self.packages], check=True)
            (home / self.name / "done").touch()
        return [str(python), str(HERE / self.program)]

    def address(self, url: str) -> str:
        """Return it as it is."""
        return url


@dataclass(frozen=True)
class JavaPeer:
    """A peer of jars, which the pom beside its program names."""

    name: str
    options: tuple[str, ...] = ()

    def command(self, home: Path) -> list[str]:
        """Return the launch of its source."""
        jars, source = home / self.name / "jars", HERE / self.name
        if not (home / self.name / "done").exists():
            maven = ("mvn", "-q", "-B", "-f", source / "pom.xml", "dependency:copy-dependencies")
            subprocess.run([*maven, "-DincludeScope=runtime", f"-DoutputDirectory={jars}"], check=True)
            (home / self.name / "done").touch()
        return ["java", "-Xmx2g", *self.options, "-cp", f"{jars}/*", str(source / "App.java")]

    def address(self, url: str) -> str:
        """Return it in the form of JDBC."""
        at = urlsplit(url)
        return f"jdbc:postgresql://{at.hostname}:{at.port}{at.path}?{urlencode({'user': at.username})}"


PEERS: tuple[Peer, ...] = (
    PythonPeer("quix", ("quixstreams[postgresql]==3.28.1",), "quix_app.py"),
    PythonPeer("pathway", ("pathway==0.33.0",), "pathway_app.py"),
    JavaPeer("flink", ("--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.lang=ALL-UNNAMED")),
    JavaPeer("kafka_streams"),
)


@dataclass(frozen=True)
class Run:
    """What one run took."""

    seconds: float
    steady: float  # seconds from the first row on
    cpu: float  # seconds of the process, its children among them
    database: float


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


async def peer_run(command: list[str], plain: str, count: int, limit: float) -> Run | None:
    """A peer from its start until its rows count all events; None if that takes longer than the limit."""
    connection = await asyncpg.connect(plain)
    await connection.execute("DROP TABLE IF EXISTS keyed")
    await connection.execute(TABLE)
    _, _, pid, _ = await figures(plain)
    database, start, first = database_cpu(pid), time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        tree = Tree(process.pid)
        try:
            while (now := time.perf_counter()) - start < limit:
                done = await connection.fetchval("SELECT sum(events)::int8 FROM keyed") or 0
                first = first or (now if done else 0.0)
                if done >= count:
                    return Run(now - start, now - first, tree.sample(), database_cpu(pid) - database)
                if process.returncode is not None:
                    log.seek(0)
                    print(f"  ended with {process.returncode}: {log.read()[-600:].decode(errors='replace')}")
                    return None
                tree.sample()
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
    ready: dict[str, tuple[Peer, list[str]]] = {}
    for peer in PEERS:
        if peer.name not in given.peer:
            continue
        try:
            ready[peer.name] = peer, peer.command(given.home)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{peer.name}: cannot be installed here: {error}")
    brokers = kafka_local.start(directory / "kafka")
    (directory / "postgres").mkdir()
    plain = start_postgres(directory / "postgres").replace("postgresql+asyncpg", "postgresql")
    runs: dict[str, list[Run | None]] = {}
    try:
        await send(brokers, messages)
        print(f"{len(messages):,} events, {len({key for key, _ in messages}):,} keys, {PARTITIONS} partitions")
        for turn in range(given.runs):
            runs.setdefault("raw consumption", []).append(await consumed(brokers, len(messages)))
            for name, (peer, start) in ready.items():
                place = directory / f"{name}-{turn}"
                place.mkdir()
                command = [*start, brokers, TOPIC, peer.address(plain), str(place)]
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
