"""What becomes a case: removals, applications for asylum and for naturalisation.

Each is drawn from a stream of its own. Nothing in a case lies after the last day of the records: what has not
happened by then has no day.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from services.simulator.population import ports, rates
from services.simulator.population.numbers import ONLINE, Numbers
from services.simulator.population.plans import Application, Asylum, Naturalisation, Person, Removal, Span, Stay
from services.simulator.rng import Choice, Rng

ASYLUM, NATURALISATION, ONLINE_FILING, SHOWN = "asylum", "naturalisation", "online", "shown"
"""Parts of a population that exist only where a system that tells of them is written."""
EXPELLED = frozenset(
    {"left_late", "denied_left_after", "filed_late_left", "student_left_late", "student_terminated_left"}
)
"""Kinds of stays that a removal may end."""
CHARGED = frozenset(
    {"overstay", "denied_present", "filed_late_present", "student_overstay", "student_terminated_present"}
)
"""Kinds of stays in which there may be a removal case without a removal."""
SEEKS = frozenset(
    {"present", "overstay", "ended_uncovered", "extension_pending", "denied_present", "filed_late_present"}
    | {"no_extension_present", "student_present", "student_overstay", "student_terminated_present", "student_in_grace"}
)
"""Kinds of stays, without a departure, in which asylum may be asked for."""
ABANDONS = frozenset({"left_one_day_late", "left_late"})
"""Kinds of stays that may end while asylum is pending."""
UNREPORTED = frozenset({"overstay"})
"""Kinds of stays that look as if the person were still there, and of which some have ended unreported."""
SERVES = frozenset({"changed_class"})
"""Kinds of stays in which a person may be naturalised for military service, without being a resident: INA 329."""


class Cases:
    """Adds cases to persons."""

    def __init__(self, seed: int, span: Span, numbers: Numbers, brings: Collection[str]) -> None:
        self._removals = Rng(f"removals {seed}")
        self._asylum = Rng(f"asylum {seed}") if ASYLUM in brings else None
        self._citizens = Rng(f"naturalisation {seed}") if NATURALISATION in brings else None
        self._proofs = Rng(f"shown {seed}") if SHOWN in brings else None
        self._online = ONLINE_FILING in brings
        self._decisions = Choice(rates.ASYLUM_DECISION)
        self._span = span
        self._numbers = numbers

    def add(self, person: Person) -> Person:
        """Return the person with perhaps a removal case, an application for asylum and one for naturalisation."""
        if self._online:
            person = replace(person, stays=tuple(_filed_online(stay) for stay in person.stays))
        last = person.stays[-1]
        removal = self._removal(self._removals, last)
        if removal is not None and removal.executed and last.departure is not None:
            last = replace(last, departure=replace(last.departure, removed=True))
            person = replace(person, stays=(*person.stays[:-1], last))
        asylum = None if removal is not None or self._asylum is None else self._asked(self._asylum, last)
        citizen = None if self._citizens is None else self._naturalisation(self._citizens, last)
        case = removal or asylum or citizen
        if case is None and self._proofs is not None:
            person = replace(person, stays=(*person.stays[:-1], self._left(self._proofs, last)))
        return replace(
            person,
            removal=removal,
            subject=self._numbers.subject() if removal else "",
            asylum=asylum,
            naturalisation=citizen,
            a_number=person.a_number or (self._numbers.alien() if case else ""),
        )

    def _removal(self, rng: Rng, stay: Stay) -> Removal | None:
        together = stay.family_passport is not None  # who travels along leaves along
        if stay.kind in EXPELLED and stay.departure is not None and not together and rng.chance(rates.REMOVED):
            return self._executed(rng, stay, stay.departure.day)
        if stay.kind in CHARGED and rng.chance(rates.CHARGED):
            return self._open(rng, stay)
        return None

    def _executed(self, rng: Rng, stay: Stay, left: int) -> Removal | None:
        """Return a case that ended with the departure of that day, if that is in the records."""
        since = max(stay.arrival.day + 1, stay.last_day + 1 if stay.last_day else left - 20)
        if left > self._span.last or since >= left:
            return None
        arrested = rng.between(since, left - 1)
        ordered = rng.between(arrested, left - 1)
        released = rng.between(arrested, ordered) if rng.chance(rates.RELEASED) else 0
        return Removal(
            self._numbers.case(),
            self._numbers.event(),
            arrested,
            arrested,
            released,
            charged=arrested,
            ordered=ordered,
            executed=left,
        )

    def _open(self, rng: Rng, stay: Stay) -> Removal | None:
        """Return a case that is open, or whose proceedings have ended without a removal."""
        since = stay.last_day + 2 if stay.last_day else self._span.last - 30
        arrested = since + rng.between(0, 90)
        if arrested > self._span.last:
            return None
        charged = self._by_the_end(arrested + rng.between(0, 3))
        released = self._by_the_end(arrested + rng.between(1, 40)) if rng.chance(rates.RELEASED) else 0
        ordered = ended = 0
        after = arrested + rng.between(20, 150)
        if rng.chance(rates.ORDERED):
            ordered = self._by_the_end(after)
        elif rng.chance(rates.PROCEEDINGS_ENDED):
            ended = self._by_the_end(after)
        return Removal(
            self._numbers.case(),
            self._numbers.event(),
            arrested,
            arrested,
            released,
            charged,
            ordered=ordered,
            ended=ended,
        )

    def _asked(self, rng: Rng, stay: Stay) -> Asylum | None:
        """Return an application that lies in the stay; its end is open, or decided before the records end."""
        gone = stay.kind in ABANDONS and stay.departure is not None and stay.last_day
        if stay.inspection != "A" or not (gone or (stay.kind in SEEKS and stay.departure is None)):
            return None
        if not rng.chance(rates.ASYLUM_ABANDONED if gone else rates.ASYLUM):
            return None
        if gone:
            filed = rng.between(stay.arrival.day + 1, stay.last_day)
            return Asylum(self._numbers.asylum(), filed) if filed <= self._span.last else None
        first = stay.arrival.day + 3
        if first > self._span.last:
            return None
        filed = rng.between(first, min(self._span.last, stay.arrival.day + 360))
        case, decision = self._numbers.asylum(), self._decisions.draw(rng.random)
        interviewed = filed + rng.between(20, 90)
        decided = interviewed + rng.between(10, 40)
        if decision and decided <= self._span.last:
            return Asylum(case, filed, interviewed, decided, decision)
        return Asylum(case, filed, self._by_the_end(interviewed))

    def _left(self, rng: Rng, stay: Stay) -> Stay:
        """Return the stay, or the stay ended by a departure that no system reports and the person can show."""
        if stay.kind not in UNREPORTED or not rng.chance(rates.UNREPORTED):
            return stay
        day = rng.between(stay.arrival.day + 2, self._span.last)
        port = rng.one(ports.OUT) if stay.arrival.mode == "A" else stay.arrival.port
        return replace(stay, departure=rng.crossing(port, stay.arrival.mode, day), seen=False, proof=True)

    def _naturalisation(self, rng: Rng, stay: Stay) -> Naturalisation | None:
        """Return the application of a person who has become a resident, or who serves."""
        resident = next((each for each in stay.applications if each.form == "I-485"), None)
        if resident is not None and resident.decision == "approved":
            since, share = resident.decided, rates.NATURALISATION
        elif stay.kind in SERVES:
            since, share = stay.arrival.day, rates.NATURALISATION_BY_SERVICE
        else:
            return None
        filed = since + rng.between(5, 120)
        if not rng.chance(share) or filed > self._span.last:
            return None
        receipt = self._numbers.receipt()
        interviewed = filed + rng.between(15, 60)
        decided = interviewed + rng.between(0, 20)
        if decided > self._span.last or not rng.chance(rates.NATURALISATION_DECIDED):
            return Naturalisation(receipt, filed, self._by_the_end(interviewed))
        if rng.chance(rates.NATURALISATION_DENIED):
            return Naturalisation(receipt, filed, interviewed, decided, "denied")
        oath = self._by_the_end(decided + rng.between(0, 30))
        return Naturalisation(receipt, filed, interviewed, decided, "granted", oath)

    def _by_the_end(self, day: int) -> int:
        """Return the day, or 0 where it lies behind the records."""
        return day if day <= self._span.last else 0


def _filed_online(stay: Stay) -> Stay:
    """Return the stay with its applications marked that were filed online: their receipt says so."""
    applications: tuple[Application, ...] = tuple(
        replace(each, online=each.receipt.startswith(ONLINE)) for each in stay.applications
    )
    return stay if applications == stay.applications else replace(stay, applications=applications)
