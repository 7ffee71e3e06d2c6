"""Rows of CCD from plain words, as dumps of its view and as a database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

Fields = dict[str, Any]
ROW: Fields = {
    "visa_case_id": 4711,
    "row_version": 1,
    "application_id": "AA00ABC123",
    "foil_number": "K1234567",
    "visa_class": "B1/B2",
    "post_code": "BGT",
    "status_code": "ISSUED",
    "status_date": "2025-03-10",
    "issued_date": "2025-03-10",
    "expires_date": "2035-03-09",
    "entries": "M",
    "refusal_section": None,
    "family_name": "GARCIA LOPEZ",
    "given_name": "MARIA",
    "date_of_birth": "1987-05-23",
    "sex": "F",
    "nationality": "COL",
    "passport_number": "XDA123456",
    "passport_country": "COL",
    "annotation": "CLEARANCE RECEIVED",
    "void_flag": "N",
    "last_update_ts": "2025-03-11T14:03:11.250000Z",
}
REFUSED: Fields = {
    "status_code": "REFUSED",
    "foil_number": None,
    "issued_date": None,
    "expires_date": None,
    "entries": None,
    "refusal_section": "214(b)",
}
REVOKED: Fields = {
    "row_version": 2,
    "status_code": "REVOKED",
    "status_date": "2025-06-02",
    "last_update_ts": "2025-06-02T14:03:11.250000Z",
}


def row(**changes: Any) -> Fields:
    """Return a row of the view: the usual one but for these values."""
    return ROW | changes


def dump(*rows: Fields, columns: Iterable[str] = tuple(ROW)) -> bytes:
    """Return a CSV dump of the view. Values have no commas."""
    names = list(columns)
    lines = [",".join(names)]
    lines += [",".join("" if each[name] is None else str(each[name]) for name in names) for each in rows]
    return "".join(f"{line}\n" for line in lines).encode()


def insert(*rows: Fields) -> bytes:
    """Return SQL that puts rows into the table."""
    statements = []
    for each in rows:
        values = ", ".join("NULL" if value is None else repr(value) for value in each.values())
        statements.append(f"INSERT INTO visa ({', '.join(each)}) VALUES ({values});\n")
    return "".join(statements).encode()


def database(script: str) -> bytes:
    """Return the bytes of an SQLite database with the interface's view, filled by a script."""
    text = files("adapters.systems.ccd").joinpath("table.sql").read_text()
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(text.split("-- dialect: sqlite")[1] + script)
        return connection.serialize()
    finally:
        connection.close()


def inputs() -> dict[str, bytes]:
    """Return the input of each case, by its path."""
    numbered = [{"visa_case_id": number, "application_id": f"AA00ABC12{number}"} for number in range(1, 9)]
    nobody = dict.fromkeys(
        "foil_number family_name given_name date_of_birth sex nationality passport_number passport_country".split()
    )
    cases = {
        "issued": dump(row()),
        "refused": dump(row(**REFUSED), row(**REFUSED | numbered[0] | {"refusal_section": "212(a)(6)(C)"})),
        "refused-221g-and-overcome": dump(
            row(**REFUSED | {"refusal_section": "221(g)"}),
            row(**REVOKED | {"status_code": "ISSUED", "issued_date": "2025-06-02"}),
        ),
        "revoked": dump(row(**REVOKED)),
        "cancelled": dump(row(**REVOKED | {"status_code": "CANCELLED"})),
        "revoked-without-a-day-of-issue": dump(row(**REVOKED | {"issued_date": None})),
        "pending": dump(row(**REFUSED | {"status_code": "PENDING"}), row(**numbered[0])),
        "pending-again": dump(row(**REFUSED | {"status_code": "PENDING", "row_version": 2, "refusal_section": None})),
        "void": dump(row(void_flag="Y", row_version=3), row(**numbered[0] | {"void_flag": "?"})),
        "class-of-the-foil-is-no-class-of-admission": dump(*(
            row(**each, visa_class=name) for each, name in zip(numbered, ("B1/B2", "F1", "H1B", "C1/D"), strict=False)
        )),
        "entries": dump(*(
            row(**each, entries=many) for each, many in zip(numbered, ("1", "2", "X", None), strict=False)
        )),
        "unknown-post": dump(row(post_code="LAX"), row(**numbered[0] | {"post_code": None})),
        "section-that-is-none": dump(row(**REFUSED | {"refusal_section": "no money"})),
        "expires-before-it-is-issued": dump(row(expires_date="2024-03-09")),
        "foil-of-another-form": dump(row(foil_number="123")),
        "application-of-another-form": dump(row(application_id="A"), row(**numbered[0])),
        "unknown-status": dump(row(status_code="LOST"), row(**numbered[0])),
        "no-such-day": dump(row(status_date="2025-02-30"), row(**numbered[0])),
        "issued-after-its-record": dump(row(status_date="2025-06-10", issued_date="2025-06-10")),
        "values-that-are-wrong": dump(
            row(date_of_birth="23.05.1987", sex="W", nationality="QQQ", passport_country=None)
        ),
        "nothing-but-the-application": dump(row(**nobody)),
        "single-name-and-year-of-birth": dump(row(given_name=None, date_of_birth="1987", sex="U")),
        "keys-and-versions": dump(row(visa_case_id=0), row(row_version=0), row(visa_case_id="x"), row(visa_case_id=-1)),
        "column-missing": dump(row(), columns=[name for name in ROW if name != "status_code"]),
        "other-order-of-columns": dump(row(), columns=reversed(ROW)),
    }  # fmt: skip
    return {f"{name}/input.csv": data for name, data in cases.items()} | {
        "database/input.sql": insert(row(), row(**numbered[0] | REVOKED))
    }
