"""Writes a person's biometric encounters into the messages of IDENT: enrolments, entries, exits and merges."""

from __future__ import annotations

from dataclasses import replace

from services.simulator.clock import DAY
from services.simulator.log import PersonLog, birth_text, reported_departure
from services.simulator.noise import Description
from services.simulator.population.plans import Crossing, Person, Stay
from services.simulator.source import Counts, Run
from services.simulator.systems.ident import rates
from services.simulator.systems.ident.messages import Encounters, Holder

MATCHED, NOT_MATCHED = "MATCHED", "NOT-MATCHED"
FIRST_ENCOUNTER = 1_000_000_000
RECORDED_AFTER, MENDED_AFTER = 90, 40_000
"""Seconds between what happened and its record, or the record's correction."""


class IdentWriter:
    """Writes encounters into the messages."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._span = run.span
        self._encounters = Encounters(run.place)
        self._mistakes = run.mistakes
        self._number = FIRST_ENCOUNTER

    def finish(self) -> Counts:
        """Complete the messages."""
        encounters = self._encounters
        encounters.finish()
        return {
            "messages": encounters.messages,
            "read": encounters.encounters,
            "published": encounters.encounters - encounters.filtered,
            "filtered": encounters.filtered,
            "exits": encounters.exits,
            "corrections": encounters.corrections,
            "deletions": encounters.deletions,
        }

    def write(self, log: PersonLog) -> None:
        """Write all encounters of a person."""
        fins: list[str] = []
        for index, stay in enumerate(log.person.stays):
            if stay.inspection == "A" and self._rng.chance(rates.FINGERPRINTED) and log.person.fin:
                self._entry(log, stay, fins)
            departure = reported_departure(stay, self._span)
            if departure is not None and log.reports(index, self._system):
                self._exit(log, index, departure, fins)
            if stay.inspection == "A":
                self._false_exits(log, stay, fins)
        if len(fins) > 1:
            self._merge(log, fins)

    def _entry(self, log: PersonLog, stay: Stay, fins: list[str]) -> None:
        """Write an entry: an enrolment the first time, and now and then once more under another FIN."""
        twice = len(fins) == 1 and self._rng.chance(rates.TWO_FINS / rates.FINGERPRINTED)
        enrols = not fins or twice
        if enrols:
            fins.append(_fin(log.person, len(fins)))
        description = self._mistakes.describe(log.person, stay, bare=not enrols, at_inspection=True)
        who = self._holder(description, fins[-1], mistyped=not enrols)
        key = self._new()
        category = "ENROLMENT" if enrols else "ENTRY"
        kinds = self._once(key, category, "" if enrols else MATCHED, stay.arrival, who)
        self._keep(log, key, who, (*description.kinds, *kinds))

    def _exit(self, log: PersonLog, index: int, departure: Crossing, fins: list[str]) -> None:
        stay = log.person.stays[index]
        alone = bool(fins) and self._rng.chance(rates.FIN_ALONE)
        description = self._mistakes.describe(log.person, stay, named=not alone, bare=not alone)
        who = Holder(fin=fins[-1]) if alone else self._holder(description, fins[-1] if fins else "")
        key = self._new()
        kinds = tuple(description.kinds)
        earlier = self._mistakes.other_time(departure, possible=len(log.reporters[index]) > 1)
        if earlier is not None:
            departure = earlier
            kinds = (*kinds, "other_time")
        log.departed(index, self._system, key, "biometric", departure)
        if self._rng.chance(rates.CORRECTED_EXIT):
            wrong = replace(departure, day=departure.day - 1)
            self._send(key, "EXIT", MATCHED, wrong, who)
            self._send(key, "EXIT", MATCHED, departure, who, version=2, action="C")
        else:
            kinds = (*kinds, *self._once(key, "EXIT", MATCHED, departure, who))
        self._keep(log, key, who, kinds)

    def _false_exits(self, log: PersonLog, stay: Stay, fins: list[str]) -> None:
        """Write an exit without a match, which says nothing, and another person's exit, which is deleted."""
        who = _whole(Description(log.person, stay.passport), fins[-1] if fins else "")
        crossing = self._rng.crossing("LAX", "A", stay.arrival.day + 2)
        if crossing.day > self._span.last:
            return
        if self._rng.chance(rates.NOT_MATCHED):
            self._send(self._new(), "EXIT", NOT_MATCHED, crossing, who)
        if self._rng.chance(rates.WRONG_EXIT):
            key = self._new()
            self._send(key, "EXIT", MATCHED, crossing, who)
            self._send(key, "EXIT", MATCHED, crossing, who, version=2, action="D")
            log.retract(self._system, key)

    def _merge(self, log: PersonLog, fins: list[str]) -> None:
        """Two sets of fingerprints are found to be one person's."""
        stay = log.person.stays[-1]
        who = replace(_whole(Description(log.person, stay.passport), fins[0]), former=tuple(fins[1:]))
        key = self._new()
        self._send(key, "MERGE", "", stay.arrival, who, recorded=stay.arrival.at + MENDED_AFTER)
        self._keep(log, key, who, ())

    def _once(self, key: str, category: str, match: str, crossing: Crossing, who: Holder) -> tuple[str, ...]:
        """Write an encounter that is never mended, late or twice now and then. Return the kinds of mistakes."""
        recorded = crossing.at + RECORDED_AFTER
        late = self._mistakes.late((self._span.records_end - recorded) // DAY)
        recorded += late * DAY
        self._send(key, category, match, crossing, who, recorded=recorded)
        twice = self._mistakes.due("duplicate")
        if twice:
            self._encounters.add(key, 1, "N", category, match, recorded, crossing, who, again=True)
        return (*(("out_of_order",) if late else ()), *(("duplicate",) if twice else ()))

    def _send(
        self,
        key: str,
        category: str,
        match: str,
        crossing: Crossing,
        who: Holder,
        *,
        version: int = 1,
        action: str = "N",
        recorded: int = 0,
    ) -> None:
        at = recorded or crossing.at + (RECORDED_AFTER if version == 1 else MENDED_AFTER)
        self._encounters.add(key, version, action, category, match, at, crossing, who)

    def _keep(self, log: PersonLog, key: str, who: Holder, kinds: tuple[str, ...]) -> None:
        identifiers = {f"fin:{fin}" for fin in (who.fin, *who.former) if fin}
        if who.passport[1]:
            identifiers.add(f"passport:{who.passport[0]}:{who.passport[1]}")
        if who.foil:
            identifiers.add(f"visa:{who.foil}")
        log.add(self._system, key, identifiers, kinds)

    def _holder(self, description: Description, fin: str, *, mistyped: bool = True) -> Holder:
        """Return what an encounter says of the person, with the mistakes in its numbers."""
        if description.bare:
            return _whole(description, fin)
        fin = self._mistakes.number("fin", fin, description, possible=mistyped)
        foil = self._mistakes.number("visa", description.person.foil, description)
        return replace(_whole(description, fin), foil=foil)

    def _new(self) -> str:
        self._number += 1
        return f"E{self._number}"


def _fin(person: Person, before: int) -> str:
    """Return the FIN of a person; another one for each enrolment before."""
    return f"{int(person.fin[0]) + before}{person.fin[1:]}"


def _whole(description: Description, fin: str) -> Holder:
    person = description.person
    return Holder(
        "" if description.bare else fin,
        (),
        person.family,
        person.given,
        birth_text(person.birth),
        person.sex,
        person.citizenship,
        ("", "") if description.bare else (description.passport.state, description.passport.number),
        "" if description.bare else person.foil,
    )
