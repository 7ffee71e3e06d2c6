"""What made a view: its rules, weights, code tables and normaliser, as one short text.

Two correlators that differ here would write two different views into one store; the second is refused.
"""

from __future__ import annotations

from hashlib import blake2b
from types import ModuleType

from schemas.countries import STATES
from schemas.events import SCHEMA_VERSION
from services.domain import (
    births,
    blocks,
    caps,
    facts,
    frequencies,
    holidays,
    identity,
    names,
    notices,
    numbers,
    programs,
    rules,
    scoring,
    sightings,
)

NORMALISER = 42
"""Raised whenever names, claims, keys or blocks are spelt otherwise, or the code that settles answers otherwise."""


def fingerprint() -> str:
    """Sixteen hexadecimal digits."""
    parts = (
        SCHEMA_VERSION,
        NORMALISER,
        sorted(STATES),
        sorted(identity.WEIGHTS.items()),
        (names.DATA, frequencies.DATA, names.STEM, names.CALLED, sorted(scoring.LOOKS.items())),
        [_weights(module) for module in (scoring, births, frequencies)],
        (
            (births.GENERATION, births.ELDERS, births.OLDEST),
            blocks.SOUND_CUT,
            (frequencies.PART, frequencies.PART_ELSEWHERE),
            numbers.LEAST,
            numbers.SERIES,
            sorted(numbers.PLACEHOLDER_WORDS),
            numbers.OF_ANY_SERIES,
        ),
        (sightings.MINUTES, sorted(sightings.ADMITTED), sightings.ONE_PORT, sightings.SELDOM),
        sorted((how.name, kept) for how, kept in scoring.KEPT.items()),
        (caps.CAP, (scoring.FIELD_CUT, scoring.TELLING), identity.OUTWEIGHS, identity.AS_MUCH),
        [_row(rule) for rule in (*rules.RULES, *rules.PAROLE, *rules.CANADIAN, *rules.FIXED_PERIODS)],
        [_protection(row) for row in rules.PROTECTIONS],
        (rules.TIMELY, rules.APPROVED, rules.DENIED, rules.ADJUSTMENT, rules.RESIDENT, rules.REFUSED, rules.LEFT),
        (rules.LATER_ADMISSION, rules.OVER, sorted(rules.LEAVES_NONIMMIGRANT), sorted(rules.ACCEPTED)),
        (rules.VIOLATION, rules.CAP_GAP, programs.BEST_FIRST, sorted(programs.TAKEN_UP)),
        (rules.EVIDENCE_ORDER, rules.ONE_CROSSING, sorted(rules.REBUTTING), sorted(rules.MANIFESTS)),
        [(row.kind, sorted(row.systems)) for row in rules.AUTHORITY],
        (rules.ONE_ARRIVAL, rules.ONE_INSPECTION, rules.ONE_STEP),
        (rules.CAP_GAP_CLASS, [(since.isoformat(), month) for since, month in rules.CAP_GAP_UNTIL]),
        (rules.REVALIDATED, rules.REVALIDATION_DAYS, rules.UNLAWFUL_DAYS),
        (
            [sorted(family) for family in rules.KEEPS_ADJUSTMENT],
            sorted(rules.VICTIMS),
            (sorted(rules.KEPT_ABROAD), rules.TPS_CLASS),
            str(rules.EMPLOYMENT_DAYS_SINCE),
        ),
        rules.VICTIM_ADJUSTING,
        (rules.EMPLOYMENT, rules.OWN_EVIDENCE, sorted(rules.PRESENCE), sorted(rules.MOVING)),
        (str(rules.FIXED_PERIODS_FROM), rules.TRANSITION_YEARS, rules.TRANSITION_DAYS),
        (rules.PAROLE_OVER, rules.OUT_OF_STATUS, rules.CORRECTED, rules.PAROLED_AGAIN),
        (rules.CONTRADICTED, rules.IMPOSSIBLE, (facts.BEYOND, facts.BEYOND_KNOWING), sorted(facts.BY_CLASS.items())),
        sorted(facts.BY_LAW.items()),
        (sorted(rules.ONLINE_SYSTEMS), sorted(rules.LAND_RETURN), rules.FINGERPRINTS),
        (sorted(rules.IMPLIED_STEPS), sorted(rules.IMPLIED_REASONS), sorted(rules.IMPLIED_FACTS)),
        [repr(row) for row in holidays.HOLIDAYS],
        [_notice(row) for row in notices.NOTICES],
        (rules.ABSENCE_SOURCES, rules.WORK_DAYS, sorted(rules.WORK_GOES_ON)),
    )
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _weights(module: ModuleType) -> list[tuple[str, float]]:
    return sorted((name, value) for name, value in vars(module).items() if isinstance(value, float) and name.isupper())


def _row(rule: rules.Rule) -> tuple[object, ...]:
    dates = (rule.since.isoformat(), rule.through.isoformat())
    return (
        rule.id,
        sorted(rule.classes),
        rule.basis.name,
        rule.citation,
        rule.days,
        rule.months,
        rule.grace_days,
        rule.employment_days,
        rule.withdrawal_days,
        sorted(rule.training),
        sorted(rule.filed_in_grace),
        rule.extendable,
        rule.changeable,
        sorted(rule.citizenship),
        dates,
    )


def _notice(row: notices.Notice) -> tuple[object, ...]:
    days = tuple(str(day) for day in (row.noticed, row.ended, row.spared, row.spared_by))
    return (row.id, row.fact, row.citation, sorted(row.citizenship), sorted(row.programs), row.carries, days)


def _protection(row: rules.Protection) -> tuple[object, ...]:
    dates = (row.since.isoformat(), row.through.isoformat())
    words = (
        row.id,
        row.fact,
        row.outcome.value,
        row.wording,
        row.citation,
        row.reason,
        row.ended_by,
        row.failed,
        row.unless,
    )
    return (words, row.days, sorted(row.classes), row.behind, row.open, dates)
