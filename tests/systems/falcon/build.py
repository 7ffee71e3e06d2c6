"""Files of FALCON-SA from plain words."""

from __future__ import annotations

import gzip
import json
from typing import Any

ENTITY: dict[str, Any] = {
    "type": "PERSON",
    "familyName": "GARCIA LOPEZ",
    "givenName": "MARIA",
    "birthDate": "1987-05-23",
    "sex": "Female",
    "citizenship": "SPAIN",
    "aNumber": "A099000117",
    "fin": "1200345678",
    "passport": {"number": "XDA123456", "state": "SPAIN"},
    "subjectId": "77001",
    "event": {"kind": "ARREST", "date": "2025-03-09"},
    "score": 0.7,
}
LINE: dict[str, Any] = {
    "sourceSystem": "EID",
    "sourceRecordId": "77001-3",
    "sourceUpdatedAt": "2025-03-10T22:15:00Z",
    "loadedAt": "2025-03-12T03:00:00Z",
}


def line(entity: dict[str, Any] | None = None, **changes: Any) -> str:
    """Return a line: the usual one but for these members; None takes one away."""
    said = {**LINE, **changes, "entity": ENTITY | (entity or {})}
    said["entity"] = {name: value for name, value in said["entity"].items() if value is not None}
    return json.dumps({name: value for name, value in said.items() if value is not None})


def event(kind: str, **changes: Any) -> str:
    """Return a line that tells another kind of event."""
    return line({"event": {"kind": kind, "date": "2025-03-09"}}, sourceRecordId=f"77001-{kind}", **changes)


def load(*lines: str) -> bytes:
    """Return a file of these lines."""
    return packed("".join(f"{each}\n" for each in lines).encode())


def packed(data: bytes) -> bytes:
    """Return a file of these bytes; the same bytes whenever it is made."""
    return gzip.compress(data, mtime=0)


def inputs() -> dict[str, bytes]:
    """Return the input of each case, by its path."""
    kinds = "BOOK_IN BOOK_OUT DETAINER DETAINER_LIFTED INVESTIGATION INVESTIGATION_CLOSED LEAD LEAD_CLOSED".split()
    sevis = {
        "citizenship": "AS",
        "sex": "F",
        "sevisId": "N0012345678",
        "i94": "123456789A1",
        "passport": {"number": "PAA123456", "state": "UR"},
        "event": {"kind": "LEAD", "date": "2025-03-09"},
    }
    again = line(loadedAt="2025-03-19T03:00:00Z")
    newer = line({"familyName": "GARCIA"}, sourceUpdatedAt="2025-03-11T08:00:00Z")
    cases = {
        "arrest": load(line()),
        "every-kind": load(*map(event, kinds)),
        "codes-of-the-source": load(
            line(sevis, sourceSystem="SEVIS", sourceRecordId="N0012345678/A100"),
            line({"citizenship": "RALIA", "passport": None}, sourceSystem="CIS", sourceRecordId="A099000117"),
            line({"citizenship": "ESP", "passport": None}, sourceSystem="TECS", sourceRecordId="T1"),
            line({"citizenship": "CHINA, PEOPLES REPUBLIC OF", "passport": None}, sourceSystem="ICM"),
        ),
        "code-of-another-source": load(line({"citizenship": "AS", "passport": {"number": "X1234567", "state": "ESP"}})),
        "same-record-twice": load(line(), again),
        "reload": load(again),
        "stale-copy-behind-a-newer-one": load(newer, line(loadedAt="2025-03-20T03:00:00Z")),
        "without-the-time-of-the-source": load(line(sourceUpdatedAt=None)),
        "without-any-time": load(line(sourceUpdatedAt=None, loadedAt=None), line()),
        "removed": load(line(removed=True), line(removed=False, sourceRecordId="77001-4"), line(removed="yes")),
        "told-by-its-owner": load(*map(event, ("REMOVAL", "ORDER", "CROSSING", "ASYLUM")), event("ARREST")),
        "unknown-kind": load(event("ARRST"), line()),
        "organisation": load(line({"type": "ORGANIZATION", "familyName": "SMALL SCHOOL OF ENGLISH"}), line()),
        "no-event": load(line({"event": None}), line({"event": {"date": "2025-03-09"}}), line()),
        "no-entity": load(json.dumps(LINE), line()),
        "no-such-day": load(line({"event": {"kind": "ARREST", "date": "2025-02-30"}}), line()),
        "before-it-happened": load(line({"event": {"kind": "ARREST", "date": "2025-03-12"}})),
        "no-key": load(line(sourceRecordId=None), line(sourceSystem=""), line()),
        "name-of-no-system": load(line(sourceSystem="old mainframe")),
        "nobody": load(line({name: None for name in ENTITY if name not in ("type", "event")})),
        "identifiers-that-are-none": load(
            line({"aNumber": "12", "fin": "x", "subjectId": "-", "birthDate": "23.05.1987", "sex": "W"})
        ),
        "member-twice": packed(b'{"sourceSystem": "EID", ' + line()[1:].encode() + b"\n"),
        "member-inside-twice": packed(line().replace('"sex"', '"birthDate": "1986", "sex"').encode() + b"\n"),
        "cut-short": packed(f"{line()}\n{line(sourceRecordId='77001-5')}".encode()[:-9]),
        "last-line-without-end": packed(line().encode()),
        "no-utf-8": packed(line().encode().replace(b"MARIA", b"MAR\xcdA") + b"\n" + line().encode() + b"\n"),
        "line-too-long": load(line({"links": ["x" * 2**20]}), line()),
        "blank-lines-and-crlf": packed(f"\r\n{line()}\r\n\r\n".encode()),
        "no-object": load("[]", "null", line()),
        "blank": packed(b"\n"),
        "members": load(line()) + load(line(sourceRecordId="77001-6")),
        "packed-bytes-cut-short": load(*(line(sourceRecordId=f"77001-{at}") for at in range(3)))[:-10],
        "not-packed": f"{line()}\n".encode(),
    }
    return {f"{name}/input.gz": data for name, data in cases.items()}
