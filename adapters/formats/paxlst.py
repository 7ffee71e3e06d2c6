"""PAXLST (UN/EDIFACT D.02B, D.05B and their like): interchanges of manifests to travellers.

A record is a traveller; its fields are `interchange`, `heading` (the message's, alike for all its travellers),
`traveller` and `message` (its number in the interchange). What envelope, headings and trailers say goes into notes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO

from adapters.core import BadRecord, Note, Read, Record
from adapters.dates import moment_of
from adapters.formats.edifact import Outside, Segment, Tokens

MOST_SEGMENTS = 500
MOST_BYTES = 65_536
TOLD = 20
"""So many disagreements of an interchange are told one by one; all are counted."""
KINDS = ("FL", "DDU", "FM", "DDT")
REPORTING = ("MS", "VW")
SERVICE = frozenset({"", "UNA", "UNB", "UNG", "UNH", "CNT", "AUT", "UNT", "UNE", "UNZ"})
HEADING = frozenset({"", "UNH", "BGM", "RFF", "DTM", "NAD", "COM", "TDT", "LOC", "MEA", "GEI", "FTX", "QTY"})
TRAVELLER = frozenset(
    {"", "NAD", "ATT", "DTM", "MEA", "GEI", "FTX", "LOC", "COM", "EMP", "NAT", "RFF", "DOC", "CPI", "QTY"}
)
TURNS = SERVICE - {"", "AUT"} | {"NAD"}
"""What may begin another part, or is counted or compared."""
_CLOSED = re.compile(rb"([^\w\s+:?\x1d\x1f])\s*UNZ([^\w\s])\d*\2(?:(?!\1).)*\1[\s\0\x1a\x03\x04]*\Z", re.DOTALL)
"""A whole UNZ behind a segment, and nothing more: a name such as KUNZ closes nothing."""
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Paxlst:
    """The format."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every traveller, each refused one in its place. Raises nothing but errors of the stream."""
        tokens = Tokens(stream)
        reading = _Reading(tokens.tolerated)
        for piece in tokens.pieces():
            if isinstance(piece, Outside):
                yield from reading.outside(piece)
            elif not reading.goes_on(piece):
                yield from reading.take(piece)
        yield from reading.end()

    def ended(self, stream: BinaryIO) -> bool:
        """Whether the last thing in the file closes an interchange."""
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 4096))
        return _CLOSED.search(stream.read()) is not None


# --- what a heading and a traveller say --------------------------------------------------------------------------


def heading(segments: Sequence[Segment]) -> Fields:
    """Kind and function of the list, and the stops of the route. Raises ValueError."""
    _known(segments, HEADING, "a heading")
    if segments[0].at(2, 1) != "PAXLST":
        raise ValueError(f"a message {segments[0].at(2, 1)[:6]!r}, not PAXLST")
    begins = [segment for segment in segments if segment.tag == "BGM"]
    if len(begins) != 1:
        raise ValueError(f"{len(begins)} segments BGM in a heading, one expected")
    kind, function, message = (begins[0].at(element, 1) for element in (1, 2, 3))
    return {"kind": kind, "function": function, "message": message, "stops": stops(segments)}


def stops(segments: Sequence[Segment]) -> list[Fields]:
    """The airports of the route, each with its scheduled times and the transport that comes to it.

    Raises ValueError.
    """
    found: list[Fields] = []
    transport: Fields | None = None
    stop: Fields | None = None
    for segment in segments:
        if segment.tag == "TDT":
            transport = {"flight": segment.at(2, 1), "mode": segment.at(3, 1), "carrier": segment.at(5, 1)}
            stop = None
        elif segment.tag == "LOC" and transport is not None:
            stop = _stop(found, segment, transport)
        elif segment.tag == "DTM" and stop is not None and segment.at(1, 1) in ("189", "232"):
            way = "departs" if segment.at(1, 1) == "189" else "arrives"
            stop[way] = full(segment.at(1, 2), segment.at(1, 3), f"DTM+{segment.at(1, 1)}")
    return found


def _stop(found: list[Fields], segment: Segment, transport: Fields) -> Fields | None:
    """The stop that a LOC names: the last one again, or a further one."""
    role, port = segment.at(1, 1), segment.at(2, 1)
    if role not in ("125", "87", "92"):
        return None
    if found and found[-1]["port"] == port:
        return found[-1]
    stop = {"port": port, "role": role, "transport": transport, "departs": "", "arrives": ""}
    if role == "125" and found and found[-1]["role"] == "87" and found[-1]["transport"] is transport:
        found.insert(-1, stop)
    else:
        found.append(stop)
    return stop


def traveller(segments: Sequence[Segment]) -> Fields:
    """Names, references and documents. Raises ValueError."""
    _known(segments, TRAVELLER, "a traveller")
    first = segments[0]
    if first.at(1, 1) not in KINDS:
        raise ValueError(f"NAD of a party {first.at(1, 1)[:3]!r}, one of {', '.join(KINDS)} expected")
    given = " ".join(filter(None, (first.at(4, component) for component in (2, 3, 4, 5))))
    said: Fields = {"family": first.at(4, 1), "given": given, "documents": []}
    for segment in segments[1:]:
        _detail(said, segment)
    return said


def _detail(said: Fields, segment: Segment) -> None:
    """One more segment of a traveller. Raises ValueError."""
    tag, kind = segment.tag, segment.at(1, 1)
    if tag == "LOC":
        if kind in ("178", "179"):
            _once(said, kind, segment.at(2, 1))
        elif kind == "91" and said["documents"]:
            _once(said["documents"][-1], "issuer", segment.at(2, 1))
    elif tag == "RFF":
        if kind in ("AVF", "ABO"):
            _once(said, kind, segment.at(1, 2))
    elif tag == "DOC":
        said["documents"].append({"kind": kind, "number": segment.at(2, 1), "issuer": ""})
    elif tag == "NAT":
        said.setdefault("citizenship", segment.at(2, 1))
    elif tag == "ATT" and kind == "2":
        _once(said, "sex", segment.at(3, 1))
    elif tag == "DTM" and kind == "329":
        _once(said, "birth", segment.at(1, 2))
    elif tag == "NAD":
        raise ValueError("a second NAD")


def _once(said: Fields, name: str, value: str) -> None:
    """Two of a kind come of a NAD that was lost between two travellers. Raises ValueError."""
    if said.get(name) and value != said[name]:
        raise ValueError(f"two of a kind: {name}")
    said[name] = value


def _known(segments: Sequence[Segment], tags: frozenset[str], what: str) -> None:
    for segment in segments:
        if segment.tag not in tags:
            raise ValueError(f"{segment.tag} in {what}")


# --- dates -------------------------------------------------------------------------------------------------------


def full(text: str, form: str, what: str) -> str:
    """A date or time with the century, CCYYMMDD or CCYYMMDDHHMM. Raises ValueError."""
    length = {"101": 6, "102": 8, "201": 10, "203": 12, "": len(text)}.get(form)
    if length not in (6, 8, 10, 12) or len(text) != length or not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{what} {text[:14]!r} of format {form[:3]!r}")
    return text if length in (8, 12) else f"20{text}"


def birth(text: str, latest: date) -> str | None:
    """YYMMDD or CCYYMMDD as far as it is known: YYYY, YYYY-MM, YYYY-MM-DD. Raises ValueError."""
    if not text:
        return None
    if len(text) not in (6, 8) or not (text.isascii() and text.isdecimal()):
        raise ValueError("DTM+329 is no YYMMDD or CCYYMMDD")
    year, month, day = text[:-4], text[-4:-2], text[-2:]
    if month == "00" and day != "00":
        raise ValueError("DTM+329 has a day without a month")
    if len(year) == 2:
        century = latest.year // 100 * 100
        later = f"{century + int(year):04}{month}{day}" > latest.strftime("%Y%m%d")
        year = f"{century + int(year) - (100 if later else 0):04}"
    return "-".join(part for part in (year, month, day) if part != "00")


# --- from segments to parts --------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Part:
    """Segments that go out together: `envelope`, `heading`, `traveller` or `tail`."""

    kind: str
    segments: list[Segment] = field(default_factory=list)
    size: int = 0
    padding: bytes = b""
    problem: str | None = None

    def add(self, segment: Segment) -> None:
        self.segments.append(segment)
        self.size += len(segment.raw)
        self.problem = self.problem or segment.problem

    def full(self) -> bool:
        return len(self.segments) >= MOST_SEGMENTS or self.size >= MOST_BYTES

    def raw(self) -> bytes:
        return b"".join(segment.raw for segment in self.segments) + self.padding


@dataclass(slots=True)
class _Interchange:
    """What is known of an interchange half read."""

    number: int
    fields: Fields = field(default_factory=dict)
    problem: str | None = "no UNB before it"
    heading: Fields = field(default_factory=dict)
    heading_problem: str | None = None
    opened: bool = False  # a message
    groups: int = 0
    messages: int = 0
    in_group: int = 0
    travellers: int = 0
    in_message: int = 0
    segments: int = 0  # of the message
    references: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def place(self, part: _Part) -> str:
        """Where the part begins."""
        words = [f"interchange {self.number}"]
        if part.kind in ("heading", "traveller"):
            words.append(f"message {self.messages}")
        if part.kind == "traveller":
            words.append(f"traveller {self.in_message}")
        return f"{' '.join(words)}, byte {part.segments[0].offset}"


@dataclass(slots=True)
class _Reading:
    """A stream half read."""

    tolerated: Counter[str]
    interchange: _Interchange | None = None
    part: _Part | None = None
    interchanges: int = 0
    anything: bool = False

    def outside(self, piece: Outside) -> Iterator[Read]:
        """Bytes between interchanges. Padding goes with what stands before it."""
        part = self.part
        if piece.padding and part is not None and len(part.padding) + len(piece.raw) <= MOST_BYTES:
            part.padding += piece.raw
            return
        yield from self._close()
        self.anything = self.anything or not piece.padding
        place = f"byte {piece.offset}"
        if piece.problem is not None:
            yield BadRecord(piece.problem, place=place, raw=piece.raw)
        else:
            yield Note(place, piece.raw, {"outside": "padding" if piece.padding else "text"})

    def end(self) -> Iterator[Read]:
        """The bytes are at their end."""
        yield from self._close()
        if not self.anything:
            yield BadRecord("no interchange", place="byte 0", raw=b"")

    def goes_on(self, segment: Segment) -> bool:
        """Take a segment that only belongs to the part at hand, as nearly all do; whether it was one."""
        at, part = self.interchange, self.part
        if segment.tag in TURNS or at is None or part is None or segment.problem or part.full():
            return False
        part.segments.append(segment)
        part.size += len(segment.raw)
        if segment.elements:
            at.segments += 1
        return True

    def take(self, segment: Segment) -> Iterator[Read]:
        """The next segment."""
        tag = segment.tag
        if self.interchange is None or tag == "UNA" or (tag == "UNB" and "UNB" in self.interchange.references):
            yield from self._open()
        at, part = self._at()
        kind = _begins(tag, segment, at, part)
        if kind is not None:
            yield from self._flush(tag)
            self.part = part = _Part(kind)
        elif part.full():
            yield from self._overflow(at, part)
            part = self._at()[1]
        part.add(segment)
        _note(at, segment, self._differs)

    def _at(self) -> tuple[_Interchange, _Part]:
        if self.interchange is None:
            raise AssertionError("no interchange")
        if self.part is None:
            self.part = _Part("envelope")
        return self.interchange, self.part

    def _open(self) -> Iterator[Read]:
        yield from self._close()
        self.anything = True
        self.interchanges += 1
        self.interchange = _Interchange(self.interchanges)

    def _close(self) -> Iterator[Read]:
        """The interchange is over, with UNZ or without; what it was is told."""
        at, part = self.interchange, self.part
        if at is None:
            return
        last = part if part is not None and part.kind == "tail" and not _stranger(part) else None
        if last is None:
            yield from self._flush("end")
        if last is None or last.segments[-1].tag != "UNZ":
            self._differs("no UNZ")
        place = at.place(last) if last else f"interchange {at.number}, its end"
        yield Note(place, last.raw() if last else b"", self._totals(at))
        self.tolerated.clear()
        self.interchange = self.part = None

    def _totals(self, at: _Interchange) -> Fields:
        return {
            "interchange": at.references.get("UNB", ""),
            "messages": at.messages,
            "travellers": at.travellers,
            "tolerated": dict(sorted(self.tolerated.items())),
            "told": list(at.told),
        }

    def _differs(self, what: str) -> None:
        self.tolerated["a count, reference or trailer that is wrong"] += 1
        if self.interchange is not None and len(self.interchange.told) < TOLD:
            self.interchange.told.append(what)

    def _flush(self, closed_by: str) -> Iterator[Read]:
        """The part at hand goes out."""
        at, part = self.interchange, self.part
        self.part = None
        if at is None or part is None or not part.segments:
            return
        if part.kind == "traveller":
            yield _traveller(at, part, closed_by)
        elif part.kind == "heading":
            yield _heading(at, part, closed_by)
        elif problem := _stranger(part):
            yield BadRecord(problem, place=at.place(part), raw=part.raw())
        else:
            yield Note(at.place(part), part.raw(), {"interchange": at.references.get("UNB", "")})
        if at.opened and closed_by in ("UNG", "UNH", "UNE", "UNZ", "end"):
            at.opened = False
            self._differs(f"message {at.messages} has no UNT")

    def _overflow(self, at: _Interchange, part: _Part) -> Iterator[Read]:
        """A part without an end is refused in pieces."""
        problem = f"more than {MOST_SEGMENTS} segments or {MOST_BYTES} bytes"
        if part.kind == "heading":
            at.heading_problem = f"a heading of {problem}"
        yield BadRecord(f"a {part.kind} of {problem}", place=at.place(part), raw=part.raw())
        self.part = _Part(part.kind, problem=f"the rest of a {part.kind} of {problem}")


def _begins(tag: str, segment: Segment, at: _Interchange, part: _Part) -> str | None:
    """The kind of part that a segment begins; none if it belongs to the part at hand."""
    match tag:
        case "UNA" | "UNG":
            return "envelope"
        case "UNB":
            return None if [each.tag for each in part.segments] == ["UNA"] else "envelope"
        case "UNH":
            return "heading"
        case "CNT" | "UNT" | "UNE" | "UNZ":
            return None if part.kind == "tail" else "tail"
        case "NAD" if at.opened and segment.at(1, 1) not in REPORTING:
            return "traveller"
    return None


def _stranger(part: _Part) -> str | None:
    """What stands in an envelope or tail that does not belong there."""
    strange = next((segment.tag for segment in part.segments if segment.tag not in SERVICE), None)
    return part.problem or (f"{strange[:3]} outside a message or behind its end" if strange is not None else None)


def _heading(at: _Interchange, part: _Part, closed_by: str) -> Read:
    """The heading is whole: what it says counts for the travellers behind it."""
    at.heading_problem = at.heading_problem or at.problem or part.problem
    if at.heading_problem is None:
        try:
            at.heading = heading(part.segments)
        except ValueError as error:
            at.heading_problem = str(error)
    if at.heading_problem is not None and closed_by != "NAD":  # nobody else will tell it
        return BadRecord(at.heading_problem, place=at.place(part), raw=part.raw())
    return Note(at.place(part), part.raw(), {"message": at.references.get("UNH", "")})


def _traveller(at: _Interchange, part: _Part, closed_by: str) -> Read:
    place = at.place(part)
    cut = None if closed_by in ("NAD", "CNT", "UNT") else "cut off: the message is not closed behind it"
    problem = at.heading_problem or part.problem or cut
    if problem is None:
        try:
            said = traveller(part.segments)
            fields = {"interchange": at.fields, "heading": at.heading, "traveller": said, "message": at.messages}
            return Record(place, part.raw(), fields)
        except ValueError as error:
            problem = str(error)
    return BadRecord(problem, place=place, raw=part.raw())


# --- what service segments say of themselves ---------------------------------------------------------------------


def _note(at: _Interchange, segment: Segment, differs: Callable[[str], None]) -> None:
    """Keep what a segment opens, compare what it closes."""
    at.segments += 1 if segment.elements or segment.problem else 0
    match segment.tag:
        case "UNB":
            _header(at, segment)
        case "UNG":
            at.groups, at.in_group = at.groups + 1, 0
            at.references["UNG"] = segment.at(5, 1)
        case "UNH":
            at.messages, at.in_group, at.in_message, at.segments = at.messages + 1, at.in_group + 1, 0, 1
            at.references["UNH"] = segment.at(1, 1)
            at.opened, at.heading_problem = True, None
        case "NAD" if at.opened and segment.at(1, 1) not in REPORTING:
            at.travellers, at.in_message = at.travellers + 1, at.in_message + 1
        case "CNT" if segment.at(1, 1) in ("41", "42") and segment.at(1, 2) != str(at.in_message):
            differs(f"message {at.messages}: CNT says {segment.at(1, 2)[:9]}, it has {at.in_message} travellers")
        case "UNT":
            at.opened = False
            _compare(at, segment, at.segments, "UNH", differs)
        case "UNE":
            _compare(at, segment, at.in_group, "UNG", differs)
        case "UNZ":
            _compare(at, segment, at.groups or at.messages, "UNB", differs)


def _header(at: _Interchange, segment: Segment) -> None:
    """UNB. Without its date nobody knows which manifest is the later one."""
    at.references["UNB"] = segment.at(5, 1)
    digits = "".join(letter for letter in segment.at(5, 1) if letter in "0123456789")
    try:
        day, time = full(segment.at(4, 1), "", "UNB 4.1"), segment.at(4, 2)
        if len(day) != 8 or len(time) != 4 or not (time.isascii() and time.isdecimal()):
            raise ValueError("UNB 4 is no date and time")
        prepared = moment_of(int(f"{day}{time}00"), "UNB 4")
        at.fields = {"prepared": prepared, "reference": int(digits[-4:] or "0"), "test": segment.at(11, 1) == "1"}
        at.problem = segment.problem
    except ValueError as error:
        at.problem = str(error)


def _compare(at: _Interchange, segment: Segment, count: int, opened: str, differs: Callable[[str], None]) -> None:
    where = f"message {at.messages}: " if opened == "UNH" else ""
    if segment.at(1, 1).lstrip("0") != str(count or ""):
        differs(f"{where}{segment.tag} says {segment.at(1, 1)[:9]}, there are {count}")
    if segment.at(2, 1) != at.references.get(opened, ""):
        differs(f"{where}{segment.tag} has another reference than {opened}")
