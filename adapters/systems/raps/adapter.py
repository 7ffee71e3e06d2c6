"""RAPS: captured rows of cases, applicants and steps to status events, all confidential. Rows are not joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

from adapters.captured import committed, local_day, mapper
from adapters.converters import choice, code, country, whole_day
from adapters.core import Feed, Filtered, System
from adapters.fields import Fields
from adapters.formats.debezium import DebeziumFormat, Table
from adapters.mapper import Number, Person, Says
from adapters.messages import CLOCK
from adapters.transports.change_table import ChangeTable
from adapters.transports.kafka_topic import KafkaTopic
from schemas.country_codes import INS_ALPHA
from schemas.events import Handling, Status, Subject
from schemas.identifiers import Identifier, Scheme

OFFICE = "America/New_York"
DECISIONS = {"GRANT": "asylum_granted", "REFERRAL": "asylum_referred", "DENIAL": "asylum_denied"}
DECISION = code(DECISIONS)
STEPS = ("RECEIVED", "SCHEDULED", "INTERVIEWED", "NO_SHOW", "DECISION_PREPARED", "SERVED", "CLOSED")
GIVEN_UP = ("ABANDONED", "DEPARTED", "WITHDRAWN")
FORMAT = DebeziumFormat(
    {
        "CASE": Table({"CASE_ID": "varchar(20)", "CASE_KIND": "varchar(20)", "RECEIVED_DATE": "date"}, ("CASE_ID",)),
        "APPLICANT": Table(
            {
                "APPLICANT_ID": "bigint",
                **dict.fromkeys(
                    ("CASE_ID", "ROLE", "A_NUMBER", "I94_NUMBER", "FAMILY_NAME", "GIVEN_NAME"), "varchar(60)"
                ),
                **dict.fromkeys(("SEX", "CITIZENSHIP", "DECISION"), "varchar(10)"),
                **dict.fromkeys(("BIRTH_DATE", "FILED_DATE", "DECISION_DATE"), "date"),
            },
            ("APPLICANT_ID",),
        ),
        "EVENT": Table(
            {
                "EVENT_ID": "bigint",
                **dict.fromkeys(("CASE_ID", "EVENT_CODE", "OUTCOME"), "varchar(20)"),
                "EVENT_DATE": "date",
            },
            ("EVENT_ID",),
        ),
    },
    clock=CLOCK,
)
CASE = Number(Scheme.SUBJECT, "CASE_ID", issued_by="RAPS", needed=True)
"""A case is one principal, and so numbers a person."""
PRINCIPAL = Person(
    family="FAMILY_NAME",
    given=("GIVEN_NAME",),
    birth="BIRTH_DATE",
    sex="SEX",
    citizenship="CITIZENSHIP",
    numbers=(CASE, Number(Scheme.A_NUMBER, "A_NUMBER"), Number(Scheme.I94, "I94_NUMBER")),
    citizenship_as=country(INS_ALPHA),
)
DEPENDANT = replace(PRINCIPAL, numbers=PRINCIPAL.numbers[1:])
NAMED = Person(numbers=(CASE,))


def _on(day: date, who: Subject, fact: str, reason: str | None = None) -> dict[str, Any]:
    return {"occurred_at": whole_day(day, OFFICE), "subject": who, "fact": fact, "reason": reason}


def _needed(said: Fields, name: str) -> date:
    """A day that has to be there. Raises ValueError."""
    result = said.need(name, local_day)
    if result is None:
        raise ValueError(f"{name} has no end")
    return result


def case(said: Fields) -> Iterable[Says] | Filtered:
    """That an application was received."""
    if said.need("CASE_KIND", choice("AFFIRMATIVE", "CREDIBLE_FEAR", "REASONABLE_FEAR")) != "AFFIRMATIVE":
        return Filtered("screening")
    return (Says(Status, _on(_needed(said, "RECEIVED_DATE"), NAMED.of(said), "asylum_pending")),)


def applicant(said: Fields) -> Iterator[Says]:
    """Who applies, and the decision; of a dependant it is the principal's."""
    role = said.need("ROLE", choice("PRINCIPAL", "DEPENDANT"))
    who = (PRINCIPAL if role == "PRINCIPAL" else DEPENDANT).of(said)
    yield Says(Status, _on(_needed(said, "FILED_DATE"), who, "asylum_pending"))
    fact = said.optional("DECISION", DECISION, event=True)
    if fact is not None:
        decided = said.optional("DECISION_DATE", local_day, event=True)
        if decided is None:
            said.lose("DECISION_DATE", "DECISION_DATE: a decision without its day", event=True)
        else:
            yield Says(Status, _on(decided, who, fact), "decision")


def event(said: Fields) -> Iterable[Says] | Filtered:
    """A step of a case, if it is one that changes where the application stands."""
    step, outcome = said.need("EVENT_CODE", choice(*STEPS)), said.text("OUTCOME")
    fact = reason = None
    if step == "RECEIVED":
        fact = "asylum_pending"
    elif step == "SERVED" and outcome != "NOID":
        fact = DECISION(outcome, "OUTCOME")
    elif step == "CLOSED" and said.need("OUTCOME", choice(*GIVEN_UP, "DECIDED")) != "DECIDED":
        fact, reason = "asylum_denied", said.text("OUTCOME")
    if fact is None:
        return Filtered("no-step")
    day, who = _needed(said, "EVENT_DATE"), NAMED.of(said)
    says = [Says(Status, _on(day, who, fact, reason.lower() if reason else None))]
    if fact == "asylum_referred":
        says.append(Says(Status, _on(day, who, "proceedings_started"), "court"))
    return says


def gone(table: str, said: Fields) -> Says:
    """What stands for a row that was deleted: its key and the time."""
    key = said["CASE_ID"] if table == "CASE" else f"{table}{said[f'{table}_ID']}"
    who = {"identifiers": [Identifier.spelled(Scheme.SUBJECT, str(key), "RAPS")]}
    return Says(Status, {"occurred_at": committed(said), "subject": who, "fact": "asylum_pending"})


MAPPING = mapper({"CASE": case, "APPLICANT": applicant, "EVENT": event}, gone, (Handling.ASYLUM,), "status")
ADAPTER = System(
    "RAPS",
    title="RAPS, applications for asylum",
    owner="USCIS",
    number=22,
    emits=("status",),
    covers=("status",),
    facts=("asylum_denied", "asylum_granted", "asylum_pending", "asylum_referred", "proceedings_started"),
    marks=(Handling.ASYLUM,),
    identifiers=("subject", "a_number", "i94"),
    mapping_version=1,
    feeds=(Feed("table", ChangeTable(), MAPPING, FORMAT), Feed("changes", KafkaTopic(), MAPPING, FORMAT)),
)
