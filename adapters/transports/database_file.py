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
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, cast

from adapters.core import BadRecord, Read, Record
from adapters.transports.offline import opened
from adapters.transports.rows import Row, as_record, closing_of, is_order, iso

if TYPE_CHECKING:
    from adapters.transports.database_poll import DatabasePoll

_SQLITE = b"SQLite format 3\0"
LONGEST_ROW = 2**20
"""Characters that a row of a dump may have."""
_WHOLE = re.compile(r"-?\d{1,18}")


def read_file(source: Path | bytes, options: DatabasePoll) -> Iterator[Read]:
    """What a file, or its bytes, holds of the view. Raises OSError if it cannot be opened."""
    with opened(source) as stream:
        head = stream.read(len(_SQLITE))
        stream.seek(0)
        if head == _SQLITE:
            yield from _database(source, options)
            return
        with closing(TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline="")) as text:
            yield from _dump(text, options)


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


def _database(source: Path | bytes, options: DatabasePoll) -> Iterator[Read]:
    """The rows of the view, by key, and what the owner's clock vouches for."""
    try:
        with closing(_connect(source)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_ROW)
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            statement = f"SELECT {', '.join(options.columns)} FROM {options.view} ORDER BY {options.key}"  # noqa: S608
            for values in connection.execute(statement):
                yield as_record(_row(options, values), options.key)
            if options.clock is not None:
                view, _, column = options.clock.rpartition(".")
                (through,) = connection.execute(f"SELECT max({column}) FROM {view}").fetchone()  # noqa: S608
                if is_order(through) and through > options.since:
                    yield closing_of(options.since, through)
    except (sqlite3.Error, UnicodeDecodeError, MemoryError) as error:
        # Names of tables and columns are text of the file too; where its sizes are damaged SQLite finds no memory.
        why = str(error) or "its sizes are damaged"
        yield BadRecord(f"no database of this interface: {why}", place="the file", raw=b"")


def _row(options: DatabasePoll, values: tuple[object, ...]) -> Row:
    plain = [value if value is None or isinstance(value, int | str) else str(value) for value in values]
    return dict(zip(options.columns, plain, strict=True))


def _dump(text: TextIOWrapper, options: DatabasePoll) -> Iterator[Read]:
    """The lines of a CSV dump. Column names come in any order and case; further columns are no matter."""
    lines = _Lines(text)
    reader = csv.reader(lines)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        missing = [column for column in options.columns if column not in names]
        if missing:
            yield BadRecord(
                f"columns missing: {', '.join(missing)}", place="line 1", raw=",".join(names).encode("utf-8", "replace")
            )
            return
        for values in reader:
            lines.taken = 0
            if values:
                yield _line(names, values, options, reader.line_num)
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


def _line(names: list[str], values: list[str], options: DatabasePoll, number: int) -> Read:
    text = ",".join(values)
    raw = text.encode("utf-8", "surrogateescape")
    if len(values) != len(names):
        return BadRecord(f"{len(values)} values, {len(names)} columns", place=f"line {number}", raw=raw)
    if not _is_text(text):
        return BadRecord("no UTF-8", place=f"line {number}", raw=raw)
    said = dict(zip(names, values, strict=True))
    row: Row = {}
    for column in options.columns:
        value = said[column] or None
        whole = column in options.numbers and value is not None and _WHOLE.fullmatch(value)
        row[column] = int(cast(str, value)) if whole else value
    row[options.order] = _timestamp(said[options.order])
    read = as_record(row, options.key)
    return replace(read, place=f"line {number}") if isinstance(read, Record) else read


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
