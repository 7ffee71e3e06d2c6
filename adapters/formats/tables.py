"""Tables of a database in tab-separated files, each with a line of column names, and a file that counts their rows.

Which table a file is shows in its first line. Nothing is quoted, so a tab inside a text shifts all that stands behind
it: a row with too many values is put right where only one way to do so gives days in columns of days and in no column
of codes; else it is refused, and kept. NUL and other control bytes are no part of a value. A file of no table that is
asked for is passed over.

Counting is left to who sees all files of an extract: see `disagreements`, and `Snapshot`.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from adapters.core import BadRecord, Closing, Header, Met, Note, Outside, Read, Record

TABLE = "@table"
"""The field that has the name of a record's table."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x80-\x9f]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
_COUNT = re.compile(r"([A-Za-z_]\w{0,99})(?:\.\w{1,5})?\s*\t\s*([0-9]{1,12})")
_BLOCK = 2**16
_LINES = 500
_EXACT, _MOST = 1_000, 4
"""So many rows more than one may be missing or too many for each `_EXACT`, up to `_MOST`: counts are taken at another
moment than the tables."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table by its columns, in the order of the interface. `key` is the column of whole numbers that names a row.

    `dates` have days or nothing, `codes` no day: so a shifted row is noticed. It is put right by the forms of codes
    (regular expressions); a code of another form is its own affair where nothing is shifted. `texts` may be broken by a
    tab; elsewhere a stray tab stands beside a value.
    """

    name: str
    key: str
    columns: tuple[str, ...]
    dates: tuple[str, ...]
    codes: Mapping[str, str]
    texts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()  # the columns by which it is known; all, if none are named


@dataclass(frozen=True, slots=True)
class TabTables:
    """Reads such files. Names of columns are compared without regard to case; a file may have more, in any order."""

    tables: tuple[Table, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)  # other names of columns
    nothing: tuple[str, ...] = ()  # values that say that there is none
    encoding: str = "latin-1"
    longest: int = 2**16  # bytes of a line

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """What one file holds, with a note of its kind first and, of a table, its number of rows last."""
        first = stream.readline(self.longest)
        names = tuple(
            self.aliases.get(name, name) for name in map(str.upper, self._values(first.removeprefix(BOM_UTF8)))
        )
        table = next((each for each in self.tables if set(each.needs or each.columns) <= set(names)), None)
        if table is not None:
            yield Header("line 1", first, {TABLE: table.name})
            yield from self._rows(stream, table, names)
        elif _is_count(first) or _is_count(second := stream.readline(self.longest)):
            yield from self._counts(stream, [first] if _is_count(first) else [first, second])
        else:
            if first:
                yield Outside("line 1", first + second)
            while block := stream.read(_BLOCK):
                yield Outside("what follows", block)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A row again, of the table that its place names, in the order of the interface."""
        for table in self.tables:
            if met.place.lower().startswith(table.name.lower()):
                yield self._row(table, table.columns, met.place, raw)
                return
        yield BadRecord("nothing says which table it stood in: read its file again", place=met.place, raw=raw)

    def field_names(self) -> Sequence[str]:
        """The columns of all tables."""
        return tuple(dict.fromkeys(name for table in self.tables for name in table.columns))

    def render(self, raw: bytes) -> Iterator[str]:
        """The values of a row, one a line."""
        for number, value in enumerate(self._values(raw), 1):
            yield f"  {number:<4} {value}"

    def _values(self, raw: bytes) -> list[str]:
        text = raw.decode(self.encoding).rstrip("\r\n")
        values = (_CONTROL.sub("", value).strip() for value in text.split("\t"))
        return ["" if value in self.nothing else value for value in values]

    def _rows(self, stream: BinaryIO, table: Table, names: tuple[str, ...]) -> Iterator[Read]:
        line, rows = 1, 0
        while raw := stream.readline(self.longest):
            line += 1
            if not raw.strip():
                yield Outside(f"line {line}", raw)
                continue
            rows += 1
            yield self._row(table, names, f"line {line}", raw)
            while not raw.endswith(b"\n") and (raw := stream.readline(self.longest)):
                yield BadRecord(f"a line of {self.longest} bytes or more", place=f"line {line}, its rest", raw=raw)
        yield Closing(f"the end of {table.name}", b"", {TABLE: table.name, "rows": rows})

    def _row(self, table: Table, names: tuple[str, ...], place: str, raw: bytes) -> Read:
        values = self._values(raw)
        begin = values[names.index(table.key)] if table.key in names[:1] else ""
        key = begin if begin.isascii() and begin.isdecimal() else None
        try:
            if len(raw) >= self.longest:
                raise ValueError(f"a line of {self.longest} bytes or more")
            fields, mended = _fitted(table, names, values)
        except ValueError as error:
            return BadRecord(str(error), place=place, raw=raw, record=f"{table.name}/{key}" if key else None)
        return Record(f"{place}, columns put right" if mended else place, raw, {TABLE: table.name, **fields})

    def _counts(self, stream: BinaryIO, read: list[bytes]) -> Iterator[Read]:
        """The counts of an extract; above them a line may say what they are."""
        while len(read) < _LINES and (raw := stream.readline(self.longest)):
            read.append(raw)
        lines = (
            _COUNT.fullmatch(raw.decode("latin-1").removeprefix(BOM_UTF8.decode("latin-1")).strip()) for raw in read
        )
        counts = {line[1].lower(): int(line[2]) for line in lines if line is not None}
        yield Header("line 1", b"".join(read), {"counts": counts})
        while block := stream.read(_BLOCK):
            yield Outside("what follows", block)


def _is_count(raw: bytes) -> bool:
    return _COUNT.fullmatch(raw.removeprefix(BOM_UTF8).decode("latin-1").strip()) is not None


def _fitted(table: Table, names: tuple[str, ...], values: list[str]) -> tuple[dict[str, str], bool]:
    """The columns of a row, and whether they had to be put right. Raises ValueError."""
    extra = len(values) - len(names)
    if extra < 0:
        raise ValueError(f"{len(values)} values, {len(names)} columns")
    if extra == 0:
        row = dict(zip(names, values, strict=True))
        if (odd := next(_odd(table, row, _DAY.match), None)) is not None:
            raise ValueError(f"{odd} has a value of another kind: its columns are shifted")
        return row, False
    ways: list[dict[str, str]] = []
    for place in range(len(names)):
        parts = [value for value in values[place : place + extra + 1] if value]
        row = dict(zip(names, [*values[:place], " ".join(parts), *values[place + extra + 1 :]], strict=True))
        if len(parts) > 1 and names[place] not in table.texts:
            continue
        if _fits(table, row) and row not in ways:
            ways.append(row)
    row = dict(zip(names, values, strict=False))
    if not any(values[len(names) :]) and _fits(table, row):  # tabs behind the last value shift nothing
        return row, True
    if len(ways) != 1:
        raise ValueError(f"{extra} values too many, and {'more than one way' if ways else 'no way'} to put them right")
    return ways[0], True


def _odd(table: Table, row: Mapping[str, str], strange: Callable[[str], object]) -> Iterator[str]:
    """Columns whose value is of another kind: no number of a row, no day, a code that is strange."""
    if not (row[table.key].isascii() and row[table.key].isdecimal()):
        yield table.key
    for name in table.dates:
        if (value := row.get(name)) and not _DAY.match(value):
            yield name
    for name in table.codes:
        if (value := row.get(name)) and strange(value):
            yield name


def _fits(table: Table, row: Mapping[str, str]) -> bool:
    """Whether every value is of its column's kind, codes by their form."""
    if next(_odd(table, row, _DAY.match), None) is not None:
        return False
    return all(not row.get(name) or re.fullmatch(form, row[name]) for name, form in table.codes.items())


def disagreements(notes: Iterable[Note], wanted: Sequence[Table]) -> Iterator[str]:
    """Why the files of an extract are not whole, by the notes of all of them; nothing if they are."""
    counts: dict[str, int] | None = None
    rows: dict[str, int] = {}
    for note in notes:
        fields: Mapping[str, Any] = note.fields
        if "counts" in fields:
            counts = {**(counts or {}), **fields["counts"]}
        elif isinstance(note, Closing) and TABLE in fields:
            name = fields[TABLE]
            if name in rows:
                yield f"{name} is there twice"
            rows[name] = fields["rows"]
    if counts is None:
        yield "what counts the rows of its tables is missing"
        return
    for table in wanted:
        stated, have = counts.get(table.name.lower()), rows.get(table.name)
        if have is None:
            yield f"{table.name} is missing"
        elif stated is None:
            yield f"{table.name} is not counted"
        elif abs(stated - have) > min(_MOST, stated // _EXACT):
            yield f"{table.name} has {have} rows, and {stated} are counted"
