"""Messages of TVS built from plain words."""

from __future__ import annotations

import json
from typing import Any

Fields = dict[str, Any]
TRAVELER: Fields = {
    "familyName": "GARCIA LOPEZ",
    "givenName": "MARIA JOSE",
    "birthDate": "1987-05-23",
    "sex": "F",
    "nationality": "ESP",
    "documentNumber": "PAA123456",
    "documentIssuer": "ESP",
}
BOARDING: Fields = {
    "transactionId": "TVS-2025-00000017",
    "version": 1,
    "voided": None,
    "carrier": "IB",
    "flight": "6252",
    "port": "JFK",
    "departureDate": "2025-03-14",
    "boardingSequence": 117,
    "result": "MATCH",
    "matchedId": "FIN/1234567",
    "capturedAt": "2025-03-15T01:05:00Z",
    "traveler": TRAVELER,
    "camera": "T4-G7",
    "recordedAt": "2025-03-15T01:05:04Z",
}


def boarding(number: int = 17, **changes: Any) -> Fields:
    """A boarding with some of its members otherwise."""
    return BOARDING | {"transactionId": f"TVS-2025-{number:08}"} | changes


def message(*boardings: Any) -> bytes:
    """A message."""
    body = {"messageId": "M1", "sentAt": "2025-03-15T01:06:00Z", "boardings": list(boardings)}
    return json.dumps(body, indent=1, ensure_ascii=False).encode()


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    known = {
        "match": message(boarding()),
        "no-match-is-not-not-departed": message(
            boarding(result="NO_MATCH", matchedId=None, traveler=None),
            boarding(18, result="NOT_IN_GALLERY", matchedId=None, traveler=None),
        ),
        "matched-by-passport-or-visa": message(
            boarding(matchedId="PASSPORT/ESP/PAA123456", traveler=None),
            boarding(18, matchedId="VISA/K1234567", traveler=None),
            boarding(19, matchedId=None),
        ),
        "a-flight-behind-midnight": message(
            boarding(capturedAt="2025-03-15T03:40:00Z", departureDate="2025-03-15", recordedAt="2025-03-15T05:00:00Z"),
            boarding(18, capturedAt=None),
            boarding(19, capturedAt="2020-01-01T00:00:00Z"),
            boarding(20, port="HNL", capturedAt="2025-03-15T09:30:00+00:00", recordedAt="2025-03-15T10:00:00Z"),
        ),
        "voided-and-corrected": message(
            boarding(), boarding(version=2, flight="6254"), boarding(version=3, voided=True)
        ),
        "boarding-abroad": message(boarding(port="LHR"), boarding(18, port="LOS")),
        "names-of-all-kinds": message(
            boarding(traveler=TRAVELER | {"familyName": "MADONNA", "givenName": None, "birthDate": "1958"}),
            boarding(
                18, traveler=TRAVELER | {"familyName": None, "sex": "U", "nationality": "D", "birthDate": "1987-05"}
            ),
        ),
        "optional-values-that-are-wrong": message(
            boarding(matchedId="FIN/12", port="QQQ", capturedAt="at noon"),
            boarding(
                18, matchedId="LIBRARY/1", traveler=TRAVELER | {"sex": "Q", "nationality": "ZZZ", "birthDate": "x"}
            ),
            boarding(19, traveler=TRAVELER | {"documentIssuer": "ZZZ"}),
            boarding(20, carrier="", flight="X"),
            boarding(21, carrier=None, flight=None),
        ),
        "mandatory-values-that-are-wrong": message(
            boarding(transactionId="17"),
            boarding(18, version=0),
            boarding(19, result="MAYBE"),
            boarding(20, departureDate="2025-02-30"),
            boarding(22, voided="yes"),
            boarding(23, matchedId=None, traveler=None),
            boarding(24, recordedAt="2025-03-15T01:05:04"),
            boarding(25, departureDate="2025-03-18"),
            {name: value for name, value in boarding(26).items() if name != "port"},
            "a word",
            boarding(27),
        ),
        "a-private-flight": message(boarding(carrier="7C", flight="12A")),
        "cut-short": message(boarding())[:-40],
        "nobody-boarded": message(),
    }
    return {f"{name}/input.json": data for name, data in known.items()}
