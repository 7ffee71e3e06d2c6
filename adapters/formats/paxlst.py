"""PAXLST (UN/EDIFACT D.02B, D.05B and their like): interchanges of manifests to travellers.

A record is a traveller; its fields are those of `manifest.traveller`, and beside them `heading` (the message's),
`prepared` and `test` (the interchange's). Its header has the interchange's reference; its number is that of its message
in the interchange. What envelope, headings and trailers say goes into notes. The travellers of a message go out when it
is over: two who cannot be told apart in it are both refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO

from adapters.core import BadRecord, Closing, Completeness, Header, Note, Outside, Read, Record
from adapters.dates import moment_of
from adapters.formats.edifact import Outside as Between
from adapters.formats.edifact import Run, Segment, Tokens
from adapters.formats.manifest import REPORTING, Heading, another, full, heading, traveller, who

MOST_SEGMENTS = 500
MOST_BYTES = 65_536
HELD, HELD_BYTES = 2_000, 2**20
"""As many travellers of a message, and as many bytes, are held until it is over; beyond that they go out earlier."""
KNOWN = 5_000
"""So many travellers of an interchange are remembered: a further message may mean another by one reference."""
LISTED = 20
"""So many disagreements of an interchange are told one by one; all are counted."""
SERVICE = frozenset({"", "UNA", "UNB", "UNG", "UNH", "CNT", "AUT", "UNT", "UNE", "UNZ"})
TURNS = SERVICE - {"AUT"} | {"NAD"}
"""What may begin another part, or is counted or compared; empty segments, which are not counted, stand out too."""
COUNTED = TURNS - {"", "UNA"}
TAIL = frozenset({"CNT", "UNT", "UNE", "UNZ"})
OPENING = {"UNA": "envelope", "UNG": "envelope", "UNH": "heading"}
_CLOSED = re.compile(rb"([^\w\s+:?\x1d\x1f])\s*UNZ([^\w\s])\d*\2(?:(?!\1).)*\1[\s\0\x1a\x03\x04]*\Z", re.DOTALL)
"""A whole UNZ behind a segment, and nothing more: a name such as KUNZ closes nothing."""
_OTHERS = re.compile("[^0-9]+")
Fields = dict[str, Any]


def whole(_: Heading) -> str | None:
    """A message without travellers is never amiss."""
    return None


@dataclass(frozen=True, slots=True)
class Paxlst:
    """The format. `empty` says what is amiss with a message of such a heading that lists nobody."""

    empty: Callable[[Heading], str | None] = whole

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Every traveller, each refused one in its place. Raises nothing but errors of the stream."""
        tokens = Tokens(stream)
        reading = _Reading(tokens.tolerated, self.empty)
        for piece in tokens.pieces():
            if isinstance(piece, Between):
                reading.outside(piece)
            else:
                reading.take(piece)
            yield from reading.reads
            reading.reads.clear()
        reading.end()
        yield from reading.reads

    def is_complete(self, stream: BinaryIO) -> Completeness:
        """Whether the last thing in the file closes an interchange."""
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 4096))
        return Completeness.CLOSED if _CLOSED.search(stream.read()) is not None else Completeness.OPEN


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

    def add_one(self, run: Run, index: int) -> None:
        """One segment of a run."""
        start = run.ends[index - 1] if index else 0
        if not self.segments:
            self.offset = run.offset + start
        end = run.ends[index]
        self.segments.append(run.segments[index])
        self.chunks.append(run.raw[start:end])
        self.size += end - start

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
    header: Fields = field(default_factory=dict)  # of its records
    prepared: date = date.min
    common: Fields = field(default_factory=dict)  # to all travellers of a message
    heading_problem: str | None = None
    opened: bool = False  # a message
    groups: int = 0
    messages: int = 0
    in_group: int = 0
    travellers: int = 0
    in_message: int = 0
    segments: int = 0  # of the message
    references: dict[str, str] = field(default_factory=dict)
    sender: str = ""
    disagreements: list[str] = field(default_factory=list)
    known: dict[object, Fields] = field(default_factory=dict)  # flight and reference -> who was listed under it

    def place(self, part: _Part) -> str:
        """Where the part begins."""
        where = f"interchange {self.number}"
        if part.kind == "traveller":
            where = f"{where} message {self.messages} traveller {self.in_message}"
        elif part.kind == "heading":
            where = f"{where} message {self.messages}"
        return f"{where}, byte {part.offset}"


@dataclass(slots=True)
class _Reading:
    """A stream half read. `reads` is what came of it; whoever passes it on takes it away."""

    tolerated: Counter[str]
    empty: Callable[[Heading], str | None]
    interchange: _Interchange | None = None
    part: _Part | None = None
    interchanges: int = 0
    anything: bool = False
    reads: list[Read] = field(default_factory=list)
    held: list[Read] = field(default_factory=list)  # travellers of the message
    held_bytes: int = 0

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
            self.reads.append(BadRecord(piece.problem, place=place, raw=piece.raw))
        else:
            self.reads.append(Outside(place, piece.raw, {"what": "padding" if piece.padding else "text"}))

    def end(self) -> None:
        """The bytes are at their end."""
        self._close()
        if not self.anything:
            self.reads.append(BadRecord("no interchange", place="byte 0", raw=b""))

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
        kind = _begins(tag, segment, at, part) if tag in TURNS else None
        if kind is not None:
            self._flush(tag)
            part = _Part(kind)
        elif part.full():
            part = self._overflow(at, part)
        part.add_one(run, index)
        if segment.problem is not None:
            part.problem = part.problem or segment.problem
        self.part = part
        at.segments += 1 if segment.elements or segment.problem else 0
        if tag in COUNTED:
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
        self.reads.append(Closing(place, last.raw() if last else b"", self._totals(at)))
        self.tolerated.clear()
        self.interchange = self.part = None

    def _totals(self, at: _Interchange) -> Fields:
        return {
            "interchange": at.references.get("UNB", ""),
            "messages": at.messages,
            "travellers": at.travellers,
            "tolerated": dict(sorted(self.tolerated.items())),
            "told": list(at.disagreements),
        }

    def _differs(self, what: str) -> None:
        self.tolerated["a count, reference or trailer that is wrong"] += 1
        if self.interchange is not None and len(self.interchange.disagreements) < LISTED:
            self.interchange.disagreements.append(what)

    def _flush(self, closed_by: str) -> None:
        """The part at hand goes out."""
        at, part = self.interchange, self.part
        self.part = None
        if at is None or part is None or not part.segments:
            return
        if part.kind == "traveller":
            self._hold(_traveller(at, part, closed_by))
            if closed_by != "NAD":
                self._release()
        elif part.kind == "heading":
            self.reads.append(_heading(at, part, closed_by, self.empty))
        elif problem := _stranger(part):
            self.reads.append(BadRecord(problem, place=at.place(part), raw=part.raw()))
        else:
            self.reads.append(Note(at.place(part), part.raw(), {"interchange": at.references.get("UNB", "")}))
        if at.opened and closed_by in ("UNG", "UNH", "UNE", "UNZ", "end"):
            at.opened = False
            self._differs(f"message {at.messages} has no UNT")

    def _hold(self, read: Read) -> None:
        """Keep a traveller until the message is over."""
        self.held.append(read)
        self.held_bytes += len(read.raw)
        if len(self.held) >= HELD or self.held_bytes >= HELD_BYTES:
            self._release()

    def _release(self) -> None:
        """The travellers go out. Of several who are one by their reference and differ none can be believed."""
        if len(self.held) > 1:  # a message of one traveller has nobody to be confused with
            twins: dict[object, list[int]] = {}
            for place, read in enumerate(self.held):
                if isinstance(read, Record) and (one := who(read.fields)) is not None:
                    twins.setdefault(one, []).append(place)
            for places in twins.values():
                if len(places) > 1:
                    self._part(places)
        self.reads += map(self._only_one, self.held)
        self.held.clear()
        self.held_bytes = 0

    def _only_one(self, read: Read) -> Read:
        """The traveller, unless a message before in the interchange has another one under the same reference."""
        at = self.interchange
        if at is None or not isinstance(read, Record) or len(at.known) >= KNOWN:
            return read
        fields = read.fields
        one, stops = who(fields), fields["heading"].stops
        if one is None or not stops:
            return read
        flight = (stops[0].port, str(stops[0].departs), stops[-1].flight)
        listed = {name: fields.get(name) for name in ("family", "given", "birth")}
        before = at.known.setdefault((flight, one), listed)
        if before is listed or not another(before, listed):
            return read
        reason = "another traveller than the one of this reference or document in a message before"
        return BadRecord(reason, place=read.place, raw=read.raw)

    def _part(self, places: list[int]) -> None:
        twins = [read for place in places if isinstance(read := self.held[place], Record)]
        if all(read.fields == twins[0].fields for read in twins):
            return
        reason = f"{len(twins)} travellers of one reference or document in a message: who is meant cannot be known"
        for place, read in zip(places, twins, strict=True):
            self.held[place] = BadRecord(reason, place=read.place, raw=read.raw)

    def _overflow(self, at: _Interchange, part: _Part) -> _Part:
        """A part without an end is refused in pieces; what comes behind it."""
        problem = f"more than {MOST_SEGMENTS} segments or {MOST_BYTES} bytes"
        if part.kind == "heading":
            at.heading_problem = f"a heading of {problem}"
        self._release()
        self.reads.append(BadRecord(f"a {part.kind} of {problem}", place=at.place(part), raw=part.raw()))
        return _Part(part.kind, problem=f"the rest of a {part.kind} of {problem}")


def _begins(tag: str, segment: Segment, at: _Interchange, part: _Part) -> str | None:
    """The kind of part that a segment begins; none if it belongs to the part at hand."""
    if tag in TAIL:
        return None if part.kind == "tail" else "tail"
    if tag == "NAD":
        return "traveller" if at.opened and segment.kind not in REPORTING else None
    if tag == "UNB":
        return None if [each.tag for each in part.segments] == ["UNA"] else "envelope"
    return OPENING.get(tag)


def _stranger(part: _Part) -> str | None:
    """What stands in an envelope or tail that does not belong there."""
    if part.problem:
        return part.problem
    for segment in part.segments:
        if segment.tag not in SERVICE:
            return f"{segment.tag[:3]} outside a message or behind its end"
    return None


def _heading(at: _Interchange, part: _Part, closed_by: str, empty: Callable[[Heading], str | None]) -> Read:
    """The heading is whole: what it says counts for the travellers behind it."""
    at.heading_problem = at.heading_problem or at.problem or part.problem
    if at.heading_problem is None:
        try:
            at.common = {"heading": heading(part.segments), **at.fields}
        except ValueError as error:
            at.heading_problem = str(error)
    problem = at.heading_problem
    if closed_by != "NAD":  # nobody else will tell it
        problem = problem or empty(at.common["heading"])
        if problem is not None:
            return BadRecord(problem, place=at.place(part), raw=part.raw())
    numbers = {"interchange": f"{at.sender} {at.references.get('UNB', '')}", "message": at.references.get("UNH", "")}
    return Header(at.place(part), part.raw(), numbers)


def _traveller(at: _Interchange, part: _Part, closed_by: str) -> Read:
    place = at.place(part)
    cut = None if closed_by in ("NAD", "CNT", "UNT") else "cut off: the message is not closed behind it"
    problem = at.heading_problem or part.problem or cut
    if problem is None:
        try:
            fields = traveller(part.segments, at.prepared)
            return Record(place, part.raw(), fields | at.common, at.header, at.messages)
        except ValueError as error:
            problem = str(error)
    return BadRecord(problem, place=place, raw=part.raw())


# --- what service segments say of themselves ---------------------------------------------------------------------


def _note(at: _Interchange, segment: Segment, differs: Callable[[str], None]) -> None:
    """Keep what a segment opens, compare what it closes."""
    tag = segment.tag
    if tag == "NAD":
        if at.opened and segment.kind not in REPORTING:
            at.travellers, at.in_message = at.travellers + 1, at.in_message + 1
    elif tag == "CNT":
        if segment.kind in ("41", "42") and segment.at(1, 2) != str(at.in_message):
            differs(f"message {at.messages}: CNT says {segment.at(1, 2)[:9]}, it has {at.in_message} travellers")
    elif tag == "UNT":
        at.opened = False
        _compare(at, segment, at.segments, "UNH", differs)
    elif tag == "UNE":
        _compare(at, segment, at.in_group, "UNG", differs)
    elif tag == "UNZ":
        _compare(at, segment, at.groups or at.messages, "UNB", differs)
    elif tag == "UNH":
        at.messages, at.in_group, at.in_message, at.segments = at.messages + 1, at.in_group + 1, 0, 1
        at.references["UNH"] = segment.kind
        at.opened, at.heading_problem = True, None
    elif tag == "UNG":
        at.groups, at.in_group = at.groups + 1, 0
        at.references["UNG"] = segment.at(5, 1)
    elif tag == "UNB":
        _header(at, segment)


def _header(at: _Interchange, segment: Segment) -> None:
    """UNB. Without its date nobody knows which manifest is the later one."""
    at.references["UNB"], at.sender = segment.at(5, 1), segment.at(2, 1)
    digits = _OTHERS.sub("", at.references["UNB"])
    try:
        day, time = full(segment.at(4, 1), "", "UNB 4.1"), segment.at(4, 2)
        if len(day) != 8 or len(time) != 4 or not (time.isascii() and time.isdecimal()):
            raise ValueError("UNB 4 is no date and time")
        prepared = moment_of(int(f"{day}{time}00"), "UNB 4")
        at.fields = {"prepared": prepared, "test": segment.at(11, 1) == "1"}
        at.header = {"prepared": prepared, "reference": int(digits[-4:] or "0")}
        at.prepared = prepared.date()
        at.problem = segment.problem
    except ValueError as error:
        at.problem = str(error)


def _compare(at: _Interchange, segment: Segment, count: int, opened: str, differs: Callable[[str], None]) -> None:
    where = f"message {at.messages}: " if opened == "UNH" else ""
    if segment.kind.lstrip("0") != str(count or ""):
        differs(f"{where}{segment.tag} says {segment.kind[:9]}, there are {count}")
    if segment.at(2, 1) != at.references.get(opened, ""):
        differs(f"{where}{segment.tag} has another reference than {opened}")
