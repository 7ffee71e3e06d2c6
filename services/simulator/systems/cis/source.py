"""CIS as the simulator has it: the index of A-files, extracted whole a few times, a copy of what others decided."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from time import time

from services.simulator.clock import DAY, midnight, utc_day
from services.simulator.log import PersonLog
from services.simulator.noise import Description
from services.simulator.population.plans import Application, without_hyphen
from services.simulator.population.rates import table
from services.simulator.population.timeline import Happening, Kind
from services.simulator.rng import Rng
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.cis import rates
from services.simulator.systems.cis.extract import File, detail, extract

OFFICES = ("NRC", "MSC", "LOS", "NYC", "CHI")
CASES = frozenset(
    {
        Kind.ASYLUM_FILED,
        Kind.NATURALISATION_FILED,
        Kind.ARRESTED,
        Kind.CHARGED,
    }
)
DESCRIPTIONS = {"IR6": "SPOUSE OF U.S. CITIZEN", "B1": "TEMPORARY VISITOR FOR BUSINESS", "B2": "TEMP VISITOR PLEASURE"}
"""Some classes in the words of an older edition."""
_FIRST_FALSE = 98_000_000
_ZONE = "America/New_York"


@dataclass(slots=True)
class CisWriter:
    """Writes the extracts, once all persons are known."""

    run: Run
    rng: Rng = field(init=False)
    days: tuple[int, ...] = field(init=False)  # of the extracts
    rows: list[dict[str, bytes]] = field(init=False)  # of each extract, by A-number
    files: int = 0

    def __post_init__(self) -> None:
        self.rng = self.run.rng()
        last = utc_day(self.run.span.records_end)
        self.days = tuple(last - before for before in rates.EXTRACTS)
        self.rows = [{} for _ in self.days]

    def write(self, log: PersonLog) -> None:
        """Write a person's file as it stood on the day of each extract."""
        if not log.person.a_number:
            return
        known = log.happenings()
        opened = min((each.day for each in known if _opens(each)), default=0)
        if not opened or opened + rates.LAG > self.days[-1]:
            return
        self.files += 1
        described = self.run.mistakes.describe(log.person, log.person.stays[-1])
        number = self.run.mistakes.number
        file = File(
            number=log.person.a_number.removeprefix("A").zfill(9),
            office=self.rng.one(OFFICES),
            opened=opened,
            admission_class="",
            described_as="",
            port="",
            entered=0,
            i94="",
            fin=number("fin", log.person.fin, described)[:10],
            fbi=f"{log.person.number:06}AA{self.rng.between(0, 9)}" if self.rng.chance(rates.FBI) else "",
        )
        moved = opened + self.rng.between(5, 200) if self.rng.chance(rates.MOVED) else 0
        numbered = False
        for index, day in enumerate(self.days):
            if opened + rates.LAG <= day:
                file = self._known(file, log, known, day - rates.LAG, moved)
                if not numbered and file.i94:
                    file = replace(file, i94=number("i94", file.i94, described))
                numbered = numbered or bool(file.i94)
                self.rows[index][file.number] = detail(file, described)
        identifiers = {f"a:{file.number}"} | {
            f"{scheme}:{at}" for scheme, at in (("fin", file.fin), ("i94", file.i94)) if at
        }
        log.add(self.run.system, f"A{file.number}", identifiers, described.kinds)
        if opened + rates.LAG <= self.days[-2] and self.rng.chance(rates.CONSOLIDATED):
            self._false_file(log, file, described)

    def finish(self) -> Counts:
        """Write the extracts."""
        self.run.place.mkdir()
        read, before = 0, dict[str, bytes]()
        for sequence, (day, rows) in enumerate(zip(self.days, self.rows, strict=True), 1):
            read += sum(before.get(number) != record for number, record in rows.items())
            read += sum(number not in rows for number in before)
            path = self.run.place / f"CIS.D{date.fromordinal(day):%Y%m%d}.S{sequence:09}"
            path.write_bytes(extract([rows[number] for number in sorted(rows)], sequence, day))
            made = min(midnight(day, "UTC"), int(time()) - DAY)  # long ago: no reader waits whether it still grows
            os.utime(path, (made, made))
            before = rows
        return {"read": read, "published": read, "filtered": 0, "files": self.files}

    def _known(self, file: File, log: PersonLog, known: tuple[Happening, ...], day: int, moved: int) -> File:
        """Return the file as the index has it of what happened up to a day."""
        admitted = [
            stay for stay in log.person.stays if stay.inspection == "A" and stay.number and stay.arrival.day <= day
        ]
        granted = next((each.day for each in known if each.day <= day and _granted(each)), 0)
        oath = next((each.day for each in known if each.day <= day and each.kind is Kind.OATH), 0)
        changes = [file.opened, granted, oath, moved if moved <= day else 0]
        if admitted:
            stay = admitted[-1]
            admission_class = "IR6" if granted else without_hyphen(stay.admission_class)[:3]
            changes.append(stay.arrival.day)
            file = replace(
                file,
                admission_class=admission_class,
                described_as=DESCRIPTIONS.get(admission_class, ""),
                port=stay.arrival.port if stay.arrival.mode == "L" else "",
                entered=stay.arrival.day,
                i94=file.i94 if file.i94 and file.entered == stay.arrival.day else stay.number,
            )
        source = ("", "")
        if granted:
            held = [record.record for record in log.records if record.system == "CLAIMS3"]
            source = ("CLAIMS3", held[-1]) if held else source
        return replace(
            file,
            resident=granted,
            citizen=oath,
            source=source,
            moved=(OFFICES[0], moved) if moved and moved <= day else ("", 0),
            updated=midnight(max(changes) + rates.LAG, _ZONE) + 4 * 3600,
        )

    def _false_file(self, log: PersonLog, file: File, described: Description) -> None:
        """Write a second file of the person, which the last extract has no more: it was consolidated."""
        false = replace(
            file, number=f"{_FIRST_FALSE + self.files:09}", i94="", fin="", fbi="", resident=0, citizen=0, entered=0
        )
        bare = Description(described.person, replace(described.passport, number=""))
        for rows, day in zip(self.rows[:-1], self.days[:-1], strict=True):
            if file.opened + rates.LAG <= day:
                updated = midnight(file.opened + rates.LAG, _ZONE) + 4 * 3600
                rows[false.number] = detail(replace(false, updated=updated, moved=("", 0), source=("", "")), bare)
        log.retract(self.run.system, f"A{false.number}")


def _opens(happening: Happening) -> bool:
    """Return whether a file is opened for it."""
    filed = happening.subject if happening.kind is Kind.APPLIED else None
    return happening.kind in CASES or (isinstance(filed, Application) and filed.form == "I-485")


def _granted(happening: Happening) -> bool:
    """Return whether it makes a permanent resident."""
    decided = happening.subject if happening.kind is Kind.DECIDED else None
    return isinstance(decided, Application) and (decided.form, decided.decision) == ("I-485", "approved")


class Cis(Source):
    """A system that drops its whole index."""

    system = "CIS"
    place = "cis"
    derived = True
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return CisWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the extracts."""
        return {"CIS.nightly": {"url": place.as_uri()}}


SOURCE = Cis()
