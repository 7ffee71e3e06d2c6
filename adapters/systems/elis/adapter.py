"""ELIS: benefit applications filed online, in the shape of the public Case Status API, to extensions and statuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from adapters import petitions
from adapters.converters import day, flag, instant, text, whole, whole_day
from adapters.core import Feed, Filtered, Record, System
from adapters.fields import Fields
from adapters.formats.json_page import JsonPage
from adapters.mapper import Mapper, Says, vouching
from adapters.systems.elis.applications import application, status
from adapters.systems.elis.case_status import DECISIONS, OFFICE, CaseStatus, meaning_of, office_day
from adapters.systems.elis.person import PERSON, documents, receipt_of
from adapters.transports.rest_items import RestItems
from adapters.transports.rest_poll import CursorPages
from schemas.confidential import marks_of_forms
from schemas.events import Handling, Status

RULES = {"I-589": "asylum-is-told-by-raps"} | dict.fromkeys(
    ("I-765", "I-131", "I-130", "I-140", "I-90", "I-751", "G-28", "I-912", "I-824", "I-907"), "moves-no-stay"
)
FORMS = {form.replace("-", ""): form for form in (*petitions.FORMS, *RULES, "N-400", "I-821")}
DAYS = ("receivedDate", "decisionDate", "submittedDate", "modifiedDate", "date")
_FORM = re.compile(r"(?:FORM\s*)?([A-Z]{1,2})[-\s]?([0-9]{2,4}[A-Z]{0,2})(?![A-Z0-9])")


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


def form_of(case: Fields) -> str | None:
    """The form by its canonical name, whatever stands behind its number; None if it is unknown. Raises ValueError."""
    match = _FORM.match(case.need("formType", text).upper().strip())
    return FORMS.get("".join(match.groups())) if match is not None else None


def says(answer: Fields) -> Iterable[Says] | Filtered:
    """The application was filed, and what was decided. Raises ValueError."""
    if answer["status"] != 200:
        raise ValueError(f"ELIS answered {answer['status']!r} for this receipt")
    case, details, listed = case_of(answer), details_of(answer), answer.group("listed")
    form = form_of(case)
    if form is None or form in RULES:
        return Filtered(RULES[form] if form is not None else "unknown-form")
    if (rule := petitions.consular(details, form, "requestedAction")) is not None:
        return Filtered(rule)
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
        if wrong := next((lost for lost in answer.lost if lost.name in DAYS), None):
            raise ValueError(wrong.reason)
        return Filtered("no-day")
    common: dict[str, Any] = {"subject": PERSON.of(answer, list(documents(details, known.action)))}
    if form in petitions.FORMS:
        common |= {"receipt": receipt_of(case), "form": form}
        return application(known.action, filed, decided, details, common)
    return status(form, known.action, filed, decided, details, common)


def taken_back(answer: Fields) -> Iterator[Says]:
    """Of protection that is not granted any more, what takes back that it was. Raises ValueError."""
    listed = answer.group("listed")
    if answer["status"] != 200 or listed is None or listed.need("changeNumber", whole) == 1:
        return
    if form_of(case_of(answer)) == "I-821":
        on = whole_day(office_day(listed.need("changedAt", instant)), OFFICE)
        yield Says(Status, {"subject": PERSON.of(answer), "occurred_at": on, "fact": "tps"}, part="decision")


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
    return details_of(answer).present("void", flag) is True or meaning_of(case_of(answer)) == "rejected"


def handling(answer: Fields) -> Iterator[Handling]:
    """What the law makes confidential."""
    yield from marks_of_forms(case_of(answer).text("formType"))
    if details_of(answer).present("protected", flag):
        yield Handling.PROTECTED


MAPPING = Mapper(
    key=lambda answer: receipt_of(answer.group("listed") or case_of(answer)),
    version=version,
    skips=lambda answer: "not-held" if answer["status"] in (404, 410) else None,
    recorded=recorded,
    retracted=retracted,
    handling=handling,
    says=says,
    taken_back=taken_back,
    vouches=vouching("extension"),
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
    covers=("extension",),
    facts=("naturalisation_denied", "naturalisation_pending", "naturalised", "permanent_resident", "tps"),
    identifiers=("receipt", "a_number", "i94", "passport"),
    mapping_version=1,
    feeds=(Feed("cases", CASES, MAPPING, JsonPage(items="answers")),),
)
