"""Reads a few at a time: enough for a thread to be worth its while, and never many bytes."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.core import Read

MOST = 256
BYTES = 2**22
"""What could not be read comes in pieces of up to a megabyte."""


def next_few(reads: Iterator[Read]) -> list[Read]:
    """The next reads, none at the end. What `reads` raises is raised, and what stood before it in the slice is lost."""
    found: list[Read] = []
    size = 0
    for read in reads:
        found.append(read)
        size += len(read.raw)
        if len(found) == MOST or size >= BYTES:
            break
    return found
