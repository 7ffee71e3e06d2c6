"""Sources for the common contract of transports: each puts numbered records into a real source of its kind.

A world is all that a transport needs to be held by `test_common.py`: how its owner puts records there, how what is no
record comes among them, how the source goes away and comes back, and how it is opened.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from change_tables import Owner
from contracts.transports.service_worlds import Answers, Items, Pushed, Soap
from contracts.transports.test_database_poll import Source as ViewOwner
from contracts.transports.test_database_poll import at
from contracts.transports.test_sftp_drop import Lines
from contracts.transports.whole_worlds import Extracts, Snapshots
from contracts.transports.world import World
from foreign_kafka import ForeignTopic
from servers import fresh_database, fresh_mariadb
from sshd_local import Sshd
from systems.claims3.build import row

from adapters.core import Connection, Record
from adapters.formats.debezium import DebeziumFormat, Table
from adapters.formats.json_message import JsonMessage
from adapters.registry import systems
from adapters.transports.amqp_queue import AmqpQueue
from adapters.transports.change_table import ChangeTable
from adapters.transports.file_drop import FileDrop
from adapters.transports.kafka_topic import KafkaTopic
from adapters.transports.sftp_drop import SftpDrop

LARGE = 100_000
"""Bytes of a large record."""


class Files(World):
    """A directory; a file for each record."""

    def __init__(self, folder: Path) -> None:
        self.folder = self.part = folder
        self.folder.mkdir()

    async def put(self, *numbers: int, size: int = 0) -> None:
        for number in numbers:
            self._write(f"N{number:04}", b"%d %s\n" % (number, b"x" * size))

    def _write(self, name: str, data: bytes) -> None:
        part = self.folder / f".{name}"
        part.write_bytes(data)
        part.rename(self.folder / name)

    async def again(self, number: int) -> None:
        self._write(f"N{number:04}", (self.folder / f"N{number:04}").read_bytes())

    async def half(self, number: int) -> None:
        """Under another name until it is whole, as the page asks for."""
        self.part = self.folder / f".N{number:04}"
        self.part.write_bytes(b"%d" % number)

    async def rest(self) -> None:
        self._write(self.part.name[1:], self.part.read_bytes() + b" \n")

    async def spoil(self) -> None:
        self._write(f"N9{len(list(self.folder.iterdir())):04}", b"without an end")

    async def away(self) -> None:
        self.folder.rename(self.folder.with_name("elsewhere"))

    async def back(self) -> None:
        self.folder.with_name("elsewhere").rename(self.folder)

    def open(self) -> Connection:
        return FileDrop(pattern="N*", unchanged=0, patience=0).open(str(self.folder), Lines())

    def number(self, record: Record) -> int:
        return int(str(record.fields["text"]).split(" ")[0])


class RemoteFiles(Files):
    """The same on a real OpenSSH server."""

    def __init__(self, folder: Path, server: Sshd) -> None:
        super().__init__(folder)
        self.server = server

    def open(self) -> Connection:
        known: dict[str, Any] = {"known_hosts": str(self.server.known_hosts), "key": str(self.server.key)}
        drop = SftpDrop(pattern="N*", unchanged=0, patience=0, resolution=0, timeout=20, **known)
        return drop.open(self.server.url(self.folder), Lines())


class ChangedRows(World):
    """A change table."""

    format = DebeziumFormat({"ITEM": Table({"id": "bigint", "name": "varchar(40)", "born": "date"}, ("id",))})

    def __init__(self, url: str) -> None:
        self.owner = Owner(url)

    async def put(self, *numbers: int, size: int = 0) -> None:
        for number in numbers:
            await self.owner.put(number + 1, "A" * max(1, size))  # a key of 0 is none of Debezium

    async def spoil(self) -> None:
        values, after = "('item', 'c', '{}', 'nonsense')", "`after`" if self.owner.kind == "mysql" else "after"
        await self.owner.run(f"INSERT INTO visabus_change (table_name, op, row_key, {after}) VALUES {values}")

    async def away(self) -> None:
        await self.owner.run("ALTER TABLE visabus_change RENAME TO elsewhere")

    async def back(self) -> None:
        await self.owner.run("ALTER TABLE elsewhere RENAME TO visabus_change")

    def open(self) -> Connection:
        return ChangeTable(page=2).open(self.owner.url, self.format)

    def number(self, record: Record) -> int:
        return int(record.fields["id"]) - 1


class Rows(World):
    """A view with a time of last change; what is wrong in a row is the mapping's to refuse."""

    def __init__(self, url: str) -> None:
        self.owner = ViewOwner(url)
        feed = systems()["CLAIMS3"].feeds[0].configured({"page": 2})
        self.transport: Any = feed.transport
        postgres = self.owner.engine.dialect.name == "postgresql"
        self.view = self.transport.view if postgres else "benefit_action"  # there a view goes with its table

    async def put(self, *numbers: int, size: int = 0) -> None:
        for number in numbers:
            more = {"family_name": "X" * size} if size else {}
            await self.owner.put(row(action_id=number, last_update_ts=at(number), **more))

    async def again(self, number: int) -> None:
        await self.put(number)

    async def away(self) -> None:
        await self.owner.engine.dispose()
        await self._run(f"ALTER TABLE {self.view} RENAME TO elsewhere")

    async def back(self) -> None:
        await self._run(f"ALTER TABLE elsewhere RENAME TO {self.view}")

    async def _run(self, statement: str) -> None:
        from sqlalchemy import text

        async with self.owner.engine.begin() as connection:
            if self.owner.engine.dialect.name == "sqlite":
                await connection.execute(text("PRAGMA legacy_alter_table = ON"))
            await connection.execute(text(statement))

    def open(self) -> Connection:
        opened: Connection = self.transport.open(self.owner.url, None)
        return opened

    def number(self, record: Record) -> int:
        return int(record.fields["action_id"])


class Topic(World):
    """A topic of a real Kafka. Going away and back is held by a broker of its own in `test_kafka_topic.py`."""

    def __init__(self, server: str) -> None:
        self.topic = ForeignTopic(server)

    async def put(self, *numbers: int, size: int = 0) -> None:
        await self.topic.send(*(message(number, size) for number in numbers))

    async def spoil(self) -> None:
        await self.topic.send(b"\xff{")

    def open(self) -> Connection:
        return KafkaTopic(timeout=15, messages=2).open(self.topic.url, JsonMessage())

    def number(self, record: Record) -> int:
        return int(record.fields["n"])


class Relay:
    """What a source stands behind that can be cut: it passes bytes on, or does not."""

    def __init__(self, host: str, port: int) -> None:
        self.to, self.port = (host, port), 0
        self.server: asyncio.Server | None = None
        self.writers: set[asyncio.StreamWriter] = set()

    async def listen(self) -> None:
        self.server = await asyncio.start_server(self._met, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self.server is not None:
            self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self.to)
        self.writers |= {writer, back}
        await asyncio.gather(_pass(reader, back), _pass(there, writer))
        self.writers -= {writer, back}


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


class Queue(World):
    """A queue of a real RabbitMQ, behind a relay that can be cut."""

    def __init__(self, address: str) -> None:
        self.address = address
        host, _, port = address.rpartition("@")[2].partition("/")[0].partition(":")
        self.relay = Relay(host, int(port))
        self.queue = f"common-{uuid.uuid4().hex}"

    async def make(self) -> None:
        await self.relay.listen()
        async with await aio_pika.connect(self.address) as connection:
            await (await connection.channel()).declare_queue(self.queue, durable=True)

    async def put(self, *numbers: int, size: int = 0) -> None:
        await self._publish(*(message(number, size) for number in numbers))

    async def spoil(self) -> None:
        await self._publish(b"\xff{")

    async def _publish(self, *bodies: bytes) -> None:
        async with await aio_pika.connect(self.address) as connection:
            channel = await connection.channel()
            for body in bodies:
                await channel.default_exchange.publish(aio_pika.Message(body), routing_key=self.queue, timeout=20)

    async def again(self, number: int) -> None:
        await self.put(number)

    async def away(self) -> None:
        await self.relay.cut()

    async def back(self) -> None:
        await self.relay.listen()

    def open(self) -> Connection:
        head, _, place = self.address.partition("://")[2].rpartition("@")
        login = f"{head}@" if head else ""
        path = place.partition("/")[2]
        steps = f"{path}/{self.queue}" if path else self.queue
        return AmqpQueue(timeout=10).open(f"amqp://{login}127.0.0.1:{self.relay.port}/{steps}", JsonMessage())

    def number(self, record: Record) -> int:
        return int(record.fields["n"])


def message(number: int, size: int) -> bytes:
    """A record as JSON."""
    return json.dumps({"n": number, "text": "x" * size}).encode()


@asynccontextmanager
async def made(kind: str, fixture: Callable[[str], Any], folder: Path) -> AsyncIterator[World]:
    """A world of that kind, empty; `fixture` gives the servers that tests share."""
    what, _, server = kind.partition("-")
    async with AsyncExitStack() as stack:
        if server == "postgresql":
            url = await stack.enter_async_context(fresh_database(fixture("postgres_server")))
        elif server == "mariadb":
            url = await stack.enter_async_context(fresh_mariadb(fixture("mariadb_server")))
        else:
            url = f"sqlite+aiosqlite:///{folder / 'source.db'}"
        yield await _WORLDS[what](url, fixture, folder, stack)


Make = Callable[[str, Callable[[str], Any], Path, AsyncExitStack], Awaitable[World]]


async def _files(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    return Files(folder / "drop")


async def _sftp(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    return RemoteFiles(folder / "drop", fixture("server"))


async def _snapshots(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    return Snapshots(folder / "drop")


async def _changes(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    changed = ChangedRows(url)
    stack.push_async_callback(changed.owner.engine.dispose)
    await changed.owner.make()
    return changed


async def _rows(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    rows = Rows(url)
    stack.push_async_callback(rows.owner.engine.dispose)
    await rows.owner.make()
    return rows


async def _extracts(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    extracts = Extracts(url)
    stack.push_async_callback(extracts.engine.dispose)
    await extracts.make()
    return extracts


async def _topic(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    topic = Topic(fixture("kafka"))
    await topic.topic.create()
    return topic


async def _queue(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    queue = Queue(fixture("rabbitmq"))
    stack.push_async_callback(queue.relay.cut)
    await queue.make()
    return queue


async def _items(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    return await _service(Items(), stack)


async def _answers(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    return await _service(Answers(), stack)


async def _service(items: Items, stack: AsyncExitStack) -> World:
    await items.make()
    stack.push_async_callback(items.away)
    return items


async def _soap(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    soap = Soap()
    soap.start()
    stack.callback(soap.end)
    return soap


async def _push(url: str, fixture: Callable[[str], Any], folder: Path, stack: AsyncExitStack) -> World:
    pushed = Pushed(folder)
    await pushed.make()
    stack.push_async_callback(pushed.end)
    return pushed


_WORLDS: dict[str, Make] = {
    "files": _files,
    "sftp": _sftp,
    "snapshots": _snapshots,
    "extracts": _extracts,
    "changes": _changes,
    "rows": _rows,
    "items": _items,
    "answers": _answers,
    "soap": _soap,
    "push": _push,
    "topic": _topic,
    "queue": _queue,
}
_TOPIC = pytest.param("topic", marks=pytest.mark.kafka)
_QUEUE = pytest.param("queue", marks=pytest.mark.rabbitmq)
_SERVED = [
    pytest.param(f"{what}-{server}", marks=getattr(pytest.mark, mark))
    for server, mark in (("postgresql", "postgres"), ("mariadb", "mariadb"))
    for what in ("rows", "changes", "extracts")
]
_HERE = ["files", "sftp", "snapshots", "extracts", "changes", "rows", "items", "answers", "soap", "push"]
KINDS = [*_HERE, *_SERVED, _TOPIC, _QUEUE]
BY_ITSELF = [*_HERE, _TOPIC, _QUEUE]
"""Without those that differ from another by their database alone."""
LONG = [*BY_ITSELF, *(each for each in _SERVED if str(each.values[0]).startswith("extracts"))]
"""Kinds whose records may be long: in the other tables of servers columns are not."""
SPOILED = ["files", "sftp", "snapshots", "changes", "answers", "soap", "push", _TOPIC, _QUEUE]
"""Kinds in which what is no record can stand among the records."""
LEAVING = [*_HERE, *_SERVED, _QUEUE]
"""Kinds that go away and come back here."""
RESENT = ["files", "sftp", "snapshots", "extracts", "rows", "items", "answers", "soap", "push", _QUEUE]
"""Kinds whose owner may send again what was read; a change that is written twice, or a topic's message, is another."""
HALVES = ["files", "sftp", "items", "answers", "soap", "push"]
"""Kinds in which a part of a record can be met before the rest of it."""
