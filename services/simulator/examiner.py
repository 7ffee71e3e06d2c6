"""Writes down a person's biometric encounters: who was enrolled, who came and left, what was mended."""

from __future__ import annotations

from dataclasses import replace

from services.simulator import shares
from services.simulator.dice import Dice
from services.simulator.ident import Encounters, Holder
from services.simulator.plans import Crossing, Person, Span, Stay
from services.simulator.scribe import Page, birth_of
from services.simulator.truth import TrueRecord

MATCHED, NOT_MATCHED = "MATCHED", "NOT-MATCHED"
FIRST_ENCOUNTER = 1_000_000_000
RECORDED_AFTER, MENDED_AFTER = 90, 40_000
"""Seconds between what happened and its record, or the record's correction."""


class Examiner:
    """Writes encounters into IDENT's messages."""

    def __init__(self, seed: int, span: Span, encounters: Encounters) -> None:
        self._dice = Dice(f"examiner {seed}")
        self._span = span
        self._encounters = encounters
        self._number = FIRST_ENCOUNTER

    def write(self, page: Page) -> None:
        """All encounters of a person."""
        fins: list[str] = []
        for index, stay in enumerate(page.person.stays):
            if stay.inspection == "A" and self._dice.chance(shares.FINGERPRINTED):
                self._entry(page, stay, fins)
            if stay.departure is not None and "IDENT" in page.told.get(index, ()):
                self._exit(page, stay, stay.departure, fins)
            if stay.inspection == "A":
                self._mistakes(page, stay, fins)
        if len(fins) > 1:
            self._merge(page, fins)

    def _entry(self, page: Page, stay: Stay, fins: list[str]) -> None:
        """The first time fingerprints are enrolled, and now and then once more under another FIN."""
        twice = len(fins) == 1 and self._dice.chance(shares.TWO_FINS / shares.FINGERPRINTED)
        enrols = not fins or twice
        if enrols:
            fins.append(_fin(page.person, len(fins)))
        who = _whole(page.person, stay, fins[-1])
        key = self._new()
        category = "ENROLMENT" if enrols else "ENTRY"
        self._tell(key, category, "" if enrols else MATCHED, stay.arrival, who)
        self._keep(page, key, who)

    def _exit(self, page: Page, stay: Stay, departure: Crossing, fins: list[str]) -> None:
        who = _whole(page.person, stay, fins[-1] if fins else "")
        if fins and self._dice.chance(shares.FIN_ALONE):
            who = Holder(fin=fins[-1])
        key = self._new()
        if self._dice.chance(shares.CORRECTED_EXIT):
            wrong = replace(departure, day=departure.day - 1)
            self._tell(key, "EXIT", MATCHED, wrong, who)
            self._tell(key, "EXIT", MATCHED, departure, who, version=2, action="C")
        else:
            self._tell(key, "EXIT", MATCHED, departure, who)
        self._keep(page, key, who)

    def _mistakes(self, page: Page, stay: Stay, fins: list[str]) -> None:
        """An exit that matched nobody, which says nothing; and one that was somebody else's, which is deleted."""
        who = _whole(page.person, stay, fins[-1] if fins else "")
        crossing = self._dice.crossing("LAX", "A", stay.arrival.day + 2)
        if crossing.day > self._span.last:
            return
        if self._dice.chance(shares.NOT_MATCHED):
            self._tell(self._new(), "EXIT", NOT_MATCHED, crossing, who)
        if self._dice.chance(shares.WRONG_EXIT):
            key = self._new()
            self._tell(key, "EXIT", MATCHED, crossing, who)
            self._tell(key, "EXIT", MATCHED, crossing, who, version=2, action="D")
            page.retracted.append(("IDENT", key))

    def _merge(self, page: Page, fins: list[str]) -> None:
        """Two sets of fingerprints are found to be one person's."""
        stay = page.person.stays[-1]
        who = replace(_whole(page.person, stay, fins[0]), former=tuple(fins[1:]))
        key = self._new()
        self._tell(key, "MERGE", "", stay.arrival, who, recorded=stay.arrival.at + MENDED_AFTER)
        self._keep(page, key, who)

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

    def _keep(self, page: Page, key: str, who: Holder) -> None:
        told = {f"fin:{fin}" for fin in (who.fin, *who.former) if fin}
        if who.passport[1]:
            told.add(f"passport:{who.passport[0]}:{who.passport[1]}")
        if who.foil:
            told.add(f"visa:{who.foil}")
        page.records.append(TrueRecord("IDENT", key, frozenset(told)))

    def _new(self) -> str:
        self._number += 1
        return f"E{self._number}"


def _fin(person: Person, before: int) -> str:
    """The FIN of a person; another one for each enrolment before."""
    return f"{before + 1}{person.number * 39_916_801 % 10**9:09}"


def _whole(person: Person, stay: Stay, fin: str) -> Holder:
    return Holder(
        fin,
        (),
        person.family,
        person.given,
        birth_of(person.birth),
        person.sex,
        person.citizenship,
        (stay.passport.state, stay.passport.number),
        person.foil,
    )
