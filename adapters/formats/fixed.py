"""Files of records by copybook: fixed length, or variable with a record descriptor word; header, details, trailer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from adapters.core import BadRecord, Note, Read, Record
from adapters.formats.layout import Layout, Undecodable

LONGEST = 32_760
"""Greatest length that a record descriptor word can state (IBM, Using Data Sets)."""
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Control:
    """A total in the trailer's `field`: the number of details or the sum of a field `of` them, maybe only `where`."""

    field: str
    of: str | None = None
    where: tuple[str, str] | None = None
    modulo: int | None = None

    def amount(self, detail: Fields) -> int:
        """What one detail adds; nothing if the field could not be read, so that the total will not agree."""
        if self.where is not None and detail.get(self.where[0]) != self.where[1]:
            return 0
        value = 1 if self.of is None else detail.get(self.of)
        return value if isinstance(value, int) else 0


def accept(_: Fields) -> None:
    """No more to check in a header."""


@dataclass(frozen=True, slots=True)
class FixedFormat:
    """Reads such files. `layout` has a choice by `kind`, its first field, that tells the body of each kind of record.

    A detail's fields are `header`, `detail` (the bodies) and `number`. The trailer's note comes once the file was read
    to its end and the totals agree; it has `header` and `trailer`. With `described` every record has a descriptor word.
    `check` looks at a header and raises ValueError: a file with a header that is refused is refused record by record.
    """

    layout: Layout
    length: int
    kind: str
    header: str
    detail: str
    trailer: str
    same: tuple[str, str]  # a field of the header and one of the trailer
    controls: tuple[Control, ...] = ()
    check: Callable[[Fields], None] = accept
    described: bool = False

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every record, each refused one in its place. Raises nothing but errors of the stream."""
        reading = _Reading(self, self.bodies())
        number = offset = 0
        for number, (offset, raw, broken) in enumerate(self._pieces(stream), 1):
            place = f"record {number}, byte {offset}"
            yield from reading.take(number, place, raw, broken)
            offset += len(raw)
        yield from reading.end(f"record {number + 1}, byte {offset}")

    def ended(self, stream: BinaryIO) -> bool:
        """Whether the last thing in the file is a trailer. A file without descriptor words only."""
        size = stream.seek(0, 2)
        if self.described or size < self.length or size % self.length:
            return self.described
        stream.seek(size - self.length)
        return self.kind_of(stream.read(self.length)) == self.trailer

    def kind_of(self, raw: bytes) -> str:
        """The value of the record's first field."""
        return raw[: self.layout.record.children[0].size].decode(self.layout.page, "replace").strip()

    def bodies(self) -> Mapping[str, str]:
        """Kind of record to the name of its body."""
        return next(choice.groups for choice in self.layout.choices.values() if choice.by == self.kind)

    def _pieces(self, stream: BinaryIO) -> Iterator[tuple[int, bytes, str | None]]:
        """Offset and bytes of each record, and what is wrong with them as a piece."""
        offset = 0
        if not self.described:
            while raw := _take(stream, self.length):
                short = None if len(raw) == self.length else f"truncated: {len(raw)} of {self.length} bytes"
                yield offset, raw, short
                offset += len(raw)
            return
        while word := _take(stream, 4):
            size = int.from_bytes(word[:2], "big")
            if len(word) < 4 or word[2:] != b"\0\0" or not 4 < size <= LONGEST:
                # Behind a descriptor word that is wrong nobody knows where the next begins.
                reason = f"no record descriptor word (hex {word.hex(' ')}); the rest of the file cannot be told apart"
                rest = word + _take(stream, LONGEST - 4)
                while rest:
                    yield offset, rest, reason
                    offset += len(rest)
                    rest = _take(stream, LONGEST)
                return
            raw = _take(stream, size - 4)
            short = None if len(raw) == size - 4 else f"truncated: {len(raw)} of {size - 4} bytes"
            yield offset, raw, short
            offset += size


@dataclass(slots=True)
class _Reading:
    """What is known of a file half read."""

    format: FixedFormat
    bodies: Mapping[str, str]
    header: Fields | None = None
    trailer: tuple[str, bytes, Fields] | None = None
    behind: int = 0
    totals: dict[str, int] = field(default_factory=dict)

    def take(self, number: int, place: str, raw: bytes, broken: str | None) -> Iterator[Read]:
        fixed = self.format
        kind = fixed.kind_of(raw)
        if broken is None and self.trailer is not None:
            broken = "a record behind the trailer"
        if self.trailer is not None:
            self.behind += 1
        if broken is None and kind not in self.bodies:
            broken = _stranger(kind, raw, fixed)
        if broken is not None:
            yield BadRecord(broken, place=place, raw=raw)
            return
        body = self.bodies[kind]
        try:
            fields = fixed.layout.decode(raw)[body]
            problem = None
        except Undecodable as error:
            fields = error.partial.get(body) or {}
            problem = str(error)
        if kind == fixed.detail:
            self._count(fields)
        yield from self._sort(kind, number, place, raw, fields, problem)

    def _sort(
        self, kind: str, number: int, place: str, raw: bytes, fields: Fields, problem: str | None
    ) -> Iterator[Read]:
        fixed = self.format
        if problem is None and kind == fixed.header:
            problem = self._check_header(fields)
        elif problem is None and self.header is None:
            problem = "no header that can be read stands before it"
        if problem is not None:
            yield BadRecord(problem, place=place, raw=raw)
        elif kind == fixed.header:
            self.header = fields
            yield Note(place, raw, {"header": fields})
        elif kind == fixed.trailer:
            self.trailer = (place, raw, fields)
        else:
            yield Record(place, raw, {"header": self.header, "detail": fields, "number": number})

    def _check_header(self, fields: Fields) -> str | None:
        if self.header is not None:
            return "a second header"
        try:
            self.format.check(fields)
        except ValueError as error:
            return str(error)
        return None

    def _count(self, detail: Fields) -> None:
        for control in self.format.controls:
            self.totals[control.field] = self.totals.get(control.field, 0) + control.amount(detail)

    def end(self, place: str) -> Iterator[Read]:
        if self.trailer is None:
            yield BadRecord("the file ends without a trailer that can be read", place=place, raw=b"")
            return
        where, raw, trailer = self.trailer
        wrong = list(self._disagreements(self.header or {}, trailer))
        if wrong:
            yield BadRecord("; ".join(wrong), place=where, raw=raw)
        else:
            yield Note(where, raw, {"header": self.header, "trailer": trailer})

    def _disagreements(self, header: Fields, trailer: Fields) -> Iterator[str]:
        mine, its = self.format.same
        if header.get(mine) != trailer[its]:
            yield f"{its} is {trailer[its]}, {mine} of the header is {header.get(mine)}"
        if self.behind:
            yield f"{self.behind} records behind the trailer"
        for control in self.format.controls:
            total = self.totals.get(control.field, 0)
            if control.modulo is not None:
                total %= control.modulo
            if trailer[control.field] != total:
                yield f"the trailer says {control.field} {trailer[control.field]}, the file has {total}"


def _stranger(kind: str, raw: bytes, fixed: FixedFormat) -> str:
    """Why a record is none of the known kinds; a file sent as text is the usual reason."""
    printable = sum(0x20 <= byte < 0x7F or byte in b"\r\n" for byte in raw)
    if printable >= 0.95 * len(raw):
        return f"this is ASCII text, not EBCDIC code page {fixed.layout.page}"
    known = ", ".join(map(repr, fixed.bodies()))
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
