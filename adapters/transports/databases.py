"""Databases of others by SQLAlchemy: PostgreSQL, MariaDB, SQLite. Values come as JSON has them, whatever the driver.

No column is reflected: a reflected type cuts a DOUBLE of MariaDB and wraps a TIME at 24 hours. What a driver gives for
the plain statement is exact, and is spelled here. All times of a MariaDB connection are UTC, its own and those bound.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from adapters.core import Credentials, SourceDown
from adapters.transports.rows import iso
from links.reasons import Reason, Unusable, failure_of
from links.sqlite import sqlite

_OF_DRIVERS = {
    "asyncpg": ("PostgresError", "InterfaceError", "InternalClientError"),
    "aiomysql": ("MySQLError", "Warning"),
}


def outages() -> tuple[type[BaseException], ...]:
    """What a database that is away raises.

    SQLAlchemy wraps what a statement raises, but not all of what a driver raises when it connects. A driver that no
    address has needed in this process raises nothing, and is not read for it.
    """
    drivers = [(sys.modules[name], errors) for name, errors in _OF_DRIVERS.items() if name in sys.modules]
    own = [getattr(driver, error) for driver, errors in drivers for error in errors]
    return (SQLAlchemyError, OSError, TimeoutError, Unusable, *own)


_CONNECT_SECONDS = 10
_DRIVERS = {
    "postgresql": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "mariadb": "mariadb+aiomysql",
    "mysql": "mysql+aiomysql",
}


def open_engine(url: str, credentials: Credentials | None = None) -> tuple[AsyncEngine, str]:
    """The database at a URL as SQLAlchemy has it, and the URL without its password.

    `postgresql://`, `mariadb://`, `mysql://` and `sqlite://` get their async drivers. Raises SourceDown for a URL that
    is none.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in _DRIVERS:
            parsed = parsed.set(drivername=_DRIVERS[parsed.drivername])
        if credentials is not None:
            parsed = parsed.set(username=credentials.user, password=credentials.secret)
        parsed, arguments = _by_dialect(parsed)
        # one connection for the transport's life: the source is somebody else's
        engine = create_async_engine(
            _read_only(parsed),
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            hide_parameters=True,
            connect_args=arguments,
        )
    except Unusable as error:
        raise SourceDown.by("the address cannot be used", error.failure) from None
    except (SQLAlchemyError, ImportError) as error:
        raise SourceDown(
            f"the address cannot be used: {type(error).__name__}: postgresql://, mariadb://, mysql:// or"
            " sqlite+aiosqlite:////absolute/path expected"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _read_any_text)
        event.listen(engine.sync_engine, "connect", _write_nothing)
    if engine.dialect.driver == "asyncpg":
        event.listen(engine.sync_engine, "connect", _read_any_date)
    if engine.dialect.driver == "aiomysql":
        event.listen(engine.sync_engine, "connect", _in_utc)
    return engine, parsed.render_as_string(hide_password=True)


def _by_dialect(url: URL) -> tuple[URL, dict[str, Any]]:
    """The address, and what it says about TLS and the like as arguments of the driver. Raises Unusable."""
    backend = url.get_backend_name()
    if backend == "postgresql":
        from links.postgres import postgres

        bare, arguments = postgres(url)
        return bare, {"timeout": _CONNECT_SECONDS} | arguments
    if backend in ("mariadb", "mysql"):
        from links.mariadb import mariadb

        bare, arguments = mariadb(url)
        return bare, {"connect_timeout": _CONNECT_SECONDS} | arguments
    return (sqlite(url) if backend == "sqlite" else url), {}


def is_mariadb(engine: AsyncEngine) -> bool:
    """Whether it speaks as MariaDB and MySQL do."""
    return engine.dialect.name in ("mariadb", "mysql")


@asynccontextmanager
async def reading(engine: AsyncEngine, timeout: float, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
    """A connection that cannot write, in a transaction that ends with it.

    With `snapshot` all that is read in it is as it was at one moment.
    """
    async with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            level = "ISOLATION LEVEL REPEATABLE READ " if snapshot else ""
            await connection.execute(text(f"SET TRANSACTION {level}READ ONLY"))
            await connection.execute(text(f"SET LOCAL statement_timeout = {int(timeout * 1000)}"))
        elif is_mariadb(engine):
            await connection.execute(text(f"SET SESSION max_statement_time = {timeout}"))
            consistent = "WITH CONSISTENT SNAPSHOT, " if snapshot else ""
            await connection.execute(text(f"START TRANSACTION {consistent}READ ONLY"))
        yield connection  # what leaves it open is rolled back as the connection goes back to its pool


def down(address: str, error: BaseException) -> SourceDown:
    """What a database's error means, in words, without what was asked."""
    failure = failure_of(error)
    if failure is not None and failure.reason is not Reason.ABSENT:
        return SourceDown.by(address, failure)
    cause = getattr(error, "orig", None) or error
    if failure is not None:
        return SourceDown(f"{address}: {failure.reason}: {cause}", code=failure.reason)
    code = Reason.ABSENT if "no such table" in str(cause) else None  # SQLite has no code for it
    return SourceDown(f"{address}: {type(cause).__name__}: {cause}", code=code)


def plain(value: Any) -> Any:
    """A driver's value as JSON has it."""
    if type(value) is str and value.isascii():  # nearly all
        return value
    if isinstance(value, datetime):
        return iso(value if value.tzinfo is not None else value.replace(tzinfo=UTC))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _time(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, bytes):
        return "hex " + value.hex()
    return str(value).encode("utf-8", "replace").decode()


def _time(value: timedelta) -> str:
    """A TIME of MariaDB: from -838:59:59 to 838:59:59, so no time of day."""
    whole = abs(value)
    seconds = whole.days * 86_400 + whole.seconds
    spelled = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    fraction = f".{whole.microseconds:06}" if whole.microseconds else ""
    return f"{'-' if value < timedelta() else ''}{spelled}{fraction}"


def _read_only(url: URL) -> URL:
    """A SQLite file is opened as it is, never made."""
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith("file:"):
        return url.set(database=f"file:{url.database}", query={**url.query, "mode": "ro", "uri": "true"})
    return url


def _read_any_text(connection: Any, _: object) -> None:
    """SQLite keeps text as it came; one value that is no UTF-8 must not stop the poll."""
    connection.driver_connection.text_factory = lambda data: data.decode("utf-8", "replace")


def _write_nothing(connection: Any, _: object) -> None:
    """Whatever is asked, and whatever an address says of it."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _in_utc(connection: Any, _: object) -> None:
    """TIMESTAMP columns and the clock of a MariaDB connection are those of its session's zone."""
    cursor = connection.cursor()
    cursor.execute("SET SESSION time_zone = '+00:00'")
    cursor.close()


def _read_any_date(connection: Any, _: object) -> None:
    """PostgreSQL has dates that Python has not: such a one stays text, and is its record's affair, not the page's."""

    async def set_codecs(driver: Any) -> None:
        await driver.execute("SET datestyle = 'ISO, YMD'")
        for name, read in (("date", date.fromisoformat), ("timestamp", _moment), ("timestamptz", _moment)):
            await driver.set_type_codec(
                name, schema="pg_catalog", encoder=str, decoder=partial(_or_text, read), format="text"
            )

    connection.run_async(set_codecs)


def _or_text(read: Callable[[str], Any], value: str) -> Any:
    try:
        return read(value)
    except ValueError:
        return value


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value)
