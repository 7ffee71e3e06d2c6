"""I-94 files built from plain words: a header, details by kind, a trailer that is right for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapters.systems.i94.adapter import FORMAT

Fields = dict[str, Any]
LAYOUT = FORMAT.layout

HEADER: Fields = {
    "INTERFACE-ID": "CBPI94",
    "INTERFACE-VERSION": 100,
    "FILE-DATE": 20250314,
    "FILE-SEQUENCE": 412,
    "CREATED-AT": 20250315043000,
    "PREVIOUS-SEQUENCE": 411,
    "COVERAGE-COUNT": 2,
    "COVERAGE": [
        {"COVERAGE-SCOPE": "DA", "COVERAGE-SINCE": 20250314040000, "COVERAGE-THROUGH": 20250315040000},
        {"COVERAGE-SCOPE": "AA", "COVERAGE-SINCE": 20250314040000, "COVERAGE-THROUGH": 20250315040000},
    ],
}
ARRIVAL: Fields = {
    "TXN-TYPE": "A",
    "TXN-ACTION": "N",
    "TXN-NUMBER": 20000000017,
    "LAST-UPDATED": 20250314223105,
    "I94-NUMBER": "123456789A1",
    "FAMILY-NAME": "GARCIA LOPEZ",
    "GIVEN-NAME": "MARIA JOSE",
    "BIRTH-DATE": 19870523,
    "SEX-CODE": "F",
    "CITIZENSHIP": "ESP",
    "PASSPORT-STATE": "ESP",
    "PASSPORT-NUMBER": "PAA123456",
    "VISA-FOIL": "K1234567",
    "PORT-CODE": "JFK",
    "MODE-CODE": "A",
    "CARRIER-CODE": "IB",
    "CONVEYANCE": "IB6251",
    "EVENT-DATE": 20250314,
    "EVENT-TIME": 181500,
    "EVENT-FOLD": "",
    "ARRIVAL-DATA": {
        "ADMISSION-CLASS": "B2",
        "INSPECTION-CODE": "A",
        "ADMITTED-KIND": "D",
        "ADMITTED-UNTIL": 20250913,
    },
    "OFFICER-ID": "K0017",
    "TERMINAL-ID": "T4",
}
DEPARTURE: Fields = {name: value for name, value in ARRIVAL.items() if name != "ARRIVAL-DATA"} | {
    "TXN-TYPE": "D",
    "TXN-NUMBER": 20000000018,
    "CONVEYANCE": "IB6252",
    "EVENT-TIME": 213000,
    "DEPARTURE-DATA": {"EVIDENCE-CODE": "M"},
}
EXTENSION: Fields = {name: value for name, value in ARRIVAL.items() if name != "ARRIVAL-DATA"} | {
    "TXN-TYPE": "X",
    "TXN-NUMBER": 20000000019,
    "EXTENSION-DATA": {
        "GRANTED-CLASS": "",
        "GRANTED-KIND": "D",
        "GRANTED-UNTIL": 20251013,
        "VALID-FROM": 20250914,
    },
}


def detail(base: Fields, **changes: Any) -> bytes:
    """A detail record: names with underscores, those of the type's own part too."""
    fields = dict(base)
    part = next(name for name in ("ARRIVAL-DATA", "DEPARTURE-DATA", "EXTENSION-DATA") if name in base)
    for name, value in changes.items():
        name = name.replace("_", "-")
        if name in base[part]:
            fields[part] = fields[part] | {name: value}
        else:
            fields[name] = value
    return LAYOUT.encode({"RECORD-TYPE": "D", "DETAIL-BODY": fields})


def header(**changes: Any) -> bytes:
    """A header record."""
    fields = HEADER | {name.replace("_", "-"): value for name, value in changes.items()}
    return LAYOUT.encode({"RECORD-TYPE": "H", "HEADER-BODY": fields})


def trailer(details: Iterable[bytes], sequence: int = 412, **changes: Any) -> bytes:
    """The trailer record that is right for these details."""
    known = [LAYOUT.decode(each)["DETAIL-BODY"] for each in details]
    kinds = [each["TXN-TYPE"] for each in known]
    fields = {
        "TRAILER-SEQUENCE": sequence,
        "DETAIL-COUNT": len(known),
        "ARRIVAL-COUNT": kinds.count("A"),
        "DEPARTURE-COUNT": kinds.count("D"),
        "EXTENSION-COUNT": kinds.count("X"),
        "HASH-TOTAL": sum(each["TXN-NUMBER"] for each in known) % 10**17,
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return LAYOUT.encode({"RECORD-TYPE": "T", "TRAILER-BODY": fields})


def night(details: list[bytes], sequence: int = 412, **changes: Any) -> bytes:
    """A whole file."""
    return header(FILE_SEQUENCE=sequence, **changes) + b"".join(details) + trailer(details, sequence)
