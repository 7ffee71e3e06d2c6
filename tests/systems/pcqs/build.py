"""Answers of PCQS, built from plain words."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

SPACE = "urn:visabus:pcqs:1"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
ALIEN = "A099000117"
FILED = {
    "Receipt": "EAC9909900117",
    "FormType": "I-539",
    "Action": "FILED",
    "ActionDate": "2025-11-03",
    "RequestedClass": "F-1",
}
APPROVED = FILED | {"Action": "APPROVED", "ActionDate": "2026-01-20", "GrantedClass": "F-1", "GrantedUntil": "D/S"}
COURT = {"ProceedingReceivedDate": "2025-12-01", "CustodyStatus": "NEVER DETAINED"}
FILE = {"DateFileOpened": "2020-05-04", "FileControlOffice": "NRC"}


def record(values: dict[str, str | None], key: str = "7000117", **head: str) -> str:
    """A record of a source."""
    said = "".join(f" {name}={quoteattr(value)}" for name, value in ({"recordId": key} | head).items())
    parts = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items() if value is not None)
    return f"<Record{said}>{parts}</Record>"


def source(name: str, status: str = "FOUND", *records: str, **head: Any) -> str:
    """What one source answers, in one line."""
    known = {"person": ALIEN, "source": name, "status": status, "answeredAt": "2026-03-02T15:10:14Z"} | head
    said = "".join(f" {key}={quoteattr(value)}" for key, value in known.items() if value is not None)
    return f"<SourceAnswer{said}>{''.join(records)}</SourceAnswer>"


def answer(*sources: str, person: str = ALIEN) -> bytes:
    """What stands in the body of an envelope."""
    lines = "".join(f"  {each}\n" for each in sources)
    return f'<QueryPersonResponse xmlns="{SPACE}" person="{person}">\n{lines}</QueryPersonResponse>\n'.encode()


def court(**values: str) -> str:
    """The immigration court's answer."""
    return source("DOJ-EOIR", "FOUND", record(COURT | values, "12345678"))


LATER = {"answeredAt": "2026-03-04T09:00:00Z"}
BENEFITS = source("CLAIMS3", "FOUND", record(FILED), record(APPROVED, "7000118"))


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    whole = answer(
        source("CIS2", "FOUND", record(FILE, "099000117")),
        BENEFITS,
        source("ELIS", "NONE", message="No records were found for this person."),
        court(),
    )
    silent = [source("CLAIMS3", status, **LATER) for status in ("UNAVAILABLE", "NOT_ASKED", "NONE")]
    every = {
        "four-sources": b'<s:Envelope xmlns:s="%s"><s:Body>%s</s:Body></s:Envelope>' % (SOAP_12.encode(), whole),
        "unavailable-is-not-none": answer(BENEFITS, *silent),
        "none-takes-back": answer(source("ELIS", "FOUND", record(FILED)), source("ELIS", "NONE", **LATER)),
        "by-receipt": answer(source("CLAIMS3", "FOUND", record(FILED), person="EAC9909900117"), person="EAC9909900117"),
        "by-sevis-id": answer(source("CIS2", "FOUND", record(FILE), person="N0099000117"), person="N0099000117"),
        "decisions": answer(
            *(
                source(
                    "DOJ-EOIR",
                    "FOUND",
                    record(COURT | {"IJDecision": each, "IJDecisionDate": "2026-02-01"}, str(number)),
                )
                for number, each in enumerate(
                    ("REMOVE", "VOLUNTARY DEPARTURE", "RELIEF GRANTED", "TERMINATED", "ADMINISTRATIVE CLOSURE"), 100
                )
            ),
            court(IJDecision="REMOVE"),
            court(IJDecision="REMOVE", IJDecisionDate="soon"),
            court(IJDecisionDate="2026-02-01"),
        ),
        "forms-and-actions": answer(
            source("ELIS", "FOUND", record(FILED | {"FormType": "I539", "RequestedClass": None})),
            source("ELIS", "FOUND", record(FILED | {"FormType": "I-485", "Action": "DENIED", "GrantedClass": "IR1"})),
            source("ELIS", "FOUND", record(FILED | {"FormType": "I-765"})),
            source("ELIS", "FOUND", record(FILED | {"Action": "LOST"})),
            source("ELIS", "FOUND", record(FILED | {"ActionDate": None})),
            source("ELIS", "FOUND", record(FILED | {"Receipt": "12"})),
            source("ELIS", "FOUND", record(APPROVED | {"GrantedUntil": "2026-11-30", "GrantedClass": "B-2"})),
        ),
        "optional-values-that-are-wrong": answer(
            source(
                "CLAIMS3",
                "FOUND",
                record(APPROVED | {"RequestedClass": "f 1", "GrantedClass": "?", "GrantedUntil": "x"}),
            ),
            source("CIS2", "FOUND", record(FILE | {"FileControlOffice": "n/a"})),
            source("CIS2", "FOUND", record({"DateFileOpened": "05042020"})),
            court(ProceedingReceivedDate="2025-13-01"),
        ),
        "a-victims-record": answer(source("CLAIMS3", "FOUND", record(FILED, restricted="1367"), record(APPROVED, "8"))),
        "nothing-of-status": answer(source("CIS2", "FOUND", record({})), source("CIS2", "FOUND")),
        "other-source-and-person": answer(
            source("CPMS", "FOUND", record(FILE)), source("CIS2", "FOUND", record(FILE), person="somebody")
        ),
        "before-it-happened": answer(court(ProceedingReceivedDate="2026-05-01")),
        "not-by-the-schema": answer(
            source("CIS2", "MAYBE"),
            source("CIS2", "FOUND", record(FILE | {"Strange": "x"})),
            source("CIS2", "FOUND", answeredAt="now"),
            source("CIS2", "FOUND", "<Record/>"),
            court(),
        ),
        "padded": answer(
            source("CIS2", "FOUND", record({"DateFileOpened": " 2020-05-04 "}), answeredAt=" 2026-03-02T15:10:14Z ")
        ),
        "empty": answer(),
        "truncated": whole[:-100],
        "a-fault": b'<s:Envelope xmlns:s="%s"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value></s:Code></s:Fault>'
        b"</s:Body></s:Envelope>" % SOAP_12.encode(),
    }
    return {f"{name}/input.xml": data for name, data in every.items()}
