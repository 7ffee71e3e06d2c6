"""How far a long command is, in lines on standard error: of how many, the rate, and the time left if that is known."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Annotated, TextIO

import typer

from services.rate import Rate

WINDOW_SECONDS = 30.0
"""The rate is that of so long."""
TERMINAL_SECONDS, FILE_SECONDS, JSON_SECONDS = 2.0, 10.0, 1.0
"""How often a line is written: for a person who watches, into a log, for a program."""
Shown = Annotated[
    bool | None,
    typer.Option(
        "--progress/--no-progress", help="Say on standard error how far it is; by default where that is a terminal."
    ),
]


def wanted(progress: bool | None) -> bool:
    """Whether progress is to be shown: as was said, else where a person watches."""
    return sys.stderr.isatty() if progress is None else progress


def apart() -> bool:
    """Whether a person watches standard error, and results do not go to the same terminal."""
    return sys.stderr.isatty() and not sys.stdout.isatty()


class Meter:
    """Is told how far something is, as often as one likes, and says so every few seconds."""

    def __init__(
        self,
        unit: str,
        *,
        as_json: bool = False,
        to: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        every: float | None = None,
        about: bool = False,
    ) -> None:
        """`unit`: what is counted, in the plural. `every`: seconds between two lines. `about`: totals are estimates."""
        self._unit = unit
        self._json = as_json
        self._of = "of about" if about else "of"
        self._to = to if to is not None else sys.stderr
        self._clock = clock
        usual = TERMINAL_SECONDS if self._to.isatty() else FILE_SECONDS
        self._every = every if every is not None else JSON_SECONDS if as_json else usual
        self._stage = ""
        self._rate = Rate(WINDOW_SECONDS)
        self._said_at = float("-inf")

    def at(self, done: int, total: int | None, stage: str = "read") -> None:
        """So many of so many (None: not known) are through a stage."""
        now = self._clock()
        if stage != self._stage:
            self._stage = stage
            self._rate.clear()
            self._said_at = float("-inf") if self._json else now  # what is over at once needs no line
        self._rate.at(now, done)
        if now - self._said_at >= self._every:
            self._said_at = now
            rate = self._rate.a_second()
            left = None if total is None or not rate else max(0.0, (total - done) / rate)
            line = self._object(done, total, rate, left) if self._json else self._words(done, total, rate, left)
            self._to.write(f"{line}\n")
            self._to.flush()

    def waits(self, why: str) -> None:
        """It does not go on just now: why not, in words; a line if it lasts."""
        now = self._clock()
        if now - self._said_at >= self._every:
            self._said_at = now
            line = json.dumps({"stage": self._stage, "waits": why}) if self._json else f"waits: {why}"
            self._to.write(f"{line}\n")
            self._to.flush()

    def _object(self, done: int, total: int | None, rate: float | None, left: float | None) -> str:
        return json.dumps(
            {
                "stage": self._stage,
                "done": done,
                "total": total,
                "unit": self._unit,
                "rate": None if rate is None else round(rate, 1),
                "seconds_left": None if left is None else round(left),
            }
        )

    def _words(self, done: int, total: int | None, rate: float | None, left: float | None) -> str:
        of = f" {self._of} {total:,} ({done / total:.0%})" if total else ""
        parts = [f"{self._stage} {done:,}{of} {self._unit}"]
        if rate is not None:
            parts.append(f"{rate:,.0f}/s")
        if left is not None:
            parts.append(f"{duration(left)} left")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return so many seconds as `0:05`, `12:30` or `2:03:04`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
