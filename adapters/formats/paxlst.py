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

from adapters.core import BadRecord, Closing, Completeness, Header, Note, Outside, Read, Record
from adapters.dates import moment_of
from adapters.formats.edifact import Outside as Between
from adapters.formats.edifact import Run, Segment, Tokens

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
TURNS = SERVICE - {"AUT"} | {"NAD"}
"""What may begin another part, or is counted or compared; empty segments, which are not counted, stand out too."""
_CLOSED = re.compile(rb"([^\w\s+:?\x1d\x1f])\s*UNZ([^\w\s])\d*\2(?:(?!\1).)*\1[\s\0\x1a\x03\x04]*\Z", re.DOTALL)
"""A whole UNZ behind a segment, and nothing more: a name such as KUNZ closes nothing."""
_OTHERS = re.compile("[^0-9]+")
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Paxlst:
    """The format."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every traveller, each refused one in its place. Raises nothing but errors of the stream."""
        tokens = Tokens(stream)
        reading = _Reading(tokens.tolerated)
        for piece in tokens.pieces():
            if isinstance(piece, Between):
                reading.outside(piece)
            else:
                reading.take(piece)
            yield from reading.told
            reading.told.clear()
        reading.end()
        yield from reading.told

    def is_complete(self, stream: BinaryIO) -> Completeness:
        """Whether the last thing in the file closes an interchange."""
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 4096))
        return Completeness.CLOSED if _CLOSED.search(stream.read()) is not None else Completeness.OPEN


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
        elif segment.tag == "DTM" and stop is not None and segment.kind in ("189", "232"):
            way = "departs" if segment.kind == "189" else "arrives"
            stop[way] = full(segment.at(1, 2), segment.at(1, 3), f"DTM+{segment.kind}")
    return found


def _stop(found: list[Fields], segment: Segment, transport: Fields) -> Fields | None:
    """The stop that a LOC names: the last one again, or a further one."""
    role, port = segment.kind, segment.at(2, 1)
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
    if first.kind not in KINDS:
        raise ValueError(f"NAD of a party {first.kind[:3]!r}, one of {', '.join(KINDS)} expected")
    names = first.elements[4] if len(first.elements) > 4 else [""]
    given = " ".join(filter(None, map(str.strip, names[1:5])))
    said: Fields = {"family": names[0].strip(), "given": given, "documents": []}
    for segment in segments[1:]:
        _detail(said, segment)
    return said


def _detail(said: Fields, segment: Segment) -> None:
    """One more segment of a traveller. Raises ValueError."""
    tag, kind = segment.tag, segment.kind
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
    if not tags.issuperset([segment.tag for segment in segments]):
        strange = next(segment.tag for segment in segments if segment.tag not in tags)
        raise ValueError(f"{strange} in {what}")


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
    offset: int = 0
    size: int = 0
    chunks: list[bytes] = field(default_factory=list)
    padding: bytes = b""
    problem: str | None = None

    def add(self, run: Run, first: int, end: int) -> None:
        """These segments of a run."""
        start = run.ends[first - 1] if first else 0
        if not self.segments:
            self.offset = run.offset + start
        chunk = run.raw[start : run.ends[end - 1]]
        self.segments += run.segments[first:end]
        self.chunks.append(chunk)
        self.size += len(chunk)

    def full(self) -> bool:
        return len(self.segments) >= MOST_SEGMENTS or self.size >= MOST_BYTES

    def has_room(self, segments: int, size: int) -> bool:
        """Whether it is not full before the last of them, if it is not empty."""
        return len(self.segments) + segments <= MOST_SEGMENTS and self.size + size <= MOST_BYTES

    def raw(self) -> bytes:
        return b"".join(self.chunks) + self.padding


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
        return f"{' '.join(words)}, byte {part.offset}"


@dataclass(slots=True)
class _Reading:
    """A stream half read. `told` is what came of it; whoever passes it on takes it away."""

    tolerated: Counter[str]
    interchange: _Interchange | None = None
    part: _Part | None = None
    interchanges: int = 0
    anything: bool = False
    told: list[Read] = field(default_factory=list)

    def outside(self, piece: Between) -> None:
        """Bytes between interchanges. Padding goes with what stands before it."""
        part = self.part
        if piece.padding and part is not None and len(part.padding) + len(piece.raw) <= MOST_BYTES:
            part.padding += piece.raw
            return
        self._close()
        self.anything = self.anything or not piece.padding
        place = f"byte {piece.offset}"
        if piece.problem is not None:
            self.told.append(BadRecord(piece.problem, place=place, raw=piece.raw))
        else:
            self.told.append(Outside(place, piece.raw, {"what": "padding" if piece.padding else "text"}))

    def end(self) -> None:
        """The bytes are at their end."""
        self._close()
        if not self.anything:
            self.told.append(BadRecord("no interchange", place="byte 0", raw=b""))

    def take(self, run: Run) -> None:
        """The next segments. Nearly all only belong to the part at hand, and are taken together."""
        segments = run.segments
        if len(segments) == 1:
            self._turn(run, 0)
            return
        first = 0
        for index, segment in enumerate(segments):
            if segment.tag in TURNS:
                if first < index:
                    self._go_on(run, first, index)
                self._turn(run, index)
                first = index + 1
        if first < len(segments):
            self._go_on(run, first, len(segments))

    def _go_on(self, run: Run, first: int, end: int) -> None:
        """Segments of a run that there is nothing about, and that only belong to the part at hand."""
        at, part = self.interchange, self.part
        if at is None or part is None or not part.has_room(end - first, len(run.raw)):
            for index in range(first, end):
                self._turn(run, index)
            return
        part.add(run, first, end)
        at.segments += end - first

    def _turn(self, run: Run, index: int) -> None:
        """A segment that may begin or end something, or has a problem."""
        segment, at = run.segments[index], self.interchange
        tag = segment.tag
        if at is None or tag == "UNA" or (tag == "UNB" and "UNB" in at.references):
            self._close()
            self.anything = True
            self.interchanges += 1
            self.interchange = at = _Interchange(self.interchanges)
        part = self.part or _Part("envelope")
        kind = _begins(tag, segment, at, part)
        if kind is not None:
            self._flush(tag)
            part = _Part(kind)
        elif part.full():
            part = self._overflow(at, part)
        part.add(run, index, index + 1)
        part.problem = part.problem or segment.problem
        self.part = part
        _note(at, segment, self._differs)

    def _close(self) -> None:
        """The interchange is over, with UNZ or without; what it was is told."""
        at, part = self.interchange, self.part
        if at is None:
            return
        last = part if part is not None and part.kind == "tail" and not _stranger(part) else None
        if last is None:
            self._flush("end")
        if last is None or last.segments[-1].tag != "UNZ":
            self._differs("no UNZ")
        place = at.place(last) if last else f"interchange {at.number}, its end"
        self.told.append(Closing(place, last.raw() if last else b"", self._totals(at)))
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

    def _flush(self, closed_by: str) -> None:
        """The part at hand goes out."""
        at, part = self.interchange, self.part
        self.part = None
        if at is None or part is None or not part.segments:
            return
        if part.kind == "traveller":
            self.told.append(_traveller(at, part, closed_by))
        elif part.kind == "heading":
            self.told.append(_heading(at, part, closed_by))
        elif problem := _stranger(part):
            self.told.append(BadRecord(problem, place=at.place(part), raw=part.raw()))
        else:
            self.told.append(Note(at.place(part), part.raw(), {"interchange": at.references.get("UNB", "")}))
        if at.opened and closed_by in ("UNG", "UNH", "UNE", "UNZ", "end"):
            at.opened = False
            self._differs(f"message {at.messages} has no UNT")

    def _overflow(self, at: _Interchange, part: _Part) -> _Part:
        """A part without an end is refused in pieces; what comes behind it."""
        problem = f"more than {MOST_SEGMENTS} segments or {MOST_BYTES} bytes"
        if part.kind == "heading":
            at.heading_problem = f"a heading of {problem}"
        self.told.append(BadRecord(f"a {part.kind} of {problem}", place=at.place(part), raw=part.raw()))
        return _Part(part.kind, problem=f"the rest of a {part.kind} of {problem}")


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
        case "NAD" if at.opened and segment.kind not in REPORTING:
            return "traveller"
    return None


def _stranger(part: _Part) -> str | None:
    """What stands in an envelope or tail that does not belong there."""
    tags = [segment.tag for segment in part.segments]
    if part.problem or SERVICE.issuperset(tags):
        return part.problem
    strange = next(tag for tag in tags if tag not in SERVICE)
    return f"{strange[:3]} outside a message or behind its end"


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
    return Header(at.place(part), part.raw(), {"message": at.references.get("UNH", "")})


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
            at.references["UNH"] = segment.kind
            at.opened, at.heading_problem = True, None
        case "NAD" if at.opened and segment.kind not in REPORTING:
            at.travellers, at.in_message = at.travellers + 1, at.in_message + 1
        case "CNT" if segment.kind in ("41", "42") and segment.at(1, 2) != str(at.in_message):
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
    digits = _OTHERS.sub("", segment.at(5, 1))
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
    if segment.kind.lstrip("0") != str(count or ""):
        differs(f"{where}{segment.tag} says {segment.kind[:9]}, there are {count}")
    if segment.at(2, 1) != at.references.get(opened, ""):
        differs(f"{where}{segment.tag} has another reference than {opened}")
