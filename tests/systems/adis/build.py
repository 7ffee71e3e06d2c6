"""Rows of ADIS built from plain words, and the inputs of its cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from systems import rows as rows_of

Fields = dict[str, Any]

ROW: Fields = {
    "stay_id": 4711,
    "row_version": 1,
    "void_flag": "N",
    "arrival_flag": "G",
    "departure_flag": None,
    "update_flag": None,
    "update_date": None,
    "match_flag": None,
    "i94_number": "123456789A1",
    "sevis_id": None,
    "a_number": None,
    "fin": None,
    "class_of_admission": "B2",
    "admitted_until": "2025-09-13",
    "arr_status": "A",
    "arr_family_name": "GARCIA LOPEZ",
    "arr_given_name": "MARIA JOSE",
    "arr_birth_date": "1987-05-23",
    "arr_sex": "F",
    "arr_citizenship": "ESP",
    "arr_document_number": "PAA123456",
    "arr_document_country": "ESP",
    "arrival_date": "2025-03-14",
    "arr_port": "LOS",
    "arr_mode": "A",
    "arr_carrier": "IB",
    "arr_conveyance": "IB0117",
    "arr_source": "I94",
    "arr_source_record": "00000004711",
    "dep_family_name": None,
    "dep_given_name": None,
    "dep_document_number": None,
    "dep_document_country": None,
    "departure_date": None,
    "dep_port": None,
    "dep_mode": None,
    "dep_carrier": None,
    "dep_conveyance": None,
    "dep_evidence": None,
    "dep_source": None,
    "dep_source_record": None,
    "last_update_ts": "2025-03-17T04:00:00.000000Z",
}
LEFT: Fields = {
    "row_version": 2,
    "departure_flag": "O",
    "match_flag": "M",
    "dep_family_name": "GARCIA LOPEZ",
    "dep_given_name": "MARIA JOSE",
    "dep_document_number": "PAA123456",
    "dep_document_country": "ESP",
    "departure_date": "2025-04-02",
    "dep_port": "JFK",
    "dep_mode": "A",
    "dep_carrier": "IB",
    "dep_conveyance": "IB0118",
    "dep_evidence": "M",
    "dep_source": "APIS",
    "dep_source_record": "IB0118/2025-04-02/1",
    "last_update_ts": "2025-04-06T04:00:00.000000Z",
}


def row(number: int = 4711, **changes: Any) -> Fields:
    """A row of the view."""
    return ROW | {"stay_id": number} | changes


def dump(rows: Iterable[Mapping[str, Any]], columns: Iterable[str] = tuple(ROW)) -> str:
    """A CSV dump of the view."""
    return rows_of.dump(rows, columns)


def insert(rows: Iterable[Mapping[str, Any]]) -> str:
    """SQL that puts rows into the table."""
    return rows_of.insert("stay", rows)


def database(script: str) -> bytes:
    """The bytes of a SQLite database with the interface's view, filled by a script."""
    return rows_of.database(rows_of.tables("adis") + script)


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    given = ("stay_id", "row_version", "void_flag", "arr_status", "arrival_date", "last_update_ts", "i94_number")
    bare = dict.fromkeys(ROW) | {name: ROW[name] for name in given}
    later = {"last_update_ts": "2025-12-01T04:00:00.000000Z"}
    texts = {
        "arrived/input.sql": insert([row(), row(4712, sevis_id="N0012345678", a_number="A099123456", fin="1234567890",
                                                class_of_admission="F1", admitted_until="D/S")]),
        "left/input.csv": dump([row(**LEFT)]),
        "matched-is-not-departed/input.csv": dump([
            row(match_flag="M", departure_flag="W", arr_mode="S", arr_port="PEV"),
            row(4712, departure_flag="D"),
        ]),
        "left-on-another-passport/input.csv": dump([row(**LEFT | {
            "dep_document_number": "XK1234567", "dep_document_country": "GBR", "dep_family_name": "GARCIA",
            "dep_source_record": None, "dep_evidence": "B"})]),
        "origin-half-known/input.csv": dump([
            row(arr_source_record=None), row(4712, arr_source=None), row(4713, arr_source=None, arr_source_record=None),
        ]),
        "each-evidence/input.csv": dump([
            row(number, **LEFT | {"dep_evidence": one, "dep_mode": mode, "dep_port": port})
            for number, (one, mode, port) in enumerate(
                [("B", "A", "LAX"), ("I", "L", "SYS"), ("R", "A", "JFK"), ("L", "L", "BLA"), ("M", "S", "PEV"),
                 ("C", None, None)], 1)
        ]),
        "updates/input.csv": dump([
            row(1, **later, update_flag="A", update_date="2025-10-01"),
            row(2, **later, update_flag="P", update_date="2025-10-02"),
            row(3, **later, update_flag="O", update_date="2025-10-03"),
            row(4, **later, update_flag="O"),
        ]),
        "paroled-citizens-residents/input.csv": dump([
            row(1, arr_status="P", class_of_admission="DT"), row(2, class_of_admission="USC"),
            row(3, class_of_admission="LPR"),
        ]),
        "voided-and-undone/input.csv": dump([
            row(1, **LEFT | {"void_flag": "Y", "row_version": 3}), row(2, row_version=3),
        ]),
        "ports/input.csv": dump([
            row(1, arr_port="LOS"), row(2, arr_port="LAX"), row(3, arr_port="HNL"), row(4, arr_port="XXX"),
            row(5, arr_port="QQQ"), row(6, arr_port="TOR"), row(7, arr_port=None), row(8, arr_port="888"),
        ]),
        "sparse/input.csv": dump([bare]),
        "odd-values/input.csv": dump([
            row(1, arr_sex="U", arr_birth_date="1987", arr_given_name=None, arr_citizenship="UTO"),
            row(2, arr_mode="X", arr_carrier="i b", admitted_until="2025-02-30", i94_number="12", fin="x"),
            row(3, arr_document_country="QQQ"), row(4, **LEFT | {"dep_document_country": None, "dep_port": "???"}),
        ]),
        "bad-values/input.csv": dump([
            row(1, **LEFT | {"match_flag": None}), row(2, **LEFT | {"departure_date": "2025-03-13"}),
            row(3, **LEFT | {"dep_evidence": None}), row(4, **LEFT | {"dep_evidence": "Z"}),
            row(5, update_flag="A"), row(6, update_flag="Z"), row(7, match_flag="N"), row(8, arr_status="R"),
            row(9, arrival_date=None), row(10, arrival_date="2025-03-32"), row(11, arrival_date="2025-03-20"),
            row(12, void_flag=None), row(13, row_version=0), row(14, last_update_ts="2025-03-17"), row(15),
            row(-16), {**bare, "stay_id": 17, "i94_number": None},
        ]),
        "column-missing/input.csv": dump([row()], [name for name in ROW if name != "match_flag"]),
        "no-such-view/input.sql": "DROP VIEW visabus_travel_history;\n",
    }  # fmt: skip
    return {name: text.encode() for name, text in texts.items()}
