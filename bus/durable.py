"""SQLite set up so that what is committed is on the disk: for the embedded bus, the store and the audit log alike."""

from __future__ import annotations

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
