"""Lines that say how far a long command is."""

from __future__ import annotations

import asyncio
import io
import json

import pytest

from services.cli.meter import Meter, apart, duration, wanted
from services.ingest import host


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


def test_an_estimate_says_so() -> None:
    clock, written = Clock(), io.StringIO()
    meter = Meter("records", to=written, clock=clock, every=0.0, about=True)
    meter.at(10, 40)
    assert written.getvalue() == "read 10 of about 40 (25%) records\n"


@pytest.mark.parametrize(
    ("read", "extents", "expected"),
    [
        (30, [(100, 400)], 120),
        (30, [(100, 200), (0, 100)], 90),
        (30, [(100, 200), None], None),  # one source does not know
        (30, [(0, 200)], None),  # nothing is known of the length of its records yet
        (30, [], None),
    ],
)
def test_how_many_records_there_are_by_the_bytes_that_are_left(
    read: int, extents: list[tuple[int, int] | None], expected: int | None
) -> None:
    assert host._expected(read, extents) == expected


async def test_ingest_tells_how_far_it_is_while_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "PROGRESS_SECONDS", 0.01)

    class Run:
        """A feed that reads a record whenever it is asked."""

        count = 0
        reads = True
        extent = (10, 20)

        @property
        def read(self) -> int:
            self.count += self.count < 3
            return self.count

    heard: list[tuple[int, int | None]] = []
    all_read = asyncio.Event()

    def hear(read: int, expected: int | None) -> None:
        heard.append((read, expected))
        if read == 3:
            all_read.set()

    telling = asyncio.create_task(host._telling(hear, [Run()]))  # type: ignore[list-item]  # a part of a keeper
    async with asyncio.timeout(60):
        await all_read.wait()
    await asyncio.sleep(0.05)
    telling.cancel()
    assert heard == [(1, 2), (2, 4), (3, 6)]  # and nothing while nothing is read


def test_progress_is_for_a_terminal_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert (wanted(None), wanted(True), wanted(False)) == (False, True, False)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (750, "12:30"), (7_384, "2:03:04")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


class Terminal(io.StringIO):
    """What a person watches."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("error", "output", "says"),
    [
        (Terminal(), io.StringIO(), True),
        (io.StringIO(), io.StringIO(), False),
        (Terminal(), Terminal(), False),  # the lines of the result would run into it
    ],
)
def test_an_export_tells_how_far_it_is_beside_its_results_alone(
    monkeypatch: pytest.MonkeyPatch, error: io.StringIO, output: io.StringIO, says: bool
) -> None:
    monkeypatch.setattr("sys.stderr", error)
    monkeypatch.setattr("sys.stdout", output)
    assert apart() is says
