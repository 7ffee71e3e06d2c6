"""All that happened to a person as one list in order of time, for systems that hold cases rather than crossings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.simulator.clock import utc_day
from services.simulator.population.plans import (
    Application,
    Crossing,
    Passport,
    Person,
    Program,
    Removal,
    Span,
    Stay,
    Step,
    Visa,
)


class Kind(StrEnum):
    """What can happen."""

    PASSPORT_ISSUED = "passport_issued"
    VISA_ISSUED = "visa_issued"
    VISA_REVOKED = "visa_revoked"
    PROGRAM_CREATED = "program_created"
    PROGRAM_CHANGED = "program_changed"
    ENTERED = "entered"
    REFUSED = "refused"
    APPLIED = "applied"
    DECIDED = "decided"
    CHARGED = "charged"
    ORDERED_REMOVED = "ordered_removed"
    REMOVED = "removed"
    LEFT = "left"


Subject = Application | Crossing | Passport | Program | Removal | Step | Visa


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened on a day (ordinal); `stay` is the index of the stay that it belongs to, -1 for none."""

    day: int
    kind: Kind
    subject: Subject
    stay: int = -1


def happenings(person: Person, span: Span) -> tuple[Happening, ...]:
    """Return all that happened up to the end of the records. What happened on one day has the order of `Kind`."""
    order = {kind: place for place, kind in enumerate(Kind)}
    last = utc_day(span.records_end)
    each = [happening for happening in _every(person) if happening.day <= last]
    return tuple(sorted(each, key=lambda happening: (happening.day, order[happening.kind], happening.stay)))


def _every(person: Person) -> Iterator[Happening]:
    for passport in dict.fromkeys(stay.passport for stay in person.stays):
        if passport.issued:
            yield Happening(passport.issued, Kind.PASSPORT_ISSUED, passport)
    for visa in person.visas:
        yield Happening(visa.issued, Kind.VISA_ISSUED, visa)
        if visa.revoked:
            yield Happening(visa.revoked, Kind.VISA_REVOKED, visa)
    for index, stay in enumerate(person.stays):
        yield from _of_stay(stay, index)
    if person.removal is not None:
        yield from _of_removal(person.removal, len(person.stays) - 1)


def _of_stay(stay: Stay, index: int) -> Iterator[Happening]:
    kind = Kind.ENTERED if stay.inspection == "A" else Kind.REFUSED
    yield Happening(stay.arrival.day, kind, stay.arrival, index)
    for application in stay.applications:
        yield Happening(application.filed, Kind.APPLIED, application, index)
        if application.decision:
            yield Happening(application.decided, Kind.DECIDED, application, index)
    if stay.program is not None:
        yield Happening(stay.program.issued, Kind.PROGRAM_CREATED, stay.program, index)
        for step in stay.program.steps:
            yield Happening(step.processed, Kind.PROGRAM_CHANGED, step, index)
    if stay.departure is not None:
        yield Happening(stay.departure.day, Kind.LEFT, stay.departure, index)


def _of_removal(removal: Removal, stay: int) -> Iterator[Happening]:
    yield Happening(removal.charged, Kind.CHARGED, removal, stay)
    if removal.ordered:
        yield Happening(removal.ordered, Kind.ORDERED_REMOVED, removal, stay)
    if removal.executed:
        yield Happening(removal.executed, Kind.REMOVED, removal, stay)
