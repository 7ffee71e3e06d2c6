"""Messages of CPMS, built from plain words."""

from __future__ import annotations

import json
from typing import Any

CAPTURED: dict[str, Any] = {
    "eventId": "B0099000117",
    "version": 1,
    "action": "N",
    "type": "CAPTURED",
    "code": "FTA0",
    "occurredAt": "2026-02-10T09:30:00-05:00",
    "recordedAt": "2026-02-10T14:45:00Z",
    "appointmentDate": "2026-02-10",
    "office": "XNY",
    "formType": "I-485",
    "receiptNumber": "MSC9909900117",
    "aNumber": "A099000117",
    "fin": "990001170",
    "applicant": {"familyName": "OKAFORIN", "givenName": "MILES", "birthDate": "1988-04-12"},
    "clerk": "C17",
}
CARD = CAPTURED | {
    "eventId": "K0099000117",
    "type": "CARD_PRODUCED",
    "code": "LDF",
    "cardNumber": "SRC9909900118",
    "appointmentDate": None,
}
SCHEDULED = CAPTURED | {
    "type": "APPOINTMENT_SCHEDULED",
    "code": None,
    "occurredAt": "2026-01-20T09:30:00-05:00",
    "recordedAt": "2026-01-20T14:45:00Z",
}
WITHOUT = {"receiptNumber": None, "aNumber": None, "fin": None, "applicant": None}


def event(base: dict[str, Any] = CAPTURED, **changes: Any) -> dict[str, Any]:
    """An event without the members that are None."""
    return {name: value for name, value in (base | changes).items() if value is not None}


def message(*events: Any) -> bytes:
    """A whole message."""
    return json.dumps({"events": list(events)}, indent=1).encode() + b"\n"


def numbered(base: dict[str, Any], name: str, values: list[Any]) -> bytes:
    """An event for each value of a member."""
    return message(*(event(base, eventId=f"B{number}", **{name: value}) for number, value in enumerate(values, 1)))


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    types = ["APPOINTMENT_SCHEDULED", "CAPTURED", "REUSED", "NO_SHOW"]
    types += ["CARD_ORDERED", "CARD_PRODUCED", "CARD_MAILED", "CARD_RETURNED", "CARD_LOST"]
    whole = message(event())
    every = {
        "captured-and-card": message(event(), event(CARD)),
        "types": numbered(CAPTURED | {"code": None}, "type", types),
        "scheduled": message(event(SCHEDULED), event(SCHEDULED, eventId="B2", appointmentDate=None, office=None)),
        "a-card-number-is-no-receipt": message(
            event(CARD, receiptNumber=None), event(CARD, eventId="K2", cardNumber="EAC99"), event(CARD, eventId="K3")
        ),
        "codes": message(
            event(code="LDF"), event(CARD, code="FTA0"), event(eventId="B3", code="IAF"), event(eventId="B4", code=7)
        ),
        "versions-and-deletion": message(
            event(),
            event(version=2, action="C", occurredAt="2026-02-11T09:30:00-05:00", recordedAt="2026-02-11T15:00:00Z"),
            event(version=3, action="D"),
        ),
        "confidential": numbered(
            CAPTURED, "formType", ["I-589", "I730", "I-914", "i-918", "I-360", "I-821", "I-821D", "N-400", None, 17]
        ),
        "numbers-alone": message(
            event(receiptNumber=None, fin=None, applicant=None, aNumber="99000117"),
            event(eventId="B2", **(WITHOUT | {"fin": "990001170"})),
            event(eventId="B3", **(WITHOUT | {"receiptNumber": "MSC9909900117"})),
            event(eventId="B4", **(WITHOUT | {"applicant": {"familyName": "SUPARMAN"}})),
            event(eventId="B5", **WITHOUT),
        ),
        "optional-values-that-are-wrong": message(
            event(
                SCHEDULED,
                aNumber="12",
                fin="x",
                receiptNumber="ABC9909900117",
                appointmentDate="10.02.2026",
                office="n/a",
            ),
            event(eventId="B2", applicant={"familyName": "OKAFORIN", "birthDate": "12/04/1988"}),
            event(eventId="B3", aNumber=99000117, fin=[], office={}),
        ),
        "mandatory-values-that-are-wrong": message(
            event(version="1"),
            event(eventId=" "),
            event(eventId=17),
            event(action="X"),
            event(occurredAt="2026-02-10"),
            event(recordedAt="2026-02-10T14:45:00"),
            event(occurredAt="2026-03-10T09:30:00-05:00"),
            event(applicant="MILES"),
            "no object",
        ),
        "empty": message(),
        "no-json": whole[:-20],
        "no-events": b'{"items": []}\n',
        "member-twice": b'{"events": [{"eventId": "B1", "eventId": "B2"}]}\n',
        "not-utf-8": whole.replace(b"MILES", b"M\xffLES"),
    }
    return {f"{name}/input.json": data for name, data in every.items()}
