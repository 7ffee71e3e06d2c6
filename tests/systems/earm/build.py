"""Answers of EARM, built from plain words."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

SPACE = "urn:visabus:earm:1"
SOAP_11, SOAP_12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
PERSON = {
    "familyName": "OKAFORIN",
    "givenName": "MILES TERENCE",
    "birthDate": "1988-04-12",
    "gender": "Male",
    "citizenshipCountry": "NIGERIA",
}
PASSPORT = {"number": "A09900117", "issuingCountry": "NIGERIA"}
STINT = {
    "stayBookIn": "2026-01-12T14:30:00",
    "bookIn": "2026-01-12T14:30:00",
    "bookOut": "2026-01-20T06:00:00",
    "facility": "KRNLACI",
    "releaseReason": "Transferred",
    "stayBookOut": "2026-02-11T05:10:00",
    "stayReleaseReason": "Removed",
    "departedDate": "2026-02-11",
    "departureCountry": "NIGERIA",
    "religion": "CATH",
}
SECOND = STINT | {"bookIn": "2026-01-20T09:00:00", "bookOut": "2026-02-11T05:10:00", "releaseReason": "Removed"}
REMOVED = "8-Excluded/Removed - Inadmissibility"


def attributes(values: dict[str, str]) -> str:
    """Attributes, with blanks before each."""
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if value is not None)


def element(name: str, values: dict[str, Any] | None, content: str = "") -> str:
    """An element, or nothing for what is absent."""
    return "" if values is None else f"<{name}{attributes(values)}>{content}</{name}>"


def case(
    key: str = "C0000000117",
    *,
    head: dict[str, Any] | None = None,
    person: dict[str, Any] | None = PERSON,
    documents: tuple[dict[str, Any], ...] = (PASSPORT,),
    category: str | None = "[8C] Excludable / Inadmissible - Administrative Final Order Issued",
    status: str = REMOVED,
    since: str | None = "2026-02-12",
    order: str | None = "YES",
    ordered: str | None = "2026-02-02",
    departure: dict[str, Any] | None = {"date": "2026-02-11", "port": "JFK", "country": "NIGERIA"},  # noqa: B006  # read only
    more: str = "",
    stints: tuple[dict[str, Any], ...] = (STINT, SECOND),
    risk: dict[str, str] | None = None,
) -> str:
    """A case, in one line."""
    known = {"caseId": key, "version": "3", "changedAt": "2026-02-12T08:15:00Z", "action": "C"}
    known |= {"aNumber": "099000117", "subjectId": "77001", "fin": "990001170"} | (head or {})
    columns = "".join(
        f"<Column name={quoteattr(name)}>{escape(value)}</Column>" for name, value in (risk or {}).items()
    )
    return element(
        "Case",
        known,
        element("Person", person)
        + "".join(element("TravelDocument", each) for each in documents)
        + (element("Category", {}, escape(category)) if category is not None else "")
        + element("Status", {"since": since}, escape(status))
        + (element("FinalOrder", {"ordered": ordered}, order) if order is not None else "")
        + element("Departure", departure)
        + more
        + "".join(element("Stint", each) for each in stints)
        + (f"<RiskAssessment>{columns}</RiskAssessment>" if columns else ""),
    )


def answer(*cases: str, more: str = ' asOf="2026-02-13T04:00:00Z"') -> bytes:
    """What stands in the body of an envelope."""
    lines = "".join(f"  {each}\n" for each in cases)
    return f'<GetCasesResponse xmlns="{SPACE}"{more}>\n{lines}</GetCasesResponse>\n'.encode()


def enveloped(body: bytes, space: str = SOAP_11) -> bytes:
    """An envelope."""
    return b'<s:Envelope xmlns:s="%s"><s:Body>%s</s:Body></s:Envelope>' % (space.encode(), body)


OPEN: dict[str, Any] = {"status": "ACTIVE", "since": None, "departure": None, "stints": ()}
QUIET: dict[str, Any] = OPEN | {"order": "NO", "ordered": None}


def closed() -> dict[str, bytes]:
    """How cases end."""
    labels = (
        "0-Withdrawal Permitted - I-275 Issued",
        "3-Voluntary Departure Confirmed",
        "5-Title 50 Expulsion",
        "6-Deported/Removed - Deportability",
        REMOVED,
        "8-Excluded/Deported/Removed",
        "9-VR Witnessed",
    )
    others = (
        "7-Died",
        "10-USC Prosecution Case Closed",
        "A-Proceedings Terminated",
        "B-Relief Granted",
        "E-Charging Document Canceled by ICE",
        "L-Legalization - Permanent Residence Granted",
        "Z-SAW - Permanent Residence Granted",
    )
    quiet = {"order": None, "stints": ()}
    return {
        "closed-by-a-departure": answer(
            *(case(f"C{number}", status=label, **quiet) for number, label in enumerate(labels, 1))
        ),
        "closed-without-a-departure": answer(
            *(
                case(f"C{number}", status=label, **(quiet | {"departure": None}))
                for number, label in enumerate(others, 1)
            ),
            case("C19", status="b - Relief Granted", **(quiet | {"departure": None})),
            case("C20", status=others[2], since=None, **(quiet | {"departure": None})),
        ),
        "a-close-code-that-is-none": answer(
            *(
                case(f"C{number}", status=label)
                for number, label in enumerate(("1-Something", "80-Other", "C-New", "- x"), 1)
            )
        ),
        "date-without-country-and-the-reverse": answer(
            case("C1", departure={"date": "2026-02-11"}, **quiet),
            case("C2", departure={"country": "MEXICO"}, **quiet),
            case("C3", departure={"country": "MEXICO"}, **(quiet | {"status": "ACTIVE"})),
            case("C4", departure=None, **quiet),
            case("C5", departure={"date": "2026-02-11"}, **(quiet | {"status": "ACTIVE"})),
            case("C6", departure={"date": "2026-02-11"}, **(quiet | {"status": others[1]})),
        ),
    }


def detained() -> dict[str, bytes]:
    """Stays of many stints."""
    earlier = {
        "stayBookIn": "2019-03-01",
        "bookIn": "2019-03-01",
        "stayBookOut": "2019-03-20T10:00:00",
        "stayReleaseReason": "ORDER OF RECOGNIZANCE",
        "departedDate": "2026-02-11",
    }
    held = {"stayBookIn": "2026-02-01T10:00:00", "bookIn": "2026-02-01T10:00:00", "stayBookOut": ""}
    ways = (
        "Paroled - Humanitarian",
        "paroled",
        "Order of supervision - No SLRRFF",
        "Bonded Out - IJ",
        "Relief Granted by IJ",
        "Processing Disposition Changed Locally",
        "Transferred",
        "U.S. Marshals or other agency (explain in Detention Comments)",
        "Escaped",
        "Died",
        "Voluntary departure",
    )
    return {
        "one-departure-of-many-stints": answer(
            case(stints=tuple(STINT | {"bookIn": f"2026-01-{day}"} for day in range(12, 30)))
        ),
        "departure-repeated-in-older-stays": answer(case(stints=(earlier, STINT, SECOND))),
        "departures-of-two-stays": answer(
            case(stints=(earlier | {"stayReleaseReason": "removed", "departedDate": "2019-03-22"}, STINT, SECOND)),
            case("C2", stints=(earlier | {"stayReleaseReason": "Removed"}, STINT)),
        ),
        "still-held": answer(
            case("C1", **(OPEN | {"stints": (held,), "order": None})),
            case("C2", **(OPEN | {"stints": (held | {"stayReleaseReason": "Removed", "departedDate": "2026-02-11"},)})),
        ),
        "ways-out": answer(
            *(
                case(
                    f"C{number}", **(QUIET | {"stints": (earlier | {"stayReleaseReason": way, "departedDate": None},)})
                )
                for number, way in enumerate(ways, 1)
            )
        ),
        "a-stay-without-its-begin": answer(
            case("C1", stints=(STINT | {"stayBookIn": "2026-13-01"}, STINT | {"stayBookOut": "soon"})),
        ),
    }


def odd() -> dict[str, bytes]:
    """What is rare and right, and what is wrong."""
    bond = "<DesignatedCountry>HONDURAS</DesignatedCountry>"
    bond += '<Bond amount="246900000" posted="2026-01-14"/><Bond amount="x"/>'
    whole = answer(case())
    return {
        "removed": enveloped(whole),
        "in-an-envelope-of-soap-1.2": enveloped(
            answer(case("C1", **(QUIET | {"order": "Y", "ordered": "2026-02-01"}))), SOAP_12
        ),
        "a-fault": enveloped(
            b"<s:Fault><faultcode>s:Server</faultcode><faultstring>EARM is being maintained</faultstring></s:Fault>"
        ),
        "an-order-is-no-departure": answer(
            case("C1", **OPEN),
            case("C2", **(OPEN | {"ordered": None})),
            case("C3", **(OPEN | {"category": "[8J] There is none"})),
            case("C4", **(OPEN | {"category": None})),
            case("C6", **(OPEN | {"category": "[16] Reinstated Final Order"})),
            case("C7", **(OPEN | {"category": "Final order"})),
            case("C5", **(OPEN | {"order": "perhaps"})),
        ),
        "designated-country-and-bonds": answer(case(more=bond)),
        "nothing-to-tell": answer(
            case("C1", head={"version": "1", "action": "N"}, **QUIET), case("C2", **(QUIET | {"order": None}))
        ),
        "risk-table": answer(
            *(
                case(f"C{number}", head={"aNumber": None, "subjectId": None}, risk=table, **OPEN)
                for number, table in enumerate(
                    (
                        {"RCA_AOR": "NYC", "SUBJ ID": "77001", "A Number": "A099000117"},
                        {"SUJB ID": "77001", "A_NUMBER": "99000117"},
                        {"SUBJ_ID": "77001", "Religion": "NTA"},
                    ),
                    1,
                )
            ),
            case("C9", risk={"A Number": "099000999", "SUBJ ID": "1"}, **OPEN),
        ),
        "numbers-and-person-that-are-wrong": answer(
            case(
                "C1",
                head={"aNumber": "12", "subjectId": "7/1!"},
                person=PERSON | {"gender": "M", "birthDate": "04/12/1988"},
                **OPEN,
            ),
            case("C2", person=PERSON | {"citizenshipCountry": "ATLANTIS", "gender": "Unknown"}, **OPEN),
            case("C3", person={"familyName": "SUPARMAN", "citizenshipCountry": "CHINA, PEOPLES REPUBLIC OF"}, **OPEN),
            case("C4", person=None, **OPEN),
            case("C5", documents=(PASSPORT | {"issuingCountry": "ATLANTIS"}, {"number": "A09900117"}, {}), **OPEN),
            case("C6", head={"fin": "x"}, documents=(PASSPORT | {"number": "?"}, PASSPORT), **OPEN),
        ),
        "nobody": answer(
            case("C1", head=dict.fromkeys(("aNumber", "subjectId", "fin")), person=None, documents=(), **OPEN)
        ),
        "versions-and-deletion": answer(
            case("C1", head={"version": "1", "action": "N"}, **OPEN),
            case("C1", head={"version": "4", "action": "D"}),
            case("C2", head={"version": "2", "action": "D"}, **OPEN),
        ),
        "before-it-happened": answer(
            case(departure={"date": "2026-05-01"}), case("C2", **(OPEN | {"ordered": "2026-03-01"}))
        ),
        "not-by-the-schema": answer(
            case("C1", head={"version": "0"}),
            case("C2", head={"action": "X"}),
            case("C3", head={"changedAt": "yesterday"}),
            case("C4", status=" "),
            case("C5").replace("<Status", "<Unknown/><Status"),
            case("C6", **OPEN).replace("<Case", '<Case strange="1"', 1),
            case("C7", **OPEN),
        ),
        "padded": answer(
            case(
                "C1",
                head={"version": " 3 ", "changedAt": " 2026-02-12T08:15:00Z ", "aNumber": " 099000117 "},
                since=" 2026-02-12 ",
                status=f"\n  {REMOVED}\n",
            )
        ),
        "more-pages-follow": answer(
            case("C1", **OPEN), more=' asOf="2026-02-13T04:00:00Z" nextPage="2026-02-12T08:15:00Z/C1"'
        ),
        "empty": answer(),
        "no-clock": answer(more=""),
        "truncated": whole[:-200],
        "other-root": whole.replace(b"GetCasesResponse", b"GetStintsResponse"),
        "document-type": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n' + whole,
    }


def inputs() -> dict[str, bytes]:
    """The inputs of the cases."""
    every = {**closed(), **detained(), **odd()}
    return {f"{name}/input.xml": data for name, data in every.items()}
