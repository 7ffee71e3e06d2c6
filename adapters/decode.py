"""A dry run of one adapter: what a file would become. Nothing is published, stamped or remembered.

A file of a system whose feed polls a database is a SQLite database with the views of the interface, or a CSV dump of
its view: a line of column names, absent values empty, timestamps as the interface or as PostgreSQL spells them.
"""

from __future__ import annotations

import csv
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BufferedReader, BytesIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast

from adapters.core import BadRecord, Feed, Filtered, Note, Origin, Read, Record, System
from adapters.transports.database_poll import PollOptions, Row, as_record, is_order, iso, through_note
from adapters.transports.file_drop import DropOptions, read_stream
from schemas.events import AnyEvent, Coverage

_SQLITE = b"SQLite format 3\0"
LONGEST_ROW = 2**20
"""Characters that a row of a dump may have."""
_WHOLE = re.compile(r"-?\d{1,18}")


@dataclass(frozen=True, slots=True)
class Decoded:
    """What one read became: events (a note may give none), or a refusal, or the rule that left it out."""

    read: Read
    events: tuple[AnyEvent, ...] = ()
    refused: BadRecord | None = None
    filtered: str | None = None


@dataclass(slots=True)
class Totals:
    """Counted as the host counts: `read = published + refused + filtered`; notes are no records."""

    read: int = 0
    published: int = 0
    refused: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)  # by kind

    def add(self, result: Decoded) -> None:
        """Count one more."""
        for event in result.events:
            self.events[event.kind] += 1
        if isinstance(result.read, Note):
            return
        self.read += 1
        if result.refused is not None:
            self.refused += 1
        elif result.filtered is not None:
            self.filtered[result.filtered] += 1
        else:
            self.published += 1


def decode_file(
    system: System, source: Path | str | bytes, *, name: str | None = None, feed: str | None = None
) -> Iterator[Decoded]:
    """What a file (or its bytes) holds, read by read. `name` is the batch of the events, else the file's name.

    Raises OSError if the file cannot be opened, KeyError for a feed that the system does not have.
    """
    chosen = system.feed(feed) if feed is not None else system.feeds[0]
    source = Path(source) if isinstance(source, str) else source
    batch = name or ("bytes" if isinstance(source, bytes) else source.name)
    origin = Origin(system.name, chosen.name, batch, system.mapping_version)
    with _open(source) as stream:
        reads = _rows(stream, chosen, source) if chosen.format is None else _records(stream, chosen)
        refused = False
        for read in reads:
            result = decode(read, chosen, origin)
            refused = refused or (result.refused is not None and not isinstance(read, Note))
            yield _unvouched(result) if refused else result


def _unvouched(result: Decoded) -> Decoded:
    """As the host does it: where a record was refused, the batch vouches for nothing."""
    return replace(result, events=tuple(event for event in result.events if not isinstance(event, Coverage)))


def decode(read: Read, feed: Feed, origin: Origin) -> Decoded:
    """What the feed's mapping makes of one read. Raises nothing."""
    if isinstance(read, BadRecord):
        return Decoded(read, refused=read)
    try:
        mapped = feed.mapping(read, origin)
    except BadRecord as bad:
        return Decoded(read, refused=bad)
    if isinstance(mapped, Filtered):
        return Decoded(read, filtered=mapped.rule)
    return Decoded(read, events=tuple(mapped))


def _open(source: Path | bytes) -> BufferedReader:
    return BufferedReader(BytesIO(source)) if isinstance(source, bytes) else source.open("rb")


def _records(stream: BufferedReader, feed: Feed) -> Iterator[Read]:
    if feed.format is None:
        raise ValueError(f"{feed.name} has no format")
    known = {name: value for name, value in feed.options.items() if name in ("unwrap", "limit")}
    options = DropOptions(**known)
    yield from read_stream(stream, feed.format, options.unwrap, options.limit)


def _rows(stream: BufferedReader, feed: Feed, source: Path | bytes) -> Iterator[Read]:
    options = PollOptions(**feed.options)
    head = stream.read(len(_SQLITE))
    stream.seek(0)
    if head == _SQLITE:
        yield from _database(source, options)
    else:
        yield from _dump(stream, options)


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


def _database(source: Path | bytes, options: PollOptions) -> Iterator[Read]:
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
                    yield through_note(options.since, through)
    except (sqlite3.Error, UnicodeDecodeError, MemoryError) as error:
        # Names of tables and columns are text of the file too; where its sizes are damaged SQLite finds no memory.
        why = str(error) or "its sizes are damaged"
        yield BadRecord(f"no database of this interface: {why}", place="the file", raw=b"")


def _row(options: PollOptions, values: tuple[object, ...]) -> Row:
    plain = [value if value is None or isinstance(value, int | str) else str(value) for value in values]
    return dict(zip(options.columns, plain, strict=True))


def _dump(stream: BinaryIO, options: PollOptions) -> Iterator[Read]:
    """The lines of a CSV dump. Column names come in any order and case; further columns are no matter."""
    lines = _Lines(TextIOWrapper(stream, "utf-8-sig", "surrogateescape", newline=""))
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


def _line(names: list[str], values: list[str], options: PollOptions, number: int) -> Read:
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
    return Record(f"line {number}", read.raw, row) if isinstance(read, Record) else read


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
