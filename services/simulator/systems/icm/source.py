"""ICM as the simulator has it: a REST service on loopback that answers with the investigations that were written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from services.simulator.clock import DAY, iso_stamp, midnight, utc_day
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population.names import plain
from services.simulator.population.plans import Person
from services.simulator.population.rates import table
from services.simulator.rest import RestLog, RestRecords, feed, rest_service, served_pages
from services.simulator.source import Counts, Run, Served, Source, Surroundings, Writer
from services.simulator.systems.icm import rates
from services.simulator.truth.verdict import OFFICE

PATH, TOKEN = "/v1/case-subjects", "/oauth/token"


class IcmWriter:
    """Writes investigations."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._end = run.span.records_end
        self._mistakes = run.mistakes
        self._log = RestLog(run.place)
        self._cases = self._filtered = 0

    def finish(self) -> Counts:
        """Complete the answers."""
        self._log.finish(self._end)
        read = self._log.records
        return {"read": read, "published": read - self._filtered, "filtered": self._filtered}

    def write(self, log: PersonLog) -> None:
        """Write the investigation of a person, if there is one."""
        person, rng = log.person, self._rng
        known = plain(person) or person.a_number
        if not known or not rng.chance(rates.INVESTIGATED if person.removal else rates.OTHERS):
            return
        since = person.removal.arrested if person.removal else person.stays[-1].arrival.day + rng.between(1, 60)
        if since >= utc_day(self._end) - 1:
            return
        description = self._mistakes.describe(person, person.stays[-1], documented=False)
        key = self._key()
        subject, identifiers = self._subject(description)
        late = self._add(key, since, subject)
        kinds = [*description.kinds, *(("out_of_order",) if late else ())]
        log.add(self._system, f"{key}/{subject['subjectId']}", identifiers, kinds)
        if rng.chance(rates.BESIDE):
            self._filtered += 1
            self._add(key, since, self._beside(person), counted=False)

    def _key(self) -> str:
        self._cases += 1
        return f"HSI-{self._cases:08}"

    def _subject(self, description: Description) -> tuple[dict[str, Any], set[str]]:
        """Return the subject, and the numbers that identify the person."""
        person = description.person
        alien = self._mistakes.number("alien", person.a_number, description, possible=plain(person))
        number = person.subject or f"I{person.number:08}"
        subject: dict[str, Any] = {"subjectId": number, "role": "SUBJECT", "aNumber": alien or None}
        if not alien or not self._rng.chance(rates.WITHOUT_NAME) or description.kinds:
            subject |= {"type": "PERSON", "familyName": person.family, "givenNames": person.given or None}
            subject |= {"dateOfBirth": birth_text(person.birth), "sex": person.sex, "citizenship": person.citizenship}
        return subject, {f"subject:EID:{number}"} | ({f"a_number:{alien}"} if alien else set())

    def _beside(self, person: Person) -> dict[str, Any]:
        """Return somebody in the case who is not under investigation, or of no interest here."""
        number = f"J{person.number:08}"
        return self._rng.one(
            (
                {"subjectId": number, "role": "WITNESS", "familyName": "WITNESS", "givenNames": "A"},
                {"subjectId": number, "role": "SUBJECT", "type": "ORGANISATION", "familyName": "XA IMPORTS"},
                {"subjectId": number, "role": "SUBJECT", "familyName": "CITIZEN", "citizenship": "USA"},
            )
        )

    def _add(self, key: str, since: int, subject: dict[str, Any], *, counted: bool = True) -> int:
        """Write a subject of a case; return by how many days its last change came late."""
        rng, last = self._rng, utc_day(self._end) - 1
        ends = since + rng.between(*rates.LASTS)
        closed = ends if rng.chance(rates.CLOSED) and ends < last else 0
        opened_at, closed_at = (midnight(day, OFFICE) + 54_000 if day else 0 for day in (since, closed))
        changed = min(max(opened_at, closed_at) + 5, self._end - 60)
        late = self._mistakes.late((self._end - 60 - changed) // DAY, possible=counted)
        if counted:
            self._mistakes.due("duplicate", possible=False)
        changed = min(changed + late * DAY, self._end - 60)
        item: dict[str, Any] = {
            "caseNumber": key,
            "version": 1 + bool(closed and counted),
            "status": "CLOSED" if closed else "OPEN",
            "category": rng.one(rates.CATEGORIES),
            "disposition": rng.one(rates.DISPOSITIONS) if closed else None,
            "openedAt": f"{iso_stamp(opened_at)}Z",
            "closedAt": f"{iso_stamp(closed_at)}Z" if closed else None,
            "program": "Homeland Security Investigations",
            "office": "SNA",
            "subject": subject,
            "modifiedAt": f"{iso_stamp(changed)}Z",
        }
        self._log.add(changed, f"{key}/{subject['subjectId']}", item)
        return late


class Icm(Source):
    """Investigations."""

    system = "ICM"
    place = "icm"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return IcmWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer polls, as often as they come."""
        async with rest_service(TOKEN, served_pages(RestRecords.of(place), PATH)) as address:
            yield Served({"ICM.cases": feed(address)})


SOURCE = Icm()
