"""Writes down a person's biometric encounters: who was enrolled, who came and left, what was mended."""

from __future__ import annotations

from dataclasses import replace

from services.simulator.clock import DAY
from services.simulator.ident import Encounters, Holder
from services.simulator.noise import Mistakes, Told
from services.simulator.population import rates
from services.simulator.population.plans import Crossing, Person, Span, Stay
from services.simulator.rng import Rng
from services.simulator.scribe import Page, birth_of
from services.simulator.truth.records import TrueRecord

MATCHED, NOT_MATCHED = "MATCHED", "NOT-MATCHED"
FIRST_ENCOUNTER = 1_000_000_000
RECORDED_AFTER, MENDED_AFTER = 90, 40_000
"""Seconds between what happened and its record, or the record's correction."""


class Examiner:
    """Writes encounters into IDENT's messages."""

    def __init__(self, seed: int, span: Span, encounters: Encounters, mistakes: Mistakes) -> None:
        self._rng = Rng(f"examiner {seed}")
        self._span = span
        self._encounters = encounters
        self._mistakes = mistakes
        self._number = FIRST_ENCOUNTER

    def write(self, page: Page) -> None:
        """All encounters of a person."""
        fins: list[str] = []
        for index, stay in enumerate(page.person.stays):
            if stay.inspection == "A" and self._rng.chance(rates.FINGERPRINTED):
                self._entry(page, stay, fins)
            if stay.departure is not None and "IDENT" in page.told.get(index, ()):
                self._exit(page, index, stay.departure, fins)
            if stay.inspection == "A":
                self._false_exits(page, stay, fins)
        if len(fins) > 1:
            self._merge(page, fins)

    def _entry(self, page: Page, stay: Stay, fins: list[str]) -> None:
        """The first time fingerprints are enrolled, and now and then once more under another FIN."""
        twice = len(fins) == 1 and self._rng.chance(rates.TWO_FINS / rates.FINGERPRINTED)
        enrols = not fins or twice
        if enrols:
            fins.append(_fin(page.person, len(fins)))
        said = self._mistakes.tell(page.person, stay, bare=not enrols)
        who = _whole(said, fins[-1])
        key = self._new()
        category = "ENROLMENT" if enrols else "ENTRY"
        kinds = self._once(key, category, "" if enrols else MATCHED, stay.arrival, who)
        self._keep(page, key, who, (*said.kinds, *kinds))

    def _exit(self, page: Page, index: int, departure: Crossing, fins: list[str]) -> None:
        stay = page.person.stays[index]
        alone = bool(fins) and self._rng.chance(rates.FIN_ALONE)
        said = self._mistakes.tell(page.person, stay, named=not alone, bare=not alone)
        who = Holder(fin=fins[-1]) if alone else _whole(said, fins[-1] if fins else "")
        key = self._new()
        kinds = said.kinds
        earlier = self._mistakes.other_time(departure, possible=len(page.told[index]) > 1)
        if earlier is not None:
            departure = earlier
            kinds = (*kinds, "other_time")
        if self._rng.chance(rates.CORRECTED_EXIT):
            wrong = replace(departure, day=departure.day - 1)
            self._tell(key, "EXIT", MATCHED, wrong, who)
            self._tell(key, "EXIT", MATCHED, departure, who, version=2, action="C")
        else:
            kinds = (*kinds, *self._once(key, "EXIT", MATCHED, departure, who))
        self._keep(page, key, who, kinds)

    def _false_exits(self, page: Page, stay: Stay, fins: list[str]) -> None:
        """An exit that matched nobody, which says nothing; and one that was somebody else's, which is deleted."""
        who = _whole(Told(page.person, stay.passport), fins[-1] if fins else "")
        crossing = self._rng.crossing("LAX", "A", stay.arrival.day + 2)
        if crossing.day > self._span.last:
            return
        if self._rng.chance(rates.NOT_MATCHED):
            self._tell(self._new(), "EXIT", NOT_MATCHED, crossing, who)
        if self._rng.chance(rates.WRONG_EXIT):
            key = self._new()
            self._tell(key, "EXIT", MATCHED, crossing, who)
            self._tell(key, "EXIT", MATCHED, crossing, who, version=2, action="D")
            page.retracted.append(("IDENT", key))

    def _merge(self, page: Page, fins: list[str]) -> None:
        """Two sets of fingerprints are found to be one person's."""
        stay = page.person.stays[-1]
        who = replace(_whole(Told(page.person, stay.passport), fins[0]), former=tuple(fins[1:]))
        key = self._new()
        self._tell(key, "MERGE", "", stay.arrival, who, recorded=stay.arrival.at + MENDED_AFTER)
        self._keep(page, key, who, ())

    def _once(self, key: str, category: str, match: str, crossing: Crossing, who: Holder) -> tuple[str, ...]:
        """An encounter that is never mended. It may come late, or once more in the message of the week after."""
        recorded = crossing.at + RECORDED_AFTER
        late = self._mistakes.late((self._span.until - recorded) // DAY)
        recorded += late * DAY
        self._tell(key, category, match, crossing, who, recorded=recorded)
        twice = self._mistakes.due("duplicate")
        if twice:
            self._encounters.add(key, 1, "N", category, match, recorded, crossing, who, again=True)
        return (*(("out_of_order",) if late else ()), *(("duplicate",) if twice else ()))

    def _tell(
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

    def _keep(self, page: Page, key: str, who: Holder, kinds: tuple[str, ...]) -> None:
        told = {f"fin:{fin}" for fin in (who.fin, *who.former) if fin}
        if who.passport[1]:
            told.add(f"passport:{who.passport[0]}:{who.passport[1]}")
        if who.foil:
            told.add(f"visa:{who.foil}")
        page.records.append(TrueRecord("IDENT", key, frozenset(told), kinds))

    def _new(self) -> str:
        self._number += 1
        return f"E{self._number}"


def _fin(person: Person, before: int) -> str:
    """The FIN of a person; another one for each enrolment before."""
    return f"{before + 1}{person.number * 39_916_801 % 10**9:09}"


def _whole(said: Told, fin: str) -> Holder:
    person = said.person
    return Holder(
        "" if said.bare else fin,
        (),
        person.family,
        person.given,
        birth_of(person.birth),
        person.sex,
        person.citizenship,
        ("", "") if said.bare else (said.passport.state, said.passport.number),
        "" if said.bare else person.foil,
    )
