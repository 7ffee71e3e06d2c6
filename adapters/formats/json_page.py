"""A page of JSON: an object with an array of records in it, or an array alone. Each record is read alone.

A page has an upper size, so it is read whole. Every byte is in the `raw` of exactly one read: what stands before the
first record is the header, whose fields are the page's other members; what stands behind the last is outside.

Bytes that are no UTF-8, NaN and numbers of thousands of digits cost the value that they stand in; a page whose brackets
do not close is refused whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

from adapters.core import BadRecord, Header, Met, Outside, Read, Unreadable
from adapters.formats.json_values import NoJson, behind_blanks, members, record_of, value_at


@dataclass(frozen=True, slots=True)
class JsonPage:
    """Reads such pages. `items`: the member with the records; empty where the page is the array."""

    anything: ClassVar[bool] = True  # values may be of any type
    items: str = "items"
    longest: int = 16 * 2**20

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every record, each refused one in its place. Raises nothing but errors of the stream."""
        data = _piece(stream, self.longest)
        more = _piece(stream, self.longest) if len(data) == self.longest else b""
        if more:
            at = 0
            while data:
                yield BadRecord(f"a page of more than {self.longest} bytes", place=f"byte {at}", raw=data)
                at, data, more = at + len(data), more, _piece(stream, self.longest) if more else b""
            return
        text = data.decode(errors=_KEPT)
        try:
            yield from _Page(text, self.items).reads()
        except NoJson as error:
            yield BadRecord(f"no JSON: {error}", place=f"character {error.at}", raw=data)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A record of a page, at its number in it."""
        try:
            text = raw.decode(errors=_KEPT)
            value, end = value_at(text, behind_blanks(text, 0), patient=True)
            if text[end:].strip(", \t\r\n"):
                raise NoJson("text behind the record", end)
        except NoJson as error:
            yield BadRecord(f"no JSON: {error}", place=met.place, raw=raw)
            return
        yield record_of(_readable(value, text), raw, met.place, met.ordinal or 0, {})

    def render(self, raw: bytes) -> Iterator[str]:
        """The members of a record. Raises ValueError if it is none."""
        text = raw.decode(errors=_KEPT)
        yield from members(_readable(value_at(text, behind_blanks(text, 0), patient=True)[0], text))


_KEPT = "surrogateescape"
_STRANGE = re.compile("[\udc80-\udcff]")
"""What bytes that are no UTF-8 are decoded to."""


def _readable(value: Any, text: str) -> Any:
    """A value whose texts that were no UTF-8 cannot be read."""
    if _STRANGE.search(text) is None:
        return value
    if isinstance(value, str):
        return Unreadable("no UTF-8") if _STRANGE.search(value) else value
    if isinstance(value, dict):
        return {name: _readable(each, text) for name, each in value.items()}
    return [_readable(each, text) for each in value] if isinstance(value, list) else value


def _piece(stream: BinaryIO, size: int) -> bytes:
    """The next bytes, fewer at the end only; no more memory is taken than there are."""
    data = b""
    while len(data) < size and (more := stream.read(min(2**16, size - len(data)))):
        data += more
    return data


class _Page:
    """One page's text, read from its beginning to its end."""

    def __init__(self, text: str, items: str) -> None:
        self._text = text
        self._items = items
        self._header: dict[str, Any] = {}
        self._list_at: list[tuple[int, Any]] = []  # where each record begins, and its value
        self._end = -1  # of the last record, or of the bracket before none

    def reads(self) -> list[Read]:
        """All of it. Raises NoJson."""
        text = self._text
        at = behind_blanks(text, 1 if text.startswith("\ufeff") else 0)
        at = self._object(at) if self._items else self._array(at)
        if behind_blanks(text, at) < len(text):
            raise NoJson("text behind the page", at)
        if self._end < 0:
            raise NoJson(f"no array {self._items!r} in it", 0)
        begins = [begin for begin, _ in self._list_at]
        ends = [*begins[1:], self._end] if begins else []
        strange = _STRANGE.search(text) is not None
        header = Header("the page", text[: begins[0] if begins else self._end].encode(errors=_KEPT), self._header)
        reads: list[Read] = [header]
        for number, ((begin, value), end) in enumerate(zip(self._list_at, ends, strict=True), 1):
            item = _readable(value, text[begin:end]) if strange else value
            raw = text[begin:end].encode(errors=_KEPT)
            reads.append(record_of(item, raw, f"record {number}", number, self._header))
        reads.append(Outside("the end", text[self._end :].encode(errors=_KEPT)))
        return reads

    def _object(self, at: int) -> int:
        at = self._expect(at, "{")
        while self._text[at : at + 1] != "}":
            name, at = value_at(self._text, at, patient=True)
            if not isinstance(name, str):
                raise NoJson("a member without a name", at)
            at = self._expect(behind_blanks(self._text, at), ":")
            if name in self._header or (name == self._items and self._end >= 0):
                raise NoJson(f"{name!r} stands twice", at)
            if name == self._items:
                at = self._array(at)
            else:
                self._header[name], at = value_at(self._text, at, patient=True)
            at = self._next(at, "}")
        return at + 1

    def _array(self, at: int) -> int:
        at = self._expect(at, "[")
        self._end = at
        while self._text[at : at + 1] != "]":
            begin = at
            value, at = value_at(self._text, at, patient=True)
            self._list_at.append((begin, value))
            self._end = at
            at = self._next(at, "]")
        return at + 1

    def _expect(self, at: int, mark: str) -> int:
        if self._text[at : at + 1] != mark:
            raise NoJson(f"{mark!r} expected", at)
        return behind_blanks(self._text, at + 1)

    def _next(self, at: int, last: str) -> int:
        """Where the next member or item begins, or the bracket that ends them."""
        at = behind_blanks(self._text, at)
        mark = self._text[at : at + 1]
        if mark == last:
            return at
        if mark != ",":
            raise NoJson(f"',' or {last!r} expected", at)
        at = behind_blanks(self._text, at + 1)
        if self._text[at : at + 1] == last:
            raise NoJson("a value expected", at)
        return at
