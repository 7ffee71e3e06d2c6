"""ESTA as the simulator has it: a REST service on loopback that answers with the applications that were written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.simulator.clock import DAY, iso, iso_stamp, midnight, utc_day
from services.simulator.log import PersonLog, birth_text
from services.simulator.noise import Description
from services.simulator.population.plans import Esta
from services.simulator.population.rates import table
from services.simulator.rest import RestLog, RestRecords, feed, rest_service, served_pages
from services.simulator.source import Counts, Run, Served, Source, Surroundings, Writer
from services.simulator.systems.esta import rates
from services.simulator.truth.verdict import OFFICE

PATH, TOKEN = "/v1/authorizations", "/oauth/token"
APPROVED, PENDING, REFUSED = "AUTHORIZATION APPROVED", "AUTHORIZATION PENDING", "TRAVEL NOT AUTHORIZED"


def known_by(esta: Esta, day: int) -> Esta | None:
    """Return the application as it stood at the end of a day, None if there was none."""
    if esta.applied > day:
        return None
    if not esta.decided or esta.decided > day:
        return replace(esta, decided=0, outcome="pending", expires=0, revoked=0)
    return replace(esta, revoked=0) if esta.revoked > day else esta


class EstaWriter:
    """Writes applications."""

    def __init__(self, run: Run) -> None:
        self._system = run.system
        self._rng = run.rng()
        self._end = run.span.records_end
        self._mistakes = run.mistakes
        self._log = RestLog(run.place)
        self._withdrawn = 0

    def finish(self) -> Counts:
        """Complete the answers."""
        self._log.finish(self._end)
        read = self._log.records
        return {"read": read, "published": read, "filtered": 0, "withdrawn": self._withdrawn}

    def write(self, log: PersonLog) -> None:
        """Write all applications of a person."""
        for esta in log.person.estas:
            known = known_by(esta, utc_day(self._end) - 1)
            if known is not None:
                self._apply(log, known)

    def _apply(self, log: PersonLog, esta: Esta) -> None:
        stays = [stay for stay in log.person.stays if stay.passport == esta.passport]
        description = self._mistakes.describe(log.person, (stays or log.person.stays)[0], documented=False)
        number = self._mistakes.number("passport", esta.passport.number, description)
        late = self._add(description, esta, esta.number, number)
        kinds = [*description.kinds, *(("out_of_order",) if late else ())]
        log.add(self._system, esta.number, {f"esta:{esta.number}", f"passport:{esta.passport.state}:{number}"}, kinds)
        if self._rng.chance(rates.WITHDRAWN):
            self._withdrawn += 1
            again = f"9{self._withdrawn:015}"
            self._add(description, esta, again, number, withdrawn=True)
            log.retract(self._system, again)

    def _add(self, description: Description, esta: Esta, key: str, number: str, *, withdrawn: bool = False) -> int:
        """Write an application; return by how many days its last change came late."""
        rng, person = self._rng, description.person
        at = midnight(esta.revoked or esta.decided or esta.applied, OFFICE) + rng.between(36_000, 72_000)
        at = min(at, self._end - 120)
        late = self._mistakes.late((self._end - 60 - at) // DAY, possible=not withdrawn)
        if not withdrawn:
            self._mistakes.due("duplicate", possible=False)
        again = not late and rng.chance(rates.CHANGED_AGAIN)
        changed = min(at + 1 + (late or (rng.between(1, 30) if again else 0)) * DAY, self._end - 60)
        approved = esta.outcome == "approved"
        status = REFUSED if esta.revoked or esta.outcome == "denied" else APPROVED if approved else PENDING
        item: dict[str, Any] = {
            "applicationNumber": key,
            "version": 1 + bool(esta.decided) + bool(esta.revoked) + again,
            "status": status.title() if rng.chance(rates.LOWER_CASE) else status,
            "statusAt": f"{iso_stamp(at)}Z",
            "submittedAt": f"{iso_stamp(midnight(esta.applied, OFFICE) + 36_000)}Z",
            "passport": {"number": number, "issuer": esta.passport.state},
            "familyName": person.family,
            "givenNames": person.given or None,
            "dateOfBirth": birth_text(person.birth),
            "sex": person.sex,
            "citizenship": person.citizenship,
            "modifiedAt": f"{iso_stamp(changed)}Z",
        }
        if approved:
            item |= {"validFrom": iso(esta.decided), "validTo": iso(esta.expires)}
        if esta.passport.expires and not rng.chance(rates.WITHOUT_EXPIRY):
            item["passport"]["expires"] = iso(esta.passport.expires)
        if withdrawn:
            item["withdrawn"] = True
        self._log.add(changed, key, item)
        return late


class EstaSource(Source):
    """Authorisations under the Visa Waiver Program."""

    system = "ESTA"
    place = "esta"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return EstaWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer polls, as often as they come."""
        async with rest_service(TOKEN, served_pages(RestRecords.of(place), PATH)) as address:
            yield Served({"ESTA.authorizations": feed(address, per_second=0.0)})


SOURCE = EstaSource()
