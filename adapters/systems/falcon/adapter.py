"""FALCON-SA: copies of other systems' records, to statuses that name their origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from adapters.converters import code, country, day, flag, instant, symbol, text, whole_day
from adapters.converters import sex as letter
from adapters.core import Feed, Record, System
from adapters.fields import Fields
from adapters.formats.json_lines import JsonLines
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.file_drop import FileDrop
from schemas.country_codes import ICAO, INS_ALPHA, NAMES, SEVIS, CountryCodes
from schemas.events import Status
from schemas.identifiers import Scheme

ZONE = "America/New_York"
FACTS = {
    "ARREST": "arrested",
    "BOOK_IN": "detained",
    "BOOK_OUT": "released",
    "DETAINER": "detainer_lodged",
    "DETAINER_LIFTED": "detainer_lifted",
    "INVESTIGATION": "investigation_opened",
    "INVESTIGATION_CLOSED": "investigation_closed",
    "LEAD": "lead_opened",
    "LEAD_CLOSED": "lead_closed",
}
OWNERS = frozenset({"APPLICATION", "ASYLUM", "CROSSING", "DECISION", "ORDER", "PROGRAM", "REMOVAL", "VISA"})
"""Kinds of what moves a clock or is a crossing."""
SEXES = {"Female": "F", "Male": "M", "Unknown": "U"}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sex(value: Any, what: str) -> str | None:
    """Return the sex as either kind of source writes it. Raises ValueError."""
    return letter(SEXES.get(value, value) if isinstance(value, str) else value, what)


def person(*sets: CountryCodes) -> Person:
    """Return where the person stands, with countries in these codes."""
    issuer = country(*sets, of="issuer")
    numbers = (
        Number(Scheme.A_NUMBER, "aNumber"),
        Number(Scheme.FIN, "fin"),
        Number(Scheme.SEVIS, "sevisId"),
        Number(Scheme.I94, "i94"),
        Number(Scheme.PASSPORT, "passport/number", issuer="passport/state", issuer_as=issuer),
        Number(Scheme.SUBJECT, "subjectId", issued_by="EID"),
    )
    usual = Person("familyName", ("givenName",), "birthDate", "sex", "citizenship", numbers, sex_as=sex)
    return replace(usual, citizenship_as=country(*sets))


PERSONS = {"EID": person(NAMES), "ICM": person(NAMES), "SEVIS": person(SEVIS), "CIS": person(INS_ALPHA)}
OTHERS = person(ICAO)


def updated(line: Fields) -> datetime:
    """Return when the source changed its record, or else when it was loaded. Raises ValueError."""
    return line.present("sourceUpdatedAt", instant) or line.need("loadedAt", instant)


def key(line: Fields) -> str:
    """Return the system and its key. Raises ValueError."""
    system, record = line.text("sourceSystem"), line.text("sourceRecordId")
    if not system or not record:
        raise ValueError("sourceSystem or sourceRecordId is absent")
    return f"{system}/{record}"


def version(record: Record) -> int:
    """Return microseconds since 1970. Raises ValueError."""
    since = updated(Fields(record.fields)) - EPOCH
    return (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds


def skips(line: Fields) -> str | None:
    """Return the rule that leaves a line out. Raises ValueError."""
    entity = line.group("entity")
    if entity is None:
        raise ValueError("entity is absent")
    if entity.need("type", text) != "PERSON":
        return "not-a-person"
    event = entity.group("event")
    kind = event.text("kind") if event else None
    return "no-event" if kind is None else "told-by-its-owner" if kind in OWNERS else None


def says(line: Fields) -> Iterator[Says]:
    """Yield the fact that is copied. Raises ValueError."""
    entity = line["entity"]
    event, system = entity["event"], line["sourceSystem"]
    kind = event["kind"]
    fields: dict[str, Any] = {
        "occurred_at": whole_day(event.need("date", day), ZONE),
        "subject": PERSONS.get(system, OTHERS).of(entity),
        "fact": event.need("kind", code(FACTS)),
        "reason": kind.lower().replace("_", "-"),
    }
    origin = line.optional("sourceSystem", symbol)
    yield Says(Status, fields | {"origin": origin and {"system": origin, "record": line["sourceRecordId"]}})


MAPPING = Mapper(
    key=key,
    version=version,
    recorded=updated,
    retracted=lambda line: line.present("removed", flag) is True,
    skips=skips,
    says=says,
)
ADAPTER = System(
    "FALCON",
    title="FALCON-SA, copies for analysts",
    owner="ICE",
    number=14,
    emits=("status",),
    covers=(),
    facts=(
        "arrested",
        "detained",
        "detainer_lifted",
        "detainer_lodged",
        "investigation_closed",
        "investigation_opened",
        "lead_closed",
        "lead_opened",
        "released",
    ),
    identifiers=("a_number", "fin", "sevis", "i94", "passport", "subject"),
    mapping_version=1,
    feeds=(Feed("loads", FileDrop(pattern="FALCON.*.jsonl.gz", unwrap="gzip"), MAPPING, JsonLines()),),
)
