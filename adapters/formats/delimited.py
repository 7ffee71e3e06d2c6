"""Delimited files: a header, details and a trailer with control totals, told apart by the first value of a line.

A line is a record, ended by LF or CRLF; a byte order mark before the first is no part of it, and lines of nothing
behind the trailer are padding. Without a quote character a value is what stands between two delimiters; with
one, a value in quotes may hold delimiters and doubled quotes, but no line end: a lost quote costs its line alone.
"""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from adapters.core import BadRecord, Closing, Completeness, Header, Met, Outside, Read, Record
from adapters.fields import Fields
from adapters.formats.control import Control, Totals, number

Columns = Mapping[str, str]
PADDING = b" \t\r\n\0\x1a"
"""What may stand behind the trailer, the end of a text of DOS among it."""


def accept(_: Fields) -> None:
    """No more to check in a header."""


@dataclass(frozen=True, slots=True)
class DelimitedFormat:
    """Reads such files. `header`, `detail` and `trailer` have the names of their columns; the first value of a line
    tells its kind, and is one of `kinds` in that order.

    A detail's fields are its columns; blanks around a value are no part of it. The closing comes once the file was
    read to its end and the totals agree. `check` looks at a header and raises ValueError. With `whole` a file whose
    totals do not agree is refused whole, record by record.
    """

    header: tuple[str, ...]
    detail: tuple[str, ...]
    trailer: tuple[str, ...]
    kinds: tuple[str, str, str] = ("H", "D", "T")
    delimiter: str = "|"
    quote: str | None = None
    same: tuple[str, str] | None = None  # a field of the header and one of the trailer
    controls: tuple[Control, ...] = ()
    check: Callable[[Fields], None] = accept
    whole: bool = False
    longest: int = 2**16  # bytes of a line

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every record, each refused one in its place. Raises nothing but errors of the stream."""
        spoilt = None
        if self.whole:
            first = _Reading(self)
            for place, raw in self._lines(stream):
                first.take(place, raw)
            closing = first.end()
            spoilt = closing.reason if isinstance(closing, BadRecord) else None
            stream.seek(0)
        reading = _Reading(self, spoilt)
        for place, raw in self._lines(stream):
            read = reading.take(place, raw)
            if read is not None:
                yield read
        yield reading.end()

    def is_complete(self, stream: BinaryIO) -> Completeness:
        """Whether the last line is a trailer, and counts as many details as there are lines."""
        lines, last = 0, b""
        for _, raw in self._lines(stream):
            if raw.strip(PADDING):
                lines, last = lines + 1, raw
        kind, values = self._split(last) or ("", {})
        if kind != self.kinds[2] or not last.endswith(b"\n"):
            return Completeness.OPEN
        counts = [control.field for control in self.controls if control.counts_all]
        counted = counts and all(number(values.get(name)) == lines - 2 for name in counts)
        return Completeness.COUNTED if counted else Completeness.CLOSED

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A detail behind the header it stood behind, at its number."""
        reading = _Reading(self)
        header = reading.take(met.place, met.context) if met.context is not None else None
        if not isinstance(header, Header):
            reason = "nothing says which header it stood behind: read its file again"
            yield BadRecord(reason, place=met.place, raw=raw)
            return
        reading.number = (met.ordinal or 1) - 1
        yield reading.take(met.place, raw) or BadRecord("a trailer is mended with its file", place=met.place, raw=raw)

    def field_names(self) -> Sequence[str]:
        """The columns of all kinds of line."""
        return tuple(dict.fromkeys((*self.header, *self.detail, *self.trailer)))

    def render(self, raw: bytes) -> Iterator[str]:
        """The columns of a line. Raises ValueError if it is none."""
        split = self._split(raw)
        if split is None:
            raise ValueError("no line of this interface")
        for name, value in split[1].items():
            yield f"  {name:<28} {value}"

    def columns(self, kind: str) -> tuple[str, ...] | None:
        """The columns of a kind of line, None if there is no such kind."""
        return dict(zip(self.kinds, (self.header, self.detail, self.trailer), strict=True)).get(kind)

    def _lines(self, stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
        line = 0
        while raw := stream.readline(self.longest):
            line += 1
            yield f"line {line}", raw
            while not raw.endswith(b"\n") and (raw := stream.readline(self.longest)):
                yield f"line {line}, its rest", raw

    def _split(self, raw: bytes) -> tuple[str, Columns] | None:
        try:
            kind, values = self.values(raw)
        except ValueError:
            return None
        return kind, values

    def values(self, raw: bytes) -> tuple[str, Columns]:
        """The kind of a line and its columns. Raises ValueError."""
        try:
            text = raw.removeprefix(BOM_UTF8).decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise ValueError("no UTF-8") from None
        if len(raw) >= self.longest:
            raise ValueError(f"a line of {self.longest} bytes or more")
        result = text.split(self.delimiter) if self.quote is None else self._quoted(text)
        names = self.columns(result[0].strip())
        if names is None:
            raise ValueError(f"begins with {result[0][:20]!r}, one of {', '.join(self.kinds)} expected")
        if len(result) - 1 != len(names):
            raise ValueError(f"{len(result) - 1} values behind {result[0].strip()!r}, {len(names)} expected")
        return result[0].strip(), dict(zip(names, map(str.strip, result[1:]), strict=True))

    def is_detail(self, raw: bytes) -> bool:
        """Whether a line begins as a detail does and cannot be told apart into its values."""
        begin = raw.partition(self.delimiter.encode())[0].strip()
        return begin == self.kinds[1].encode() and self._split(raw) is None

    def _quoted(self, text: str) -> list[str]:
        try:
            (result,) = csv.reader([text], delimiter=self.delimiter, quotechar=self.quote, strict=True)
        except (csv.Error, ValueError):
            raise ValueError("quotes that do not fit") from None
        return result or [""]


@dataclass(slots=True)
class _Reading:
    """What is known of a file half read. With `spoilt` its details are refused for that reason."""

    format: DelimitedFormat
    spoilt: str | None = None
    header: Columns | None = None
    trailer: tuple[str, bytes, Columns] | None = None
    behind: int = 0
    number: int = 0
    totals: Totals = field(init=False)

    def __post_init__(self) -> None:
        self.totals = Totals(self.format.controls, self.format.same)

    def take(self, place: str, raw: bytes) -> Read | None:
        """What a line is; None for a trailer, which is told at the end."""
        if self.trailer is not None and not raw.strip(PADDING):
            return Outside(place, raw, {"what": "padding"})
        try:
            kind, values = self.format.values(raw)
            return self._sort(kind, values, place, raw)
        except ValueError as error:
            if self.trailer is not None:
                self.behind += 1
            elif not place.endswith("rest") and self.format.is_detail(raw):
                self._count_unread()
            return BadRecord(str(error), place=place, raw=raw)

    def _count_unread(self) -> None:
        """A detail whose values cannot be told apart: its sender has counted it."""
        self.number += 1
        self.totals.add({})

    def _sort(self, kind: str, values: Columns, place: str, raw: bytes) -> Read | None:
        header, detail, _ = self.format.kinds
        if self.trailer is not None:
            raise ValueError("a record behind the trailer")
        if kind == header:
            if self.header is not None:
                raise ValueError("a second header")
            self.format.check(Fields(values))
            self.header = values
            return Header(place, raw, values)
        if kind == detail:
            self.number += 1
            self.totals.add(values)
        if self.header is None:
            raise ValueError("no header that can be read stands before it")
        if kind != detail:
            self.trailer = (place, raw, values)
            return None
        if self.spoilt is not None:
            raise ValueError(f"its file is refused whole: {self.spoilt}")
        return Record(place, raw, values, self.header, self.number)

    def end(self) -> Read:
        """What the end of the file says."""
        if self.trailer is None:
            return BadRecord("the file ends without a trailer that can be read", place="the end", raw=b"")
        place, raw, trailer = self.trailer
        wrong = list(self.totals.disagreements(self.header or {}, trailer, self.behind))
        if wrong:
            return BadRecord("; ".join(wrong), place=place, raw=raw)
        return Closing(place, raw, trailer, self.header or {})
