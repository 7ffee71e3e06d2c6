"""The canonical export: the view as bytes that depend on the events alone, one JSON object a line.

First what is known to be complete, then the persons in the order of their ids. Two stores that saw the same events,
in whatever order, batches and copies, by however many correlators, give the same bytes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from services.domain.coverage import Coverage
from services.domain.history import canonical, history_of
from services.domain.resolve import answer, persons
from services.store.contract import Incomplete, Reads


async def lines(reads: Reads, *, as_of: int | None = None, known_at: int | None = None) -> AsyncGenerator[bytes, None]:
    """The export's lines.

    `as_of` (seconds since 1970) adds the outcome of each stay at that instant; `known_at` (microseconds) answers from
    what was known by then. Raises services.store.contract.Incomplete.
    """
    if quarantined := await reads.quarantined():
        raise Incomplete(quarantined)
    coverage = await reads.coverage(known_at)
    yield canonical({"complete": coverage.scopes})
    async with aclosing(_stored(reads) if known_at is None else _recomputed(reads, known_at)) as found:
        async for line in found:
            yield line if as_of is None else _answered(line, as_of, coverage)


async def _stored(reads: Reads) -> AsyncGenerator[bytes, None]:
    async with aclosing(reads.histories()) as found:
        async for history in found:
            yield history


async def _recomputed(reads: Reads, known_at: int) -> AsyncGenerator[bytes, None]:
    found: list[tuple[str, bytes]] = []
    cutoffs = await reads.cutoffs()
    async for pool in reads.all_pools():
        told = persons(pool.facts.values(), known_at, cutoffs)
        found += [(history.person, canonical(history)) for history in told]
    for _, line in sorted(found):
        yield line


def _answered(line: bytes, as_of: int, coverage: Coverage) -> bytes:
    history = history_of(line)
    told = []
    for stay in history.stays:
        found = answer(stay, as_of, coverage)
        if found is not None:
            told.append({"stay": stay.id, "outcome": found.outcome, "reason": found.reason, "rule": found.rule})
    return canonical({**msgspec.to_builtins(history), "answers": told})
