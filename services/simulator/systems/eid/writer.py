"""Writes what becomes of a removal case as rows of EID that are written and written again."""

from __future__ import annotations

from datetime import date

from schemas.country_codes import NAMES
from services.simulator.change_table import ChangeTable
from services.simulator.clock import iso, midnight
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population import names
from services.simulator.population.plans import Removal
from services.simulator.rng import Choice
from services.simulator.source import Counts, Run
from services.simulator.systems.eid import rates

OFFICE = "America/New_York"
GENDERS = {"M": "Male", "F": "Female", "X": "Unknown"}
ONE_WORD = date(2025, 7, 20).toordinal()
"""From that day on arrests out of jails are written as custodial ones."""
Row = dict[str, object]
_METHODS, _CRIMINALITY = Choice(rates.METHODS), Choice(rates.CRIMINALITY)
_RELEASES, _ENDS, _CLOSES = Choice(rates.RELEASES), Choice(rates.ENDS), Choice(rates.CLOSES)


class EidWriter:
    """Writes cases."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rng = run.rng()
        self._table = ChangeTable(run.place)
        self._filtered = self._cases = self._detainers = 0

    def finish(self) -> Counts:
        """Complete the table."""
        read = len(self._table)
        self._table.finish()
        return {"read": read, "published": read - self._filtered, "filtered": self._filtered, "cases": self._cases}

    def write(self, log: PersonLog) -> None:
        """Write the case of a person, as far as it had come when the records end."""
        removal = log.person.removal
        if removal is None or not removal.arrested or removal.arrested > self._run.span.last:
            return
        self._cases += 1
        description = self._run.mistakes.describe(log.person, log.person.stays[-1], documented=False)
        self._arrest(log, removal)
        self._person(log, removal, description)
        self._case(log, removal, description)
        self._detainer(log, removal)
        if self._rng.chance(rates.OTHER_TABLE):
            self._filtered += 1
            self._table.add(self._at(removal.arrested), "eid_property", "c", {"property_id": removal.case}, {})

    def _at(self, day: int) -> int:
        """The instant at which what happened on a day is entered."""
        entered = midnight(day, OFFICE) + 32 * 3600 + int(self._rng.random.random() * 8 * 3600)
        return min(entered, self._run.span.records_end - 60)

    # --- arrests ----------------------------------------------------------------------------------------------

    def _arrest(self, log: PersonLog, removal: Removal) -> None:
        day, criminality = removal.arrested, _CRIMINALITY.draw(self._rng.random)
        method = _METHODS.draw(self._rng.random)
        if method.startswith("CAP") and day >= ONE_WORD:
            method = "Custodial Arrest"
        blank = self._rng.chance(rates.WITHOUT_PERSON) and not self._run.mistakes.noise.silent
        row: Row = {
            "eid_event_id": removal.event,
            "eid_subject_id": None if blank else log.person.subject,
            "eid_case_id": removal.case,
            "apprehension_date": f"{iso(day)}T{self._rng.between(6, 20):02}:15:00",
            "event_date": None,
            "apprehension_method": method,
            "apprehension_criminality": criminality,
            "case_status": "ACTIVE",
            "departed_date": None,
            "processing_disposition": "WA/NTA",
        }
        self._event(log, row, day)
        if self._rng.chance(rates.TWICE):
            again = {"eid_event_id": f"{removal.event}2", "apprehension_date": f"{iso(day)}T21:05:00"}
            self._event(log, row | again, day)
        later = day + self._rng.between(2, 9)
        if self._rng.chance(rates.REPROCESSED) and later <= self._run.span.last:
            self._filtered += 1
            again = {"eid_event_id": f"{removal.event}3", "apprehension_method": "ERO Reprocessed Arrest"}
            self._row(later, "eid_event", "c", row | again)
        if removal.executed and removal.executed <= self._run.span.last:
            rewritten = {"case_status": "6-Deported/Removed - Deportability", "departed_date": iso(removal.executed)}
            self._row(removal.executed, "eid_event", "u", row | rewritten)

    def _event(self, log: PersonLog, row: Row, day: int) -> None:
        self._row(day, "eid_event", "c", row)
        known = {f"subject:EID:CASE:{row['eid_case_id']}"}
        known |= {f"subject:EID:{row['eid_subject_id']}"} if row["eid_subject_id"] else set()
        log.add(self._run.system, f"EID_EVENT {row['eid_event_id']}", known)

    # --- persons, cases, detainers ----------------------------------------------------------------------------

    def _person(self, log: PersonLog, removal: Removal, description: Description) -> None:
        mistakes, person = self._run.mistakes, description.person
        alien = mistakes.number("alien", person.a_number, description)
        fin = "" if self._rng.chance(rates.WITHOUT_FIN) else mistakes.number("fin", person.fin, description)
        born = birth_text(person.birth)
        whole = len(born) == len("2000-01-01") and not self._rng.chance(rates.YEAR_ALONE)
        alias = f"{names.on_paper(person.family)}, {names.on_paper(person.given)[:1]}"
        row: Row = {
            "eid_subject_id": person.subject,
            "eid_case_id": removal.case,
            "alien_file_number": alien.removeprefix("A") or None,
            "fin": fin or None,
            "family_name": names.on_paper(person.family),
            "given_name": names.on_paper(person.given) or None,
            "aliases": alias if person.given and self._rng.chance(rates.ALIAS) else None,
            "birth_date": born if whole else None,
            "birth_year": int(born[:4]),
            "citizenship_country": NAMES.code_of(person.citizenship).upper(),
            "gender": GENDERS.get(person.sex, "Unknown"),
            "recorded_date": f"{iso(removal.arrested)}T16:40:00",
            "state": "TX",
        }
        self._row(removal.arrested, "eid_subject", "c", row)
        if self._rng.chance(rates.CHANGED_AGAIN):
            self._row(removal.arrested + 1, "eid_subject", "u", row | {"state": "CA"})
        known = {f"subject:EID:{person.subject}", f"subject:EID:CASE:{removal.case}"}
        known |= {f"a_number:{alien}"} if alien else set()
        known |= {f"fin:{fin}"} if fin else set()
        log.add(self._run.system, f"EID_SUBJECT {person.subject}", known, description.kinds)

    def _case(self, log: PersonLog, removal: Removal, description: Description) -> None:
        row: Row = {
            "eid_case_id": removal.case,
            "eid_subject_id": log.person.subject,
            "alien_file_number": log.person.a_number.removeprefix("A") or None,
            "case_status": "ACTIVE",
            "case_status_date": None,
            "nta_served_date": None,
            "final_order_yes_no": "NO",
            "final_order_date": None,
            "book_in_date_time": f"{iso(removal.booked)}T14:30:00" if removal.booked else None,
            "book_out_date_time": None,
            "detention_release_reason": None,
        }
        steps: list[tuple[int, Row]] = [(removal.arrested, {})]
        if removal.charged:
            steps.append((removal.charged, {"nta_served_date": iso(removal.charged)}))
        if removal.released:
            out: Row = {"book_out_date_time": f"{iso(removal.released)}T05:10:00"}
            steps.append((removal.released, {**out, "detention_release_reason": _RELEASES.draw(self._rng.random)}))
        if removal.ordered:
            order: Row = {"final_order_yes_no": self._rng.one(("YES", "Y")), "final_order_date": iso(removal.ordered)}
            steps.append((removal.ordered, order))
        for day, ends in ((removal.ended, _ENDS), (removal.executed, _CLOSES)):
            if day:
                steps.append((day, {"case_status": ends.draw(self._rng.random), "case_status_date": iso(day)}))
        for number, (day, changes) in enumerate(sorted(steps, key=lambda step: step[0])):
            if day > self._run.span.last:
                break
            row |= changes
            self._row(day, "eid_case", "u" if number else "c", dict(row))
            self._filtered += not (row["nta_served_date"] or row["book_in_date_time"])
        known = {
            f"subject:EID:CASE:{removal.case}",
            f"subject:EID:{log.person.subject}",
            f"a_number:{log.person.a_number}",
        }
        log.add(self._run.system, f"EID_CASE {removal.case}", known)

    def _detainer(self, log: PersonLog, removal: Removal) -> None:
        if self._rng.chance(rates.DETAINER):
            row = self._lodged(log, removal)
            self._row(removal.arrested, "eid_detainer", "c", row)
            if self._rng.chance(rates.LIFTED):
                lifted = {"detainer_lift_date": iso(removal.arrested), "detainer_lift_reason_code": "B"}
                self._row(removal.arrested + 1, "eid_detainer", "u", row | lifted)
            known = {f"subject:EID:CASE:{removal.case}", f"subject:EID:{log.person.subject}"}
            log.add(self._run.system, f"EID_DETAINER {row['eid_dta_id']}", known)
        if self._rng.chance(rates.MISTAKEN):
            row = self._lodged(log, removal)
            self._row(removal.arrested, "eid_detainer", "c", row)
            key = {"eid_dta_id": row["eid_dta_id"]}
            self._table.add(self._at(removal.arrested + 1), "eid_detainer", "d", key)
            log.retract(self._run.system, f"EID_DETAINER {row['eid_dta_id']}")

    def _lodged(self, log: PersonLog, removal: Removal) -> Row:
        self._detainers += 1
        return {
            "eid_dta_id": str(5_500_000 + self._detainers),
            "eid_subject_id": log.person.subject,
            "eid_case_id": removal.case,
            "detainer_prepare_date": f"{iso(removal.arrested)}T04:00:00",
            "detainer_criminality": _CRIMINALITY.draw(self._rng.random),
            "biometric_match": self._rng.one(("Y", "N")),
            "detainer_lift_date": None,
            "detainer_lift_reason_code": None,
        }

    def _row(self, day: int, table: str, op: str, row: Row) -> None:
        key = next(iter(row))
        self._table.add(self._at(day), table, op, {key: row[key]}, row)
