"""How much all keys together may ask for at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.ingest.door import problems


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
