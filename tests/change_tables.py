"""A source with a change table, as its owner makes it by the SQL of `docs/change-table.md`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

PAGE = Path(__file__).parent.parent / "docs" / "change-table.md"
SQLITE = """
CREATE TABLE visabus_change (change_id INTEGER PRIMARY KEY AUTOINCREMENT, changed_at TEXT NOT NULL
  DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')), table_name TEXT NOT NULL, op TEXT NOT NULL, row_key TEXT NOT NULL,
  before TEXT, after TEXT)
--
CREATE TABLE visabus_change_purged (through INTEGER NOT NULL)
--
CREATE TRIGGER i AFTER INSERT ON item BEGIN INSERT INTO visabus_change (table_name, op, row_key, after)
  VALUES ('item', 'c', json_object('id', NEW.id), json_object('id', NEW.id, 'name', NEW.name, 'born', NEW.born)); END
--
CREATE TRIGGER u AFTER UPDATE ON item BEGIN INSERT INTO visabus_change (table_name, op, row_key, after)
  VALUES ('item', 'u', json_object('id', NEW.id), json_object('id', NEW.id, 'name', NEW.name, 'born', NEW.born)); END
--
CREATE TRIGGER d AFTER DELETE ON item BEGIN INSERT INTO visabus_change (table_name, op, row_key)
  VALUES ('item', 'd', json_object('id', OLD.id)); END
"""


def blocks(section: str) -> list[str]:
    """The SQL of a section of the page."""
    part = PAGE.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"```sql\n(.*?)```", part, re.DOTALL)


def statements(script: str) -> list[str]:
    """Statements of a script: each ends with a semicolon before an empty line or before the next that begins a line."""
    pieces = re.split(r";\n(?=\n|(?!END)[A-Z]|$)", script)
    return [piece.strip() for piece in pieces if piece.strip()]


class Owner:
    """The owner's side of a database with a table `item`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(url)
        self.kind = self.engine.dialect.name
        self.clocked = False

    async def make(self) -> None:
        """Tables and triggers, from the page."""
        await self.run("CREATE TABLE item (id bigint PRIMARY KEY, name varchar(40), born date)")
        if self.kind == "sqlite":
            await self.run(*(each.strip() for each in SQLITE.split("--")))
            return
        await self._script(*blocks("PostgreSQL" if self.kind == "postgresql" else "MariaDB")[:2])

    async def load(self) -> None:
        """The first load."""
        if self.kind == "sqlite":
            values = "json_object('id', id), json_object('id', id, 'name', name, 'born', born)"
            await self.run(
                f"INSERT INTO visabus_change (table_name, op, row_key, after) SELECT 'item', 'r', {values} FROM item"
            )
            return
        await self._script(blocks("PostgreSQL" if self.kind == "postgresql" else "MariaDB")[2])

    async def tick(self) -> None:
        """What the job of the clock does; the first call makes the clock."""
        kind = "PostgreSQL" if self.kind == "postgresql" else "MariaDB"
        made, ticked = blocks(kind)[3:5]
        if not self.clocked:
            await self._script(made)
            self.clocked = True
        if self.kind != "sqlite":
            await self._script(ticked)
            return
        await self.run(
            "UPDATE visabus_clock SET complete_since = complete_through,"
            " complete_through = strftime('%Y-%m-%dT%H:%M:%SZ')",
            "INSERT INTO visabus_change (table_name, op, row_key, after) SELECT 'visabus_clock', 'u', '{\"id\"\\: 1}',"
            " json_object('complete_since', complete_since, 'complete_through', complete_through) FROM visabus_clock",
        )

    async def _script(self, *scripts: str) -> None:
        """Scripts of the page, as a client of the database would run them."""
        autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        async with autocommit.connect() as connection:
            for script in scripts:
                if self.kind == "postgresql":
                    driver: Any = (await connection.get_raw_connection()).driver_connection
                    await driver.execute(script)
                    continue
                for each in statements(script):
                    await connection.execute(text(each))

    async def run(self, *several: str) -> None:
        """Statements in one transaction."""
        async with self.engine.begin() as connection:
            for each in several:
                await connection.execute(text(each))

    async def begin(self, *several: str) -> AsyncConnection:
        """Statements in a transaction that stays open."""
        connection = await self.engine.connect()
        for each in several:
            await connection.execute(text(each))
        return connection

    async def put(self, number: int, name: str = "A", born: str = "2025-01-02") -> None:
        """A row."""
        await self.run(insert(number, name, born))


def insert(number: int, name: str = "A", born: str = "2025-01-02") -> str:
    """SQL that puts a row."""
    return f"INSERT INTO item VALUES ({number}, '{name}', '{born}')"


def decoded(fields: dict[str, Any]) -> tuple[str, int, Any]:
    """Operation, key and name of a record."""
    return fields["op"], fields["id"], fields.get("name")
