"""EDMS as the simulator has it: scans of the papers that lie in A-files, in an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from services.simulator.clock import DAY, iso_stamp, midnight
from services.simulator.log import PersonLog
from services.simulator.noise import Description
from services.simulator.population.plans import Application
from services.simulator.population.rates import table
from services.simulator.population.timeline import Kind
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.edms import rates

COLUMNS = ("document_id", "a_number", "file_part", "form_number", "pages", "scanned_at", "office")
PAPERS = {
    Kind.ASYLUM_FILED: ("I-589", "L"),
    Kind.NATURALISATION_FILED: ("N-400", "R"),
    Kind.OATH: ("N-445", "R"),
    Kind.ARRESTED: ("I-213", "L"),
    Kind.CHARGED: ("I-862", "L"),
    Kind.REMOVED: ("I-205", "L"),
}
OFFICES = ("NRC", "MSC", "LOS", "NYC", "CHI")
_BATCH = 2_000
_ZONE = "America/Chicago"


class EdmsWriter:
    """Writes scans into the view."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rng = run.rng()
        self._database = sqlite3.connect(run.place)
        self._database.execute(f"CREATE TABLE scanned_document ({', '.join(COLUMNS)})")
        self._held: list[tuple[object, ...]] = []
        self._rows = self._separators = self._document = 0

    def write(self, log: PersonLog) -> None:
        """Write the scans of a person's file."""
        if not log.person.a_number:
            return
        for form, part, day in self._papers(log):
            at = midnight(day + self._rng.between(*rates.LATER), _ZONE) + int(self._rng.random.random() * DAY / 2)
            if at < self._run.span.records_end and self._rng.chance(rates.SCANNED):
                self._scan(log, form, part, at)

    def finish(self) -> Counts:
        """Complete the view."""
        self._flush()
        self._database.execute("CREATE VIEW visabus_scanned_document AS SELECT * FROM scanned_document")
        self._database.commit()
        self._database.close()
        return {"read": self._rows, "published": self._rows - self._separators, "filtered": self._separators}

    def _papers(self, log: PersonLog) -> Iterator[tuple[str, str, int]]:
        """Yield form, side and day of the papers that came into the file."""
        for happening in log.happenings():
            if happening.kind in PAPERS:
                form, part = PAPERS[happening.kind]
                yield form, part, happening.day
            filed = happening.subject if happening.kind is Kind.APPLIED else None
            if isinstance(filed, Application) and filed.form == "I-485":
                yield "I-485", "R", happening.day

    def _scan(self, log: PersonLog, form: str, part: str, at: int) -> None:
        description = Description(log.person, log.person.stays[-1].passport)
        number = self._run.mistakes.number("alien", log.person.a_number, description, possible=False)
        bare = self._rng.chance(rates.BARE)
        document = self._row(number, "W" if bare else part, None if bare else form, at)
        log.add(self._run.system, document, {f"a:{number}"}, description.kinds)
        if self._rng.chance(rates.SEPARATOR):
            self._separators += 1
            self._row(number, "S", None, at + 1)

    def _row(self, number: str, part: str, form: str | None, at: int) -> str:
        self._document += 1
        self._rows += 1
        document = f"D{self._document:09}"
        scanned = iso_stamp(at) + ".000000Z"
        pages = self._rng.between(1, 40)
        self._held.append((document, number, part, form, pages, scanned, self._rng.one(OFFICES)))
        if len(self._held) >= _BATCH:
            self._flush()
        return document

    def _flush(self) -> None:
        self._database.executemany("INSERT INTO scanned_document VALUES (?, ?, ?, ?, ?, ?, ?)", self._held)
        self._database.commit()
        self._held.clear()


class Edms(Source):
    """A system that holds scanned files."""

    system = "EDMS"
    place = "edms.db"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return EdmsWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the view."""
        return {"EDMS.documents": {"url": f"sqlite+aiosqlite:///{place}"}}


SOURCE = Edms()
