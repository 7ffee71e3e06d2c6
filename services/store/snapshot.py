"""What one look-up reads: one statement, so one committed state, in one turn of a thread or of the network."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncEngine

from services.domain.caps import Rank
from services.domain.coverage import coverage_of_joined
from services.domain.pools import Pool
from services.engines import DATABASE
from services.store.contract import Snapshot, StoreDown
from services.store.coverage import JOINED, JoinedRow, by_source, coverage_of_rows
from services.store.errors import words_of
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
WHERE {{confidential}} OR NOT EXISTS (SELECT 1 FROM open_pool WHERE open_pool.pool = pool.pool)
UNION ALL SELECT {_POOL}, NULL, NULL, open_pool.blob, NULL, NULL, NULL
FROM open_pool JOIN path ON open_pool.pool = path.pool WHERE NOT {{confidential}} AND open_pool.blob IS NOT NULL
UNION ALL SELECT {_CUTOFF}, NULL, NULL, NULL, key, cutoff_known, cutoff_claim FROM capped_key
WHERE {{confidential}} OR NOT EXISTS (SELECT 1 FROM open_capped_key WHERE open_capped_key.key = capped_key.key)
UNION ALL SELECT {_CUTOFF}, NULL, NULL, NULL, key, cutoff_known, cutoff_claim FROM open_capped_key
WHERE NOT {{confidential}} AND cutoff_known IS NOT NULL
UNION ALL SELECT {_KNOWN}, NULL, NULL, NULL, max({{known_column}}), NULL, NULL FROM position
"""  # noqa: S608 - numbers of our own
# an alias may be committed while its work waits: the whole path is read, so that no fact is missed
_NOW = f"{_READ} UNION ALL SELECT {_COVERAGE}, system, scope, stretches, NULL, NULL, NULL FROM coverage"  # noqa: S608
_THEN = (
    f"{_READ} UNION ALL SELECT {_COVERAGE_THEN}, system, scope, NULL, since, through, NULL"  # noqa: S608
    f" FROM ({JOINED.replace('{condition}', 'known <= {known}')}) AS joined"
)
_READERS = 4


def _statements(key: str, known: str) -> dict[tuple[bool, bool], str]:
    """By whether the past is asked for, and whether by who has the right to what is confidential."""
    return {
        (then, confidential): statement.format(
            key=key,
            known=known,
            confidential="true" if confidential else "false",
            known_column="known" if confidential else "open_known",
        )
        for then, statement in ((False, _NOW), (True, _THEN))
        for confidential in (False, True)
    }


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

    async def read(self, key: int, known_at: int | None, *, confidential: bool) -> Snapshot:
        """Return what a key leads to, with coverage as known at `known_at` (None: now). Raises StoreDown.

        Without the right to what is confidential the same steps are gone whether there is something confidential or
        nothing at all.
        """

    async def close(self) -> None:
        """Let go of the connections."""


class SqliteSnapshots:
    """Reads by threads with a connection each: a look-up costs one turn of a thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._address = f"file:{quote(path)}?mode=rw" if path != ":memory:" else path
        self._threads: ThreadPoolExecutor | None = None
        self._mine = threading.local()
        self._open: set[sqlite3.Connection] = set()
        self._statements = _statements("?", "?")

    async def read(self, key: int, known_at: int | None, *, confidential: bool) -> Snapshot:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="snapshot")
        loop = asyncio.get_running_loop()
        values = (key,) if known_at is None else (key, known_at)
        statement = self._statements[known_at is not None, confidential]
        return snapshot_of(await loop.run_in_executor(self._threads, self._rows, statement, values))

    def _rows(self, statement: str, values: tuple[int, ...]) -> list[Any]:
        try:
            return self._connection().execute(statement, values).fetchall()
        except (OSError, sqlite3.Error) as error:
            self._leave()
            raise StoreDown(f"the store cannot be read: {words_of(error)}") from error

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection to the file that stands at the path now: one that is gone can still be read."""
        standing = _standing(self._path)
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        if connection is not None and self._mine.file == standing:
            return connection
        self._leave()
        # none is made: the path may be empty. The driver closes a connection in any thread: none reads once all ended
        connection = sqlite3.connect(self._address, timeout=30, isolation_level=None, check_same_thread=False, uri=True)
        self._open.add(connection)
        self._mine.connection, self._mine.file = connection, standing
        connection.execute("PRAGMA query_only=ON")
        return connection

    def _leave(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._mine, "connection", None)
        self._mine.connection = None
        if connection is not None:
            self._open.discard(connection)
            connection.close()

    async def close(self) -> None:
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        while self._open:
            self._open.pop().close()
        self._threads = None


def _standing(path: str) -> tuple[int, int] | None:
    """Return which file stands at a path. Raises OSError where none does."""
    if path == ":memory:":
        return None
    status = os.stat(path)
    return status.st_dev, status.st_ino


class PostgresSnapshots:
    """Reads by the engine's connections, by asyncpg itself."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._statements = _statements("$1::bigint", "$2::bigint")

    async def read(self, key: int, known_at: int | None, *, confidential: bool) -> Snapshot:
        try:
            async with self._engine.connect() as held:
                raw = (await held.get_raw_connection()).driver_connection
                if raw is None:
                    raise StoreDown("the pool gave no connection")
                statement = self._statements[known_at is not None, confidential]
                return snapshot_of(await raw.fetch(statement, *((key,) if known_at is None else (key, known_at))))
        except DATABASE as error:
            raise StoreDown(f"the store cannot be read: {words_of(error)}") from error

    async def close(self) -> None:
        """The engine's owner disposes of it."""


def snapshots_of(engine: AsyncEngine) -> Snapshots:
    """Return the reader for an engine's database."""
    if engine.dialect.name == "sqlite":
        return SqliteSnapshots(engine.url.database or ":memory:")
    return PostgresSnapshots(engine)
