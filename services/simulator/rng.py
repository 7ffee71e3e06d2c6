"""Draws from one seed: chances, days, values by weight, and the crossings that everybody makes."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from services.simulator.clock import DAY, exists, instant, midnight, repeated
from services.simulator.population import ports
from services.simulator.population.plans import Crossing

T = TypeVar("T")
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"


class Choice(Generic[T]):
    """Draws by weight."""

    def __init__(self, weights: Mapping[T, float]) -> None:
        self._values = tuple(weights)
        self._sums = tuple(accumulate(weights.values()))

    def draw(self, random: Random) -> T:
        """Return one of the values."""
        return self._values[bisect(self._sums, random.random() * self._sums[-1])]


class Rng:
    """A stream of draws. Equal seeds give equal streams."""

    def __init__(self, seed: int | str) -> None:
        self.random = Random(seed)  # noqa: S311

    def chance(self, share: float) -> bool:
        """Return whether it happens."""
        return self.random.random() < share

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included; `low` where there is none."""
        return low + int(self.random.random() * (max(high, low) - low + 1))

    def one(self, values: Sequence[T]) -> T:
        """Return one of the values."""
        return values[int(self.random.random() * len(values))]

    def crossing(
        self, port: str, mode: str, day: int, second: int | None = None, *, day_only: bool = False
    ) -> Crossing:
        """Return a crossing at a port on a day, at a second or any time. Flights go by the minute."""
        zone = ports.ZONES[port]
        carrier = conveyance = ""
        if mode == "A":
            carrier = self.one(ports.AIRLINES)
            conveyance = f"{carrier}{self.between(1, 1999):04}"
        elif mode == "S":
            carrier = self.one(ports.SHIPPING)
            conveyance = f"V{self.between(100, 999)}"
        elif self.chance(0.5):
            conveyance = f"{self.one(LETTERS)}{self.one(LETTERS)}{self.between(1000, 9999)}"
        if day_only:
            return Crossing(port, zone, mode, day, None, midnight(day, zone), False, carrier, conveyance)
        if second is None:
            second = self.between(0, DAY - 1)
        if mode == "A":
            second -= second % 60
        while not exists(day, second, zone):
            second += 3600
        again = repeated(day, second, zone) and self.chance(0.5)
        at = instant(day, second, zone, again=again)
        return Crossing(port, zone, mode, day, second, at, again, carrier, conveyance)
