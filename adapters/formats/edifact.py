"""UN/EDIFACT interchanges (ISO 9735) to segments, as they really come: what is sloppy is read and counted.

Bytes go out as they came in, in pieces that together are the stream: nothing is dropped, so whatever a reader refuses
can be kept whole. No more than a buffer of them is in memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from typing import BinaryIO

LONGEST = 8192
"""Bytes of a segment; the longest that a guide allows has a tenth of it."""
STRAY = 1024
"""Bytes of text before or behind an interchange that are held to be an envelope of something else."""
_PAGES = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "latin-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF": "iso8859-7",
    "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9",
    "UNOW": "utf-8", "SIRE": "ascii", "IATA": "ascii", "IATB": "ascii",
}  # fmt: skip
_PADDING = re.compile(rb"[ \t\r\n\0\x1a\x03\x04]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_START = re.compile(rb"UNA(?=.{6}\s{0,16}UNB)|UNB(?=[+\x1d])", re.DOTALL)
_LATER = re.compile(rb"UNA(?=.{6}\s{0,16}UNB)|(?<=[\r\n])UNB(?=[+\x1d])", re.DOTALL)
"""What begins an interchange behind text that is no segment: in the middle of one, nothing else is sure."""
_TAG = re.compile("[A-Z]{3}")
_BYTES_OF_TAG = re.compile(rb"[A-Z]{3}(?![A-Za-z0-9])")
_BOUNDS = frozenset({"UNB", "UNZ"})
"""What opens or closes an interchange, and so ends a run."""
WINDOW = 1024
"""So many bytes are looked at together where there is nothing about them."""
SHORT = 13
"""So many bytes has a segment at most that is remembered: airports, states and counts come again and again.

Longer ones are names, numbers and days, which do not.
"""
_SCANNED = 32
"""So many bytes behind its first tell whether an interchange begins."""
Elements = list[list[str]]
"""Of a segment, each its components."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The separators of an interchange; `release` is empty where there is none."""

    component: bytes
    element: bytes
    release: bytes
    terminator: bytes

    def usable(self) -> bool:
        """Whether they can be told from each other and from data."""
        results = [mark for mark in (self.component, self.element, self.release, self.terminator) if mark]
        return len(set(results)) == len(results) and all(mark.isascii() and not mark.isalnum() for mark in results)


DEFAULT = Marks(b":", b"+", b"?", b"'")
LEVEL_B = Marks(b"\x1f", b"\x1d", b"", b"\x1c")


@dataclass(slots=True)
class Segment:
    """What one segment says. With a `problem` that is not trusted.

    `tag` is its name, empty for an empty segment; `kind` is what stands first behind it, by which guides tell segments
    of one tag apart; `blanks` tells the short way that blanks stood before it. Nobody changes a segment, which may
    stand for all that are spelled alike; it is not frozen because that costs a manifest of millions more than
    splitting them.
    """

    elements: Elements = field(default_factory=list)
    tag: str = ""
    kind: str = ""
    problem: str | None = None
    blanks: bool = field(default=False, compare=False)
    bounds: bool = field(default=False, compare=False)  # it opens or closes an interchange

    def at(self, element: int, component: int) -> str:
        """The component, counted as guides do (`C080 4.1`); empty if it is not there."""
        try:
            return self.elements[element][component - 1].strip()
        except IndexError:
            return ""


ADVICE = Segment([["UNA"]], "UNA")
"""What stands for UNA, whose characters are no elements."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Bytes outside an interchange, and what they are: padding, text that is tolerated, or neither."""

    offset: int
    raw: bytes
    problem: str | None = None
    padding: bool = False


@dataclass(slots=True)
class Run:
    """Segments of one interchange, one behind the other.

    `raw` are their bytes, with the blanks before each and what ends it; `ends` has where in `raw` each ends.
    """

    offset: int
    raw: bytes
    segments: list[Segment]
    ends: list[int]


Piece = Run | Outside


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
    _advised: bool = False  # UNA was the last segment

    def pieces(self) -> Iterator[Piece]:
        """All that there is, in order.

        A run ends where what is counted belongs to another interchange, which one that was not closed shows by its
        UNA, or else by its UNB.
        """
        while self._more(LONGEST + _SCANNED):
            if not self._inside:
                yield from self._outside()
                continue
            run = self._plain()
            if run is not None:
                yield run
            elif self._more(LONGEST + _SCANNED):
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
        start = _START.search(self._data, 0, LONGEST + _SCANNED)
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
        said = bytes(self._data[start : start + 6])
        marks = _stated(said)
        if marks is not None and said[4:5] == DEFAULT.terminator and said[5:6] in (b"\r", b"\n"):
            # one of its characters is missing: a line end ends no segment where the usual mark stands before it
            marks = Marks(marks.component, marks.element, DEFAULT.release, DEFAULT.terminator)
            self.tolerated["UNA of five characters"] += 1
        offset, raw = self._take(start + 6)
        if marks is None:
            self._inside = False
            yield Outside(offset, raw, "UNA states separators that cannot be told apart")
            return
        self._marks = marks
        self._advised = True
        yield _single(offset, raw, ADVICE)

    # --- inside -----------------------------------------------------------------------------------------------

    def _plain(self) -> Run | None:
        """The next segments as long as there is nothing about them: a shorter way to what `_segment` says of each.

        They are whole and in sight, ASCII, have a tag, nothing released and no control character. As much as a window
        holds is looked at together.
        """
        if self._cut or self._page is None:
            return None
        data, terminator = self._data, self._marks.terminator
        last = data.rfind(terminator, 0, WINDOW)
        if (
            last > 0 and (closing := data.find(b"UNZ", 0, last)) >= 0
        ):  # what stands behind it is looked at when its turn comes
            last = data.find(terminator, closing)
        window = bytes(data[: last + 1])
        remembered, closely = _short_ways(self._marks)
        segments: list[Segment] = []
        ends: list[int] = []
        end = sloppy = 0
        for text in window.decode("latin-1").split(terminator.decode())[:-1]:
            size = len(text)
            segment = remembered(text) if size <= SHORT else closely(text)
            if segment is None:
                break
            if segment.bounds and segment.tag == "UNB" and (segments or not self._read_page(window[:size])):
                break
            end += size + 1
            segments.append(segment)
            ends.append(end)
            sloppy += segment.blanks
            if segment.bounds and not (segment.tag == "UNB" and self._advised):
                self._inside = segment.tag == "UNB"
                break
        if sloppy:
            self.tolerated["blanks or line ends behind a segment"] += sloppy
        self._advised = False
        return Run(*self._take(end), segments, ends) if segments else None

    def _segment(self) -> Iterator[Piece]:
        """The next segment."""
        self._advised = False
        start = 0 if self._cut else self._blank()
        if start == len(self._data) and self._ended:
            self._inside = False  # blanks at the end: padding
            return
        if start:
            self.tolerated["blanks or line ends behind a segment"] += 1
        if not self._cut and self._data.startswith(b"UNA", start) and _START.match(self._data, start):
            yield from self._advice(start + 3)
            return
        if not self._cut and self._strays(start):
            self._inside = False
            return
        if not self._cut and self._data.startswith(b"UNB", start):
            self._remark(bytes(self._data[start + 3 : start + 4]))
        end = self._end(start)
        if end < 0 and len(self._data) > LONGEST:
            begins = self._begins(start)
            self._cut = True
            yield _single(*self._take(LONGEST), _segment(begins, f"a segment of more than {LONGEST} bytes"))
        elif end < 0:
            begins = self._begins(start)
            self._inside = self._cut = False
            yield _single(*self._take(len(self._data)), _segment(begins, "the bytes end inside a segment"))
        elif self._cut:
            self._cut = False
            rest = f"the rest of a segment of more than {LONGEST} bytes"
            yield _single(*self._take(end + 1), Segment(problem=rest))
        else:
            offset, raw = self._take(end + 1)
            yield _single(offset, raw, self._split(raw[start:-1]))

    def _strays(self, start: int) -> bool:
        """Whether text that is no segment stands before another interchange: this one came without its end."""
        tag = _BYTES_OF_TAG.match(self._data, start)
        return tag is None and _LATER.search(self._data, start + 1, LONGEST + _SCANNED) is not None

    def _begins(self, start: int) -> Elements:
        """What a segment without an end begins with: which traveller is lost by it."""
        if self._cut:
            return []
        return split(bytes(self._data[start : start + 80]).decode("latin-1"), self._marks)

    def _blank(self) -> int:
        """Where the next segment begins, behind blanks that are no separator."""
        match = _blanks(self._marks).match(self._data, 0, LONGEST - 1)
        return match.end() if match else 0

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

    def _split(self, body: bytes) -> Segment:
        marks = self._marks
        lines = body.translate(None, _line_ends(marks))
        if len(lines) < len(body):
            self.tolerated["line ends inside a segment"] += 1
        if not lines.strip():
            self.tolerated["empty segment"] += 1
            return Segment()
        if lines.startswith(b"UNB"):
            self._read_page(lines)
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
        return _segment(elements, problem)

    def _read_page(self, body: bytes) -> bool:
        """The code page of the interchange, by its UNB; whether it is one that is read."""
        elements = body.split(self._marks.element)
        name = elements[1].split(self._marks.component)[0] if len(elements) > 1 else b""
        self._page = _PAGES.get(name.strip().decode("latin-1"))
        return self._page is not None


def split(text: str, marks: Marks) -> Elements:
    """The elements of a segment, each its components, release characters taken away."""
    component, element, release = (mark.decode() for mark in (marks.component, marks.element, marks.release))
    if not release or release not in text:
        return [part.split(component) for part in text.split(element)]
    elements: Elements = []
    parts, part = [], ""
    letters = iter(text)
    for letter in letters:
        if letter == release:
            part += next(letters, "")
        elif letter == component:
            parts.append(part)
            part = ""
        elif letter == element:
            elements.append([*parts, part])
            parts, part = [], ""
        else:
            part += letter
    return [*elements, [*parts, part]]


def _segment(elements: Elements, problem: str | None) -> Segment:
    if not elements:
        return Segment(problem=problem)
    return Segment(elements, elements[0][0].strip(), elements[1][0].strip() if len(elements) > 1 else "", problem)


def _single(offset: int, raw: bytes, segment: Segment) -> Run:
    return Run(offset, raw, [segment], [len(raw)])


@lru_cache(maxsize=64)
def _stated(said: bytes) -> Marks | None:
    """The separators in the six characters of a UNA; none if they cannot be told apart."""
    component, element, _, release, _, terminator = (said[at : at + 1] for at in range(6))
    marks = Marks(component, element, b"" if release == b" " else release, terminator)
    return marks if marks.usable() else None


@lru_cache(maxsize=8)
def _short_ways(marks: Marks) -> tuple[Callable[[str], Segment | None], Callable[[str], Segment | None]]:
    """How a segment is split that there is nothing about: one that remembers short segments, one that does not."""
    others = marks.component.decode(), marks.element.decode(), marks.release.decode()
    closely = partial(_plain_segment, _plain_blanks(marks), *others)
    return lru_cache(maxsize=4096)(closely), closely


def _plain_segment(blanks: str, component: str, element: str, release: str, text: str) -> Segment | None:
    """The segment if there is nothing about it; none if it wants a closer look."""
    body = text.lstrip(blanks)
    if not body.isprintable() or not body.isascii():  # a control character, a line end, or as the code page says
        return None
    if release and release in body:
        return None
    elements = [part.split(component) if component in part else [part] for part in body.split(element)]
    tag = elements[0][0]
    if not _is_tag(tag) or tag == "UNA" or (tag == "UNB" and body[3:4] != element):
        return None
    kind = elements[1][0].strip() if len(elements) > 1 else ""
    return Segment(elements, tag, kind, None, len(body) < len(text), tag in _BOUNDS)


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
