"""CBSA as the simulator has it: files of entries into Canada, a week each, on an SFTP server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from schemas.country_codes import NAMES
from services.simulator.clock import DAY, instant, iso, iso_stamp, local, midnight, utc_day
from services.simulator.log import PersonLog, birth_text, reported_departure
from services.simulator.noise import Description
from services.simulator.population.plans import Crossing
from services.simulator.population.rates import table
from services.simulator.rng import Rng
from services.simulator.sftp import files_at
from services.simulator.source import Counts, DepartureReports, Run, Served, Source, Surroundings, Writer
from services.simulator.systems.cbsa import rates

WEEK = 7
RECORDED_AFTER = 4 * 3600
ZONES = {
    "PACIFIC HIGHWAY": "America/Vancouver",
    "COUTTS": "America/Edmonton",
    "FORT ERIE": "America/Toronto",
    "ST-BERNARD-DE-LACOLLE": "America/Toronto",
    "WOODSTOCK ROAD": "America/Moncton",
}
"""The zone of the clocks at a port."""


def _recorded(departure: Crossing) -> bool:
    """Return whether Canada records a departure: by land, not as a removal, at a time that its clock shows once."""
    clock = ZONES.get(departure.foreign_port)
    if clock is None or departure.second is None or departure.removed:
        return False
    return instant(*local(clock, departure.at), clock) == departure.at


@dataclass(slots=True)
class CbsaWriter:
    """Writes the files, once all persons are known."""

    run: Run
    rng: Rng = field(init=False)
    number: int = 0
    corrected: int = 0
    weeks: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.rng = self.run.rng()

    def write(self, log: PersonLog) -> None:
        """Write a person's entries."""
        for index, stay in enumerate(log.person.stays):
            departure = reported_departure(stay, self.run.span)
            if departure is None or departure.second is None or not log.reports(index, self.run.system):
                continue
            described = self.run.mistakes.describe(log.person, stay, bare=True)
            passport = not described.bare and not self.rng.chance(rates.NOT_PASSPORT)
            self.number += 1
            key = f"CA{self.number:010}"
            entered = replace(departure, second=departure.second // 60 * 60, at=departure.at // 60 * 60)
            recorded = entered.at + RECORDED_AFTER
            if passport and self.rng.chance(rates.CORRECTED) and recorded + WEEK * DAY < self.run.span.records_end:
                self.corrected += 1
                self._add(key, "N", replace(entered, at=entered.at - DAY), recorded, described, passport=passport)
                self._add(key, "C", entered, recorded + WEEK * DAY, described, passport=passport)
            else:
                self._add(key, "N", entered, recorded, described, passport=passport)
            log.departed(index, self.run.system, key, "foreign_entry", entered)
            document = described.passport
            numbers = {f"passport:{document.state}:{document.number}"} if passport else set[str]()
            log.add(self.run.system, key, numbers, described.kinds)

    def finish(self) -> Counts:
        """Write the files; each vouches for its week, the first from the beginning of the records."""
        self.run.place.mkdir()
        since, read = self.run.span.since, 0
        for sequence, (week, lines) in enumerate(sorted(self.weeks.items()), 1):
            through = min(midnight((week + 1) * WEEK, "UTC"), self.run.span.records_end)
            stamps = "|".join(f"{iso_stamp(at)}Z" for at in (through, since, through))
            whole = [f"H|1|{sequence}|{stamps}", *(line for _, line in sorted(lines)), f"T|{sequence}|{len(lines)}"]
            path = self.run.place / f"CBSA-ENTRY.{sequence:06}.txt"
            path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
            since, read = through, read + len(lines)
        return {"read": read, "published": read, "filtered": 0, "corrections": self.corrected}

    def _add(
        self, key: str, action: str, entered: Crossing, recorded: int, described: Description, *, passport: bool
    ) -> None:
        """Put an entry into the file of its week."""
        who, document = described.person, described.passport
        first, _, middle = who.given.partition(" ")
        day, second = local(ZONES[entered.foreign_port], entered.at)
        kind, number, issuer = "NEXUS", f"98{who.number:07}", ""
        if passport:
            kind, number, issuer = "PASSPORT", document.number, _country(document.state)
        elif described.bare:
            kind = number = ""
        values = (
            *("D", key, action, first, middle, who.family, birth_text(who.birth), _country(who.citizenship), who.sex),
            *(kind, number, issuer, iso(day), f"{second // 3600:02}:{second // 60 % 60:02}", entered.foreign_port),
            f"{iso_stamp(recorded)}Z",
        )
        self.weeks[utc_day(recorded) // WEEK].append((recorded, "|".join(values)))


def _country(state: str) -> str:
    """Return the name of a country by its code of ICAO 9303; the code itself where the name is not known."""
    try:
        return NAMES.code_of(state)
    except KeyError:
        return state


class Cbsa(Source):
    """An agency abroad that keeps its files on an SFTP server."""

    system = "CBSA"
    place = "cbsa"
    departures = DepartureReports(can=_recorded, alone=rates.DEPARTURE_ALONE, beside=rates.DEPARTURE_BESIDE)
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return CbsaWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Have the files on a server. Raises SourceUnavailable."""
        async with files_at(place, surroundings.server) as settings:
            yield Served({"CBSA.entries": settings})


SOURCE = Cbsa()
