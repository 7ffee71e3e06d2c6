"""FDNS-DS as the simulator has it: a REST service on loopback that answers with leads and cases that were written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from services.simulator.clock import DAY, iso, iso_stamp, midnight, utc_day
from services.simulator.log import PersonLog, birth_text
from services.simulator.population.plans import Application, Stay
from services.simulator.population.rates import table
from services.simulator.rest import RestLog, RestRecords, feed, rest_service, served_pages
from services.simulator.rng import Choice
from services.simulator.source import Counts, Run, Served, Source, Surroundings, Writer
from services.simulator.systems.fdns import rates
from services.simulator.truth.verdict import OFFICE

PATH, TOKEN = "/v1/records", "/oauth/token"
BY_OWNER = "I-94"
"""The form of what the owner of the I-94 does by itself: no application."""
_FINDINGS = Choice(rates.FINDINGS)


class FdnsWriter:
    """Writes leads and cases."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._end = run.span.records_end
        self._mistakes = run.mistakes
        self._log = RestLog(run.place)
        self._records = self._filtered = 0

    def finish(self) -> Counts:
        """Complete the answers."""
        self._log.finish(self._end)
        read = self._log.records
        return {"read": read, "published": read - self._filtered, "filtered": self._filtered}

    def write(self, log: PersonLog) -> None:
        """Write a lead on some applications of a person, and the case that comes of it."""
        last = utc_day(self._end) - 1
        for stay in log.person.stays:
            for application in stay.applications:
                if application.form == BY_OWNER or not self._rng.chance(rates.LEAD):
                    continue
                opened = application.filed + self._rng.between(*rates.LATER)
                if opened <= last:
                    self._lead(log, stay, application, opened, last)

    def _lead(self, log: PersonLog, stay: Stay, application: Application, opened: int, last: int) -> None:
        rng = self._rng
        done = opened + rng.between(*rates.LASTS)
        done = done if done <= last else 0
        lead = {"kind": "LEAD", "referralSource": rng.one(rates.SOURCES)}
        number = self._write(log, stay, application, opened, done, lead)
        if not rng.chance(rates.CASE):
            return
        finding = _FINDINGS.draw(rng.random) if done else ""
        case: dict[str, Any] = {"kind": "CASE", "leadNumber": number}
        if finding:
            case |= {"finding": finding, "findingDate": iso(done)}
        else:
            self._filtered += 1
        self._write(log, stay, application, opened, done, case)

    def _write(
        self, log: PersonLog, stay: Stay, application: Application, opened: int, done: int, content: dict[str, Any]
    ) -> str:
        """Write a lead or a case; return its number."""
        self._records += 1
        counted = content["kind"] == "LEAD" or "finding" in content
        key = f"{content['kind'][0]}{self._records:09}"
        opened_at, done_at = (midnight(day, OFFICE) + 54_000 if day else 0 for day in (opened, done))
        changed = min(max(opened_at, done_at) + 5, self._end - 60)
        late = self._mistakes.late((self._end - 60 - changed) // DAY, possible=counted)
        self._mistakes.due("duplicate", possible=False)
        changed = min(changed + late * DAY, self._end - 60)
        description = self._mistakes.describe(log.person, stay, documented=False, named=counted)
        person = description.person
        alien = self._mistakes.number("alien", person.a_number, description, possible=counted)
        item: dict[str, Any] = {
            "recordNumber": key,
            "version": 1 + bool(done and counted),
            **content,
            "openedAt": f"{iso_stamp(opened_at)}Z",
            "closedAt": f"{iso_stamp(done_at)}Z" if done and content["kind"] == "LEAD" else None,
            "narrative": "See file.",
            "receipts": [application.receipt],
            "aNumber": alien or None,
            "modifiedAt": f"{iso_stamp(changed)}Z",
        }
        if description.kinds or not self._rng.chance(rates.NUMBERS_ALONE):
            item |= {"familyName": person.family, "givenNames": person.given or None, "sex": person.sex}
            item |= {"dateOfBirth": birth_text(person.birth), "citizenship": person.citizenship}
        self._log.add(changed, key, item)
        if counted:
            identifiers = {f"receipt:{application.receipt}"} | ({f"a_number:{alien}"} if alien else set())
            log.add(self._system, key, identifiers, [*description.kinds, *(("out_of_order",) if late else ())])
        return key


class Fdns(Source):
    """Fraud leads and findings."""

    system = "FDNS"
    place = "fdns"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return FdnsWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer polls, as often as they come."""
        async with rest_service(TOKEN, served_pages(RestRecords.of(place), PATH)) as address:
            yield Served({"FDNS.records": feed(address)})


SOURCE = Fdns()
