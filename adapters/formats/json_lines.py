"""Lines of JSON (JSON Lines, NDJSON): each line is an object and a record of its own; blank lines are nothing.

A line ends with LF or CRLF, the last one perhaps with the file. The stream is read in pieces, so that it may be one
that is being unwrapped, and no line costs more memory than the longest that is allowed.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from adapters.core import BadRecord, Completeness, Met, Outside, Read, Record
from adapters.formats.json_values import NoJson, members, record_of, value_of

_PIECE = 2**16
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Reads such lines. `longest`: so many bytes a line may have, its end included."""

    anything: ClassVar[bool] = True  # values may be of any type
    longest: int = 2**20

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every line, each refused one in its place. Raises nothing but errors of the stream."""
        number = 0
        for line, raw, part in self._lines(stream):
            place = f"line {line}"
            if part:
                rest = ", its rest" if part > 1 else ""
                yield BadRecord(f"a line of more than {self.longest} bytes", place=place + rest, raw=raw)
                continue
            read = self._read(raw, place, number + 1, first=line == 1)
            number += isinstance(read, Record)
            yield read

    def is_complete(self, stream: BinaryIO) -> Completeness:
        """Whether the last line is ended; nothing counts the lines."""
        size = stream.seek(0, 2)
        stream.seek(max(size - 1, 0))
        return Completeness.CLOSED if stream.read(1) in (b"", b"\n") else Completeness.OPEN

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A line, at its number."""
        yield self._read(raw, met.place, met.ordinal or 1, first=True)

    def render(self, raw: bytes) -> Iterator[str]:
        """The members of a line. Raises ValueError if it is no object."""
        yield from members(value_of(raw))

    def _lines(self, stream: BinaryIO) -> Iterator[tuple[int, bytes, int]]:
        """Each line with its number and 0, and one that is too long in parts that are counted from 1."""
        line, part, kept = 1, 0, b""
        while piece := stream.read(_PIECE):
            kept += piece
            *ended, kept = kept.split(b"\n")
            for each in ended:
                whole = len(each) < self.longest and not part
                yield line, each + b"\n", 0 if whole else part + 1
                line, part = line + 1, 0
            if len(kept) >= self.longest:
                part += 1
                yield line, kept, part
                kept = b""
        if kept:
            yield line, kept, part + 1 if part else 0

    def _read(self, raw: bytes, place: str, number: int, *, first: bool) -> Read:
        cut = "" if raw.endswith(b"\n") else ", and the line has no end: it may be cut short"
        if not raw.removeprefix(BOM_UTF8 if first else b"").strip(_BLANK):
            return Outside(place, raw)
        try:
            return record_of(value_of(raw), raw, place, number, {})
        except NoJson as error:
            return BadRecord(f"no JSON: {error} at character {error.at}{cut}", place=place, raw=raw)
