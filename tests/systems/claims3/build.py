"""Rows of CLAIMS 3 built from plain words, as dumps and as databases with the interface's views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from systems import rows as rows_of

Fields = dict[str, Any]

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
    "requested_action": None,
    "t_u_vawa_flag": None,
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
    """A CSV dump of the view."""
    return rows_of.dump(rows, columns)


def tables(dialect: str) -> str:
    """The statements of `table.sql` for a dialect."""
    return rows_of.tables("claims3", dialect)


def insert(rows: Iterable[Mapping[str, Any]]) -> str:
    """SQL that puts rows into the table."""
    return rows_of.insert("benefit_action", rows)


def database(script: str) -> bytes:
    """The bytes of a SQLite database with the interface's view, filled by a script."""
    return rows_of.database(tables("sqlite") + script)
