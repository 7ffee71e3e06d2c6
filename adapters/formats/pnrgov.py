"""PNRGOV (IATA and WCO, PADIS 10.1 to 18.1): interchanges of reservations to travellers.

A record is a traveller of a reservation, behind a note of what the reservation says of all of them. Its fields are
those of `reservation.Traveller`, and beside them `reservation`, `heading` (the message's flight), `prepared` and `test`
(the interchange's); its header has what orders interchanges. One flight often comes in several messages, or several
interchanges, marked 01:C to nn:F: each reservation stands for itself, and EQN, which counts those of the flight, is
compared only where all parts are there.

Relays put lines of their logs around interchanges, and cut their trailers off with them: such lines are outside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from adapters.core import BadRecord, Closing, Completeness, Header, Note, Outside, Read, Record
from adapters.dates import moment_of
from adapters.formats.edifact import Outside as Between
from adapters.formats.edifact import Run, Segment, Tokens
from adapters.formats.manifest import full
from adapters.formats.reservation import TAKEN_OUT, Flight, Reservation, flight_of, reservation_of

MOST_BYTES = 2**19
"""Bytes of a reservation: of a group with its history, a tenth of it."""
KNOWN = 5_000
"""So many flights are remembered, of which more parts may come."""
LISTED = 20
"""So many disagreements of an interchange are told one by one; all are counted."""
_TAGS = (b"UNH", b"SRC", b"TIF")
"""What no line of a log has in it."""
_OTHERS = re.compile("[^0-9]+")
_TEXT = bytes(byte for byte in range(256) if byte >= 0x20 or byte in b"\t\r\n")
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pnrgov:
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
            yield from reading.reads
            reading.reads.clear()
        reading.end()
        yield from reading.reads

    def is_complete(self, stream: BinaryIO) -> Completeness:
        """Whether an interchange is closed near the end: lines of a log may follow."""
        size = stream.seek(0, 2)
        stream.seek(max(0, size - 4096))
        return Completeness.CLOSED if b"UNZ" in stream.read() else Completeness.OPEN


@dataclass(slots=True)
class _Part:
    """Segments that go out together: `envelope`, `heading`, `reservation` or `tail`, each with its bytes."""

    kind: str
    offset: int
    segments: list[Segment] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    def raw(self) -> bytes:
        return b"".join(self.chunks)


@dataclass(slots=True)
class _Interchange:
    """What is known of an interchange half read."""

    number: int
    fields: Fields = field(default_factory=dict)
    problem: str | None = "no UNB before it"
    header: Fields = field(default_factory=dict)
    reference: str = ""
    sender: str = ""
    messages: int = 0
    reservations: int = 0
    travellers: int = 0
    closed: bool = False
    differing: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Message:
    """What is known of a message half read."""

    flight: Flight | None = None
    problem: str | None = "no UNH before it"
    reference: str = ""
    segments: int = 0


@dataclass(slots=True)
class _Reading:
    """A stream half read. `reads` is what came of it; whoever passes it on takes it away."""

    tolerated: Counter[str]
    interchange: _Interchange | None = None
    message: _Message = field(default_factory=_Message)
    part: _Part | None = None
    interchanges: int = 0
    flights: dict[tuple[str, ...], tuple[set[int], int]] = field(default_factory=dict)  # parts and reservations so far
    reads: list[Read] = field(default_factory=list)

    def outside(self, piece: Between) -> None:
        """Bytes between interchanges."""
        self._close()
        strange = piece.problem is not None and (
            any(tag in piece.raw for tag in _TAGS) or len(piece.raw.translate(None, _TEXT)) * 20 > len(piece.raw)
        )
        place = f"byte {piece.offset}"
        if strange:
            self.reads.append(BadRecord(piece.problem or "", place=place, raw=piece.raw))
        else:
            self.reads.append(Outside(place, piece.raw, {"what": "padding" if piece.padding else "text"}))

    def end(self) -> None:
        """The bytes are at their end."""
        self._close()
        if not self.interchanges:
            self.reads.append(BadRecord("no interchange", place="byte 0", raw=b""))

    def take(self, run: Run) -> None:
        """The next segments."""
        start = 0
        for segment, end in zip(run.segments, run.ends, strict=True):
            self._one(segment, run.raw[start:end], run.offset + start)
            start = end

    def _one(self, segment: Segment, raw: bytes, offset: int) -> None:
        tag, at = segment.tag, self.interchange
        if at is None or tag == "UNA" or (tag == "UNB" and (at.reference or at.fields)):
            self._close()
            self.interchanges += 1
            self.interchange = at = _Interchange(self.interchanges)
        kind = _BEGINS.get(tag)
        part = self.part
        if part is not None and part.kind == "reservation" and part.size + len(raw) > MOST_BYTES:
            self._refuse(part, f"a reservation of more than {MOST_BYTES} bytes")
            part = self.part = _Part("rest", offset)
        if part is None or (kind is not None and kind != part.kind) or tag in ("UNH", "SRC"):
            self._flush(tag)
            self.part = part = _Part(kind or "tail", offset)
        part.segments.append(segment)
        part.chunks.append(raw)
        part.size += len(raw)
        self._note(at, segment)

    def _note(self, at: _Interchange, segment: Segment) -> None:
        """Keep what a segment opens, compare what it closes."""
        tag = segment.tag
        self.message.segments += 1
        if tag == "UNB":
            _begin(at, segment)
        elif tag == "UNH":
            at.messages += 1
            self.message = _Message(reference=segment.kind, segments=1)
        elif tag == "UNT":
            self._compare(at, segment, self.message.segments, self.message.reference)
            if self.message.flight is not None and self.message.flight.final:
                self._complete(at, self.message.flight)
            self.message = _Message(problem="behind the end of a message")
        elif tag == "UNZ":
            at.closed = True
            self._compare(at, segment, None, at.reference)

    def _compare(self, at: _Interchange, segment: Segment, count: int | None, reference: str) -> None:
        if count is not None and segment.kind.lstrip("0") != str(count):
            self._differs(at, f"message {at.messages}: {segment.tag} says {segment.kind[:9]}, there are {count}")
        if segment.at(2, 1) != reference:
            self._differs(at, f"{segment.tag} has another reference than what it closes")

    def _differs(self, at: _Interchange, what: str) -> None:
        self.tolerated["a count, reference or trailer that is wrong"] += 1
        if len(at.differing) < LISTED:
            at.differing.append(what)

    # --- parts --------------------------------------------------------------------------------------------------

    def _flush(self, closed_by: str) -> None:
        """The part at hand goes out."""
        at, part = self.interchange, self.part
        self.part = None
        if at is None or part is None:
            return
        if part.kind == "heading":
            self._heading(at, part)
        elif part.kind == "reservation":
            self._reservation(at, part, closed_by)
        elif problem := _stranger(part):
            self._refuse(part, problem)
        else:
            self.reads.append(Note(f"{self._where()}, byte {part.offset}", part.raw(), {"interchange": at.reference}))

    def _heading(self, at: _Interchange, part: _Part) -> None:
        message = self.message
        message.problem = at.problem
        if message.problem is None:
            try:
                message.flight = flight_of(part.segments, at.fields["prepared"].date())
            except ValueError as error:
                message.problem = str(error)
        if message.flight is None:
            self._refuse(part, message.problem or "")
            return
        if len(self.flights) >= KNOWN:
            self.flights.clear()
        self._count(message.flight, 0)
        numbers = {"interchange": f"{at.sender} {at.reference}", "message": message.reference}
        self.reads.append(Header(f"{self._where()}, byte {part.offset}", part.raw(), numbers))

    def _reservation(self, at: _Interchange, part: _Part, closed_by: str) -> None:
        """A reservation and its travellers."""
        at.reservations += 1
        message = self.message
        if message.flight is None:
            self._refuse(part, f"of a message that is refused: {message.problem}")
            return
        self._count(message.flight, 1)
        if closed_by not in _CLOSING:
            self._refuse(part, "cut off: the reservation is not closed behind it")
            return
        try:
            reservation = reservation_of(part.segments, message.flight, at.fields["prepared"].date())
        except ValueError as error:
            self._refuse(part, str(error))
            return
        self._travellers(at, part, reservation)

    def _travellers(self, at: _Interchange, part: _Part, reservation: Reservation) -> None:
        """Each with the segments that are his alone; what is said of all of them stands in a note before them.

        A segment that several share stands with the one who has the fewest, the request of an infant with the infant;
        of a family in one segment it stands with the first.
        """
        where = f"{self._where()} reservation {at.reservations}"
        people = reservation.travellers
        owner: dict[int, int] = {}
        for number in sorted(range(len(people)), key=lambda each: len(people[each].segments)):
            for index in people[number].segments:
                owner.setdefault(index, number)
        shared = b"".join(chunk for index, chunk in enumerate(part.chunks) if index not in owner)
        self.reads.append(Header(f"{where}, byte {part.offset}", shared, {"reservation": reservation.locators[0][1]}))
        common = {"reservation": reservation, "heading": self.message.flight, **at.fields}
        for number, traveller in enumerate(people, 1):
            at.travellers += 1
            raw = b"".join(part.chunks[index] for index in traveller.segments if owner[index] == number - 1)
            offset = part.offset + sum(map(len, part.chunks[: traveller.segments[0]]))
            place = f"{where} traveller {number}, byte {offset}"
            fields = traveller.fields | common
            if traveller.cancelled:  # though the reservation stands for others
                fields["reservation"] = replace(reservation, status=TAKEN_OUT)
            self.reads.append(Record(place, raw, fields, at.header, number))

    def _count(self, flight: Flight, reservations: int) -> None:
        """Of a flight, which of its parts there are and how many reservations in them."""
        parts, count = self.flights.get(flight.name, (set(), 0))
        self.flights[flight.name] = parts | {flight.part}, count + reservations

    def _complete(self, at: _Interchange, flight: Flight) -> None:
        """The last part of a flight is over: where all are there, there are as many reservations as it says."""
        parts, count = self.flights.pop(flight.name, (set(), 0))
        if flight.reservations is not None and parts >= set(range(1, flight.part + 1)) and count != flight.reservations:
            self._differs(at, f"EQN says {flight.reservations}, there are {count} reservations")

    def _refuse(self, part: _Part, problem: str) -> None:
        self.reads.append(BadRecord(problem, place=f"{self._where()}, byte {part.offset}", raw=part.raw()))

    def _where(self) -> str:
        at = self.interchange
        if at is None or not at.messages:
            return f"interchange {self.interchanges}"
        return f"interchange {at.number} message {at.messages}"

    def _close(self) -> None:
        """The interchange is over, with UNZ or without; what it was is told."""
        at = self.interchange
        if at is None:
            return
        self._flush("end")
        if not at.closed:
            self._differs(at, "no UNZ")
        fields = {
            "interchange": at.reference,
            "messages": at.messages,
            "reservations": at.reservations,
            "travellers": at.travellers,
            "tolerated": dict(sorted(self.tolerated.items())),
            "told": list(at.differing),
        }
        self.reads.append(Closing(f"interchange {at.number}, its end", b"", fields))
        self.tolerated.clear()
        self.interchange, self.message = None, _Message()


_BEGINS = {
    "UNA": "envelope",
    "UNB": "envelope",
    "UNG": "envelope",
    "UNH": "heading",
    "SRC": "reservation",
    "UNT": "tail",
    "UNE": "tail",
    "UNZ": "tail",
}
"""The kind of part that a segment begins."""
_CLOSING = frozenset({"SRC", "UNT", "UNE", "UNZ"})
"""What may stand behind a reservation that is whole."""


def _stranger(part: _Part) -> str | None:
    """What stands in an envelope or tail that does not belong there; a line of a relay's log does not count."""
    for segment in part.segments:
        if segment.tag in _BEGINS or not (segment.elements or segment.problem):
            continue
        if part.kind == "tail" and segment.problem and not re.fullmatch("[A-Z]{3}", segment.tag):
            continue
        return segment.problem or f"{segment.tag[:3]} outside a message or behind its end"
    return "the rest of a reservation that is refused" if part.kind == "rest" else None


def _begin(at: _Interchange, segment: Segment) -> None:
    """UNB. Without its date nobody knows which reservation is the later one."""
    at.reference, at.sender = segment.at(5, 1), segment.at(2, 1)
    digits = _OTHERS.sub("", at.reference)
    try:
        day, time = full(segment.at(4, 1), "", "UNB 4.1"), segment.at(4, 2)
        if len(day) != 8 or len(time) != 4 or not (time.isascii() and time.isdecimal()):
            raise ValueError("UNB 4 is no date and time")
        prepared = moment_of(int(f"{day}{time}00"), "UNB 4")
        at.fields = {"prepared": prepared, "test": segment.at(11, 1) == "1"}
        at.header = {"prepared": prepared, "reference": int(digits[-4:] or "0")}
        at.problem = segment.problem
    except ValueError as error:
        at.problem = str(error)
