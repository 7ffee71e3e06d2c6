"""Append: a batch of events becomes keys, claims and work, with the positions, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from services.correlator.coverage import cover
from services.correlator.grouping import group_facts
from services.correlator.key_cache import Appended, KeyCache
from services.correlator.merge import merge
from services.correlator.pool_assignment import place_keys
from services.correlator.work import Work
from services.domain.blocks import NO_BLOCKS, blocks_of
from services.domain.facts import Fact
from services.domain.identity import keys_of
from services.store.writer import ClaimRow, Move, Transaction

_packer = msgspec.msgpack.Encoder()


@dataclass(slots=True)
class Batch:
    """Decoded events, and how far they move the positions."""

    facts: list[Fact]
    moves: list[Move]
    coverage: list[Fact] = field(default_factory=list)


async def append(tx: Transaction, batch: Batch, cache: KeyCache) -> Appended:
    """Write the batch. Raises services.store.writer.Fenced."""
    cache.renew(tx.generation)
    if batch.moves:
        await tx.advance(batch.moves)
    done = Appended({}, {}, False, tx.generation)
    if batch.facts:  # coverage alone changes answers, not persons; the deadlines see to it
        work = Work()
        done = await _append_facts(tx, batch.facts, cache, work)
        await tx.add_work(work.pack(), compared=not done.to_compare)
    if batch.coverage:
        await cover(tx, batch.coverage)  # last, for one transaction joins coverage at a time
    return done


async def _append_facts(tx: Transaction, facts: Sequence[Fact], cache: KeyCache, work: Work) -> Appended:
    """Write keys, merges and claims of the facts, and fill the work."""
    keys = [keys_of(fact) for fact in facts]
    claims = _claims(facts, keys)
    grouped = await group_facts(tx, facts, keys)
    placed = await place_keys(tx, grouped, keys, cache)
    work.merged = await merge(tx, placed.together(grouped))
    for mine, fact in zip(keys, facts, strict=True):
        # under its record's pool, not under any that it was merged with: the rest of the record lies on the way from
        # there, also where that pool has lost and its loss was not resolved since
        work.facts.setdefault(placed.pools[mine[0]], []).append(fact)
    if grouped.refused:
        work.refused = await _keep_refused(tx, facts, keys, grouped.refused, placed.pools)
    fresh = {key: fact for key, fact in claims.items() if key in placed.fresh}
    work.claims += await _insert_claims(tx, fresh, placed.pools)
    known = {key: fact.known for key, fact in claims.items()}
    earlier = cache.earlier({key: at for key, at in known.items() if key not in placed.fresh})
    if earlier:
        work.claims += sorted(await tx.lower_claims(earlier))
    return Appended(placed.learnt, known, bool(work.claims), tx.generation)


async def _keep_refused(
    tx: Transaction,
    facts: Sequence[Fact],
    keys: Sequence[list[int]],
    refused: Sequence[tuple[int, int]],
    pools: dict[int, int],
) -> list[int]:
    """Keep the claims that capped numbers did not admit, should they be admitted later. Return the numbers."""
    rows: dict[tuple[int, int], tuple[int, int, int, int]] = {}
    for key, number in refused:
        handle, claim = keys[number][:2]
        row = (key, claim, facts[number].known, pools[handle])
        rows[key, claim] = min(row, rows.get((key, claim), row))
    await tx.add_refused(sorted(rows.values()))
    return sorted({key for key, _ in refused})


def _claims(facts: Sequence[Fact], keys: Sequence[list[int]]) -> dict[int, Fact]:
    """Claim key -> the fact that is known first among those that make the claim."""
    claims: dict[int, Fact] = {}
    for mine, fact in zip(keys, facts, strict=True):
        if fact.claim is not None:
            held = claims.setdefault(mine[1], fact)
            if fact.known < held.known:
                claims[mine[1]] = fact
    return claims


async def _insert_claims(tx: Transaction, claims: dict[int, Fact], pool_of: dict[int, int]) -> list[int]:
    """Insert claims met for the first time into their blocks. Return those that are still to be compared."""
    rows = []
    for key, fact in sorted(claims.items(), key=lambda item: item[0]):
        blocks = blocks_of(fact.claim) if fact.claim is not None else NO_BLOCKS
        if any(blocks):
            rows.append(ClaimRow(key, pool_of[key], fact.known, *blocks, _packer.encode(fact.claim)))
    if rows:
        await tx.insert_claims(rows)
    return [row.claim for row in rows]
