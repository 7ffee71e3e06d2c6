"""SQLite as all embedded parts set it up."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bus import durable
from bus.durable import make_durable


def test_connections_that_switch_at_once_all_get_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, waits = tmp_path / "new.db", threading.Event()
    with closing(sqlite3.connect(file, check_same_thread=False, isolation_level=None)) as first:
        first.execute("CREATE TABLE t (n INTEGER)")
        first.execute("BEGIN EXCLUSIVE")

        def let_go(_seconds: float) -> None:
            if not waits.is_set():
                waits.set()
                first.execute("COMMIT")

        monkeypatch.setattr(durable.time, "sleep", let_go)
        with closing(sqlite3.connect(file, timeout=0)) as second:
            make_durable(second)
            assert waits.is_set()
            assert second.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_lock_that_stays_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable, "_TRIES", 3)
    monkeypatch.setattr(durable, "_BETWEEN_SECONDS", 0)
    file = tmp_path / "held.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as first:
        first.execute("BEGIN EXCLUSIVE")
        with (
            closing(sqlite3.connect(file, timeout=0)) as second,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            make_durable(second)
