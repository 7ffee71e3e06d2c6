"""Inputs of the systems, built from plain words: for the cases (`regenerate.py`) and for the contracts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from importlib.resources import files
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


ROW: Fields = {
    "action_id": 4711,
    "row_version": 1,
    "receipt_number": "EAC2590012345",
    "form_type": "I-539",
    "action_code": "FILED",
    "action_date": "2025-08-20",
    "filed_date": "2025-08-20",
    "a_number": "A12345678",
    "i94_number": "123456789A1",
    "family_name": "GARCIA LOPEZ",
    "given_name": "MARIA JOSE",
    "date_of_birth": "1987-05-23",
    "sex": "F",
    "country_of_citizenship": "ESP",
    "passport_number": "PAA123456",
    "passport_country": "ESP",
    "current_class": "B-2",
    "requested_class": None,
    "requested_until": "2026-03-13",
    "granted_class": None,
    "granted_until": None,
    "valid_from": None,
    "new_i94_number": None,
    "void_flag": "N",
    "last_update_ts": "2025-08-21T14:03:11.250000Z",
    "service_center": "VSC",
    "examiner_id": "X0815",
}
APPROVED: Fields = {
    "action_code": "APPROVED",
    "action_date": "2025-11-02",
    "granted_class": "B-2",
    "granted_until": "2026-03-13",
    "valid_from": "2025-09-14",
    "new_i94_number": "987654321B2",
    "last_update_ts": "2025-11-02T18:45:00.000000Z",
}


def row(**changes: Any) -> Fields:
    """A row of the view."""
    return ROW | changes


def dump(rows: Iterable[Mapping[str, Any]], columns: Iterable[str] = tuple(ROW)) -> str:
    """A CSV dump of the view. Values have no commas."""
    names = list(columns)
    lines = [",".join(names)]
    lines += [",".join("" if each[name] is None else str(each[name]) for name in names) for each in rows]
    return "\n".join(lines) + "\n"


def tables(dialect: str) -> str:
    """The statements of `table.sql` for a dialect."""
    text = files("adapters.systems.claims3").joinpath("table.sql").read_text()
    parts = text.split("-- dialect: ")
    return next(part.removeprefix(dialect) for part in parts if part.startswith(dialect))


def insert(rows: Iterable[Mapping[str, Any]]) -> str:
    """SQL that puts rows into the table."""
    statements = []
    for each in rows:
        values = ", ".join("NULL" if value is None else repr(value) for value in each.values())
        statements.append(f"INSERT INTO benefit_action ({', '.join(each)}) VALUES ({values});\n")
    return "".join(statements)


def database(script: str) -> bytes:
    """The bytes of a SQLite database with the interface's views, filled by a script."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(tables("sqlite") + script)
        return connection.serialize()
    finally:
        connection.close()
