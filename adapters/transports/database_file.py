"""A file that stands for a polled database: a SQLite database with the interface's views, or a CSV dump of its view.

A dump has a line of column names, absent values empty, timestamps as the interface or as PostgreSQL spells them.
"""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, cast

from adapters.core import BadRecord, Read, Record
from adapters.transports.offline import opened
from adapters.transports.rows import Row, as_record, as_row, closing_of, end_of, is_order, iso

if TYPE_CHECKING:
    from adapters.transports.database_extract import DatabaseExtract
    from adapters.transports.database_poll import DatabasePoll

_SQLITE = b"SQLite format 3\0"
LONGEST_ROW = 2**20
"""Characters that a row of a dump may have."""
_NONE = ("no database of this interface", "no CSV", "columns missing")
"""How the reasons begin for which a file, or its rest, cannot be read."""
_WHOLE = re.compile(r"-?\d{1,18}")


def read_file(source: Path | bytes, options: DatabasePoll) -> Iterator[Read]:
    """What a file, or its bytes, holds of a polled view. Raises OSError if it cannot be opened."""
    counted = options.numbered or options.transactions
    numbers = (*options.numbers, options.key, *((options.order,) if counted else ()))  # what a database has as numbers
    view = _View(options.view, options.columns, numbers, options.order, options.key, options.clock)
    with opened(source) as stream:
        if _is_sqlite(stream):
            yield from _database(source, view, options.since)
        else:
            yield from _dump(stream, view)


def read_whole(source: Path | bytes, options: DatabaseExtract) -> Iterator[Read]:
    """What a file, or its bytes, holds of a view that is read whole, and its end if all of it can be read.

    Raises OSError if it cannot be opened.
    """
    view = _View(options.view, options.columns, options.numbers)
    rows, whole = 0, True
    with opened(source) as stream:
        for read in _database(source, view) if _is_sqlite(stream) else _dump(stream, view):
            rows += 1
            whole = whole and not (isinstance(read, BadRecord) and read.reason.startswith(_NONE))
            yield read
    if whole:
        yield end_of(rows)


@dataclass(frozen=True, slots=True)
class _View:
    """A view as a file has it. Without a key rows come in the order of the file."""

    name: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    order: str | None = None
    key: str | None = None
    clock: str | None = None

    def record(self, row: Row, place: str | None) -> Read:
        """A row as a record."""
        if self.key is None:
            return as_row(row, place or "row")
        read = as_record(row, self.key)
        return replace(read, place=place) if place is not None and isinstance(read, Record) else read


def _is_sqlite(stream: BufferedReader) -> bool:
    head = stream.read(len(_SQLITE))
    stream.seek(0)
    return head == _SQLITE


def _connect(source: Path | bytes) -> sqlite3.Connection:
    """The database in those bytes, or in a file: it is read where it lies, and never written. Raises sqlite3.Error."""
    if isinstance(source, bytes):
        connection = sqlite3.connect(":memory:")
        connection.deserialize(source)
        return connection
    uri = f"{source.absolute().as_uri()}?mode=ro"
    if not source.with_name(source.name + "-wal").exists():  # else some rows are there and not in the file yet
        uri += "&immutable=1"
    return sqlite3.connect(uri, uri=True)


def _database(source: Path | bytes, view: _View, since: str = "") -> Iterator[Read]:
    """The rows of the view, by key, and what the owner's clock vouches for."""
    try:
        with closing(_connect(source)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_ROW)
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            by = f" ORDER BY {view.key}" if view.key is not None else ""
            statement = f"SELECT {', '.join(view.columns)} FROM {view.name}{by}"  # noqa: S608
            for number, values in enumerate(connection.execute(statement), 1):
                yield view.record(_row(view, values), None if view.key is not None else f"row {number}")
            if view.clock is not None:
                of, _, column = view.clock.rpartition(".")
                (through,) = connection.execute(f"SELECT max({column}) FROM {of}").fetchone()  # noqa: S608
                if is_order(through) and through > since:
                    yield closing_of(since, through)
    except (sqlite3.Error, UnicodeDecodeError, MemoryError) as error:
        # Names of tables and columns are text of the file too; where its sizes are damaged SQLite finds no memory.
        why = str(error) or "its sizes are damaged"
        yield BadRecord(f"no database of this interface: {why}", place="the file", raw=b"")


def _row(view: _View, values: tuple[object, ...]) -> Row:
    plain = [value if value is None or isinstance(value, int | str) else str(value) for value in values]
    return dict(zip(view.columns, plain, strict=True))


def _dump(stream: BufferedReader, view: _View) -> Iterator[Read]:
    """The lines of a CSV dump. Column names come in any order and case; further columns are no matter."""
    with closing(TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")) as text:
        lines = _Lines(text)
        reader = csv.reader(lines)
        try:
            names = [name.strip().lower() for name in next(reader, [])]
            missing = [column for column in view.columns if column not in names]
            if missing:
                raw = ",".join(names).encode("utf-8", "replace")
                yield BadRecord(f"columns missing: {', '.join(missing)}", place="line 1", raw=raw)
                return
            for values in reader:
                lines.taken = 0
                if values:
                    yield _line(names, values, view, reader.line_num)
        except csv.Error as error:
            yield BadRecord(f"no CSV: {error}", place=f"line {reader.line_num}", raw=b"")


@dataclass(slots=True)
class _Lines:
    """Lines of a dump for `csv`, which would wait for the end of a row in any amount of memory. Raises csv.Error."""

    text: TextIOWrapper
    taken: int = 0  # since a row began

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.text.readline(LONGEST_ROW + 1 - self.taken)
        self.taken += len(line)
        if self.taken > LONGEST_ROW:
            raise csv.Error(f"a row of more than {LONGEST_ROW} characters")
        if not line:
            raise StopIteration
        return line


def _line(names: list[str], values: list[str], view: _View, number: int) -> Read:
    text = ",".join(values)
    raw = text.encode("utf-8", "surrogateescape")
    if len(values) != len(names):
        return BadRecord(f"{len(values)} values, {len(names)} columns", place=f"line {number}", raw=raw)
    if not _is_text(text):
        return BadRecord("no UTF-8", place=f"line {number}", raw=raw)
    said = dict(zip(names, values, strict=True))
    row: Row = {}
    for column in view.columns:
        value = said[column] or None
        whole = column in view.numbers and value is not None and _WHOLE.fullmatch(value)
        row[column] = int(cast(str, value)) if whole else value
    if view.order is not None:
        row[view.order] = _timestamp(said[view.order])
    return view.record(row, f"line {number}")


def _timestamp(value: str) -> str | None:
    """In the one spelling, if it is one with an offset, as `COPY ... TO` of PostgreSQL writes them."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value or None
    return iso(at) if at.tzinfo is not None and " " in value else value


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
