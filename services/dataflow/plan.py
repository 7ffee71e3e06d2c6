"""What a rebuild was begun with: all that its result depends on, so that a run that goes on gives the same."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

import msgspec

Piece = tuple[str, int, int, int]
"""Of a partition of the bus: its topic and number, from which position, up to which."""


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


def cut(spans: Sequence[Span], tasks: int) -> list[list[Piece]]:
    """Return what each task reads of an embedded bus: as many messages as every other, in pieces of the spans."""
    share = max(1, -(-sum(span.end - span.begin for span in spans) // tasks))
    lists: list[list[Piece]] = [[]]
    left = share
    for span in spans:
        begin = span.begin
        while begin < span.end:
            if not left:
                lists.append([])
                left = share
            end = min(span.end, begin + left)
            lists[-1].append((span.topic, span.part, begin, end))
            left -= end - begin
            begin = end
    return lists
