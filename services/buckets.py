"""How often one caller may ask: token buckets, for the API's subjects and the push door's keys alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

MOST = 10_000
"""Callers that are remembered; beyond them those are dropped that asked longest ago, whose buckets are full again."""


@dataclass(slots=True)
class Buckets:
    """A token bucket per caller: `burst` at once after a quiet time, `rate` a second in the long run. Per process."""

    rate: float
    burst: int
    clock: Callable[[], float]
    most: int = MOST
    _held: dict[str, tuple[float, float]] = field(
        default_factory=dict, repr=False
    )  # tokens, and when they were counted

    def take(self, caller: str) -> int:
        """Take one request; return 0, or the seconds to wait where there is none to take."""
        now = self.clock()
        tokens, since = self._held.pop(caller, (float(self.burst), now))
        tokens = min(self.burst, tokens + max(0.0, now - since) * self.rate)
        if tokens < 1:
            self._held[caller] = (tokens, now)
            return max(1, ceil((1 - tokens) / self.rate))
        self._held[caller] = (tokens - 1, now)
        if len(self._held) > self.most:
            del self._held[next(iter(self._held))]
        return 0


@dataclass(slots=True)
class Alarm:
    """Counts what happens too often to one caller within `seconds`, and says once for each such stretch that it did."""

    most: int
    seconds: float
    clock: Callable[[], float]
    total: int = 0  # alarms so far
    remembered: int = MOST
    _counted: dict[str, tuple[float, int]] = field(default_factory=dict, repr=False)  # since when, how many

    def count(self, caller: str) -> bool:
        """One more; return whether it is the one that raises the alarm."""
        now = self.clock()
        since, count = self._counted.pop(caller, (now, 0))
        if now - since >= self.seconds:
            since, count = now, 0
        self._counted[caller] = (since, count + 1)
        if len(self._counted) > self.remembered:
            del self._counted[next(iter(self._counted))]
        raised = count + 1 == self.most
        self.total += raised
        return raised
