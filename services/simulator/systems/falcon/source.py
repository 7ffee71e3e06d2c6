"""FALCON-SA as the simulator has it: packed lines of JSON with what others hold of cases, some days late.

Some copies are loaded twice, and behind some an older state of theirs is loaded again.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.country_codes import NAMES
from services.simulator.clock import iso, utc_day
from services.simulator.log import PersonLog, birth_text, reported_at
from services.simulator.noise import Description
from services.simulator.population.plans import Removal
from services.simulator.population.rates import table
from services.simulator.population.timeline import Kind
from services.simulator.rng import Rng
from services.simulator.source import Counts, Feeds, Run, Source, Writer
from services.simulator.systems.falcon import rates

WEEK = 7
KINDS = {Kind.ARRESTED: "ARREST", Kind.BOOKED: "BOOK_IN", Kind.RELEASED: "BOOK_OUT"}
SEXES = {"F": "Female", "M": "Male"}


@dataclass(slots=True)
class FalconWriter:
    """Writes the loads, once all persons are known."""

    run: Run
    investigations: int = 0
    organisations: int = 0
    loads: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))  # by day of the load
    rng: Rng = field(init=False)
    last: int = field(init=False)  # day

    def __post_init__(self) -> None:
        self.rng = self.run.rng()
        self.last = utc_day(self.run.span.records_end) - 1

    def write(self, log: PersonLog) -> None:
        """Write the copies of what is held of a person."""
        admitted = [
            stay
            for stay in log.person.stays
            if stay.inspection == "A" and stay.number and reported_at(stay.arrival) <= self.run.span.records_end
        ]
        if not admitted:
            return
        described: Description | None = None
        for system, key, kind, day in (*self._held(log), *self._investigated(admitted[-1].arrival.day)):
            described = described or self.run.mistakes.describe(log.person, admitted[-1])
            entity = self._entity(log, described) | {"event": {"kind": kind, "date": iso(day)}}
            if self._copy(system, key, entity, day):
                passport = described.passport
                log.add(
                    self.run.system,
                    f"{system}/{key}",
                    {f"passport:{passport.state}:{passport.number}"},
                    described.kinds,
                )

    def finish(self) -> Counts:
        """Write the files, one for the loads of each week."""
        self.run.place.mkdir()
        weeks: dict[int, list[str]] = defaultdict(list)
        for day, lines in sorted(self.loads.items()):
            weeks[day // WEEK] += lines
        for number, (_, lines) in enumerate(sorted(weeks.items()), 1):
            data = "".join(f"{line}\n" for line in lines).encode()
            (self.run.place / f"FALCON.{number:06}.jsonl.gz").write_bytes(gzip.compress(data, mtime=0))
        read = sum(map(len, self.loads.values()))
        return {"read": read, "published": read - self.organisations, "filtered": self.organisations}

    def _held(self, log: PersonLog) -> Iterator[tuple[str, str, str, int]]:
        """Yield system, key, kind and day of the steps of a removal case, as EID has them."""
        keys = [each.record for each in log.records if each.system == "EID"]
        for happening in log.happenings():
            if happening.kind in KINDS and isinstance(happening.subject, Removal):
                kind = KINDS[happening.kind]
                key = keys[0] if keys and kind == "ARREST" else f"{happening.subject.event}-{kind}"
                yield "EID", key, kind, happening.day

    def _investigated(self, since: int) -> Iterator[tuple[str, str, str, int]]:
        """Yield an investigation that names the person, and its end."""
        if not self.rng.chance(rates.INVESTIGATION):
            return
        self.investigations += 1
        opened = since + self.rng.between(*rates.LATER)
        key = f"HSI{self.investigations:07}"
        yield "ICM", key, "INVESTIGATION", opened
        if self.rng.chance(rates.CLOSED):
            yield "ICM", f"{key}-C", "INVESTIGATION_CLOSED", opened + self.rng.between(*rates.OPEN_DAYS)

    def _entity(self, log: PersonLog, described: Description) -> dict[str, Any]:
        person, passport = described.person, described.passport
        said = {
            "type": "PERSON",
            "familyName": person.family,
            "givenName": person.given,
            "birthDate": birth_text(person.birth),
            "sex": SEXES.get(person.sex, "Unknown"),
            "citizenship": NAMES.code_of(person.citizenship),
            "aNumber": person.a_number,
            "fin": log.person.fin,
            "passport": {"number": passport.number, "state": NAMES.code_of(passport.state)},
            "subjectId": log.person.subject,
        }
        return {name: value for name, value in said.items() if value}

    def _copy(self, system: str, key: str, entity: dict[str, Any], day: int) -> bool:
        """Write a copy, perhaps once more, and perhaps an older state behind it; return whether it was loaded."""
        load = day + self.rng.between(*rates.LATER)
        again, stale = load + self.rng.between(*rates.LATER), load + self.rng.between(*rates.LATER)
        reloaded, older = self.rng.chance(rates.RELOADED), self.rng.chance(rates.STALE)
        organisation = self.rng.chance(rates.ORGANISATION)
        if load > self.last:
            return False
        self._line(system, key, entity, day, load)
        if reloaded and again <= self.last:
            self._line(system, key, entity, day, again)
        if older and stale <= self.last:
            self._line(system, key, entity | {"givenName": ""}, day, stale, hour=1)
        if organisation:
            self.organisations += 1
            of = {"type": "ORGANIZATION", "familyName": "IMPORT AND EXPORT"}
            self._line(system, f"{key}-O", of, day, load)
        return True

    def _line(self, system: str, key: str, entity: dict[str, Any], day: int, load: int, hour: int = 20) -> None:
        said = {
            "sourceSystem": system,
            "sourceRecordId": key,
            "sourceUpdatedAt": f"{iso(day)}T{hour:02}:30:00Z",
            "loadedAt": f"{iso(load)}T21:00:00Z",
            "entity": entity,
        }
        self.loads[load].append(json.dumps(said, ensure_ascii=False))


class Falcon(Source):
    """A system that drops files and repeats what others hold."""

    system = "FALCON"
    place = "falcon"
    derived = True
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return FalconWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the files."""
        return {"FALCON.loads": {"url": place.as_uri(), "options": {"unchanged": 0}}}


SOURCE = Falcon()
