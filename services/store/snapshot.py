"""What one look-up reads: one statement, so one committed state, in one turn of a thread or of the network."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.domain.caps import Rank
from services.domain.coverage import coverage_of_joined
from services.domain.pools import Pool
from services.store.contract import Snapshot, StoreDown
from services.store.coverage import JOINED, JoinedRow, by_source, coverage_of_rows
from services.store.packing import unpack_pool

_POOL, _CUTOFF, _KNOWN, _COVERAGE, _COVERAGE_THEN = range(5)
_READ = f"""
WITH RECURSIVE path(pool) AS (
  SELECT pool FROM key WHERE key = {{key}}
  UNION SELECT alias.winner FROM alias JOIN path ON alias.loser = path.pool
)
SELECT {_POOL}, CAST(NULL AS TEXT), CAST(NULL AS TEXT), pool.blob,
  CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT)
FROM pool JOIN path ON pool.pool = path.pool
UNION ALL SELECT {_CUTOFF}, NULL, NULL, NULL, key, cutoff_known, cutoff_claim FROM capped_key
UNION ALL SELECT {_KNOWN}, NULL, NULL, NULL, max(known), NULL, NULL FROM position
"""  # noqa: S608 - numbers of our own
# an alias may be committed while its work waits: the whole path is read, so that no fact is missed
_NOW = f"{_READ} UNION ALL SELECT {_COVERAGE}, system, scope, stretches, NULL, NULL, NULL FROM coverage"  # noqa: S608
_THEN = (
    f"{_READ} UNION ALL SELECT {_COVERAGE_THEN}, system, scope, NULL, since, through, NULL"  # noqa: S608
    f" FROM ({JOINED.replace('{condition}', 'known <= {known}')}) AS joined"
)
_READERS = 4


def snapshot_of(rows: Iterable[Sequence[Any]]) -> Snapshot:
    """Return what the rows of the statement say."""
    pools: list[Pool] = []
    cutoffs: dict[int, Rank] = {}
    known: int | None = None
    joined: list[JoinedRow] = []
    stretches: list[tuple[str, str, int, int]] = []
    for part, system, scope, blob, one, two, three in rows:
        if part == _POOL:
            pools.append(unpack_pool(blob))
        elif part == _CUTOFF:
            cutoffs[one] = (two, three)
        elif part == _KNOWN:
            known = one or None
        elif part == _COVERAGE:
            joined.append(JoinedRow(system, scope, blob))
        else:
            stretches.append((system, scope, one, two))
    coverage = coverage_of_joined(by_source(stretches)) if stretches else coverage_of_rows(frozenset(joined))
    return Snapshot(pools, coverage, cutoffs, known)


class Snapshots(Protocol):
    """Reads snapshots."""

    async def read(self, key: int, known_at: int | None) -> Snapshot:
        """Return what a key leads to, with coverage as known at `known_at` (None: now). Raises StoreDown."""

    async def close(self) -> None:
        """Let go of the connections."""


class SqliteSnapshots:
    """Reads by threads with a connection each: a look-up costs one turn of a thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._threads: ThreadPoolExecutor | None = None
        self._mine = threading.local()
        self._open: set[sqlite3.Connection] = set()
        self._now = _NOW.format(key="?")
        self._then = _THEN.format(key="?", known="?")

    async def read(self, key: int, known_at: int | None) -> Snapshot:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="snapshot")
        loop = asyncio.get_running_loop()
        values = (key,) if known_at is None else (key, known_at)
        statement = self._now if known_at is None else self._then
        return snapshot_of(await loop.run_in_executor(self._threads, self._rows, statement, values))

    def _rows(self, statement: str, values: tuple[int, ...]) -> list[Any]:
        try:
            connection = getattr(self._mine, "connection", None)
            if connection is None:
                # the driver closes a connection in any thread: none reads once all threads have ended
                connection = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
                connection.execute("PRAGMA query_only=ON")
                self._open.add(connection)
                self._mine.connection = connection
            return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            self._mine.connection = None
            raise StoreDown(f"the store cannot be read: {type(error).__name__}") from error

    async def close(self) -> None:
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        while self._open:
            self._open.pop().close()
        self._threads = None


class PostgresSnapshots:
    """Reads by the engine's connections, by asyncpg itself."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._now = _NOW.format(key="$1::bigint")
        self._then = _THEN.format(key="$1::bigint", known="$2::bigint")

    async def read(self, key: int, known_at: int | None) -> Snapshot:
        try:
            async with self._engine.connect() as held:
                raw = (await held.get_raw_connection()).driver_connection
                if raw is None:
                    raise StoreDown("the pool gave no connection")
                if known_at is None:
                    return snapshot_of(await raw.fetch(self._now, key))
                return snapshot_of(await raw.fetch(self._then, key, known_at))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, SQLAlchemyError) as error:
            raise StoreDown(f"the store cannot be read: {type(error).__name__}") from error

    async def close(self) -> None:
        """The engine's owner disposes of it."""


def snapshots_of(engine: AsyncEngine) -> Snapshots:
    """Return the reader for an engine's database."""
    if engine.dialect.name == "sqlite":
        return SqliteSnapshots(engine.url.database or ":memory:")
    return PostgresSnapshots(engine)
