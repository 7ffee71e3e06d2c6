"""Rows of RAPS built from plain words, as messages of its topic."""

from __future__ import annotations

from typing import Any

from systems import change_rows
from systems.change_rows import beside, from_table, tombstone, with_schema

from adapters.formats.debezium import Table
from adapters.systems.raps.adapter import FORMAT

CASE: dict[str, Any] = {
    "CASE_ID": "ZNY099000117",
    "CASE_KIND": "AFFIRMATIVE",
    "RECEIVED_DATE": "2025-06-02",
    "OFFICE": "ZNY",
}
APPLICANT: dict[str, Any] = {
    "APPLICANT_ID": 9001, "CASE_ID": "ZNY099000117", "ROLE": "PRINCIPAL", "A_NUMBER": "A099000117",
    "I94_NUMBER": "123456789A1", "FAMILY_NAME": "OKAFORIN", "GIVEN_NAME": "MILES T", "BIRTH_DATE": "1988-04-12",
    "SEX": "M", "CITIZENSHIP": "NIGIA", "FILED_DATE": "2025-06-02", "DECISION": None, "DECISION_DATE": None,
    "LANGUAGE": "ENGLISH",
}  # fmt: skip
CHILD: dict[str, Any] = {
    "APPLICANT_ID": 9002, "ROLE": "DEPENDANT", "A_NUMBER": "A099000118", "I94_NUMBER": None, "GIVEN_NAME": "ADA",
    "BIRTH_DATE": "2016-01-30", "SEX": "F",
}  # fmt: skip
EVENT: dict[str, Any] = {
    "EVENT_ID": 70001, "CASE_ID": "ZNY099000117", "EVENT_CODE": "RECEIVED", "OUTCOME": None,
    "EVENT_DATE": "2025-06-02", "OFFICER": "X0042", "NOTE": None,
}  # fmt: skip
CLOCK = Table({"ID": "int", **dict.fromkeys(("COMPLETE_SINCE", "COMPLETE_THROUGH"), "varchar(32)")}, ("ID",))
ROWS = {"CASE": CASE, "APPLICANT": APPLICANT, "EVENT": EVENT}


def row(table: str, op: str = "c", position: int = 1000, moved: str = "", **changes: Any) -> bytes:
    """A change of a row, as MariaDB's binary log has it."""
    source = {"connector": "mariadb", "file": "binlog.000003", "pos": position, "lsn": None, "sequence": None}
    return change_rows.change(FORMAT.tables, table, ROWS[table] | changes, op, position, moved, **source)


def step(number: int, code: str, outcome: str | None = None, day: str = "2025-09-01") -> bytes:
    """A step of the case."""
    return row("EVENT", EVENT_ID=number, EVENT_CODE=code, OUTCOME=outcome, EVENT_DATE=day)


def clock(since: str, through: str | None, position: int, op: str = "u") -> bytes:
    """A row of the owner's clock."""
    tables = {"VISABUS_CLOCK": CLOCK}
    source = {"connector": "mariadb", "file": "binlog.000003", "pos": position, "lsn": None, "sequence": None}
    values = {"ID": 1, "COMPLETE_SINCE": since, "COMPLETE_THROUGH": through}
    return change_rows.change(tables, "VISABUS_CLOCK", values, op, position, "", **source)


def inputs() -> dict[str, bytes]:
    """The cases' inputs."""
    several: dict[str, list[bytes]] = {
        "received": [row("CASE"), row("APPLICANT"), step(70001, "RECEIVED", day="2025-06-02")],
        "steps-that-decide-nothing": [
            step(2, "SCHEDULED"),
            step(3, "INTERVIEWED"),
            step(4, "NO_SHOW"),
            step(5, "DECISION_PREPARED"),
            step(6, "SERVED", "NOID"),
            step(7, "CLOSED", "DECIDED"),
        ],
        "granted-and-denied": [step(8, "SERVED", "GRANT"), step(9, "SERVED", "DENIAL")],
        "referred-to-the-court": [step(10, "SERVED", "REFERRAL")],
        "dependant": [
            row("APPLICANT"),
            row("APPLICANT", **CHILD),
            row("APPLICANT", "u", 2000, **CHILD, DECISION="GRANT", DECISION_DATE="2025-09-01"),
        ],
        "departed-before-a-decision": [
            step(11, "CLOSED", "DEPARTED"),
            step(12, "CLOSED", "WITHDRAWN"),
            step(13, "CLOSED", "ABANDONED"),
        ],
        "screenings": [row("CASE", CASE_KIND="CREDIBLE_FEAR"), row("CASE", CASE_KIND="REASONABLE_FEAR")],
        "corrected-and-deleted": [
            row("APPLICANT"),
            row("APPLICANT", "u", 1100, GIVEN_NAME="MILES"),
            row("APPLICANT", "d", 1200),
            tombstone({"applicant_id": 9001}),
            row("EVENT", "d", 1300),
            row("CASE", "d", 1400),
        ],
        "wrong-optional-values": [
            row("APPLICANT", A_NUMBER="A1", I94_NUMBER="1", SEX="W", CITIZENSHIP="XXXXX", BIRTH_DATE="NEVER"),
            row("APPLICANT", DECISION="MAYBE"),
            row("APPLICANT", DECISION="DENIAL", DECISION_DATE=None),
            row("APPLICANT", SEX="U", CITIZENSHIP=None, FAMILY_NAME=None, GIVEN_NAME=None),
        ],
        "refused": [
            row("CASE", CASE_KIND="ASYLUM"),
            row("CASE", RECEIVED_DATE=None),
            row("APPLICANT", ROLE="CHILD"),
            row("APPLICANT", **CHILD | {"A_NUMBER": None, "FAMILY_NAME": None, "GIVEN_NAME": None}),
            row("APPLICANT", CASE_ID=None),
            step(14, "SERVED"),
            step(15, "CLOSED"),
            step(16, "LOST"),
            step(17, "SERVED", "GRANT", "2027-01-01"),
            row("APPLICANT", APPLICANT_ID=0),
            row("EVENT").replace(b"binlog.000003", b"relay"),
        ],
        "beside-the-rows": [*beside(), row("CASE").replace(b'\\"case\\"', b'\\"office\\"'), b"{}\n"],
        "the-clock": [
            row("CASE"),
            clock("2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z", 1100),
            clock("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", 1200),
        ],
        "a-clock-that-vouches-for-nothing": [
            clock("2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z", 1000, "r"),
            clock("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", 1100, "d"),
            clock("2026-03-02T00:00:00Z", "2026-03-01T00:00:00Z", 1200),
            clock("2026-03-01", None, 1300),
            clock("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z", 1400),
        ],
        "with-schemas": [with_schema(row("APPLICANT"), FORMAT.tables["APPLICANT"].columns)],
        "of-a-change-table": [
            from_table("CASE", CASE, {"CASE_ID": CASE["CASE_ID"]}),
            from_table("APPLICANT", APPLICANT, {"APPLICANT_ID": 9001}, number=2),
            from_table("EVENT", EVENT, {"EVENT_ID": 70001}, "d", 3),
        ],
    }
    return {f"{name}/input.jsonl": b"".join(lines) for name, lines in several.items()}
