"""One run: a population drawn, written down for each system, and the truth about it kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from services.simulator.clock import DAY, iso, seconds, utc_day
from services.simulator.departure_reports import Witnesses
from services.simulator.log import PersonLog, reported_departure
from services.simulator.noise import CLEAN, Mistakes, Noise
from services.simulator.population import rates
from services.simulator.population.people import Population
from services.simulator.population.plans import Application, Person, Span, Stay, without_hyphen
from services.simulator.registry import sources
from services.simulator.source import Counts, Feeds, Run, Source
from services.simulator.truth.records import COUNTS, RECORDS, TruePerson, TrueStay, Truth, line_of
from services.simulator.truth.verdict import NOTHING, Protected, verdict

RECORDS_END = datetime(2026, 10, 31, 8, tzinfo=UTC)
"""When the records of a simulation end unless it is told otherwise: fixed, so that equal seeds write equal files."""
ASKED_AFTER = timedelta(days=2)
"""The question is asked so long after the records end: for those two days departures are not known."""
DURATION = "D/S"
TRUTH = "truth"


def simulate(
    directory: Path,
    *,
    persons: int,
    seed: int = 1,
    records_end: datetime = RECORDS_END,
    years: int = 2,
    systems: Collection[str] | None = None,
    noise: Noise = CLEAN,
    known: Mapping[str, Source] | None = None,
) -> Truth:
    """Write the native files and the truth of a population into a directory that has none. Raises ValueError.

    `systems` are those to write, all required ones among them; without it these alone are written. `known` are the
    sources there are, the project's own if not given. The noise is drawn apart: the same seed has the same people on
    the same trips, whatever is wrong in their records.
    """
    if persons < 1 or years < 1:
        raise ValueError("at least one person and one year")
    written = _selected(sources() if known is None else known, systems)
    moment = records_end.replace(microsecond=0)
    end = seconds(moment)
    since = end - years * 365 * DAY
    as_of = moment + ASKED_AFTER
    span = Span(utc_day(since) + 1, utc_day(end) - 2, since, end, seconds(as_of))
    if (directory / TRUTH).exists() or any((directory / source.place).exists() for source in written):
        raise ValueError(f"{directory} holds a simulation already")
    (directory / TRUTH).mkdir(parents=True)
    mistakes = Mistakes(noise, seed)
    counts = _write(directory, written, persons, seed, span, mistakes)
    body = {
        "persons": persons,
        "seed": seed,
        "records_end": moment.isoformat(),
        "as_of": as_of.isoformat(),
        **counts,
        "rates": rates.table() | {source.system: dict(source.rates) for source in written},
    }
    if not noise.silent:
        body["noise"] = {"rates": asdict(noise), "injected": mistakes.injected()}
    (directory / TRUTH / COUNTS).write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return Truth.read(directory / TRUTH)


def addresses(directory: Path, known: Mapping[str, Source] | None = None) -> Feeds:
    """Return the feeds that read what a simulation left, of the systems that were written and need not answer."""
    whole = directory.resolve()
    feeds: dict[str, Mapping[str, Any]] = {}
    for source in (sources() if known is None else known).values():
        if (whole / source.place).exists():
            feeds.update(source.feeds(whole / source.place))
    return feeds


def _selected(known: Mapping[str, Source], systems: Collection[str] | None) -> list[Source]:
    required = {source.system for source in known.values() if source.required}
    names = required if systems is None else set(systems)
    if not required <= names <= known.keys():
        always = " and ".join(sorted(required))
        raise ValueError(f"systems: {always} always, and of {', '.join(known)} what is wanted")
    return [source for system, source in known.items() if system in names]


def _write(
    directory: Path, written: Sequence[Source], persons: int, seed: int, span: Span, mistakes: Mistakes
) -> dict[str, Any]:
    """Write everything, and return what was written, counted."""
    brings = frozenset[str]().union(*(source.brings for source in written))
    population = Population(seed, span, brings)
    witnesses = Witnesses(seed, written)
    writers = {
        source.system: source.open(Run(source.system, directory / source.place, seed, span, mistakes))
        for source in written
    }
    # a copy is written once all that it may repeat is
    in_order = [writers[each.system] for each in sorted(written, key=lambda source: source.derived)]
    kinds: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    with (directory / TRUTH / RECORDS).open("wb") as file:
        for drawn in population.draw(persons):
            person, noise = mistakes.person(drawn, span)
            log = PersonLog(person, span, noise)
            for index, stay in enumerate(person.stays):
                departure = reported_departure(stay, span)
                if departure is not None:
                    log.reporters[index] = witnesses.of(departure)
            for writer in in_order:
                writer.write(log)
            true_person = _true_person(log)
            kinds.update(stay.kind for stay in true_person.stays)
            outcomes.update(stay.outcome for stay in true_person.stays)
            file.write(line_of(true_person))
    counts: dict[str, Counts] = {system: writer.finish() for system, writer in writers.items()}
    return {
        "stays": kinds.total(),
        "kinds": dict(sorted(kinds.items())),
        "outcomes": dict(sorted(outcomes.items())),
        "systems": counts,
    }


def _true_person(log: PersonLog) -> TruePerson:
    stays = []
    for index, stay in enumerate(log.person.stays):
        # whoever applies for admission is outside, admitted or not
        applied = [each.arrival.at for each in log.person.stays[index + 1 :]]
        stays.append(_true_stay(log, index, stay, min(applied, default=None)))
    return TruePerson(log.person.number, tuple(stays), tuple(log.records), tuple(log.retracted), log.noise)


def _true_stay(log: PersonLog, index: int, stay: Stay, later: int | None) -> TrueStay:
    span = log.span
    decided = span.decisions_through
    known = _known(stay, decided)
    steps = stay.program.known_by(decided) if stay.program else ()
    case = _protected(log.person, stay) if stay is log.person.stays[-1] else NOTHING
    seen = verdict(stay, known, log.believed(index), later, span.as_of, span.records_end, steps, case)
    happened = _known(stay, utc_day(span.as_of) - 1)
    real = verdict(stay, happened, stay.departure, None, span.as_of, span.as_of, steps, case)
    last = iso(seen.last_day) if seen.last_day else None
    system, record = log.admissions[index]
    return TrueStay(
        system,
        record,
        stay.number,
        stay.kind,
        seen.outcome.value,
        seen.since,
        DURATION if stay.program and stay.duration else last,
        _class(stay, known) if stay.inspection == "A" else None,
        real.outcome.value,
    )


def _protected(person: Person, stay: Stay) -> Protected:
    """Return what the cases of a person allow, and what the person shows; all are about the last stay."""
    shown = stay.departure.day if stay.proof and stay.departure is not None else 0
    return Protected(person.asylum, person.naturalisation.oath if person.naturalisation else 0, shown)


def _known(stay: Stay, day: int) -> tuple[Application, ...]:
    """Return the applications as they stood at the end of that day."""
    return tuple(filter(None, (each.known_by(day) for each in stay.applications)))


def _class(stay: Stay, applications: tuple[Application, ...]) -> str:
    """Return the class of admission, or the last one that it was changed to."""
    granted = [each.granted_class for each in applications if each.form != "I-485" and each.granted_class]
    return without_hyphen((granted or [stay.admission_class])[-1])
