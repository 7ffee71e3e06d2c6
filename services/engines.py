"""Database engines of the store and the audit log, set up in one place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bus.durable import make_closed, make_durable
from links.postgres import postgres
from links.sqlite import sqlite


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

    `busy_seconds` is how long SQLite waits for the lock of another process. Raises ValueError, which names `what`;
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
            bare.set(drivername="postgresql+asyncpg"), pool_pre_ping=True, connect_args=arguments
        )
    if backend != "sqlite":
        raise ValueError(f"{what}: neither postgresql nor sqlite but {backend}")
    address = sqlite(parsed.set(drivername="sqlite+aiosqlite"))
    engine = create_async_engine(address, connect_args={"timeout": busy_seconds})

    def connected(connection: Any, _record: object) -> None:
        make_durable(connection, **(pragmas or {}))

    event.listen(engine.sync_engine, "connect", connected)
    return engine


def make_directory(engine: AsyncEngine) -> None:
    """Make the directory of a database that is a file, and the file, for their owner alone. Raises OSError."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        file = Path(engine.url.database)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_closed(file)
