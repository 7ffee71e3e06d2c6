"""CLAIMS 4 as the simulator has it: its view in an SQLite file, as it stands when the records end."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from schemas.country_codes import INS_ALPHA
from services.simulator.clock import iso, iso_stamp
from services.simulator.log import PersonLog, birth_text
from services.simulator.population import names
from services.simulator.population.plans import Naturalisation, Stay
from services.simulator.population.rates import table
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.claims4 import rates

COLUMNS = """
    receipt_number form_type a_number i94_number last_name first_name middle_name new_last_name new_first_name
    ben_date_of_birth ben_gender country_of_nationality ben_country_of_birth rec_date intv_date natz_test_date lpr_date
    decision decision_date natz_date district_office as_of
""".split()
DECISIONS = {"granted": "APPROVED", "denied": "DENIED"}
_BATCH = 2_000


class Claims4Writer:
    """Writes cases into the view."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rng = run.rng()
        self._database = sqlite3.connect(run.place)
        self._database.execute(f"CREATE TABLE naturalization_case ({', '.join(COLUMNS)})")
        self._held: list[tuple[object, ...]] = []
        self._rows = self._filtered = 0

    def write(self, log: PersonLog) -> None:
        """Write the case of a person, as far as it had come when the records end."""
        case = log.person.naturalisation
        if case is None or case.filed > self._run.span.last:
            return
        self._case(log, case, log.person.stays[-1])
        if self._rng.chance(rates.CERTIFICATE):
            self._filtered += 1
            receipt = f"NBC{case.receipt[3:]}"  # no case of the population has that office
            self._row({"receipt_number": receipt, "form_type": "N-600", "rec_date": iso(case.filed)})

    def finish(self) -> Counts:
        """Complete the view."""
        self._flush()
        self._database.execute("CREATE VIEW visabus_naturalization_case AS SELECT * FROM naturalization_case")
        self._database.commit()
        self._database.close()
        return {"read": self._rows, "published": self._rows - self._filtered, "filtered": self._filtered}

    def _case(self, log: PersonLog, case: Naturalisation, stay: Stay) -> None:
        mistakes = self._run.mistakes
        description = mistakes.describe(log.person, stay, documented=False)
        person = description.person
        resident = next((each for each in stay.applications if each.form == "I-485"), None)
        number = "" if resident is not None else mistakes.number("i94", stay.number, description)
        receipt = mistakes.number("receipt", case.receipt, description, possible=False)
        alien = mistakes.number("alien", person.a_number, description)
        given, _, middle = person.given.partition(" ")
        if middle and not self._rng.chance(rates.MIDDLE_NAME):
            given, middle = person.given, ""
        decision = DECISIONS.get(case.decision)
        if decision == "DENIED" and self._rng.chance(rates.WITHDRAWN):
            decision = "WITHDRAWN"
        renamed = bool(case.oath) and self._rng.chance(rates.OTHER_NAME)
        self._row(
            {
                "receipt_number": receipt,
                "form_type": "N-400",
                "a_number": alien or None,
                "i94_number": number or None,
                "last_name": names.on_paper(person.family),
                "first_name": names.on_paper(given) or None,
                "middle_name": names.on_paper(middle) or None,
                "new_last_name": self._rng.one(("SMITH", "MILLER", "BAKER", "FOSTER")) if renamed else None,
                "ben_date_of_birth": birth_text(person.birth),
                "ben_gender": person.sex if person.sex in ("F", "M") else "U",
                "country_of_nationality": INS_ALPHA.code_of(person.citizenship),
                "ben_country_of_birth": INS_ALPHA.code_of(log.person.citizenship),
                "rec_date": iso(case.filed),
                "intv_date": iso(case.interviewed) if case.interviewed else None,
                "natz_test_date": iso(case.interviewed) if case.interviewed else None,
                "lpr_date": iso(resident.decided) if resident is not None and resident.decided else None,
                "decision": decision,
                "decision_date": iso(case.decided) if case.decided else None,
                "natz_date": iso(case.oath) if case.oath else None,
                "district_office": self._rng.one(("NYC", "LOS", "CHI", "MIA")),
            }
        )
        identifiers = {f"receipt:{receipt}"}
        identifiers |= {f"a:{alien}"} if alien else set()
        identifiers |= {f"i94:{number}"} if number else set()
        log.add(self._run.system, receipt, identifiers, description.kinds)

    def _row(self, values: dict[str, str | None]) -> None:
        values["as_of"] = iso_stamp(self._run.span.records_end) + ".000000Z"
        self._held.append(tuple(values.get(name) for name in COLUMNS))
        self._rows += 1
        if len(self._held) >= _BATCH:
            self._flush()

    def _flush(self) -> None:
        places = ", ".join("?" * len(COLUMNS))
        self._database.executemany(f"INSERT INTO naturalization_case VALUES ({places})", self._held)  # noqa: S608
        self._database.commit()
        self._held.clear()


class Claims4(Source):
    """The system of record for naturalisation."""

    system = "CLAIMS4"
    place = "claims4.db"
    brings = frozenset({"naturalisation"})
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return Claims4Writer(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the view."""
        return {"CLAIMS4.cases": {"url": f"sqlite+aiosqlite:///{place}"}}


SOURCE = Claims4()
