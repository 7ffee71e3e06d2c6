"""SQLite set up so that what is committed is on the disk: for the embedded bus, the store and the audit log alike."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def make_durable(connection: Any, **pragmas: int) -> None:
    """Set up a new connection, sqlite3's own or one that SQLAlchemy adapts: transactions are begun by its user.

    `pragmas` are further ones, such as `busy_timeout`.
    """
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        for name, value in {**pragmas, "journal_mode": "WAL", "synchronous": "FULL"}.items():
            cursor.execute(f"PRAGMA {name}={value}")
    finally:
        cursor.close()


def make_closed(path: Path) -> None:
    """Make the file of a database for its owner alone, if there is none; SQLite gives its other files the same mode.

    Raises OSError.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
