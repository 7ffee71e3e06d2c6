"""Append: a batch of events becomes keys, claims, a ledger segment and work, with the positions, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from services.correlator.unite import Groups, unite
from services.correlator.work import Work
from services.domain.facts import Fact, handle_key
from services.domain.identity import block_of, keys_of
from services.store.packing import squeeze
from services.store.writer import ClaimRow, Move, Transaction

_claims = msgspec.msgpack.Encoder()
_facts = msgspec.msgpack.Encoder()
CACHED = 2_000_000
"""Keys remembered at most; a key's founding pool never changes, so remembering cannot be wrong."""


@dataclass(slots=True)
class Batch:
    """Decoded events with the bytes they came in, and how far they move the positions."""

    facts: list[Fact]
    raw: list[bytes]
    moves: list[Move]
    coverage: list[Fact] = field(default_factory=list)


@dataclass(slots=True)
class Appended:
    """What became known by one append, to be remembered once it is committed."""

    founded: dict[int, int]
    to_look: bool


class Keys:
    """Key -> founding pool, as far as this process has met it."""

    def __init__(self) -> None:
        self._pools: dict[int, int] = {}

    def known(self, keys: Iterable[int]) -> dict[int, int]:
        """Those of the keys that were met before."""
        pools = self._pools
        return {key: pools[key] for key in keys if key in pools}

    def remember(self, founded: dict[int, int]) -> None:
        """Only what is committed may be remembered."""
        if len(self._pools) + len(founded) > CACHED:
            self._pools.clear()
        self._pools.update(founded)


async def append(tx: Transaction, batch: Batch, cache: Keys) -> Appended:
    """Write the batch. Raises services.store.writer.Fenced."""
    if batch.moves:
        await tx.advance(batch.moves)
    if batch.coverage:
        rows = sorted((fact.id, fact.known, _facts.encode(fact)) for fact in batch.coverage)
        await tx.add_coverage(rows)
    if batch.raw:
        await tx.append_segment(squeeze(b"\n".join(batch.raw)))
    founded: dict[int, int] = {}
    work = Work()
    if batch.facts:  # coverage alone changes answers, not persons; the deadlines see to it
        founded = await _found(tx, batch.facts, cache, work)
        await tx.add_work(work.pack(), looked=not work.claims)
    return Appended(founded, bool(work.claims))


def _grouped(facts: Sequence[Fact], claims: dict[int, Fact]) -> tuple[dict[int, int], Groups]:
    """For each key the number of the first fact that has it, and which facts belong together.

    Fills `claims`: claim key -> the fact that is known first among those that make the claim.
    """
    groups = Groups()
    owner: dict[int, int] = {}
    for number, fact in enumerate(facts):
        keys = keys_of(fact)
        if fact.claim is not None:
            held = claims.setdefault(keys[1], fact)
            if fact.known < held.known:
                claims[keys[1]] = fact
        met = {owner.setdefault(key, number) for key in keys}
        met.add(number)
        if len(met) > 1:
            groups.join(met)
    return owner, groups


async def _found(tx: Transaction, facts: Sequence[Fact], cache: Keys, work: Work) -> dict[int, int]:
    """Keys to pools for all facts; fills the work. Returns what may be remembered."""
    claims: dict[int, Fact] = {}
    owner, groups = _grouped(facts, claims)
    find = groups.find
    stands = cache.known(owner)
    missing = sorted(owner.keys() - stands.keys())
    if missing:
        stands |= await tx.keys(missing)
    target: dict[int, int] = {}  # group -> the least of its pools that stand
    for key, pool in stands.items():
        group = find(owner[key])
        target[group] = min(pool, target.get(group, pool))
    founders: dict[int, int] = {}  # group without any -> its least record, whose key is the new pool's id
    for number, fact in enumerate(facts):
        group = find(number)
        if group not in target:
            mine = handle_key(fact.handle)
            founders[group] = min(mine, founders.get(group, mine))
    target |= founders
    rows = sorted((key, target[find(number)]) for key, number in owner.items() if key not in stands)
    fresh = dict(rows)
    if rows and not await tx.insert_keys(rows):
        # somebody else founded some of them since: theirs stands
        fresh.update(await tx.keys([key for key, _ in rows]))
    stands |= fresh
    together: dict[int, set[int]] = {}
    for key, number in owner.items():
        together.setdefault(find(number), set()).add(stands[key])
    work.united = await unite(tx, [pools for pools in together.values() if len(pools) > 1])
    home = {group: min(pools) for group, pools in together.items()}
    for number, fact in enumerate(facts):
        work.facts.setdefault(home[find(number)], []).append(fact)
    await _add_claims(tx, {key: fact for key, fact in claims.items() if key in fresh}, stands, work)
    return stands


async def _add_claims(tx: Transaction, claims: dict[int, Fact], pool_of: dict[int, int], work: Work) -> None:
    """Claims met for the first time, into their blocks, and into the work as not yet compared."""
    rows = []
    for key, fact in sorted(claims.items(), key=lambda item: item[0]):
        block = block_of(fact.claim) if fact.claim is not None else 0
        if block:
            rows.append(ClaimRow(key, pool_of[key], fact.known, block, _claims.encode(fact.claim)))
            work.claims.append((key, block))
    if rows:
        await tx.insert_claims(rows)
