"""What the segments of a PAXLST message say: its heading with the route, and each traveller.

Source: UN/EDIFACT directories D.02B to D.15B and the API guide of WCO, IATA and ICAO. What is optional and wrong stands
in a traveller's fields as `Unreadable`, and a second value beside it only where the two can belong to one traveller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapters.core import Unreadable
from adapters.dates import day_of, moment_of
from adapters.formats.edifact import Segment
from adapters.formats.mrz import names, plain
from schemas.countries import STATES, citizenship

Fields = dict[str, Any]
KINDS = ("FL", "DDU", "FM", "DDT", "ZZZ")
REPORTING = ("MS", "VW")
HEADING = frozenset({"", "UNH", "BGM", "RFF", "DTM", "NAD", "CTA", "COM", "TDT", "LOC", "MEA", "GEI", "FTX", "QTY"})
TRAVELLER = frozenset(
    {"", "NAD", "ATT", "DTM", "MEA", "GEI", "FTX", "LOC", "CTA", "COM", "EMP", "NAT", "RFF", "DOC", "CPI", "QTY"}
)
LENGTHS = {"101": 6, "102": 8, "201": 10, "203": 12, "204": 14}
"""Digits of a date or time, by the code of its format."""
FORMATS = {
    "2": ("{0[4]}{0[5]}{0[2]}{0[3]}{0[0]}{0[1]}", 6),  # DDMMYY
    "3": ("{0[4]}{0[5]}{0[0]}{0[1]}{0[2]}{0[3]}", 6),  # MMDDYY
    "4": ("{0[4]}{0[5]}{0[6]}{0[7]}{0[2]}{0[3]}{0[0]}{0[1]}", 8),  # DDMMCCYY
    "602": ("{0}0000", 4),  # CCYY
    "610": ("{0}00", 6),  # CCYYMM
}
"""How the digits of a date of birth are put in order, and how many there are, by other codes of its format."""
STOPS = frozenset({"125", "87", "92", "130"})
"""Departure, arrival, on the way, final destination."""


@dataclass(slots=True)
class Stop:
    """An airport of the route, its scheduled times as far as they can be read, and the flight that comes to it."""

    port: str
    role: str
    flight: str
    mode: str
    carrier: str
    departs: str | Unreadable = ""
    arrives: str | Unreadable = ""


@dataclass(frozen=True, slots=True, eq=False)
class Heading:
    """Kind and function of the list, and the stops of the route. Each heading that was read is one of its own."""

    kind: str
    function: str
    message: str
    stops: tuple[Stop, ...] = ()


Flight = tuple[str, str, str]
"""Number, mode and carrier, as a TDT tells them."""
Document = tuple[str, str, str]
"""A paper of a traveller: its kind, number and issuer, which is blank or no state where none that is read was told."""


def heading(segments: Sequence[Segment]) -> Heading:
    """What all travellers of the message have alike. Raises ValueError."""
    _known(segments, HEADING, "a heading")
    if segments[0].at(2, 1) != "PAXLST":
        raise ValueError(f"a message {segments[0].at(2, 1)[:6]!r}, not PAXLST")
    begins = [segment for segment in segments if segment.tag == "BGM"]
    if len(begins) != 1:
        raise ValueError(f"{len(begins)} segments BGM in a heading, one expected")
    begin = begins[0]
    return Heading(begin.kind, begin.at(2, 1), begin.at(3, 1), tuple(stops(segments)))


def stops(segments: Sequence[Segment]) -> list[Stop]:
    """The airports of the route. Raises ValueError."""
    route: list[Stop] = []
    flight: Flight | None = None
    stop: Stop | None = None
    for segment in segments:
        if segment.tag == "TDT":
            flight, stop = (segment.at(2, 1), segment.at(3, 1), segment.at(5, 1)), None
        elif segment.tag == "LOC" and flight is not None:
            stop = _stop(route, segment, flight)
        elif segment.tag == "DTM" and stop is not None and segment.kind in ("189", "232"):
            at = _scheduled(segment)
            if segment.kind == "189":
                stop.departs = at
            else:
                stop.arrives = at
    return route


def _scheduled(segment: Segment) -> str | Unreadable:
    """A scheduled time; one that is wrong costs those their event who need it, and nobody else."""
    text, what = segment.at(1, 2), f"DTM+{segment.kind}"
    if not text:
        return ""
    try:
        at = full(text, segment.at(1, 3), what)
        if len(at) == 8:
            day_of(int(at), what)
        else:
            moment_of(int(at) * 100, what)
    except ValueError as error:
        return Unreadable(str(error))
    return at


def _stop(route: list[Stop], segment: Segment, flight: Flight) -> Stop | None:
    """The stop that a LOC names: the last one again, or a further one."""
    role, port = segment.kind, segment.at(2, 1).upper()
    if role not in STOPS:
        return None
    if route and route[-1].port == port:
        return route[-1]
    stop = Stop(port, role, *flight)
    last = route[-1] if route else None
    if role == "125" and last is not None and last.role == "87" and (last.flight, last.mode, last.carrier) == flight:
        route.insert(-1, stop)
    else:
        route.append(stop)
    return stop


def traveller(segments: Sequence[Segment], latest: date) -> Fields:
    """Names, references and documents. `latest`: the last day on which somebody can have been born.

    Raises ValueError.
    """
    _known(segments, TRAVELLER, "a traveller")
    first = segments[0]
    if first.kind not in KINDS:
        raise ValueError(f"NAD of a party {first.kind[:3]!r}, one of {', '.join(KINDS)} expected")
    family, given = _names(first)
    said: Fields = {"family": family, "given": given}
    bookings: list[str] = []
    papers: list[list[str]] = []
    form = ""
    for segment in segments[1:]:
        tag, kind = segment.tag, segment.kind
        if tag == "LOC":
            if kind in ("178", "179"):
                _once(said, kind, segment.at(2, 1).upper())
            elif kind == "91" and papers:
                _issued(papers[-1], plain(segment.at(2, 1).upper()))
        elif tag == "RFF":
            if kind == "ABO":
                _once(said, kind, segment.at(1, 2))
            elif kind == "AVF" and (booking := segment.at(1, 2).upper()) and booking not in bookings:
                bookings.append(booking)
        elif tag == "DOC":
            papers.append([plain(kind.upper()), segment.at(2, 1), ""])
        elif tag == "NAT" and kind in ("2", ""):
            _national(said, segment.at(2, 1) or segment.at(2, 4))
        elif tag == "ATT" and kind == "2":
            _once(said, "sex", segment.at(3, 1) or segment.at(3, 4))
        elif tag == "DTM" and kind == "329":
            _once(said, "birth", segment.at(1, 2))
            form = segment.at(1, 3)
        elif tag == "NAD":
            raise ValueError("a second NAD")
    said["bookings"] = tuple(bookings)
    said["documents"] = tuple([(kind, number, issuer) for kind, number, issuer in papers])
    if text := said.get("birth"):
        try:
            said["birth"] = birth(turned(text, form) if form else text, latest)
        except ValueError as error:
            said["birth"] = Unreadable(str(error))
    return said


def _names(first: Segment) -> tuple[str, str]:
    """Family and given names; in one component with fillers they stand as in a machine-readable zone."""
    parts = first.elements[4] if len(first.elements) > 4 else [""]
    if not any(parts[:5]) and len(first.elements) > 3:
        parts = first.elements[3]  # unstructured (C058), where the structured name is left out
    family = parts[0].strip()
    given = " ".join([name for part in parts[1:5] if (name := part.strip())])
    if "<" in family or "<" in given:
        if "<<" in family and not given:
            return names(family)
        return plain(family), plain(given)
    return family, given


def _issued(paper: list[str], issuer: str) -> None:
    """The issuer of a paper. Beside a state's code nothing counts that is none: a place, a blank. Raises ValueError."""
    before = paper[2]
    if not issuer or issuer == before:
        return
    if before in STATES and issuer in STATES:
        raise ValueError("two of a kind: issuer")
    if before not in STATES:
        paper[2] = issuer


def _national(said: Fields, code: str) -> None:
    """The citizenships that are a state's, several as a tuple; where none is, what was told first."""
    before = said.get("citizenship")
    if not before or (isinstance(before, str) and not _state(before) and _state(code)):
        said["citizenship"] = code
    elif code and _state(code):
        states = before if isinstance(before, tuple) else (before,)
        if code not in states:
            said["citizenship"] = (*states, code)


def _state(code: str) -> bool:
    try:
        return bool(citizenship(code))
    except ValueError:
        return False


def _once(said: Fields, name: str, value: str) -> None:
    """Two of a kind come of a NAD that was lost between two travellers. Raises ValueError."""
    if said.get(name) and value != said[name]:
        raise ValueError(f"two of a kind: {name}")
    said[name] = value


def _known(segments: Sequence[Segment], tags: frozenset[str], what: str) -> None:
    for segment in segments:
        if segment.tag not in tags:
            raise ValueError(f"{segment.tag} in {what}")


def another(said: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two travellers who are one by their reference or document are described as two people."""
    if not (said["given"] and other["given"]) or said["given"].upper() == other["given"].upper():
        return False
    births = {str(each["birth"]) for each in (said, other) if each.get("birth")}
    return len(births) == 2 or said["family"].upper() != other["family"].upper()


def who(said: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """By what a traveller is told from the others of a message: reference, paper, or booking, names and birth."""
    if said.get("ABO"):
        return ("ABO", said["ABO"])
    for _, number, issuer in said["documents"]:
        if number:
            return (number, issuer)
    if said["family"] or said["given"]:
        return (said["bookings"][:1], said["family"], said["given"], str(said.get("birth")))
    return None


# --- dates -------------------------------------------------------------------------------------------------------


def full(text: str, form: str, what: str) -> str:
    """A date or time with the century, CCYYMMDD or CCYYMMDDHHMM. Raises ValueError."""
    length = LENGTHS.get(form) if form else len(text)
    if length not in (6, 8, 10, 12, 14) or len(text) != length or not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{what} {text[:14]!r} of format {form[:3]!r}")
    return text[:12] if length in (8, 12, 14) else f"20{text}"


def turned(text: str, form: str) -> str:
    """A date of birth as YYMMDD or CCYYMMDD, by the code of its format (UN/EDIFACT 2379). Raises ValueError."""
    if form in ("101", "102"):
        return text
    order, length = FORMATS.get(form, ("", 0))
    if len(text) != length:
        raise ValueError(f"DTM+329 of format {form[:3]!r}")
    return order.format(text)


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
    result = "-".join(part for part in (year, month, day) if part != "00")
    try:
        date.fromisoformat((result + "-01-01")[:10])
    except ValueError:
        raise ValueError("DTM+329 is no date") from None
    return result
