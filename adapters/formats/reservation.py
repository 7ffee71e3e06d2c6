"""What the segments of a PNRGOV message say: its flight, and each reservation with its travellers.

Sources: the IATA and WCO implementation guide of PNRGOV (its example of appendix B among others) and messages of
several carriers' tools. Dates of TVL are DDMMYY, other than those of UNB. The access reference in UNH spells its date
either way and is not read; DAT's does so too, and counts for nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from adapters.core import Unreadable
from adapters.formats.edifact import Segment
from adapters.formats.manifest import Document
from schemas.countries import ALPHA2, STATES

BEFORE, AFTER = timedelta(days=10), timedelta(days=370)
"""So long behind, and before, a flight a message about it is made: a date that lies elsewhere is read the wrong way."""
CANCELLED = frozenset({"HX", "NO", "UC", "UN", "XK", "XL", "XX"})
"""Status codes (RPI) of a seat that the reservation does not hold any more, or never got."""
TAKEN_OUT = "XX"
WAITING = frozenset({"HL", "LL", "PN", "TL", "US", "UU", "WL"})
"""Of one that it has asked for."""
TITLES = frozenset({"CHD", "DR", "INF", "MISS", "MR", "MRS", "MS", "MSTR", "MX", "PROF", "REV"})
ALONE = frozenset({"CHD", "INF", "MISS", "MR", "MRS", "MSTR"})
"""Those that are no given name where they stand alone."""
_GLUED = re.compile(r"([A-Z]{3,})(?:MR|MRS|MSTR|MISS)")
"""A title behind a name without a blank, as AIRIMP has it; MS is not one of them, for ADAMS ends so."""
_DAY = re.compile(r"(\d\d)([A-Z]{3})(\d\d|\d{4})")
_MONTHS = {name: number for number, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}
_SEXES = {"M": "M", "MI": "M", "F": "F", "FI": "F", "X": "X", "U": "U"}
_OF_WHOM = re.compile(r"-\d+(?:\.\d+)?[A-Z][A-Z /.-]*$")
"""What may stand behind a text: whose it is, by place and name."""
_INFANT = re.compile(r"([A-Z][A-Z' -]{0,99})/([A-Z][A-Z' -]{0,99}?)[ /]++(\d\d[A-Z]{3}(?:\d{4}|\d\d))\b")
"""The text of SSR INFT by AIRIMP: family and given names, date of birth."""
INFANT = "IN"
HOLDER = "H"
"""Behind the second given name: the passport's own holder, of several persons in it."""
_LOCATOR = re.compile(r"[A-Z0-9]{5,8}")
Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Flight:
    """What a message is about; times local and of digits, CCYYMMDD or CCYYMMDDHHMM, blank if they are not told.

    `part` of how many parts it is; `final` whether it is the last. `reservations`: of all of the flight.
    """

    number: str
    carrier: str
    origin: str
    target: str
    departs: str
    arrives: str | Unreadable
    part: int = 1
    final: bool = True
    reservations: int | None = None

    @property
    def name(self) -> tuple[str, ...]:
        """What parts of one flight have alike."""
        return self.carrier, self.number, self.origin, self.departs


@dataclass(frozen=True, slots=True)
class Stop:
    """An airport of the flight, as routes have them."""

    port: str
    departs: str | Unreadable
    arrives: str | Unreadable
    flight: str
    mode: str
    carrier: str


class Traveller(NamedTuple):
    """One who travels on a reservation: the places of his own segments, his fields, whether he is taken out."""

    segments: tuple[int, ...]
    fields: Fields
    cancelled: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """A reservation: its locators (carrier, code), the state of its seats on the flight, who travels on it."""

    locators: tuple[tuple[str, str], ...]
    status: str  # of RPI; empty where it has none
    travellers: tuple[Traveller, ...] = field(repr=False)


# --- the flight --------------------------------------------------------------------------------------------------


def flight_of(segments: Sequence[Segment], prepared: date) -> Flight:
    """What a heading says. `prepared`: when its interchange was. Raises ValueError."""
    begin = segments[0]
    if begin.at(2, 1) != "PNRGOV":
        raise ValueError(f"a message {begin.at(2, 1)[:6]!r}, not PNRGOV")
    flights = [segment for segment in segments if segment.tag == "TVL"]
    if len(flights) != 1:
        raise ValueError(f"{len(flights)} segments TVL in a heading, one expected")
    if flights[0].problem is not None:
        raise ValueError(flights[0].problem)
    leg = _leg(flights[0], prepared)
    counts = [segment.kind for segment in segments if segment.tag == "EQN"]
    count = int(counts[0]) if counts and counts[0].isascii() and counts[0].isdecimal() else None
    number, end = begin.at(4, 1), begin.at(4, 2)
    part = int(number) if number.isascii() and number.isdecimal() and 0 < len(number) < 5 else 1
    final = end == "F" or not (end or number)
    return Flight(*leg, part, final, count)


def _leg(segment: Segment, prepared: date) -> tuple[str, str, str, str, str, str | Unreadable]:
    """Number, carrier, airports and times of a TVL. Raises ValueError."""
    times = segment.elements[1] if len(segment.elements) > 1 else []
    times = [each.strip() for each in times]
    if len(times) == 3 and len(times[2]) == 4:  # the day of arrival is left out
        times = [times[0], times[1], "", times[2]]
    day, clock, later, end = (*times, "", "", "", "")[:4]
    departs = _when(day, clock, "TVL 1.1")
    _plausible(departs, prepared)
    arrives: str | Unreadable = ""
    try:
        arrives = _when(later or (day if end >= clock else ""), end, "TVL 1.3") if later or end else ""
    except ValueError as error:
        arrives = Unreadable(str(error))
    origin, target = segment.at(2, 1).upper(), segment.at(3, 1).upper()
    if not origin or not target:
        raise ValueError("TVL names no two airports")
    return segment.at(5, 1).upper(), segment.at(4, 1).upper(), origin, target, departs, arrives


def _when(day: str, clock: str, what: str) -> str:
    """DDMMYY and HHMM as CCYYMMDD or CCYYMMDDHHMM; empty where the day is. Raises ValueError."""
    if not day:
        return ""
    if len(day) != 6 or not (day.isascii() and day.isdecimal()):
        raise ValueError(f"{what} {day[:8]!r} is no DDMMYY")
    if clock and (len(clock) != 4 or not (clock.isascii() and clock.isdecimal()) or clock > "2359" or clock[2] > "5"):
        raise ValueError(f"{what} has a time {clock[:8]!r} that is no HHMM")
    try:
        return f"{date(2000 + int(day[4:]), int(day[2:4]), int(day[:2])):%Y%m%d}{clock}"
    except ValueError:
        raise ValueError(f"{what} {day} is no DDMMYY of the calendar") from None


def _plausible(departs: str, prepared: date) -> None:
    """Raises ValueError for a flight that no message of that day is about."""
    if not departs:
        raise ValueError("TVL has no day of departure")
    flown = date(int(departs[:4]), int(departs[4:6]), int(departs[6:8]))
    if not prepared - BEFORE <= flown <= prepared + AFTER:
        raise ValueError(f"TVL: a flight on {flown} in a message of {prepared}: is its date DDMMYY?")


# --- reservations ------------------------------------------------------------------------------------------------


def reservation_of(segments: Sequence[Segment], flight: Flight, prepared: date) -> Reservation:
    """What a reservation says. Raises ValueError where whose it is, or of which, cannot be known."""
    for segment in segments:
        if segment.problem is not None and (segment.tag in ("SRC", "RCI", "TIF", "TVL") or not _is_tag(segment.tag)):
            raise ValueError(segment.problem)
    behind = next((at for at, each in enumerate(segments) if each.tag in ("TVL", "ABI", "LTS")), len(segments))
    starts = [at for at, each in enumerate(segments[:behind]) if each.tag == "TIF"]
    first = starts[0] if starts else behind
    locators = tuple(dict.fromkeys(_locators(segments[:first])))
    if not locators:
        raise ValueError("a reservation without a locator (RCI)")
    status = _status(segments[behind:], flight)
    ends = [*starts[1:], behind] if starts else []
    own = [tuple(range(at, end)) for at, end in zip(starts, ends, strict=True)]
    people = [Traveller(places, said) for places in own for said in _travellers(segments[places[0]])]
    if not people:
        raise ValueError("a reservation that names no traveller: whose it is, or was, cannot be known")
    present = next((at for at, each in enumerate(segments) if each.tag == "ABI"), len(segments))
    people += _infants(_of_leg(segments[:present], flight), people, prepared)
    _tell_apart([each.fields for each in people])
    there = [each for each in people if not each.cancelled]
    fields = [each.fields for each in there]
    for said in fields:
        if said["given"].upper() in ALONE:  # a title where no given name is known
            said["given"] = ""
    for at, segment in enumerate(segments[:present]):
        if segment.tag == "SSR" and segment.kind in ("DOCS", "DOCO") and _stands(segment):
            mine = [number for number, each in enumerate(there) if at in each.segments]
            _assign(segment, fields, mine[0] if len(mine) == 1 else None, prepared)
    return Reservation(locators, status, tuple(people))


def _stands(segment: Segment) -> bool:
    """Whether a request can be read and is not cancelled."""
    return segment.problem is None and segment.at(1, 2).upper() not in CANCELLED


def _of_leg(segments: Sequence[Segment], flight: Flight) -> Iterator[tuple[int, Segment]]:
    """The segments, by their places, that stand before all legs or with a leg of the flight."""
    mine = True
    for at, segment in enumerate(segments):
        if segment.tag == "TVL":
            mine = _is_leg(segment, flight)
        if mine:
            yield at, segment


def _is_tag(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def _locators(segments: Sequence[Segment]) -> Iterator[tuple[str, str]]:
    for segment in segments:
        if segment.tag == "RCI":
            for element in segment.elements[1:]:
                carrier, code = (*(each.strip().upper() for each in element), "", "")[:2]
                if _LOCATOR.fullmatch(code):
                    yield carrier, code


def _status(segments: Sequence[Segment], flight: Flight) -> str:
    """The state of the seats on the flight; empty where the reservation has no such leg, or does not say.

    A traveller may have the same leg on several days. Behind ABI stands the history: where no leg is left, the last
    change of one that was is what became of it.
    """
    end = next((at for at, segment in enumerate(segments) if segment.tag == "ABI"), len(segments))
    mine = False
    for segment in segments[:end]:
        if segment.tag == "TVL":
            mine = _is_leg(segment, flight)
        elif segment.tag == "RPI" and mine:
            return segment.at(2, 1).upper()
    if any(segment.tag == "TVL" for segment in segments[:end]):
        return ""
    action = became = ""
    for segment in segments[end:]:
        if segment.tag == "SAC":
            action = next((each for element in segment.elements[1:] for each in reversed(element) if each), "").upper()
        elif segment.tag == "TVL" and _is_leg(segment, flight):
            became = action
    return TAKEN_OUT if became == "X" else ""


def _is_leg(segment: Segment, flight: Flight) -> bool:
    """Whether a leg is that of the flight: by its airports, and its day where it has one."""
    day = segment.at(1, 1)
    same = not day or not day.isdecimal() or flight.departs[2:8] == day[4:] + day[2:4] + day[:2]
    return same and (segment.at(2, 1).upper(), segment.at(3, 1).upper()) == (flight.origin, flight.target)


def _travellers(who: Segment) -> Iterator[Fields]:
    """Names, kind and reference of those of a TIF, without the titles behind them: a family may stand in one segment.

    A group that nobody is named of is nobody.
    """
    family = who.at(1, 1)
    several = [element for element in who.elements[2:] if element and element[0]] or [[""]]
    if who.at(1, 2) == "G" and not several[0][0]:
        return
    for element in several:
        given, kind, reference = (*element, "", "", "")[:3]
        yield _said(family, given, kind.upper(), reference)


def _said(family: str, given: str, kind: str, reference: str = "") -> Fields:
    return {"family": family, "given": _untitled(given), "kind": kind, "reference": reference, "documents": ()}


def _infants(segments: Iterable[tuple[int, Segment]], people: Sequence[Traveller], prepared: date) -> list[Traveller]:
    """Those whom SSR INFT names and no TIF does: an infant has no seat, and so perhaps no segment of its own.

    The request stands there once for each leg, behind the leg in some messages. One that is cancelled for all legs
    takes its infant out, known by the name under which it was told. Where there is a TIF of the infant, that counts,
    and gets the date of birth; its given names may be others, so an infant's TIF that no request names is that of one
    of its family that has none.
    """
    asked: dict[tuple[str, str], Traveller] = {}
    held: set[tuple[str, str]] = set()
    for at, segment in segments:
        if segment.tag != "SSR" or segment.kind != "INFT" or segment.problem is not None:
            continue
        if (match := _INFANT.match(_OF_WHOM.sub("", _text(segment)))) is None:
            continue
        family, given, born = match.groups()
        said = _said(family.strip(), given.strip(), INFANT) | {"birth": _birth(born, prepared)}
        asked.setdefault(_names(said), Traveller((at,), said))
        if segment.at(1, 2).upper() not in CANCELLED:
            held.add(_names(said))
    booked: dict[tuple[str, str], list[Fields]] = {}
    for each in people:
        booked.setdefault(_names(each.fields), []).append(each.fields)
    missing: dict[str, list[Traveller]] = {}
    result = []
    for name, infant in asked.items():
        if name not in booked and name in held:
            missing.setdefault(name[0], []).append(infant)
        elif name not in booked:
            result.append(infant._replace(cancelled=True))
        elif len(booked[name]) == 1 and booked[name][0]["kind"] == INFANT:
            booked[name][0].setdefault("birth", infant.fields["birth"])
    for family, infants in missing.items():
        others = [
            said
            for name, several in booked.items()
            if name[0] == family and name not in asked
            for said in several
            if said["kind"] == INFANT
        ]
        if len(others) < len(infants):
            result += infants
        elif len(others) == len(infants) == 1:
            others[0].setdefault("birth", infants[0].fields["birth"])
    return result


def _names(said: Fields) -> tuple[str, str]:
    return _letters(said["family"]), _letters(said["given"])


def _tell_apart(people: Sequence[Fields]) -> None:
    """By what each is known within the reservation: `who`.

    That is his number; where several have one number, of the only adult among them, for an infant may go by the number
    of the adult who carries it. Else it is the name as it was booked, and behind it, of those of one name, the place.
    """
    shared = Counter(said["reference"] for said in people)
    adults = Counter(said["reference"] for said in people if said["kind"] != INFANT)
    names: Counter[str] = Counter()
    for said in people:
        number = said["reference"]
        if number and (shared[number] == 1 or (adults[number] == 1 and said["kind"] != INFANT)):
            said["who"] = number
            continue
        name = f"{said['family']}/{said['given']}"
        if name == "/":
            said["who"] = name  # that of nobody, however many there are
            continue
        names[name.upper()] += 1
        place = names[name.upper()]
        said["who"] = f"{name}/{place}" if place > 1 else name


def _untitled(given: str) -> str:
    """Given names without the titles behind them."""
    names = given.split()
    while len(names) > 1 and names[-1] in TITLES:
        names.pop()
    return " ".join(match[1] if (match := _GLUED.fullmatch(name)) else name for name in names)


# --- documents ---------------------------------------------------------------------------------------------------


class Docs(NamedTuple):
    """What the text of SSR DOCS or DOCO says."""

    document: Document
    family: str = ""
    given: str = ""
    birth: str | Unreadable | None = None
    sex: str = ""
    citizenship: str = ""
    infant: bool = False


def _assign(segment: Segment, people: list[Fields], mine: int | None, prepared: date) -> None:
    """Give what a document says to the one whose it is; where that cannot be known it is nobody's, and told."""
    text = _OF_WHOM.sub("", _text(segment))
    docs = docs_of(text, prepared) if segment.kind == "DOCS" else doco_of(text)
    reference = segment.at(2, 3)
    if mine is None and reference:
        mine = next((at for at, said in enumerate(people) if said["reference"] == reference), None)
    if docs is None:
        if segment.kind == "DOCS" and text.strip("/ "):
            for said in people if mine is None else people[mine : mine + 1]:
                said.setdefault("ambiguous", Unreadable("SSR DOCS: a text that cannot be read"))
        return
    whose = _whose(docs, people, mine)
    if whose is None:
        for said in people:
            said.setdefault("ambiguous", Unreadable(f"SSR {segment.kind}: whose document it is cannot be known"))
        return
    said = people[whose]
    if any(docs.document) and docs.document not in said["documents"]:
        said["documents"] = (*said["documents"], docs.document)
    if docs.family:  # as the document has them, without titles and not run together
        said["family"], said["given"] = docs.family, docs.given or said["given"]
    for name, value in (("birth", docs.birth), ("sex", docs.sex), ("citizenship", docs.citizenship)):
        if value:
            said.setdefault(name, value)


def _whose(docs: Docs, people: list[Fields], mine: int | None) -> int | None:
    """An infant's document stands with the adult who carries it: its names tell, then that it is an infant's."""
    if docs.family:
        named = [at for at, said in enumerate(people) if _names_agree(docs, said)]
        if len(named) > 1:
            named = [at for at in named if (people[at]["kind"] == INFANT) == docs.infant] or named
        if len(named) == 1:
            return named[0]
        if mine in named:
            return mine
    if docs.infant:
        infants = [at for at, said in enumerate(people) if said["kind"] == INFANT]
        return infants[0] if len(infants) == 1 else None
    if mine is not None:
        return mine
    return 0 if len(people) == 1 else None


def _names_agree(docs: Docs, said: Fields) -> bool:
    """Whether the names of a document and of a traveller can be one person's: titles and further names may differ."""
    one, other = _letters(docs.family), _letters(said["family"])
    mine, booked = _letters(docs.given), _letters(said["given"])
    return one == other and (not mine or not booked or mine.startswith(booked[:5]) or booked.startswith(mine[:5]))


def _letters(name: str) -> str:
    return "".join(letter for letter in name.upper() if letter.isalpha())


def _text(segment: Segment) -> str:
    """The free text of an SSR: what stands behind code, state, number, carrier and places."""
    parts = segment.elements[1] if len(segment.elements) > 1 else []
    behind = [part.strip() for part in parts[5:]]
    start = next((at for at, part in enumerate(behind) if "/" in part), None)
    return "" if start is None else ":".join(behind[start:])


def docs_of(text: str, prepared: date) -> Docs | None:
    """The text of DOCS by AIRIMP: /kind/issuer/number/nationality/birth/sex/expiry/family/given/more.

    Carriers leave out the first slash, blank members or the issuer. Where nothing can be made of it, None.
    """
    parts = [part.strip() for part in text.split("/")]
    if len(parts) > 6 and not parts[0] and (len(parts[1]) <= 2 or parts[1] == "PP") and _fits(parts):
        kind, issuer, number, nation, born, sex = parts[1:7]
        names = parts[8:11] if parts[11:12] == [HOLDER] else parts[8:]
    else:
        at = next((number for number, part in enumerate(parts) if _DAY.fullmatch(part)), None)
        if at is None:
            return None
        before, born, sex = [part for part in parts[:at] if part], parts[at], (*parts[at + 1 :], "")[0]
        names = parts[at + 3 :]
        kind, issuer, number, nation = _short(before)
    return Docs(
        (kind or "P", number, _state(issuer)) if number else ("", "", ""),
        names[0] if names else "",
        _untitled(" ".join(part for part in names[1:] if part)),
        _birth(born, prepared),
        _SEXES.get(sex, sex),
        _state(nation),
        sex in ("FI", "MI"),
    )


def _fits(parts: Sequence[str]) -> bool:
    """Whether the members stand where they belong: by the sex alone where the date of birth is written otherwise."""
    if parts[5] and _DAY.fullmatch(parts[5]) is None:
        return parts[5].isdecimal() and parts[6] in _SEXES
    return not parts[6] or parts[6] in _SEXES


def _short(before: Sequence[str]) -> tuple[str, str, str, str]:
    """Kind, issuer, number and nationality where members are left out: a number has a digit, a state has none."""
    at = next((at for at, part in enumerate(before) if any(letter.isdigit() for letter in part)), None)
    if at is None:
        return "", "", "", before[-1] if before else ""
    issuer = before[at - 1] if at and len(before[at - 1]) in (2, 3) else ""
    kind = before[0] if at and before[0][:1] == "P" and len(before[0]) <= 2 and before[0] != issuer else ""
    return kind, issuer, before[at], before[at + 1] if len(before) > at + 1 else ""


def doco_of(text: str) -> Docs | None:
    """The visa in the text of DOCO: /place of birth/V/number/place of issue/day of issue/state; None if it is none."""
    parts = [part.strip() for part in text.split("/")]
    if "V" not in parts:
        return None
    at = parts.index("V")
    number, state = (*parts[at + 1 :], "")[0], (*parts[at + 4 :], "")[0]
    return Docs(("V", number, _state(state))) if number else None


def _state(code: str) -> str:
    """The code of ICAO 9303 of a state by its two or three letters; what is none as it is."""
    upper = code.upper()
    return upper if upper in STATES else ALPHA2.get(upper, upper)


def _birth(text: str, prepared: date) -> str | Unreadable | None:
    """DDMMMYY as YYYY-MM-DD: of two centuries the one that is not to come."""
    match = _DAY.fullmatch(text)
    if match is None:
        return Unreadable("SSR DOCS: a date of birth that is no DDMMMYY") if text else None
    day, month, year = int(match[1]), _MONTHS.get(match[2], 0), int(match[3])
    try:
        if len(match[3]) == 2:
            year += 2000
            if date(year, month, min(day, 28)) > prepared:
                year -= 100
        return date(year, month, day).isoformat()
    except ValueError:
        return Unreadable("SSR DOCS: a date of birth that is no day of the calendar")
