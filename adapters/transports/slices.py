"""Reads a few at a time: enough for a thread to be worth its while, and never many bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from adapters.core import Read

MOST = 256
BYTES = 2**22
"""What could not be read comes in pieces of up to a megabyte."""


async def by_few(reads: Iterator[Read]) -> AsyncIterator[Read]:
    """The same reads, made in a thread."""
    more = True
    while more:
        few, more = await asyncio.to_thread(next_few, reads)
        for read in few:
            yield read


async def at_once(reads: Iterator[Read]) -> AsyncIterator[Read]:
    """The same reads, made where they are asked for: of a few bytes, for which a thread would cost more."""
    for read in reads:
        yield read


def next_few(reads: Iterator[Read], most: int = MOST) -> tuple[list[Read], bool]:
    """The next reads, and whether there may be more: most files are small, and to ask once more costs as much again.

    What `reads` raises is raised, and what stood before it in the slice is lost.
    """
    results: list[Read] = []
    size = 0
    for read in reads:
        results.append(read)
        size += len(read.raw)
        if len(results) == most or size >= BYTES:
            return results, True
    return results, False
