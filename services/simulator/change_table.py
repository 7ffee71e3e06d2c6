"""A table of changes as a system's triggers write it, in an SQLite file: the embedded default for captured rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import orjson

from services.simulator.clock import iso_stamp

Values = Mapping[str, object]
_BATCH = 2_000
_LAST = 2**62
"""A clock stands behind the changes of its second."""
CLOCK = "visabus_clock"


class ChangeTable:
    """The table while it is filled: changes come in any order and are written in the order of time."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._changes: list[tuple[int, int, str, str, bytes, bytes | None]] = []
        self._ticks: list[tuple[int, int, str, str, bytes, bytes | None]] = []
        self._last: dict[tuple[str, bytes], int] = {}

    def __len__(self) -> int:
        return len(self._changes)

    def add(self, at: int, table: str, op: str, key: Values, row: Values | None = None) -> None:
        """Keep a change that was committed at that instant, or when the row was last changed if that is later."""
        after, named = None if row is None else orjson.dumps(dict(row)), orjson.dumps(dict(key))
        at = self._last[table, named] = max(at, self._last.get((table, named), at))
        self._changes.append((at, len(self._changes), table, op, named, after))

    def tick(self, at: int, since: int) -> None:
        """Keep what the job of the clock writes at that instant: all since another one stands before it."""
        moments = {"complete_since": f"{iso_stamp(since)}Z", "complete_through": f"{iso_stamp(at)}Z"}
        self._ticks.append((at, _LAST, CLOCK, "u", b'{"id": 1}', orjson.dumps({"id": 1, **moments})))

    def finish(self) -> None:
        """Write the table."""
        database = sqlite3.connect(self._place)
        database.execute(
            "CREATE TABLE visabus_change (change_id INTEGER PRIMARY KEY AUTOINCREMENT, changed_at TEXT NOT NULL,"
            " table_name TEXT NOT NULL, op TEXT NOT NULL, row_key TEXT NOT NULL, before TEXT, after TEXT)"
        )
        database.execute("CREATE TABLE visabus_change_purged (through INTEGER NOT NULL)")
        self._changes = sorted(self._changes + self._ticks)
        for first in range(0, len(self._changes), _BATCH):
            rows = [
                (f"{iso_stamp(at)}Z", table, op, key.decode(), None if after is None else after.decode())
                for at, _, table, op, key, after in self._changes[first : first + _BATCH]
            ]
            names = "changed_at, table_name, op, row_key, after"
            database.executemany(f"INSERT INTO visabus_change ({names}) VALUES (?, ?, ?, ?, ?)", rows)  # noqa: S608
            database.commit()
        database.commit()
        database.close()
        self._changes.clear()
