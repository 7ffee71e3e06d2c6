"""EVUS as the simulator has it: a REST service on loopback whose pages are counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from services.simulator.clock import DAY, iso, iso_stamp, midnight, utc_day
from services.simulator.log import PersonLog, birth_text
from services.simulator.population.plans import Stay, Visa
from services.simulator.population.rates import table
from services.simulator.rest import Asked, Reply, RestLog, RestRecords, feed, rest_service
from services.simulator.rng import Choice
from services.simulator.source import Counts, Run, Served, Source, Surroundings, Writer
from services.simulator.systems.evus import rates
from services.simulator.truth.verdict import OFFICE

PATH, TOKEN = "/v1/enrollments", "/oauth/token"
STATE, VALID = "CHN", 730
"""Whose passports enrol, and for how many days."""
_OUTCOMES = Choice(rates.OUTCOMES)


class EvusWriter:
    """Writes enrolments."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._end = run.span.records_end
        self._mistakes = run.mistakes
        self._log = RestLog(run.place)

    def finish(self) -> Counts:
        """Complete the answers."""
        self._log.finish(self._end)
        return {"read": self._log.records, "published": self._log.records, "filtered": 0}

    def write(self, log: PersonLog) -> None:
        """Write the enrolments of a person: one before the first trip on a visa, another where that has run out."""
        person = log.person
        if person.citizenship != STATE or not person.visas:
            return
        visa, until = person.visas[0], 0
        for index, stay in enumerate(person.stays):
            if stay.arrival.day <= until or stay.passport.state != STATE:
                continue
            enrolled = max(visa.issued + 1, stay.arrival.day - self._rng.between(*rates.BEFORE))
            until = min(enrolled + VALID, visa.expires, stay.passport.expires or visa.expires)
            if enrolled < utc_day(self._end) - 1:
                self._enrol(log, stay, visa, enrolled, until, last=index == len(person.stays) - 1)

    def _enrol(self, log: PersonLog, stay: Stay, visa: Visa, enrolled: int, until: int, *, last: bool) -> None:
        rng, end = self._rng, self._end
        outcome = _OUTCOMES.draw(rng.random) if last else "ENROLLED"
        rescinded = min(stay.arrival.day + rng.between(1, 100), utc_day(end) - 2)
        if outcome != "RESCINDED" or rescinded <= enrolled:
            outcome, rescinded = "ENROLLED" if outcome == "RESCINDED" else outcome, 0
        description = self._mistakes.describe(log.person, stay, documented=False)
        foil = self._mistakes.number("visa", visa.foil, description)
        number = self._mistakes.number("passport", stay.passport.number, description)
        at = min(midnight(rescinded or enrolled, OFFICE) + 50_000, end - 120)
        late = self._mistakes.late((end - 60 - at) // DAY)
        self._mistakes.due("duplicate", possible=False)
        changed = min(at + 1 + late * DAY, end - 60)
        person, approved = description.person, outcome in ("ENROLLED", "RESCINDED")
        key = f"EV{self._log.records + 1:08}"
        item: dict[str, Any] = {
            "enrollmentNumber": key,
            "version": 1 + approved + bool(rescinded),
            "status": outcome,
            "statusAt": f"{iso_stamp(at)}Z",
            "validFrom": iso(enrolled) if approved else None,
            "validTo": iso(until) if approved else None,
            "visa": {"foil": foil, "expires": iso(visa.expires)},
            "familyName": person.family,
            "givenNames": person.given or None,
            "dateOfBirth": birth_text(person.birth),
            "sex": person.sex,
            "address": "1 HARBOR STREET",
            "modifiedAt": f"{iso_stamp(changed)}Z",
        }
        identifiers = {f"visa:{foil}"}
        if not rng.chance(rates.WITHOUT_PASSPORT):
            item["passport"] = {"number": number, "issuer": STATE}
            identifiers.add(f"passport:{STATE}:{number}")
        self._log.add(changed, key, item)
        log.add(self._system, key, identifiers, [*description.kinds, *(("out_of_order",) if late else ())])


class Enrollments:
    """The pages of the service."""

    def __init__(self, records: RestRecords) -> None:
        self._records = records

    def answer(self, path: str, asked: Asked) -> Reply:
        """Return a page by its number."""
        if path != PATH:
            return 404, '{"message": "no such path"}'
        lines = [text for changed, _, text in self._records.lines if changed >= asked["modifiedSince"][:19]]
        size = min(int(asked["size"]), 100)  # fewer than may be asked for
        begin = (int(asked["page"]) - 1) * size
        items = ", ".join(lines[begin : begin + size])
        return 200, f'{{"items": [{items}], "total": {len(lines)}, "asOf": "{self._records.clock}"}}'


class Evus(Source):
    """Enrolments."""

    system = "EVUS"
    place = "evus"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return EvusWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer polls, as often as they come."""
        async with rest_service(TOKEN, Enrollments(RestRecords.of(place)).answer) as address:
            yield Served({"EVUS.enrollments": feed(address)})


SOURCE = Evus()
