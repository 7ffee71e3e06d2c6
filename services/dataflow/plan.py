"""What a rebuild was begun with: all that its result depends on, so that a run that goes on gives the same."""

from __future__ import annotations

from uuid import uuid4

import msgspec


class Span(msgspec.Struct, frozen=True):
    """The messages of one partition of the bus that are read."""

    topic: str
    part: int
    begin: int
    end: int  # behind the last one


class Plan(msgspec.Struct, frozen=True):
    """A rebuild."""

    id: str
    edition: int
    fingerprint: str
    now: int  # the second as of which events are judged and answers given
    parts: int  # of the pools
    cap: int
    spans: tuple[Span, ...] = ()  # of a bus
    files: tuple[str, ...] = ()  # of canonical events, in the place of a bus

    @property
    def messages(self) -> int:
        """How many messages a bus has in its spans, or fewer."""
        return sum(span.end - span.begin for span in self.spans)


def new_id() -> str:
    """Return an id for a plan."""
    return uuid4().hex
