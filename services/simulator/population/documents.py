"""What a person holds and what is held against the person: dates of passports, visas, removal cases.

Drawn from a stream of its own, so that no system that has nothing of it is written otherwise.
"""

from __future__ import annotations

from dataclasses import replace

from services.simulator.population import rates
from services.simulator.population.numbers import Numbers
from services.simulator.population.plans import Passport, Person, Removal, Span, Stay, Visa
from services.simulator.rng import Rng

PASSPORT_DAYS, VISA_DAYS = 3652, 3652
"""How long passports and visas are valid."""
_EXPELLED, _CHARGED = frozenset({"left_late"}), frozenset({"overstay"})
"""Kinds of stays that a removal may end; that may lead to a removal case that is open."""


class Documents:
    """Adds documents and removal cases to persons."""

    def __init__(self, seed: int, span: Span, numbers: Numbers) -> None:
        self._rng = Rng(f"documents {seed}")
        self._span = span
        self._numbers = numbers

    def add(self, person: Person) -> Person:
        """Return the person with visas, dated passports, and perhaps a removal case."""
        first: dict[Passport, int] = {}
        for stay in person.stays:
            first.setdefault(stay.passport, stay.arrival.day)
        dated = {passport: self._dated(passport, day) for passport, day in first.items()}
        stays = tuple(replace(stay, passport=dated[stay.passport]) for stay in person.stays)
        removal = self._removal(stays[-1])
        alien = person.a_number or (self._numbers.alien() if removal else "")
        return replace(person, stays=stays, visas=self._visas(person, stays), removal=removal, a_number=alien)

    def _dated(self, passport: Passport, used: int) -> Passport:
        issued = used - self._rng.between(30, 2_500)
        return replace(passport, issued=issued, expires=issued + PASSPORT_DAYS)

    def _visas(self, person: Person, stays: tuple[Stay, ...]) -> tuple[Visa, ...]:
        if not person.foil:
            return ()
        issued = stays[0].arrival.day - self._rng.between(10, 700)
        revoked = 0
        if self._rng.chance(rates.VISA_REVOKED):
            revoked = stays[-1].arrival.day + self._rng.between(1, 200)
        return (Visa(person.foil, stays[0].admission_class, issued, issued + VISA_DAYS, revoked),)

    def _removal(self, stay: Stay) -> Removal | None:
        departure = stay.departure
        if stay.kind in _EXPELLED and departure is not None and self._rng.chance(rates.REMOVED):
            ordered = departure.day - self._rng.between(1, 30)
            return Removal(self._numbers.case(), max(stay.arrival.day, ordered - 60), ordered, departure.day)
        if stay.kind in _CHARGED and self._rng.chance(rates.CHARGED):
            charged = min(self._span.last, stay.last_day + self._rng.between(2, 90))
            return Removal(self._numbers.case(), charged)
        return None
