"""The store: one contract, PostgreSQL and SQLite. `open_store(url)` migrates and opens it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from links.reasons import Unusable, failure_of
from services.engines import DATABASE, make_directory, open_engine
from services.store import postgres, sqlite
from services.store.contract import StoreDown
from services.store.editions import FIRST, Home, State, file_of, home_schema, live_number, schema_of
from services.store.reads import SqlReads
from services.store.writer import Writer

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATING = 0x76697360


@dataclass(frozen=True, slots=True)
class Store:
    """An open edition of a store: the live one, where no other was asked for."""

    engine: AsyncEngine
    reads: SqlReads
    writer: Writer
    home: Home
    edition: int = FIRST

    async def close(self) -> None:
        """Let go of all connections."""
        await self.reads.close()
        await self.engine.dispose()
        if self.home.engine is not self.engine:
            await self.home.engine.dispose()


_SERVER_SETTINGS = {
    # no JIT: it costs more than these statements take; no cached plans to go stale behind a pooler; and no table
    # read whole where there is an index: with statistics of yesterday thousands of keys look like most of a table
    "jit": "off",
    "enable_seqscan": "off",
    "application_name": "visabus",
    "idle_in_transaction_session_timeout": "60000",
}


def _engine(url: str, schema: str | None = None) -> AsyncEngine:
    there = {} if schema is None else {"search_path": '"{}"'.format(schema.replace('"', '""'))}
    return open_engine(
        url,
        "the store",
        server_settings=_SERVER_SETTINGS | there,
        connect_seconds=10,
        command_seconds=120,
        busy_seconds=30,
        pragmas={"busy_timeout": 30_000, "cache_size": -65_536},
    )


async def open_store(url: str, *, migrate: bool = True, edition: int | None = None) -> Store:
    """The store at an address, brought to the present layout first: its live edition, or the one of a number.

    Raises StoreDown, ValueError.
    """
    home = _opened(url)
    try:
        make_directory(home)
        async with home.connect() as connection:
            schema = await home_schema(connection)
            number = await live_number(connection) if edition is None else edition
            if number == FIRST and migrate:
                await _migrated(connection)
            if number != FIRST:
                await _stands(connection, url, schema, number)
        engine = home
        if number != FIRST:
            engine = _opened(*_place(url, schema, number))
            if migrate:
                async with engine.connect() as connection:
                    await _migrated(connection)
    except DATABASE as error:
        await home.dispose()
        if (failure := failure_of(error)) is not None:
            where = f"the store at {home.url!r} cannot be opened: {failure}"
            raise StoreDown(where, code=failure.reason, final=failure.reason.final) from error
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreDown(f"the store at {home.url!r} cannot be opened: {cause}") from error
    except BaseException:
        await home.dispose()
        raise
    editions = Home(home)
    state = State.LIVE if edition is None else State.BUILDING
    writer: Writer
    silent = state is State.BUILDING
    if schema is not None:
        writer = postgres.PostgresWriter(engine, postgres.fence_of(schema, number, state), number, silent=silent)
    else:
        writer = sqlite.SqliteWriter(engine, sqlite.fence_of(editions, number, state), silent=silent)
    return Store(engine, SqlReads(engine), writer, editions, number)


def _opened(url: str, schema: str | None = None) -> AsyncEngine:
    try:
        return _engine(url, schema)
    except Unusable as error:
        raise StoreDown(f"the store: {error}", code=error.failure.reason, final=True) from None


def _place(url: str, home: str | None, number: int) -> tuple[str, str | None]:
    """The address of an edition, and its schema."""
    if home is not None:
        return url, schema_of(home, number)
    return make_url(url).set(database=str(file_of(url, number))).render_as_string(hide_password=False), None


async def _stands(connection: AsyncConnection, url: str, home: str | None, number: int) -> None:
    """Raises StoreDown where an edition is not there: to open it would make an empty one."""
    if home is None:
        file = file_of(url, number)
        if file is not None and not file.exists():
            raise StoreDown(f"edition {number} of the store is gone: there is no {file}")
        return
    schema = schema_of(home, number)
    if (
        await connection.execute(text("SELECT to_regnamespace(quote_ident(:name))"), {"name": schema})
    ).scalar() is None:
        raise StoreDown(f"edition {number} of the store is gone: there is no schema {schema}")


_alone: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def _migrated(connection: AsyncConnection) -> None:
    """Migrate, one task at a time: alembic keeps what it works on in its module, and a wait lets another task in."""
    async with _alone.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        await connection.run_sync(_migrate)


def _migrate(connection: Connection) -> None:
    """Several processes may start at once: one migrates, the others wait and find it done."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every start that there was nothing to do
    from alembic import command  # takes a while, and most commands open no store
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
    else:
        connection.execute(text("BEGIN IMMEDIATE"))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
