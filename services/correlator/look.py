"""Look: claims of committed appends are compared by name with the claims of their blocks, and their pools united.

Every writer commits its claims before it looks, so of two claims written at the same time at least one sees the
other. Looking before committing would lose links in silence.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec

from services.correlator.unite import unite
from services.correlator.work import Work
from services.domain.facts import Claim
from services.domain.identity import by_names
from services.store.writer import ClaimRow, Transaction

_decoder = msgspec.msgpack.Decoder(Claim)


async def look(tx: Transaction, limit: int) -> int:
    """Look at the work that nobody looked at yet; how many rows that was."""
    rows = await tx.unlooked(limit)
    if not rows:
        return 0
    mine = {claim: block for row in rows for claim, block in Work.unpack(row.blob).claims}
    united = await unite(tx, pairs(mine, await tx.block(sorted(set(mine.values())))))
    await tx.mark_looked([row.id for row in rows])
    if united:
        await tx.add_work(Work(united=united).pack(), looked=True)
    return len(rows)


def pairs(mine: dict[int, int], found: list[ClaimRow]) -> list[set[int]]:
    """The pools of claims that are one person's by name, at least one of each pair being among `mine`."""
    blocks: dict[int, list[tuple[ClaimRow, Claim]]] = defaultdict(list)
    for row in found:
        blocks[row.b1].append((row, _decoder.decode(row.feat)))
    groups = []
    for claims in blocks.values():
        for row, claim in claims:
            if row.claim in mine:
                groups += [{row.pool, other.pool} for other, theirs in claims if _accepted(row, claim, other, theirs)]
    return groups


def _accepted(row: ClaimRow, claim: Claim, other: ClaimRow, theirs: Claim) -> bool:
    return row.claim != other.claim and row.pool != other.pool and by_names(claim, theirs) > 0
