"""Random stays with everything that can be told of one: whatever comes, in whatever order, the lines stay sound."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from functools import lru_cache
from random import Random

import pytest
from domain.stories import EVER, ZONES
from domain.students import Student
from domain.test_protections import ended, frivolous
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Action, Evidence, Inspection, Request
from schemas.events import Fact as StatusFact
from schemas.outcomes import Outcome
from services.domain import protections, remaining, resolve, rules
from services.domain.accounting import Report
from services.domain.coverage import coverage_of
from services.domain.facts import Fact
from services.domain.history import canonical

pytestmark = pytest.mark.slow

D = date(2025, 1, 10)
CLASSES = ("B2", "WT", "GMT", "H1B", "P1", "F1", "M1", "K1", "A1", None)
FACTS = sorted({StatusFact(word) for word in rules.MOVING} | {StatusFact.ENCOUNTER, StatusFact.REMOVAL_ORDER})
NO_DAYS = (date(1, 1, 1), date(9999, 12, 31))
SPAN = (1_730_000_000, 1_860_000_000)


def _day(rng: Random, low: int = 0, high: int = 500) -> date:
    return D + timedelta(rng.randrange(low, high))


def _until(rng: Random) -> date | str | None:
    return rng.choice([None, "D/S", *NO_DAYS, *(_day(rng, 30) for _ in range(12))])


def _tell(story: Student, rng: Random) -> None:
    match rng.randrange(9):
        case 0:
            more = {} if rng.random() < 0.5 else {"until": _until(rng), "admission_class": rng.choice(CLASSES[:-1])}
            action = rng.choice([Action.APPROVED, Action.DENIED, Action.WITHDRAWN])
            filed = _day(rng)
            asks = rng.choice(list(Request)[:2])
            wanted = {"asks": asks, "requested_class": rng.choice(["H1B", "O1"]), "receipt": rng.randint(1, 3)}
            decided = filed + timedelta(rng.randrange(90)) if rng.random() < 0.7 else None
            story.extended(filed, decided, action, **more, **wanted)
        case 1:
            story.extended(_day(rng), form="I-485", receipt=9)
        case 2:
            story.left(_day(rng, 1), rng.choice([None, "12:00:00"]), rng.choice(list(Evidence)))
        case 3:
            number = rng.choice([1, 1, 2])
            inspection = rng.choice([Inspection.ADMITTED] * 6 + [Inspection.PAROLED, Inspection.REFUSED])
            story.admitted(_day(rng, 1), rng.choice(CLASSES), _until(rng), which=number, inspection=inspection)
        case 4:
            ended(story, _day(rng), rng.choice([None, 1, 2]))
        case 5:
            frivolous(story, rng.randint(1, 3))
        case 6:
            story.terminated(_day(rng), rng.choice(["violation", "authorized-withdrawal", None]))
        case _:
            reason = rng.choice([None, "after-proceedings"])
            fact = rng.choice([*FACTS, *[StatusFact.SATISFACTORY_DEPARTURE, StatusFact.DAYS_ENDORSED] * 3])
            story.fact(_day(rng), fact, until=_until(rng), reason=reason)


@lru_cache(maxsize=2048)
def story_of(seed: int) -> Student:
    """A person with an admission and up to ten things more."""
    rng = Random(seed)
    story = Student(rng.choice(ZONES), admission_class=rng.choice(["F1", "M1"]))
    if rng.random() < 0.4:
        story.admitted(D, story.admission_class, "D/S" if story.admission_class == "F1" else _day(rng, 60))
        story.created(D - timedelta(40), _day(rng, 60))
    else:
        story.admitted(D, rng.choice(CLASSES), _until(rng))
    for _ in range(rng.randint(1, 10)):
        _tell(story, rng)
    return story


@lru_cache(maxsize=2048)
def facts_of(seed: int) -> tuple[Fact, ...]:
    """What correlation reads of it."""
    return tuple(story_of(seed).facts())


@pytest.mark.law(1, "500 random stays with every kind of event, in any order")
@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20))
def test_lines_are_sound_in_any_order(seed: int) -> None:
    """The same bytes in any order; lines run forward from the admission, every piece with its rule and its events."""
    facts = facts_of(seed)
    mixed = [*facts, *facts[:2]]
    Random(seed).shuffle(mixed)
    histories = resolve.persons(facts)
    assert [canonical(one) for one in resolve.persons({fact.id: fact for fact in mixed}.values())] == [
        canonical(one) for one in histories
    ]
    known = {fact.uuid for fact in facts}
    for stay in (stay for history in histories for stay in history.stays):
        begins = [piece.since for piece in stay.timeline]
        assert begins[0] == stay.since
        assert begins == sorted(set(begins))
        for piece in stay.timeline:
            assert Outcome(piece.outcome)
            assert piece.evidence
            assert set(piece.evidence) <= known
            assert list(piece.evidence) == sorted(set(piece.evidence))
            assert piece.citation or piece.outcome == Outcome.UNDETERMINED
            assert not piece.absence or piece.outcome == Outcome.OVERSTAY_SUSPECTED


@pytest.mark.law(6, "and over random stays with protections, at any instant")
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20), st.integers(*SPAN))
def test_the_account_closes_and_days_agree(seed: int, as_of: int) -> None:
    """Every admission in one class; days remain only to whom something allows to stay."""
    facts = facts_of(seed)
    histories = resolve.persons(facts)
    for year in (2025, 2026):
        report = Report(year, as_of, coverage_of(EVER))
        for history in histories:
            report.add(history)
        report.count(facts)
        report.close()
    for stay in (stay for history in histories for stay in history.stays):
        left = remaining.remaining_days(stay, as_of)
        actual = resolve.answer(stay, as_of, coverage_of(EVER))
        assert left is None or (actual is not None and actual.outcome in remaining.ALLOWED)
        remaining.work_until(stay, as_of)


def test_the_stories_are_worth_it() -> None:
    """Every outcome and every protection is among them, often enough."""
    stays = [stay for seed in range(2000) for one in resolve.persons(facts_of(seed)) for stay in one.stays]
    outcomes = Counter(piece.outcome for stay in stays for piece in stay.timeline)
    reported = Counter(piece.rule for stay in stays for piece in stay.timeline)
    assert min(outcomes[one.value] for one in Outcome if one is not Outcome.DEPARTURE_UNKNOWN) >= 20, outcomes
    special = {row.id for row in rules.PROTECTIONS} | {rules.REVALIDATED[0], rules.OWN_EVIDENCE[0], rules.EMPLOYMENT[0]}
    assert min(reported[name] for name in special) >= 3, {name: reported[name] for name in special}


def test_a_line_out_of_order_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: a protection that is laid down at its own second, whatever the piece below began with."""
    plain = protections.laid_over

    def planted(line: list[object], window: protections.Window, *, dates: bool = False) -> list[object]:
        actual = plain(line, window, dates=dates)  # type: ignore[arg-type]
        return [*actual, actual[0]] if len(actual) > len(line) else list(actual)

    monkeypatch.setattr(protections, "laid_over", planted)
    broken = 0
    for seed in range(300):
        for history in resolve.persons(facts_of(seed)):
            for stay in history.stays:
                begins = [piece.since for piece in stay.timeline]
                broken += begins != sorted(set(begins))
    assert broken
