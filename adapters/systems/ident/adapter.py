"""IDENT: pushed biometric encounters to departures, and to status events that tell whose documents belong together."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.resources import as_file, files
from typing import Any

from lxml import etree

from adapters.converters import code, instant_at, nationality, sex, symbol
from adapters.core import Feed, Filtered, System
from adapters.fields import Fields
from adapters.formats.xml_message import XmlMessageFormat
from adapters.mapper import Mapper, Says
from adapters.niem import birth, local_moment, name, numbers, tell_lost, text
from adapters.transports.http_push import HttpPush
from schemas.airports import airport
from schemas.carriers import carrier
from schemas.events import Departure, Status, Subject
from schemas.identifiers import Identifier, Scheme, Spelling

HERE = files("adapters.systems.ident")
CODES: dict[str, Any] = tomllib.loads(HERE.joinpath("codes.toml").read_text())
CROSSINGS = frozenset({"ENTRY", "EXIT"})
ALIEN = "AlienNumberIdentification"
PORT, MODE, RECORDED = code(CODES["ports"]), code(CODES["modes"]), instant_at("UTC")
_SPACE = "{urn:visabus:ident:1}"
_KEY = re.compile(r"E[0-9]{10}")


def _schema() -> etree.XMLSchema:
    with as_file(HERE) as folder:
        return etree.XMLSchema(etree.parse(str(folder / "encounters.xsd")))


def key(encounter: Fields) -> str:
    """The encounter's id. The rest of the encounter may be anything. Raises ValueError."""
    result = next(iter(numbers(encounter, "EncounterIdentification")), "")
    if not _KEY.fullmatch(result):
        raise ValueError("EncounterIdentification is not E and ten digits")
    return result


def document(said: Fields) -> Spelling:
    """A passport or a visa. Raises ValueError."""
    kind, value = text(said, "DocumentCategoryCode"), next(iter(numbers(said, "DocumentIdentification")), "")
    if kind == "V":
        return Identifier.spelled(Scheme.VISA, value)
    if kind != "P":
        raise ValueError(f"DocumentCategoryCode {kind[:9]!r} is neither P nor V")
    return Identifier.spelled(Scheme.PASSPORT, value, text(said, "DocumentIssuingStateCode"))


def fins(category: str, said: Fields) -> list[str]:
    """The sets of fingerprints; a merge has several. Raises ValueError."""
    result = numbers(said, "FingerprintIdentification")
    if category not in CROSSINGS and not result:
        raise ValueError(f"{category} without FingerprintIdentification")
    if category != "MERGE":
        return result
    former = numbers(said, "FormerFingerprintIdentification")
    if not set(former) - set(result):
        raise ValueError("MERGE without another FormerFingerprintIdentification")
    return result + former


def fingerprints(category: str, said: Fields) -> list[Spelling]:
    """The numbers of the sets. Where one is optional a wrong one costs itself. Raises ValueError."""
    if category in CROSSINGS:
        field = "FingerprintIdentification"
        return said.several(field, fins(category, said), lambda each, _: Identifier.spelled(Scheme.FIN, each))
    return [Identifier.spelled(Scheme.FIN, each) for each in fins(category, said)]


def subject(category: str, said: Fields) -> Subject:
    """Whom the encounter is about, by all names and numbers. Raises ValueError."""
    born = next(iter(said.groups("PersonBirthDate")), Fields({}))
    results = fingerprints(category, said)
    results += said.several("TravelDocument", said.groups("TravelDocument"), lambda each, _: document(each))
    aliens = numbers(said, ALIEN)
    results += said.several(ALIEN, aliens, lambda each, _: Identifier.spelled(Scheme.A_NUMBER, each))
    dates, sexes = [text(born, each) for each in born], [text(said, "PersonSexCode")]
    return Subject.model_validate(
        {
            "names": [each for each in map(name, said.groups("PersonName")) if each is not None],
            "birth": next(iter(said.several("PersonBirthDate", dates, birth)), None),
            "sex": next(iter(said.several("PersonSexCode", sexes, sex)), None),
            "citizenship": said.several("PersonCitizenshipCode", said.get("PersonCitizenshipCode"), nationality),
            "identifiers": list({(each["scheme"], each["issuer"], each["value"]): each for each in results}.values()),
        }
    )


def port_zone(port: str) -> str:
    """The zone of a port's times, or of an airport of the United States; UTC without one. Raises ValueError."""
    known = airport(port)
    if known is not None and known.home and port not in CODES["ports"]:
        return known.zone
    return str(PORT(port, "EncounterPortCode")[1]) if port else "UTC"


def crossing(category: str, encounter: Fields, port: str) -> dict[str, Any]:
    """Where and how the border was crossed. Raises ValueError."""
    mode = text(encounter, "TransportationModeCode")
    if not mode:
        raise ValueError(f"{category} without TransportationModeCode")
    carriers, flights = [text(encounter, "CarrierCode")], numbers(encounter, "ConveyanceIdentification")
    company = next(iter(encounter.several("CarrierCode", carriers, symbol)), None)
    conveyance = next(iter(encounter.several("ConveyanceIdentification", flights, symbol)), None)
    by = {"mode": MODE(mode, "TransportationModeCode"), "carrier": carrier(company) if company else None}
    return by | {"port": port, "conveyance": conveyance}


def says(encounter: Fields) -> Iterable[Says] | Filtered:
    """The canonical event of an encounter. Raises ValueError."""
    category, port = text(encounter, "EncounterCategoryCode"), text(encounter, "EncounterPortCode")
    crosses, match = category in CROSSINGS, text(encounter, "EncounterMatchCode")
    if crosses and not (match and port):
        raise ValueError(f"{category} without {'EncounterPortCode' if match else 'EncounterMatchCode'}")
    zones = (
        [port_zone(port)] if crosses else encounter.several("EncounterPortCode", [port], lambda one, _: port_zone(one))
    )
    happened = local_moment(encounter, "Encounter", next(iter(zones), "UTC"))
    who = subject(category, next(iter(encounter.groups("Person")), Fields({})))
    tell_lost(encounter)
    fields: dict[str, Any] = {"occurred_at": happened, "subject": who}
    if crosses:
        fields |= crossing(category, encounter, port)
        if match == "NOT-MATCHED" and text(encounter, "EncounterActionCode") != "D":
            return Filtered("not-matched")
    if category == "EXIT":
        return (Says(Departure, fields | {"evidence": "biometric"}),)
    reason = f"entry at {port}" if category == "ENTRY" else category.lower()
    return (Says(Status, fields | {"fact": "encounter", "reason": reason}),)


MAPPING = Mapper(
    key=key,
    version=lambda record: int(text(Fields(record.fields), "EncounterVersionNumeric")),
    recorded=lambda said: RECORDED(text(said, "EncounterRecordedDateTime"), "EncounterRecordedDateTime"),
    retracted=lambda said: text(said, "EncounterActionCode") == "D",
    says=says,
)
PUSH = HttpPush(
    called="encounter",
    key=lambda read: MAPPING.key_of(read.fields),
    content_types=frozenset({"application/xml", "text/xml"}),
)
FORMAT = XmlMessageFormat(_schema(), f"{_SPACE}EncounterMessage", f"{_SPACE}Encounter", named=MAPPING.key_of)
ADAPTER = System(
    "IDENT",
    title="IDENT, biometric encounters",
    owner="OBIM",
    number=8,
    emits=("departure", "status"),
    covers=(),
    facts=("encounter",),
    evidence="biometric",
    identifiers=("fin", "passport", "visa", "a_number"),
    mapping_version=2,
    feeds=(Feed("push", PUSH, MAPPING, FORMAT),),
)
