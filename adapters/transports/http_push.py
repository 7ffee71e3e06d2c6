"""A system that pushes: nothing is fetched, the door of ingest takes what comes and answers record by record.

In an adapter this stands where other feeds have their transport. It says what an answer calls the record, and how to
find that name where no event tells it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from adapters.core import Feed, Record, Transport


@dataclass(frozen=True, slots=True)
class Push:
    """`called`: the field of an answer that names the record; `key`: its value, from what was read."""

    called: str
    key: Callable[[Record], str | None]
    content_types: frozenset[str]

    def __call__(self, url: str, feed: Feed) -> Transport:
        """There is nowhere to go and look. Raises ValueError."""
        raise ValueError(f"{feed.name} is pushed: `visabus door` takes it, nothing can fetch it")
