"""Covering: coverage events are joined by system and scope as they are appended, so that no reader reads them all."""

from __future__ import annotations

from collections.abc import Sequence

from services.domain.coverage import Source, Stretch, joined
from services.domain.facts import Fact
from services.store.coverage import CoverageRow
from services.store.writer import Transaction


async def cover(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Write coverage events and what they change in the joined rows.

    A record told for the first time can only add to what is joined. Where a record has several versions, or was taken
    back, what its system vouches for is joined anew from its events.
    """
    copies: dict[bytes, CoverageRow] = {}
    for row in map(CoverageRow.of, facts):
        if row.id not in copies or row.known < copies[row.id].known:
            copies[row.id] = row
    await tx.lock_coverage()
    known_ids = await tx.coverage_events(sorted(copies))
    await tx.add_coverage_events(sorted(copies.values()))
    fresh = [row for row in copies.values() if row.id not in known_ids]
    if not fresh:
        return
    revised = await tx.revised_coverage(sorted({row.record for row in fresh}))
    anew = {row.system for row in fresh if row.record in revised}
    for system in sorted(anew):
        await tx.replace_coverage(system, await tx.join_coverage(system))
    added: dict[str, dict[Source, list[Stretch]]] = {}
    for row in fresh:
        if row.system not in anew:
            sources = added.setdefault(row.system, {})
            sources.setdefault((row.system, row.scope), []).append((row.since, row.through))
    standing = await tx.coverage() if added else {}
    for system, sources in sorted(added.items()):
        mine = {source: stretches for source, stretches in standing.items() if source[0] == system}
        for source, stretches in sources.items():
            mine[source] = joined((*mine.get(source, ()), *stretches))
        await tx.replace_coverage(system, mine)
