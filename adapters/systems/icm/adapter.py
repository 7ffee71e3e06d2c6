"""ICM: investigations, to a status of each person who is a subject of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from adapters.converters import choice, flag, instant, nationality, text, whole
from adapters.core import Feed, Filtered, System
from adapters.fields import Fields
from adapters.formats.json_page import JsonPage
from adapters.mapper import Mapper, Number, Person, Says
from adapters.transports.rest_poll import CursorPages, RestPoll
from schemas.events import Status
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment

LONGEST_REASON = 200
NUMBERS = (
    Number(Scheme.SUBJECT, "subject/subjectId", issued_by="EID", needed=True),
    Number(Scheme.A_NUMBER, "subject/aNumber"),
)
SUBJECT = Person(
    "subject/familyName",
    ("subject/givenNames",),
    "subject/dateOfBirth",
    "subject/sex",
    "subject/citizenship",
    NUMBERS,
)
ROLE = choice("SUBJECT", "WITNESS", "VICTIM")


def subject_of(item: Fields) -> Fields:
    """The subject of an item. Raises ValueError."""
    subject = item.group("subject")
    if subject is None:
        raise ValueError("subject is absent")
    return subject


def key(item: Fields) -> str:
    """The number of the case and of the subject. Raises ValueError."""
    case = Identifier.spelled(Scheme.CASE, item.need("caseNumber", text), "ICM")
    subject = Identifier.spelled(Scheme.SUBJECT, subject_of(item).need("subjectId", text), "EID")
    return f"{case['value']}/{subject['value']}"


def reason(value: Any, what: str) -> str:
    """A text that stands as a reason. Raises ValueError."""
    result = " ".join(text(value, what).split())
    if not result or len(result) > LONGEST_REASON:
        raise ValueError(f"{what} is blank or has more than {LONGEST_REASON} characters")
    return result


def is_subject_no_more(item: Fields) -> bool:
    """Whether an earlier version named a subject who is none any more. Raises ValueError."""
    subject = subject_of(item)
    return subject.need("role", ROLE) != "SUBJECT" and subject.optional("formerRole", ROLE) == "SUBJECT"


def is_citizen(subject: Fields) -> bool:
    """Whether it is a citizen of the United States."""
    try:
        return subject.present("citizenship", nationality) == "USA"
    except ValueError:
        return False


def says(item: Fields) -> Iterable[Says] | Filtered:
    """The investigation was opened and, where it was, closed. Raises ValueError."""
    subject = subject_of(item)
    if subject.present("type", choice("PERSON", "ORGANISATION")) == "ORGANISATION":
        return Filtered("organisations")
    if is_citizen(subject):
        return Filtered("citizens")
    if subject.need("role", ROLE) != "SUBJECT" and not is_subject_no_more(item):
        return Filtered("not-under-investigation")
    who = {"subject": SUBJECT.of(item)}
    opened = {"occurred_at": Moment.instant(item.need("openedAt", instant)), "fact": "investigation_opened"}
    results = [Says(Status, who | opened | {"reason": item.optional("category", reason)}, part="opened")]
    if item.need("status", choice("OPEN", "CLOSED")) == "CLOSED":
        closed = {"occurred_at": Moment.instant(item.need("closedAt", instant)), "fact": "investigation_closed"}
        results.append(Says(Status, who | closed | {"reason": item.optional("disposition", reason)}, part="closed"))
    return results


def taken_back(item: Fields) -> Iterator[Says]:
    """Of a citizen who was none in an earlier version, what takes back what that said: the number alone."""
    subject = subject_of(item)
    if item.need("version", whole) > 1 and subject.get("citizenship") == "USA":
        at = Moment.instant(item.need("openedAt", instant))
        who = Person(numbers=NUMBERS[:1]).of(item)
        yield Says(Status, {"subject": who, "occurred_at": at, "fact": "investigation_opened"}, part="opened")


MAPPING = Mapper(
    key=key,
    version=lambda record: whole(record.fields.get("version"), "version"),
    recorded=lambda item: item.need("modifiedAt", instant),
    retracted=lambda item: item.present("deleted", flag) is True or is_subject_no_more(item),
    says=says,
    taken_back=taken_back,
)
POLL = RestPoll(
    path="/v1/case-subjects",
    pages=CursorPages(member="nextCursor"),
    since="modifiedSince",
    changed="modifiedAt",
    ordered=True,
    token="/oauth/token",  # noqa: S106 - where tokens are given
)
ADAPTER = System(
    "ICM",
    title="ICM, investigations",
    owner="ICE",
    number=13,
    emits=("status",),
    covers=(),
    facts=("investigation_closed", "investigation_opened"),
    identifiers=("a_number", "subject"),
    mapping_version=1,
    feeds=(Feed("cases", POLL, MAPPING, JsonPage()),),
)
