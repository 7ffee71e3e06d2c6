"""NFTS as the simulator has it: files with the moves of each month."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from services.simulator.clock import iso, utc_day
from services.simulator.log import PersonLog
from services.simulator.population.rates import table
from services.simulator.population.timeline import Kind
from services.simulator.rng import Rng
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.nfts import rates

MONTH = 30
OFFICES = ("NBC", "NRC", "VSC", "SFR", "LOS", "NYC", "MIA", "CHI")
BEGINS = frozenset(
    {Kind.APPLIED, Kind.ASYLUM_FILED, Kind.NATURALISATION_FILED, Kind.ARRESTED, Kind.CHARGED, Kind.ORDERED_REMOVED}
)
"""What an A-file is opened for."""


@dataclass(frozen=True, slots=True)
class Move:
    """What a detail says of a file on a day (ordinal)."""

    day: int
    status: str
    office: str
    action: str = "C"


@dataclass(slots=True)
class NftsWriter:
    """Writes the files, once all persons are known."""

    run: Run
    months: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))  # day and detail
    rng: Rng = field(init=False)
    last: int = field(init=False)  # day

    def __post_init__(self) -> None:
        self.rng = self.run.rng()
        self.last = utc_day(self.run.span.records_end) - 1

    def write(self, log: PersonLog) -> None:
        """Write the files on a person who has an A-number and a case."""
        number = log.person.a_number
        opened = next((each.day for each in log.happenings() if each.kind in BEGINS), 0)
        if not number or not opened or opened > self.last:
            return
        moves = self._moves(opened)
        self._file(log, number, "A", "", moves)
        if self.rng.chance(rates.TEMPORARY):
            day = opened + self.rng.between(*rates.APART)
            self._file(log, number, "T", "1", [Move(day, "CREATED", self.rng.one(OFFICES), "N")])
        if self.rng.chance(rates.CONSOLIDATED):
            day = opened + self.rng.between(*rates.APART)
            self._file(log, _earlier(number), "A", "", [Move(day, "RETIRED", "NRC", "N")], surviving=number)

    def finish(self) -> Counts:
        """Write the files, one for each month in which something moved."""
        self.run.place.mkdir()
        for sequence, (month, details) in enumerate(sorted(self.months.items()), 1):
            ordered = [line for _, line in sorted(details, key=lambda each: each[0])]
            lines = [f"HDR|{iso((month + 1) * MONTH)}|NFTS|{sequence}", *ordered, f"TRL|{len(ordered)}"]
            path = self.run.place / f"NFTS.{sequence:06}"
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        read = sum(map(len, self.months.values()))
        return {"read": read, "published": read, "filtered": 0}

    def _moves(self, opened: int) -> list[Move]:
        """Return the life of an A-file: created, moved from office to office, scanned perhaps."""
        moves, day = [Move(opened, "CREATED", "NBC", "N")], opened
        for _ in range(self.rng.between(*rates.MOVES)):
            day += self.rng.between(*rates.APART)
            office = self.rng.one(OFFICES)
            moves += [Move(day, "IN TRANSIT", office), Move(day + 3, "RECEIVED", office)]
            if self.rng.chance(rates.CORRECTED):
                moves.append(Move(day + 9, "RECEIVED", self.rng.one(OFFICES)))
        if self.rng.chance(rates.DIGITISED):
            moves.append(Move(day + self.rng.between(*rates.APART), "DIGITISED", "NRC"))
        return moves

    def _file(self, log: PersonLog, number: str, kind: str, part: str, moves: list[Move], surviving: str = "") -> None:
        known = [move for move in moves if move.day <= self.last]
        for move in known:
            values = (
                *("DTL", move.action, kind, number, "", part, surviving),
                *(move.office, "0120", "", move.status, iso(move.day), f"{iso(move.day)}T22:00:00Z"),
            )
            self.months[move.day // MONTH].append((move.day, "|".join(values)))
        if known:
            identifiers = {f"a_number:{each}" for each in (number, surviving) if each}
            log.add(self.run.system, f"{number}/{kind}{part}", identifiers)


def _earlier(number: str) -> str:
    """Return the number that a person had been given before: one that hardly anyone else has."""
    return f"A0{int(number[1:]) % 10**8:08}"


class Nfts(Source):
    """A system that drops files."""

    system = "NFTS"
    place = "nfts"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return NftsWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the moves."""
        return {"NFTS.moves": {"url": place.as_uri()}}


SOURCE = Nfts()
