"""Which visit a fact belongs to: found by place in time, as a search through all of them would find it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Kind
from services.domain import visits
from services.domain.facts import Fact, end_of_day
from services.domain.visits import Visit

ZONES = ("America/New_York", "Pacific/Guam", "Pacific/Honolulu")
FIRST = 739_000


def fact(number: int, kind: str, rng: Random) -> Fact:
    """Something on one of a few days, at a time or not."""
    zone, day, whole = rng.choice(ZONES), FIRST + rng.randrange(6), kind != "arrival" and rng.random() < 0.5
    start = end_of_day(day - 1, zone) + (0 if whole else rng.randrange(86_000))
    body = {"evidence": "manifest"} if kind == "departure" else {"inspection": "admitted"}
    return Fact(
        number.to_bytes(16, "big"), kind, False, "I94", f"R{number}", "", 1, "0" * 16, 1, 1, "b\n1", start, day, whole,
        zone, None, (), None, (), body,
    )  # fmt: skip


def slow(arrivals: Sequence[Fact], departure: Fact) -> Fact | None:
    """The last arrival that had begun, by looking at all of them; the one before where that was on the day itself."""
    begun = [
        one
        for one in sorted(arrivals, key=visits.when)
        if one.start <= departure.start
        or (departure.whole_day and (one.day <= departure.day or one.start < end_of_day(departure.day, departure.zone)))
    ]
    if len(begun) > 1 and departure.whole_day:
        last = begun[-1]
        if last.day >= departure.day or last.start >= departure.start + 43_200:
            return begun[-2]  # which nothing else ended
    return begun[-1] if begun else None


def actual(arrivals: Sequence[Fact], departure: Fact) -> Visit | None:
    """The visit to which the departure was attached."""
    reported = visits.visits_of([*arrivals, departure])
    return next((visit for visit in reported.visits if visit.departures), None)


@settings(max_examples=1000, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**20))
def test_the_visit_is_the_last_that_had_begun(seed: int) -> None:
    """Whatever the zones, with and without a time of day."""
    rng = Random(seed)
    arrivals = [fact(number, Kind.ARRIVAL, rng) for number in range(rng.randint(0, 6))]
    departure = fact(99, Kind.DEPARTURE, rng)
    expected, visit = slow(arrivals, departure), actual(arrivals, departure)
    assert (visit and visit.arrival) is expected
