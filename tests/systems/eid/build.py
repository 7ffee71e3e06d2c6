"""Rows of EID built from plain words, as messages of its topic."""

from __future__ import annotations

from typing import Any

from systems import change_rows
from systems.change_rows import UNAVAILABLE, beside, from_table, tombstone, with_schema

from adapters.systems.eid.adapter import FORMAT

SUBJECT: dict[str, Any] = {
    "EID_SUBJECT_ID": "770010001", "EID_CASE_ID": "314159269", "ALIEN_FILE_NUMBER": "099000117", "FIN": "1230009999",
    "FAMILY_NAME": "OKAFORIN", "GIVEN_NAME": "MILES T", "ALIASES": "OKAFOR, MILES; ; TOKIN",
    "BIRTH_DATE": "1988-04-12", "BIRTH_YEAR": 1988, "CITIZENSHIP_COUNTRY": "NIGERIA", "GENDER": "Male",
    "RECORDED_DATE": "2026-02-10T09:15:00", "STATE": "TX", "COUNTY": "BEXAR",
}  # fmt: skip
EVENT: dict[str, Any] = {
    "EID_EVENT_ID": "2718281830", "EID_SUBJECT_ID": "770010001", "EID_CASE_ID": "314159269",
    "APPREHENSION_DATE": "2026-02-10T08:05:00", "EVENT_DATE": None, "APPREHENSION_METHOD": "Located",
    "APPREHENSION_CRIMINALITY": "2 Pending Criminal Charges", "CASE_STATUS": "ACTIVE", "DEPARTED_DATE": None,
    "DEPARTURE_COUNTRY": None, "FINAL_ORDER_YES_NO": "NO", "FINAL_ORDER_DATE": None,
    "PROCESSING_DISPOSITION": "WA/NTA", "FINAL_PROGRAM": "Fugitive Operations", "APPREHENSION_SITE_LANDMARK": "MALL",
}  # fmt: skip
CASE: dict[str, Any] = {
    "EID_CASE_ID": "314159269", "EID_SUBJECT_ID": "770010001", "ALIEN_FILE_NUMBER": "099000117",
    "CASE_STATUS": "ACTIVE", "CASE_STATUS_DATE": None, "NTA_SERVED_DATE": "2026-02-12", "FINAL_ORDER_YES_NO": "NO",
    "FINAL_ORDER_DATE": None, "BOOK_IN_DATE_TIME": "2026-02-10T14:30:00", "BOOK_OUT_DATE_TIME": None,
    "DETENTION_RELEASE_REASON": None, "CASE_CATEGORY": "[2A]", "CASE_CRIMINALITY": "2 Pending Criminal Charges",
    "CASE_THREAT_LEVEL": "NA",
}  # fmt: skip
DETAINER: dict[str, Any] = {
    "EID_DTA_ID": "5500001", "EID_SUBJECT_ID": "770010001", "EID_CASE_ID": "314159269",
    "DETAINER_PREPARE_DATE": "2026-02-08T11:00:00", "DETAINER_CRIMINALITY": "1 Convicted Criminal",
    "BIOMETRIC_MATCH": "Y", "DETAINER_LIFT_DATE": None, "DETAINER_LIFT_REASON_CODE": None,
    "DETAINER_TYPE": "I-247A", "DETAINER_FACILITY_CODE": "BEXARTX", "MSC_CHARGE_CODE": "5404",
}  # fmt: skip
ROWS = {"EID_SUBJECT": SUBJECT, "EID_EVENT": EVENT, "EID_CASE": CASE, "EID_DETAINER": DETAINER}
CANCELED = "E-Charging Document Canceled by ICE"


def row(table: str, op: str = "c", position: int = 1000, moved: str = "", **changes: Any) -> bytes:
    """A change of a row."""
    return change_rows.change(FORMAT.tables, table, ROWS[table] | changes, op, position, moved)


def inputs() -> dict[str, bytes]:
    """The cases' inputs."""
    subject, event, case, detainer = ROWS
    several: dict[str, list[bytes]] = {
        "subject": [
            row(subject),
            row(subject, "r", 2**24 + 900, EID_SUBJECT_ID="770010002", EID_CASE_ID=None, ALIASES=None, FIN=None),
            row(subject, EID_SUBJECT_ID="770010003", BIRTH_DATE=None, GENDER="Unknown", ALIEN_FILE_NUMBER="99000118"),
            row(subject, EID_SUBJECT_ID="770010004", FAMILY_NAME=None, GIVEN_NAME=None, ALIASES=None),
        ],
        "wrong-optional-values": [
            row(subject, GENDER="M", CITIZENSHIP_COUNTRY="ATLANTIS", FIN="12", ALIEN_FILE_NUMBER="N/A", BIRTH_YEAR=88),
            row(subject, BIRTH_DATE="NOT A DAY", ALIASES=5, EID_CASE_ID="?"),
            row(event, APPREHENSION_CRIMINALITY="Convicted Criminal"),
            row(detainer, BIOMETRIC_MATCH="X", DETAINER_LIFT_DATE="SOON"),
            row(case, FINAL_ORDER_YES_NO="YES", CASE_STATUS="A-Proceedings Terminated", NTA_SERVED_DATE="1.2.2026"),
        ],
        "arrests-and-encounters": [
            row(event),
            row(event, EID_EVENT_ID="2", APPREHENSION_DATE=None, EVENT_DATE="2026-02-09T10:00:00"),
            row(
                event,
                EID_EVENT_ID="22",
                APPREHENSION_DATE=None,
                EVENT_DATE="2026-02-09T10:00:00",
                APPREHENSION_METHOD="Patrol Border",
                APPREHENSION_CRIMINALITY=None,
            ),
            row(event, EID_EVENT_ID="23", APPREHENSION_METHOD="ERO Reprocessed Arrest"),
            row(
                event,
                EID_EVENT_ID="24",
                APPREHENSION_METHOD=None,
                APPREHENSION_CRIMINALITY="3 Other Immigration Violator",
            ),
        ],
        "blank-person-key": [
            row(event, EID_SUBJECT_ID=None),
            row(event, EID_EVENT_ID="25", EID_SUBJECT_ID="", EID_CASE_ID=None),
            row(detainer, EID_SUBJECT_ID=None),
            row(detainer, EID_DTA_ID="5500002", EID_SUBJECT_ID=None, EID_CASE_ID=None),
        ],
        "custodial-arrest-before-and-after": [
            row(event, APPREHENSION_METHOD="CAP Local Incarceration", APPREHENSION_DATE="2025-07-19T08:00:00"),
            row(
                event,
                EID_EVENT_ID="26",
                APPREHENSION_METHOD="Custodial Arrest",
                APPREHENSION_DATE="2025-07-19T08:00:00",
            ),
            row(
                event,
                EID_EVENT_ID="27",
                APPREHENSION_METHOD="Custodial Arrest",
                APPREHENSION_DATE="2025-07-20T08:00:00",
            ),
        ],
        "twice-within-a-day": [
            row(event),
            row(event, EID_EVENT_ID="2718281831", APPREHENSION_DATE="2026-02-10T09:40:00"),
            row(event, EID_EVENT_ID="2718281832", CASE_STATUS=CANCELED),
        ],
        "rewritten-after-a-removal": [
            row(event),
            row(
                event,
                "u",
                2000,
                CASE_STATUS="6-Deported/Removed - Deportability",
                DEPARTED_DATE="2026-02-20",
                DEPARTURE_COUNTRY="NIGERIA",
                FINAL_ORDER_YES_NO="YES",
                FINAL_ORDER_DATE="2026-02-15",
            ),
        ],
        "charging-document-canceled": [row(case, CASE_STATUS=CANCELED, CASE_STATUS_DATE="2026-02-25")],
        "cases": [
            row(case),
            row(
                case, "u", 1100, FINAL_ORDER_YES_NO="YES", FINAL_ORDER_DATE="2026-02-20", BOOK_OUT_DATE_TIME="infinity"
            ),
            row(
                case,
                "u",
                1200,
                FINAL_ORDER_YES_NO="Y",
                FINAL_ORDER_DATE="2026-02-20",
                BOOK_OUT_DATE_TIME="2026-02-27T05:00:00",
                DETENTION_RELEASE_REASON="BONDED OUT - IJ",
            ),
            row(
                case,
                "u",
                1300,
                BOOK_OUT_DATE_TIME="2026-02-27T05:00:00",
                DETENTION_RELEASE_REASON="Removed",
                CASE_STATUS="8-Excluded/Removed - Inadmissibility",
                CASE_STATUS_DATE="2026-02-27",
            ),
            row(case, EID_CASE_ID="314159270", CASE_STATUS="B-Relief Granted", CASE_STATUS_DATE="2026-02-27"),
            row(case, EID_CASE_ID="314159271", NTA_SERVED_DATE=None, BOOK_IN_DATE_TIME=None),
            row(case, EID_CASE_ID="314159272", CASE_STATUS="Q-Nothing"),
            row(case, EID_CASE_ID="314159273", CASE_STATUS=None),
        ],
        "detainers": [
            row(detainer),
            row(
                detainer,
                "u",
                1100,
                BIOMETRIC_MATCH="NO",
                DETAINER_LIFT_DATE="2026-02-20",
                DETAINER_LIFT_REASON_CODE="C",
            ),
            row(detainer, EID_DTA_ID="5500003", DETAINER_PREPARE_DATE="infinity"),
            row(detainer, EID_DTA_ID="5500004", BIOMETRIC_MATCH="YES", DETAINER_CRIMINALITY=None),
        ],
        "deleted-and-moved": [
            row(subject),
            row(subject, "d", 1500, "new"),
            tombstone({"eid_subject_id": "770010001"}),
            row(subject, "c", 1500, "old", EID_SUBJECT_ID="770010009", ALIASES=UNAVAILABLE),
            row(event, "d", 1600),
            row(case, "d", 1700),
            row(detainer, "d", 1800),
            change_rows.change(FORMAT.tables, event, EVENT | {"EID_EVENT_ID": ""}, "d", 1900),
        ],
        "aliases-that-were-not-sent": [
            row(subject),
            row(subject, "u", 1200, ALIASES=UNAVAILABLE, GENDER="Female", BIRTH_DATE="1988-04-13"),
        ],
        "beside-the-rows": [
            *beside(),
            change_rows.change(FORMAT.tables, event, EVENT, "t"),
            row(event).replace(b'eid_event\\"', b'payroll\\"'),
            b'{"op":"c"}\n',
            b"no json\n",
        ],
        "days-out-of-reach": [
            row(subject, BIRTH_DATE=-703_383),
            row(event, APPREHENSION_DATE=-63_517_788_000_000_000),
            row(event, APPREHENSION_DATE=None),
            row(event, APPREHENSION_DATE="2027-02-10T08:00:00"),
        ],
        "with-schemas": [with_schema(row(subject), FORMAT.tables[subject].columns)],
        "of-a-change-table": [
            from_table("eid_case", CASE, {"EID_CASE_ID": "314159269"}),
            from_table("eid_event", EVENT, {"EID_EVENT_ID": "2718281830"}, number=2),
            from_table("eid_event", EVENT, {"EID_EVENT_ID": "2718281830"}, "d", 3),
        ],
    }
    return {f"{name}/input.jsonl": b"".join(lines) for name, lines in several.items()}
