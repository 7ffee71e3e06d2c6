"""How fast something goes on, over the last while."""

from __future__ import annotations

from collections import deque


class Rate:
    """How many a second: of the last `window` seconds, and of a longer time where nothing was told in between."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._seen: deque[tuple[float, int]] = deque()

    def clear(self) -> None:
        """Begin anew: another stage counts something else."""
        self._seen.clear()

    def at(self, now: float, done: int) -> None:
        """So many are done at this moment (seconds of any clock that does not go back)."""
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - self._window:
            self._seen.popleft()

    def a_second(self) -> float | None:
        """Return how many a second; None where that is not known yet, or nothing goes on."""
        if not self._seen:
            return None
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - began) if ended > began and last > first else None
