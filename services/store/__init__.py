"""The store: one contract, PostgreSQL and SQLite. `open_store(url)` migrates and opens it."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

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


def engine_of(url: str) -> AsyncEngine:
    """An engine for a store's address; `postgresql://` and `sqlite://` get their async drivers. Raises ValueError."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(
            "the store's address is not readable; postgresql://user@host/database or sqlite:///file"
        ) from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        # no JIT: it costs more than these statements take; no cached plans to go stale behind a pooler; and no table
        # read whole where there is an index: with statistics of yesterday thousands of keys look like most of a table
        settings = {
            "jit": "off",
            "enable_seqscan": "off",
            "application_name": "visabus",
            "idle_in_transaction_session_timeout": "60000",
        }
        return create_async_engine(
            parsed.set(drivername="postgresql+asyncpg"),
            pool_pre_ping=True,
            connect_args={"server_settings": settings, "timeout": 10, "command_timeout": 120},
        )
    if backend == "sqlite":
        engine = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"), connect_args={"timeout": 30})
        event.listen(engine.sync_engine, "connect", _durable)
        return engine
    raise ValueError(f"no store for {backend}; postgresql or sqlite")


def _durable(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by us, not guessed by the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "cache_size=-65536"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def open_store(url: str, *, migrate: bool = True) -> Store:
    """The store at an address, brought to the present layout first. Raises StoreDown, ValueError."""
    engine = engine_of(url)
    try:
        if engine.dialect.name == "sqlite" and engine.url.database:
            Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)
        if migrate:
            async with engine.connect() as connection:
                await connection.run_sync(_migrate)
    except (OSError, DBAPIError, sqlite3.Error) as error:
        await engine.dispose()
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
