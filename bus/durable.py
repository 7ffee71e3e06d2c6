"""SQLite set up so that what is committed is on the disk: for the embedded bus, the store and the audit log alike."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_TRIES, _BETWEEN_SECONDS = 100, 0.02


def make_durable(connection: Any, **pragmas: int) -> None:
    """Set up a new connection, sqlite3's own or one that SQLAlchemy adapts: transactions are begun by its user.

    `pragmas` are further ones, such as `busy_timeout`.
    """
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        wanted: dict[str, str | int] = {**pragmas, "journal_mode": "WAL", "synchronous": "FULL"}
        for name, value in wanted.items():
            _set(cursor, name, value)
    finally:
        cursor.close()


def _set(cursor: Any, name: str, value: str | int) -> None:
    """Set a pragma. Raises sqlite3.OperationalError.

    SQLite refuses the switch to WAL at once while another connection holds a lock, whatever the timeout is; so it is
    tried again for two seconds.
    """
    for left in reversed(range(_TRIES)):
        try:
            cursor.execute(f"PRAGMA {name}={value}")
        except sqlite3.OperationalError as error:
            if left == 0 or name != "journal_mode" or "locked" not in str(error):
                raise
            time.sleep(_BETWEEN_SECONDS)
        else:
            return


def make_closed(path: Path) -> None:
    """Make the file of a database for its owner alone, if there is none; SQLite gives its other files the same mode.

    Raises OSError.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
