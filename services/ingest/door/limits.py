"""What all keys together may ask for at once, and when one of them is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil

import structlog

from services.ingest.door import problems
from services.metrics.instruments import STOPPED


@dataclass(slots=True)
class Refusals:
    """Stops a key when too much of what it sends is refused: a sender gone wrong, or a key in wrong hands.

    Counts fade, so that a long good past hides no bad present: beyond twice `least` records they are halved.
    """

    share: float
    least: int
    seconds: float
    clock: Callable[[], float]
    _counts: dict[str, tuple[float, float]] = field(default_factory=dict)  # records read, and refused
    _until: dict[str, float] = field(default_factory=dict)

    def check(self, key: str) -> None:
        """Raises Problem while the key is stopped."""
        until = self._until.get(key)
        if until is None:
            return
        left = until - self.clock()
        if left > 0:
            raise problems.stopped(ceil(left))
        del self._until[key]
        structlog.get_logger("door").warning("a key starts again", client=key)

    def count(self, key: str, read: int, refused: int) -> None:
        """Count the records of one message."""
        before = self._counts.get(key, (0.0, 0.0))
        seen, bad = before[0] + read, before[1] + refused
        if seen >= self.least and bad > self.share * seen:
            self._until[key] = self.clock() + self.seconds
            STOPPED.inc()
            self._counts.pop(key, None)
            structlog.get_logger("door").error(
                "a key is stopped: too much of what it sends is refused",
                client=key,
                read=round(seen),
                refused=round(bad),
                seconds=round(self.seconds),
            )
            return
        fading = 0.5 if seen >= 2 * self.least else 1.0
        self._counts[key] = (seen * fading, bad * fading)


@dataclass(slots=True)
class Places:
    """So many requests at the same time: each may hold a body in memory."""

    most: int
    taken: int = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place for as long as the request is in work. Raises Problem."""
        if self.taken >= self.most:
            raise problems.busy()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
