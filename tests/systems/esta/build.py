"""Items of ESTA built from plain words."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]
PENDING: Json = {
    "applicationNumber": "2026030112345678",
    "version": 1,
    "status": "AUTHORIZATION PENDING",
    "statusAt": "2026-03-01T14:03:11Z",
    "submittedAt": "2026-03-01T14:03:11Z",
    "passport": {"number": "FX1234567", "issuer": "GBR", "expires": "2031-05-01"},
    "familyName": "HOLLOWAY",
    "givenNames": "MILES",
    "dateOfBirth": "1988-04-12",
    "sex": "M",
    "citizenship": "GBR",
    "cityOfBirth": "LEEDS",
    "address": "1 HIGH STREET",
    "modifiedAt": "2026-03-01T14:03:12Z",
}
APPROVED = PENDING | {
    "version": 2,
    "status": "AUTHORIZATION APPROVED",
    "statusAt": "2026-03-02T09:00:00Z",
    "validFrom": "2026-03-02",
    "validTo": "2028-03-01",
    "modifiedAt": "2026-03-02T09:00:01Z",
}
REFUSED = PENDING | {"version": 2, "status": "TRAVEL NOT AUTHORIZED", "statusAt": "2026-03-03T09:00:00Z"}
REFUSED |= {"modifiedAt": "2026-03-03T09:00:01Z"}
REVOKED = APPROVED | {"version": 3, "status": "Travel Not Authorized", "statusAt": "2026-08-09T16:20:00-04:00"}
REVOKED |= {"modifiedAt": "2026-08-09T20:20:01Z"}


def page(*items: Any, **more: Any) -> bytes:
    """A page."""
    return (json.dumps({"items": items} | more, indent=1) + "\n").encode()


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    passport = PENDING["passport"]
    return {
        "pending-then-approved/input.json": page(PENDING, APPROVED, asOf="2026-03-03T00:00:00Z"),
        "not-authorized/input.json": page(REFUSED),
        "revoked/input.json": page(REVOKED),
        "passport-ends-first/input.json": page(
            APPROVED | {"passport": passport | {"expires": "2027-01-31"}},
            APPROVED | {"passport": passport | {"expires": "2035-01-31"}},
            APPROVED | {"passport": passport | {"expires": None}},
        ),
        "one-year/input.json": page(
            APPROVED | {"passport": {"number": "RA1234567", "issuer": "ROU"}, "validTo": "2027-03-01"}
        ),
        "another-passport-another-number/input.json": page(
            APPROVED,
            APPROVED | {"applicationNumber": "2026090112345678", "passport": passport | {"number": "FX7654321"}},
        ),
        "more-than-two-years/input.json": page(
            APPROVED | {"validTo": "2036-03-01"}, APPROVED | {"validTo": "2026-03-01"}, APPROVED | {"validTo": None}
        ),
        "words-that-it-does-not-have/input.json": page(
            *(PENDING | {"status": word} for word in ("DENIED", "REVOKED", "APPROVED", "", None, 7))
        ),
        "words-in-any-case/input.json": page(APPROVED | {"status": "Authorization  Approved"}),
        "withdrawn/input.json": page(APPROVED | {"version": 3, "withdrawn": True}),
        "sparse/input.json": page(
            {name: APPROVED[name] for name in APPROVED if name in SPARSE},
            PENDING | {"sex": "U", "citizenship": "D", "dateOfBirth": "1988", "givenNames": ""},
        ),
        "bad-optional-values/input.json": page(
            APPROVED
            | {"sex": "?", "citizenship": "UK", "dateOfBirth": "12.4.1988", "validTo": "soon"}
            | {"passport": passport | {"expires": "31 JAN 2027"}}
        ),
        "bad-values/input.json": page(
            PENDING | {"applicationNumber": "123"},
            PENDING | {"version": 0},
            PENDING | {"passport": None},
            PENDING | {"passport": passport | {"number": "?"}},
            PENDING | {"passport": passport | {"issuer": "ENGLAND"}},
            PENDING | {"statusAt": "2026-03-01"},
            PENDING | {"modifiedAt": None},
            PENDING | {"withdrawn": "yes"},
            APPROVED | {"validFrom": None},
            APPROVED | {"validFrom": "2026-02-30"},
            PENDING | {"statusAt": "2026-03-08T00:00:00Z"},
            7,
        ),
        "a-page-before-others/input.json": page(PENDING, asOf="2026-03-03T00:00:00Z", nextCursor="x"),
        "empty/input.json": page(asOf="2026-03-03T00:00:00Z"),
        "cut-short/input.json": page(PENDING)[:200],
    }


SPARSE = ("applicationNumber", "version", "status", "statusAt", "passport", "validFrom", "validTo", "modifiedAt")
