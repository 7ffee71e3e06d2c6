"""ELIS: benefit applications filed online, in the shape of the public Case Status API, to extensions and statuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from adapters.converters import day, day_or_status, instant, text, whole, whole_day
from adapters.core import Closing, Feed, Filtered, Record, System
from adapters.fields import Fields
from adapters.formats.json_page import JsonPage
from adapters.mapper import Mapper, Says, Vouches
from adapters.systems.elis.case_status import DECISIONS, OFFICE, CaseStatus, meaning_of, office_day
from adapters.systems.elis.person import PERSON, documents, plain_class, receipt_of
from adapters.transports.rest_items import RestItems
from adapters.transports.rest_poll import CursorPages
from schemas.events import Extension, Handling, Status

ASKS = {"I-539": "extend", "I-129": "extend", "I-485": "adjust"}
RULES = {"I-589": "asylum-is-told-by-raps"} | dict.fromkeys(
    ("I-765", "I-131", "I-130", "I-140", "I-90", "I-751", "G-28", "I-912", "I-824", "I-907"), "moves-no-stay"
)
FORMS = {form.replace("-", ""): form for form in (*ASKS, *RULES, "N-400", "I-821")}


def case_of(answer: Fields) -> Fields:
    """The case in an answer. Raises ValueError."""
    body = answer.group("answer")
    if body is None or (case := body.group("case_status")) is None:
        raise ValueError("case_status is absent")
    return case


def details_of(answer: Fields) -> Fields:
    """The details in an answer, empty if there are none. Raises ValueError."""
    body = answer.group("answer")
    return (body.group("details") if body is not None else None) or Fields({}, answer.lost)


def says(answer: Fields) -> Iterable[Says] | Filtered:
    """The application was filed, and what was decided. Raises ValueError."""
    if answer["status"] != 200:
        raise ValueError(f"ELIS answered {answer['status']!r} for this receipt")
    case, details, listed = case_of(answer), details_of(answer), answer.group("listed")
    form = FORMS.get(re.sub(r"[^A-Z0-9]", "", case.need("formType", text).upper().removeprefix("FORM")))
    if form is None or form in RULES:
        return Filtered(RULES[form] if form is not None else "unknown-form")
    if listed is not None and receipt_of(listed) != receipt_of(case):
        raise ValueError("the answer is for another receipt than was asked for")
    known = CaseStatus.of(case)
    if form == "I-821" and known.action != "approved":
        return Filtered("tps-not-granted")
    filed = details.optional("receivedDate", day) or known.filed_on
    decided = None
    if known.action in DECISIONS:
        decided = details.optional("decisionDate", day) or known.decided_on
        if decided is None and listed is not None:
            decided = office_day(listed.need("changedAt", instant))
    if filed is None and decided is None and listed is not None and retracted(answer):
        filed = office_day(listed.need("changedAt", instant))
    if filed is None and decided is None:
        raise ValueError("nothing tells when the application was filed or decided")
    common: dict[str, Any] = {"subject": PERSON.of(answer, list(documents(details, known.action)))}
    if form in ASKS:
        common |= {"receipt": receipt_of(case), "form": form}
        return application(known.action, filed, decided, details, common)
    return status(form, known.action, filed, decided, details, common)


def application(
    action: str, filed: date | None, decided: date | None, details: Fields, common: dict[str, Any]
) -> Iterator[Says]:
    """What becomes of an application to stay longer, otherwise or for good. Raises ValueError."""
    asks, current = ASKS[common["form"]], details.optional("currentClass", plain_class)
    asked = details.optional("requestedClass", plain_class)
    common |= {
        "asks": "change_class" if asks == "extend" and asked not in (None, current) else asks,
        "filed_on": filed,
        "requested_class": asked,
        "requested_until": details.optional("requestedUntil", day_or_status),
    }
    if filed is not None:
        yield Says(Extension, common | {"occurred_at": whole_day(filed, OFFICE), "action": "filed"}, part="filed")
    if decided is None:
        return
    fields = common | {"occurred_at": whole_day(decided, OFFICE), "action": action}
    granted = details.optional("grantedClass", plain_class) if action == "approved" else None
    if action == "approved":
        fields |= {"granted_class": granted, "granted_until": details.optional("grantedUntil", day_or_status)}
        fields |= {"valid_from": details.optional("validFrom", day)}
    yield Says(Extension, fields, part="decision")
    if asks == "adjust" and action == "approved":
        resident = {"fact": "permanent_resident", "class_of_admission": granted}
        who = {"subject": fields["subject"], "occurred_at": fields["occurred_at"]}
        yield Says(Status, who | resident, part="status")


def status(
    form: str, action: str, filed: date | None, decided: date | None, details: Fields, common: dict[str, Any]
) -> Iterator[Says]:
    """What becomes of an application for naturalisation or for temporary protection. Raises ValueError."""
    if form == "N-400" and filed is not None:
        fields = {"occurred_at": whole_day(filed, OFFICE), "fact": "naturalisation_pending"}
        yield Says(Status, common | fields, part="filed")
    if decided is None or (form == "N-400" and action == "approved"):
        return
    fields = {"occurred_at": whole_day(decided, OFFICE)}
    if form == "I-821":
        fields |= {"fact": "tps", "until": details.optional("grantedUntil", day_or_status)}
    else:
        fields["fact"] = "naturalised" if action == "naturalised" else "naturalisation_denied"
    yield Says(Status, common | fields, part="decision")


def version(record: Record) -> int:
    """The number of the change; 0 of an answer without its entry. Raises ValueError."""
    listed = record.fields.get("listed")
    return whole(listed.get("changeNumber"), "changeNumber") if isinstance(listed, dict) else 0


def recorded(answer: Fields) -> datetime | None:
    """When the case changed, by the source's clock. Raises ValueError."""
    listed = answer.group("listed")
    return listed.need("changedAt", instant) if listed is not None else None


def retracted(answer: Fields) -> bool:
    """Whether the case was entered by mistake, or the filing was rejected. Raises ValueError."""
    if answer["status"] != 200:
        return False
    return details_of(answer).get("void") is True or meaning_of(case_of(answer)) == "rejected"


def handling(answer: Fields) -> Iterator[Handling]:
    """What the law makes confidential."""
    if "821" in case_of(answer).need("formType", text):
        yield Handling.TPS
    if details_of(answer).get("protected") is True:
        yield Handling.PROTECTED


def vouches(closing: Closing) -> Iterator[Vouches]:
    """Every case that changed up to the owner's clock was read."""
    said = Fields(closing.fields)
    since, through = said.need("since", instant), said.need("through", instant)
    record = f"coverage through {said['through']}"
    yield Vouches(record, int(through.timestamp()), "extension", since, through, through)


MAPPING = Mapper(
    key=lambda answer: receipt_of(answer.group("listed") or case_of(answer)),
    version=version,
    skips=lambda answer: "not-held" if answer["status"] in (404, 410) else None,
    recorded=recorded,
    retracted=retracted,
    handling=handling,
    says=says,
    vouches=vouches,
)
CASES = RestItems(
    path="/case-status",
    listing=JsonPage(items="receipts"),
    item="/case-status/{}",
    named="receiptNumber",
    since="changedSince",
    changed="changedAt",
    ordered=True,
    pages=CursorPages(member="nextCursor"),
    clock="asOf",
    begin="2012-05-01T00:00:00Z",
    token="/oauth/accesstoken",  # noqa: S106 - where tokens are given
    credentials_in="body",
    per_second=5.0,
    per_day=1_000,
    rest=300.0,
)
ADAPTER = System(
    "ELIS",
    title="ELIS, benefit applications filed online",
    owner="USCIS",
    number=20,
    emits=("extension", "status"),
    identifiers=("receipt", "a_number", "i94", "passport"),
    mapping_version=1,
    feeds=(Feed("cases", CASES, MAPPING, JsonPage(items="answers")),),
)
