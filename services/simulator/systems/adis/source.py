"""ADIS as the simulator has it: its view in an SQLite file, some days behind what the other systems have reported."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from services.simulator.clock import DAY, iso, iso_stamp
from services.simulator.log import DepartureRecord, PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population.plans import Crossing, Stay, without_hyphen
from services.simulator.population.rates import table
from services.simulator.rng import Choice
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.adis import rates

COLUMNS = """
    stay_id row_version void_flag arrival_flag departure_flag update_flag update_date match_flag i94_number sevis_id
    a_number fin class_of_admission admitted_until arr_status arr_family_name arr_given_name arr_birth_date arr_sex
    arr_citizenship arr_document_number arr_document_country arrival_date arr_port arr_mode arr_carrier arr_conveyance
    arr_source arr_source_record dep_family_name dep_given_name dep_document_number dep_document_country departure_date
    dep_port dep_mode dep_carrier dep_conveyance dep_evidence dep_source dep_source_record last_update_ts
""".split()
EVIDENCE = {
    "biometric": "B",
    "inspected": "I",
    "removal": "R",
    "foreign_entry": "L",
    "manifest_closed": "M",
    "manifest": "C",
}
FIRST_STAY = 30_000_000
_ARRIVAL, _DEPARTURE = Choice(rates.ARRIVAL_FLAGS), Choice(rates.DEPARTURE_FLAGS)
_BATCH = 2_000
_NOON = DAY // 2
Values = dict[str, object]


class AdisWriter:
    """Writes stays into the view."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rng = run.rng()
        self._database = sqlite3.connect(run.place)
        columns = ", ".join(f"{name} INTEGER PRIMARY KEY" if name == "stay_id" else name for name in COLUMNS)
        self._database.execute(f"CREATE TABLE stay ({columns})")
        self._held: list[tuple[object, ...]] = []
        self._stay = FIRST_STAY
        self._rows = self._filtered = 0

    def write(self, log: PersonLog) -> None:
        """Write the stays of a person, as far as ADIS has heard of them when the records end."""
        for index, stay in enumerate(log.person.stays):
            updated = stay.arrival.at + DAY * self._rng.between(*rates.LAG) + _NOON
            if stay.inspection != "A" or index not in log.admissions or updated > self._run.span.records_end:
                continue
            self._write(log, index, stay, updated)
            if self._rng.chance(rates.RESIDENT):
                self._other(stay, updated)

    def finish(self) -> Counts:
        """Complete the view."""
        self._flush()
        self._database.execute("CREATE INDEX stay_updated ON stay (last_update_ts, stay_id)")
        self._database.execute("CREATE VIEW visabus_travel_history AS SELECT * FROM stay")
        self._database.commit()
        self._database.close()
        return {"read": self._rows, "published": self._rows - self._filtered, "filtered": self._filtered}

    def _write(self, log: PersonLog, index: int, stay: Stay, updated: int) -> None:
        mistakes = self._run.mistakes
        came = mistakes.describe(log.person, stay, at_inspection=True)
        alien = mistakes.number("alien", log.person.a_number, came)
        kinds = list(came.kinds)
        values = self._arrival(log, index, stay, came) | {"a_number": alien or None}
        passports = {came.passport}
        left = self._left(log, index)
        if left is not None:
            gone = mistakes.describe(log.person, stay)
            kinds += gone.kinds
            passports.add(gone.passport)
            values |= self._departure(left, gone)
            updated = max(updated, left.crossing.at + DAY * rates.LAG[1])
        elif self._rng.chance(rates.MATCHED_ONLY):
            values |= {"match_flag": "M", "departure_flag": "W"}
        updated = max(updated, self._updates(log, index, stay, values))
        version = 1 + (left is not None) + 2 * (left is not None and self._rng.chance(rates.UNDONE))
        key = self._row(values | {"row_version": version}, updated)
        identifiers = {f"passport:{each.state}:{each.number}" for each in passports}
        for scheme, column in (("i94", "i94_number"), ("sevis", "sevis_id"), ("a", "a_number"), ("fin", "fin")):
            if values.get(column):
                identifiers.add(f"{scheme}:{values[column]}")
        log.add(self._run.system, key, identifiers, kinds)
        if self._rng.chance(rates.VOIDED):
            other = {"void_flag": "Y", "row_version": 2, "match_flag": None, "departure_date": None}
            log.retract(self._run.system, self._row(values | other, updated))

    def _arrival(self, log: PersonLog, index: int, stay: Stay, described: Description) -> Values:
        system, record = log.admissions[index]
        lost = self._rng.chance(rates.SOURCE_LOST)
        number = "" if not lost and self._rng.chance(rates.NUMBER_LOST) else stay.number
        person = described.person
        until = "D/S" if stay.duration else iso(stay.last_day) if stay.last_day else None
        return {
            "arrival_flag": _ARRIVAL.draw(self._rng.random),
            "i94_number": number or None,
            "sevis_id": stay.program.sevis_id if stay.program is not None else None,
            "fin": log.person.fin or None,
            "class_of_admission": without_hyphen(stay.admission_class),
            "admitted_until": until,
            "arr_status": "A",
            "arr_family_name": person.family,
            "arr_given_name": person.given or None,
            "arr_birth_date": birth_text(person.birth),
            "arr_sex": person.sex,
            "arr_citizenship": person.citizenship,
            "arr_document_number": described.passport.number,
            "arr_document_country": described.passport.state,
            "arrival_date": iso(stay.arrival.day),
            "arr_source": system,
            "arr_source_record": None if lost else record,
            **_crossing("arr", stay.arrival),
        }

    def _left(self, log: PersonLog, index: int) -> DepartureRecord | None:
        """Return the report of the departure that was matched, None where none was by the end of the records."""
        last = self._run.span.records_end - DAY * rates.LAG[1]
        reported = [each for each in log.departures.get(index, ()) if each.crossing.at <= last]
        return self._rng.one(reported) if reported else None

    def _departure(self, left: DepartureRecord, described: Description) -> Values:
        person = described.person
        return {
            "departure_flag": _DEPARTURE.draw(self._rng.random),
            "match_flag": "M",
            "dep_family_name": person.family,
            "dep_given_name": person.given or None,
            "dep_document_number": described.passport.number,
            "dep_document_country": described.passport.state,
            "departure_date": iso(left.crossing.day),
            "dep_evidence": EVIDENCE[left.evidence],
            "dep_source": left.system,
            "dep_source_record": None if self._rng.chance(rates.SOURCE_LOST) else left.record,
            **_crossing("dep", left.crossing),
        }

    def _updates(self, log: PersonLog, index: int, stay: Stay, values: Values) -> int:
        """Add what happened in between; return when ADIS heard of it, 0 for never."""
        removal = log.person.removal if index == len(log.person.stays) - 1 else None
        approved = [each.decided for each in stay.applications if each.form == "I-485" and each.decision == "approved"]
        happened = {"P": min(approved, default=0), "A": removal.arrested if removal is not None else 0}
        for flag, day in happened.items():
            heard = _at_noon(day + rates.LAG[1])
            if day and heard <= self._run.span.records_end:
                values |= {"update_flag": flag, "update_date": iso(day)}
                return heard
        return 0

    def _other(self, stay: Stay, updated: int) -> None:
        """Write a row of somebody who is no nonimmigrant."""
        self._filtered += 1
        self._row(
            {
                "class_of_admission": self._rng.one(("USC", "LPR")),
                "arr_status": "A",
                "arr_family_name": "MILLER",
                "arr_given_name": "JOHN",
                "arrival_date": iso(stay.arrival.day),
            },
            updated,
        )

    def _row(self, values: Values, updated: int) -> str:
        self._stay += 1
        self._rows += 1
        usual = {"stay_id": self._stay, "row_version": 1, "void_flag": "N"}
        at = min(updated, self._run.span.records_end - 60)
        row = usual | values | {"last_update_ts": iso_stamp(at) + ".000000Z"}
        self._held.append(tuple(row.get(name) for name in COLUMNS))
        if len(self._held) >= _BATCH:
            self._flush()
        return str(self._stay)

    def _flush(self) -> None:
        places = ", ".join("?" * len(COLUMNS))
        self._database.executemany(f"INSERT INTO stay VALUES ({places})", self._held)  # noqa: S608
        self._database.commit()
        self._held.clear()


def _crossing(side: str, crossing: Crossing) -> Values:
    return {
        f"{side}_port": crossing.port,
        f"{side}_mode": crossing.mode,
        f"{side}_carrier": crossing.carrier or None,
        f"{side}_conveyance": crossing.conveyance or None,
    }


def _at_noon(day: int) -> int:
    """Return the instant of a day's noon, UTC."""
    return (day - 719_163) * DAY + _NOON


class Adis(Source):
    """A system that matches what others have reported."""

    system = "ADIS"
    place = "adis.db"
    derived = True
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return AdisWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the view."""
        return {"ADIS.stays": {"url": f"sqlite+aiosqlite:///{place}"}}


SOURCE = Adis()
