"""Messages of UPAX from plain words."""

from __future__ import annotations

import json
from datetime import datetime
from importlib.resources import files
from io import BytesIO
from typing import Any

from fastavro import writer
from formats.pnrgov.build import DOCS, HEAD, INFANT, LEG, LOG, OF_INFANT, TIF, UNH, interchange, reservation
from formats.pnrgov.build import message as edifact

from adapters.formats.avro import parsed

TRAVELER = {
    "familyName": "MARLOWE",
    "givenName": "IRENE ANNE",
    "birthDate": "1977-08-23",
    "sex": "F",
    "citizenship": "GBR",
}
PASSPORT = {"type": "P", "number": "099123456", "issuer": "GBR"}
VISA = {"type": "V", "number": "19801148", "issuer": "USA"}
TRAVEL = {
    "locator": "QX7RTA",
    "carrier": "XA",
    "flight": "XA123",
    "origin": "JFK",
    "destination": "YUL",
    "departsAt": "2026-03-01T19:00:00",
    "status": "BOOKED",
    "purchasedAt": "2026-02-20T10:00:00Z",
}
DEPARTURE = {
    "departedAt": "2026-01-11T21:40:00",
    "port": "BOS",
    "departedBy": "XA0088",
    "basis": "BOARDED",
    "system": "APIS",
    "record": "XA0088 20260111 BOS ABO/4711",
}
VETTING = {"result": "PRIORITY", "rank": 2, "decidedAt": "2026-02-15T16:20:00Z", "list": "ADIS-2026-02"}
ABSENT: Any = object()
"""In place of a member that the message does not have."""


def message(**members: Any) -> dict[str, Any]:
    """The usual travel record but for these members."""
    whole: dict[str, Any] = {
        "recordId": "UPX0000000117",
        "version": 1,
        "action": "UPSERT",
        "kind": "TRAVEL",
        "updatedAt": "2026-02-28T14:12:00Z",
        "traveler": TRAVELER,
        "documents": [PASSPORT],
        "travel": TRAVEL,
    } | members
    return {name: value for name, value in whole.items() if value is not ABSENT}


def vetting(of: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """The usual vetting but for these members of it, and of the message."""
    whole = {"recordId": "UPX0000000200", "kind": "VETTING", "travel": ABSENT, "vetting": VETTING | (of or {})}
    return message(**whole | members)


def travel(**members: Any) -> dict[str, Any]:
    """The usual travel record with other members of its flight."""
    return message(travel={name: value for name, value in (TRAVEL | members).items() if value is not ABSENT})


UNMATCHED = {"result": "UNMATCHED_DEPARTURE_FOUND", "rank": None, "departure": DEPARTURE}


def file(*messages: dict[str, Any]) -> bytes:
    """A file of these messages, a line each."""
    return b"".join(json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in messages)


def inputs() -> dict[str, bytes]:
    """The input of each case, by its path."""
    without_departure = {name: value for name, value in UNMATCHED.items() if name != "departure"}
    cases = {
        "booked": file(message(documents=[PASSPORT, VISA], estaNumber="2026030112345678")),
        "cancelled": file(message(), travel(status="CANCELLED") | {"version": 2}),
        "deleted": file(message(), message(version=3, action="DELETE")),
        "waitlisted": file(message(), travel(status="WAITLISTED") | {"version": 2}),
        "inbound-domestic-foreign": file(
            travel(origin="LHR", destination="JFK"),
            travel(destination="SFO"),
            travel(origin="LHR", destination="YUL"),
        ),
        "airport-of-no-table": file(travel(origin="QQQ"), travel(destination="QQQ")),
        "priority": file(vetting()),
        "priority-without-rank": file(vetting({"rank": None}), vetting({"rank": 12}), vetting({"rank": "first"})),
        "unmatched-departure-found": file(vetting(UNMATCHED)),
        "departure-that-is-not-told": file(vetting(without_departure)),
        "departure-by-a-reservation-stays-a-booking": file(
            vetting(UNMATCHED | {"departure": DEPARTURE | {"basis": "RESERVATION", "system": None, "departedBy": "?"}})
        ),
        "departure-with-an-offset": file(
            vetting(UNMATCHED | {"departure": DEPARTURE | {"departedAt": "2026-01-12T02:40:00Z", "basis": "MANIFEST"}})
        ),
        "departure-from-no-airport-of-ours": file(vetting(UNMATCHED | {"departure": DEPARTURE | {"port": "LHR"}})),
        "departure-by-a-basis-of-no-table": file(vetting(UNMATCHED | {"departure": DEPARTURE | {"basis": "RUMOUR"}})),
        "result-of-another-word": file(vetting({"result": "NO_MATCH", "rank": None})),
        "correction": file(message(), message(version=2, traveler=TRAVELER | {"givenName": "IRENE"})),
        "identifiers-alone": file(message(traveler=None, estaNumber="2026030112345678")),
        "nobody": file(message(traveler=None, documents=[], travel=TRAVEL | {"locator": None})),
        "optional-values-that-are-wrong": file(
            message(
                traveler=TRAVELER | {"birthDate": "23.08.1977", "sex": "W", "citizenship": "QQQ"},
                documents=[
                    PASSPORT | {"issuer": "ZZZ"},
                    PASSPORT | {"number": "?"},
                    VISA | {"number": "1"},
                    PASSPORT | {"number": 99},
                    {"type": "I", "number": "ABC"},
                ],
                estaNumber="12",
                travel=TRAVEL | {"locator": "Q-7"},
            ),
            message(documents="099123456"),
        ),
        "mandatory-values-that-are-wrong": file(
            message(recordId=" "),
            message(version="1"),
            message(version=0),
            message(action="INSERT"),
            message(kind="OTHER"),
            message(updatedAt="2026-02-28T14:12:00"),
            message(travel=None),
            travel(departsAt="01.03.2026"),
            travel(flight="?"),
            travel(status="MAYBE"),
            vetting({"result": "?"}),
            vetting({"decidedAt": None}),
        ),
        "booked-years-ahead": file(travel(departsAt="2028-03-01T19:00:00")),
        "no-messages": b'[]\n{"recordId": "x"\n\n\xff\n' + file(message()),
        "whole-message-of-several-lines": json.dumps(message(), indent=2).encode(),
    }
    results = {f"{name}/input.jsonl": data for name, data in cases.items()}
    stream = BytesIO()
    schema = parsed(json.loads(files("adapters.systems.ats").joinpath("upax.avsc").read_text()))
    messages = (message(), vetting(UNMATCHED))
    writer(stream, schema, [as_avro(each) for each in messages], metadata={}, sync_marker=b"visabus sync 117")
    results |= {"by-avro/input.avro": stream.getvalue(), "by-avro/feed": b"upax-avro\n"}
    for name, data in reservations().items():
        results |= {f"reservation-{name}/input.edi": data, f"reservation-{name}/feed": b"reservations\n"}
    return results


def reservations() -> dict[str, bytes]:
    """Files of reservations by the case."""
    usual, other = reservation(), reservation(src="SRC'RCI+XA:AB12CD+ZZ:EF34GH'")
    relayed = interchange(edifact(usual)).decode()
    return {
        "in-parts": interchange(edifact(usual, part="01:C", count=2), edifact(other, part="02:F", count=2)),
        "in-a-log-without-trailers": f"{LOG}{relayed.rpartition('UNZ')[0]}]\n\n{LOG}{relayed}]\n".encode(),
        "una-with-line-ends": interchange(edifact(usual), una="UNA:+.?*'\r\n"),
        "agency-xs-without-day-of-arrival": interchange(
            edifact(
                usual,
                unh=UNH.replace("13:1:IA", "13:1:XS"),
                head=HEAD.replace("010326:1900:010326:2235", "010326:1900:2235"),
            )
        ),
        "date-read-the-wrong-way": interchange(edifact(usual, head=HEAD.replace("010326", "260301"))),
        "infant-whose-document-stands-with-the-adult": interchange(edifact(reservation(TIF, OF_INFANT, DOCS, INFANT))),
        "seats-not-held": interchange(edifact(reservation(leg=LEG.replace("HK", "XX")))),
        "inbound": interchange(edifact(usual, head=HEAD.replace("JFK+YUL", "YUL+JFK"))),
        "cancelled-and-names-nobody": interchange(edifact("SRC'RCI+XA:QX7RTA'")),
        "cut-off": interchange(edifact(usual, other, count=2))[:-150],
    }


def as_avro(value: dict[str, Any]) -> dict[str, Any]:
    """A message as a writer by the schema has it: moments are moments."""
    whole: dict[str, Any] = json.loads(json.dumps(value))
    groups = [whole, whole.get("travel"), whole.get("vetting"), (whole.get("vetting") or {}).get("departure")]
    for group in filter(None, groups):
        for name in ("updatedAt", "departsAt", "decidedAt", "departedAt"):
            if name in group:
                group[name] = datetime.fromisoformat(group[name])
    return whole
