"""The inputs of CLAIMS 3's cases."""

from __future__ import annotations

from systems.claims3.build import APPROVED, ROW, dump, insert, row

AFTERWARDS = {"action_date": "2025-11-20", "last_update_ts": "2025-11-21T14:03:11.250000Z"}
CLOCK = "INSERT INTO benefit_clock VALUES ('2025-11-03T00:00:00.000000Z');\n"


def texts() -> dict[str, str]:
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
        "countries.csv": dump([
            row(action_id=number, country_of_citizenship=code, passport_country=code)
            for number, code in enumerate(
                "RALIA AUSTR STRIA UK BYELA BELAR ESAL NIGE NIGIA 180 KV USSR UNKNO QQQQQ".split(), 1
            )
        ]),
        "column-missing.csv": dump([filed], [name for name in ROW if name != "void_flag"]),
        "uneven-lines.csv": dump([filed]) + "4712,1,EAC2590012346\n\n" + dump([row(action_id=4717)]).split("\n", 1)[1],
        "other-columns.csv": dump([filed], [*reversed(ROW)]),
        "no-such-view.sql": "DROP VIEW visabus_benefit_action;\n",
    }  # fmt: skip


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    return {
        f"{name.rpartition('.')[0]}/input.{name.rpartition('.')[2]}": text.encode() for name, text in texts().items()
    }
