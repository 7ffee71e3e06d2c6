"""Enrolments of EVUS built from plain words."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
PENDING: Json = {
    "enrollmentNumber": "EV00000117",
    "version": 1,
    "status": "PENDING",
    "statusAt": "2026-03-01T14:03:11Z",
    "validFrom": None,
    "validTo": None,
    "visa": {"foil": "M1234567", "expires": "2034-05-01"},
    "passport": {"number": "EA1234567", "issuer": "CHN", "expires": "2033-01-31"},
    "familyName": "SHEN",
    "givenNames": "YILIN",
    "dateOfBirth": "1990-10-02",
    "sex": "F",
    "address": "1 HARBOR STREET",
    "modifiedAt": "2026-03-01T14:03:12Z",
}
ENROLLED = PENDING | {"version": 2, "status": "ENROLLED", "statusAt": "2026-03-02T09:00:00Z"}
ENROLLED |= {"validFrom": "2026-03-02", "validTo": "2028-03-01", "modifiedAt": "2026-03-02T09:00:01Z"}
RESCINDED = ENROLLED | {"version": 3, "status": "RESCINDED", "statusAt": "2026-08-09T16:20:00-04:00"}
RESCINDED |= {"modifiedAt": "2026-08-09T20:20:01Z"}


def page(*items: Any, **more: Any) -> bytes:
    """A page."""
    return (json.dumps({"items": items, "total": len(items)} | more, indent=1) + "\n").encode()


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    visa, passport = PENDING["visa"], PENDING["passport"]
    return {
        "pending-then-enrolled/input.json": page(PENDING, ENROLLED, asOf="2026-03-03T00:00:00Z"),
        "unsuccessful/input.json": page(PENDING | {"version": 2, "status": "UNSUCCESSFUL"}),
        "rescinded/input.json": page(RESCINDED),
        "visa-ends-first/input.json": page(ENROLLED | {"visa": visa | {"expires": "2027-01-31"}}),
        "passport-ends-first/input.json": page(ENROLLED | {"passport": passport | {"expires": "2026-12-31"}}),
        "no-end-known/input.json": page(
            ENROLLED | {"validTo": None, "visa": {"foil": "M1234567"}, "passport": None, "sex": "U"}
        ),
        "bad-optional-values/input.json": page(
            ENROLLED
            | {"validTo": "soon", "sex": "?", "dateOfBirth": "1990-13", "passport": {"number": "EA1234567"}}
            | {"visa": visa | {"expires": "2034"}, "givenNames": ""}
        ),
        "bad-values/input.json": page(
            PENDING | {"enrollmentNumber": "ev117"},
            PENDING | {"version": None},
            PENDING | {"status": "DENIED"},
            PENDING | {"statusAt": None},
            PENDING | {"visa": None},
            PENDING | {"visa": {"foil": "12"}},
            PENDING | {"modifiedAt": "2026-03-01"},
            ENROLLED | {"validFrom": None},
            PENDING | {"statusAt": "2026-03-09T00:00:00Z"},
        ),
        "empty/input.json": page(asOf="2026-03-03T00:00:00Z"),
        "cut-short/input.json": page(PENDING)[:200],
    }
