"""CCD as the simulator has it: its table in an SQLite file, as it stands when the records end."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.simulator.clock import iso, utc_day
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population.plans import Visa, without_hyphen
from services.simulator.population.rates import table
from services.simulator.rng import Choice, Rng
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.ccd import rates

COLUMNS = """
    visa_case_id row_version application_id foil_number visa_class post_code status_code status_date issued_date
    expires_date entries refusal_section family_name given_name date_of_birth sex nationality passport_number
    passport_country annotation void_flag last_update_ts
""".split()
FIRST = 5_000_000
CLASSES = {"B1": "B1/B2", "B2": "B1/B2"}
"""What stands on the foil where it is not what the inspector stamps."""


@dataclass(slots=True)
class CcdWriter:
    """Fills the table."""

    run: Run
    rows: list[dict[str, Any]] = field(default_factory=list)
    rng: Rng = field(init=False)
    entries: Choice[str] = field(init=False)
    last: int = field(init=False)  # day

    def __post_init__(self) -> None:
        self.rng = self.run.rng()
        self.entries = Choice(rates.ENTRIES)
        self.last = utc_day(self.run.span.records_end) - 1

    def write(self, log: PersonLog) -> None:
        """Write the applications of a person."""
        for visa in log.person.visas:
            if not visa.application or visa.issued > self.last:
                continue
            described = self.run.mistakes.describe(log.person, log.person.stays[0])
            foil = self.run.mistakes.number("visa", visa.foil, described)
            if self.rng.chance(rates.REFUSED):
                day = visa.applied - self.rng.between(30, 400)
                self._row(log, described, self._refused(visa, f"AAX{log.person.number:07}", day))
            self._row(log, described, self._issued(visa, foil))
            if self.rng.chance(rates.VOID):
                wrong = self._refused(visa, f"AAY{log.person.number:07}", visa.issued)
                self._row(log, described, wrong | {"void_flag": "Y", "row_version": 2})

    def finish(self) -> Counts:
        """Write the table and its view."""
        database = sqlite3.connect(self.run.place)
        kinds = {"visa_case_id": "INTEGER PRIMARY KEY", "row_version": "INTEGER"}
        columns = ", ".join(f"{name} {kinds.get(name, 'TEXT')}" for name in COLUMNS)
        database.execute(f"CREATE TABLE visa ({columns})")
        places = ", ".join("?" * len(COLUMNS))
        database.executemany(
            f"INSERT INTO visa VALUES ({places})",  # noqa: S608  # the names of columns are this module's own
            [tuple(row.get(name) for name in COLUMNS) for row in self.rows],
        )
        database.execute("CREATE INDEX visa_updated ON visa (last_update_ts, visa_case_id)")
        database.execute("CREATE VIEW visabus_visa AS SELECT * FROM visa")
        database.commit()
        database.close()
        return {"read": len(self.rows), "published": len(self.rows), "filtered": 0}

    def _issued(self, visa: Visa, foil: str) -> dict[str, Any]:
        """Return the row of a visa, as it stands when the records end."""
        ended = bool(visa.revoked) and visa.revoked <= self.last
        status = "ISSUED" if not ended else "CANCELLED" if self.rng.chance(rates.CANCELLED) else "REVOKED"
        return {
            "application_id": visa.application,
            "row_version": 1 + ended + self.rng.chance(rates.PROCESSED),
            "foil_number": foil,
            "status_code": status,
            "status_date": visa.revoked if ended else visa.issued,
            "issued_date": iso(visa.issued),
            "expires_date": iso(visa.expires),
            "entries": self.entries.draw(self.rng.random),
            **self._asked(visa),
        }

    def _refused(self, visa: Visa, application: str, day: int) -> dict[str, Any]:
        section = "214(b)" if self.rng.chance(0.8) else "221(g)"
        said = {"application_id": application, "status_code": "REFUSED", "status_date": day, "row_version": 1}
        return said | {"refusal_section": section, **self._asked(visa)}

    def _asked(self, visa: Visa) -> dict[str, Any]:
        admission = without_hyphen(visa.visa_class)
        return {"visa_class": CLASSES.get(admission, admission), "post_code": visa.post}

    def _row(self, log: PersonLog, described: Description, said: dict[str, Any]) -> None:
        person, passport = described.person, described.passport
        key = FIRST + len(self.rows)
        day = said["status_date"]
        row = {
            "visa_case_id": key,
            "family_name": person.family,
            "given_name": person.given or None,
            "date_of_birth": birth_text(person.birth),
            "sex": person.sex,
            "nationality": person.citizenship,
            "passport_number": passport.number,
            "passport_country": passport.state,
            "void_flag": "N",
            **said,
            "status_date": iso(day),
            "last_update_ts": f"{iso(day)}T21:30:00.000000Z",
        }
        self.rows.append(row)
        identifiers = {f"visa_application:{row['application_id']}", f"passport:{passport.state}:{passport.number}"}
        if row.get("foil_number"):
            identifiers.add(f"visa:{row['foil_number']}")
        log.add(self.run.system, str(key), identifiers, described.kinds)
        if row["void_flag"] == "Y":
            log.retract(self.run.system, str(key))


class Ccd(Source):
    """A system whose view is polled."""

    system = "CCD"
    place = "ccd.db"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return CcdWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the view."""
        return {"CCD.visas": {"url": f"sqlite+aiosqlite:///{place}"}}


SOURCE = Ccd()
