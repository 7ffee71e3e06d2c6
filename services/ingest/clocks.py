"""The moment of knowing: when an event was published, from a clock that is handed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from schemas.events import AnyEvent, Coverage, Decision

Clock = Callable[[AnyEvent], datetime]


def now(event: AnyEvent) -> datetime:
    """The wall clock: the truth of a running installation."""
    return datetime.now(UTC)


def recorded(event: AnyEvent) -> datetime:
    """When the source says it knew, or else when it happened: for loading history and simulated populations.

    The same records give the same stamps, whatever the run. Raises ValueError where the event names no moment at all.
    """
    if event.recorded_at is not None:
        return event.recorded_at.astimezone(UTC)
    if isinstance(event, Coverage):
        return event.through.astimezone(UTC)
    if isinstance(event, Decision):
        raise ValueError("a decision without recorded_at has no moment of its own")
    return event.occurred_at.start()
