"""IDENT: pushed biometric encounters to departures, and to status events that tell whose documents belong together."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import wraps
from importlib.resources import as_file, files
from typing import Any

from lxml import etree

from adapters.core import BadRecord, Feed, Filtered, Mapped, Mapping_, Note, Origin, Record, System
from adapters.dates import iso_day
from adapters.formats.xml_message import XmlMessageFormat
from adapters.mapping import as_bad_record, envelope, lookup, revision
from adapters.transports.http_push import HttpPush
from schemas.events import AnyEvent, Departure, Operation, Status, Subject
from schemas.identifiers import Identifier, Scheme, Spelling
from schemas.moments import Moment, zone

Fields = Mapping[str, Any]

HERE = files("adapters.systems.ident")
CODES: dict[str, Any] = tomllib.loads(HERE.joinpath("codes.toml").read_text())
CROSSINGS = frozenset({"ENTRY", "EXIT"})
_SPACE = "{urn:visabus:ident:1}"
_KEY = re.compile(r"E[0-9]{10}")


def _schema() -> etree.XMLSchema:
    with as_file(HERE) as folder:
        return etree.XMLSchema(etree.parse(str(folder / "encounters.xsd")))


def parts(fields: Fields, name: str) -> list[Fields]:
    """The elements of that name that hold others."""
    return [each for each in fields.get(name, ()) if not isinstance(each, str)]


def text(fields: Fields, name: str) -> str:
    """The text of an element that comes once at most; nothing where it is absent or empty."""
    for each in fields.get(name, ()):
        if isinstance(each, str):
            return each
    return ""


def numbers(fields: Fields, name: str) -> list[str]:
    """The identification in each element of that name."""
    return [text(each, "IdentificationID") for each in parts(fields, name)]


def key(encounter: Fields) -> str | None:
    """The encounter's id, if it is one. The rest of the encounter may be anything."""
    found = next(iter(numbers(encounter, "EncounterIdentification")), "")
    return found if _KEY.fullmatch(found) else None


def name(said: Fields) -> dict[str, str] | None:
    """A name as events have it: a single one stands in the family name."""
    family, given = text(said, "PersonSurName"), text(said, "PersonGivenName")
    if not family and not given:
        return None
    return {"family": family or given, "given": given if family else ""}


def document(said: Fields) -> Spelling:
    """A passport or a visa. Raises ValueError."""
    (value,) = numbers(said, "DocumentIdentification")
    if text(said, "DocumentCategoryCode") == "V":
        return Identifier.spelled(Scheme.VISA, value)
    return Identifier.spelled(Scheme.PASSPORT, value, text(said, "DocumentIssuingStateCode"))


def fins(category: str, said: Fields) -> list[str]:
    """The sets of fingerprints; a merge has several. Raises ValueError."""
    found = numbers(said, "FingerprintIdentification")
    if category not in CROSSINGS and not found:
        raise ValueError(f"{category} without FingerprintIdentification")
    if category != "MERGE":
        return found
    former = numbers(said, "FormerFingerprintIdentification")
    if not set(former) - set(found):
        raise ValueError("MERGE without another FormerFingerprintIdentification")
    return found + former


def subject(category: str, said: Fields) -> Subject:
    """Whom the encounter is about, by all names and numbers. Raises ValueError."""
    names = [each for each in map(name, parts(said, "PersonName")) if each is not None]
    birth = next(iter(parts(said, "PersonBirthDate")), {})
    identifiers = [
        *(Identifier.spelled(Scheme.FIN, each) for each in fins(category, said)),
        *(document(each) for each in parts(said, "TravelDocument")),
        *(Identifier.spelled(Scheme.A_NUMBER, each) for each in numbers(said, "AlienNumberIdentification")),
    ]
    once = {(each["scheme"], each["issuer"], each["value"]): each for each in identifiers}
    return Subject.model_validate(
        {
            "names": names,
            "birth": next((text(birth, each) for each in birth), None),
            "sex": text(said, "PersonSexCode") or None,
            "citizenship": said.get("PersonCitizenshipCode", ()),
            "identifiers": list(once.values()),
        }
    )


def moment(encounter: Fields, place: str) -> Moment:
    """Date and time local to the port. Raises ValueError."""
    day = iso_day(text(encounter, "EncounterLocalDate") or None, "EncounterLocalDate")
    if day is not None:
        return Moment.whole_day(day, place)
    local = datetime.fromisoformat(text(encounter, "EncounterLocalDateTime"))
    again = text(encounter, "EncounterRepeatedHourIndicator") in ("true", "1")
    return Moment.instant(local.replace(tzinfo=zone(place), fold=again), place)


def port(category: str, encounter: Fields) -> tuple[str | None, str]:
    """Where it was, and the zone of its times. Raises ValueError."""
    code = text(encounter, "EncounterPortCode")
    if code:
        return code, lookup(CODES["ports"], code, "EncounterPortCode")[1]
    if category in CROSSINGS:
        raise ValueError(f"{category} without EncounterPortCode")
    return None, "UTC"


def named(mapping: Mapping_) -> Mapping_:
    """The mapping with the encounter's id in what it refuses: the sender is told by it."""

    @wraps(mapping)
    def telling(entry: Record | Note, origin: Origin) -> Mapped | Filtered:
        try:
            return mapping(entry, origin)
        except BadRecord as bad:
            raise BadRecord(bad.reason, place=bad.place, raw=bad.raw, record=key(entry.fields)) from None

    return telling


@named
@as_bad_record
def events(entry: Record | Note, origin: Origin) -> Sequence[AnyEvent] | Filtered:
    """The canonical event of an encounter."""
    if isinstance(entry, Note):
        return ()
    encounter = entry.fields
    category, action = text(encounter, "EncounterCategoryCode"), text(encounter, "EncounterActionCode")
    match = text(encounter, "EncounterMatchCode")
    if category in CROSSINGS and not match:
        raise ValueError(f"{category} without EncounterMatchCode")
    record = key(encounter)
    if record is None:
        raise ValueError("EncounterIdentification is not E and ten digits")
    code, place = port(category, encounter)
    happened = moment(encounter, place)
    who = subject(category, next(iter(parts(encounter, "Person")), {}))
    crossing = _crossing(encounter, code) if category in CROSSINGS else {}
    if match == "NOT-MATCHED" and category in CROSSINGS and action != "D":
        return Filtered("not-matched")
    recorded = datetime.fromisoformat(text(encounter, "EncounterRecordedDateTime"))
    said = {"category": category, "action": action, "recorded": recorded, "port": code, **crossing}
    said |= {"at": happened.model_dump(), "who": who.model_dump()}
    number = int(text(encounter, "EncounterVersionNumeric"))
    fields = envelope(entry, origin, record, revision(number, said), recorded_at=recorded) | {
        "operation": Operation.RETRACT if action == "D" else Operation.ASSERT,
        "occurred_at": happened,
        "subject": who,
    }
    if category == "EXIT":
        return (Departure.model_validate(fields | crossing | {"evidence": "biometric"}),)
    reason = f"entry at {code}" if category == "ENTRY" else category.lower()
    return (Status.model_validate(fields | crossing | {"fact": "encounter", "reason": reason}),)


def _crossing(encounter: Fields, code: str | None) -> dict[str, Any]:
    mode = text(encounter, "TransportationModeCode")
    if not mode:
        raise ValueError(f"{text(encounter, 'EncounterCategoryCode')} without TransportationModeCode")
    return {
        "port": code,
        "mode": CODES["modes"][mode],
        "carrier": text(encounter, "CarrierCode") or None,
        "conveyance": next(iter(numbers(encounter, "ConveyanceIdentification")), None),
    }


ADAPTER = System(
    name="IDENT",
    title="IDENT, biometric encounters",
    owner="OBIM",
    number=8,
    emits=("departure", "status"),
    identifiers=("fin", "passport", "visa", "a_number"),
    mapping_version=2,
    feeds=(
        Feed(
            name="push",
            transport=HttpPush(
                called="encounter",
                key=lambda read: key(read.fields),
                content_types=frozenset({"application/xml", "text/xml"}),
            ),
            mapping=events,
            format=XmlMessageFormat(
                schema=_schema(), root=f"{_SPACE}EncounterMessage", record=f"{_SPACE}Encounter", named=key
            ),
        ),
    ),
)
