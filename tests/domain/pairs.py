"""Two records of persons and what is made of them: joined, possible (listed for a person to decide) or separate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from populations import START, World, make

from schemas import codec
from schemas.events import AnyEvent, Departure, Evidence, Name, Subject
from schemas.identifiers import Identifier, Scheme
from schemas.moments import Moment
from services.domain import resolve
from services.domain.facts import fact_of
from services.matches import possible_among


@dataclass(frozen=True)
class Record:
    """What a record says of its subject. `ids`: `passport/GBR/512345678`, `a_number/A087654321`."""

    family: str = ""
    given: str = ""
    birth: str = ""
    sex: str = ""
    citizenship: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Record:
        """From a case in JSON."""
        return cls(
            fields["family"],
            fields["given"],
            fields["birth"],
            fields["sex"],
            tuple(fields["citizenship"]),
            tuple(fields["ids"]),
        )


def subject_of(record: Record) -> Subject:
    """The record's words as an event has them."""
    named = record.family or record.given
    return Subject(
        names=(Name(family=record.family, given=record.given),) if named else (),
        birth=record.birth or None,
        sex=record.sex or None,
        citizenship=record.citizenship,
        identifiers=tuple(map(_identifier, record.ids)),
    )


def event_of(record: Record, name: str, day: int) -> AnyEvent:
    """The record as an event that nothing else can contradict: somebody is met."""
    at = START + timedelta(days=day)
    return make(
        Departure,
        World(1),
        record=name,
        known=at,
        occurred_at=Moment.instant(at),
        subject=subject_of(record),
        evidence=Evidence.BOOKING,
    )


def _identifier(text: str) -> Identifier:
    scheme, *rest = text.split("/")
    return Identifier.of(Scheme(scheme), rest[-1], rest[0] if len(rest) > 1 else "")


def verdict(*records: Record, days: Sequence[int] = (0, 40, 80)) -> str:
    """What is made of them, each met on a day of its own."""
    facts = [
        fact_of(codec.encode(event_of(record, f"r{place}", day)))
        for place, (record, day) in enumerate(zip(records, days, strict=False))
    ]
    if len(resolve.persons(facts)) == 1:
        return "join"
    return "possible" if any(possible_among(facts)) else "separate"


def groups(records: Sequence[Record]) -> set[frozenset[int]]:
    """The places of the records of each person, every record met a day after the one before."""
    facts = [fact_of(codec.encode(event_of(record, f"{place}", place))) for place, record in enumerate(records)]
    return {frozenset(int(record) for _, record in person.records) for person in resolve.persons(facts)}
