"""Sources of the common contract that are read whole each time: extracts as files, and a view."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from contracts.transports.test_snapshot import FORMAT, key_of, stage
from contracts.transports.world import World
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.core import Connection, Record
from adapters.fields import Fields
from adapters.transports.database_extract import DatabaseExtract
from adapters.transports.snapshot import InMemory, Snapshot


class Snapshots(World):
    """Files that hold all rows each. One comes with each new row; with all new ones together where they are large."""

    heap = 1_000  # each extract has all of them

    def __init__(self, folder: Path) -> None:
        self.folder, self.rows, self.number_of = folder, dict[int, int](), 0
        self.values: dict[str, bytes] = {}
        self.transport = stage()
        folder.mkdir()

    async def put(self, *numbers: int, size: int = 0) -> None:
        for several in [numbers] if size else [(number,) for number in numbers]:
            self.rows |= dict.fromkeys(several, size)
            self._drop()

    def _drop(self, more: bytes = b"") -> None:
        self.number_of += 1
        part = self.folder / ".part"
        with part.open("wb") as file:
            file.write(b"H|%d\n" % self.number_of)
            for number, size in self.rows.items():
                file.write(b"D|%d|%s|%d\n" % (number, b"x" * size, self.number_of))
            file.write(more + b"T|%d\n" % (len(self.rows) + more.count(b"\n")))
        part.rename(self.folder / f"e{self.number_of:05}.dat")

    async def again(self, number: int) -> None:
        self._drop()

    async def spoil(self) -> None:
        self._drop(b"D|no more\n")

    async def away(self) -> None:
        self.folder.rename(self.folder.with_name("elsewhere"))

    async def back(self) -> None:
        self.folder.with_name("elsewhere").rename(self.folder)

    def open(self) -> Connection:
        opened = self.transport.open(str(self.folder), replace(FORMAT, longest=2**18))
        opened.keep_in(InMemory(self.values, None))
        return opened

    def number(self, record: Record) -> int:
        return int(key_of(Fields(record.fields)))


class Extracts(World):
    """A view of a database that is read whole; what is wrong in a row is the mapping's to refuse."""

    together = True

    def __init__(self, url: str) -> None:
        self.url, self.engine = url, create_async_engine(url)
        self.values: dict[str, bytes] = {}
        inner = DatabaseExtract("item", ("id", "name"), every=0.0)
        self.transport = Snapshot(inner, key=_key, keep=("id",), few=1)

    async def make(self) -> None:
        text_of = "mediumtext" if self.engine.dialect.name == "mysql" else "text"
        await self._run(f"CREATE TABLE item (id varchar(20), name {text_of})")

    async def put(self, *numbers: int, size: int = 0) -> None:
        async with self.engine.begin() as connection:
            for number in numbers:
                row = {"id": str(number), "name": "x" * size}
                await connection.execute(text("INSERT INTO item VALUES (:id, :name)"), row)

    async def again(self, number: int) -> None:
        row = f"INSERT INTO item SELECT DISTINCT id, name FROM item WHERE id = '{number}'"
        await self._run(row)

    async def away(self) -> None:
        await self._run("ALTER TABLE item RENAME TO elsewhere")

    async def back(self) -> None:
        await self._run("ALTER TABLE elsewhere RENAME TO item")

    async def _run(self, statement: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement))

    def open(self) -> Connection:
        opened = self.transport.open(self.url, None)
        opened.keep_in(InMemory(self.values, None))
        return opened

    def number(self, record: Record) -> int:
        return int(_key(Fields(record.fields)))


def _key(row: Fields) -> str:
    if not (key := row.text("id")):
        raise ValueError("id is absent")
    return key
