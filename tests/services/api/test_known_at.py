"""As known then: each answer is that of an installation which never heard the rest, with every right and without."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import bytes_of, world_of

from schemas.identifiers import Identifier
from services.api import answers
from services.api.answers import SEARCHABLE, By, ByIdentifier, ByPerson, Known, When, status_view, timeline_view
from services.domain import caps
from services.domain.caps import NO_CUTOFFS, caps_of
from services.domain.confidential import open_facts
from services.domain.coverage import complete
from services.domain.facts import Fact, fact_of
from services.domain.pools import Pool

SPAN = (1_704_000_000, 1_790_000_000)
VIEWS = (status_view, timeline_view)


@lru_cache(maxsize=64)
def facts_of(seed: int) -> tuple[Fact, ...]:
    """All that is heard in a world, some of it twice."""
    return tuple(map(fact_of, bytes_of(world_of(seed, torn=bool(seed % 3))[0])))


def knowing(facts: Iterable[Fact], known_at: int | None = None, *, confidential: bool = True) -> Known:
    """What an installation reads that has heard these, for a look-up as known then."""
    results = list(facts)
    pool = Pool(fact for fact in results if fact.kind != "coverage")
    held = tuple(pool.facts.values())
    copies: dict[bytes, Fact] = {}
    for fact in sorted((fact for fact in results if fact.kind == "coverage"), key=lambda fact: fact.known):
        copies.setdefault(fact.id, fact)
    held = held if confidential else tuple(open_facts(held))
    cutoffs = caps_of(held, NO_CUTOFFS)
    return Known(held, complete(copies.values(), known_at), None, cutoffs.cutoffs if cutoffs else NO_CUTOFFS)


def asked_for(facts: Collection[Fact], rng: Random) -> list[By]:
    """Some numbers and some persons."""
    texts = sorted({text for fact in facts for text in fact.identifiers if text.split("/")[0] in SEARCHABLE})
    handles = sorted({fact.handle for fact in facts if fact.claim is not None})
    numbers = [ByIdentifier(Identifier.parse(text)) for text in rng.sample(texts, min(4, len(texts)))]
    return [*numbers, *(ByPerson(handle) for handle in rng.sample(handles, min(4, len(handles))))]


def as_known_then(seed: int) -> None:
    """The law."""
    facts, rng = facts_of(seed), Random(seed)
    moment = rng.choice(facts).known + rng.choice((-1, 0, 1))
    as_of = rng.randrange(*SPAN)
    by_right = {True: facts, False: tuple(open_facts(facts))}  # by all that is known today
    whole = {right: knowing(facts, moment, confidential=right) for right in by_right}
    then = {right: knowing(fact for fact in by_right[right] if fact.known <= moment) for right in by_right}
    for by in asked_for(facts, rng):
        for view in VIEWS:
            for confidential in (True, False):
                now = view(by, When(as_of, moment), whole[confidential], confidential=confidential)
                past = view(by, When(as_of), then[confidential], confidential=confidential)
                assert now.persons == past.persons
                assert now.freshness.coverage == past.freshness.coverage
                assert now.freshness.absence_known_through == past.freshness.absence_known_through


@pytest.mark.law(
    5,
    "look-ups by number and person, with the right to confidential records and without: the answer is "
    "that of an installation which never heard the rest",
)
@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20))
def test_an_answer_as_known_then_is_the_answer_of_then(seed: int) -> None:
    as_known_then(seed)


@pytest.mark.slow
def test_and_so_where_caps_bite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "CAP", 2)
    for seed in range(60):
        as_known_then(seed)


def caught(law: Callable[[int], None], seeds: Iterable[int]) -> bool:
    """Whether some world breaks the law."""
    for seed in seeds:
        try:
            law(seed)
        except AssertionError:
            return True
    return False


@pytest.mark.law(5, planted="whether a decision counts seen by what became known later")
def test_a_later_record_that_makes_a_decision_visible_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what was not known then is not left out."""
    visible = answers.visible
    monkeypatch.setattr(
        answers, "visible", lambda facts, known_at, *, confidential: visible(facts, confidential=confidential)
    )
    held = answers.persons
    monkeypatch.setattr(answers, "persons", lambda facts, known_at, cutoffs: held(facts, None, cutoffs))
    assert caught(as_known_then, range(300))
