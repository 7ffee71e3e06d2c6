"""ATS: bookings of those who mean to leave, and what came of vetting suspected overstays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from typing import Any

from adapters.converters import choice, code, instant, instant_at, symbol, text, whole
from adapters.core import Feed, Filtered, System
from adapters.documents import booked, paper
from adapters.fields import Fields
from adapters.formats.avro import Avro
from adapters.formats.json_message import JsonMessage
from adapters.formats.pnrgov import Pnrgov
from adapters.mapper import Mapper, Number, Person, Says
from adapters.routes import flight
from adapters.systems.ats.reservations import LOCATOR, LONGEST_BEFORE_FLIGHT, RESERVATIONS, crossing
from adapters.transports.file_drop import FileDrop
from adapters.transports.kafka_topic import KafkaTopic
from schemas.airports import airport
from schemas.events import Departure, Status
from schemas.identifiers import Scheme, Spelling
from schemas.moments import Moment, Precision

BASES = {"BOARDED": "manifest_closed", "MANIFEST": "manifest", "RESERVATION": "booking"}
RECORD = re.compile(r"\S(.{0,38}\S)?")
WORD = re.compile(r"[A-Z0-9_]{1,60}")
PERSON = Person(
    family="traveler/familyName",
    given=("traveler/givenName",),
    birth="traveler/birthDate",
    sex="traveler/sex",
    citizenship="traveler/citizenship",
    numbers=(Number(Scheme.ESTA, "estaNumber"),),
)


def key(message: Fields) -> str:
    """Return the key of the record. Raises ValueError."""
    value = message["recordId"]
    if not isinstance(value, str) or not RECORD.fullmatch(value):
        raise ValueError("recordId is no key of 1 to 40 characters")
    return value


def group(message: Fields, name: str) -> Fields:
    """Return a group that has to be there. Raises ValueError."""
    at = message.group(name)
    if at is None:
        raise ValueError(f"{name} is absent")
    return at


def numbers(message: Fields) -> Iterator[Spelling]:
    """Yield passports, and visas of the United States; what is wrong in one costs itself."""
    listed = message.get("documents")
    if not isinstance(listed, list):
        if listed:
            message.lose("documents", "documents is no list")
        return
    for each in message.groups("documents"):
        kind, number, issuer = (each.optional(name, text) or "" for name in ("type", "number", "issuer"))
        if kind:  # without one nothing says that it is a passport
            one, wrong = paper((kind, number, issuer))
            for _, why in wrong:
                message.lose("documents", why.replace("LOC+91", "issuer").replace("DOC 2.1", "number"))
            if one is not None:
                yield one


def says(message: Fields) -> Iterator[Says] | Filtered:
    """Return the events of a message, or the rule that leaves it out. Raises ValueError."""
    if message.need("kind", choice("TRAVEL", "VETTING")) == "TRAVEL":
        return travel(message, group(message, "travel"))
    return vetting(message, group(message, "vetting"))


def travel(message: Fields, on: Fields) -> Iterator[Says] | Filtered:
    """Return the departure that was booked, or the rule that leaves it out. Raises ValueError."""
    company, conveyance = flight("", on.need("flight", text), on.need("carrier", text))
    ends = [on.need(name, text).upper() for name in ("origin", "destination")]
    begins, rule = crossing(*ends)
    at = Moment.instant(on.need("departsAt", instant_at(begins.zone)), begins.zone, Precision.MINUTE)
    if rule is not None:
        return Filtered(rule)
    more = list(numbers(message))
    if locator := on.optional("locator", text):
        if LOCATOR.fullmatch(locator.upper()):
            more.append(booked(locator.upper(), company))
        else:
            on.lose("locator", "locator is no record locator")
    fields: dict[str, Any] = {"occurred_at": at, "subject": PERSON.of(message, more), "port": begins.code}
    by_air = {"mode": "air", "carrier": company, "conveyance": conveyance, "evidence": "booking"}
    return iter((Says(Departure, fields | by_air),))


def vetting(message: Fields, of: Fields) -> Iterator[Says]:
    """Yield what came of the vetting, and the departure that it came upon. Raises ValueError."""
    result = of.need("result", text)
    if not WORD.fullmatch(result):
        raise ValueError("result is no word of capital letters")
    subject = PERSON.of(message, list(numbers(message)))
    closed = result == "UNMATCHED_DEPARTURE_FOUND"
    reason = result.lower().replace("_", "-")
    rank = of.optional("rank", whole)
    if result == "PRIORITY" and rank is not None:
        if rank > 9:
            of.lose("rank", "rank is no number from 1 to 9")
        else:
            reason = f"priority {rank}"
    decided = Moment.instant(of.need("decidedAt", instant), "America/New_York")
    fact = "lead_closed" if closed else "lead_opened"
    yield Says(Status, {"occurred_at": decided, "subject": subject, "fact": fact, "reason": reason})
    left = of.group("departure")
    if closed and left is not None:
        yield Says(Departure, {"subject": subject, **departure(left)}, part="departure")


def departure(left: Fields) -> dict[str, Any]:
    """Return a departure that another system reported. Raises ValueError."""
    port = airport(left.need("port", text).upper())
    if port is None or not port.home:
        raise ValueError(f"port {left['port'][:5]!r} is no airport of the United States")
    at = Moment.instant(left.need("departedAt", instant_at(port.zone)), port.zone, Precision.MINUTE)
    fields: dict[str, Any] = {"occurred_at": at, "port": port.code, "mode": "air"}
    fields["evidence"] = left.need("basis", code(BASES))
    by = left.optional("departedBy", lambda value, what: flight("", text(value, what), ""))
    if by is not None:
        fields["carrier"], fields["conveyance"] = by
    system, record = left.optional("system", symbol), left.optional("record", text)
    if system is not None and record is not None:
        fields["origin"] = {"system": system, "record": record}
    return fields


def retracted(message: Fields) -> bool:
    """Return whether a record is taken back, or holds no seat (any more). Raises ValueError."""
    if message.need("action", choice("UPSERT", "DELETE")) == "DELETE":
        return True
    at = message.group("travel") if message["kind"] == "TRAVEL" else None
    return at is not None and at.need("status", choice("BOOKED", "WAITLISTED", "CANCELLED")) != "BOOKED"


MAPPING = Mapper(
    key=key,
    version=lambda record: whole(record.fields.get("version"), "version"),
    recorded=lambda message: message.need("updatedAt", instant),
    retracted=retracted,
    says=says,
    future=LONGEST_BEFORE_FLIGHT + timedelta(days=1),
)
SCHEMA = json.loads(files("adapters.systems.ats").joinpath("upax.avsc").read_text(encoding="utf-8"))
NUMBERED = ("interchange", "message")
"""A sender numbers its interchanges, and the messages in each."""
ADAPTER = System(
    "ATS",
    title="ATS, travel records and vetted overstays",
    owner="CBP",
    number=5,
    emits=("departure", "status"),
    covers=(),
    facts=("lead_closed", "lead_opened"),
    evidence="manifest_closed",
    identifiers=("booking", "esta", "passport", "visa"),
    mapping_version=1,
    feeds=(
        Feed("upax", KafkaTopic(), MAPPING, JsonMessage()),
        Feed("upax-avro", KafkaTopic(avro=Avro(SCHEMA)), MAPPING),
        Feed("upax-files", FileDrop(pattern="*.jsonl"), MAPPING, JsonMessage()),
        Feed("reservations", FileDrop(pattern="*.edi"), RESERVATIONS, Pnrgov(), NUMBERED),
        Feed("reservations-topic", KafkaTopic(), RESERVATIONS, Pnrgov(), NUMBERED),
    ),
)
