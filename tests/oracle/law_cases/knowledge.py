"""What is taken back, what is known when, what is complete."""

from __future__ import annotations

from datetime import UTC, datetime

from oracle.histories import KNOWN, World
from oracle.law_cases.build import at, came, d, decides, files, left
from oracle.law_cases.case import LONG_AGO, right
from oracle.reading import Event


def _retract(w: World, event: Event) -> None:
    again = {**event, "revision": {"number": 2, "digest": ""}, "operation": "retract"}
    w.events.append(again)
    w.reseal(again)


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="a departure taken back is as if it had never been sent")
def departure_taken_back(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-07-01"), evidence="manifest_closed")
    _retract(w, w.events[-1])


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), why="a filing voided did not happen")
def filing_taken_back(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    _retract(w, w.events[-1])


@right("DEPARTED_LATE", on=at("2026-08-01"), why="the later revision replaces the day")
def departure_corrected_to_a_day_later(w: World) -> None:
    came(w, "B2", "2026-07-09")
    left(w, at("2026-07-09", 20))
    moved = {
        **w.events[-1],
        "revision": {"number": 2, "digest": ""},
        "occurred_at": w.at(at("2026-07-10", 20), "America/New_York"),
    }
    w.events.append(moved)
    w.reseal(moved)


@right(
    "PENDING",
    on=at("2026-08-01"),
    known_at=datetime(2026, 8, 15, tzinfo=UTC),
    why="what was known by then: the denial was not",
)
def denial_not_yet_known(w: World) -> None:
    came(w, "B2", "2026-07-09")
    files(w, "2026-07-01")
    decides(w, "2026-07-20", "denied")
    w.events[-1]["published_at"] = "2026-08-20T12:00:00Z"
    for event in w.events[:-1]:
        event["published_at"] = "2026-07-25T12:00:00Z"


@right("DEPARTURE_UNKNOWN", on=at("2026-08-01"), covered=False, why="nobody vouches for departures by land")
def land_is_not_covered(w: World) -> None:
    w.cover(LONG_AGO, KNOWN, ("air", "sea"))
    came(w, "B2", "2026-07-09")


@right("DEPARTURE_UNKNOWN", on=at("2026-08-01"), covered=False, why="complete only up to the middle of the last day")
def covered_up_to_the_last_day(w: World) -> None:
    w.cover(LONG_AGO, at("2026-07-09"))
    came(w, "B2", "2026-07-09")


@right("OVERSTAY_SUSPECTED", on=at("2026-08-01"), covered=False, why="complete past the end, though not up to today")
def covered_past_the_end(w: World) -> None:
    w.cover(LONG_AGO, at("2026-07-12"))
    came(w, "B2", "2026-07-09")


@right("DEPARTURE_UNKNOWN", on=at("2026-08-01"), covered=False, why="an hour that nobody vouches for")
def covered_with_a_hole(w: World) -> None:
    w.cover(LONG_AGO, at("2026-03-01", 12))
    w.cover(at("2026-03-01", 13), KNOWN)
    came(w, "B2", "2026-07-09")


@right(
    "DEPARTURE_UNKNOWN",
    on=at("2026-08-15"),
    covered=False,
    why="8 CFR 217.3(a): who left within the days granted, untold, is no overstayer",
)
def covered_past_the_ninety_days_but_not_past_those_granted(w: World) -> None:
    w.cover(LONG_AGO, at("2026-07-20"))
    came(w, "WT", "2026-07-09", "2026-04-11")
    w.fact("satisfactory_departure", d("2026-07-05"), until=d("2026-08-08"))
