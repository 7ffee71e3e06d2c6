"""PCQS: what other systems answer about a person to extensions and status events that name whose record they repeat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from lxml import etree

from adapters.converters import code, day_or_status, instant, symbol, whole_day
from adapters.converters import xml_day as day
from adapters.core import Feed, Filtered, Read, Record, System
from adapters.elements import word
from adapters.fields import Fields
from adapters.formats.xml_message import XmlMessageFormat
from adapters.mapper import Mapper, Says
from adapters.transports.soap_ask import SoapAsk
from schemas.confidential import mark_of_class, marks_of_forms
from schemas.events import Extension, Handling, Status, Subject
from schemas.identifiers import Identifier, InvalidIdentifier, Scheme, Spelling
from schemas.moments import Moment

HERE = Path(__file__).parent
SPACE = "{urn:visabus:pcqs:1}"
OFFICE = "America/New_York"
SOURCES = {"CIS2": "CIS", "CLAIMS3": "CLAIMS3", "ELIS": "ELIS", "DOJ-EOIR": "EOIR"}
"""Sources as PCQS names them, and as origins have them."""
BY = {Scheme.A_NUMBER.value: "ANumber", Scheme.RECEIPT.value: "ReceiptNumber", Scheme.SEVIS.value: "SevisId"}
SAYS_NOTHING = {"UNAVAILABLE": "unavailable", "NOT_ASKED": "not-asked"}
FORMS = {"I539": "extend", "I129": "extend", "I485": "adjust"}
ACTION = code({action: action.lower() for action in ("FILED", "APPROVED", "DENIED", "WITHDRAWN", "APPEALED")})
DECISION = code(
    {
        "REMOVE": ("removal_order", None),
        "VOLUNTARY DEPARTURE": ("proceedings_ended", "voluntary-departure"),  # up to which day is not said
        "RELIEF GRANTED": ("relief_granted", None),
        "TERMINATED": ("proceedings_ended", None),
    }
)


def whole(reads: Sequence[Read]) -> bool:
    """Whether every source that was asked has answered."""
    records = [read for read in reads if isinstance(read, Record)]
    return all(read.fields.get("@status") != "UNAVAILABLE" for read in records)


def key(answer: Fields) -> str:
    """Person and source. Raises ValueError."""
    return f"{answer['@person']}/{answer['@source']}"


def asked_about(text: str) -> Spelling:
    """The number that was asked by. Raises ValueError."""
    for scheme in BY:
        try:
            return Identifier.spelled(Scheme(scheme), text)
        except InvalidIdentifier:
            continue
    raise ValueError("@person is no A-number, receipt or SEVIS ID")


def who(answer: Fields) -> Subject:
    """The person: the number that was asked by, and the receipts that the source has. Raises ValueError."""
    identifiers = [asked_about(str(answer["@person"]))]
    for record in answer.groups("Record"):
        identifiers += record.several(
            "Receipt", [word(record, "Receipt")], lambda value, _: Identifier.spelled(Scheme.RECEIPT, value)
        )
    return Subject.model_validate({"identifiers": list({each["value"]: each for each in identifiers}.values())})


def optional(record: Fields, name: str, convert: Any) -> Any:
    """An optional value; one that is wrong costs itself."""
    return next(iter(record.several(name, [word(record, name)], convert)), None)


def plain(value: str, what: str) -> str:
    """A class without its hyphen. Raises ValueError."""
    return symbol(value.replace("-", ""), what)


def benefit(record: Fields) -> dict[str, Any] | None:
    """The step of an application; None for a form that asks for no stay. Raises ValueError."""
    form, receipt = word(record, "FormType").replace("-", ""), word(record, "Receipt")
    if not receipt and not form:
        return None
    if form not in FORMS:
        return None
    requested = optional(record, "RequestedClass", plain)
    approved = ACTION(word(record, "Action"), "Action") == "approved"
    return {
        "receipt": Identifier.spelled(Scheme.RECEIPT, receipt)["value"],
        "form": f"{form[0]}-{form[1:]}",
        "asks": "change_class" if requested and FORMS[form] == "extend" else FORMS[form],
        "action": ACTION(word(record, "Action"), "Action"),
        "requested_class": requested,
        "granted_class": optional(record, "GrantedClass", plain) if approved else None,
        "granted_until": optional(record, "GrantedUntil", day_or_status) if approved else None,
    }


def proceedings(record: Fields) -> Iterator[tuple[str, date, str | None]]:
    """Facts of the immigration court, each with its day."""
    received = optional(record, "ProceedingReceivedDate", day)
    if received is not None:
        yield "proceedings_started", received, None
    decision = optional(record, "IJDecision", lambda value, what: DECISION(value.upper(), what))
    decided = optional(record, "IJDecisionDate", day)
    if decision is not None and decided is None:
        record.lose("IJDecision", "IJDecision: a decision without its day")
    elif decision is not None:
        yield decision[0], decided, decision[1]


def files(record: Fields) -> Iterator[tuple[str, date, str | None]]:
    """That a file was opened, and where it is."""
    opened = optional(record, "DateFileOpened", day)
    if opened is not None:
        yield "file_opened", opened, optional(record, "FileControlOffice", symbol)


def says(answer: Fields) -> Iterable[Says] | Filtered:
    """All that the source says. Raises ValueError, also where all that it would say is wrong."""
    status, source = str(answer["@status"]), str(answer["@source"])
    if source not in SOURCES:
        return Filtered("other-source")
    if status in SAYS_NOTHING:
        return Filtered(SAYS_NOTHING[status])
    subject = who(answer)
    lost = len(answer.lost)
    if status == "NONE":  # takes back whatever stood under this key
        at: datetime = answer.need("@answeredAt", instant)
        return [Says(Status, _when(Moment.instant(at, OFFICE).local_day(), subject) | {"fact": "status_queried"})]
    events: list[Says] = []
    for number, record in enumerate(answer.groups("Record"), 1):
        origin = {"origin": {"system": SOURCES[source], "record": str(record["@recordId"])}}
        step = benefit(record)
        if step is not None:
            happened = day(word(record, "ActionDate"), "ActionDate")
            events.append(Says(Extension, _when(happened, subject) | step | origin, f"{number} benefit"))
        for fact, on, reason in (*proceedings(record), *files(record)):
            fields = _when(on, subject) | {"fact": fact, "reason": reason} | origin
            events.append(Says(Status, fields, f"{number} {fact}"))
    if not events and len(answer.lost) > lost:
        raise ValueError(answer.lost[-1].reason)
    return events or Filtered("nothing-of-status")


def _when(on: date, subject: Subject) -> dict[str, Any]:
    return {"occurred_at": whole_day(on, OFFICE), "subject": subject}


def handling(answer: Fields) -> Iterator[Handling]:
    """A record of a victim, of asylum or of TPS makes the whole answer confidential, by its form and class too."""
    for record in answer.groups("Record"):
        if record.text("@restricted") == "1367":
            yield Handling.PROTECTED
        yield from marks_of_forms(word(record, "FormType"))
        classes = (mark_of_class(word(record, name)) for name in ("RequestedClass", "GrantedClass"))
        yield from filter(None, classes)


MAPPING = Mapper(
    key=key,
    version=lambda record: int(instant(record.fields["@answeredAt"], "@answeredAt").timestamp() * 1_000_000),
    recorded=lambda answer: answer.need("@answeredAt", instant),
    retracted=lambda answer: answer["@status"] == "NONE",
    says=says,
    handling=handling,
)
ASK = SoapAsk(
    wsdl=HERE / "service.wsdl",
    operation="QueryPerson",
    answer=f"{SPACE}QueryPersonResponse",
    by=BY,
    echo="person",
    whole=whole,
    values={"Source": list(SOURCES)},
)
FORMAT = XmlMessageFormat(
    etree.XMLSchema(etree.parse(HERE / "persons.xsd")),
    f"{SPACE}QueryPersonResponse",
    f"{SPACE}SourceAnswer",
    named=MAPPING.key_of,
    longest=ASK.limit,
    attributes=True,
)
ADAPTER = System(
    "PCQS",
    title="PCQS, federated answers about a person",
    owner="USCIS",
    number=21,
    emits=("extension", "status"),
    covers=(),
    facts=(
        "file_opened",
        "proceedings_ended",
        "proceedings_started",
        "relief_granted",
        "removal_order",
        "status_queried",
    ),
    identifiers=("a_number", "receipt", "sevis"),
    mapping_version=1,
    feeds=(Feed("persons", ASK, MAPPING, FORMAT),),
)
