"""Files of records by copybook: fixed length, or variable with a record descriptor word; header, details, trailer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO

from adapters.core import BadRecord, Closing, Completeness, Header, Met, Outside, Read, Record, Unreadable
from adapters.fields import Fields as Reading
from adapters.formats.control import Control, Totals
from adapters.formats.copybook import Item
from adapters.formats.descriptors import Descriptors, described
from adapters.formats.layout import Layout, Undecodable

TRIES = 64
"""So many places are looked at closely where records may begin again: whatever the bytes are, it takes no longer."""
Fields = Mapping[str, Any]
_NUMBER = re.compile(r"record (\d+)")
_SHOWN = 24
"""Bytes of a field that a person is shown."""
PADDING = b"\x00\x40"
"""Binary zeros and blanks of EBCDIC, with which the last block of a file is filled up behind the trailer."""
BLOCK = 32_760
"""Bytes of the largest block of a data set (z/OS DFSMS, BLKSIZE)."""


def accept(_: Reading) -> None:
    """No more to check in a header."""


@dataclass(slots=True)
class Piece:
    """What stands in the file as one record: the fields of its body, `Unreadable` in place of some.

    `problem` is what is wrong with the record as a whole; `doubtful` whether any of its fields cannot be read.
    """

    offset: int
    raw: bytes
    kind: str
    fields: Fields
    problem: str | None
    known: bool = True  # its kind
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class FixedFormat:
    """Reads such files. `layout` has a choice by `kind`, its first field, that tells the body of each kind of record.

    A detail's fields are those of its body, `Unreadable` where one cannot be read. The closing comes once the file was
    read to its end and the totals agree. With `descriptors` every record has a descriptor word. `check` looks at a
    header and raises ValueError: a file with a header that is refused is refused record by record.

    A record that is longer or shorter than the others costs itself and not those behind it: see `_aligned`.
    """

    layout: Layout
    length: int
    kind: str
    same: tuple[str, str]  # a field of the header and one of the trailer
    header: str = "H"
    detail: str = "D"
    trailer: str = "T"
    controls: tuple[Control, ...] = ()
    check: Callable[[Reading], None] = accept
    descriptors: Descriptors | None = None  # where records are of variable length
    bodies: Mapping[str, str] = field(init=False, compare=False, repr=False)  # kind of record to the name of its body
    begins: re.Pattern[bytes] = field(init=False, compare=False, repr=False)  # any kind, as bytes

    def __post_init__(self) -> None:
        bodies = next(choice.groups for choice in self.layout.choices.values() if choice.by == self.kind)
        size = self.layout.record.children[0].size
        kinds = (re.escape(kind.ljust(size).encode(self.layout.page)) for kind in bodies)
        object.__setattr__(self, "bodies", bodies)
        object.__setattr__(self, "begins", re.compile(b"|".join(kinds)))

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every record, each refused one in its place. Raises nothing but errors of the stream."""
        reading = _Reading(self)
        number = offset = 0
        for number, piece in enumerate(
            self._described(stream, self.descriptors) if self.descriptors is not None else self._aligned(stream), 1
        ):
            offset = piece.offset
            yield from reading.take(number, f"record {number}, byte {offset}", piece)
            offset += len(piece.raw)
        yield from reading.end(f"record {number + 1}, byte {offset}")

    def is_complete(self, stream: BinaryIO) -> Completeness:
        """Whether the last thing in the file is a trailer, and counts as many details as the file has room for.

        A file with descriptor words does not tell before it is read.
        """
        if self.descriptors is not None:
            return Completeness.CLOSED
        size = stream.seek(0, 2)
        last = self._last(stream, size)
        if last is None or last.kind != self.trailer:
            size = self._without_padding(stream, size)
            last = self._last(stream, size)
        if last is None or last.kind != self.trailer or last.problem is not None:
            return Completeness.OPEN
        counts = [control.field for control in self.controls if control.counts_all]
        if not counts or size % self.length or size < 2 * self.length:
            return Completeness.CLOSED
        counted = all(last.fields.get(name) == size // self.length - 2 for name in counts)
        return Completeness.COUNTED if counted else Completeness.CLOSED

    def _last(self, stream: BinaryIO, size: int) -> Piece | None:
        """The last record of the first `size` bytes; none if they hold none."""
        if size < self.length:
            return None
        stream.seek(size - self.length)
        return self.judged(0, stream.read(self.length))

    def _without_padding(self, stream: BinaryIO, size: int) -> int:
        """The size without the padding that fills up the last block."""
        least = max(size - BLOCK, 0)
        while size > least:
            start = size - (size % self.length or self.length)
            stream.seek(start)
            if stream.read(size - start).strip(PADDING):
                break
            size = start
        return size

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A detail behind the header it stood behind, at its number in the file: its revision is made of both."""
        number = _NUMBER.match(met.place)
        if self.kind_of(raw) != self.detail:
            problem: str | None = "no detail: a header or trailer is mended with its file"
        elif met.context is None or self.kind_of(met.context) != self.header or number is None:
            problem = "nothing says which header it stood behind: read its file again"
        else:
            header, detail = self.judged(0, met.context), self.judged(0, raw)
            problem = header.problem or detail.problem or self._wrong_header(header.fields)
            if problem is None:
                yield Record(met.place, raw, detail.fields, header.fields, int(number[1]))
                return
        yield BadRecord(problem or "", place=met.place, raw=raw)

    def field_names(self) -> Sequence[str]:
        """The elementary fields of the copybook, without fillers and those that only tell which layout is meant."""

        def names(item: Item) -> Iterator[str]:
            if item.picture is not None:
                yield item.name
            for child in item.children:
                yield from names(child)

        own = {"FILLER", *self.layout.choices, *(choice.by for choice in self.layout.choices.values())}
        return tuple(dict.fromkeys(name for name in names(self.layout.record) if name not in own))

    def render(self, raw: bytes) -> Iterator[str]:
        """The copybook's fields, each with its place, its bytes and its value."""
        for seen in self.layout.inspect(raw):
            data = seen.data[:_SHOWN].hex(" ") + (" ..." if len(seen.data) > _SHOWN else "")
            mark, value = (" ", str(seen.value)) if seen.wrong is None else (">", seen.wrong)
            value = "".join(each if each.isprintable() else "?" for each in value)
            yield f"{mark} {seen.offset + 1:5}  {seen.name:<24} {value:<40} {data}".rstrip()
        if len(raw) > self.length:
            yield f"> {self.length + 1:5}  bytes behind the record: {raw[self.length :][:_SHOWN].hex(' ')}"

    def _wrong_header(self, fields: Fields) -> str | None:
        """What is wrong with a header."""
        unread = fields.get(self.same[0])
        if isinstance(unread, Unreadable):
            return unread.reason
        try:
            self.check(Reading(fields))
        except ValueError as error:
            return str(error)
        return None

    def kind_of(self, raw: bytes) -> str:
        """The value of the record's first field."""
        return raw[: self.layout.record.children[0].size].decode(self.layout.page, "replace").strip()

    def judged(self, offset: int, raw: bytes, broken: str | None = None) -> Piece:
        """A piece as a record: what can be read of it, and what is wrong. `broken` is known to be wrong with it."""
        kind = self.kind_of(raw)
        body = self.bodies.get(kind)
        if body is None:
            problem = broken or _stranger(kind, raw, self)
            return Piece(offset, raw, kind, {}, problem, known=False, doubtful=True)
        one = raw if broken is None or self.descriptors is not None else raw[: self.length]
        try:
            return Piece(offset, raw, kind, self.layout.decode(one)[body], broken)
        except Undecodable as error:
            fields = error.partial.get(body) or {}
            wrong = [str(each) for each in error.errors if each.structural]
            if kind == self.trailer:
                needed = [self.same[1], *(control.field for control in self.controls)]
                unread = (fields.get(name) for name in needed)
                wrong += [value.reason for value in unread if isinstance(value, Unreadable)]
            return Piece(offset, raw, kind, fields, broken or "; ".join(wrong) or None, doubtful=True)

    def _aligned(self, stream: BinaryIO) -> Iterator[Piece]:
        """Records of one length, one after another.

        Each is held until the next was looked at. Where that is none, and none stands behind it either, one of the two
        may have another length: if records begin again elsewhere, what lies before that is one piece, and refused.
        """
        lookahead = _Lookahead(stream)
        before: Piece | None = None
        offset = 0
        while raw := lookahead.take(self.length):
            short = None if len(raw) == self.length else f"truncated: {len(raw)} of {self.length} bytes"
            piece = self.judged(offset, raw, short)
            if (piece.doubtful or piece.problem is not None) and not self._right(lookahead.peek(self.length)):
                held = b"" if before is None else before.raw
                again = self._again(held + raw + lookahead.peek(2 * self.length), len(held) + self.length)
                if again is not None:
                    lookahead.put_back((held + raw)[again:])
                    if before is None or self._innocent(before, piece, again - len(held)):
                        piece = self._misfit(offset, raw[: again - len(held)])
                    else:
                        offset = before.offset
                        piece = self._misfit(offset, (held + raw)[:again])
                        before = None
                    raw = piece.raw
            if before is not None:
                yield before
            before = piece
            offset += len(raw)
        if before is not None:
            yield before

    def _misfit(self, offset: int, raw: bytes) -> Piece:
        return self.judged(offset, raw, f"wrong length: {len(raw)} bytes, {self.length} expected")

    def _innocent(self, before: Piece, piece: Piece, surplus: int) -> bool:
        """Whether it is not the record before, but the piece, that has another length: there are `surplus` bytes of it.

        Where a kind stands a record begins. Where none does, the record before was longer, or this one lost its start.
        """
        if surplus <= 0:
            return False
        if piece.known or before.doubtful or before.problem is not None or 3 * surplus < self.length:
            return piece.known
        ending = before.raw[:-surplus] + piece.raw[:surplus]  # if it is a record's end, it can end the one before
        return 2 * surplus >= self.length or self._right(ending)

    def _right(self, raw: bytes) -> bool:
        """Whether it is a record with nothing wrong."""
        if len(raw) != self.length:
            return False
        piece = self.judged(0, raw)
        return piece.problem is None and not piece.doubtful

    def _again(self, data: bytes, last: int) -> int | None:
        """Where behind the first byte and up to `last` a record stands, with another behind it or the file's end."""
        tries = TRIES
        at = 0
        while tries and (match := self.begins.search(data, at + 1)) is not None:
            at, end = match.start(), match.start() + self.length
            if at > last or end > len(data):
                return None
            if end == len(data) or self.begins.match(data, end):
                if self.layout.fits(data[at:end]):
                    return at
                tries -= 1
        return None

    def _described(self, stream: BinaryIO, descriptors: Descriptors) -> Iterator[Piece]:
        """Records behind their descriptor words."""
        for one in described(partial(_take, stream), descriptors):
            yield self.judged(one.offset, one.raw, one.problem)


class _Lookahead:
    """A stream that can be looked into, and take back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._held = b""

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end only; they come again."""
        if len(self._held) < size:
            self._held += _take(self._stream, size - len(self._held))
        return self._held[:size]

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if not self._held:
            return _take(self._stream, size)
        data = self.peek(size)
        self._held = self._held[size:]
        return data

    def put_back(self, data: bytes) -> None:
        """What was taken and comes again."""
        self._held = data + self._held


@dataclass(slots=True)
class _Reading:
    """What is known of a file half read."""

    format: FixedFormat
    header: Fields | None = None
    trailer: tuple[str, bytes, Fields] | None = None
    behind: int = 0
    totals: Totals = field(init=False)

    def __post_init__(self) -> None:
        self.totals = Totals(self.format.controls, self.format.same)

    def take(self, number: int, place: str, piece: Piece) -> Iterator[Read]:
        problem = piece.problem
        if self.trailer is not None and not piece.raw.strip(PADDING):
            yield Outside(place, piece.raw, {"what": "padding"})
            return
        if self.trailer is not None:
            self.behind += 1
            problem = "a record behind the trailer"
        elif piece.known and piece.kind == self.format.detail:
            self.totals.add(piece.fields)
        yield from self._sort(piece, number, place, problem)

    def _sort(self, piece: Piece, number: int, place: str, problem: str | None) -> Iterator[Read]:
        fixed, kind, raw, fields = self.format, piece.kind, piece.raw, piece.fields
        if problem is not None and kind == fixed.header and piece.known and self._check_header(fields) is None:
            self.header = fields  # refused as it is, but what it says can be relied on
        if problem is None and kind == fixed.header:
            problem = self._check_header(fields)
        elif problem is None and self.header is None:
            problem = "no header that can be read stands before it"
        if problem is not None:
            yield BadRecord(problem, place=place, raw=raw)
        elif kind == fixed.header:
            self.header = fields
            yield Header(place, raw, fields)
        elif kind == fixed.trailer:
            self.trailer = (place, raw, fields)
        else:
            yield Record(place, raw, fields, self.header or {}, number)

    def _check_header(self, fields: Fields) -> str | None:
        return "a second header" if self.header is not None else self.format._wrong_header(fields)

    def end(self, place: str) -> Iterator[Read]:
        if self.trailer is None:
            yield BadRecord("the file ends without a trailer that can be read", place=place, raw=b"")
            return
        where, raw, trailer = self.trailer
        wrong = list(self.totals.disagreements(self.header or {}, trailer, self.behind))
        if wrong:
            yield BadRecord("; ".join(wrong), place=where, raw=raw)
        else:
            yield Closing(where, raw, trailer, self.header or {})


def _stranger(kind: str, raw: bytes, fixed: FixedFormat) -> str:
    """Why a record is none of the known kinds; a file sent as text is the usual reason."""
    # 0x40 is the blank of EBCDIC and a rare character in ASCII; packed and binary numbers are none in either.
    printable = sum((0x20 <= byte < 0x7F and byte != 0x40) or byte in b"\r\n" for byte in raw)
    if printable >= 0.8 * len(raw):
        return f"this is ASCII text, not EBCDIC code page {fixed.layout.page}"
    known = ", ".join(map(repr, fixed.bodies))
    if raw[:1] in (b"\r", b"\n", b"\x25", b"\x15"):
        return f"begins with a line end (hex {raw[:2].hex(' ')}): records have {fixed.length} bytes and no line ends"
    return f"{fixed.kind} is {kind!r} (hex {raw[:1].hex()}), one of {known} expected: wrong record length or code page?"


def _take(stream: BinaryIO, size: int) -> bytes:
    """`size` bytes, fewer at the end only: a pipe gives what it has."""
    data = stream.read(size)
    while 0 < len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            break
        data += more
    return data
