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


async def lines(
    reads: Reads, *, as_of: int | None = None, known_at: int | None = None, confidential: bool = False
) -> AsyncGenerator[bytes, None]:
    """The export's lines; without `confidential` those of a store that never heard of a confidential record.

    `as_of` (seconds since 1970) adds the outcome of each stay at that instant; `known_at` (microseconds) answers from
    what was known by then. Raises services.store.contract.Incomplete.
    """
    async with reads.one_state() as state:
        if quarantined := await state.quarantined(confidential=confidential):
            raise Incomplete(quarantined)
        coverage = await state.coverage(known_at)
        yield canonical({"complete": coverage.scopes})
        stored = state.histories(confidential=confidential)
        written = stored if known_at is None else _recomputed(state, known_at, confidential=confidential)
        async with aclosing(written) as histories:
            async for line in histories:
                yield line if as_of is None else _answered(line, as_of, coverage)


async def _recomputed(reads: Reads, known_at: int, *, confidential: bool) -> AsyncGenerator[bytes, None]:
    lines_by_person: list[tuple[str, bytes]] = []
    cutoffs = await reads.cutoffs(confidential=confidential)
    async for pool in reads.all_pools(confidential=confidential):
        histories = persons(pool.facts.values(), known_at, cutoffs)
        lines_by_person += [(history.person, canonical(history)) for history in histories]
    for _, line in sorted(lines_by_person):
        yield line


def _answered(line: bytes, as_of: int, coverage: Coverage) -> bytes:
    history = history_of(line)
    answers = []
    for stay in history.stays:
        held = answer(stay, as_of, coverage)
        if held is not None:
            answers.append({"stay": stay.id, "outcome": held.outcome, "reason": held.reason, "rule": held.rule})
    return canonical({**msgspec.to_builtins(history), "answers": answers})
