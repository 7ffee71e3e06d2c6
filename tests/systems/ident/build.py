"""Messages of IDENT, built from plain words."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

Fields = dict[str, Any]

SPACES = (
    'xmlns:ident="urn:visabus:ident:1" xmlns:nc="http://release.niem.gov/niem/niem-core/5.0/" '
    'xmlns:im="http://release.niem.gov/niem/domains/immigration/5.2/"'
)
EXIT: Fields = {
    "id": "E0000000017",
    "version": 1,
    "action": "N",
    "category": "EXIT",
    "match": "MATCHED",
    "recorded": "2025-03-15T01:45:12Z",
    "local": "2025-03-14T21:30:00",
    "again": None,
    "port": "JFK",
    "mode": "A",
    "carrier": "IB",
    "conveyance": "IB6252",
    "fin": "123456789",
    "former": (),
    "names": (("GARCIA LOPEZ", "MARIA JOSE"),),
    "birth": "1987-05-23",
    "sex": "F",
    "citizenship": ("ESP",),
    "documents": (("P", "ESP", "PAA123456"),),
    "a_numbers": (),
    "operator": "K0017",
    "device": "T4-GATE-7",
}
ENTRY: Fields = EXIT | {
    "id": "E0000000018",
    "category": "ENTRY",
    "conveyance": "IB6251",
    "local": "2025-03-14T18:15:00",
}
ENROLMENT: Fields = EXIT | {
    "id": "E0000000019",
    "category": "ENROLMENT",
    **dict.fromkeys(("match", "mode", "carrier", "conveyance", "port")),
    "documents": (("P", "ESP", "PAA123456"), ("V", None, "K1234567")),
    "a_numbers": ("A12345678",),
}
MERGE: Fields = ENROLMENT | {"id": "E0000000020", "category": "MERGE", "former": ("987654321",)}
ORDER = tuple(EXIT)


def element(name: str, value: object) -> str:
    """An element, or nothing for what is absent."""
    return "" if value is None else f"<{name}>{escape(str(value))}</{name}>"


def identified(name: str, value: object) -> str:
    """An element with an identification."""
    return "" if value is None else f"<{name}>{element('nc:IdentificationID', value)}</{name}>"


def person(said: Fields) -> str:
    """The person of an encounter."""
    names = "".join(
        f"<nc:PersonName>{element('nc:PersonGivenName', given)}{element('nc:PersonSurName', family)}</nc:PersonName>"
        for family, given in said["names"]
    )
    kind = {4: "nc:YearDate", 7: "nc:YearMonthDate"}.get(len(said["birth"] or ""), "nc:Date")
    birth = f"<nc:PersonBirthDate>{element(kind, said['birth'])}</nc:PersonBirthDate>" if said["birth"] else ""
    documents = "".join(
        f"<ident:TravelDocument>{element('ident:DocumentCategoryCode', category)}"
        f"{element('ident:DocumentIssuingStateCode', state)}{identified('ident:DocumentIdentification', number)}"
        "</ident:TravelDocument>"
        for category, state, number in said["documents"]
    )
    return (
        "<ident:Person>"
        + identified("ident:FingerprintIdentification", said["fin"])
        + "".join(identified("ident:FormerFingerprintIdentification", fin) for fin in said["former"])
        + names
        + birth
        + element("ident:PersonSexCode", said["sex"])
        + "".join(element("ident:PersonCitizenshipCode", code) for code in said["citizenship"])
        + documents
        + "".join(identified("im:AlienNumberIdentification", number) for number in said["a_numbers"])
        + "</ident:Person>"
    )


def encounter(base: Fields = EXIT, **changes: Any) -> str:
    """An encounter, in one line."""
    said = base | changes
    local = "ident:EncounterLocalDate" if len(said["local"]) == 10 else "ident:EncounterLocalDateTime"
    return (
        "<ident:Encounter>"
        + identified("ident:EncounterIdentification", said["id"])
        + element("ident:EncounterVersionNumeric", said["version"])
        + element("ident:EncounterActionCode", said["action"])
        + element("ident:EncounterCategoryCode", said["category"])
        + element("ident:EncounterMatchCode", said["match"])
        + element("ident:EncounterRecordedDateTime", said["recorded"])
        + element(local, said["local"])
        + element("ident:EncounterRepeatedHourIndicator", said["again"])
        + element("ident:EncounterPortCode", said["port"])
        + element("ident:TransportationModeCode", said["mode"])
        + element("ident:CarrierCode", said["carrier"])
        + identified("ident:ConveyanceIdentification", said["conveyance"])
        + person(said)
        + identified("ident:EncounterOperatorIdentification", said["operator"])
        + identified("ident:EncounterDeviceIdentification", said["device"])
        + "</ident:Encounter>"
    )


def message(*encounters: str) -> bytes:
    """A whole message."""
    lines = "".join(f"  {each}\n" for each in encounters)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ident:EncounterMessage {SPACES}>\n{lines}</ident:EncounterMessage>\n'
    ).encode()
