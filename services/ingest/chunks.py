"""What is sent and saved together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bus.contract import Message
from services.feeds import Checkpoint
from services.ingest.tally import Tally

LEAST_SHARE = 0.01
"""The least share of a chunk in what is sent together: a hundred batches at most, fewer than a queue knows again."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Messages that are sent together, and the checkpoint that is saved once they are durable."""

    messages: list[Message]
    checkpoint: Checkpoint
    share: float = LEAST_SHARE  # of the records and bytes that are sent together
    finished: tuple[Tally, ...] = ()  # the batches that end within this chunk
    acknowledge: tuple[Callable[[], Awaitable[None]], ...] = ()  # behind the checkpoint: the source may forget them
    stop: str | None = None  # why the feed stops here


def join(chunks: Sequence[Chunk]) -> Chunk:
    """Return chunks of one feed that follow one another as one chunk."""
    if len(chunks) == 1:
        return chunks[0]
    return replace(
        chunks[-1],
        messages=[message for chunk in chunks for message in chunk.messages],
        share=sum(chunk.share for chunk in chunks),
        finished=tuple(tally for chunk in chunks for tally in chunk.finished),
        acknowledge=tuple(each for chunk in chunks for each in chunk.acknowledge),
    )
