"""RAPS as the simulator has it: the table of changes that its triggers write, in an SQLite file."""

from __future__ import annotations

from pathlib import Path

from schemas.country_codes import INS_ALPHA
from services.simulator.change_table import ChangeTable
from services.simulator.clock import iso, midnight
from services.simulator.log import PersonLog, birth_text
from services.simulator.population import names
from services.simulator.population.plans import Asylum, Stay
from services.simulator.population.rates import table
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.raps import rates

OFFICE = "America/New_York"
OUTCOMES = {"granted": "GRANT", "referred": "REFERRAL", "denied": "DENIAL"}
DAYS = 7
"""How often the job of the clock runs."""
SEXES = {"M": "M", "F": "F"}
Row = dict[str, object]


class RapsWriter:
    """Writes cases."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._rng = run.rng()
        self._table = ChangeTable(run.place)
        self._filtered = self._cases = self._events = self._applicants = 0

    def finish(self) -> Counts:
        """Complete the table."""
        read, span, since = len(self._table), self._run.span, midnight(self._run.span.first, OFFICE)
        for day in range(span.first + DAYS, span.last, DAYS):
            self._table.tick(midnight(day, OFFICE), since)
            since = midnight(day, OFFICE)
        self._table.tick(span.records_end, since)
        self._table.finish()
        return {"read": read, "published": read - self._filtered, "filtered": self._filtered, "cases": self._cases}

    def write(self, log: PersonLog) -> None:
        """Write the case of a person, as far as it had come when the records end."""
        asylum = log.person.asylum
        if asylum is None or asylum.filed > self._run.span.last:
            return
        self._cases += 1
        stay = log.person.stays[-1]
        case: Row = {"CASE_ID": asylum.case, "CASE_KIND": "AFFIRMATIVE", "RECEIVED_DATE": iso(asylum.filed)}
        self._row(asylum.filed, "CASE", "c", case | {"OFFICE": asylum.case[:3]})
        log.add(self._run.system, f"CASE {asylum.case}", {f"subject:RAPS:{asylum.case}"})
        self._applicant(log, asylum, stay)
        for day, code, outcome in sorted(self._steps(asylum, stay), key=lambda step: step[0]):
            if day <= self._run.span.last:
                self._step(log, asylum, day, code, outcome)
        if self._rng.chance(rates.MISTAKEN):
            key = self._step(None, asylum, asylum.filed, "SERVED", "DENIAL")
            self._table.add(self._at(asylum.filed + 1), "EVENT", "d", {"EVENT_ID": key})
            log.retract(self._run.system, f"EVENT {key}")
        if self._rng.chance(rates.SCREENING):
            self._filtered += 1
            screening = {"CASE_ID": f"{asylum.case}F", "CASE_KIND": "CREDIBLE_FEAR"}
            self._row(asylum.filed, "CASE", "c", case | screening)

    def _steps(self, asylum: Asylum, stay: Stay) -> list[tuple[int, str, str | None]]:
        steps: list[tuple[int, str, str | None]] = [(asylum.filed, "RECEIVED", None)]
        if asylum.interviewed:
            steps += [(asylum.filed + 1, "SCHEDULED", None), (asylum.interviewed, "INTERVIEWED", None)]
            if self._rng.chance(rates.RESCHEDULED):
                steps.append((asylum.filed + 2, "SCHEDULED", None))
            if self._rng.chance(rates.NO_SHOW):
                steps.append((asylum.filed + 3, "NO_SHOW", None))
        if asylum.decided:
            steps.append((asylum.decided - 1, "DECISION_PREPARED", None))
            if asylum.decision == "denied" and self._rng.chance(rates.NOTICE_OF_INTENT):
                steps.append((asylum.decided - 1, "SERVED", "NOID"))
            steps.append((asylum.decided, "SERVED", OUTCOMES[asylum.decision]))
            steps.append((asylum.decided + 1, "CLOSED", "DECIDED"))
        elif stay.departure is not None and self._rng.chance(rates.CLOSED_AS_DEPARTED):
            steps.append((stay.departure.day + 30, "CLOSED", "DEPARTED"))
        return steps

    def _step(self, log: PersonLog | None, asylum: Asylum, day: int, code: str, outcome: str | None) -> int:
        """Write a step, and return its key."""
        self._events += 1
        key = 70_000 + self._events
        row: Row = {"EVENT_ID": key, "CASE_ID": asylum.case, "EVENT_CODE": code, "OUTCOME": outcome}
        self._row(day, "EVENT", "c", row | {"EVENT_DATE": iso(day), "OFFICER": f"X{key % 900:04}", "NOTE": None})
        decides = code == "RECEIVED" or (code in ("SERVED", "CLOSED") and outcome not in ("NOID", "DECIDED"))
        self._filtered += not decides
        if log is not None and decides:
            log.add(self._run.system, f"EVENT {key}", {f"subject:RAPS:{asylum.case}"})
        return key

    def _applicant(self, log: PersonLog, asylum: Asylum, stay: Stay) -> None:
        mistakes = self._run.mistakes
        description = mistakes.describe(log.person, stay, documented=False)
        person = description.person
        alien = mistakes.number("alien", person.a_number, description)
        stated = "" if self._rng.chance(rates.WITHOUT_NUMBER) else stay.number
        number = mistakes.number("i94", stated, description)
        self._applicants += 1
        key = 9_000 + self._applicants
        born = birth_text(person.birth)
        row: Row = {
            "APPLICANT_ID": key,
            "CASE_ID": asylum.case,
            "ROLE": "PRINCIPAL",
            "A_NUMBER": alien or None,
            "I94_NUMBER": number or None,
            "FAMILY_NAME": names.on_paper(person.family),
            "GIVEN_NAME": names.on_paper(person.given) or None,
            "BIRTH_DATE": born if len(born) == len("2000-01-01") else None,
            "SEX": SEXES.get(person.sex, "U"),
            "CITIZENSHIP": INS_ALPHA.code_of(person.citizenship),
            "FILED_DATE": iso(asylum.filed),
            "DECISION": None,
            "DECISION_DATE": None,
            "LANGUAGE": None,
        }
        self._row(asylum.filed, "APPLICANT", "c", row)
        if self._rng.chance(rates.CORRECTED):
            row["LANGUAGE"] = "SPANISH"
            self._row(asylum.filed + 1, "APPLICANT", "u", row)
        if asylum.decided and asylum.decided <= self._run.span.last:
            decision = {"DECISION": OUTCOMES[asylum.decision], "DECISION_DATE": iso(asylum.decided)}
            self._row(asylum.decided, "APPLICANT", "u", row | decision)
        known = {f"subject:RAPS:{asylum.case}"}
        known |= {f"a_number:{alien}"} if alien else set()
        known |= {f"i94:{number}"} if number else set()
        log.add(self._run.system, f"APPLICANT {key}", known, description.kinds)

    def _row(self, day: int, table: str, op: str, row: Row) -> None:
        key = next(iter(row))
        self._table.add(self._at(day), table, op, {key: row[key]}, row)

    def _at(self, day: int) -> int:
        """The instant at which what happened on a day is entered."""
        entered = midnight(day, OFFICE) + 32 * 3600 + int(self._rng.random.random() * 8 * 3600)
        return min(entered, self._run.span.records_end - 60)


class Raps(Source):
    """The system of record for asylum."""

    system = "RAPS"
    place = "raps.db"
    brings = frozenset({"asylum"})
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return RapsWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the change table."""
        return {"RAPS.table": {"url": f"sqlite+aiosqlite:///{place}"}}


SOURCE = Raps()
