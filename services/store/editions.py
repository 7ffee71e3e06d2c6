"""Editions of a store: which one is live, and one that is built beside it.

A store's address names its *home*. The first edition stands there; a later one is a file beside it (`store-2.db`) or a
schema of the same database (`public_edition_2`). The table `edition` in the home says which is live, and one
transaction in the home makes another the live one: there is always exactly one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, inspect, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.engines import DATABASE
from services.store.contract import StoreDown
from services.store.errors import words_of
from services.store.tables import EDITION

FIRST = 1
PROGRESS = "progress"
"""Under this name what is noted of an edition has how far the process is that builds it."""
LIVE_LOCK = 0x76697364
"""Key of the advisory lock that every writer of the live edition shares, and that a switch has alone."""


class State(StrEnum):
    """What an edition is for."""

    BUILDING = "building"
    LIVE = "live"
    OLD = "old"
    DROPPED = "dropped"
    CARRIED = "carried"  # in the table of an edition itself, on SQLite: a switch wrote it, and may not have ended


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition."""

    number: int
    state: State
    fingerprint: str | None = None
    begun: int | None = None  # microseconds
    switched: int | None = None
    noted: Mapping[str, Any] | None = None


class Home:
    """The table of editions of one installation. Every call raises StoreDown."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def live(self) -> int:
        """Return the number of the live edition."""
        try:
            async with self.engine.connect() as connection:
                return await live_number(connection)
        except DATABASE as error:
            raise StoreDown(f"the store cannot be read: {words_of(error)}") from error

    async def all(self) -> list[Edition]:
        """Return all editions, the first one first."""
        try:
            async with self.engine.connect() as connection:
                if not await _has_table(connection):
                    return [Edition(FIRST, State.LIVE)]
                rows = await connection.execute(select(EDITION).order_by(EDITION.c.number))
                return [_edition(row) for row in rows]
        except DATABASE as error:
            raise StoreDown(f"the store cannot be read: {words_of(error)}") from error

    async def begin(self, fingerprint: str, at: int) -> Edition:
        """Return the edition that is being built; a new one, begun at a moment (microseconds), where none is."""
        async with self._writing() as connection:
            rows = await connection.execute(select(EDITION).where(EDITION.c.state == State.BUILDING))
            if (row := rows.first()) is not None:
                return _edition(row)
            last = (await connection.execute(select(func.max(EDITION.c.number)))).scalar()
            edition = Edition((last or FIRST) + 1, State.BUILDING, fingerprint, at)
            values = {"number": edition.number, "state": edition.state, "fingerprint": fingerprint, "begun": at}
            await connection.execute(insert(EDITION).values(values))
            await connection.commit()
            return edition

    async def mark(self, number: int, state: State) -> None:
        """Set the state of an edition that is not live and does not become so."""
        async with self._writing() as connection:
            condition = (EDITION.c.number == number) & (EDITION.c.state != State.LIVE)
            await connection.execute(update(EDITION).where(condition).values(state=state))
            await connection.commit()

    async def note(self, number: int, noted: Mapping[str, Any] | None) -> None:
        """Keep what the last comparison with an edition came to, beside how far it is."""
        async with self._writing() as connection:
            said = {name: value for name, value in (await _noted(connection, number)).items() if name == PROGRESS}
            await _note(connection, number, {**(noted or {}), **said} or None)

    async def report(self, number: int, progress: Mapping[str, Any]) -> None:
        """Keep how far the process is that builds an edition, beside what the last comparison came to."""
        async with self._writing() as connection:
            await _note(connection, number, {**await _noted(connection, number), PROGRESS: progress})

    async def forget(self, state: State) -> None:
        """Take away the rows of a state."""
        async with self._writing() as connection:
            await connection.execute(delete(EDITION).where(EDITION.c.state == state))
            await connection.commit()

    def _writing(self) -> _Writing:
        return _Writing(self.engine)


class _Writing:
    """A transaction of the home; its user commits."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._connection: AsyncConnection | None = None

    async def __aenter__(self) -> AsyncConnection:
        try:
            self._connection = connection = await self._engine.connect()
            if self._engine.dialect.name == "sqlite":
                await connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                await connection.execute(text("LOCK TABLE edition IN SHARE ROW EXCLUSIVE MODE"))
        except DATABASE as error:
            if self._connection is not None:
                await self._connection.close()
            raise StoreDown(f"the store cannot be written: {words_of(error)}") from error
        return connection

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._connection is not None:
            await self._connection.close()
        if isinstance(error, DATABASE):
            raise StoreDown(f"the store cannot be written: {words_of(error)}") from error


async def live_number(connection: AsyncConnection) -> int:
    """Return the number of the live edition, by a connection to the home."""
    if not await _has_table(connection):
        return FIRST
    query = select(EDITION.c.number).where(EDITION.c.state == State.LIVE)
    number = (await connection.execute(query)).scalar()
    return FIRST if number is None else int(number)


async def home_schema(connection: AsyncConnection) -> str | None:
    """Return the schema of the home; None on SQLite."""
    if connection.dialect.name == "sqlite":
        return None
    return str((await connection.execute(text("SELECT current_schema()"))).scalar())


def file_of(url: str, number: int) -> Path | None:
    """Return the file of an edition of a store that is one; None on PostgreSQL. Raises ValueError."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if parsed.database in (None, "", ":memory:"):
        raise ValueError("a store in memory has no other editions")
    home = Path(str(parsed.database))
    return home if number == FIRST else home.with_name(f"{home.stem}-{number}{home.suffix}")


def schema_of(home: str, number: int) -> str:
    """Return the schema of an edition on PostgreSQL."""
    return home if number == FIRST else f"{home}_edition_{number}"


async def _has_table(connection: AsyncConnection) -> bool:
    def asked(connected: Any) -> bool:
        return bool(inspect(connected).has_table(EDITION.name))

    return await connection.run_sync(asked)


async def _noted(connection: AsyncConnection, number: int) -> dict[str, Any]:
    noted = (await connection.execute(select(EDITION.c.noted).where(EDITION.c.number == number))).scalar()
    return {} if noted is None else dict(msgspec.json.decode(noted))


async def _note(connection: AsyncConnection, number: int, noted: Mapping[str, Any] | None) -> None:
    packed = None if noted is None else msgspec.json.encode(noted).decode()
    await connection.execute(update(EDITION).where(EDITION.c.number == number).values(noted=packed))
    await connection.commit()


def _edition(row: Any) -> Edition:
    noted = None if row.noted is None else msgspec.json.decode(row.noted)
    return Edition(row.number, State(row.state), row.fingerprint, row.begun, row.switched, noted)
