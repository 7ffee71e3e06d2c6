"""Accidents at random under load: bus and store lose what they had, while ingest and a correlator work.

One installation lives through several accidents, one after the other, while its files arrive. Both processes run as
tasks of this one and are started again when one ends with an error, as a supervisor does.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition
from sqlalchemy.engine import make_url

from bus import log_tables
from bus.contract import BusError
from bus.embedded import EmbeddedBus
from bus.open import open_bus
from schemas.topics import EVENT_TOPICS, PARTITIONS
from services.correlator import correlator, process
from services.correlator.process import caught_up
from services.export import lines
from services.feeds import ownership
from services.ingest import host, recorded, run, sources
from services.settings import Settings, load
from services.simulator import addresses, simulate
from services.store import open_store
from services.store.contract import StoreDown
from services.wiring import topics


def population(directory: Path, seed: int) -> Path:
    """A few persons' files of three systems."""
    simulate(directory, persons=25, seed=seed, years=1, systems={"I94", "APIS", "CLAIMS3"})
    return directory


@dataclass
class Installation:
    """Bus, store and sources of one world, and its processes."""

    directory: Path
    whole: Path  # the files that arrive
    bus: str
    store: str
    rng: Random
    restarts: int = 0
    errors: list[str] = field(default_factory=list)
    only: str = ""  # the one kind of accident; empty: any
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        arriving = self.directory / "in"
        self.files = [file for file in sorted(self.whole.rglob("*")) if file.is_file() and "truth" not in file.parts]
        feeds = {
            name: {"url": each["url"].replace(str(self.whole), str(arriving)), "options": each.get("options", {})}
            for name, each in addresses(self.whole).items()
        }
        for file in self.files:
            (arriving / file.relative_to(self.whole)).parent.mkdir(parents=True, exist_ok=True)
        self.settings: Settings = load(
            environment={},
            data_dir=self.directory / "data",
            bus_url=self.bus,
            store_url=self.store,
            feeds=feeds,
            deadlines={"bus_call": 5, "stop": 4},
            ingest={"fence_seconds": 0.2, "poll_seconds": 0.2, "retry_cap_seconds": 0.3, "chunk_records": 50},
        )
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)

    def arrive(self, count: int) -> None:
        """Have so many more files arrive."""
        for file in self.files[:count]:
            target = self.directory / "in" / file.relative_to(self.whole)
            shutil.copy2(file, target)
        del self.files[:count]

    async def supervised(self, step: Callable[[asyncio.Event], Awaitable[object]], stop: asyncio.Event) -> None:
        """Run a process, and start it again where it ends with an error, as a supervisor does; which is kept."""
        while not stop.is_set():
            own = asyncio.Event()  # a process may stop by itself
            passing = asyncio.create_task(passed_on(stop, own))
            try:
                await step(own)
            except Exception as error:  # whatever a process ends with: so does a supervisor
                self.restarts += 1
                self.errors.append(repr(error)[:300])
                await asyncio.sleep(0.2)
            finally:
                passing.cancel()

    async def correlating(self, stop: asyncio.Event) -> None:
        """A correlator."""
        await process.run(self.settings, once=False, stop=stop)

    async def ingesting(self, stop: asyncio.Event) -> None:
        """A host of all feeds. A feed that ended with an error starts anew with its host."""
        await run(self.settings, sources(self.settings), stop=stop, clock=recorded)

    async def read(self) -> None:
        """Run ingest to its end, as the command with `--once` does."""
        await run(self.settings, sources(self.settings), once=True, clock=recorded)

    async def finish(self) -> None:
        """Run both to their end, as the commands with `--once` do."""
        for _ in range(2):  # the first may say that something is gone, and what to do
            with suppress(BusError):
                await self.read()
                await process.run(self.settings, once=True, stop=asyncio.Event())
                return
        await process.run(self.settings, once=True, stop=asyncio.Event())

    async def digest(self) -> str:
        """Of the export."""
        store = await open_store(self.settings.store_url)
        try:
            return sha256(b"\n".join([line async for line in lines(store.reads)])).hexdigest()
        finally:
            await store.close()

    async def resolved(self) -> bool:
        """Whether a correlator has nothing left to do."""
        bus, store = await open_bus(self.bus), await open_store(self.settings.store_url)
        try:
            return await caught_up(bus, store)
        finally:
            await store.close()
            await bus.close()

    # --- accidents ---------------------------------------------------------------------------------------------------

    @property
    def bus_file(self) -> Path:
        """The log of an embedded bus."""
        return Path(self.bus.removeprefix("embedded://"))

    @property
    def store_file(self) -> Path:
        """The file of a store."""
        return Path(self.store.partition("///")[2])

    async def a_while(self) -> None:
        """Have some files arrive and be worked on."""
        self.arrive(self.rng.randint(5, 40))
        await asyncio.sleep(self.rng.uniform(0.1, 1.2))

    async def bus_restored(self) -> None:
        """The bus is put back to a backup from a while ago."""
        backup = self.directory / "bus.backup"
        await asyncio.to_thread(copied, self.bus_file, backup)
        await self.a_while()
        replaced(backup, self.bus_file)

    async def bus_made_anew(self) -> None:
        """The bus is thrown away, and made anew empty."""
        for file in self.bus_file.parent.glob(f"{self.bus_file.name}*"):
            file.unlink()
        bus = await EmbeddedBus.open(self.bus_file)
        await bus.declare(topics())
        await bus.close()

    async def store_restored(self) -> None:
        """The store is put back to a backup from a while ago."""
        backup = self.directory / "store.backup"
        await asyncio.to_thread(copied, self.store_file, backup)
        await self.a_while()
        replaced(backup, self.store_file)

    async def last_messages_lost(self) -> None:
        """The bus loses the last messages of some event topics, as by an unclean election."""
        await asyncio.to_thread(self._cut, self._somewhere, front=False)

    async def first_messages_lost(self) -> None:
        """The bus loses the first messages of some event topics, as by retention."""
        await asyncio.to_thread(self._cut, self._somewhere, front=True)

    async def last_half_lost(self) -> None:
        """The bus loses the last half of each partition of its event topics."""
        await asyncio.to_thread(self._cut, lambda end: end // 2, front=False)

    def _somewhere(self, end: int) -> int | None:
        """Where a partition is cut; None: it is left alone."""
        return None if self.rng.random() < 0.5 else self.rng.randrange(end)

    def _cut(self, at: Callable[[int], int | None], *, front: bool) -> None:
        with closing(sqlite3.connect(self.bus_file, timeout=10, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            for row, topic, end in connection.execute("SELECT id, topic, next FROM partitions").fetchall():
                if topic not in EVENT_TOPICS or not end or (position := at(end)) is None:
                    continue
                place = (row << log_tables.POSITION_BITS) + position
                limit = (row + 1) << log_tables.POSITION_BITS
                if front:
                    connection.execute(
                        "DELETE FROM messages WHERE place >= ? AND place < ?", (row << log_tables.POSITION_BITS, place)
                    )
                else:
                    connection.execute("DELETE FROM messages WHERE place >= ? AND place < ?", (place, limit))
                    connection.execute(
                        "UPDATE partitions SET next = ? WHERE id = ?", (place - (row << log_tables.POSITION_BITS), row)
                    )
            connection.execute("COMMIT")

    async def failed_over(self) -> None:
        """PostgreSQL fails over to a standby that lacks the last transactions."""
        name = str(make_url(self.store).database)
        await self._database(f"CREATE DATABASE {name}_standby TEMPLATE {name}")
        await self.a_while()
        await self._database(
            f"ALTER DATABASE {name} RENAME TO {name}_lost", f"ALTER DATABASE {name}_standby RENAME TO {name}"
        )
        await self._database(f"DROP DATABASE {name}_lost WITH (FORCE)")

    async def _database(self, *statements: str) -> None:
        name = make_url(self.store).database
        address = make_url(self.store).set(drivername="postgresql", database="postgres")
        connection = await asyncpg.connect(address.render_as_string(hide_password=False))
        try:
            for statement in statements:
                for _ in range(200):
                    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
                    await connection.execute("SELECT 1")
                    await connection.fetch(query, name)
                    try:
                        await connection.execute(statement)
                        break
                    except asyncpg.ObjectInUseError:
                        await asyncio.sleep(0.02)
                else:
                    raise TimeoutError(statement)
        finally:
            await connection.close()

    async def topics_made_anew(self) -> None:
        """Some event topics are deleted on Kafka and made anew; sometimes all topics are."""
        some = self.rng.sample(EVENT_TOPICS, self.rng.randint(1, 4))
        await self._made_anew(list(PARTITIONS) if self.rng.random() < 0.3 else some)

    async def empty_bus(self) -> None:
        """Have topics that hold nothing, whatever there was of worlds before."""
        bus = await open_bus(self.bus)
        try:
            await bus.declare(topics())
        finally:
            await bus.close()
        await self._made_anew(list(PARTITIONS))

    async def _made_anew(self, names: list[str]) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bus.removeprefix("kafka://"))
        await admin.start()
        try:
            await admin.delete_topics(names)
        finally:
            await admin.close()
        steady = 0
        for _ in range(100):  # the deletion goes on for a while: what is declared meanwhile may go with it
            bus = await open_bus(self.bus)
            try:
                await bus.declare(topics())
                await bus.ends(list(PARTITIONS))
                steady += 1
            except BusError:
                steady = 0
            finally:
                await bus.close()
            if steady == STEADY_LOOKS:
                return
            await asyncio.sleep(0.3)
        raise TimeoutError("topics")

    async def records_deleted(self) -> None:
        """The first records of some partitions are deleted on Kafka."""
        bus = await open_bus(self.bus)
        try:
            await bus.declare(topics())
            ends = await bus.ends(EVENT_TOPICS)
        finally:
            await bus.close()
        some = {part: end for part, end in ends.items() if end and self.rng.random() < 0.5}
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bus.removeprefix("kafka://"))
        await admin.start()
        try:
            if some:
                await admin.delete_records(
                    {TopicPartition(*part): RecordsToDelete(self.rng.randint(1, end)) for part, end in some.items()}
                )
        finally:
            await admin.close()

    def kinds(self) -> list[Callable[[], Awaitable[None]]]:
        """What may happen to such an installation."""
        kinds: list[Callable[[], Awaitable[None]]] = []
        if self.bus.startswith("embedded:"):
            kinds += [self.bus_restored, self.bus_made_anew, self.last_messages_lost, self.first_messages_lost]
        else:
            kinds += [self.topics_made_anew, self.records_deleted]
        kinds.append(self.failed_over if self.store.startswith("postgresql") else self.store_restored)
        return [kind for kind in kinds if self.only in ("", kind.__name__)]

    async def live(self, accidents: int, *, again: bool, seconds: float = 300) -> str:
        """Live through accidents. Return the digest: `again`, of processes that were ended and started anew."""
        stop = asyncio.Event()
        running = [asyncio.create_task(self.supervised(each, stop)) for each in (self.correlating, self.ingesting)]
        try:
            await self.a_while()
            for number in range(accidents):
                kinds = self.kinds()
                kind = kinds[self.rng.randrange(len(kinds))]
                await kind()
                self.done[kind.__name__] += 1
                if number + 1 < accidents:
                    await self.a_while()
            self.arrive(len(self.files))
            if not again:
                return await self._healed(seconds)
        finally:
            stop.set()
            await asyncio.gather(*running, return_exceptions=True)
        await self.finish()
        return await self.digest()

    async def _healed(self, seconds: float) -> str:
        """The digest once it has been the same for a while; what runs has to heal by itself."""
        seen, since = "", asyncio.get_running_loop().time()
        end = since + seconds
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(1)
            now = ""
            with suppress(BusError, StoreDown, OSError):
                now = await self.digest() if await self.resolved() else ""
            if now != seen:
                seen, since = now, asyncio.get_running_loop().time()
            elif seen and asyncio.get_running_loop().time() - since > STEADY_SECONDS:
                return seen
        return seen


async def passed_on(stop: asyncio.Event, own: asyncio.Event) -> None:
    """Have a process stop when all do."""
    await stop.wait()
    own.set()


STEADY_SECONDS = 8.0
STEADY_LOOKS = 5


def copied(file: Path, backup: Path) -> None:
    """A backup of a SQLite file that is in use."""
    backup.unlink(missing_ok=True)
    with closing(sqlite3.connect(file, timeout=20)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)


def replaced(backup: Path, file: Path) -> None:
    """Put the backup in the place of a file, under processes that run."""
    for each in file.parent.glob(f"{file.name}-*"):
        each.unlink()
    os.replace(backup, file)


def quick(monkeypatch_setattr: Callable[[object, str, object], None]) -> None:
    """Have processes look often whether bus and store still have what they had."""
    monkeypatch_setattr(host, "VERIFY_SECONDS", 0.5)
    monkeypatch_setattr(process, "VERIFY_SECONDS", 0.5)
    monkeypatch_setattr(correlator, "SILENT_SECONDS", 0.0)
    monkeypatch_setattr(ownership, "SILENT_SECONDS", 0.0)
