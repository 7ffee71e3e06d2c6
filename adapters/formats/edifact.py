"""UN/EDIFACT interchanges (ISO 9735) to segments, as they really come: what is sloppy is read and counted.

Bytes go out as they came in, in pieces that together are the stream: nothing is dropped, so whatever a reader refuses
can be kept whole. At most one segment is in memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import BinaryIO

LONGEST = 8192
"""Bytes of a segment; the longest that a guide allows has a tenth of it."""
STRAY = 1024
"""Bytes of text before or behind an interchange that are held to be an envelope of something else."""
_PAGES = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "latin-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF": "iso8859-7",
    "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9",
    "UNOW": "utf-8", "SIRE": "ascii",
}  # fmt: skip
_PADDING = re.compile(rb"[ \t\r\n\0\x1a\x03\x04]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_START = re.compile(rb"UNA(?=.{6}\s{0,16}UNB)|UNB(?=[+\x1d])", re.DOTALL)
_TAG = re.compile("[A-Z]{3}")
_BOUNDS = frozenset({"UNA", "UNB", "UNZ"})
"""What opens or closes an interchange."""
WINDOW = 1024
"""So many bytes are looked at together where there is nothing about them."""
SHORT = 24
"""So many bytes has a segment at most whose elements are remembered."""
_AHEAD = 32
"""So many bytes behind its first tell whether an interchange begins."""
Components = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """The separators of an interchange; `release` is empty where there is none."""

    component: bytes
    element: bytes
    release: bytes
    terminator: bytes

    def usable(self) -> bool:
        """Whether they can be told from each other and from data."""
        found = [mark for mark in (self.component, self.element, self.release, self.terminator) if mark]
        return len(set(found)) == len(found) and all(mark.isascii() and not mark.isalnum() for mark in found)


DEFAULT = Marks(b":", b"+", b"?", b"'")
LEVEL_B = Marks(b"\x1f", b"\x1d", b"", b"\x1c")


@dataclass(slots=True)
class Segment:
    """One segment. `raw` has the blanks before it and what ends it. With a `problem` its content is not trusted.

    `tag` is its name, empty for an empty segment. Nobody changes a segment; it is not frozen because that costs a
    manifest of millions more than splitting them.
    """

    offset: int
    raw: bytes
    elements: tuple[Components, ...] = ()
    problem: str | None = None
    tag: str = ""

    def __post_init__(self) -> None:
        if not self.tag and self.elements:
            self.tag = self.elements[0][0].strip()

    def at(self, element: int, component: int) -> str:
        """The component, counted as guides do (`C080 4.1`); empty if it is not there."""
        if element < len(self.elements):
            components = self.elements[element]
            if component <= len(components):
                return components[component - 1].strip()
        return ""


@dataclass(frozen=True, slots=True)
class Outside:
    """Bytes outside an interchange, and what they are: padding, text that is tolerated, or neither."""

    offset: int
    raw: bytes
    problem: str | None = None
    padding: bool = False


Piece = Segment | Outside


@dataclass(slots=True)
class Tokens:
    """The pieces of a stream. `tolerated` counts what was sloppy; whoever tells it takes it away."""

    stream: BinaryIO
    tolerated: Counter[str] = field(default_factory=Counter)
    _data: bytearray = field(default_factory=bytearray)
    _offset: int = 0  # of the first byte of the data
    _ended: bool = False
    _marks: Marks = DEFAULT
    _page: str | None = "ascii"
    _cut: bool = False  # the rest of an overlong segment comes
    _inside: bool = False
    _before: bool = False  # there was an interchange

    def pieces(self) -> Iterator[Piece]:
        """All of them, in order."""
        while self._more(LONGEST + _AHEAD):
            if not self._inside:
                yield from self._outside()
                continue
            yield from self._plain()
            if self._more(LONGEST + _AHEAD):
                yield from self._segment()

    # --- the buffer -------------------------------------------------------------------------------------------

    def _more(self, wanted: int) -> bool:
        """Have `wanted` bytes, or all there are; whether there are any."""
        while len(self._data) < wanted and not self._ended:
            read = self.stream.read(65_536)
            self._ended = not read
            self._data += read
        return bool(self._data)

    def _take(self, size: int) -> tuple[int, bytes]:
        """Offset and bytes of the next `size` bytes."""
        offset, raw = self._offset, bytes(self._data[:size])
        del self._data[:size]
        self._offset += len(raw)
        return offset, raw

    # --- outside an interchange -------------------------------------------------------------------------------

    def _outside(self) -> Iterator[Piece]:
        """What stands before the next interchange; at the start of one, go inside."""
        padding = _PADDING.match(self._data, 0, LONGEST)
        if padding is not None:
            yield Outside(*self._take(padding.end()), padding=True)
            return
        start = _START.search(self._data, 0, LONGEST + _AHEAD)
        if start is not None and start.start() == 0:
            yield from self._begin()
            return
        whole = start is not None or (self._ended and len(self._data) <= LONGEST)
        size = start.start() if start is not None else min(len(self._data), LONGEST)
        offset, raw = self._take(size)
        stray = whole and size <= STRAY and (self._before or start is not None)
        if not stray or b"NAD" in raw or b"UNH" in raw:
            yield Outside(offset, raw, "outside an interchange: no UNB with separators that are known before it")
            return
        self.tolerated["text outside the interchange"] += 1
        yield Outside(offset, raw)

    def _begin(self) -> Iterator[Piece]:
        """The separators of the interchange that begins here."""
        self._inside = self._before = True
        if self._data.startswith(b"UNA"):
            yield from self._advice(3)
            return
        self._marks = LEVEL_B if self._data[3:4] == b"\x1d" else DEFAULT
        self.tolerated["no UNA"] += 1

    def _advice(self, start: int) -> Iterator[Piece]:
        """UNA, whose six characters begin at `start`. With marks that nobody can tell apart, no interchange begins."""
        said = [bytes(self._data[at : at + 1]) for at in range(start, start + 6)]
        marks = Marks(said[0], said[1], b"" if said[3] == b" " else said[3], said[5])
        offset, raw = self._take(start + 6)
        if not marks.usable():
            self._inside = False
            yield Outside(offset, raw, "UNA states separators that cannot be told apart")
            return
        self._marks = marks
        yield Segment(offset, raw, (("UNA",),))

    # --- inside -----------------------------------------------------------------------------------------------

    def _plain(self) -> Iterator[Piece]:
        """The next segments as long as there is nothing about them: a shorter way to what `_segment` says of each.

        They are whole and in sight, ASCII, have a tag, nothing released and no control character, and neither open nor
        close an interchange. As much as a window holds is looked at together.
        """
        marks, data, at = self._marks, self._data, 0
        blanks, terminator = _plain_blanks(marks), marks.terminator.decode()
        others = marks.component.decode(), marks.element.decode(), marks.release.decode()
        while not self._cut and self._page is not None:
            end = data.rfind(marks.terminator, at, at + WINDOW) + 1
            window = bytes(data[at:end])
            taken = 0
            for text in window.decode("latin-1").split(terminator)[:-1]:
                body = text.lstrip(blanks)
                split = _known_elements if len(body) <= SHORT else _plain_elements
                elements = split(body, *others)
                if not elements:
                    break
                if len(body) < len(text):
                    self.tolerated["blanks or line ends behind a segment"] += 1
                start, taken = taken, taken + len(text) + 1
                yield Segment(self._offset + at + start, window[start:taken], elements, None, elements[0][0])
            at += taken
            if not window or taken < len(window):
                break
        del data[:at]
        self._offset += at

    def _segment(self) -> Iterator[Piece]:
        """The next segment."""
        start = 0 if self._cut else self._blank()
        if start == len(self._data) and self._ended:
            self._inside = False  # blanks at the end: padding
            return
        if start:
            self.tolerated["blanks or line ends behind a segment"] += 1
        if not self._cut and self._data.startswith(b"UNA", start) and _START.match(self._data, start):
            yield from self._advice(start + 3)
            return
        if not self._cut and self._data.startswith(b"UNB", start):
            self._remark(bytes(self._data[start + 3 : start + 4]))
        end = self._end(start)
        if end < 0 and len(self._data) > LONGEST:
            begins = self._begins(start)
            self._cut = True
            yield Segment(*self._take(LONGEST), begins, f"a segment of more than {LONGEST} bytes")
        elif end < 0:
            begins = self._begins(start)
            self._inside = self._cut = False
            yield Segment(*self._take(len(self._data)), begins, "the bytes end inside a segment")
        elif self._cut:
            self._cut = False
            yield Segment(*self._take(end + 1), problem=f"the rest of a segment of more than {LONGEST} bytes")
        else:
            offset, raw = self._take(end + 1)
            yield self._split(offset, raw, raw[start:-1])

    def _begins(self, start: int) -> tuple[Components, ...]:
        """What a segment without an end begins with: which traveller is lost by it."""
        if self._cut:
            return ()
        return split(bytes(self._data[start : start + 80]).decode("latin-1"), self._marks)

    def _blank(self) -> int:
        """Where the next segment begins, behind blanks that are no separator."""
        found = _blanks(self._marks).match(self._data, 0, LONGEST - 1)
        return found.end() if found else 0

    def _remark(self, mark: bytes) -> None:
        """An interchange behind one that was not closed, without UNA: its separators show behind UNB."""
        if mark != self._marks.element and mark in (b"+", b"\x1d"):
            self._marks = LEVEL_B if mark == b"\x1d" else DEFAULT

    def _end(self, start: int) -> int:
        """Where the segment's terminator is; below zero if it is not in sight."""
        marks = self._marks
        at = self._data.find(marks.terminator, start, LONGEST + 1)
        while at >= 0 and marks.release and self._released(start, at):
            at = self._data.find(marks.terminator, at + 1, LONGEST + 1)
        return at

    def _released(self, start: int, at: int) -> bool:
        """Whether an odd number of release characters stands before it."""
        first = at
        while first > start and self._data[first - 1 : first] == self._marks.release:
            first -= 1
        return (at - first) % 2 == 1

    def _split(self, offset: int, raw: bytes, body: bytes) -> Segment:
        marks = self._marks
        lines = body.translate(None, _line_ends(marks))
        if len(lines) < len(body):
            self.tolerated["line ends inside a segment"] += 1
        if not lines.strip():
            self.tolerated["empty segment"] += 1
            return Segment(offset, raw)
        if lines.startswith(b"UNB"):
            self._page = _page(lines, marks)
        problem = None if self._page is not None else "a character set that is not read"
        try:
            text = lines.decode(self._page or "latin-1")
        except UnicodeDecodeError:
            text, problem = lines.decode("latin-1"), "bytes that the character set of the interchange does not have"
        elements = split(text, marks)
        if any(_CONTROL.search(part) for element in elements for part in element):
            problem = problem or "a control character"
        if not _is_tag(elements[0][0]):
            problem = problem or "no tag of a segment"
        if elements[0][0] == "UNZ":
            self._inside = False
        return Segment(offset, raw, elements, problem)


def split(text: str, marks: Marks) -> tuple[Components, ...]:
    """The elements of a segment, each its components, release characters taken away."""
    component, element, release = (mark.decode() for mark in (marks.component, marks.element, marks.release))
    if not release or release not in text:
        return tuple(tuple(part.split(component)) for part in text.split(element))
    elements: list[Components] = []
    parts, part = [], ""
    letters = iter(text)
    for letter in letters:
        if letter == release:
            part += next(letters, "")
        elif letter == component:
            parts.append(part)
            part = ""
        elif letter == element:
            elements.append((*parts, part))
            parts, part = [], ""
        else:
            part += letter
    return (*elements, (*parts, part))


def _plain_elements(body: str, component: str, element: str, release: str) -> tuple[Components, ...]:
    """The elements of a segment that there is nothing about; none if it wants a closer look."""
    if not body.isprintable() or not body.isascii():  # a control character, a line end, or as the code page says
        return ()
    if release and release in body:
        return ()
    elements = tuple([tuple(part.split(component)) for part in body.split(element)])
    tag = elements[0][0]
    return elements if _is_tag(tag) and tag not in _BOUNDS else ()


_known_elements = lru_cache(maxsize=4096)(_plain_elements)
"""Of short segments, which are the same again and again: airports, states, counts."""


@lru_cache(maxsize=1024)
def _is_tag(text: str) -> bool:
    return _TAG.fullmatch(text) is not None


@cache
def _plain_blanks(marks: Marks) -> str:
    """Blanks and line ends that are no separator."""
    known = (marks.component, marks.element, marks.release, marks.terminator)
    return "".join(blank for blank in " \t\r\n" if blank.encode() not in known)


@cache
def _blanks(marks: Marks) -> re.Pattern[bytes]:
    """A run of them."""
    return re.compile(b"[" + _plain_blanks(marks).encode() + b"]*")


@cache
def _line_ends(marks: Marks) -> bytes:
    """Line ends that are no separator; they are in no character set of the standard."""
    known = (marks.component, marks.element, marks.release, marks.terminator)
    return bytes(byte for byte in b"\r\n" if bytes((byte,)) not in known)


def _page(body: bytes, marks: Marks) -> str | None:
    """The code page of the interchange, by its UNB."""
    elements = body.split(marks.element)
    name = elements[1].split(marks.component)[0] if len(elements) > 1 else b""
    return _PAGES.get(name.strip().decode("latin-1"))
