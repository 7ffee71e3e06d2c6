"""The table of CLAIMS 3, held against the truth."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from services.simulator import Truth

pytestmark = pytest.mark.slow


def test_the_table_holds_what_is_told(written: tuple[Path, Truth]) -> None:
    directory, truth = written
    database = sqlite3.connect(directory / "claims3.db")
    rows = database.execute(
        "SELECT action_id, form_type, void_flag, row_version, last_update_ts FROM visabus_benefit_action"
    ).fetchall()
    ((clock,),) = database.execute("SELECT complete_through FROM visabus_benefit_clock").fetchall()
    database.close()
    assert clock == truth.records_end.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
    assert all(updated <= clock for *_, updated in rows)
    filtered = sum(form == "I-765" for _, form, *_ in rows)
    counted = truth.counts["systems"]["CLAIMS3"]
    assert counted == {
        "read": len(rows),
        "published": len(rows) - filtered,
        "filtered": filtered,
        "changed": sum(version > 1 for *_, version, _ in rows),
        "voided": sum(void == "Y" for _, _, void, *_ in rows),
    }
    true = {each.record for person in truth.persons() for each in person.records if each.system == "CLAIMS3"}
    assert true == {str(key) for key, form, void, *_ in rows if form != "I-765" and void == "N"}
