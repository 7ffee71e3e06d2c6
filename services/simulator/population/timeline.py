"""All that happened to a person as one list in order of time, for systems that hold cases rather than crossings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.simulator.clock import utc_day
from services.simulator.population.plans import (
    Application,
    Asylum,
    Crossing,
    Esta,
    Naturalisation,
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
    VISA_APPLIED = "visa_applied"
    VISA_ISSUED = "visa_issued"
    VISA_REVOKED = "visa_revoked"
    ESTA_APPLIED = "esta_applied"
    ESTA_DECIDED = "esta_decided"  # approved or denied
    ESTA_REVOKED = "esta_revoked"
    PROGRAM_CREATED = "program_created"
    PROGRAM_CHANGED = "program_changed"
    ENTERED = "entered"
    REFUSED = "refused"
    APPLIED = "applied"
    DECIDED = "decided"
    ASYLUM_FILED = "asylum_filed"
    ASYLUM_INTERVIEWED = "asylum_interviewed"
    ASYLUM_DECIDED = "asylum_decided"  # granted, referred or denied
    NATURALISATION_FILED = "naturalisation_filed"
    NATURALISATION_INTERVIEWED = "naturalisation_interviewed"
    NATURALISATION_DECIDED = "naturalisation_decided"  # granted or denied
    OATH = "oath"
    ARRESTED = "arrested"
    BOOKED = "booked"
    CHARGED = "charged"
    RELEASED = "released"
    ORDERED_REMOVED = "ordered_removed"
    PROCEEDINGS_ENDED = "proceedings_ended"
    REMOVED = "removed"
    LEFT = "left"


Subject = Application | Asylum | Crossing | Esta | Naturalisation | Passport | Program | Removal | Step | Visa


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
        yield from _days(visa, -1, {Kind.VISA_APPLIED: visa.applied, Kind.VISA_ISSUED: visa.issued})
        yield from _days(visa, -1, {Kind.VISA_REVOKED: visa.revoked})
    for esta in person.estas:
        yield from _days(esta, -1, {Kind.ESTA_APPLIED: esta.applied, Kind.ESTA_DECIDED: esta.decided})
        yield from _days(esta, -1, {Kind.ESTA_REVOKED: esta.revoked})
    for index, stay in enumerate(person.stays):
        yield from _of_stay(stay, index)
    yield from _of_cases(person, len(person.stays) - 1)


def _days(subject: Subject, stay: int, days: Mapping[Kind, int]) -> Iterator[Happening]:
    """Yield what happened on days that are known."""
    for kind, day in days.items():
        if day:
            yield Happening(day, kind, subject, stay)


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


def _of_cases(person: Person, stay: int) -> Iterator[Happening]:
    """Yield the steps of all cases; they are about the last stay."""
    asylum, citizen, removal = person.asylum, person.naturalisation, person.removal
    if asylum is not None:
        yield from _days(
            asylum,
            stay,
            {
                Kind.ASYLUM_FILED: asylum.filed,
                Kind.ASYLUM_INTERVIEWED: asylum.interviewed,
                Kind.ASYLUM_DECIDED: asylum.decided,
            },
        )
    if citizen is not None:
        yield from _days(
            citizen,
            stay,
            {
                Kind.NATURALISATION_FILED: citizen.filed,
                Kind.NATURALISATION_INTERVIEWED: citizen.interviewed,
                Kind.NATURALISATION_DECIDED: citizen.decided,
                Kind.OATH: citizen.oath,
            },
        )
    if removal is not None:
        yield from _days(
            removal,
            stay,
            {
                Kind.ARRESTED: removal.arrested,
                Kind.BOOKED: removal.booked,
                Kind.CHARGED: removal.charged,
                Kind.RELEASED: removal.released,
                Kind.ORDERED_REMOVED: removal.ordered,
                Kind.PROCEEDINGS_ENDED: removal.ended,
                Kind.REMOVED: removal.executed,
            },
        )
