"""The public documents of the SEVIS batch interface to facts, once the transaction log says that a request was applied.

A request tells no day from which it holds, but for employment and the end of an exchange visitor's program: SEVIS
applies it when it processes it, so that day counts. Codes of terminations have the meanings that NIEM's immigration
domain publishes (`StudentTerminationCodeSimpleType`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from importlib.resources import files
from typing import Any

from adapters import niem
from adapters.converters import code, country, instant_at, whole_day
from adapters.converters import xml_day as day
from adapters.core import Feed, Record
from adapters.fields import Fields
from adapters.mapper import Mapper, Person, Says
from adapters.systems.sevis.exchange import LOG, Exchange
from adapters.transports.file_drop import FileDrop
from schemas.country_codes import ICAO, SEVIS
from schemas.events import Status
from schemas.identifiers import Identifier, Scheme, Spelling
from schemas.moments import Moment

CODES: dict[str, Any] = tomllib.loads(files("adapters.systems.sevis").joinpath("public.toml").read_text())
REQUESTS: dict[str, dict[str, str]] = CODES["requests"]
NOTHING: frozenset[str] = frozenset(CODES["no_status"])
OFFICE = "America/New_York"
MOMENT = instant_at(OFFICE)
STUDENT_CLASS, DEPENDENT_CLASS = code(CODES["student_classes"]), code(CODES["dependent_classes"])
STUDENT_END, VISITOR_END = code(CODES["student_terminations"]), code(CODES["visitor_terminations"])
APPLIED = frozenset({"1", "true"})
PRODUCTION = "PROD"
UPDATES = {"UpdateStudent": "Student", "UpdateEV": "ExchangeVisitor"}
ABOUT_ALL = frozenset({"@element", "@batch", "@log", "@sevisID", "@requestID", "@userID", "@statusCode"})
"""Fields of an update that are not what it asks for; neither are two that its sender may use."""
ABOUT_SENDER = frozenset({"UserDefinedA", "UserDefinedB"})


def person(group: str) -> Person:
    """Whom a document describes, by the group that holds the names."""
    under = f"{group}/" if group else ""
    return Person(
        f"{under}FullName/LastName",
        (f"{under}FullName/FirstName", f"{under}FullName/Suffix"),
        f"{under}BirthDate",
        f"{under}Gender",
        f"{under}CitizenshipCountryCode",
        birth_as=niem.birth,
        citizenship_as=country(SEVIS, ICAO),
    )


STUDENT, VISITOR, DEPENDENT = person("PersonalInfo"), person("Biographical"), person("")
BY_ELEMENT = {"CreateStudent": STUDENT, "CreateEV": VISITOR, "CreateDependent": DEPENDENT}


def log(said: Fields) -> Fields:
    """What the log says of a request. Raises ValueError if there is none."""
    group = said.group("@log")
    if group is None:
        raise ValueError("no transaction log")
    return group


def processed(said: Fields) -> datetime:
    """When SEVIS processed the request. Raises ValueError."""
    return log(said).need("ProcessDate", MOMENT)


def applied_on(said: Fields) -> date:
    """The agency's day on which it did. Raises ValueError."""
    return Moment.instant(processed(said), OFFICE).local_day()


def asked(said: Fields) -> tuple[str, str, Fields]:
    """What an update asks for: the element, what is done with it (empty where nothing is chosen), and the content.

    Raises ValueError.
    """
    names = [name for name in said if name not in ABOUT_ALL | ABOUT_SENDER and not name.endswith("*")]
    if len(names) != 1:
        raise ValueError(f"{len(names)} requests in one, where there is exactly one")
    (name,) = names
    content = said.group(name) or Fields({}, said.lost)
    if name in REQUESTS or name in NOTHING:
        return name, "", content
    for choice in content:
        if f"{name}/{choice}" in REQUESTS or f"{name}/{choice}" in NOTHING:
            return name, choice, content.group(choice) or Fields({}, said.lost)
    raise ValueError(f"a request {name[:40]!r} that is not known")


def creates(said: Fields) -> bool:
    """Whether a record is that of somebody who is created."""
    return said["@element"] not in UPDATES


def sevis_id(said: Fields) -> str:
    """Whose record it is: of somebody created, and of a dependent added, the log gives the ID. Raises ValueError."""
    if creates(said):
        value = log(said).text("@sevisID")
    else:
        name, choice, content = asked(said)
        if name == "Dependent" and choice == "Add":
            value = _added(said)
        else:
            value = content.text("@dependentSevisID") if name == "Dependent" else said.text("@sevisID")
    return str(Identifier.spelled(Scheme.SEVIS, value or "")["value"])


def _added(said: Fields) -> str | None:
    """The ID of a dependent who is added: the log has it below that of the principal. Raises ValueError."""
    result = log(said)
    value = result.text("@dependentSevisID") if "@dependentSevisID" in result else result.text("@sevisID")
    if value == said.text("@sevisID"):
        raise ValueError("the transaction log names no record of the dependent's own")
    return value


def key(said: Fields) -> str:
    """What a record stays under: a period under its days, so that it can be cancelled. Raises ValueError."""
    if said["@element"] == LOG:
        return f"log {said['@batch']}"
    if creates(said):
        return f"{sevis_id(said)}/created"
    name, choice, content = asked(said)
    meaning = REQUESTS.get(f"{name}/{choice}" if choice else name, {})
    if meaning.get("part") == "employment" or meaning.get("cancels"):
        days = (
            (content.need(each, day).isoformat() for each in ("StartDate", "EndDate")) if "StartDate" in content else ()
        )
        return "/".join((sevis_id(said), name, *days))
    if name == "EducationLevel":
        return f"{sevis_id(said)}/{name}"
    return f"{sevis_id(said)}/{said['@batch']}/{said.need('@requestID', _named)}"


def _named(value: Any, what: str) -> str:
    if not value:
        raise ValueError(f"{what} is blank")
    return str(value)


def version(record: Record) -> int:
    """When SEVIS processed the request, in milliseconds. Raises ValueError."""
    return int(processed(Fields(record.fields)).timestamp() * 1000)


def skips(said: Fields) -> str | None:
    """Requests without a log, of the test system, that wait, were refused, or change no status."""
    if said["@element"] == LOG:
        return "log-without-requests"
    result = said.group("@log")
    if result is None:
        return "no-log"
    if str(result.get("@system") or PRODUCTION).upper() != PRODUCTION:
        return "test-system"
    if result.get("upload") not in (None, "", "S0000"):
        return "not-applied"
    if result.get("process") == "S0030":
        return "not-processed"
    if result.get("process") not in ("S0000", "S0020"):
        return "not-applied"
    if "twice" in result:
        raise ValueError("the transaction log says two things of the request")
    if "status" not in result:
        raise ValueError("the transaction log does not name the request")
    if result["status"] not in APPLIED:
        return "not-applied"
    if creates(said):
        return None
    name, choice, _ = asked(said)
    if name != "Dependent" and result.get("@sevisID") not in (None, "", said.get("@sevisID")):
        raise ValueError("the transaction log names another record than the request")
    return "no-status" if (f"{name}/{choice}" if choice else name) in NOTHING else None


def retracted(said: Fields) -> bool:
    """Whether a request takes back a period, or a change of level."""
    if creates(said):
        return False
    name, choice, _ = asked(said)
    return "cancels" in REQUESTS[f"{name}/{choice}" if choice else name]


def says(said: Fields) -> Iterator[Says]:
    """The fact that an applied request tells. Raises ValueError."""
    known: list[Spelling] = [Identifier.spelled(Scheme.SEVIS, sevis_id(said))]
    if creates(said):
        yield _created(said, known)
        return
    name, choice, content = asked(said)
    meaning = REQUESTS[f"{name}/{choice}" if choice else name]
    since, until = _period(meaning, content, applied_on(said))
    reason = meaning.get("reason") or _ended(said["@element"], content)
    who = Person() if not meaning.get("person") else DEPENDENT
    fields = {"fact": meaning["fact"], "until": until, "reason": reason}
    yield Says(
        Status,
        fields | {"occurred_at": whole_day(since, OFFICE), "subject": who.of(content, known)},
        meaning["part"],
    )


def _created(said: Fields, known: list[Spelling]) -> Says:
    element = said["@element"]
    until = since = None
    if element == "CreateStudent":
        admission_class = said.within("PersonalInfo/VisaType")
        education = said.group("EducationalInfo") or Fields({}, said.lost)
        since, until = education.need("IssDate", day), education.need("PrgEndDate", day)
        class_of = (admission_class[0] or Fields({}, said.lost)).optional("VisaType", STUDENT_CLASS)
    elif element == "CreateEV":
        until, class_of = said.need("PrgEndDate", day), "J1"
    else:
        class_of = said.optional("VisaType", DEPENDENT_CLASS) if "VisaType" in said else "J2"
    fields = {"fact": "sevis_active", "class_of_admission": class_of, "until": until, "reason": "created"}
    happened = whole_day(since or applied_on(said), OFFICE)
    return Says(Status, fields | {"occurred_at": happened, "subject": BY_ELEMENT[element].of(said, known)}, "program")


def _period(meaning: dict[str, str], content: Fields, applied: date) -> tuple[date, date | None]:
    """From when to when a request holds. Raises ValueError."""
    since, until = applied, None
    open_end = meaning.get("open") == "yes"
    if (field := meaning.get("since")) is not None:
        since = _first(content, field, optional=open_end) or applied
    if meaning.get("until") == "applied":
        until = applied
    elif (field := meaning.get("until")) is not None:
        until = _first(content, field, optional=open_end)
    if until is not None and meaning["part"] == "employment" and until < since:
        raise ValueError("a period that ends before it begins")
    return since, until


def _first(content: Fields, fields: str, *, optional: bool = False) -> Any:
    """The day in the first of several fields that has one. Raises ValueError if none has."""
    *before, last = fields.split()
    for field in before:
        at, name = content.within(field)
        if at is not None and (value := at.optional(name, day)) is not None:
            return value
    at, name = content.within(last)
    if at is None:
        raise ValueError(f"{last} is absent")
    return at.optional(name, day) if optional else at.need(name, day)


def _ended(element: str, content: Fields) -> str:
    return str(content.need("Reason", STUDENT_END if element == "UpdateStudent" else VISITOR_END))


FEED = Feed(
    "public",
    FileDrop(pattern="*.zip", unwrap="zip"),
    Mapper(key=key, version=version, skips=skips, recorded=processed, retracted=retracted, says=says, future=None),
    Exchange(),
)
