"""FDNS-DS: fraud leads and statements of findings, to statuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from adapters.converters import choice, code, day, flag, instant, text, whole, whole_day
from adapters.core import Feed, Filtered, System
from adapters.fields import Fields
from adapters.formats.json_page import JsonPage
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.rest_poll import CursorPages, RestPoll
from schemas.events import Handling, Status
from schemas.identifiers import Identifier, InvalidIdentifier, Scheme, Spelling
from schemas.moments import Moment

LONGEST_REASON = 200
KIND = choice("LEAD", "CASE")
FINDING = code({"FRAUD FOUND": "found", "FRAUD NOT FOUND": "not-found", "INCONCLUSIVE": "inconclusive"})
PERSON = Person(
    "familyName", ("givenNames",), "dateOfBirth", "sex", "citizenship", (Number(Scheme.A_NUMBER, "aNumber"),)
)
_NUMBER = re.compile(r"[LC][0-9]{9}")


def number(item: Fields) -> str:
    """The number of the lead or case. Raises ValueError."""
    result = item.need("recordNumber", text)
    if not _NUMBER.fullmatch(result):
        raise ValueError("recordNumber is not L or C and 9 digits")
    return result


def receipts(item: Fields) -> Iterator[Spelling]:
    """The receipts in question; one that is none costs itself."""
    try:
        said = item.get("receipts")
    except ValueError as error:
        item.lose("receipts", str(error))
        return
    for each in said if isinstance(said, list) else [said]:
        try:
            if each is not None and each != "":
                yield Identifier.spelled(Scheme.RECEIPT, text(each, "receipts"))
        except ValueError as error:
            reason = error.without_value() if isinstance(error, InvalidIdentifier) else "is no text"
            item.lose("receipts", f"receipts: {reason}")


def source(value: Any, what: str) -> str:
    """Who referred it, as a reason. Raises ValueError."""
    result = " ".join(text(value, what).split())
    if not result or len(result) > LONGEST_REASON:
        raise ValueError(f"{what} is blank or has more than {LONGEST_REASON} characters")
    return result


def says(item: Fields) -> Iterable[Says] | Filtered:
    """The lead, or what the case found. Raises ValueError."""
    who = {"subject": PERSON.of(item, list(receipts(item)))}
    opened, closed = item.need("openedAt", instant), item.optional("closedAt", instant, event=True)
    if item.need("kind", KIND) == "CASE":
        finding = item.present("finding", FINDING)
        if finding is None:
            return Filtered("no-finding")
        on = whole_day(item.need("findingDate", day), "America/New_York")
        return [Says(Status, who | {"occurred_at": on, "fact": "fraud_finding", "reason": finding})]
    lead = {
        "occurred_at": Moment.instant(opened),
        "fact": "lead_opened",
        "reason": item.optional("referralSource", source),
    }
    results = [Says(Status, who | lead, part="opened")]
    if closed is not None:
        results.append(
            Says(Status, who | {"occurred_at": Moment.instant(closed), "fact": "lead_closed"}, part="closed")
        )
    return results


def is_taken_back(item: Fields) -> bool:
    """Whether the record was entered by mistake, or the statement was withdrawn. Raises ValueError."""
    return item.present("deleted", flag) is True or item.present("findingWithdrawn", flag) is True


def taken_back(item: Fields) -> Iterator[Says]:
    """Of a case that has no finding any more, what takes back the one that it had. Raises ValueError."""
    if item.need("version", whole) > 1:
        who = PERSON.of(item, list(receipts(item)))
        at = Moment.instant(item.need("modifiedAt", instant))
        yield Says(Status, {"subject": who, "occurred_at": at, "fact": "fraud_finding"})


MAPPING = Mapper(
    key=number,
    version=lambda record: whole(record.fields.get("version"), "version"),
    recorded=lambda item: item.need("modifiedAt", instant),
    retracted=lambda item: is_taken_back(item),
    handling=lambda item: [Handling.PROTECTED] if item.present("protected", flag) else [],
    says=says,
    taken_back=taken_back,
)
POLL = RestPoll(
    path="/v1/records",
    pages=CursorPages(member="nextCursor"),
    since="modifiedSince",
    changed="modifiedAt",
    ordered=True,
    token="/oauth/token",  # noqa: S106 - where tokens are given
)
ADAPTER = System(
    "FDNS",
    title="FDNS-DS, fraud leads and findings",
    owner="USCIS",
    number=23,
    emits=("status",),
    covers=(),
    facts=("fraud_finding", "lead_closed", "lead_opened"),
    identifiers=("a_number", "receipt"),
    mapping_version=1,
    feeds=(Feed("records", POLL, MAPPING, JsonPage()),),
)
