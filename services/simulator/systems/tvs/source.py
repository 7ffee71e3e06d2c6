"""TVS as the simulator has it: messages in a folder, signed and pushed while the middleware listens."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from services.simulator.clock import DAY, iso, iso_stamp, utc_day
from services.simulator.log import PersonLog, birth_text, reported_departure
from services.simulator.noise import Description
from services.simulator.population.plans import Crossing, Stay
from services.simulator.population.rates import table
from services.simulator.push import pushing
from services.simulator.rng import Rng
from services.simulator.source import (
    Counts,
    DepartureReports,
    Run,
    Served,
    Source,
    Surroundings,
    Writer,
)
from services.simulator.systems.tvs import rates

PATH, MEDIA_TYPE = "/push/tvs", "application/json"
MOST = 500
WEEK = 7
RECORDED_AFTER, VOIDED_AFTER = 4, DAY


def _at_a_gate(departure: Crossing) -> bool:
    """Return whether a camera can see a departure: by air, with its time, and not as a removal."""
    return departure.mode == "A" and departure.second is not None and not departure.removed


@dataclass(slots=True)
class TvsWriter:
    """Writes the messages, once all persons are known."""

    run: Run
    rng: Rng = field(init=False)
    number: int = 0
    filtered: int = 0
    weeks: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.rng = self.run.rng()

    def write(self, log: PersonLog) -> None:
        """Write a person's boardings."""
        for index, stay in enumerate(log.person.stays):
            departure = reported_departure(stay, self.run.span)
            if departure is not None and log.reports(index, self.run.system):
                self._boards(log, index, departure)
            if stay.inspection == "A":
                self._another(log, stay)

    def finish(self) -> Counts:
        """Write the messages of each week."""
        self.run.place.mkdir()
        messages = read = 0
        for _, boardings in sorted(self.weeks.items()):
            boardings.sort()
            for at in range(0, len(boardings), MOST):
                messages += 1
                some = boardings[at : at + MOST]
                said = ",\n".join(text for _, text in some)
                # another population's messages have other names: a door that knows one takes no second of that name
                name = f"M{messages:06}-{sha256(said.encode()).hexdigest()[:12]}"
                head = json.dumps({"messageId": name, "sentAt": f"{iso_stamp(some[-1][0] + 60)}Z"})
                body = f'{head[:-1]}, "boardings": [\n{said}\n]}}\n'
                (self.run.place / f"TVS.{messages:06}.json").write_text(body, encoding="utf-8")
                read += len(some)
        return {"read": read, "published": read - self.filtered, "filtered": self.filtered, "messages": messages}

    def _boards(self, log: PersonLog, index: int, departure: Crossing) -> None:
        described = self.run.mistakes.describe(log.person, log.person.stays[index], bare=True)
        if self.rng.chance(rates.UNMATCHED):
            result = self.rng.one(("NO_MATCH", "NOT_IN_GALLERY"))
            self._add(self._new(), 1, departure.at - 60, departure, {"result": result})
            self.filtered += 1
        key = self._new()
        said = {"result": "MATCH", "traveler": _traveler(described), "matchedId": self._matched(log, described)}
        self._add(key, 1, departure.at, departure, said)
        log.departed(index, self.run.system, key, "manifest", departure)
        passport = described.passport
        numbers = {f"passport:{passport.state}:{passport.number}"} if not described.bare else set[str]()
        if str(said["matchedId"] or "").startswith("FIN/"):
            numbers.add(f"fin:{log.person.fin}")
        log.add(self.run.system, key, numbers, described.kinds)

    def _another(self, log: PersonLog, stay: Stay) -> None:
        """Write a match that was another's, and that it is void."""
        crossing = self.rng.crossing("LAX", "A", stay.arrival.day + 2)
        if not self.rng.chance(rates.VOIDED) or crossing.at + 2 * VOIDED_AFTER > self.run.span.records_end:
            return
        key, who = self._new(), _traveler(Description(log.person, stay.passport))
        said: dict[str, Any] = {"result": "MATCH", "traveler": who}
        self._add(key, 1, crossing.at, crossing, said)
        self._add(key, 2, crossing.at + VOIDED_AFTER, crossing, {**said, "voided": True})
        log.retract(self.run.system, key)

    def _matched(self, log: PersonLog, described: Description) -> str | None:
        """Return under what the gallery holds the photograph; nothing where it is the traveler of the list alone."""
        passport = described.passport
        if log.person.fin and not described.bare and self.rng.chance(rates.BY_FIN):
            return f"FIN/{log.person.fin}"
        if not described.bare and self.rng.chance(rates.BY_PASSPORT):
            return f"PASSPORT/{passport.state}/{passport.number}"
        return None

    def _add(self, key: str, version: int, at: int, crossing: Crossing, said: dict[str, Any]) -> None:
        """Put a boarding into the messages of its week."""
        boarding = {
            "transactionId": key,
            "version": version,
            "carrier": crossing.carrier,
            "flight": crossing.conveyance.removeprefix(crossing.carrier).lstrip("0"),
            "port": crossing.port,
            "departureDate": iso(crossing.day),
            "boardingSequence": 1 + self.number % 300,
            "capturedAt": f"{iso_stamp(crossing.at if said['result'] == 'MATCH' else at)}Z",
            "camera": f"{crossing.port}-{1 + self.number % 40}",
            "recordedAt": f"{iso_stamp(at + RECORDED_AFTER)}Z",
            **said,
        }
        text = json.dumps(boarding, ensure_ascii=False)
        self.weeks[utc_day(at) // WEEK].append((at + RECORDED_AFTER, text))

    def _new(self) -> str:
        self.number += 1
        return f"TVS-{self.number:010}"


def _traveler(described: Description) -> dict[str, str]:
    """Return the traveler as the list has it."""
    who, passport = described.person, described.passport
    result = {
        "familyName": who.family,
        "givenName": who.given,
        "birthDate": birth_text(who.birth),
        "sex": who.sex,
        "nationality": who.citizenship,
    }
    if not described.bare:
        result |= {"documentNumber": passport.number, "documentIssuer": passport.state}
    return result


class Tvs(Source):
    """Cameras at the gates of airports."""

    system = "TVS"
    place = "tvs"
    departures = DepartureReports(can=_at_a_gate, alone=rates.DEPARTURE_ALONE, beside=rates.DEPARTURE_BESIDE)
    pushes = "push"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return TvsWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Send all messages, where there is a push handler. Sending raises SourceUnavailable."""
        yield pushing(self.system, place, surroundings, path=PATH, media_type=MEDIA_TYPE)


SOURCE = Tvs()
