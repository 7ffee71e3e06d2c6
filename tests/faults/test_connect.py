"""Change capture whose Kafka Connect dies, is stopped and comes back mid-stream, over a source that crashes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import asyncpg
import connect_local
import httpx
import pytest
from captured import of_postgres
from connect_local import JSON, Connect
from killing import wait_until
from servers import restart_postgres, start_postgres, stop_postgres
from toy_source import DAY, settings, world

from adapters.core import Feed, Mapped, Note, Origin, Record, System
from adapters.formats.debezium import DebeziumFormat, Table
from adapters.transports.kafka_topic import KafkaTopic
from bus.embedded import EmbeddedBus
from schemas.events import Fact, Revision, Status, Subject
from schemas.identifiers import Identifier, Scheme
from schemas.ids import digest, event_id
from schemas.moments import Moment
from services.ingest import Source, recorded, run
from services.wiring import topics

pytestmark = pytest.mark.slow

PORTION = 40
FORMAT = DebeziumFormat({"ITEM": Table({"id": "int"}, ("id",))})


def mapping(read: Record | Note, origin: Origin) -> Mapped:
    """An event for each row, at the revision that its place in the log of the database gives it."""
    number, position = int(str(read.fields["id"])), int(str(read.fields["position"]))
    content, record = digest(str(number).encode()), str(number)
    return Mapped(
        [
            Status(
                id=event_id("TOY", record, "", position, content, 1),
                system="TOY",
                record=record,
                place=read.place,
                part="",
                revision=Revision(number=position, digest=content),
                mapping_version=1,
                batch=origin.batch,
                occurred_at=Moment.instant(DAY + timedelta(minutes=number)),
                subject=Subject(identifiers=(Identifier(scheme=Scheme.FIN, value=f"{number:09d}", issuer="OBIM"),)),
                fact=Fact.ENCOUNTER,
            )
        ]
    )


class Capturing:
    """A source, and a Connect of the test's own that captures it."""

    def __init__(self, directory: Path, broker: str) -> None:
        self.source, self.worker, self.broker = directory / "source", directory / "worker", broker
        self.source.mkdir()
        self.url = start_postgres(self.source)
        self.config = of_postgres(self.url, r"public\.item", slot_drop_on_stop="false")
        self.name = self.config["topic.prefix"]
        self.written = 0

    async def sql(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.url.replace("+asyncpg", ""))
        try:
            for each in statements:
                await connection.execute(each)
        finally:
            await connection.close()

    async def write(self) -> None:
        """Put some more rows, each in a transaction of its own."""
        numbers = range(self.written + 1, self.written + PORTION + 1)
        await self.sql(*(f"INSERT INTO item VALUES ({number})" for number in numbers))
        self.written += PORTION

    def begin(self) -> None:
        """Start a worker, and give it the connector as it was: a standalone worker forgets it, and keeps its place."""
        self.at = Connect(connect_local.start(self.worker, self.broker))
        config = {key: str(value) for key, value in (JSON | self.config).items()}
        put = httpx.put(f"{self.at.url}/connectors/{self.name}/config", json=config, timeout=connect_local.PATIENCE)
        assert put.status_code == 201, put.text

    def killed(self) -> None:
        """The worker dies."""
        os.kill(int((self.worker / "pid").read_text()), signal.SIGKILL)

    def stopped(self) -> None:
        """The worker ends in good order."""
        connect_local.stop(self.worker)

    def crashed(self) -> None:
        """The source crashes and comes back; an operator starts the task again where it gave up."""
        restart_postgres(self.source)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            if self.at.state(self.name)[1] == "FAILED":
                restart = f"{self.at.url}/connectors/{self.name}/restart?includeTasks=true&onlyFailed=true"
                assert httpx.post(restart, timeout=connect_local.PATIENCE).status_code in (202, 204)
                return
            time.sleep(0.2)

    def close(self) -> None:
        connect_local.stop(self.worker)
        stop_postgres(self.source)


async def _read(bus: EmbeddedBus) -> set[int]:
    return {int(event.record) for event in (await world(bus)).events if isinstance(event, Status)}


@pytest.mark.law(
    2,
    "rows of a database captured by a Connect that is killed, stopped and started again mid-stream, "
    "over a PostgreSQL that crashes: none lost, none under two ids",
)
async def test_connect_goes_and_comes_back(
    tmp_path: Path, kafka: str, connect: Connect, tell: Callable[[str], None]
) -> None:
    """A Connect of the test's own; `connect` only says whether one can be run here."""
    assert connect.url
    capturing = await asyncio.to_thread(Capturing, tmp_path, kafka)
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    feed = Feed("changes", transport=KafkaTopic(timeout=15), format=FORMAT, mapping=mapping)
    system = System("TOY", "Toy", "nobody", 28, ("status",), ("fin",), 1, (feed,))
    stop = asyncio.Event()
    quick = settings(tmp_path, poll_seconds=0.2, retry_cap_seconds=0.5)
    source = Source(system, feed, f"kafka://{kafka}/{capturing.name}")
    reading = asyncio.create_task(run(quick, [source], stop=stop, bus=bus, clock=recorded))

    async def all_read() -> bool:
        assert not reading.done()
        return len(await _read(bus)) >= capturing.written

    async def some_read() -> bool:
        return len(await _read(bus)) > capturing.written - PORTION

    try:
        await capturing.sql("CREATE TABLE item (id int PRIMARY KEY)")
        await capturing.write()
        await asyncio.to_thread(capturing.begin)
        await wait_until(all_read, every=0.3, seconds=300)
        for fault in (capturing.killed, capturing.stopped, capturing.crashed):
            await capturing.write()
            await wait_until(some_read, every=0.1, seconds=300)  # it is in the middle of them, or just through
            await asyncio.to_thread(fault)
            await capturing.write()  # while it is away
            if fault != capturing.crashed:
                await asyncio.to_thread(capturing.begin)
            await wait_until(all_read, every=0.3, seconds=300)
    finally:
        stop.set()
        outcomes = await asyncio.gather(reading, return_exceptions=True)
        await asyncio.to_thread(capturing.close)
    events = (await world(bus)).events
    await bus.close()
    assert {int(each.record) for each in events if isinstance(each, Status)} == set(range(1, capturing.written + 1))
    assert len({each.id for each in events}) == capturing.written, "what Connect told twice has one id"
    tell(f"{capturing.written} rows, {len(events)} events, {outcomes}")
