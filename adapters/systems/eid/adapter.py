"""EID: captured rows of persons, arrests, cases and detainers to status events. Rows are not joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from adapters.captured import committed, flag, local_day, mapper, unknown
from adapters.converters import birth, code, country, known, text, whole_day
from adapters.core import Feed, Filtered, System
from adapters.fields import Fields
from adapters.formats.debezium import DebeziumFormat, Table
from adapters.mapper import Number, Person, Says
from adapters.transports.change_table import ChangeTable
from adapters.transports.kafka_topic import KafkaTopic
from schemas.country_codes import NAMES
from schemas.events import Status, Subject
from schemas.identifiers import Identifier, Scheme

OFFICE = "America/New_York"
ONE_WORD = date(2025, 7, 20)
"""From then on the methods of the Criminal Alien Program are written as custodial arrests."""
REPROCESSED = "ERO Reprocessed Arrest"
AT_THE_BORDER = frozenset({"Inspections", "Patrol Border"})
CRIMINALITY = known(
    dict.fromkeys(("1 Convicted Criminal", "2 Pending Criminal Charges", "3 Other Immigration Violator")), "criminality"
)
CLOSES = {**dict.fromkeys("AELZ", "proceedings_ended"), "B": "relief_granted"}
"""Close codes that end proceedings without a departure; the others say nothing here."""
OTHER_CLOSES = ("0", "3", "5", "6", "7", "8", "9", "10")
RELEASED = (
    "paroled", "order of recognizance", "order of supervision", "bonded out", "relief granted",
    "proceedings terminated", "processing disposition changed",
)  # fmt: skip
"""How the reasons begin that end detention in the country."""
KEYS = {
    "EID_SUBJECT": "EID_SUBJECT_ID",
    "EID_EVENT": "EID_EVENT_ID",
    "EID_CASE": "EID_CASE_ID",
    "EID_DETAINER": "EID_DTA_ID",
}
NUMBERS = (
    Number(Scheme.SUBJECT, "EID_SUBJECT_ID", issued_by="EID"),
    Number(Scheme.SUBJECT, "EID_CASE_ID", issued_by="EID:CASE"),
)
ALIEN = Number(Scheme.A_NUMBER, "ALIEN_FILE_NUMBER")
SUBJECT = Person(
    family="FAMILY_NAME",
    given=("GIVEN_NAME",),
    sex="GENDER",
    citizenship="CITIZENSHIP_COUNTRY",
    numbers=(NUMBERS[0], NUMBERS[1], ALIEN, Number(Scheme.FIN, "FIN")),
    sex_as=code({"Male": "M", "Female": "F", "Unknown": None}),
    citizenship_as=country(NAMES),
)
NAMED = Person(numbers=NUMBERS)
CASE = Person(numbers=(*NUMBERS, ALIEN))
_COLUMNS = {
    "EID_SUBJECT": "EID_CASE_ID ALIEN_FILE_NUMBER FIN FAMILY_NAME GIVEN_NAME CITIZENSHIP_COUNTRY GENDER",
    "EID_EVENT": "EID_SUBJECT_ID EID_CASE_ID APPREHENSION_METHOD APPREHENSION_CRIMINALITY",
    "EID_CASE": "EID_SUBJECT_ID ALIEN_FILE_NUMBER CASE_STATUS FINAL_ORDER_YES_NO DETENTION_RELEASE_REASON",
    "EID_DETAINER": "EID_SUBJECT_ID EID_CASE_ID DETAINER_CRIMINALITY BIOMETRIC_MATCH DETAINER_LIFT_REASON_CODE",
}
_TYPED = {
    "EID_SUBJECT": {"ALIASES": "text", "BIRTH_DATE": "date", "BIRTH_YEAR": "smallint", "RECORDED_DATE": "timestamp"},
    "EID_EVENT": {"APPREHENSION_DATE": "timestamp", "EVENT_DATE": "timestamp"},
    "EID_CASE": {
        **dict.fromkeys(("CASE_STATUS_DATE", "NTA_SERVED_DATE", "FINAL_ORDER_DATE"), "date"),
        **dict.fromkeys(("BOOK_IN_DATE_TIME", "BOOK_OUT_DATE_TIME"), "timestamp"),
    },
    "EID_DETAINER": {"DETAINER_PREPARE_DATE": "timestamp", "DETAINER_LIFT_DATE": "date"},
}
FORMAT = DebeziumFormat(
    {
        name: Table(
            {key: "varchar(20)", **dict.fromkeys(_COLUMNS[name].split(), "varchar(120)"), **_TYPED[name]}, (key,)
        )
        for name, key in KEYS.items()
    }
)


def _on(day: date, who: Subject, fact: str, reason: str | None = None) -> dict[str, Any]:
    return {"occurred_at": whole_day(day, OFFICE), "subject": who, "fact": fact, "reason": reason}


def _needed(said: Fields, name: str) -> date:
    """A day that has to be there. Raises ValueError."""
    result = said.need(name, local_day)
    if result is None:
        raise ValueError(f"{name} has no end")
    return result


def person(said: Fields) -> Iterator[Says]:
    """Who a subject is."""
    who = SUBJECT.of(said)
    born = said.optional("BIRTH_DATE", local_day)
    year = said.optional("BIRTH_YEAR", lambda value, what: birth(str(value), what))
    update: dict[str, Any] = {"birth": born.isoformat() if born is not None else year}
    if unknown(said, "ALIASES") and said["op"] == "u":
        update["names"] = ()  # as they were, with the other names
    else:
        aliases = [_alias(each) for each in (said.optional("ALIASES", text) or "").split(";") if each.strip()]
        several = [*(each.model_dump() for each in who.names), *aliases]
        update["names"] = list({(each["family"], each["given"]): each for each in several}.values())
    subject = Subject.model_validate(who.model_dump() | update)
    yield Says(Status, _on(_needed(said, "RECORDED_DATE"), subject, "encounter"))


def _alias(text: str) -> dict[str, str]:
    family, _, given = text.partition(",")
    return {"family": (family.strip() or given.strip())[:120], "given": given.strip()[:120] if family.strip() else ""}


def event(said: Fields) -> Iterable[Says] | Filtered:
    """An arrest, or that somebody was met."""
    method = said.optional("APPREHENSION_METHOD", text) or ""
    if method == REPROCESSED:
        return Filtered("reprocessed")
    arrested = said.present("APPREHENSION_DATE", local_day)
    day = arrested or said.present("EVENT_DATE", local_day)
    if day is None:
        raise ValueError("neither APPREHENSION_DATE nor EVENT_DATE")
    fact = "arrested" if arrested else "encounter" if method in AT_THE_BORDER else "seen_inside"
    if method == "Custodial Arrest" and day >= ONE_WORD:
        method = "Custodial Arrest or CAP"
    words = filter(None, (said.optional("APPREHENSION_CRIMINALITY", CRIMINALITY), method))
    return (Says(Status, _on(day, NAMED.of(said), fact, ", ".join(words)[:200] or None)),)


def case(said: Fields) -> Iterable[Says] | Filtered:
    """How far a case has come."""
    who = CASE.of(said)
    steps = [*_proceedings(said, who), *_detention(said, who)]
    return steps or Filtered("no-step")


def _proceedings(said: Fields, who: Subject) -> Iterator[Says]:
    served = said.optional("NTA_SERVED_DATE", local_day, event=True)
    if served is not None:
        yield Says(Status, _on(served, who, "proceedings_started"), "nta")
    if said.optional("FINAL_ORDER_YES_NO", flag, event=True):
        ordered = said.optional("FINAL_ORDER_DATE", local_day, event=True)
        if ordered is None:
            said.lose("FINAL_ORDER_DATE", "FINAL_ORDER_DATE: an order without its day", event=True)
        else:
            yield Says(Status, _on(ordered, who, "removal_order"), "order")
    head, hyphen, _ = said.need("CASE_STATUS", text).partition("-")
    fact = CLOSES.get(head.strip()) if hyphen else None
    if fact is None and head.strip() not in OTHER_CLOSES and said["CASE_STATUS"] != "ACTIVE":
        raise ValueError(f"CASE_STATUS {head[:20]!r} is neither ACTIVE nor a close code")
    if fact is not None:
        since = said.optional("CASE_STATUS_DATE", local_day, event=True)
        if since is None:
            said.lose("CASE_STATUS_DATE", "CASE_STATUS_DATE: a case that is closed, without the day", event=True)
        else:
            yield Says(Status, _on(since, who, fact, head.strip()), "closed")


def _detention(said: Fields, who: Subject) -> Iterator[Says]:
    begin, end = (
        said.optional("BOOK_IN_DATE_TIME", local_day, event=True),
        said.optional("BOOK_OUT_DATE_TIME", local_day, event=True),
    )
    if begin is not None:
        yield Says(Status, _on(begin, who, "detained"), "detained")
    reason = (said.optional("DETENTION_RELEASE_REASON", text, event=True) or "").casefold()
    if end is not None and reason.startswith(RELEASED):
        yield Says(Status, _on(end, who, "released"), "released")


def detainer(said: Fields) -> Iterator[Says]:
    """A request to another agency to hold somebody, and its end."""
    who = NAMED.of(said)
    matched = "biometric match" if said.optional("BIOMETRIC_MATCH", flag) else None
    words = filter(None, (said.optional("DETAINER_CRIMINALITY", CRIMINALITY), matched))
    lodged = _on(_needed(said, "DETAINER_PREPARE_DATE"), who, "detainer_lodged", ", ".join(words) or None)
    yield Says(Status, lodged)
    lifted = said.optional("DETAINER_LIFT_DATE", local_day, event=True)
    if lifted is not None:
        why = said.optional("DETAINER_LIFT_REASON_CODE", text)
        yield Says(Status, _on(lifted, who, "detainer_lifted", why), "lifted")


def gone(table: str, said: Fields) -> Says:
    """What stands for a row that was deleted: its key and the time."""
    issuer = {"EID_SUBJECT": "EID", "EID_CASE": "EID:CASE"}.get(table, "EID:EVENT")
    number = Identifier.spelled(Scheme.SUBJECT, str(said[KEYS[table]]), issuer)
    return Says(Status, {"occurred_at": committed(said), "subject": {"identifiers": [number]}, "fact": "encounter"})


MAPPING = mapper({"EID_SUBJECT": person, "EID_EVENT": event, "EID_CASE": case, "EID_DETAINER": detainer}, gone)
ADAPTER = System(
    "EID",
    title="EID (ENFORCE), arrests, bookings, detainers",
    owner="ICE",
    number=11,
    emits=("status",),
    covers=(),
    facts=(
        "arrested",
        "detained",
        "detainer_lifted",
        "detainer_lodged",
        "encounter",
        "proceedings_ended",
        "proceedings_started",
        "released",
        "relief_granted",
        "removal_order",
        "seen_inside",
    ),
    identifiers=("subject", "a_number", "fin"),
    mapping_version=1,
    feeds=(Feed("table", ChangeTable(), MAPPING, FORMAT), Feed("changes", KafkaTopic(), MAPPING, FORMAT)),
)
