"""Positional messages: records of one length, each begun by its id; several make an entry, a trailer counts them.

The manner is that of CBP's CATAIR (ACE ABI): an id of the record at its front, another for each thing that it says. A
message is a header, entries and a trailer; several stand one behind another in a file. An entry is all records behind
one of the id `first` that have its sequence number; what one of them says stands in the entry's fields, and of those
that may repeat in a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from adapters.core import BadRecord, Closing, Header, Read, Record, Unreadable
from adapters.fields import Fields
from adapters.formats.copybook import Item
from adapters.formats.layout import Layout, Undecodable

MOST = 200
"""Records of an entry."""
_PIECE = 4096
Values = dict[str, Any]


def accept(_: Fields) -> None:
    """No more to check in a header."""


@dataclass(frozen=True, slots=True)
class Positional:
    """The format. `layouts`: of each record by its id, which is the record's first field and one length in all of them.

    `sequence`: the field by which records of an entry belong together. `repeats`: id to the name of the list.
    `counts`: the trailer's numbers of entries and of all records. `same`: a field of the header and one of the trailer.
    `check` looks at a header and raises ValueError.
    """

    layouts: Mapping[str, Layout]
    header: str
    first: str
    trailer: str
    sequence: str
    counts: tuple[str, str]
    same: tuple[str, str]
    repeats: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Fields], None] = accept
    length: int = field(init=False)
    ids: Mapping[bytes, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        lengths = {layout.length for layout in self.layouts.values()}
        (length,) = lengths
        object.__setattr__(self, "length", length)
        ids = {name.encode(layout.page): name for name, layout in self.layouts.items()}
        object.__setattr__(self, "ids", ids)

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every entry, each refused one in its place. Raises nothing but errors of the stream."""
        reading = _Reading(self)
        offset = 0
        for raw, known in self._records(stream):
            yield from reading.take(offset, raw, known)
            offset += len(raw)
        yield from reading.end(offset)

    def field_names(self) -> Sequence[str]:
        """The elementary fields of all records, without fillers and the ids."""

        def names(item: Item) -> Iterator[str]:
            if item.picture is not None and item.name != "FILLER":
                yield item.name
            for child in item.children:
                yield from names(child)

        first = {layout.record.children[0].name for layout in self.layouts.values()}
        every = (name for layout in self.layouts.values() for name in names(layout.record))
        return tuple(name for name in dict.fromkeys(every) if name not in first)

    def render(self, raw: bytes) -> Iterator[str]:
        """The fields of each record. Raises ValueError if none begins with an id."""
        if not any(raw.startswith(each) for each in self.ids):
            raise ValueError("no record of this interface")
        for at in range(0, len(raw), self.length):
            one = raw[at : at + self.length]
            layout = self.layouts.get(self.id_of(one) or "")
            if layout is None:
                yield f"> {at + 1:5}  {one[:24].hex(' ')}"
                continue
            for seen in layout.inspect(one):
                mark, value = (" ", str(seen.value)) if seen.wrong is None else (">", seen.wrong)
                value = "".join(each if each.isprintable() else "?" for each in value)
                yield f"{mark} {at + seen.offset + 1:5}  {seen.name:<24} {value}".rstrip()

    def id_of(self, raw: bytes) -> str | None:
        """The id that a record begins with, None if it is none of this interface."""
        for each, name in self.ids.items():
            if raw.startswith(each):
                return name
        return None

    def _records(self, stream: BinaryIO) -> Iterator[tuple[bytes, str | None]]:
        """Records by their ids; what is none in pieces up to where one begins again."""
        held = b""
        while True:
            while len(held) < 3 * self.length and (more := stream.read(_PIECE)):
                held += more
            if not held:
                return
            known = self.id_of(held)
            # a record with an id, and behind it another or the end: else one of the two has another length
            size = self.length if known is not None and self._joins(held, self.length) else self._again(held)
            raw, held = held[:size], held[size:]
            yield raw, known if len(raw) == self.length else None

    def _joins(self, data: bytes, at: int) -> bool:
        """Whether a record begins there, or the bytes end."""
        return at >= len(data) or self.id_of(data[at:]) is not None

    def _again(self, data: bytes) -> int:
        """Where behind its first byte a record begins that another follows; all of it where none does in sight."""
        last = min(len(data), 2 * self.length + 1)
        for at in range(1, last):
            if self.id_of(data[at:]) is not None and self._joins(data, at + self.length):
                return at
        return min(len(data), self.length)


@dataclass(slots=True)
class _Entry:
    """Records that belong together, half read."""

    offset: int
    number: int
    chunks: list[bytes] = field(default_factory=list)
    fields: Values = field(default_factory=dict)
    problem: str | None = None


@dataclass(slots=True)
class _Reading:
    """A stream half read."""

    format: Positional
    header: Values | None = None
    problem: str | None = "no header that can be read stands before it"
    entry: _Entry | None = None
    messages: int = 0
    entries: int = 0
    records: int = 0

    def take(self, offset: int, raw: bytes, known: str | None) -> Iterator[Read]:
        """The next record."""
        form = self.format
        self.records += 1
        if known is None:
            yield from self._stranger(offset, raw)
        elif known == form.header:
            yield from self._close("")
            yield from self._cut(offset)
            yield self._begin(offset, raw)
        elif known == form.trailer:
            yield from self._close("")
            yield self._end(offset, raw)
        elif known == form.first:
            yield from self._close("")
            self.entries += 1
            self.entry = _Entry(offset, self.entries)
            self._add(raw, known)
        elif self.entry is None:
            yield BadRecord(f"{known} without {form.first} before it", place=self._place(offset), raw=raw)
        else:
            self._add(raw, known)

    def end(self, offset: int) -> Iterator[Read]:
        """The bytes are at their end."""
        yield from self._close("cut off: the message ends behind it without a trailer" if self.messages else "")
        yield from self._cut(offset)
        if not self.messages and not self.records:
            yield BadRecord("no message", place="byte 0", raw=b"")

    def _stranger(self, offset: int, raw: bytes) -> Iterator[Read]:
        """Bytes that are no record: of the entry before them nobody knows whether it is whole."""
        size = self.format.length
        why = f"{len(raw)} bytes that are no record of {size} with an id" if len(raw) != size else "no id of a record"
        printable = sum(0x20 <= byte < 0x7F and byte != 0x40 for byte in raw)
        if printable >= 0.8 * len(raw):
            why += ": this is ASCII text, not EBCDIC"
        yield from self._close(f"behind it: {why}")
        yield BadRecord(why, place=self._place(offset), raw=raw)

    def _decoded(self, raw: bytes, known: str) -> tuple[Values, str | None]:
        """What can be read of a record, and what is wrong with it as a whole."""
        layout = self.format.layouts[known]
        try:
            fields, problem = layout.decode(raw), None
        except Undecodable as error:
            fields = error.partial
            problem = "; ".join(str(each) for each in error.errors if each.structural) or None
        fields.pop(layout.record.children[0].name, None)
        return fields, problem

    def _add(self, raw: bytes, known: str) -> None:
        """One more record of the entry at hand."""
        entry, form = self.entry, self.format
        if entry is None:
            return
        entry.chunks.append(raw)
        fields, problem = self._decoded(raw, known)
        number = fields.pop(form.sequence, None)
        if isinstance(number, Unreadable):
            problem = problem or number.reason
        if known == form.first:
            entry.fields = {form.sequence: number, **fields}
        elif number != entry.fields.get(form.sequence):
            problem = problem or f"{known} has another {form.sequence} than {form.first}: a record between them is lost"
        elif known in form.repeats:
            entry.fields.setdefault(form.repeats[known], []).append(fields)
        elif fields.keys() & entry.fields.keys():
            problem = problem or f"{known} stands twice"
        else:
            entry.fields |= fields
        if len(entry.chunks) > MOST:
            problem = problem or f"more than {MOST} records"
            entry.chunks, entry.problem = [b"".join(entry.chunks)], problem
        entry.problem = entry.problem or problem

    def _close(self, cut: str) -> Iterator[Read]:
        """The entry at hand is over; `cut` says why it may not be whole."""
        entry, self.entry = self.entry, None
        if entry is None:
            return
        problem = self.problem or entry.problem or cut
        place, raw = self._place(entry.offset, entry.number), b"".join(entry.chunks)
        if problem:
            yield BadRecord(problem, place=place, raw=raw)
        else:
            yield Record(place, raw, entry.fields, self.header or {}, entry.number)

    def _begin(self, offset: int, raw: bytes) -> Read:
        self.messages += 1
        self.entries, self.records, self.header = 0, 1, None
        fields, self.problem = self._decoded(raw, self.format.header)
        try:
            if self.problem is None:
                self.format.check(Fields(fields))
        except ValueError as error:
            self.problem = str(error)
        if self.problem is not None:
            return BadRecord(self.problem, place=self._place(offset), raw=raw)
        self.header = fields
        return Header(self._place(offset), raw, fields)

    def _end(self, offset: int, raw: bytes) -> Read:
        """A trailer: what it counts is what there was."""
        form, place = self.format, self._place(offset)
        fields, problem = self._decoded(raw, form.trailer)
        counted = dict(zip(form.counts, (self.entries, self.records), strict=True))
        for name, count in counted.items():
            if problem is None and fields.get(name) != count:
                shown = value.reason if isinstance(value := fields.get(name), Unreadable) else value
                problem = f"{name} says {shown}, there are {count}"
        header = self.header
        if problem is None and header is not None and header.get(form.same[0]) != fields.get(form.same[1]):
            problem = f"{form.same[1]} is another than {form.same[0]} of the header"
        problem = problem or (self.problem if header is None else None)
        self.header, self.problem = None, "behind a trailer, and before a header"
        if problem is not None:
            return BadRecord(problem, place=place, raw=raw)
        return Closing(place, raw, fields, header or {})

    def _cut(self, offset: int) -> Iterator[Read]:
        """A message that came without its trailer."""
        if self.header is not None:
            self.header = None
            yield BadRecord("a message without a trailer", place=self._place(offset), raw=b"")

    def _place(self, offset: int, entry: int = 0) -> str:
        where = f"message {self.messages}" + (f" entry {entry}" if entry else "")
        return f"{where}, byte {offset}"
