"""What is true of the synthetic population, kept apart from the files that the systems get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

RECORDS = "truth.jsonl"
COUNTS = "counts.json"


@dataclass(frozen=True, slots=True)
class TrueRecord:
    """A record that is the person's, with the identifiers that it has."""

    system: str
    record: str
    identifiers: frozenset[str]
    noise: tuple[str, ...] = ()  # what is wrong with it


@dataclass(frozen=True, slots=True)
class TrueStay:
    """One application for admission: what its records show at the instant of the question, and what really is."""

    system: str  # that the arrival is known from
    record: str  # of the arrival, in that system
    number: str
    kind: str
    outcome: str
    since: int
    authorised_until: str | None
    admission_class: str | None  # the one that holds last; None where the person was not admitted
    real: str


@dataclass(frozen=True, slots=True)
class TruePerson:
    """A person with the stays in order of time."""

    number: int
    stays: tuple[TrueStay, ...]
    records: tuple[TrueRecord, ...]
    retracted: tuple[tuple[str, str], ...]  # records that their owner took back
    noise: tuple[str, ...] = ()  # what is wrong, where it is no single record


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the truth is, the instant it is about, and what was written per system."""

    directory: Path
    records_end: datetime
    as_of: datetime
    counts: dict[str, Any]

    @property
    def noisy(self) -> bool:
        """Return whether mistakes were put into the records."""
        return "noise" in self.counts

    @classmethod
    def read(cls, directory: Path) -> Truth:
        """Return the truth that a simulation left in a directory."""
        counts = orjson.loads((directory / COUNTS).read_bytes())
        records_end, as_of = (datetime.fromisoformat(counts[name]) for name in ("records_end", "as_of"))
        return cls(directory, records_end, as_of, counts)

    def persons(self) -> Iterator[TruePerson]:
        """Yield all persons, one after another."""
        with (self.directory / RECORDS).open("rb") as file:
            for line in file:
                yield _person(orjson.loads(line))


def line_of(person: TruePerson) -> bytes:
    """Return the person as a line of the file."""
    body = {
        "person": person.number,
        "stays": [
            {
                "system": stay.system,
                "record": stay.record,
                "number": stay.number,
                "kind": stay.kind,
                "outcome": stay.outcome,
                "since": stay.since,
                "authorised_until": stay.authorised_until,
                "admission_class": stay.admission_class,
                "real": stay.real,
            }
            for stay in person.stays
        ],
        "records": [_record_body(each) for each in person.records],
        "retracted": person.retracted,
    }
    if person.noise:
        body["noise"] = person.noise
    return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)


def _record_body(record: TrueRecord) -> list[object]:
    body: list[object] = [record.system, record.record, sorted(record.identifiers)]
    return [*body, record.noise] if record.noise else body


def _person(body: dict[str, Any]) -> TruePerson:
    return TruePerson(
        body["person"],
        tuple(TrueStay(**stay) for stay in body["stays"]),
        tuple(
            TrueRecord(system, record, frozenset(identifiers), tuple(*noise))
            for system, record, identifiers, *noise in body["records"]
        ),
        tuple((system, record) for system, record in body["retracted"]),
        tuple(body.get("noise", ())),
    )
