"""APIS: carriers' manifests to departures, and to encounters of those who are on their way in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

from adapters.converters import nationalities
from adapters.core import Feed, Record, System, Unreadable
from adapters.documents import booked, paper
from adapters.fields import Fields
from adapters.formats.manifest import Heading
from adapters.formats.paxlst import Paxlst
from adapters.mapper import Mapper, Person, Says
from adapters.routes import Journey, Leg, journey, scheduled
from adapters.transports.amqp_queue import AmqpQueue
from adapters.transports.file_drop import FileDrop
from schemas.airports import airport
from schemas.events import Departure, Status
from schemas.identifiers import Identifier, Scheme, Spelling

CREW = re.compile(r"([A-F]C?)?")
CREW_LISTS = re.compile(r"[GH][NCD]?")
BOARDED, LEFT_BEHIND, CANCELLED = ("CL", "CLOB"), "CLNB", ("XR", "RP", "XF")
BOOKING = re.compile(r"[A-Z0-9]{5,8}")
REFERENCE = re.compile(r"[A-Z0-9-]{1,14}")
LONGEST_BEFORE_FLIGHT = timedelta(days=370)
"""So long before a flight a list of it is made at the most."""
SUBJECT = Person(
    "family", ("given",), "birth", "sex", "citizenship", birth_as=lambda value, _: value, citizenship_as=nationalities
)  # the date of birth as read


class Function(NamedTuple):
    """What a message says of those it lists: `booked`, `aboard`, `absent`, `list`; and whether it says less."""

    word: str
    amends: bool = False


@lru_cache(maxsize=256)
def function(heading: Heading) -> Function:
    """What the message says. Raises ValueError."""
    kind, code, message = heading.kind, heading.function, heading.message
    if message not in ("", "1", "2", "3", "4", "5", "9"):
        raise ValueError(f"BGM 3.1 {message[:3]!r}")
    if kind == "336" or (kind == "250" and CREW_LISTS.fullmatch(code)):
        return Function("list")
    if message in ("1", "3") and kind in ("745", "250", "266"):
        return Function("absent")
    if kind == "266" and code in BOARDED:
        return Function("aboard", amends=True)
    if (kind == "266" and code == LEFT_BEHIND) or (kind in ("745", "250", "266") and code in CANCELLED):
        return Function("absent")
    if (kind == "745" and code in ("", "CP")) or (kind == "250" and CREW.fullmatch(code)):
        return Function("booked", amends=code == "CP" or code[1:] == "C" or message == "4")
    raise ValueError(f"BGM {kind[:3]!r} with function {code[:4]!r}")


def empty(heading: Heading) -> str | None:
    """What is amiss with a message that lists nobody: whose departures a cancellation takes back nothing tells."""
    try:
        nobody = function(heading).word == "absent" and heading.function != LEFT_BEHIND
    except ValueError as error:
        return str(error)
    return f"BGM {heading.kind} {heading.function}: lists nobody, so that it takes back nothing" if nobody else None


@lru_cache(maxsize=256)
def between(heading: Heading, first: str, last: str) -> Journey:
    """The journey from where to where he flies with it. Raises ValueError."""
    return journey(heading.stops, first, last)


def way(said: Fields) -> Journey:
    """The traveller's journey. Raises ValueError."""
    return between(said["heading"], said.get("178") or "", said.get("179") or "")


def numbers(said: Fields, leg: Leg) -> Iterator[Spelling]:
    """Documents and bookings; of somebody who is named by reference only, the reference. Raises ValueError."""
    company, conveyance = leg.flight()
    named = bool(said["family"] or said["given"])
    for one, wrong in map(paper, said["documents"]):
        for field, why in wrong:
            said.lose(field, why)
        if one is not None:
            named = True
            yield one
    for booking in said["bookings"]:
        if BOOKING.fullmatch(booking):
            yield booked(booking, company)
    if not named and (reference := said.text("ABO")):
        known = reference.upper()
        if not REFERENCE.fullmatch(known):
            known = blake2b(known.encode(), digest_size=7).hexdigest()
        yield Identifier.spelled(Scheme.CASE, f"{conveyance}-{departs(leg)[2:8]}-{known}", company)


def key(said: Fields) -> str:
    """The record: flight, date, airport, traveller. Raises ValueError."""
    crossings = way(said).crossings
    if not crossings:
        raise ValueError("no leg of the journey crosses the border")
    leg, traveller = crossings[0], who(said)
    return " ".join(f"{leg.flight()[1]} {departs(leg)[:8]} {leg.begins.code} {traveller}".upper().split())


def departs(leg: Leg) -> str:
    """The scheduled departure. Raises ValueError where none is told that can be read."""
    at = leg.origin.departs
    if isinstance(at, Unreadable):
        raise ValueError(at.reason)
    if not at:
        raise ValueError(f"no DTM+189 for {leg.origin.port}")
    return at


def who(said: Fields) -> str:
    """By what a traveller is told from the others of a flight. Raises ValueError."""
    if said.get("ABO"):
        return f"ABO/{said['ABO']}"
    papers = (paper(each)[0] for each in said["documents"])
    if one := next(filter(None, papers), None):
        return f"P/{one['issuer']}/{one['value']}" if one["scheme"] is Scheme.PASSPORT else f"V/USA/{one['value']}"
    name, born = f"{said['family']}/{said['given']}", said.optional("birth", SUBJECT.birth_as)
    if name == "/" or not (said["bookings"] or born):
        raise ValueError("no reference, document, or name with date of birth: nothing to know the traveller by")
    if not born and function(said["heading"]).word == "absent":
        raise ValueError("neither reference, document nor date of birth: which traveller is meant cannot be known")
    first = f"AVF/{said['bookings'][0]}" if said["bookings"] else "NAME"
    return f"{first}/{name}/{born or ''}"


def version(traveller: Record) -> int:
    """When the interchange was prepared, its reference, and the message in it."""
    at: datetime = traveller.header["prepared"]
    minute = (((at.year * 100 + at.month) * 100 + at.day) * 100 + at.hour) * 100 + at.minute
    return int((minute * 10_000 + traveller.header["reference"]) * 1_000 + min(traveller.number, 999))


def skips(said: Fields) -> str | None:
    """The rule that leaves a traveller out. Raises ValueError."""
    word = function(said["heading"]).word
    if said["test"]:
        return "apis.test"
    if word == "list":
        return "apis.crew_list"
    return None if (flown := way(said)).crossings else f"apis.{flown.rule}"


def says(said: Fields) -> Iterator[Says]:
    """An event for each leg on which the traveller crosses the border. Raises ValueError."""
    crossing, _, unknown = way(said)
    word = function(said["heading"]).word
    for port in unknown:
        said.lose("LOC", f"airport {port[:5]!r} on the way is in no table")
    for field, why in amiss(said["heading"], said.get("178") or "", said.get("179") or ""):
        said.lose(field, why)
    subject = SUBJECT.of(said, list(numbers(said, crossing[0])))
    for leg in crossing:
        company, conveyance = leg.flight()
        by_air = {"subject": subject, "mode": "air", "carrier": company, "conveyance": conveyance}
        if leg.begins.home:
            yield Says(Departure, by_air | outbound(leg, word), leg.name)
        else:
            yield Says(Status, by_air | inbound(leg, word, conveyance), leg.name)


@lru_cache(maxsize=256)
def amiss(heading: Heading, *ends: str) -> tuple[tuple[str, str], ...]:
    """Scheduled times that cannot be read, and ends of a journey that are in no table: the field and why."""
    times = [at for stop in heading.stops for at in (stop.departs, stop.arrives) if isinstance(at, Unreadable)]
    strange = [port for port in ends if port and airport(port) is None]
    return (
        *(("DTM", at.reason) for at in times),
        *(("LOC", f"airport {port[:5]!r}, where the journey begins or ends, is in no table") for port in strange),
    )


def outbound(leg: Leg, word: str) -> dict[str, Any]:
    """A departure. Raises ValueError."""
    evidence = "manifest_closed" if word == "aboard" else "manifest"
    at = scheduled(departs(leg), leg.begins.zone)
    return {"occurred_at": at, "port": leg.begins.code, "evidence": evidence}


def inbound(leg: Leg, word: str, conveyance: str) -> dict[str, Any]:
    """The encounter of somebody who is on his way in. Raises ValueError."""
    arrives = leg.target.arrives
    end, place = (arrives, leg.ends) if arrives and isinstance(arrives, str) else (departs(leg), leg.begins)
    how = "aboard" if word == "aboard" else "booked aboard"
    reason = f"{how} {conveyance} from {leg.begins.code} to {leg.ends.code}"
    return {"occurred_at": scheduled(end, place.zone), "port": leg.ends.code, "fact": "encounter", "reason": reason}


MAPPING = Mapper(
    key=key,
    version=version,
    says=says,
    recorded=lambda said: said["prepared"],
    retracted=lambda said: function(said["heading"]).word == "absent",
    amends=lambda said: function(said["heading"]).amends,
    skips=skips,
    future=LONGEST_BEFORE_FLIGHT,
)
FORMAT = Paxlst(empty)
NUMBERED = ("interchange", "message")
"""A sender numbers its interchanges, and the messages in each."""
ADAPTER = System(
    "APIS",
    title="APIS, carriers' manifests",
    owner="CBP",
    number=2,
    emits=("departure", "status"),
    covers=(),
    facts=("encounter",),
    evidence="manifest_closed",
    identifiers=("booking", "case", "passport", "visa"),
    mapping_version=2,
    feeds=(
        Feed("queue", AmqpQueue(), MAPPING, FORMAT, NUMBERED),
        Feed("files", FileDrop(pattern="*.edi"), MAPPING, FORMAT, NUMBERED),
    ),
)
