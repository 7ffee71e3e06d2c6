"""A log in a file of SQLite, by a thread of its own: a commit costs one turn of it, and not one for each statement."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from bus.durable import make_closed, make_durable
from services.audit import limits
from services.audit.chain import Known, Sealed
from services.audit.rows import COLUMNS, AuditBroken, AuditDown, Entry, Row
from services.audit.tables import ELSEWHERE, SQLITE, sqlite_wrong

_NAMES = ", ".join(COLUMNS)
_INSERT = f"INSERT INTO audit ({_NAMES}) VALUES ({', '.join('?' for _ in COLUMNS)})"  # noqa: S608 - names of our own
_LAST = f"SELECT {_NAMES} FROM audit WHERE sequence IN (?, (SELECT max(sequence) FROM audit))"  # noqa: S608
_PAGE = 1_000
Made = TypeVar("Made")


class SqliteChain:
    """See `Chain`. `reading`: the file is opened for reading alone, and nothing is made."""

    def __init__(self, path: Path, known: Known, sealed: Sealed, *, reading: bool = False) -> None:
        self._path, self._known, self._sealed, self._reading = path, known, sealed, reading
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    async def prepare(self, first: Row) -> None:
        await self._run(lambda: self._prepare(first))

    async def append(self, entries: Sequence[Entry], *, keep: bool) -> None:
        await self._run(lambda: self._append(entries, keep))

    async def seals(self, sequences: Sequence[int]) -> dict[int, str]:
        return await self._run(lambda: self._seals(sequences))

    async def rows(self) -> AsyncGenerator[Row]:
        with closing(self._opened()) as connection:  # of its own: the writer goes on meanwhile
            cursor = connection.execute(f"SELECT {_NAMES} FROM audit ORDER BY sequence")  # noqa: S608
            while page := await asyncio.to_thread(cursor.fetchmany, _PAGE):
                for row in page:
                    yield Row(*row)

    async def wrong(self) -> list[str]:
        return await self._run(lambda: sqlite_wrong(self._connected()))

    async def close(self) -> None:
        if self._thread is not None:
            await asyncio.to_thread(self._thread.shutdown)
        if self._connection is not None:
            self._connection.close()
        self._thread = self._connection = None

    async def _run(self, work: Callable[[], Made]) -> Made:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _prepare(self, first: Row) -> None:
        """Make file and table if there are none; a file that stands is not touched but to look whether it is a log."""
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            make_closed(self._path)
        with self._transaction() as connection:
            columns = [row[1] for row in connection.execute("PRAGMA table_info(audit)")]
            if columns and columns != list(COLUMNS):
                raise AuditBroken(f"this is a log of another version: {ELSEWHERE}")
            if not columns:
                for statement in SQLITE:
                    connection.execute(statement)
                connection.execute(_INSERT, first.values())

    def _append(self, entries: Sequence[Entry], keep: bool) -> None:
        with self._transaction(keep=keep) as connection:
            last = self._known.behind(Row(*row) for row in connection.execute(_LAST, (self._known.sequence,)))
            rows = self._sealed(entries, *last)
            if connection.executemany(_INSERT, [row.values() for row in rows]).rowcount not in (-1, len(rows)):
                raise AuditBroken("rows that are written do not stay: something in the database takes them away")
        if not self._same_file():
            raise AuditDown("the file of the audit log was replaced while it was written")
        if keep and rows:
            last = rows[-1].sequence, rows[-1].hash
        self._known.take(*last)

    def _seals(self, sequences: Sequence[int]) -> dict[int, str]:
        marks = ", ".join("?" for _ in sequences)
        where = f"sequence IN ({marks}) OR sequence = (SELECT max(sequence) FROM audit)"  # noqa: S608 - of marks alone
        statement = f"SELECT sequence, hash FROM audit WHERE {where}"  # noqa: S608 - of marks alone
        self._same_file()
        return dict(self._connected().execute(statement, tuple(sequences)))

    @contextmanager
    def _transaction(self, *, keep: bool = True) -> Iterator[sqlite3.Connection]:
        self._same_file()
        connection = self._connected()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT" if keep else "ROLLBACK")
        except BaseException:
            # whatever state it is in, the next one begins on another connection
            self._leave()
            raise

    def _same_file(self) -> bool:
        """Leave a connection whose file is gone or another: what is written there nobody finds. Raises AuditDown."""
        if self._file is None:
            return True
        try:
            state = self._path.stat()
        except FileNotFoundError:
            self._leave()
            raise AuditDown("the file of the audit log is gone") from None
        if (state.st_dev, state.st_ino) == self._file:
            return True
        self._leave()
        return False

    def _connected(self) -> sqlite3.Connection:
        return self._connection or self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = self._opened()
        state = self._path.stat()
        self._connection, self._file = connection, (state.st_dev, state.st_ino)
        return connection

    def _opened(self) -> sqlite3.Connection:
        """A connection to the file as it stands: none is made."""
        busy = limits.DEADLINE * limits.BUSY_SHARE
        mode = "ro" if self._reading else "rw"
        address = f"file:{quote(str(self._path))}?mode={mode}"
        connection = sqlite3.connect(address, timeout=busy, isolation_level=None, check_same_thread=False, uri=True)
        if not self._reading:
            make_durable(connection)
        return connection

    def _leave(self) -> None:
        connection, self._connection, self._file = self._connection, None, None
        if connection is not None:
            connection.close()
