"""One SQLite file, spoken to from one thread per connection, with a deadline on every call."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from bus.contract import BusDown, BusError
from bus.durable import make_durable

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# Short, because SQLite's own wait grows to 100 ms a step and a fresh one asks more often: a fairer share of the lock.
_BUSY_TIMEOUT_MS = 50
# SQLite gives up inside the thread at the deadline; the event loop waits this much longer before it stops waiting.
_GRACE = 1.0


class SqliteFile:
    """A connection that lives in a thread of its own."""

    def __init__(self, path: Path, deadline: float) -> None:
        self._path = path
        self._deadline = deadline
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="visabus-log")
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None  # that the connection was made to
        self._closed = False
        self.replaced = 0
        """How often another file stood at the path than before."""

    async def read(self, work: Work[Result]) -> Result:
        """Run `work` on a consistent state of the file."""
        return await self._run(lambda limit: self._until(limit, lambda: work(self._connected())))

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction that is on the disk when this returns."""
        return await self._run(lambda limit: self._transaction(limit, work))

    async def close(self) -> None:
        """Close the connection, unless its thread does not answer in time."""
        if self._closed:
            return
        self._closed = True
        disconnected = asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)
        await asyncio.wait([disconnected], timeout=self._deadline)

    async def _run(self, job: Callable[[float], Result]) -> Result:
        if self._closed:
            raise BusError("the bus is closed")
        limit = time.monotonic() + self._deadline
        try:
            async with asyncio.timeout(self._deadline + _GRACE):
                return await asyncio.get_running_loop().run_in_executor(self._thread, job, limit)
        except TimeoutError as error:
            raise BusDown(f"{self._path} did not answer within {self._deadline} s") from error
        except sqlite3.DatabaseError as error:
            raise BusDown(f"{self._path}: {error}") from error

    def _transaction(self, limit: float, work: Work[Result]) -> Result:
        connection = self._until(limit, self._connected)
        self._until(limit, lambda: connection.execute("BEGIN IMMEDIATE"))
        try:
            result = work(connection)
            self._until(limit, lambda: connection.execute("COMMIT"))
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return result

    def _until(self, limit: float, attempt: Callable[[], Result]) -> Result:
        while True:
            try:
                return attempt()
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF in _BUSY
                if not busy or self._closed or time.monotonic() > limit:
                    raise

    def _connected(self) -> sqlite3.Connection:
        """The connection. Raises BusDown where the file is gone, or, once, where another one stands in its place.

        A file that was removed or replaced by a backup can still be written: what goes there is lost.
        """
        standing = self._standing()
        if self._file is not None and standing is None:
            self._disconnect()
            raise BusDown(f"{self._path} is gone: restore it, or start the processes anew on an empty log")
        if self._connection is not None and standing != self._file:
            self._disconnect()
            self.replaced += 1
            raise BusDown(f"{self._path} is another file than before")
        if self._connection is None:
            self._connection = _connect(self._path)
            if self._file is not None and self._file != self._standing():
                self.replaced += 1
            self._file = self._standing()
        return self._connection

    def _standing(self) -> tuple[int, int] | None:
        """Which file stands at the path."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        make_durable(connection, busy_timeout=_BUSY_TIMEOUT_MS, wal_autocheckpoint=8_000)
    except BaseException:
        connection.close()
        raise
    return connection
