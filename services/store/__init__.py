"""The store: one contract, PostgreSQL and SQLite. `open_store(url)` migrates and opens it."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from links.reasons import Unusable, failure_of
from services.engines import make_directory, open_engine
from services.store.contract import StoreDown
from services.store.postgres import PostgresWriter
from services.store.reads import SqlReads
from services.store.sqlite import SqliteWriter
from services.store.writer import Writer

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATING = 0x76697360


@dataclass(frozen=True, slots=True)
class Store:
    """An open store."""

    engine: AsyncEngine
    reads: SqlReads
    writer: Writer

    async def close(self) -> None:
        """Let go of all connections."""
        await self.reads.close()
        await self.engine.dispose()


_SERVER_SETTINGS = {
    # no JIT: it costs more than these statements take; no cached plans to go stale behind a pooler; and no table
    # read whole where there is an index: with statistics of yesterday thousands of keys look like most of a table
    "jit": "off",
    "enable_seqscan": "off",
    "application_name": "visabus",
    "idle_in_transaction_session_timeout": "60000",
}


def _engine(url: str) -> AsyncEngine:
    return open_engine(
        url,
        "the store",
        server_settings=_SERVER_SETTINGS,
        connect_seconds=10,
        command_seconds=120,
        busy_seconds=30,
        pragmas={"busy_timeout": 30_000, "cache_size": -65_536},
    )


async def open_store(url: str, *, migrate: bool = True) -> Store:
    """The store at an address, brought to the present layout first. Raises StoreDown, ValueError."""
    try:
        engine = _engine(url)
    except Unusable as error:
        raise StoreDown(f"the store: {error}", code=error.failure.reason, final=True) from None
    try:
        make_directory(engine)
        if migrate:
            async with engine.connect() as connection:
                await connection.run_sync(_migrate)
    except (OSError, DBAPIError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        await engine.dispose()
        if (failure := failure_of(error)) is not None:
            where = f"the store at {engine.url!r} cannot be opened: {failure}"
            raise StoreDown(where, code=failure.reason, final=failure.reason.final) from error
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise StoreDown(f"the store at {engine.url!r} cannot be opened: {cause}") from error
    writer: Writer = PostgresWriter(engine) if engine.dialect.name == "postgresql" else SqliteWriter(engine)
    return Store(engine, SqlReads(engine), writer)


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
