"""The log of one person: what happened, and what the systems have written of it so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from services.simulator.clock import DAY, midnight
from services.simulator.population.plans import Crossing, Person, Span, Stay
from services.simulator.population.timeline import Happening, happenings
from services.simulator.truth.records import TrueRecord

EVIDENCE = (
    "biometric",
    "inspected",
    "removal",
    "foreign_entry",
    "manifest_closed",
    "manifest",
)
"""How a departure is known, strongest first."""


@dataclass(frozen=True, slots=True)
class DepartureRecord:
    """A departure as a record of a system tells it, and how the system knows."""

    system: str
    record: str
    evidence: str  # one of EVIDENCE
    crossing: Crossing


@dataclass(slots=True)
class PersonLog:
    """One person, with all that happened, and the records that the sources have written.

    `reporters` has for each stay the systems that report its departure, and no entry where none does.
    """

    person: Person
    span: Span
    noise: tuple[str, ...] = ()  # mistakes that are no single record's
    reporters: dict[int, frozenset[str]] = field(default_factory=dict)  # by index of the stay
    records: list[TrueRecord] = field(default_factory=list)
    retracted: list[tuple[str, str]] = field(default_factory=list)
    admissions: dict[int, tuple[str, str]] = field(default_factory=dict)  # index of the stay -> system and record
    departures: dict[int, list[DepartureRecord]] = field(default_factory=dict)  # by index of the stay

    def add(self, system: str, record: str, identifiers: Iterable[str], kinds: Iterable[str] = ()) -> None:
        """Keep a record as the person's, with the identifiers that it has and the kinds of mistakes in it."""
        self.records.append(TrueRecord(system, record, frozenset(identifiers), tuple(kinds)))

    def retract(self, system: str, record: str) -> None:
        """Keep that the owner of a record took it back: it is the person's no more."""
        self.records = [each for each in self.records if (each.system, each.record) != (system, record)]
        self.retracted.append((system, record))

    def admit(self, index: int, system: str, record: str) -> None:
        """Keep under which record the arrival of a stay is known: the stay of the view has its id from it."""
        self.admissions[index] = system, record

    def departed(self, index: int, system: str, record: str, evidence: str, crossing: Crossing) -> None:
        """Keep how a record tells the departure of a stay: by which evidence, when and where."""
        self.departures.setdefault(index, []).append(DepartureRecord(system, record, evidence, crossing))

    def believed(self, index: int) -> Crossing | None:
        """Return the departure of a stay as its strongest evidence tells it, and of equal ones the latest.

        Where no record says how it knows, the departure is as it was. None where none is reported.
        """
        records = self.departures.get(index)
        if not records:
            return reported_departure(self.person.stays[index], self.span)
        return min(records, key=lambda each: (EVIDENCE.index(each.evidence), -each.crossing.at)).crossing

    def reports(self, index: int, system: str) -> bool:
        """Return whether that system reports the departure of that stay."""
        return system in self.reporters.get(index, ())

    def happenings(self) -> tuple[Happening, ...]:
        """Return all that happened to the person up to the end of the records, in order of time."""
        return happenings(self.person, self.span)


def reported_at(crossing: Crossing) -> int:
    """Return the instant of a crossing for a system that reports it; noon where only the day is known."""
    return crossing.at if crossing.second is not None else crossing.at + DAY // 2


def day_only(crossing: Crossing, zone: str = "") -> Crossing:
    """Return a crossing of which only the day is told; `zone` is that of the day where it is not the port's."""
    zone = zone or crossing.zone
    return replace(crossing, zone=zone, second=None, at=midnight(crossing.day, zone), again=False)


def reported_departure(stay: Stay, span: Span) -> Crossing | None:
    """Return the departure of a stay if the records report it."""
    departure = stay.departure
    return departure if departure and stay.seen and reported_at(departure) <= span.records_end else None


def birth_text(digits: str) -> str:
    """Return a date of birth (CCYYMMDD, 00 for what is not known) as YYYY-MM-DD, as far as it is known."""
    year, month, day = digits[:4], digits[4:6], digits[6:]
    return year if month == "00" else f"{year}-{month}" if day == "00" else f"{year}-{month}-{day}"
