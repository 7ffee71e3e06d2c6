"""A message that is one JSON object (RFC 8259), however it is laid out; of several in a file each stands on a line.

Every byte is in the `raw` of exactly one read; blank lines go with what follows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

from adapters.core import BadRecord, Met, Outside, Read
from adapters.formats.json_values import NoJson, members, record_of, value_of


@dataclass(frozen=True, slots=True)
class JsonMessage:
    """Reads such messages. `longest`: bytes of one."""

    anything: ClassVar[bool] = True  # values may be of any type
    longest: int = 4 * 2**20

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every message, each refused one in its place. Raises nothing but errors of the stream."""
        held = _piece(stream, self.longest)
        if len(held) < self.longest and b"\n" in held.strip(b"\r\n"):
            try:
                yield record_of(value_of(held), held, "line 1", 1, {})
                return
            except NoJson:  # several lines are several messages
                pass
        blanks, at, line, number = b"", 0, 1, 0
        for raw, part in _lines(held, stream, self.longest):
            if not part and len(blanks) < self.longest and not raw.strip(b" \t\r\n"):
                blanks += raw
                continue
            begin = line + blanks.count(b"\n")
            place, whole = f"line {begin}, byte {at}", blanks + raw
            line, at, number, blanks = line + whole.count(b"\n"), at + len(whole), number + 1, b""
            reason = f"a message of more than {self.longest} bytes"
            yield BadRecord(reason, place=place, raw=whole) if part else self._one(whole, place, number)
        if blanks:
            yield Outside(f"line {line}, byte {at}", blanks)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A message again."""
        yield self._one(raw, met.place, met.ordinal or 0)

    def render(self, raw: bytes) -> Iterator[str]:
        """The members of a message. Raises ValueError if it is none."""
        yield from members(value_of(raw))

    def _one(self, raw: bytes, place: str, number: int) -> Read:
        try:
            return record_of(value_of(raw), raw, place, number, {})
        except NoJson as error:
            return BadRecord(f"no JSON: {error}, character {error.at}", place=place, raw=raw)


def _piece(stream: BinaryIO, size: int) -> bytes:
    """The next bytes, fewer at the end only; no more memory is taken than there are."""
    data = bytearray()
    while len(data) < size and (more := stream.read(min(2**16, size - len(data)))):
        data += more
    return bytes(data)


def _lines(held: bytes, stream: BinaryIO, longest: int) -> Iterator[tuple[bytes, bool]]:
    """Lines with their ends; one of more than `longest` bytes comes in parts, and that it is one is said."""
    at, cut = 0, False
    while True:
        end = held.find(b"\n", at, at + longest + 1)
        if end < 0 and len(held) - at <= longest:
            if more := _piece(stream, 2**16):
                held, at = held[at:] + more, 0
                continue
            end = len(held) - 1
            if end < at:
                return
        if end < 0:
            yield held[at : at + longest + 1], True
            at, cut = at + longest + 1, True
            continue
        yield held[at : end + 1], cut
        at, cut = end + 1, False
