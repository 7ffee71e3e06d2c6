"""One run: a population drawn, written down for each system, and the truth about it kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from services.simulator.apis import Manifests
from services.simulator.claims3 import Actions
from services.simulator.clock import DAY, iso, seconds, utc_day
from services.simulator.examiner import Examiner
from services.simulator.i94 import SCOPES, Nights
from services.simulator.ident import Encounters
from services.simulator.noise import CLEAN, Mistakes, Noise
from services.simulator.population import rates
from services.simulator.population.people import Population
from services.simulator.population.plans import Application, Person, Span, Stay, without_hyphen
from services.simulator.purser import Purser
from services.simulator.registrar import Registrar
from services.simulator.scribe import Page, Scribe
from services.simulator.sevis import Batches
from services.simulator.truth.records import COUNTS, RECORDS, TruePerson, TrueStay, Truth, line_of
from services.simulator.truth.verdict import verdict
from services.simulator.witnesses import Witnesses

UNTIL = datetime(2026, 10, 31, 8, tzinfo=UTC)
"""When the records of a simulation end unless it is told otherwise: fixed, so that equal seeds write equal files."""
ASKED_AFTER = timedelta(days=2)
"""The question is asked so long after the records end: for those two days departures are not known."""
DURATION = "D/S"
I94_FILES = "i94"
CLAIMS3_FILE = "claims3.db"
APIS_FILES, SEVIS_FILES, IDENT_FILES = "apis", "sevis", "ident"
TRUTH = "truth"
FEEDS = {"APIS.files": APIS_FILES, "SEVIS.batches": SEVIS_FILES}
"""Feeds of the systems that need not be written, and the directories that they read."""
ALWAYS = ("I94", "CLAIMS3")
"""Without these no population is written."""
SYSTEMS = (*ALWAYS, "APIS", "SEVIS", "IDENT")
"""All systems that can be written."""


def simulate(
    directory: Path,
    *,
    persons: int,
    seed: int = 1,
    until: datetime = UNTIL,
    years: int = 2,
    systems: Collection[str] = ALWAYS,
    noise: Noise = CLEAN,
) -> Truth:
    """Write the native files and the truth of a population into a directory that has none. Raises ValueError.

    The noise is drawn apart: the same seed has the same people on the same trips, whatever is wrong in their records.

    Students come only where SEVIS is written: without it nothing could be said of them.
    """
    if persons < 1 or years < 1:
        raise ValueError("at least one person and one year")
    if not set(ALWAYS) <= set(systems) <= set(SYSTEMS):
        raise ValueError(f"systems: {', '.join(ALWAYS)} always, and of {', '.join(SYSTEMS)} what is wanted")
    end = seconds(until.replace(microsecond=0))
    nights = years * 365
    since = end - nights * DAY
    as_of = until.replace(microsecond=0) + ASKED_AFTER
    span = Span(utc_day(since) + 1, utc_day(end) - 2, since, end, seconds(as_of))
    if any((directory / name).exists() for name in (I94_FILES, CLAIMS3_FILE, *FEEDS.values(), IDENT_FILES, TRUTH)):
        raise ValueError(f"{directory} holds a simulation already")
    (directory / TRUTH).mkdir(parents=True)
    mistakes = Mistakes(noise, seed)
    run = _Run(directory, seed, span, nights, frozenset(systems), mistakes)
    counts = run.write(persons)
    body = {
        "persons": persons,
        "seed": seed,
        "until": until.replace(microsecond=0).isoformat(),
        "as_of": as_of.isoformat(),
        **counts,
        "rates": rates.table(),
    }
    if not noise.silent:
        body["noise"] = {"rates": asdict(noise), "injected": mistakes.injected()}
    (directory / TRUTH / COUNTS).write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return Truth.read(directory / TRUTH)


class _Run:
    """The open files of a simulation."""

    def __init__(
        self, directory: Path, seed: int, span: Span, nights: int, systems: frozenset[str], mistakes: Mistakes
    ) -> None:
        self._directory = directory
        self._span = span
        self._nights = Nights(directory / I94_FILES, span.since, nights, mistakes)
        self._actions = Actions(directory / CLAIMS3_FILE)
        self._population = Population(seed, span, students="SEVIS" in systems)
        self._scribe = Scribe(seed, span, self._nights, self._actions, Witnesses(seed, systems), mistakes)
        self._manifests = Manifests(directory / APIS_FILES) if "APIS" in systems else None
        self._purser = Purser(seed, span, self._manifests, mistakes) if self._manifests else None
        self._batches = (
            Batches(directory / SEVIS_FILES, span.since, span.until, mistakes) if "SEVIS" in systems else None
        )
        self._registrar = Registrar(seed, span, self._batches, mistakes) if self._batches else None
        self._encounters = Encounters(directory / IDENT_FILES) if "IDENT" in systems else None
        self._examiner = Examiner(seed, span, self._encounters, mistakes) if self._encounters else None

    def write(self, persons: int) -> dict[str, Any]:
        """Everything; what was written, counted."""
        kinds: Counter[str] = Counter()
        outcomes: Counter[str] = Counter()
        stays = 0
        with (self._directory / TRUTH / RECORDS).open("wb") as file:
            for person in self._population.draw(persons):
                page = self._scribe.write(person)
                for writer in (self._purser, self._registrar, self._examiner):
                    if writer is not None:
                        writer.write(page)
                told = self._truth(page.person, page)
                stays += len(told.stays)
                kinds.update(stay.kind for stay in told.stays)
                outcomes.update(stay.outcome for stay in told.stays)
                file.write(line_of(told))
        self._nights.finish()
        self._actions.finish(self._span.until)
        systems = {"I94": self._i94(), "CLAIMS3": self._claims3()}
        if self._manifests is not None:
            self._manifests.finish()
            systems["APIS"] = _apis(self._manifests)
        if self._batches is not None:
            self._batches.finish()
            systems["SEVIS"] = _sevis(self._batches)
        if self._encounters is not None:
            self._encounters.finish()
            systems["IDENT"] = _ident(self._encounters)
        return {
            "stays": stays,
            "kinds": dict(sorted(kinds.items())),
            "outcomes": dict(sorted(outcomes.items())),
            "systems": systems,
        }

    def _i94(self) -> dict[str, int]:
        nights = self._nights
        return {
            "files": len(nights),
            "read": nights.details,
            "published": nights.details,
            "filtered": 0,
            "arrivals": nights.arrivals,
            "departures": nights.departures,
            "extensions": nights.extensions,
            "corrections": nights.corrections,
            "deletions": nights.deletions,
            "coverage": len(nights) * len(SCOPES),
        }

    def _claims3(self) -> dict[str, int]:
        actions = self._actions
        return {
            "read": actions.rows,
            "published": actions.rows - actions.filtered,
            "filtered": actions.filtered,
            "changed": actions.changed,
            "voided": actions.voided,
        }

    def _truth(self, person: Person, page: Page) -> TruePerson:
        stays = []
        for index, stay in enumerate(person.stays):
            admitted = [each.arrival.at for each in person.stays[index + 1 :] if each.inspection == "A"]
            stays.append(self._true_stay(page.arrivals[index], stay, min(admitted, default=None)))
        return TruePerson(person.number, tuple(stays), tuple(page.records), tuple(page.retracted), page.noise)

    def _true_stay(self, record: str, stay: Stay, later: int | None) -> TrueStay:
        span, decided = self._span, self._scribe.last_action_day
        known = _known(stay, decided)
        steps = stay.program.known_by(decided) if stay.program else ()
        seen = verdict(stay, known, self._scribe.recorded(stay), later, span.as_of, span.until, steps)
        happened = _known(stay, utc_day(span.as_of) - 1)
        real = verdict(stay, happened, stay.departure, None, span.as_of, span.as_of, steps)
        last = iso(seen.last_day) if seen.last_day else None
        return TrueStay(
            record,
            stay.number,
            stay.kind,
            seen.outcome.value,
            seen.since,
            DURATION if stay.program and stay.duration else last,
            _class(stay, known) if stay.inspection == "A" else None,
            real.outcome.value,
        )


def _known(stay: Stay, day: int) -> tuple[Application, ...]:
    """The applications as they stood at the end of that day."""
    return tuple(filter(None, (each.known_by(day) for each in stay.applications)))


def _apis(manifests: Manifests) -> dict[str, int]:
    return {
        "files": manifests.files,
        "interchanges": manifests.interchanges,
        "read": manifests.travellers,
        "published": manifests.travellers - manifests.filtered,
        "filtered": manifests.filtered,
        "closed": manifests.closed,
        "taken_back": manifests.taken_back,
    }


def _sevis(batches: Batches) -> dict[str, int]:
    return {
        "files": batches.files,
        "read": batches.records,
        "published": batches.records - batches.filtered,
        "filtered": batches.filtered,
        "corrections": batches.corrections,
        "deletions": batches.deletions,
        "coverage": batches.coverage,
    }


def _ident(encounters: Encounters) -> dict[str, int]:
    return {
        "messages": encounters.messages,
        "read": encounters.encounters,
        "published": encounters.encounters - encounters.filtered,
        "filtered": encounters.filtered,
        "exits": encounters.exits,
        "corrections": encounters.corrections,
        "deletions": encounters.deletions,
    }


def _class(stay: Stay, applications: tuple[Application, ...]) -> str:
    """The class of admission, or the last one that it was changed to."""
    granted = [each.granted_class for each in applications if each.form != "I-485" and each.granted_class]
    return without_hyphen((granted or [stay.admission_class])[-1])


def addresses(directory: Path) -> dict[str, str]:
    """Where a simulation left what each system's feed reads, of those that were written."""
    whole = directory.resolve()
    found = {
        "I94.nightly": (whole / I94_FILES).as_uri(),
        "CLAIMS3.actions": f"sqlite+aiosqlite:///{whole / CLAIMS3_FILE}",
    }
    for feed, name in FEEDS.items():
        if (whole / name).is_dir():
            found[feed] = (whole / name).as_uri()
    return found
