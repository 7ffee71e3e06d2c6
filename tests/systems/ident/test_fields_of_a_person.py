"""IDENT: each element of its interface in each kind of encounter changes an event, or its page says ignored."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from contracts.adapters.test_fields import plain, readme
from systems.ident.build import ENROLMENT, ENTRY, EXIT, MERGE, encounter, message

from adapters.decode import decode_file
from adapters.registry import systems

IDENT = systems()["IDENT"]
BASES = {base["category"]: base for base in (ENTRY, EXIT, ENROLMENT, MERGE)}
HOUR = {"local": "2024-11-03T01:30:00"}
"""The hour that comes twice, where which of the two it is matters."""
CHANGES: dict[str, dict[str, Any]] = {
    "EncounterIdentification/nc:IdentificationID": {"id": "E0000000099"},
    "EncounterVersionNumeric": {"version": 2},
    "EncounterActionCode": {"action": "D"},
    "EncounterCategoryCode": {"category": "ENROLMENT"},
    "EncounterMatchCode": {"match": "NOT-MATCHED"},
    "EncounterRecordedDateTime": {"recorded": "2025-03-15T01:45:12.5Z"},
    "EncounterLocalDateTime or EncounterLocalDate": {"local": "2025-03-14"},
    "EncounterRepeatedHourIndicator": {"again": "true"},
    "EncounterPortCode": {"port": "BOS"},
    "TransportationModeCode": {"mode": "S"},
    "CarrierCode": {"carrier": "BA"},
    "ConveyanceIdentification/nc:IdentificationID": {"conveyance": "IB9999"},
    "Person": {"fin": "555555555", "names": (), "documents": (), "a_numbers": ()},
    "EncounterOperatorIdentification/nc:IdentificationID": {"operator": "K9"},
    "EncounterDeviceIdentification/nc:IdentificationID": {"device": "T9"},
    "FingerprintIdentification/nc:IdentificationID": {"fin": "555555555"},
    "FormerFingerprintIdentification/nc:IdentificationID": {"former": ("555555555",)},
    "nc:PersonName": {"names": (("GARCIA", "MARIA JOSE"),)},
    "nc:PersonBirthDate": {"birth": "1987-05"},
    "PersonSexCode": {"sex": "X"},
    "PersonCitizenshipCode": {"citizenship": ("ESP", "PRT")},
    "TravelDocument": {"documents": (("P", "PRT", "PAA123456"),)},
    "im:AlienNumberIdentification/nc:IdentificationID": {"a_numbers": ("A87654321",)},
}
PARTS: dict[str, dict[str, Any]] = {
    "surname": {"names": (("GARCIA", "MARIA JOSE"),)},
    "given name": {"names": (("GARCIA LOPEZ", "MARIA"),)},
    "a second name": {"names": (("GARCIA LOPEZ", "MARIA JOSE"), ("LOPEZ", ""))},
    "year of birth": {"birth": "1987"},
    "date of birth": {"birth": "1987-05-24"},
    "category of a document": {"documents": (("V", "ESP", "K1234567"),)},
    "issuer of a passport": {"documents": (("P", "PRT", "PAA123456"),)},
    "number of a passport": {"documents": (("P", "ESP", "PAA123457"),)},
    "number of a foil": {"documents": (("V", None, "K1234568"),)},
}


class Outcome(NamedTuple):
    """A line of a table of the page."""

    name: str
    duty: str

    def ignored(self, category: str) -> bool:
        """Whether the content changes no event of that category."""
        duty = self.duty.split("; ")
        named = [part for part in duty if category in part]
        said = named or [part for part in duty if "else" in part] or [part for part in duty if " for " not in part]
        return bool(said) and (said[0].startswith("I") or "ignored" in said[0])


def reported() -> list[Outcome]:
    """The lines of both tables, without what is said of the elements inside."""
    results = []
    for line in readme("ident").partition("## The message")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 3 and re.match(r"[MOI]\b", cells[1]):
            name = re.sub(r" \(.*| with .*", "", cells[0]).replace("`", "")
            results.append(Outcome(name, cells[1].replace("`", "")))
    return results


def said(base: dict[str, Any], changes: dict[str, Any]) -> list[bytes]:
    """Contents of events without derived ids and digests, and rules; nothing may be refused."""
    results = []
    for result in decode_file(IDENT, message(encounter(base, **changes))):
        assert result.refused is None, result.refused
        results += [plain(event) for event in result.events] + ([result.filtered.encode()] if result.filtered else [])
    return results


@pytest.mark.parametrize("category", BASES)
@pytest.mark.parametrize("field", reported(), ids=lambda field: field.name)
def test_every_element_changes_an_event_or_is_ignored(field: Outcome, category: str) -> None:
    base = BASES[category] | (HOUR if field.name == "EncounterRepeatedHourIndicator" else {})
    if category in ("ENROLMENT", "MERGE") and base["port"] is None and "again" in CHANGES[field.name]:
        base |= {"port": "JFK"}  # without a port local time is UTC, which has no such hour
    changes = dict(CHANGES[field.name])
    if changes.get("category") == category:
        changes["category"] = "MERGE" if base["former"] else "EXIT"
        base |= {"match": "MATCHED", "port": "JFK", "mode": "A"}
    assert base | changes != base
    before = said(base, {})
    assert before
    assert (said(base, changes) == before) == field.ignored(category)


@pytest.mark.parametrize("category", BASES)
@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_a_person_changes_an_event(part: str, category: str) -> None:
    base = BASES[category]
    if part == "number of a foil":
        base = base | {"documents": (("V", None, "K1234567"),)}
    assert said(base, PARTS[part]) != said(base, {})


@pytest.mark.parametrize("category", BASES)
def test_the_issuer_of_a_foil_is_ignored(category: str) -> None:
    with_foil = BASES[category] | {"documents": (("V", "ESP", "K1234567"),)}
    assert said(with_foil, {}) == said(with_foil, {"documents": (("V", "USA", "K1234567"),)})
    assert said(with_foil, {}) == said(with_foil, {"documents": (("V", None, "K1234567"),)})


@pytest.mark.parametrize("category", BASES)
def test_the_second_pass_is_ignored_beside_a_date_alone(category: str) -> None:
    day = BASES[category] | {"local": "2024-11-03", "port": "JFK"}
    assert said(day, {}) == said(day, {"again": "true"})


def test_the_walk_knows_every_line_of_the_page() -> None:
    assert [field.name for field in reported()] == list(CHANGES)
    ignored = {category: [field.name for field in reported() if field.ignored(category)] for category in BASES}
    assert len(ignored["EXIT"]) == 3
    assert len(ignored["ENTRY"]) == 3
    assert len(ignored["ENROLMENT"]) == 7
    assert len(ignored["MERGE"]) == 6


def test_a_planted_bug_is_caught() -> None:
    """A reader that loses a field: the walk compares what the field is part of."""
    (event,) = [event for result in decode_file(IDENT, message(encounter())) for event in result.events]
    blind = event.model_copy(update={"conveyance": None})
    assert plain(blind) != plain(event)
