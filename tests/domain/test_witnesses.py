"""What those tell of an arrival who admit nobody stands beside the admission, and moves nothing."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random

import pytest
from domain.stories import ZONES, Story
from domain.test_occurrences import crossings
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.events import Arrival, Inspection
from schemas.moments import zone
from services.domain import occurrences, resolve, visits
from services.domain.facts import Fact
from services.domain.history import Stay

D = date(2025, 3, 3)
ONE = timedelta(1)


def witnesses(story: Story) -> list[tuple[int, ...]]:
    """For each stay the numbers of the events that witness it."""
    places = {event: number for number, event in enumerate(story.ids)}
    return [tuple(places[event] for event in stay.witnesses) for stay in story.history().stays]


def test_a_manifest_and_fingerprints_beside_the_i94() -> None:
    """In order of time, as no ground of anything."""
    story = Story().admitted(D).met("APIS", D, "11:30:00").met("IDENT", D, "12:10:00").left(D + 9 * ONE)
    assert witnesses(story) == [(1, 2)]
    assert story.stay().reports == ()
    assert {event for piece in story.stay().timeline for event in piece.evidence} == {story.ids[0], story.ids[3]}


@pytest.mark.parametrize(
    ("clock", "more", "seen"),
    [
        ("23:59:59", {}, True),
        ("00:00:00", {}, True),
        (None, {}, True),
        ("12:10:00", {"port": None}, True),
        ("12:10:00", {"port": "LAX"}, False),
        ("12:10:00", {"mode": None}, False),  # no crossing: an enrolment
    ],
)
def test_at_one_port_within_half_a_day(clock: str | None, more: dict[str, object], *, seen: bool) -> None:
    story = Story().admitted(D).met("IDENT", D, clock, **more)
    assert witnesses(story) == [(1,) if seen else ()]


def test_too_early_and_too_late() -> None:
    story = Story().admitted(D, clock="12:00:00").met("APIS", D - ONE, "23:59:59").met("IDENT", D + ONE, "00:00:01")
    assert witnesses(story) == [()]


def test_each_at_the_nearest_of_two_on_one_day() -> None:
    story = Story().admitted(D, clock="06:00:00").left(D, "10:00:00").admitted(D, clock="14:00:00", which=2)
    story.met("IDENT", D, "05:50:00").met("APIS", D, "09:00:00").met("IDENT", D, "11:00:00")
    assert witnesses(story) == [(3, 4), (5,)]


def test_whoever_was_refused_was_there() -> None:
    assert witnesses(Story().admitted(D, inspection=Inspection.REFUSED).met("IDENT", D)) == [(1,)]


def test_an_encounter_begins_no_stay() -> None:
    assert Story().met("IDENT", D).met("APIS", D).history().stays == ()


def test_what_is_taken_back_was_never_seen() -> None:
    assert witnesses(Story().admitted(D).met("APIS", D).retracted()) == [()]
    assert witnesses(Story().met("IDENT", D).admitted(D).retracted()) == []


def test_one_arrival_told_twice_has_its_witnesses_once() -> None:
    """By the word of the most authoritative, whose stay it is."""
    story = (
        Story()
        .admitted(D)
        .admitted(D, admission_class=None, which=None, system="TECS", clock="12:05:00")
        .met("IDENT", D)
    )
    assert witnesses(story) == [(2,)]
    assert len(story.stay().reports) == 2


def world(seed: int) -> tuple[list[Fact], list[Fact]]:
    """Facts of somebody who comes and goes, and of encounters about each arrival, some of them far from any."""
    rng = Random(seed)
    events, _ = crossings(seed, all_reported=False)
    story = Story(rng.choice(ZONES), list(events))
    story.world.count = 1_000  # records of their own
    for arrival in [event for event in events if isinstance(event, Arrival)]:
        at = arrival.occurred_at.at or datetime.combine(arrival.occurred_at.day or D, datetime.min.time(), zone("UTC"))
        for system in rng.sample(("APIS", "IDENT"), rng.randint(0, 2)):
            when = (at + timedelta(minutes=rng.choice((-900, -100, -5, 0, 5, 30, 800)))).astimezone(zone(story.zone))
            clock = None if rng.random() < 0.1 else f"{when:%H:%M:%S}"
            story.met(system, when.date(), clock, port=rng.choice((arrival.port, None, "LAX")))
    facts = story.facts()
    return facts[: len(events)], facts[len(events) :]


def stays(facts: list[Fact]) -> tuple[Stay, ...]:
    """The stays of the one person."""
    (history,) = resolve.persons(facts)
    return history.stays


@settings(max_examples=250, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20))
def test_any_order_and_nothing_else_moves(seed: int) -> None:
    """The same bytes in any order; without the witnesses, what is said without the encounters."""
    facts, met = world(seed)
    reported = stays([*facts, *met])
    mixed = [*facts, *met]
    Random(seed).shuffle(mixed)
    assert stays(mixed) == reported
    assert tuple(replace(stay, witnesses=()) for stay in reported) == stays(facts)
    seen = [event for stay in reported for event in stay.witnesses]
    assert len(seen) == len(set(seen))
    assert set(seen) <= {fact.uuid for fact in met}


def test_the_worlds_are_worth_it() -> None:
    reported = [stays([*facts, *met]) for facts, met in map(world, range(200))]
    assert sum(any(stay.witnesses for stay in each) for each in reported) >= 120
    assert sum(sum(bool(stay.witnesses) for stay in each) > 1 for each in reported) >= 60


def test_an_encounter_counted_as_an_arrival_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: encounters are held against the first arrival, not the nearest."""
    nearest = occurrences.beside
    monkeypatch.setattr(visits, "beside", lambda arrivals, met: nearest(arrivals[:1], met))
    with pytest.raises(AssertionError):
        test_each_at_the_nearest_of_two_on_one_day()
