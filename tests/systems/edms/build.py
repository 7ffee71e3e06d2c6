"""Rows of EDMS built from plain words, and the inputs of its cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from systems import rows as rows_of

Fields = dict[str, Any]

ROW: Fields = {
    "document_id": "D0001",
    "a_number": "A099123456",
    "file_part": "L",
    "form_number": "I-485",
    "pages": 12,
    "scanned_at": "2025-06-02T14:03:11.250000Z",
    "office": "NRC",
}


def row(number: int = 1, **changes: Any) -> Fields:
    """A row of the view; the number makes another document of it."""
    return ROW | {"document_id": f"D{number:04}"} | changes


def dump(rows: Iterable[Mapping[str, Any]], columns: Iterable[str] = tuple(ROW)) -> str:
    """A CSV dump of the view."""
    return rows_of.dump(rows, columns)


def insert(rows: Iterable[Mapping[str, Any]]) -> str:
    """SQL that puts rows into the table."""
    return rows_of.insert("scanned_document", rows)


def database(script: str) -> bytes:
    """The bytes of a SQLite database with the interface's view, filled by a script."""
    return rows_of.database(rows_of.tables("edms") + script)


def reads(*dumps: str) -> bytes:
    """Successive reads of the view as an archive."""
    return rows_of.archive(*dumps)


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    confidential = ["I-589", "I-730", "I-360", "I-914", "I-918A", "i918", "I-929", "I-821", "I-821D", "I-485", "N-400"]
    texts = {
        "scanned/input.sql": insert([row(), row(2, form_number=None, file_part="W"), row(3, file_part="R")]),
        "separator-sheets/input.csv": dump([row(), row(2, file_part="S", form_number=None)]),
        "confidential-forms/input.csv": dump([
            row(number, form_number=form) for number, form in enumerate(confidential, 1)
        ]),
        "bad-values/input.csv": dump([
            row(1, a_number=None), row(2, a_number="A12"), row(3, file_part="X"), row(4, file_part=None),
            row(5, scanned_at="2025-06-02"), row(6, scanned_at=None), row(document_id="D-7"), row(document_id=None),
            row(9),
        ]),
        "odd-values/input.csv": dump([row(1, a_number="A1234567", form_number="G-325A (1982)", pages=None)]),
        "column-missing/input.csv": dump([row()], [name for name in ROW if name != "scanned_at"]),
        "no-such-view/input.sql": "DROP VIEW visabus_scanned_document;\n",
        "empty/input.sql": "SELECT 1;\n",
    }  # fmt: skip
    archives = {
        "moved-expunged-and-back/input.tar": reads(
            dump([row(), row(2), row(3, file_part="S")]),
            dump([row(a_number="A099654321"), row(4, pages=1)]),
            dump([row(a_number="A099654321"), row(2), row(4, pages=2)]),
        ),
        "an-asylum-form-is-expunged/input.tar": reads(
            dump([row(form_number="I-589"), row(2)]), dump([row(2)]),
        ),
        "emptied/input.tar": reads(dump([row(number) for number in range(1, 40)]), dump([])),
    }  # fmt: skip
    return {name: text.encode() for name, text in texts.items()} | archives
