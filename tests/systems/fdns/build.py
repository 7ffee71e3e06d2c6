"""Leads and cases of FDNS-DS built from plain words."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
LEAD: Json = {
    "recordNumber": "L000000117",
    "version": 1,
    "kind": "LEAD",
    "leadNumber": None,
    "referralSource": "SERVICE CENTER",
    "openedAt": "2026-02-11T15:00:00-05:00",
    "closedAt": None,
    "finding": None,
    "findingDate": None,
    "narrative": "Employer's address is a parking lot.",
    "receipts": ["IOE9099000117"],
    "aNumber": "A099000117",
    "familyName": "MARLOWE",
    "givenNames": "IRENE",
    "dateOfBirth": "1987-05-23",
    "sex": "F",
    "citizenship": "ESP",
    "modifiedAt": "2026-02-11T20:00:05Z",
}
CASE = LEAD | {
    "recordNumber": "C000000118",
    "kind": "CASE",
    "leadNumber": "L000000117",
    "modifiedAt": "2026-05-01T12:00:01Z",
}
WITH_FINDING = CASE | {"version": 2, "finding": "FRAUD FOUND", "findingDate": "2026-05-01"}
NAMELESS = {"familyName": None, "givenNames": None, "dateOfBirth": None, "sex": None, "citizenship": None}


def page(*items: Any, **more: Any) -> bytes:
    """A page."""
    return (json.dumps({"items": items} | more, indent=1) + "\n").encode()


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    return {
        "lead/input.json": page(LEAD, asOf="2026-02-12T00:00:00Z"),
        "lead-closed/input.json": page(
            LEAD | {"version": 2, "closedAt": "2026-03-01T12:00:00Z", "modifiedAt": "2026-03-01T12:00:01Z"}
        ),
        "findings/input.json": page(
            WITH_FINDING,
            WITH_FINDING | {"version": 3, "finding": "FRAUD NOT FOUND"},
            WITH_FINDING
            | {"version": 4, "finding": "INCONCLUSIVE", "narrative": "Applicant has left the country on 2026-04-30."},
        ),
        "no-finding-yet/input.json": page(CASE, CASE | {"finding": ""}),
        "finding-withdrawn/input.json": page(WITH_FINDING | {"version": 3, "findingWithdrawn": True}),
        "deleted/input.json": page(LEAD | {"version": 2, "deleted": True}),
        "protected/input.json": page(WITH_FINDING | {"protected": True}),
        "numbers-alone/input.json": page(
            WITH_FINDING | NAMELESS | {"receipts": None},
            WITH_FINDING | NAMELESS | {"aNumber": None, "receipts": ["EAC9999103402", "EAC9999103403"]},
            LEAD | {"receipts": [], "aNumber": "", "referralSource": None},
        ),
        "nobody/input.json": page(LEAD | NAMELESS | {"receipts": [], "aNumber": None}),
        "bad-optional-values/input.json": page(
            LEAD
            | {
                "receipts": ["EAC1", 7, None, "", "EAC9999103402"],
                "aNumber": "A1",
                "sex": "?",
                "citizenship": "ATLANTIS",
            }
            | {"dateOfBirth": "23/05/1987", "referralSource": "X" * 201},
            LEAD | {"receipts": "EAC9999103402", "referralSource": " "},
        ),
        "bad-values/input.json": page(
            LEAD | {"recordNumber": "117"},
            LEAD | {"recordNumber": None},
            LEAD | {"version": 0},
            LEAD | {"kind": "TIP"},
            LEAD | {"openedAt": "2026-02-11"},
            LEAD | {"closedAt": "later"},
            LEAD | {"modifiedAt": None},
            LEAD | {"protected": "true"},
            LEAD | {"deleted": "N"},
            WITH_FINDING | {"finding": "GUILTY"},
            WITH_FINDING | {"findingDate": None},
            WITH_FINDING | {"findingDate": "2026-06-01"},
        ),
        "empty/input.json": page(),
        "cut-short/input.json": page(LEAD)[:300],
    }
