"""Writes a person's inspections: in which lane, when by its clock, and what came of them."""

from __future__ import annotations

from services.simulator.clock import DAY, digits, stamp, wall_digits
from services.simulator.log import PersonLog, reported_at
from services.simulator.noise import Description
from services.simulator.population.plans import Crossing, Stay, without_hyphen
from services.simulator.rng import Choice
from services.simulator.source import Counts, Run
from services.simulator.systems.tecs import rates
from services.simulator.systems.tecs.messages import Messages, record, text

_DISPOSITIONS = {"R": Choice({"ER": 0.6, "NTA": 0.2, "VWPRM": 0.2}), "W": Choice({"WD": 1.0})}
_CHARGES = ("212a07Ai1", "212a06Cii", "212a02Ai2", "217")


class TecsWriter:
    """Writes inspections into the messages."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._clock = run.clock()
        self._mistakes = run.mistakes
        self._end = run.span.records_end
        self._messages = Messages(run.place)
        self._number = 0

    def write(self, log: PersonLog) -> None:
        """Write the inspections of a person."""
        for stay in log.person.stays:
            arrival = self._clock.of(stay.arrival)
            if self._rng.chance(rates.INSPECTED) and reported_at(arrival) + DAY < self._end:
                self._inspected(log, stay, arrival)

    def finish(self) -> Counts:
        """Complete the messages."""
        self._messages.finish()
        read, filtered = self._messages.inspections, self._messages.filtered
        return {"read": read, "published": read - filtered, "filtered": filtered}

    def _inspected(self, log: PersonLog, stay: Stay, arrival: Crossing) -> None:
        described = self._mistakes.describe(log.person, stay, at_inspection=True)
        foil = ""
        if described.person.foil and self._rng.chance(rates.FOIL_STATED):
            foil = self._mistakes.number("visa", described.person.foil, described)
        at = reported_at(arrival) + self._rng.between(*rates.RECORDED_AFTER)
        who = _traveller(described, foil)
        admitted = stay.inspection == "A"
        admission_class = without_hyphen(stay.admission_class) if admitted else ""
        if admitted and self._rng.chance(rates.SECONDARY):
            self._keep(log, self._send(at, arrival, "S", "", who), described, foil)
        number = self._new()
        refusal = "" if admitted else self._refusal(stay.inspection, log.person.number)
        if admitted and self._rng.chance(rates.REPLACED):
            self._put(at, number, "A", arrival, stay.inspection, "B1", who)
            self._put(at + DAY // 2, number, "R", arrival, stay.inspection, admission_class, who)
        else:
            self._put(at, number, "A", arrival, stay.inspection, admission_class, who + refusal)
        self._keep(log, number, described, foil, sigma="" if admitted else f"{log.person.number:010}")
        if admitted and self._rng.chance(rates.DELETED):
            double = self._send(at + 60, arrival, stay.inspection, admission_class, who)
            self._put(at + DAY // 2, double, "D", arrival, stay.inspection, admission_class, who)
            log.retract(self._system, f"{double:012}")
        elif not admitted and self._rng.chance(rates.DOUBLE):
            marked = self._refusal(stay.inspection, log.person.number, double=True)
            self._put(at + 60, self._new(), "A", arrival, stay.inspection, "", who + marked, filtered=True)

    def _refusal(self, inspection: str, person: int, *, double: bool = False) -> str:
        """Return the record of what the field office did."""
        fear = inspection == "R" and self._rng.chance(rates.CREDIBLE_FEAR)
        disposition = "ERCF" if fear else _DISPOSITIONS[inspection].draw(self._rng.random)
        self._number += 1
        return record(
            "TI4",
            text("NEW YORK", 12),
            text(self._rng.one(_CHARGES), 12),
            text(disposition, 6),
            text("VIS", 4),
            " ",
            "Y" if fear else "N",
            f"{self._number:010}{person:010}",
            " " * 9,
            "Y" if double else "N",
        )

    def _new(self) -> int:
        self._number += 1
        return self._number

    def _send(self, at: int, arrival: Crossing, outcome: str, admission_class: str, who: str) -> int:
        """Write an inspection under a number of its own."""
        number = self._new()
        self._put(at, number, "A", arrival, outcome, admission_class, who)
        return number

    def _put(
        self,
        at: int,
        number: int,
        action: str,
        arrival: Crossing,
        outcome: str,
        admission_class: str,
        who: str,
        *,
        filtered: bool = False,
    ) -> None:
        clock = "999999" if arrival.second is None else wall_digits(arrival.second)
        conveyance = "LAND" if arrival.mode == "L" else arrival.conveyance
        lane = record(
            "TI1",
            action,
            f"{number:012}",
            text(arrival.port, 3),
            arrival.mode,
            f"{number % 40 + 1:03}",
            digits(arrival.day),
            clock,
            "2" if arrival.again else " ",
            outcome,
            text(admission_class, 4),
            text(arrival.carrier, 3),
            text(conveyance, 10),
            stamp(at),
        )
        self._messages.add(at, number, lane + who, filtered=filtered)

    def _keep(self, log: PersonLog, number: int, described: Description, foil: str, sigma: str = "") -> None:
        identifiers = {f"passport:{described.passport.state}:{described.passport.number}"}
        if sigma:
            identifiers.add(f"subject:TECS:{sigma}")
        if foil:
            identifiers.add(f"visa:{foil}")
        log.add(self._system, f"{number:012}", identifiers, described.kinds)


def _traveller(described: Description, foil: str) -> str:
    """Return the records of the traveller and the documents."""
    person, passport = described.person, described.passport
    names = text(person.family, 30) + text(person.given, 25)
    records = record("TI2", names, person.birth, person.sex, text(person.citizenship, 3))
    records += record("TI3", "P", text(passport.number, 20), text(passport.state, 3), "0" * 8)
    return records + (record("TI3", "V", text(foil, 20), "USA", "0" * 8) if foil else "")
