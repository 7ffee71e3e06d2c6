"""Rows of CLAIMS 4 built from plain words, and the inputs of its cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from systems import rows as rows_of

Fields = dict[str, Any]

ROW: Fields = {
    "receipt_number": "NBC2590012345",
    "form_type": "N-400",
    "a_number": "A099123456",
    "i94_number": None,
    "last_name": "ISLAM",
    "first_name": "NADIA",
    "middle_name": "RUTH",
    "new_last_name": None,
    "new_first_name": None,
    "ben_date_of_birth": "1987-05-23",
    "ben_gender": "F",
    "country_of_nationality": "MEXIC",
    "ben_country_of_birth": "MEXIC",
    "rec_date": "2025-03-03",
    "intv_date": None,
    "natz_test_date": None,
    "lpr_date": "2020-01-15",
    "decision": None,
    "decision_date": None,
    "natz_date": None,
    "district_office": "NYC",
    "as_of": "2025-11-03T05:00:00.000000Z",
}
APPROVED: Fields = {"intv_date": "2025-06-01", "natz_test_date": "2025-06-01", "decision": "APPROVED",
                    "decision_date": "2025-06-10"}  # fmt: skip
SWORN: Fields = APPROVED | {"natz_date": "2025-07-04"}
LATER: Fields = {"as_of": "2025-11-04T05:00:00.000000Z"}


def row(number: int = 0, **changes: Any) -> Fields:
    """A row of the view; the number makes another case of it."""
    receipt = ROW["receipt_number"][:-1] + str((int(ROW["receipt_number"][-1]) + number) % 10)
    return ROW | {"receipt_number": receipt} | changes


def dump(rows: Iterable[Mapping[str, Any]], columns: Iterable[str] = tuple(ROW)) -> str:
    """A CSV dump of the view."""
    return rows_of.dump(rows, columns)


def insert(rows: Iterable[Mapping[str, Any]]) -> str:
    """SQL that puts rows into the table."""
    return rows_of.insert("naturalization_case", rows)


def database(script: str) -> bytes:
    """The bytes of a SQLite database with the interface's view, filled by a script."""
    return rows_of.database(rows_of.tables("claims4") + script)


def reads(*dumps: str) -> bytes:
    """Successive reads of the view as an archive."""
    return rows_of.archive(*dumps)


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    mixed = row(2, last_name="GARCÍA LÓPEZ", country_of_nationality="SPAIN")
    texts = {
        "pending/input.sql": insert([row(), row(1, i94_number="123456789A1", a_number=None)]),
        "approved-is-no-citizen/input.csv": dump([row(**APPROVED), row(1, decision="CONTINUED")]),
        "oath/input.csv": dump([row(**SWORN)]),
        "oath-with-another-name/input.csv": dump([
            row(**SWORN, new_last_name="SMITH"),
            row(1, **SWORN, new_last_name="SMITH", new_first_name="NADINE"),
            row(2, **SWORN, new_first_name="NADINE"),
            row(3, **SWORN, new_last_name="ISLAM"),
            row(4, **SWORN, last_name=None, first_name=None, middle_name=None, new_first_name="NADINE"),
        ]),
        "denied-and-withdrawn/input.csv": dump([
            row(decision="DENIED", decision_date="2025-06-10"),
            row(1, decision="WITHDRAWN", decision_date="2025-03-03"),
        ]),
        "other-forms/input.csv": dump([row(), row(1, form_type="N-600"), row(2, form_type="N-336")]),
        "countries/input.csv": dump([
            row(country_of_nationality="RALIA"), row(1, country_of_nationality="STRIA"),
            row(2, country_of_nationality="UK"), row(3, country_of_nationality="STATE"),
            row(4, country_of_nationality="MEX"),
        ]),
        "odd-values/input.csv": dump([
            row(ben_gender="X", ben_date_of_birth="1987", middle_name=None, first_name=None),
            row(1, ben_gender="U", ben_date_of_birth="1987-13"), mixed,
            row(3, ben_gender="Female", a_number="A12"),
        ]),
        "bad-values/input.csv": dump([
            row(receipt_number="NBC25"), row(1, form_type="I-485"),
            row(2, rec_date=None), row(3, rec_date="2025-02-30"),
            row(4, decision="DENIED"), row(5, decision="LOST", decision_date="2025-06-10"),
            row(6, **SWORN | {"decision": "DENIED"}), row(7, **SWORN | {"natz_date": "2025-03-02"}),
            row(8, **SWORN | {"natz_date": "2025-11-20"}), row(9, as_of="2025-11-03 05:00"),
            row(receipt_number="NBC2590012399", decision="DENIED", decision_date="2025-01-01"),
            row(receipt_number="NBC2590012398", a_number=None, last_name=None, first_name=None, middle_name=None),
            row(receipt_number=None),
        ]),
        "column-missing/input.csv": dump([row()], [name for name in ROW if name != "natz_date"]),
        "no-such-view/input.sql": "DROP VIEW visabus_naturalization_case;\n",
    }  # fmt: skip
    gone_and_back = reads(
        dump([row(), row(1), row(2, form_type="N-600")]),
        dump([row(**LATER | SWORN)]),
        dump([row(**LATER | SWORN), row(1, **LATER)]),
    )
    bad_is_no_deletion = reads(
        dump([row(), row(1)]),
        dump([row(**LATER)]) + "NBC2590012346,N-400\n",
        dump([row(**LATER), row(1, **LATER, rec_date="2025-02-30")]),
    )
    halved = reads(
        dump([row(receipt_number=f"NBC25900{number:05}") for number in range(30)]),
        dump([row(receipt_number="NBC2590000000")]),
        dump([]),
    )
    archives = {
        "gone-and-back/input.tar": gone_and_back,
        "bad-is-no-deletion/input.tar": bad_is_no_deletion,
        "halved-and-empty/input.tar": halved,
        "twice/input.csv": dump([row(), row(), row(1), row(1, last_name="OTHER")]).encode(),
    }
    return {name: text.encode() for name, text in texts.items()} | archives
