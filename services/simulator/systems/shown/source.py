"""SHOWN as the simulator has it: entries of persons who left unreported and can show it, and a file of corrections."""

from __future__ import annotations

from pathlib import Path

from services.simulator.clock import DAY, iso, iso_stamp
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population.cases import SHOWN
from services.simulator.population.plans import Stay
from services.simulator.population.rates import table
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.shown import rates

STATES = {"D": "DEU"}
"""As ICAO 9303 has it in an interface of three letters."""


class ShownWriter:
    """Writes entries, and at the end the two files that hold them."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rng = run.rng()
        self._entries: list[str] = []
        self._corrections: list[str] = []
        self._number = self._left_out = 0

    def write(self, log: PersonLog) -> None:
        """Write what a person shows."""
        for stay in log.person.stays:
            if stay.proof and stay.departure is not None:
                self._enter(log, stay, stay.departure.day)

    def finish(self) -> Counts:
        """Complete the files."""
        self._run.place.mkdir()
        for number, lines in enumerate((self._entries, self._corrections), start=1):
            text = "\n".join([f"H|1|{number}", *lines, f"T|{number}|{len(lines)}"])
            (self._run.place / f"shown.{number:06}").write_text(f"{text}\n")
        read = len(self._entries) + len(self._corrections)
        return {"read": read, "published": read - self._left_out, "filtered": self._left_out}

    def _enter(self, log: PersonLog, stay: Stay, left: int) -> None:
        """Write an entry, with a wrong day at first now and then, and one of papers that are not genuine."""
        mistakes = self._run.mistakes
        description = mistakes.describe(log.person, stay)
        number = stay.number if self._rng.chance(rates.NUMBER_STATED) else ""
        number = mistakes.number("i94", number, description)
        documented = not number or self._rng.chance(rates.PASSPORT_STATED)
        passport = description.passport if documented else None
        state = STATES.get(passport.state, passport.state) if passport else ""
        subject = (number, passport.number if passport else "", state, *_named(description))
        key = self._new()
        if self._rng.chance(rates.CORRECTED):
            self._entries.append(self._line(key, "N", "A", subject, left - 1, stay))
            self._corrections.append(self._line(key, "C", "A", subject, left, stay))
        else:
            self._entries.append(self._line(key, "N", "A", subject, left, stay))
        identifiers = {f"i94:{number}"} if number else set()
        if passport:
            identifiers.add(f"passport:{passport.state}:{passport.number}")
        log.add(self._run.system, key, identifiers, description.kinds)
        if self._rng.chance(rates.NOT_ACCEPTED):
            self._entries.append(self._line(self._new(), "N", "R", subject, left - 2, stay))
            self._left_out += 1

    def _line(self, key: str, action: str, result: str, subject: tuple[str, ...], left: int, stay: Stay) -> str:
        crossing = stay.departure or stay.arrival
        entered = min(crossing.at + DAY * self._rng.between(10, 200), self._run.span.records_end - 60)
        flight = (crossing.port, crossing.carrier if crossing.mode == "A" else "")
        papers = "PASS" if flight[1] else "STAMP"
        return "|".join(
            ("D", key, action, result, *subject, iso(left), *flight, papers, f"{iso_stamp(entered)}Z", "K1")
        )

    def _new(self) -> str:
        self._number += 1
        return f"S{self._number:07}"


def _named(description: Description) -> tuple[str, ...]:
    """Return names, birth, sex and citizenship as an entry has them."""
    person = description.person
    citizenship = STATES.get(person.citizenship, person.citizenship)
    return (person.family, person.given, birth_text(person.birth), person.sex, citizenship)


class Shown(Source):
    """What persons show of departures that no system reported."""

    system = "SHOWN"
    place = "shown"
    brings = frozenset({SHOWN})
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return ShownWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the files."""
        return {"SHOWN.files": {"url": place.as_uri()}}


SOURCE = Shown()
