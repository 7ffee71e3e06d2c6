"""Writes what PCQS would answer about a person: of each source what it holds, or that it holds nothing."""

from __future__ import annotations

from pathlib import Path

import orjson

from services.simulator.clock import iso
from services.simulator.log import PersonLog
from services.simulator.population.plans import Application, Person, Removal
from services.simulator.soap import element, texts
from services.simulator.source import Counts, Run
from services.simulator.systems.pcqs import rates

ANSWERS = "answers"
SOURCES = ("CIS2", "CLAIMS3", "ELIS", "DOJ-EOIR")
HELD_BY = {"CLAIMS3": "CLAIMS3", "ELIS": "ELIS"}
"""Sources, and the systems whose records they repeat."""
FORMS = ("I-539", "I-129", "I-485")


class PcqsWriter:
    """Writes a line for each person of whom PCQS is asked."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._span = run.span
        run.place.mkdir(parents=True)
        self._path = run.place / ANSWERS
        self._path.write_bytes(orjson.dumps({"clock": run.span.records_end}) + b"\n")
        self._read = self._filtered = self._asked = 0

    def finish(self) -> Counts:
        """Return what was written. A person of whom a source did not answer is asked about twice."""
        return {
            "read": self._read,
            "published": self._read - self._filtered,
            "filtered": self._filtered,
            "persons": self._asked,
        }

    def write(self, log: PersonLog) -> None:
        """Write the answers about a person, if PCQS is asked."""
        number = log.person.a_number
        known = any(f"a_number:{number}" in record.identifiers for record in log.records)
        if not number or not known or not self._rng.chance(rates.ASKED):
            return  # who is asked about is somebody whose number the view has
        records = {
            "CIS2": self._file(log.person),
            **{source: self._benefits(log, system) for source, system in HELD_BY.items()},
            "DOJ-EOIR": self._court(log.person.removal),
        }
        away = self._rng.one(SOURCES) if self._rng.chance(rates.UNAVAILABLE) else ""
        failed = self._rng.chance(rates.FAILED)
        line = {"person": number, "away": away, "failed": failed, "records": records}
        with self._path.open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")
        self._asked += 1
        self._read += len(SOURCES) * (2 if away else 1)
        self._filtered += bool(away)
        for source, some in records.items():
            if some:
                receipts = {f"receipt:{receipt}" for receipt, _ in some if receipt}
                log.add(self._system, f"{number}/{source}", {f"a_number:{number}", *receipts})

    def _file(self, person: Person) -> list[tuple[str, str]]:
        """Return the file of a person."""
        opened = person.stays[-1].arrival.day
        if opened > self._span.last:
            return []
        content = texts([("DateFileOpened", iso(opened)), ("FileControlOffice", "NRC")])
        return [("", element("Record", {"recordId": person.a_number.removeprefix("A")}, content))]

    def _benefits(self, log: PersonLog, system: str) -> list[tuple[str, str]]:
        """Return the steps of applications, as far as their owner has a record of each that stands."""
        results = []
        for stay in log.person.stays:
            for application in stay.applications:
                known = application.known_by(self._span.decisions_through)
                if known is None or known.form not in FORMS or known.online is not (system == "ELIS"):
                    continue
                held = [
                    record.record
                    for record in log.records
                    if record.system == system
                    and f"receipt:{known.receipt}" in record.identifiers
                    and (system, record.record) not in log.retracted
                ]
                steps = [("FILED", known.filed)]
                if known.decision:
                    steps.append((known.decision.upper(), known.decided))
                if len(held) >= len(steps):
                    results += [
                        (known.receipt, _benefit(known, action, day, key))
                        for (action, day), key in zip(steps, held, strict=False)
                    ]
        return results

    def _court(self, removal: Removal | None) -> list[tuple[str, str]]:
        """Return the proceeding of a removal case."""
        if removal is None or not removal.charged:
            return []
        decision, decided = ("REMOVE", removal.ordered) if removal.ordered else ("TERMINATED", removal.ended)
        content = [("ProceedingReceivedDate", iso(removal.charged)), ("CustodyStatus", "RELEASED")]
        if decided:
            content += [("IJDecision", decision), ("IJDecisionDate", iso(decided))]
        return [("", element("Record", {"recordId": removal.case}, texts(content)))]


def _benefit(application: Application, action: str, day: int, key: str) -> str:
    asked = application.asked_class if application.form == "I-539" else ""
    content = [
        ("Receipt", application.receipt),
        ("FormType", application.form),
        ("Action", action),
        ("ActionDate", iso(day)),
        ("RequestedClass", asked),
    ]
    return element("Record", {"recordId": key}, texts(content))


def lines_of(place: Path) -> tuple[int, list[dict[str, object]]]:
    """Return the clock, and a line for each person."""
    first, *lines = (place / ANSWERS).read_bytes().splitlines()
    clock: int = orjson.loads(first)["clock"]
    return clock, [orjson.loads(line) for line in lines]
