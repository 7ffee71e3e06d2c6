"""Writes the inputs of the cases anew; with `--expected` also what the adapters make of them, to be read before commit.

PYTHONPATH=tests python tests/systems/regenerate.py [--expected]
"""

from __future__ import annotations

import sys
from pathlib import Path

from systems import build_i94
from systems.build import (
    APPROVED,
    ARRIVAL,
    DEPARTURE,
    EXTENSION,
    ROW,
    detail,
    dump,
    header,
    insert,
    night,
    row,
    trailer,
)
from systems.build_sevis import sevis
from systems.cases import HERE, Case, cases, told

AFTERWARDS = {"action_date": "2025-11-20", "last_update_ts": "2025-11-21T14:03:11.250000Z"}
CLOCK = "INSERT INTO benefit_clock VALUES ('2025-11-03T00:00:00.000000Z');\n"


def i94() -> dict[str, bytes]:
    """Name of the case to bytes of the file."""
    arrival, departure, extension = detail(ARRIVAL), detail(DEPARTURE), detail(EXTENSION)
    three = [arrival, departure, extension]
    whole = night(three)
    packed = bytearray(arrival)
    packed[188:193] = b"\x20\x25\x0a\x13\x0c"
    sign = bytearray(departure)
    sign[3:9] = bytes.fromhex("020000000018")[:5] + b"\x87"
    blank = bytearray(arrival)
    blank[112:120] = b"\x40" * 8
    control = bytearray(arrival)
    control[34] = 0x05
    return {
        "three-kinds": whole,
        "empty-night": night([]),
        "no-bytes": b"",
        "truncated": whole[: 250 * 3 + 117],
        "no-trailer": whole[: 250 * 4],
        "ascii": whole.decode("cp037").encode("latin-1"),
        "ascii-text": b"".join(b"D%-248d\n" % number for number in range(3)),
        "line-ends": b"".join(whole[at : at + 250] + b"\x25" for at in range(0, len(whole), 250)),
        "bad-packed-date": header() + bytes(packed) + departure + trailer([arrival, departure]),
        "bad-packed-key": header() + arrival + bytes(sign) + trailer([arrival, departure]),
        "blank-number": header() + bytes(blank) + departure + trailer([arrival, departure]),
        "control-character": header() + bytes(control) + departure + trailer([arrival, departure]),
        "wrong-count": header() + arrival + trailer([arrival, departure]),
        "wrong-hash-total": header() + arrival + trailer([arrival], HASH_TOTAL=1),
        "wrong-trailer-sequence": header() + arrival + trailer([arrival], 411),
        "behind-the-trailer": whole + departure,
        "no-header": arrival + trailer([arrival]),
        "two-headers": header() + header() + arrival + trailer([arrival]),
        "other-interface": header(INTERFACE_VERSION=200) + arrival + trailer([arrival]),
        "coverage-backwards": night(
            [arrival],
            COVERAGE_COUNT=1,
            COVERAGE=[{"COVERAGE-SCOPE": "DA", "COVERAGE-SINCE": 20250315040000, "COVERAGE-THROUGH": 20250314040000}],
        ),
        "unknown-kind": header() + b"\xe9" + arrival[1:] + trailer([]),
        "unknown-transaction": header()
        + arrival[:1]
        + b"\xe9"
        + arrival[2:]
        + departure
        + trailer([departure], DETAIL_COUNT=2, HASH_TOTAL=40000000035),
        "invalid-date": night([detail(ARRIVAL, EVENT_DATE=20250230), departure]),
        "unknown-port": night([detail(ARRIVAL, PORT_CODE="QQQ"), departure]),
        "unknown-class": night([detail(ARRIVAL, ADMISSION_CLASS="ZZ"), departure]),
        "admitted-without-number": night([detail(ARRIVAL, I94_NUMBER=""), departure]),
        "correction": night(
            [detail(ARRIVAL, TXN_ACTION="C", ADMITTED_UNTIL=20250914, LAST_UPDATED=20250316101500)], 413
        ),
        "deletion": night([detail(DEPARTURE, TXN_ACTION="D", LAST_UPDATED=20250316101500)], 413),
        "day-of-birth-unknown": night(
            [
                detail(ARRIVAL, BIRTH_DATE=19870500),
                detail(DEPARTURE, BIRTH_DATE=19870000),
                detail(EXTENSION, BIRTH_DATE=0),
            ]
        ),
        "duration-of-status": night(
            [
                detail(ARRIVAL, ADMISSION_CLASS="F1", ADMITTED_KIND="S", ADMITTED_UNTIL=0),
                detail(EXTENSION, GRANTED_CLASS="F1", GRANTED_KIND="S", GRANTED_UNTIL=0, VALID_FROM=0),
            ]
        ),
        "single-name": night(
            [
                detail(ARRIVAL, FAMILY_NAME="SUPARMAN", GIVEN_NAME=""),
                detail(DEPARTURE, FAMILY_NAME="", GIVEN_NAME="SUPARMAN"),
                detail(EXTENSION, FAMILY_NAME="SUPARMAN", GIVEN_NAME="FNU"),
            ]
        ),
        "parole-and-refusal": night(
            [
                detail(ARRIVAL, ADMISSION_CLASS="DT", INSPECTION_CODE="P"),
                detail(
                    ARRIVAL,
                    TXN_NUMBER=20000000020,
                    INSPECTION_CODE="R",
                    I94_NUMBER="",
                    ADMISSION_CLASS="",
                    ADMITTED_KIND="",
                    ADMITTED_UNTIL=0,
                ),
                detail(ARRIVAL, TXN_NUMBER=20000000021, INSPECTION_CODE="W", ADMITTED_KIND="", ADMITTED_UNTIL=0),
            ]
        ),
        "hour-set-back": night(
            [
                detail(DEPARTURE, EVENT_DATE=20241103, EVENT_TIME=13000),
                detail(DEPARTURE, TXN_NUMBER=20000000022, EVENT_DATE=20241103, EVENT_TIME=13000, EVENT_FOLD="2"),
                detail(DEPARTURE, TXN_NUMBER=20000000023, EVENT_TIME=999999),
            ]
        ),
        "land-and-guam": night(
            [
                detail(DEPARTURE, PORT_CODE="PEM", MODE_CODE="L", CARRIER_CODE="", CONVEYANCE="", EVIDENCE_CODE="L"),
                detail(ARRIVAL, PORT_CODE="GUM", ADMISSION_CLASS="GMT"),
            ]
        ),
        "identifiers-alone": night(
            [
                detail(
                    DEPARTURE, FAMILY_NAME="", GIVEN_NAME="", SEX_CODE="", CITIZENSHIP="", BIRTH_DATE=0, VISA_FOIL=""
                ),
                detail(
                    EXTENSION,
                    FAMILY_NAME="",
                    GIVEN_NAME="",
                    I94_NUMBER="",
                    PASSPORT_STATE="",
                    PASSPORT_NUMBER="",
                    VISA_FOIL="",
                ),
            ]
        ),
        "passport-without-state": night([detail(ARRIVAL, PASSPORT_STATE=""), departure]),
        "passport-without-number": night([detail(ARRIVAL, PASSPORT_NUMBER=""), departure]),
    }


def claims3() -> dict[str, str]:
    """Name of the case (with what its file ends in) to text of the file."""
    filed, approved = row(), row(action_id=4712, **APPROVED)
    resident = row(action_id=4713, **APPROVED) | {
        "form_type": "I-485",
        "granted_class": "IR1",
        "granted_until": None,
        "new_i94_number": None,
    }
    return {
        "filed-and-approved.sql": insert([filed, approved]) + CLOCK,
        "change-of-class.csv": dump([
            row(form_type="I-129", current_class="F-1", requested_class="H-1B", requested_until=None),
            row(action_id=4714, current_class="F1", requested_class="F-1", requested_until="D/S"),
        ]),
        "permanent-resident.csv": dump([row(action_id=4710, form_type="I-485", requested_until=None), resident]),
        "void.csv": dump([approved | {"void_flag": "Y", "row_version": 2}, resident | {"void_flag": "Y"}]),
        "void-and-back.csv": dump([row(row_version=3)]),
        "denied-withdrawn-appealed.csv": dump([
            row(**AFTERWARDS | {"action_id": number, "action_code": code})
            for number, code in enumerate(("DENIED", "WITHDRAWN", "APPEALED"), 1)
        ]),
        "employment.csv": dump([row(form_type="I-765"), row(action_id=4715)]),
        "sparse.csv": dump([{**dict.fromkeys(ROW), **{name: ROW[name] for name in (
            "action_id", "row_version", "receipt_number", "form_type", "action_code", "action_date", "i94_number",
            "void_flag", "last_update_ts")}}]),
        "birth-and-single-name.csv": dump([
            row(date_of_birth="1987-05", given_name=None),
            row(action_id=4716, date_of_birth="1987", family_name=None),
        ]),
        "receipt-alone.csv": dump([row(a_number=None, i94_number=None, family_name=None, given_name=None,
                                       passport_number=None, passport_country=None)]),
        "bad-values.csv": dump([
            row(action_id=1, receipt_number="EAC259001234"),
            row(action_id=2, action_date="2025-02-30"),
            row(action_id=3, form_type="I-131"),
            row(action_id=4, action_code="LOST"),
            row(action_id=5, void_flag="?"),
            row(action_id=6, row_version=0),
            row(action_id=7, last_update_ts="2025-08-21 14:03:11"),
            row(action_id=8, i94_number="12345"),
            row(action_id=9, passport_country=None),
            row(action_id=10, date_of_birth="1987-13"),
            row(action_id="x"),
            row(action_id=12, country_of_citizenship="QQQ"),
            row(action_id=13),
            row(action_id=14, filed_date="2025-08-19"),
            row(action_id=-15),
        ]),
        "column-missing.csv": dump([filed], [name for name in ROW if name != "void_flag"]),
        "uneven-lines.csv": dump([filed]) + "4712,1,EAC2590012346\n\n" + dump([row(action_id=4717)]).split("\n", 1)[1],
        "other-columns.csv": dump([filed], [*reversed(ROW)]),
        "no-such-view.sql": "DROP VIEW visabus_benefit_action;\n",
    }  # fmt: skip


def write(case: Path, name: str, data: bytes) -> None:
    """An input in its folder, which is made if need be."""
    case.mkdir(parents=True, exist_ok=True)
    (case / name).write_bytes(data)


def main() -> None:
    """All of it."""
    for name, data in (i94() | build_i94.odd()).items():
        write(HERE / "i94" / name, "input.dat", data)
    for name, text in claims3().items():
        case, _, suffix = name.rpartition(".")
        write(HERE / "claims3" / case, f"input.{suffix}", text.encode())
    for name, data in sevis().items():
        case, _, suffix = name.rpartition(".")
        write(HERE / "sevis" / case, f"input.{suffix}", data)
    if "--expected" in sys.argv:
        for case in cases():
            expect(case)


def expect(case: Case) -> None:
    """What the adapter makes of it now."""
    events, errors = told(case)
    for name, text in (("expected.json", events), ("expected.err", errors)):
        path = case.folder / name
        path.unlink(missing_ok=True)
        if text:
            path.write_text(text)


if __name__ == "__main__":
    main()
