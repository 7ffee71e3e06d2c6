"""A later version of a record that a rule leaves out takes back what an earlier one said."""

from __future__ import annotations

from typing import Any

import pytest
from systems.adis import build as adis
from systems.claims3 import build as claims3
from systems.earm import build as earm
from systems.eid import build as eid
from systems.elis import build as elis
from systems.fdns import build as fdns
from systems.icm import build as icm
from systems.tecs import build as tecs

from adapters.decode import Decoded, decode_file
from adapters.registry import systems
from schemas.events import Operation


def versions() -> dict[str, tuple[str, bytes, bytes, bytes]]:
    """By what happened: the system, an input that says something, what replaces it, and the same as a first version."""
    case: dict[str, Any] = {"EID_CASE_ID": "314159269", "NTA_SERVED_DATE": None, "BOOK_IN_DATE_TIME": None}
    citizen = icm.PERSON | {"citizenship": "USA"}
    quiet = earm.QUIET | {"order": None}
    granted = {"formType": "I-821", "current_case_status_text_en": "Case Was Approved"}
    reopened = granted | {"current_case_status_text_en": "Case Was Reopened"}
    consular = {"form_type": "I-129", "requested_action": "A"}
    return {
        "a removal that was not one": (
            "EARM",
            earm.answer(earm.case("C1", head={"version": "1"})),
            earm.answer(earm.case("C1", head={"version": "2"}, **quiet)),
            earm.answer(earm.case("C1", head={"version": "1"}, **quiet)),
        ),
        "a case whose steps were another's": (
            "EID",
            eid.row("EID_CASE"),
            eid.row("EID_CASE", "u", 2000, **case),
            eid.row("EID_CASE", "c", 2000, **case),
        ),
        "an arrest that was another's, processed again": (
            "EID",
            eid.row("EID_EVENT"),
            eid.row("EID_EVENT", "u", 2000, APPREHENSION_METHOD="ERO Reprocessed Arrest"),
            eid.row("EID_EVENT", "c", 2000, APPREHENSION_METHOD="ERO Reprocessed Arrest"),
        ),
        "a refusal that was a double": (
            "TECS",
            tecs.message(tecs.refused()),
            tecs.message(tecs.refused(ACTION_CODE="R", refusal={"DUPLICATE-INDICATOR": "Y"}), sequence=413),
            tecs.message(tecs.refused(refusal={"DUPLICATE-INDICATOR": "Y"}), sequence=413),
        ),
        "a citizen after all": (
            "ICM",
            icm.page(icm.OPEN),
            icm.page(icm.OPEN | {"version": 2, "subject": citizen}),
            icm.page(icm.OPEN | {"subject": citizen}),
        ),
        "no finding any more": (
            "FDNS",
            fdns.page(fdns.WITH_FINDING),
            fdns.page(fdns.WITH_FINDING | {"version": 3, "finding": None}),
            fdns.page(fdns.CASE),
        ),
        "a resident after all": (
            "ADIS",
            adis.dump([adis.row()]).encode(),
            adis.dump([adis.row(class_of_admission="LPR", row_version=9)]).encode(),
            adis.dump([adis.row(class_of_admission="LPR", row_version=1)]).encode(),
        ),
        "a notice to a consulate after all": (
            "CLAIMS3",
            claims3.dump([claims3.row(form_type="I-129", row_version=1)]).encode(),
            claims3.dump([claims3.row(row_version=2, **consular)]).encode(),
            claims3.dump([claims3.row(row_version=1, **consular)]).encode(),
        ),
        "protection that is not granted any more": (
            "ELIS",
            elis.page(elis.answer(elis.case(**granted), {"decisionDate": "2025-11-01"})),
            elis.page(elis.answer(elis.case(**reopened), {"decisionDate": "2025-11-01"}, number=2)),
            elis.page(elis.answer(elis.case(**reopened), {"decisionDate": "2025-11-01"}, number=1)),
        ),
    }


def decoded(system: str, data: bytes) -> Decoded:
    """The one record of an input."""
    results = [each for each in decode_file(systems()[system], data) if each.filtered or each.refused or each.events]
    records = [each for each in results if not each.events or each.events[0].kind != "coverage"]
    assert len(records) == 1
    return records[0]


@pytest.mark.parametrize("happened", versions())
def test_what_is_left_out_later_is_taken_back(happened: str) -> None:
    system, said, replaced, first = versions()[happened]
    before, after, alone = decoded(system, said), decoded(system, replaced), decoded(system, first)
    assert {event.operation for event in before.events} == {Operation.ASSERT}
    assert {event.operation for event in after.events} == {Operation.RETRACT}
    assert {event.record for event in after.events} == {event.record for event in before.events}
    assert after.events[0].revision.number > before.events[0].revision.number
    assert alone.filtered
    assert not alone.events, "of a first version there is nothing to take back"
