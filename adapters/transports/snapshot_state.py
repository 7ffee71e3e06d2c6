"""What a full extract held when it was compared last: key and digest of each row, on this machine and in the storage.

In the storage the state is a few runs of changes, one for each extract that changed something: `[key, digest, number,
kept]` for a row as it is, without a digest for one that is gone. Once the runs hold more changes than rows, the next
one holds every row and stands alone. A run is written in parts of a megabyte or two before any of its events goes out,
each part under a name made of the run's number and the part's digest: nothing that is written is ever changed.

On this machine the same state lies in an SQLite file, for comparing. It says which runs it is made of and is made anew
from the storage wherever it is not there, lags behind, or belongs to another history of the feed.

A run that the position does not name is of a comparison that was broken off: its events may be out or not. If the
same comparison gives the same run again, it is that run, and its events are those. Otherwise all of its rows are told
again: one that is as the run says under the number it has there, and any other under a number that no run had yet.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import orjson

PART_BYTES = 2**21
"""Bytes of a part before they are packed: a message of the bus holds it however little it shrinks."""
MOST_RUNS = 24
LEAST_CHANGES = 1_000
"""So many changes are gathered in runs before a run of all rows is written, however few rows there are."""
UNKNOWN = b"?"
"""The digest of a row of which nobody knows what was said."""
_ODD = b"\0"
"""What the mark of a refused row begins with, among keys: no key of a record does."""
_PAGE = 2_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS row (key BLOB PRIMARY KEY, digest BLOB, number INTEGER, kept BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (place INTEGER PRIMARY KEY, parts TEXT NOT NULL);
"""
_SCRATCH = """
CREATE TABLE scratch.entry (ordinal INTEGER PRIMARY KEY, key BLOB, digest BLOB, kept BLOB);
CREATE TABLE scratch.seen (key BLOB PRIMARY KEY, digest BLOB, ordinal INTEGER, clash INTEGER) WITHOUT ROWID;
CREATE TABLE scratch.clash (key BLOB PRIMARY KEY, ordinal INTEGER) WITHOUT ROWID;
CREATE TABLE scratch.present (key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE scratch.maybe (key BLOB PRIMARY KEY, digest BLOB, number INTEGER, kept BLOB) WITHOUT ROWID;
CREATE TABLE scratch.change (
    key BLOB PRIMARY KEY, digest BLOB, number INTEGER, kept BLOB, ordinal INTEGER, before INTEGER) WITHOUT ROWID;
CREATE TABLE scratch.part (place INTEGER PRIMARY KEY, name TEXT, value BLOB);
"""


class Entry(NamedTuple):
    """A row of an extract: its place in it, its key, and what is compared and kept of it."""

    ordinal: int
    key: bytes
    digest: bytes
    kept: bytes


class Change(NamedTuple):
    """A row that is to be told again: `number` is its revision."""

    ordinal: int
    key: bytes
    digest: bytes
    number: int
    before: int  # 1: an earlier extract had it otherwise


@dataclass(frozen=True, slots=True)
class Run:
    """The changes of one extract, in parts."""

    number: int
    changes: int
    digests: tuple[str, ...]

    def names(self) -> list[str]:
        """The names of its parts, in their order."""
        return [part_name(self.number, place, digest) for place, digest in enumerate(self.digests)]


def part_name(number: int, place: int, digest: str) -> str:
    """The name of a part of a run."""
    return f"{number:020d}.{place:05d}.{digest}"


def number_in(name: str) -> int:
    """The number of the run that a part belongs to."""
    return int(name.partition(".")[0])


def odd_key(mark: bytes) -> bytes:
    """The key of a refused row, by its digest."""
    return _ODD + mark


@dataclass(slots=True)
class Totals:
    """What a comparison came to."""

    rows: int = 0  # each key once
    new: int = 0
    changed: int = 0
    gone: int = 0
    refused: int = 0  # rows that stand refused, whether this extract was the first to have them or not
    twice: int = 0  # keys that stand more than once
    absent: int = 0  # keys of no row of this extract that are not taken for gone


@dataclass(slots=True)
class State:
    """The rows as they were compared last, and one extract that is being compared with them.

    Its caller holds `turn`. Raises sqlite3.Error where the disk does not do what it has to.
    """

    path: Path | None
    turn: Lock = field(default_factory=Lock)  # a thread may still be at work when its caller was stopped
    connection: sqlite3.Connection = field(init=False)

    def __post_init__(self) -> None:
        try:
            self._open()
        except sqlite3.DatabaseError:
            if self.path is None:
                raise
            self.path.unlink(missing_ok=True)  # it can be made anew
            self._open()

    def _open(self) -> None:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # for its owner alone: it tells who stands in the extract
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        name = ":memory:" if self.path is None else self.path
        self.connection = sqlite3.connect(name, check_same_thread=False, isolation_level=None, timeout=30)
        try:
            self.connection.execute("ATTACH '' AS scratch")  # on disk, and gone with the connection
            self.connection.execute("PRAGMA main.journal_mode = WAL")  # a process that hangs must not hold up the next
            self.connection.execute("PRAGMA main.synchronous = NORMAL")
            self.connection.execute("PRAGMA scratch.cache_size = -16000")
            self.connection.execute("PRAGMA scratch.journal_mode = OFF")
            self.connection.executescript(_SCHEMA)
        except BaseException:
            self.connection.close()
            raise

    def close(self) -> None:
        """Let go of the file, and of the extract that was being compared."""
        self.connection.close()

    # --- the state as it was ------------------------------------------------------------------------------------

    def runs(self) -> list[list[str]]:
        """The names of the parts of each run that it is made of."""
        return [parts.split() for (parts,) in self.connection.execute("SELECT parts FROM run ORDER BY place")]

    def clear(self) -> None:
        """Forget everything."""
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("DELETE FROM row")
        self.connection.execute("DELETE FROM run")
        self.connection.execute("COMMIT")

    def apply(self, names: Sequence[str], parts: Iterable[bytes]) -> None:
        """Take in one more run."""
        self.begin_run()
        for part in parts:
            self.add_part(part)
        self.end_run(names)

    def begin_run(self) -> None:
        """Begin to take in a run. Nothing of it counts before `end_run`."""
        self.connection.execute("BEGIN IMMEDIATE")

    def add_part(self, part: bytes) -> None:
        """A part of the run."""
        rows = list(unpack(part))
        held = [row for row in rows if row[1] is not None]
        self.connection.executemany("INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?)", held)
        self.connection.executemany("DELETE FROM row WHERE key = ?", [row[:1] for row in rows if row[1] is None])

    def end_run(self, names: Sequence[str]) -> None:
        """The run is whole."""
        self.connection.execute("INSERT INTO run (parts) VALUES (?)", (" ".join(names),))
        self.connection.execute("COMMIT")

    # --- an extract ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin to take in an extract: until `write` is done the state stays as it is now, whatever others do."""
        self.end()
        for name in ("entry", "seen", "clash", "present", "maybe", "change", "part"):
            self.connection.execute(f"DROP TABLE IF EXISTS scratch.{name}")
        self.connection.executescript(_SCRATCH)
        self.connection.execute("BEGIN")
        self.connection.execute("SELECT count(*) FROM run").fetchone()

    def end(self) -> None:
        """No more is compared; what was worked out stays."""
        if self.connection.in_transaction:
            self.connection.execute("COMMIT")

    def add(self, entries: Sequence[Entry], present: Sequence[bytes] = ()) -> None:
        """Rows of the extract; `present` are keys of rows that are there and cannot be read."""
        self.connection.executemany("INSERT INTO scratch.entry VALUES (?, ?, ?, ?)", entries)
        self.connection.executemany("INSERT OR IGNORE INTO scratch.present VALUES (?)", [(key,) for key in present])

    def doubt(self, part: bytes) -> None:
        """A part of a run that was broken off, the last one last: what it says may have been told."""
        self.connection.executemany("INSERT OR REPLACE INTO scratch.maybe VALUES (?, ?, ?, ?)", list(unpack(part)))

    def gather(self) -> Totals:
        """Sort the rows by key. A key that stands twice with different contents is unknown, and its rows are odd."""
        run = self.connection.execute
        run(
            "INSERT INTO scratch.seen SELECT key, min(digest), min(ordinal), min(digest) <> max(digest)"
            " FROM scratch.entry GROUP BY key ORDER BY key"
        )
        (keys,) = run("SELECT count(*) FROM scratch.seen").fetchone()
        clashing = run(
            "SELECT entry.key, entry.digest, entry.ordinal FROM scratch.seen JOIN scratch.entry USING (key)"
            " WHERE clash ORDER BY entry.ordinal"
        )
        while rows := clashing.fetchmany(_PAGE):
            odd = [(odd_key(blake2b(key + mark, digest_size=8).digest()), at) for key, mark, at in rows]
            self.connection.executemany("INSERT OR IGNORE INTO scratch.clash VALUES (?, ?)", odd)
        run("INSERT OR IGNORE INTO scratch.present SELECT key FROM scratch.seen WHERE clash")
        run("DELETE FROM scratch.seen WHERE clash")
        run("INSERT OR IGNORE INTO scratch.seen SELECT key, x'', ordinal, 1 FROM scratch.clash")
        (rows,) = run("SELECT count(*) FROM scratch.entry").fetchone()
        (refused,) = run("SELECT count(*) FROM scratch.seen WHERE key < x'01'").fetchone()
        return Totals(rows=keys, refused=refused, twice=rows - keys)

    def compare(self, number: int, *, deletions: bool, doubts: bool) -> None:
        """Work out what is new, changed or gone, under that number. Without `doubts` as if nothing was broken off."""
        run = self.connection.execute
        run("DELETE FROM scratch.change")
        maybe = "scratch.maybe" if doubts else "(SELECT NULL AS key, NULL AS digest, NULL AS number, NULL AS kept)"
        run(
            f"""
            INSERT INTO scratch.change
            SELECT seen.key, seen.digest, iif(maybe.digest IS seen.digest, maybe.number, :number), entry.kept,
                seen.ordinal, row.key IS NOT NULL OR (maybe.key IS NOT NULL AND maybe.digest IS NOT seen.digest)
            FROM scratch.seen JOIN scratch.entry ON entry.ordinal = seen.ordinal
                LEFT JOIN main.row ON row.key = seen.key LEFT JOIN {maybe} AS maybe ON maybe.key = seen.key
            WHERE maybe.key IS NOT NULL OR row.digest IS NOT seen.digest""",  # noqa: S608 - texts of our own
            {"number": number},
        )
        # a refused row that is gone ends in silence; what else is gone does so only where deletions may be concluded
        run(
            f"""
            INSERT OR IGNORE INTO scratch.change
            SELECT known.key, NULL, iif(maybe.key IS NOT NULL AND maybe.digest IS NULL, maybe.number, :number),
                known.kept, NULL, 1
            FROM (SELECT key, kept FROM main.row UNION ALL
                  SELECT key, kept FROM {maybe} AS other
                  WHERE NOT EXISTS (SELECT 1 FROM main.row WHERE row.key = other.key)) AS known
                LEFT JOIN {maybe} AS maybe ON maybe.key = known.key
            WHERE known.key IS NOT NULL AND (:deletions OR known.key < x'01')
                AND NOT EXISTS (SELECT 1 FROM scratch.seen WHERE seen.key = known.key)
                AND NOT EXISTS (SELECT 1 FROM scratch.present WHERE present.key = known.key)""",  # noqa: S608 - texts of our own
            {"number": number, "deletions": deletions},
        )
        if doubts:
            run(
                "INSERT OR IGNORE INTO scratch.change SELECT key, ?, ?, kept, NULL, 1 FROM scratch.maybe"
                " WHERE key >= x'01'",
                (UNKNOWN, number),
            )

    def count(self, totals: Totals) -> Totals:
        """The totals, with what the comparison gave."""
        new, changed, gone = self.connection.execute(
            "SELECT sum(ordinal IS NOT NULL AND NOT before), sum(ordinal IS NOT NULL AND before), sum(digest IS NULL)"
            " FROM scratch.change WHERE key >= x'01'"
        ).fetchone()
        totals.new, totals.changed, totals.gone = new or 0, changed or 0, gone or 0
        (totals.absent,) = self.connection.execute(
            "SELECT count(*) FROM main.row WHERE key >= x'01'"
            " AND NOT EXISTS (SELECT 1 FROM scratch.seen WHERE seen.key = row.key)"
            " AND NOT EXISTS (SELECT 1 FROM scratch.present WHERE present.key = row.key)"
            " AND NOT EXISTS (SELECT 1 FROM scratch.change WHERE change.key = row.key AND change.digest IS NULL)"
        ).fetchone()
        return totals

    def write(self, number: int, *, whole: bool) -> Run:
        """The changes as a run, or all rows with them; its parts are held on this machine's disk."""
        run = self.connection.execute
        run("DELETE FROM scratch.part")
        changes = "SELECT key, digest, number, kept FROM scratch.change"
        rows = run(
            f"SELECT key, digest, number, kept FROM main.row"  # noqa: S608 - texts of our own
            " WHERE NOT EXISTS (SELECT 1 FROM scratch.change WHERE change.key = row.key)"
            f" UNION ALL {changes} ORDER BY key"
            if whole
            else f"{changes} ORDER BY key"
        )
        digests: list[str] = []
        written = 0
        for part, count in _parts(rows):
            name = blake2b(part, digest_size=8).hexdigest()
            self.connection.execute(
                "INSERT INTO scratch.part VALUES (?, ?, ?)",
                (len(digests), part_name(number, len(digests), name), part),
            )
            digests.append(name)
            written += count
        return Run(number, written, tuple(digests))

    def part(self, place: int) -> tuple[str, bytes] | None:
        """Name and content of a part of what was written; None behind the last."""
        row: tuple[str, bytes] | None = self.connection.execute(
            "SELECT name, value FROM scratch.part WHERE place = ?", (place,)
        ).fetchone()
        return row

    def changes(self, beyond: int, most: int = _PAGE) -> list[Change]:
        """The next rows that are to be told, in the order of the extract."""
        rows = self.connection.execute(
            "SELECT ordinal, key, digest, number, before FROM scratch.change"
            " WHERE ordinal > ? ORDER BY ordinal LIMIT ?",
            (beyond, most),
        )
        return [Change(*row) for row in rows]

    def index(self) -> None:
        """Make `changes` quick, once all is worked out."""
        self.connection.execute("CREATE INDEX IF NOT EXISTS scratch.change_place ON change (ordinal)")

    def gone(self, beyond: bytes, most: int = _PAGE) -> list[tuple[bytes, bytes, int]]:
        """The next rows that are gone, by key: key, what was kept, and number."""
        return self.connection.execute(
            "SELECT key, kept, number FROM scratch.change WHERE digest IS NULL AND key > ? AND key >= x'01'"
            " ORDER BY key LIMIT ?",
            (beyond, most),
        ).fetchall()


def _parts(rows: Iterable[tuple[bytes, bytes | None, int, bytes]]) -> Iterator[tuple[bytes, int]]:
    """Rows packed, a part at a time, with their number."""
    lines: list[bytes] = []
    size = 0
    for key, digest, number, kept in rows:
        line = orjson.dumps(
            [key.hex(), digest.hex() if digest is not None else None, number, kept.decode("utf-8", "surrogateescape")]
        )
        lines.append(line)
        size += len(line)
        if size >= PART_BYTES:
            yield zlib.compress(b"\n".join(lines), 3), len(lines)
            lines, size = [], 0
    if lines:
        yield zlib.compress(b"\n".join(lines), 3), len(lines)


def unpack(part: bytes) -> Iterator[tuple[bytes, bytes | None, int, bytes]]:
    """The changes of a part. Raises ValueError, zlib.error for what is none."""
    for line in zlib.decompress(part).split(b"\n"):
        key, digest, number, kept = orjson.loads(line)
        yield bytes.fromhex(key), bytes.fromhex(digest) if digest is not None else None, number, kept.encode()
