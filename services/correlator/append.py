"""Append: a batch of events becomes keys, claims, a ledger segment and work, with the positions, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from services.correlator.unite import Groups, unite
from services.correlator.work import Work
from services.domain import caps
from services.domain.caps import Rank
from services.domain.facts import Fact
from services.domain.identity import blocks_of, keys_of
from services.store.packing import squeeze
from services.store.writer import ClaimRow, Move, Transaction

_packer = msgspec.msgpack.Encoder()
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
    claims: dict[int, int]  # since when each is known
    to_look: bool


class Keys:
    """Key -> founding pool, and claim -> since when it is known, as far as this process has met them."""

    def __init__(self) -> None:
        self._pools: dict[int, int] = {}
        self._since: dict[int, int] = {}

    def earlier(self, claims: Mapping[int, int]) -> list[tuple[int, int]]:
        """Those of the claims that may be known since earlier than anybody has noted, sorted."""
        since = self._since
        return sorted((claim, known) for claim, known in claims.items() if known < since.get(claim, known + 1))

    def known(self, keys: Iterable[int]) -> dict[int, int]:
        """Those of the keys that were met before."""
        pools = self._pools
        return {key: pools[key] for key in keys if key in pools}

    def remember(self, done: Appended) -> None:
        """Only what is committed may be remembered."""
        if len(self._pools) + len(done.founded) > CACHED:
            self._pools.clear()
            self._since.clear()
        self._pools.update(done.founded)
        for claim, known in done.claims.items():
            self._since[claim] = min(known, self._since.get(claim, known))


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
    known: dict[int, int] = {}
    work = Work()
    if batch.facts:  # coverage alone changes answers, not persons; the deadlines see to it
        founded, known = await _found(tx, batch.facts, cache, work)
        await tx.add_work(work.pack(), looked=not work.claims)
    return Appended(founded, known, bool(work.claims))


async def _admitted_groups(
    tx: Transaction, facts: Sequence[Fact], keys: Sequence[list[int]]
) -> tuple[dict[int, int], list[int]]:
    """The facts grouped by the keys that admit them; a key that does not admit a fact is taken away from it."""
    owner, place = _grouped(keys)
    horizons = await tx.horizons()
    # most batches end here: no key has a horizon, and none is met so often that it could get one
    if max(Counter(place).values()) <= caps.CAP and horizons.keys().isdisjoint(owner):
        return owner, place
    fell = _admitted(keys, facts, horizons)
    if fell:
        await tx.lower_horizons(sorted((key, *rank) for key, rank in fell.items()))
    return _grouped(keys)


def _admitted(keys: Sequence[list[int]], facts: Sequence[Fact], horizons: dict[int, Rank]) -> dict[int, Rank]:
    """Takes away the keys that do not admit a fact's claim; the horizons that fall by this batch alone.

    So many claims of one number in one batch would else make one pool of all of them. Where fewer come at a time the
    settling sees it: a pool is a little too wide for a while, which is harmless.
    """
    counted = Counter(chain.from_iterable(keys))
    wanted = {key for key, count in counted.items() if count > caps.CAP} | (horizons.keys() & counted.keys())
    if not wanted:
        return {}
    holders: dict[int, dict[int, int]] = {}
    for mine, fact in zip(keys, facts, strict=True):
        for key in mine[2:] if fact.claim is not None else ():
            if key in wanted:
                ranks = holders.setdefault(key, {})
                ranks[mine[1]] = min(fact.known, ranks.get(mine[1], fact.known))
    fell: dict[int, Rank] = {}
    for key, ranks in holders.items():
        if len(ranks) > caps.CAP:
            last = sorted((known, claim) for claim, known in ranks.items())[caps.CAP - 1]
            if last < horizons.get(key, (last[0] + 1, 0)):
                fell[key] = last
    full = {key: horizon for key, horizon in (horizons | fell).items() if key in holders}
    if full:
        for mine, fact in zip(keys, facts, strict=True):
            if fact.claim is not None:
                mine[2:] = [key for key in mine[2:] if key not in full or (fact.known, mine[1]) <= full[key]]
    return fell


def _grouped(keys: Sequence[list[int]]) -> tuple[dict[int, int], list[int]]:
    """For each key the number of the first fact that has it; for each fact the least of those it belongs with."""
    groups = Groups()
    owner: dict[int, int] = {}
    for number, mine in enumerate(keys):
        met = [first for key in mine if (first := owner.setdefault(key, number)) != number]
        if met:
            groups.join((number, *met))
    place = list(range(len(keys)))
    for number, least in groups.losers():
        place[number] = least
    return owner, place


def _claims(facts: Sequence[Fact], keys: Sequence[list[int]]) -> dict[int, Fact]:
    """Claim key -> the fact that is known first among those that make the claim."""
    claims: dict[int, Fact] = {}
    for mine, fact in zip(keys, facts, strict=True):
        if fact.claim is not None:
            held = claims.setdefault(mine[1], fact)
            if fact.known < held.known:
                claims[mine[1]] = fact
    return claims


async def _found(
    tx: Transaction, facts: Sequence[Fact], cache: Keys, work: Work
) -> tuple[dict[int, int], dict[int, int]]:
    """Keys to pools for all facts; fills the work. Returns what may be remembered."""
    keys = [keys_of(fact) for fact in facts]
    claims = _claims(facts, keys)
    owner, place = await _admitted_groups(tx, facts, keys)
    stands = cache.known(owner)
    missing = sorted(owner.keys() - stands.keys())
    learnt = await tx.keys(missing) if missing else {}
    stands |= learnt
    target: dict[int, int] = {}  # group -> the least of its pools that stand
    for key, pool in stands.items():
        group = place[owner[key]]
        if pool < target.get(group, pool + 1):
            target[group] = pool
    founders: dict[int, int] = {}  # group without any -> its least record, whose key is the new pool's id
    for group, mine in zip(place, keys, strict=True):
        if group not in target and mine[0] < founders.get(group, mine[0] + 1):
            founders[group] = mine[0]
    target |= founders
    fresh = {key: target[place[owner[key]]] for key in missing if key not in learnt}
    touched = stands  # a group's fresh keys lie in one of the pools of the others, or in a new one
    if fresh and (taken := await tx.insert_keys(list(fresh.items()))):
        # somebody else founded them since: theirs stands
        for key in taken:
            del fresh[key]
        learnt |= await tx.keys(sorted(taken))
        touched = stands | learnt | fresh
    learnt |= fresh
    stands = stands | learnt
    together: dict[int, set[int]] = {}
    for key, pool in touched.items():
        together.setdefault(place[owner[key]], set()).add(pool)
    work.united = await unite(tx, [pools for pools in together.values() if len(pools) > 1])
    for mine, fact in zip(keys, facts, strict=True):
        # under its record's pool, not under any that it was united with: the rest of the record lies on the way from
        # there, also where that pool has lost and nobody has settled it since
        work.facts.setdefault(stands[mine[0]], []).append(fact)
    await _add_claims(tx, {key: fact for key, fact in claims.items() if key in fresh}, stands, work)
    known = {key: fact.known for key, fact in claims.items()}
    earlier = cache.earlier({key: at for key, at in known.items() if key not in fresh})
    if earlier:
        work.claims += sorted(await tx.lower_claims(earlier))
    return learnt, known


async def _add_claims(tx: Transaction, claims: dict[int, Fact], pool_of: dict[int, int], work: Work) -> None:
    """Claims met for the first time, into their blocks, and into the work as not yet compared."""
    rows = []
    for key, fact in sorted(claims.items(), key=lambda item: item[0]):
        blocks = blocks_of(fact.claim) if fact.claim is not None else (0, 0, 0)
        if any(blocks):
            rows.append(ClaimRow(key, pool_of[key], fact.known, *blocks, _packer.encode(fact.claim)))
            work.claims.append(key)
    if rows:
        await tx.insert_claims(rows)
