"""Cases of ICM built from plain words."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
PERSON: Json = {
    "subjectId": "77001",
    "role": "SUBJECT",
    "type": "PERSON",
    "aNumber": "A099000117",
    "familyName": "MARLOWE",
    "givenNames": "IRENE",
    "dateOfBirth": "1987-05-23",
    "sex": "F",
    "citizenship": "ESP",
}
OPEN: Json = {
    "caseNumber": "HSI-2026-000117",
    "version": 1,
    "status": "OPEN",
    "category": "DOCUMENT FRAUD",
    "disposition": None,
    "openedAt": "2026-02-11T15:00:00-05:00",
    "closedAt": None,
    "program": "Homeland Security Investigations",
    "office": "SNA",
    "subject": PERSON,
    "modifiedAt": "2026-02-11T20:00:05Z",
}
CLOSED = OPEN | {"version": 2, "status": "CLOSED", "disposition": "HCA", "closedAt": "2026-05-01T12:00:00Z"}
CLOSED |= {"modifiedAt": "2026-05-01T12:00:01Z"}
WITNESS = PERSON | {"subjectId": "77002", "role": "WITNESS", "aNumber": "A099000118"}
FIRM: Json = {"subjectId": "77003", "role": "SUBJECT", "type": "ORGANISATION", "familyName": "XA Imports"}
CITIZEN = PERSON | {"subjectId": "77004", "citizenship": "USA", "aNumber": None}
NUMBERED: Json = {"subjectId": "77005", "role": "SUBJECT", "aNumber": None}


def page(*items: Any, **more: Any) -> bytes:
    """A page."""
    return (json.dumps({"items": items} | more, indent=1) + "\n").encode()


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    return {
        "opened/input.json": page(OPEN, asOf="2026-02-12T00:00:00Z"),
        "closed/input.json": page(CLOSED),
        "several-subjects-of-a-case/input.json": page(
            OPEN, OPEN | {"subject": PERSON | {"subjectId": "77009", "sex": "U", "aNumber": "99000119"}}
        ),
        "witness-organisation-citizen/input.json": page(
            *(
                OPEN | {"subject": each}
                for each in (WITNESS, FIRM, CITIZEN, CITIZEN | {"citizenship": " usa"}, PERSON | {"role": "VICTIM"})
            )
        ),
        "a-subject-becomes-a-witness/input.json": page(
            OPEN, OPEN | {"version": 2, "subject": PERSON | {"role": "WITNESS", "formerRole": "SUBJECT"}}
        ),
        "a-witness-becomes-a-subject/input.json": page(
            OPEN | {"subject": PERSON | {"role": "WITNESS"}},
            OPEN | {"version": 2, "subject": PERSON | {"formerRole": "WITNESS"}},
        ),
        "without-a-number/input.json": page(OPEN | {"subject": NUMBERED, "category": ""}),
        "deleted/input.json": page(CLOSED | {"version": 3, "deleted": True}),
        "bad-optional-values/input.json": page(
            CLOSED
            | {"category": "X" * 201, "disposition": 7}
            | {
                "subject": PERSON
                | {"citizenship": "ATLANTIS", "aNumber": "A1", "sex": "?", "dateOfBirth": "1987-13", "formerRole": "?"}
            }
        ),
        "bad-values/input.json": page(
            OPEN | {"caseNumber": "?"},
            OPEN | {"version": "1"},
            OPEN | {"status": "PENDING"},
            OPEN | {"openedAt": "2026-02-11"},
            CLOSED | {"closedAt": None},
            OPEN | {"modifiedAt": ""},
            OPEN | {"openedAt": "2026-03-11T15:00:00Z"},
            OPEN | {"subject": None},
            OPEN | {"deleted": 1},
            OPEN | {"subject": PERSON | {"role": "SUSPECT"}},
            OPEN | {"subject": PERSON | {"subjectId": None}},
            OPEN | {"subject": PERSON | {"type": "SHIP"}},
        ),
        "empty/input.json": page(),
        "a-sign-in-page/input.json": b"<!DOCTYPE html><title>Sign in</title>\n",
    }
