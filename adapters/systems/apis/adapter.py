"""APIS: carriers' manifests to departures, and to encounters of those who are on their way in."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from adapters.core import Feed, Filtered, Note, Origin, Record, System
from adapters.dates import day_of, moment_of
from adapters.formats.paxlst import Paxlst, birth
from adapters.mapping import as_bad_record, envelope, lookup, person, revision
from adapters.transports.amqp_queue import AmqpQueue
from adapters.transports.file_drop import FileDrop
from schemas.events import AnyEvent, Departure, Operation, Status, Subject
from schemas.identifiers import Scheme
from schemas.moments import Moment, Precision, zone

Fields = Mapping[str, Any]

CODES: dict[str, Any] = tomllib.loads(files("adapters.systems.apis").joinpath("codes.toml").read_text())
CARRIERS = {icao: iata for iata, (icao, _) in CODES["carriers"].items()}
FLIGHT = re.compile(r"([A-Z]{3}|[A-Z][A-Z0-9]|[0-9][A-Z])? ?0*([0-9]{1,4})([A-Z]?)")
CREW = re.compile(r"([A-F]C?)?")
CREW_LISTS = re.compile(r"[GH][NCD]?")
BOARDED, LEFT_BEHIND, CANCELLED = ("CL", "CLOB"), "CLNB", ("XR", "RP", "XF")
BOOKING = re.compile(r"[A-Z0-9]{5,8}")
FOIL = re.compile(r"[A-Z0-9][0-9]{7}")


@dataclass(frozen=True, slots=True)
class Leg:
    """From one stop to the next."""

    origin: Fields
    target: Fields

    def ends(self) -> tuple[str, str]:
        """The airports."""
        return self.origin["port"], self.target["port"]

    def home(self) -> tuple[bool, bool]:
        """Whether it begins and ends in the United States. Raises ValueError."""
        return _is_home(self.origin["port"]), _is_home(self.target["port"])

    def crosses(self) -> bool:
        """Whether it crosses the border. Raises ValueError."""
        begins, ends = self.home()
        return begins != ends

    def flight(self) -> tuple[str, str]:
        """Carrier and conveyance. Raises ValueError."""
        transport = self.target["transport"]
        return _flight(transport["mode"], transport["flight"], transport["carrier"])


@lru_cache(maxsize=1024)
def _is_home(port: str) -> bool:
    return bool(lookup(CODES["airports"], port, "airport")[1] == "USA")


@lru_cache(maxsize=4096)  # a manifest is of one flight
def _flight(mode: str, number: str, said: str) -> tuple[str, str]:
    if mode not in ("", "4"):
        raise ValueError(f"TDT of mode {mode[:3]!r}, 4 or blank expected")
    found = FLIGHT.fullmatch(number.upper())
    carrier: str = said.upper() or (found and found[1]) or ""
    if found is None or not carrier:
        raise ValueError(f"TDT {number[:8]!r} is no flight of a carrier that is named")
    carrier = CARRIERS.get(carrier, carrier)
    return carrier, f"{carrier}{int(found[2]):04}{found[3]}"


def function(heading: Fields) -> str:
    """What the message says of those it lists: `booked`, `aboard`, `absent`, `list`. Raises ValueError."""
    kind, code, message = heading["kind"], heading["function"], heading["message"]
    if message not in ("", "1", "2", "3", "4", "5", "9"):
        raise ValueError(f"BGM 3.1 {message[:3]!r}")
    if kind == "250" and CREW_LISTS.fullmatch(code):
        return "list"
    if kind == "266" and code in BOARDED:
        said = "aboard"
    elif (kind == "266" and code == LEFT_BEHIND) or (kind in ("745", "250", "266") and code in CANCELLED):
        said = "absent"
    elif (kind == "745" and code in ("", "CP")) or (kind == "250" and CREW.fullmatch(code)):
        said = "booked"
    else:
        raise ValueError(f"BGM {kind[:3]!r} with function {code[:4]!r}")
    return "absent" if message in ("1", "3") else said


def legs(stops: list[Fields], said: Fields) -> list[Leg]:
    """The traveller's legs: of the route from where he boards to where he leaves it. Raises ValueError."""
    if len(stops) < 2:
        raise ValueError("a route of less than two airports")
    ports = [stop["port"] for stop in stops]
    first = ports.index(said["178"]) if said.get("178") in ports[:-1] else 0
    last = ports.index(said["179"], first + 1) if said.get("179") in ports[first + 1 :] else len(ports) - 1
    return [Leg(*stops[at : at + 2]) for at in range(first, last)]


def moment(stop: Fields, way: str) -> Moment:
    """A scheduled time, local to the airport. Raises ValueError."""
    return _scheduled(stop[way], stop["port"])


@lru_cache(maxsize=4096)
def _scheduled(digits: str, port: str) -> Moment:
    place = lookup(CODES["airports"], port, "airport")[2]
    if len(digits) == 8:
        return Moment.whole_day(day_of(int(digits), "DTM"), place)
    local = moment_of(int(digits) * 100, "DTM").replace(tzinfo=zone(place))
    return Moment.instant(local, place, Precision.MINUTE)


def documents(said: Fields) -> Iterator[tuple[Scheme, str, str]]:
    """Passports and visas of the United States, as far as they have number and issuer."""
    for document in said["documents"]:
        number, issuer = document["number"], document["issuer"].upper()
        if document["kind"] == "P" and number and issuer:
            yield Scheme.PASSPORT, number, issuer
        elif document["kind"] == "V" and issuer == "USA" and FOIL.fullmatch(number.upper()):
            yield Scheme.VISA, number.upper(), issuer


def subject(said: Fields, born: str | None, carrier: str) -> Subject:
    """What the record claims about the person. Raises ValueError."""
    booking = said.get("AVF", "").upper()
    return person(
        family=said["family"],
        given=said["given"],
        birth=born,
        sex=None if said.get("sex") == "U" else said.get("sex"),
        citizenship=said.get("citizenship"),
        identifiers=(
            *documents(said),
            *([(Scheme.BOOKING, booking, carrier)] if BOOKING.fullmatch(booking) else []),
        ),
    )


def key(said: Fields, born: str | None, leg: Leg) -> str:
    """The record: flight, date, airport, traveller. Raises ValueError."""
    _, conveyance = leg.flight()
    if not leg.origin["departs"]:
        raise ValueError(f"no DTM+189 for {leg.origin['port']}")
    name = f"{said['family']}/{said['given']}"
    if said.get("ABO"):
        who = f"ABO/{said['ABO']}"
    elif said.get("AVF"):
        who = f"AVF/{said['AVF']}/{name}"
    elif paper := next(documents(said), None):
        scheme, number, issuer = paper
        who = f"{scheme.name[0]}/{issuer}/{number}"
    elif born and name != "/":
        who = f"NAME/{name}/{born}"
    else:
        raise ValueError("no reference, document, or name with date of birth: nothing to know the traveller by")
    return " ".join(f"{conveyance} {leg.origin['departs'][:8]} {leg.origin['port']} {who}".upper().split())


@as_bad_record
def events(entry: Record | Note, origin: Origin) -> Sequence[AnyEvent] | Filtered:
    """An event for each leg on which the traveller crosses the border."""
    if isinstance(entry, Note):
        return ()
    interchange, heading, said = (entry.fields[name] for name in ("interchange", "heading", "traveller"))
    word = function(heading)
    if interchange["test"]:
        return Filtered("apis.test")
    if word == "list":
        return Filtered("apis.crew_list")
    way = legs(heading["stops"], said)
    crossing = [leg for leg in way if leg.crosses()]
    if not crossing:
        return Filtered("apis.domestic" if way[0].home()[0] else "apis.foreign")
    prepared = interchange["prepared"]
    born = birth(said.get("birth", ""), prepared.date())
    day = (prepared.year * 100 + prepared.month) * 100 + prepared.day
    minute = (day * 100 + prepared.hour) * 100 + prepared.minute
    number = (minute * 10_000 + interchange["reference"]) * 1_000 + min(entry.fields["message"], 999)
    which = revision(number, {"heading": heading, "traveller": said})
    record = key(said, born, crossing[0])
    found = []
    for leg in crossing:
        fields = envelope(entry, origin, record, which, part="-".join(leg.ends()), recorded_at=prepared)
        flight = leg.flight()
        fields["subject"] = subject(said, born, flight[0])
        if word == "absent":
            fields["operation"] = Operation.RETRACT
        found.append(_event(leg, flight, word, fields))
    return found


def _event(leg: Leg, flight: tuple[str, str], word: str, fields: dict[str, Any]) -> AnyEvent:
    """A departure, or the encounter of somebody who is on his way in. Raises ValueError."""
    carrier, conveyance = flight
    by_air = {"mode": "air", "carrier": carrier, "conveyance": conveyance}
    if not leg.home()[0]:
        end, way = (leg.target, "arrives") if leg.target["arrives"] else (leg.origin, "departs")
        how = "aboard" if word == "aboard" else "booked aboard"
        reason = f"{how} {conveyance} from {leg.origin['port']} to {leg.target['port']}"
        said = {"occurred_at": moment(end, way), "port": leg.target["port"], "fact": "encounter", "reason": reason}
        return Status.model_validate(fields | by_air | said)
    if not leg.origin["departs"]:
        raise ValueError(f"no DTM+189 for {leg.origin['port']}")
    evidence = "manifest_closed" if word == "aboard" else "manifest"
    said = {"occurred_at": moment(leg.origin, "departs"), "port": leg.origin["port"], "evidence": evidence}
    return Departure.model_validate(fields | by_air | said)


ADAPTER = System(
    name="APIS",
    title="APIS, carriers' manifests",
    owner="CBP",
    number=2,
    emits=("departure", "status"),
    identifiers=("booking", "passport", "visa"),
    mapping_version=2,
    feeds=(
        Feed(name="queue", transport=AmqpQueue(), mapping=events, format=Paxlst()),
        Feed(name="files", transport=FileDrop(pattern="*.edi"), mapping=events, format=Paxlst()),
    ),
)
