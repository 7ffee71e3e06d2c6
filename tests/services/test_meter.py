"""Lines that say how far a long command is."""

from __future__ import annotations

import io
import json

import pytest

from services.cli.meter import Meter, duration


class Clock:
    """A clock in hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines_of(as_json: bool, steps: list[tuple[float, int, int | None, str]]) -> list[str]:
    """What is written when it is told, at these seconds, so many of so many of a stage."""
    clock, written = Clock(), io.StringIO()
    meter = Meter("events", as_json=as_json, to=written, clock=clock)
    for at, done, total, stage in steps:
        clock.now = at
        meter.at(done, total, stage)
    return written.getvalue().splitlines()


def test_a_log_has_a_line_every_ten_seconds() -> None:
    steps = [(second, 100 * second, 10_000, "read") for second in range(26)]
    assert lines_of(False, [(float(at), *rest) for at, *rest in steps]) == [
        "read 1,000 of 10,000 (10%) events, 100/s, 1:30 left",
        "read 2,000 of 10,000 (20%) events, 100/s, 1:20 left",
    ]


def test_what_is_over_at_once_is_not_worth_a_line() -> None:
    assert lines_of(False, [(0.0, 0, 5, "read"), (1.0, 5, 5, "read"), (1.0, 0, 9, "compare")]) == []


def test_without_an_end_there_is_no_time_left() -> None:
    assert lines_of(False, [(0.0, 0, None, "read"), (10.0, 50, None, "read")]) == ["read 50 events, 5/s"]


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    slow = [(float(second), second, 1_000, "read") for second in range(100)]
    quick = [(100.0 + second, 100 + 10 * second, 1_000, "read") for second in range(40)]
    assert lines_of(False, [*slow, *quick])[-1] == "read 400 of 1,000 (40%) events, 10/s, 1:00 left"


def test_a_program_reads_objects() -> None:
    first, last = map(json.loads, lines_of(True, [(0.0, 0, 10, "read"), (1.0, 5, 10, "read"), (1.5, 6, 10, "read")]))
    assert first == {"stage": "read", "done": 0, "total": 10, "unit": "events", "rate": None, "seconds_left": None}
    assert last == {"stage": "read", "done": 5, "total": 10, "unit": "events", "rate": 5.0, "seconds_left": 1}


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (750, "12:30"), (7_384, "2:03:04")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
