"""Feeds opened as the host opens them."""

from __future__ import annotations

from typing import Any

from adapters.core import Feed, Filtered, Mapped, Pushed
from schemas.events import AnyEvent


def connect(url: str, feed: Feed) -> Any:
    """The feed's source, of whatever class its connection is."""
    assert not isinstance(feed.transport, Pushed)
    return feed.transport.open(url, feed.format)


def events_of(outcome: Mapped | Filtered) -> list[AnyEvent]:
    """What a mapping says of a record that it does not leave out."""
    assert isinstance(outcome, Mapped)
    return list(outcome.events)
