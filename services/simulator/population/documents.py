"""What a person holds: dates of passports, visas, authorisations to travel without one, bookings, fingerprints.

Drawn from a stream of its own, so that no system that has nothing of it is written otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from services.simulator.population import ports, rates
from services.simulator.population.consular_posts import POSTS
from services.simulator.population.numbers import Numbers
from services.simulator.population.plans import Crossing, Esta, Passport, Person, Span, Stay, Visa
from services.simulator.rng import Rng

PASSPORT_DAYS, VISA_DAYS, ESTA_DAYS = 3652, 3652, 730
"""How long passports, visas and authorisations to travel are valid; the last no longer than the passport."""
YOUNGEST, OLDEST = 14, 79
"""Ages between which fingerprints are taken: 8 CFR 235.1(f)(1)(iv)(A) as it held before 26 December 2025."""


class Documents:
    """Adds documents to persons."""

    def __init__(self, seed: int, span: Span, numbers: Numbers) -> None:
        self._rng = Rng(f"documents {seed}")
        self._authorisations = Rng(f"authorisations {seed}")
        self._span = span
        self._numbers = numbers

    def add(self, person: Person) -> Person:
        """Return the person with dated passports, visas or authorisations to travel, bookings and fingerprints."""
        first: dict[Passport, int] = {}
        for stay in person.stays:
            first.setdefault(stay.passport, stay.arrival.day)
        dated = {passport: self._dated(passport, day) for passport, day in first.items()}
        stays = tuple(
            replace(
                stay,
                passport=dated[stay.passport],
                booking=self._booking(stay),
                departure=stay.departure and _into_canada(stay.departure),
            )
            for stay in person.stays
        )
        return replace(
            person,
            stays=stays,
            visas=self._visas(person, stays),
            estas=tuple(self._estas(stays)),
            fin=_fin(person),
        )

    def _dated(self, passport: Passport, used: int) -> Passport:
        issued = used - self._rng.between(30, 2_500)
        return replace(passport, issued=issued, expires=issued + PASSPORT_DAYS)

    def _booking(self, stay: Stay) -> str:
        flies = "A" in (stay.arrival.mode, stay.departure.mode if stay.departure else "")
        return self._numbers.booking() if flies else ""

    def _visas(self, person: Person, stays: tuple[Stay, ...]) -> tuple[Visa, ...]:
        if not person.foil:
            return ()
        issued = stays[0].arrival.day - self._rng.between(10, 700)
        revoked = 0
        if self._rng.chance(rates.VISA_REVOKED):
            revoked = stays[-1].arrival.day + self._rng.between(1, 200)
        return (
            Visa(
                person.foil,
                stays[0].admission_class,
                issued,
                issued + VISA_DAYS,
                revoked,
                application=self._numbers.visa_application(),
                post=POSTS[person.citizenship],
                applied=issued - self._rng.between(3, 90),
            ),
        )

    def _estas(self, stays: tuple[Stay, ...]) -> Iterator[Esta]:
        """One before the first trip on each passport, another where that has run out, and some for later trips."""
        if not stays[0].waiver:
            return
        held: Esta | None = None
        for stay in stays:
            arrived = stay.arrival.day
            if held is None or held.passport != stay.passport or held.expires < arrived:
                held = self._esta(stay.passport, arrived - self._authorisations.between(4, 200))
                yield self._revoked(held, stays[-1])
        yield from self._later(stays[-1])

    def _esta(self, passport: Passport, applied: int, outcome: str = "approved") -> Esta:
        """Return an authorisation that was asked for on a day; decided within 72 hours."""
        decided = applied + self._authorisations.between(0, 3)
        expires = min(decided + ESTA_DAYS, passport.expires) if outcome == "approved" else 0
        return Esta(self._numbers.esta(), passport, applied, decided, outcome, expires)

    def _revoked(self, esta: Esta, last: Stay) -> Esta:
        revoked = last.arrival.day + self._authorisations.between(1, 200)
        due = self._authorisations.chance(rates.ESTA_REVOKED) and esta.passport == last.passport
        return replace(esta, revoked=revoked) if due and revoked < esta.expires else esta

    def _later(self, last: Stay) -> Iterator[Esta]:
        """Yield what is asked for after the last trip, on a new passport, and is not approved."""
        if last.departure is None or not self._authorisations.chance(rates.ESTA_LATER):
            return
        applied = last.departure.day + self._authorisations.between(10, 200)
        if applied > self._span.last - 3:
            yield Esta(self._numbers.esta(), last.passport, self._span.last - 1, 0, "pending")
        else:
            yield self._esta(last.passport, applied, "denied")


def _into_canada(departure: Crossing) -> Crossing:
    """Return the departure with the port on the other side, where that is in Canada."""
    port = ports.INTO_CANADA.get(departure.port, "") if departure.mode == "L" else ""
    return replace(departure, foreign_port=port) if port else departure


def _fin(person: Person) -> str:
    """Return the number of the fingerprints; the first digit tells the enrolment."""
    age = (person.stays[0].arrival.day - ((int(person.birth[:4]) - 1) * 365.2425 + 182)) / 365.2425
    return f"1{person.number * 39_916_801 % 10**9:09}" if YOUNGEST <= age <= OLDEST else ""
