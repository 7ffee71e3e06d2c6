"""BCI as the simulator has it: batches on an SFTP server, of entries by land and of Canada's word on exits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.simulator.clock import DAY
from services.simulator.log import PersonLog, reported_at, reported_departure
from services.simulator.noise import Description
from services.simulator.population.names import telling
from services.simulator.population.plans import Crossing, Stay
from services.simulator.population.rates import table
from services.simulator.rng import Rng
from services.simulator.sftp import files_at
from services.simulator.source import Counts, DepartureReports, Run, Served, Source, Surroundings, Writer
from services.simulator.systems.bci import rates
from services.simulator.systems.bci.batches import CANADA, MENDED_AFTER, RECORDED_AFTER, Batches, Entry, person


def _into_canada(departure: Crossing) -> bool:
    """Return whether Canada records a departure: by land, with its time, and not as a removal."""
    return departure.foreign_port in CANADA and departure.second is not None and not departure.removed


@dataclass(slots=True)
class BciWriter:
    """Writes the batches."""

    run: Run
    number: int = 0
    rng: Rng = field(init=False)
    batches: Batches = field(init=False)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("exits", "entries", "deletions"), 0))

    def __post_init__(self) -> None:
        self.rng = self.run.rng()
        self.batches = Batches(self.run.place)

    def write(self, log: PersonLog) -> None:
        """Write a person's crossings by land."""
        for index, stay in enumerate(log.person.stays):
            arrival = stay.arrival
            by_land = arrival.mode == "L" and arrival.second is not None and stay.inspection == "A"
            if by_land and reported_at(arrival) + DAY <= self.run.span.records_end:
                if self.rng.chance(rates.ENTERED):
                    self._tell(log, stay, Entry.into_here(arrival), arrival.at, admits=True)
                    self.counts["entries"] += 1
                self._false_exit(log, stay)
            departure = reported_departure(stay, self.run.span)
            if departure is not None and log.reports(index, self.run.system):
                key = self._tell(log, stay, Entry.into_canada(departure), departure.at)
                log.departed(index, self.run.system, key, "foreign_entry", departure)
                self.counts["exits"] += 1

    def finish(self) -> Counts:
        """Complete the batches."""
        self.batches.finish(self.run.span.since, self.run.span.records_end)
        return {"read": self.batches.records, "published": self.batches.records, "filtered": 0, **self.counts}

    def _tell(self, log: PersonLog, stay: Stay, entry: Entry, at: int, *, admits: bool = False) -> str:
        """Write a record, mended, late or twice now and then; return its key. `admits`: of an arrival."""
        mistakes = self.run.mistakes
        # an arrival that nothing ties to the person would be another traveller's, who came and never left
        described = mistakes.describe(log.person, stay, bare=not admits)
        tied = admits and (bool(described.kinds) or not telling(log.person))
        passport = described.bare or tied or not self.rng.chance(rates.NOT_PASSPORT)
        who, key, kinds = person(described, passport=passport), self._new(), list(described.kinds)
        recorded = at + RECORDED_AFTER
        if self.rng.chance(rates.CORRECTED):
            wrong = replace(described.person, family=described.person.given, given=described.person.family)
            described_wrong = Description(wrong, described.passport, described.bare)
            self.batches.add(key, "N", entry, recorded, person(described_wrong, passport=passport))
            self.batches.add(key, "C", entry, recorded + MENDED_AFTER, who)
        else:
            late = mistakes.late((self.run.span.records_end - recorded) // DAY)
            kinds += ["out_of_order"] if late else []
            self.batches.add(key, "N", entry, recorded + late * DAY, who)
            if mistakes.due("duplicate"):
                kinds.append("duplicate")
                self.batches.add(key, "N", entry, recorded + late * DAY, who)
        document = described.passport
        numbers = {f"passport:{document.state}:{document.number}"} if passport and not described.bare else set[str]()
        log.add(self.run.system, key, numbers, kinds)
        return key

    def _false_exit(self, log: PersonLog, stay: Stay) -> None:
        """Write an entry into Canada that was another person's, and its deletion."""
        crossing = replace(stay.arrival, foreign_port="FORT ERIE", at=stay.arrival.at + DAY)
        if not self.rng.chance(rates.WRONG_CROSSING) or crossing.at + 2 * DAY > self.run.span.records_end:
            return
        key, entry = self._new(), Entry.into_canada(crossing)
        who = person(Description(log.person, stay.passport), passport=True)
        self.batches.add(key, "N", entry, crossing.at + RECORDED_AFTER, who)
        self.batches.add(key, "D", entry, crossing.at + RECORDED_AFTER + MENDED_AFTER, who)
        self.counts["deletions"] += 1
        log.retract(self.run.system, key)

    def _new(self) -> str:
        self.number += 1
        return f"BC{self.number:012}"


class Bci(Source):
    """A system that keeps its batches on an SFTP server."""

    system = "BCI"
    place = "bci"
    departures = DepartureReports(can=_into_canada, alone=rates.DEPARTURE_ALONE, beside=rates.DEPARTURE_BESIDE)
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return BciWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Have the batches on a server. Raises SourceUnavailable."""
        async with files_at(place, surroundings.server) as settings:
            yield Served({"BCI.batches": settings})


SOURCE = Bci()
