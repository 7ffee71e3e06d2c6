"""How much one key, and all of them together, may ask for at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil

from services.ingest.door import problems


@dataclass(slots=True)
class Buckets:
    """A token bucket per key: `burst` at once after a quiet time, `rate` a second in the long run. Per process."""

    rate: float
    burst: int
    clock: Callable[[], float]
    _held: dict[str, tuple[float, float]] = field(default_factory=dict)  # tokens, and when they were counted

    def take(self, key: str) -> None:
        """One request. Raises Problem. Only keys that are known get here, so there are few buckets."""
        now = self.clock()
        tokens, since = self._held.get(key, (float(self.burst), now))
        tokens = min(self.burst, tokens + max(0.0, now - since) * self.rate)
        if tokens < 1:
            self._held[key] = (tokens, now)
            raise problems.rate(max(1, ceil((1 - tokens) / self.rate)))
        self._held[key] = (tokens - 1, now)


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
