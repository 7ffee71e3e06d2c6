"""Database engines of the store and the audit log, set up in one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bus.durable import make_closed, make_durable
from links.postgres import postgres
from links.sqlite import sqlite

DATABASE = (
    OSError,  # and so a time limit
    SQLAlchemyError,
    sqlite3.Error,  # SQLAlchemy leaves some of those of a connection that is being made as they are
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""Everything by which a database tells that something is wrong: a reader has nothing to lose, and waits for all."""
GONE = "the file is gone"
"""What a connection to a file says that was there before."""


def open_engine(
    url: str,
    what: str,
    *,
    server_settings: Mapping[str, str],
    connect_seconds: float,
    command_seconds: float,
    busy_seconds: float,
    pragmas: Mapping[str, int] | None = None,
) -> AsyncEngine:
    """Return an engine for an address; `postgresql://` and `sqlite://` get their async drivers.

    `busy_seconds` is how long SQLite waits for the lock of another process. No error of the engine quotes a value of a
    statement: those are of persons. Raises ValueError, which names `what`;
    Unusable where address and settings do not hold together, or a file that they name cannot be used.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError(f"{what}: no address; postgresql://user@host/database or sqlite:///file") from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        bare, said = postgres(parsed)
        arguments = {"timeout": connect_seconds, "command_timeout": command_seconds} | said
        arguments["server_settings"] = dict(server_settings) | said.get("server_settings", {})
        return create_async_engine(
            bare.set(drivername="postgresql+asyncpg"), pool_pre_ping=True, connect_args=arguments, hide_parameters=True
        )
    if backend != "sqlite":
        raise ValueError(f"{what}: neither postgresql nor sqlite but {backend}")
    address = sqlite(parsed.set(drivername="sqlite+aiosqlite"))
    engine = create_async_engine(address, connect_args={"timeout": busy_seconds}, hide_parameters=True)

    def connected(connection: Any, _record: object) -> None:
        make_durable(connection, **(pragmas or {}))

    event.listen(engine.sync_engine, "connect", connected)
    if engine.url.database not in (None, "", ":memory:"):
        _watch_file(engine, Path(str(engine.url.database)))
    return engine


def _watch_file(engine: AsyncEngine, path: Path) -> None:
    """Have connections made anew where another file stands at the path, and none where it is gone.

    A file that was removed, or replaced by a backup, can still be read and written: what goes there is lost.
    """
    met = False

    def standing() -> tuple[int, int] | None:
        try:
            status = path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def connecting(*_: object) -> None:
        if met and standing() is None:
            raise OperationalError("connect", None, sqlite3.OperationalError(GONE))

    def connected(_connection: object, record: Any) -> None:
        nonlocal met
        met = True
        record.info["file"] = standing()

    def checked_out(_connection: object, record: Any, _proxy: object) -> None:
        if record.info.get("file") != standing():
            raise DisconnectionError("another file stands at the path")

    event.listen(engine.sync_engine, "do_connect", connecting)
    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "checkout", checked_out)


def make_directory(engine: AsyncEngine) -> None:
    """Make the directory of a database that is a file, and the file, for their owner alone. Raises OSError."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        file = Path(engine.url.database)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_closed(file)
