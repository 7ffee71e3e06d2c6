"""Messages of TECS from plain words."""

from __future__ import annotations

from typing import Any

from adapters.systems.tecs.adapter import FORMAT

INSPECTION: dict[str, Any] = {
    "ACTION-CODE": "A",
    "INSPECTION-NUMBER": 117,
    "PORT-CODE": "JFK",
    "MODE-CODE": "A",
    "LANE-NUMBER": "07",
    "LANE-DATE": 20260301,
    "LANE-TIME": 181505,
    "LANE-FOLD": "",
    "OUTCOME-CODE": "A",
    "ADMISSION-CLASS": "B2",
    "CARRIER-CODE": "XA",
    "CONVEYANCE": "XA0117",
    "RECORDED-AT": 20260301231640,
}
TRAVELLER: dict[str, Any] = {
    "FAMILY-NAME": "OKAFORIN",
    "GIVEN-NAME": "MILES TOBIAS",
    "BIRTH-DATE": 19880412,
    "SEX-CODE": "M",
    "NATIONALITY": "NGA",
}
PASSPORT = {
    "DOCUMENT-TYPE": "P",
    "DOCUMENT-NUMBER": "A09900117",
    "DOCUMENT-COUNTRY": "NGA",
    "DOCUMENT-EXPIRES": 20300101,
}
VISA = {"DOCUMENT-TYPE": "V", "DOCUMENT-NUMBER": "19801148", "DOCUMENT-COUNTRY": "USA", "DOCUMENT-EXPIRES": 0}
REFUSAL: dict[str, Any] = {
    "FIELD-OFFICE": "NEW YORK",
    "CHARGE-CODE": "212a07Ai1",
    "OFO-DISPOSITION": "ER",
    "ENTRY-STATUS": "VIS",
    "NORTH-SOUTH-INDICATOR": "",
    "CRED-FEAR-INDICATOR": "N",
    "SIGMA-EVENT-ID": 9900117,
    "SIGMA-PERSON-ID": 770017,
    "ALIEN-FILE-NUMBER": "099000117",
    "DUPLICATE-INDICATOR": "N",
}
Changes = dict[str, Any]


def record(kind: str, fields: Changes) -> bytes:
    """A record of 80 bytes."""
    return FORMAT.layouts[kind].encode({"RECORD-ID": kind, **fields})


def inspection(
    number: int = 1,
    *,
    traveller: Changes | None = None,
    documents: tuple[Changes, ...] = (PASSPORT,),
    refusal: Changes | None = None,
    **changes: Any,
) -> list[bytes]:
    """The records of the usual inspection but for these changes, with `_` for `-`."""
    own = {"SEQUENCE-NUMBER": number}
    fields = INSPECTION | {name.replace("_", "-"): value for name, value in changes.items()}
    records = [record("TI1", own | fields), record("TI2", own | TRAVELLER | (traveller or {}))]
    records += [record("TI3", own | each) for each in documents]
    if refusal is not None:
        records.append(record("TI4", own | REFUSAL | refusal))
    return records


def message(*inspections: list[bytes], sequence: int = 412, version: int = 100, **changes: Any) -> bytes:
    """A message of these inspections, with a trailer that is right for them."""
    header = {
        "INTERFACE-VERSION": version,
        "SITE-CODE": "JFK",
        "MESSAGE-SEQUENCE": sequence,
        "CREATED-AT": 20260301235900,
    }
    records = [record("TH0", header), *(each for one in inspections for each in one)]
    trailer = {
        "SEQUENCE-AGAIN": sequence,
        "INSPECTION-COUNT": len(inspections),
        "RECORD-COUNT": len(records) + 1,
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return b"".join((*records, record("TZ9", trailer)))


def refused(**changes: Any) -> list[bytes]:
    """A refused application."""
    refusal = changes.pop("refusal", {})
    return inspection(OUTCOME_CODE="R", ADMISSION_CLASS="", refusal=refusal, **changes)


def inputs() -> dict[str, bytes]:
    """The input of each case, by its path."""
    usual = message(inspection())
    lost = inspection()
    long_name = {
        "FAMILY-NAME": "VAN DER BERGENSTEIN-ALTHAUSEN-LINDE"[:30],
        "GIVEN-NAME": "MARIA JOSEFINA GUADALUPE-T"[:25],
    }
    cases = {
        "admitted": message(inspection(documents=(PASSPORT, VISA))),
        "paroled-and-sent-to-secondary": message(
            inspection(1, OUTCOME_CODE="P", INSPECTION_NUMBER=118),
            inspection(2, OUTCOME_CODE="S", INSPECTION_NUMBER=119),
        ),
        "refused-ends-in-what-the-field-office-did": message(refused()),
        "withdrawn-without-its-record": message(inspection(OUTCOME_CODE="W", ADMISSION_CLASS="")),
        "fear-of-return-is-confidential": message(
            refused(refusal={"CRED-FEAR-INDICATOR": "Y"}),
            refused(number=2, INSPECTION_NUMBER=120, refusal={"OFO-DISPOSITION": "ERCF"}),
        ),
        "double-by-cbps-own-mark": message(refused(refusal={"DUPLICATE-INDICATOR": "Y"})),
        "replaced-and-deleted": message(inspection(), sequence=412)
        + message(inspection(ACTION_CODE="R", ADMISSION_CLASS="B1"), sequence=413)
        + message(inspection(ACTION_CODE="D"), sequence=414),
        "by-land-at-a-port-of-the-former-ins": message(
            inspection(PORT_CODE="SYS", MODE_CODE="L", CARRIER_CODE="", CONVEYANCE="LAND")
        ),
        "one-code-two-ports": message(
            inspection(1, PORT_CODE="LAS"), inspection(2, INSPECTION_NUMBER=118, PORT_CODE="LAS", MODE_CODE="L")
        ),
        "port-of-the-interfaces-own": message(inspection(PORT_CODE="GVS", MODE_CODE="S", CONVEYANCE="V117")),
        "port-of-no-table": message(inspection(PORT_CODE="QQQ"), inspection(2, INSPECTION_NUMBER=118, PORT_CODE="XXX")),
        "time-not-known": message(inspection(LANE_TIME=999999)),
        "hour-that-is-repeated": message(inspection(LANE_DATE=20251102, LANE_TIME=13000, LANE_FOLD="2")),
        "names-that-are-cut": message(inspection(traveller=long_name)),
        "nobody": message(inspection(traveller={"FAMILY-NAME": "", "GIVEN-NAME": ""}, documents=())),
        "optional-values-that-are-wrong": message(
            inspection(
                MODE_CODE="Q",
                LANE_FOLD="9",
                ADMISSION_CLASS="b-2",
                CARRIER_CODE="?",
                CONVEYANCE="XA 117",
                traveller={"BIRTH-DATE": 19880099, "SEX-CODE": "W", "NATIONALITY": "QQQ"},
                documents=(
                    PASSPORT | {"DOCUMENT-COUNTRY": "ZZZ"},
                    PASSPORT | {"DOCUMENT-NUMBER": "?"},
                    VISA | {"DOCUMENT-NUMBER": "1"},
                    {"DOCUMENT-TYPE": "", "DOCUMENT-NUMBER": "X", "DOCUMENT-COUNTRY": "", "DOCUMENT-EXPIRES": 0},
                ),
            ),
            refused(
                number=2,
                INSPECTION_NUMBER=118,
                refusal={"ALIEN-FILE-NUMBER": "0990", "OFO-DISPOSITION": "QQQ", "CRED-FEAR-INDICATOR": "?"},
            ),
        ),
        "mandatory-values-that-are-wrong": message(
            inspection(1, ACTION_CODE="X"),
            inspection(2, INSPECTION_NUMBER=0),
            inspection(3, OUTCOME_CODE="?"),
            inspection(4, LANE_DATE=20260230),
            inspection(5, LANE_TIME=256000),
            inspection(6, RECORDED_AT=0),
            inspection(7, LANE_DATE=20260401),
        ),
        "another-version": message(inspection(), version=200),
        "counts-that-disagree": message(inspection(), INSPECTION_COUNT=2)
        + message(inspection(), RECORD_COUNT=9, sequence=413),
        "trailer-of-another-message": message(inspection(), SEQUENCE_AGAIN=411),
        "cut-off": usual[:-100],
        "no-trailer": usual[:-80] + message(inspection(INSPECTION_NUMBER=118), sequence=413),
        "record-of-another-inspection": message([*lost[:2], *inspection(2, INSPECTION_NUMBER=118)[2:]]),
        "record-twice": message([*lost, lost[1]]),
        "record-that-is-too-short": usual[:170] + usual[173:],
        "bytes-between-records": usual[:160] + bytes(31) + usual[160:],
        "ascii": usual.decode("cp037").encode("ascii", "replace"),
        "empty": message(),
    }
    return {f"{name}/input.dat": data for name, data in cases.items()}
