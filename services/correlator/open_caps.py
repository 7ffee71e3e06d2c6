"""Caps of their own for who lacks the right to what the law keeps confidential, counted over the other records alone.

A number or block that admits its first few claims must not leave one out for the sake of a record that nobody may see.
So claims are admitted twice: among all, and among those of open records. Pools are merged over both, which makes them
wider and changes no answer, for each view is worked out under its own cutoffs. Where nothing is confidential, or no key
is capped, there is nothing to keep and nothing to pay.

Which records are hidden is known once their pool is resolved, not when they come. Resolving therefore says of each
claim since when open records make it (`claim.open_known`), and finds the claims that a number had refused before the
mark came (`refused`). Where that reaches a capped key, nothing is told in this turn: claims are compared and pools
merged first, so that who reads the plain topic is not told a step that the world without the records does not have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from services.correlator.merge import aliases_of, merge, root_of
from services.correlator.work import Work
from services.domain import caps
from services.domain.blocks import blocks_of
from services.domain.caps import Caps, Cutoffs, OpenCutoffs, Rank, admits, opened, ranks_by_number
from services.domain.facts import Fact, claim_key, key_hash
from services.store.writer import NEVER, MemberRow, Transaction


@dataclass(slots=True)
class Bounds:
    """The cutoffs of both views, as one resolving finds and moves them."""

    full: dict[int, Rank]
    others: dict[int, Rank | None]
    moved: set[int] = field(default_factory=set)
    _open: Cutoffs | None = None

    @property
    def open(self) -> Cutoffs:
        """The cutoffs of who lacks the right."""
        if self._open is None:
            self._open = opened(self.full, self.others)
        return self._open

    def lower(self, fell: Mapping[int, Rank]) -> None:
        """Take in what fell for all."""
        self.full.update(fell)
        self._open = None

    def set_open(self, key: int, rank: Rank | None) -> None:
        """Set the cutoff of open records under a number that hidden ones have, also where it is that of all."""
        if key not in self.others or self.others[key] != rank:
            self.others[key] = rank
            self.moved.add(key)
            self._open = None

    def differ(self, facts: Collection[Fact]) -> bool:
        """Whether some claim of open facts is admitted by one of the cutoffs and not by the other."""
        if not self.others:
            return False
        claims = {id(fact.claim): fact.claim for fact in facts if fact.claim is not None}.values()
        mine = {
            (key, claim_key(claim))
            for claim in claims
            for key in {*blocks_of(claim), *map(key_hash, claim.identifiers)} & self.others.keys()
        }
        one, other = Caps(facts, None, self.full), Caps(facts, None, self.open)
        return any(one.admits(*each) != other.admits(*each) for each in mine)

    async def write(self, tx: Transaction) -> None:
        """Write those of open records that moved."""
        if self.moved:
            await tx.replace_open_cutoffs([], [(key, self.others[key]) for key in sorted(self.moved)])


@dataclass(slots=True)
class Recount:
    """What a resolving found of hidden records that the capped keys do not know yet."""

    veiled: dict[int, int | None] = field(default_factory=dict)  # claim -> since when open records make it
    compare: set[int] = field(default_factory=set)  # of these claims, those that stand in a capped block
    pulled: dict[int, list[tuple[int, int]]] = field(default_factory=dict)  # number -> (claim, pool) to take in
    again: set[int] = field(default_factory=set)  # pools of numbers that refused a hidden record

    @property
    def waits(self) -> bool:
        """Whether nothing may be told before others have done their part."""
        return bool(self.compare or self.pulled)

    async def write(self, tx: Transaction) -> None:
        """Write it, and queue what is to be compared and resolved for it."""
        if self.veiled:
            await tx.veil_claims(sorted(self.veiled.items()))
        if not self.waits and not self.again:
            return
        work = Work(claims=sorted(self.compare), again=sorted(self.again))
        if self.pulled:
            pools = await tx.keys(sorted(self.pulled))
            groups = [{pools[key], *(pool for _, pool in rows)} for key, rows in sorted(self.pulled.items())]
            work.merged = await merge(tx, groups)
            await tx.delete_refused(sorted((key, claim) for key, rows in self.pulled.items() for claim, _ in rows))
        await tx.add_work(work.pack(), compared=not work.claims)


async def recount(
    tx: Transaction, pools: Mapping[int, tuple[Collection[Fact], Collection[Fact]]], bounds: Bounds, result: Recount
) -> None:
    """See to the claims of pools that hold hidden facts, and to those under numbers that hidden ones have elsewhere.

    `pools`: by root all facts, and those that may be told; the same collection where nothing is marked.
    """
    marked = [each for each in pools.values() if each[0] is not each[1]]
    if marked:
        await _veil(tx, marked, bounds, result)
    if not bounds.full or not (marked or bounds.others):
        return
    asked = {root: _numbers(whole, open_to_all, bounds) for root, (whole, open_to_all) in pools.items()}
    every = sorted(set(chain.from_iterable(asked.values())))
    if not every:
        return
    founded = await tx.keys(every)
    steps = await aliases_of(tx, set(founded.values()))
    places = {key: root_of(pool, steps) for key, pool in founded.items()}
    for root, keys in asked.items():
        for key in sorted(keys & places.keys()):
            # a hidden record that was refused tells by the cutoff alone: the number's pool says whether there is one
            if places[key] != root and key not in bounds.others:
                bounds.set_open(key, bounds.full[key])
                result.again.add(places[key])
        mine = {key for key in keys if places.get(key) == root}
        ranks = ranks_by_number(pools[root][1], mine)
        for key in sorted(mine):
            await _admit(tx, key, ranks.get(key, []), bounds, result)


async def _veil(
    tx: Transaction, pools: Iterable[tuple[Collection[Fact], Collection[Fact]]], bounds: Bounds, result: Recount
) -> None:
    """See since when open records make the claims."""
    wanted: dict[int, int | None] = {}
    for whole, open_to_all in pools:
        since: dict[int, int] = {}
        for fact in open_to_all:
            if fact.claim is not None:
                key = claim_key(fact.claim)
                since[key] = min(fact.known, since.get(key, fact.known))
        wanted |= {claim_key(fact.claim): NEVER for fact in whole if fact.claim is not None}
        wanted |= since
    for row in await tx.claims(sorted(wanted)):
        known = wanted[row.claim]
        if (known if known != row.known else None) != row.open_known:
            result.veiled[row.claim] = known if known != row.known else None
            if not bounds.full.keys().isdisjoint(row.blocks):
                result.compare.add(row.claim)


def _numbers(whole: Collection[Fact], open_to_all: Collection[Fact], bounds: Bounds) -> set[int]:
    """The capped numbers that hidden facts have, and those that have a cutoff of open records."""
    keys: set[int] = set()
    if whole is not open_to_all:
        open_ids = {id(fact) for fact in open_to_all}
        hidden = {text for fact in whole if id(fact) not in open_ids for text in fact.identifiers}
        keys = {key for text in hidden if (key := key_hash(text)) in bounds.full}
    if bounds.others:
        keys |= {key_hash(text) for fact in whole for text in fact.identifiers} & bounds.others.keys()
    return keys


async def _admit(tx: Transaction, key: int, ranks: Sequence[Rank], bounds: Bounds, result: Recount) -> None:
    """Set the cutoff of open records under a number, and find those that it refused and now admits."""
    cutoff = ranks[caps.CAP - 1] if len(ranks) > caps.CAP else None
    waiting = await tx.refused(key, caps.CAP + 1)
    lacking = caps.CAP + 1 - len(ranks)  # one more than are admitted tells that there is a cutoff
    pulled = waiting[:lacking] if cutoff is None else [row for row in waiting if row[:2] <= cutoff]
    if pulled:
        result.pulled[key] = [(claim, pool) for _, claim, pool in pulled]
    bounds.set_open(key, cutoff)


async def admit_refused(tx: Transaction, keys: Collection[int], bounds: Bounds, result: Recount) -> None:
    """Find those that numbers refused while a cutoff of open records rose: neither transaction saw the other."""
    for key in sorted(bounds.others.keys() & set(keys)):
        cutoff = bounds.others[key]
        rows = [row for row in await tx.refused(key, caps.CAP + 1) if admits(cutoff, row[:2])]
        if rows:
            result.pulled[key] = [(claim, pool) for _, claim, pool in rows]


@dataclass(slots=True)
class OpenBlocks:
    """What open records alone make of some blocks."""

    admitted: list[Sequence[MemberRow]] = field(
        default_factory=list
    )  # of blocks for which it is not what all make of it
    rows: list[tuple[int, Rank | None]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)  # pools of claims that are admitted and were not, or the reverse


def open_blocks(
    blocks: Mapping[int, Sequence[MemberRow]], before: Cutoffs, after: Cutoffs, others: OpenCutoffs
) -> OpenBlocks:
    """Admit the claims of open records to blocks. `before`, `after`: the cutoffs of all claims."""
    result = OpenBlocks()
    for block, members in sorted(blocks.items()):
        full = after.get(block)
        ranked = sorted((rank, row.claim, row) for row in members if (rank := row.open_rank) is not None)
        cutoff = full
        if any(row.open_known is not None for row in members):
            cutoff = ranked[caps.CAP - 1][0] if len(ranked) > caps.CAP else None
            if full is not None:
                result.admitted.append([row for _, _, row in ranked[: caps.CAP]])
        stood = others[block] if block in others else before.get(block)
        result.moved |= {row.pool for rank, _, row in ranked if admits(stood, rank) != admits(cutoff, rank)}
        if cutoff == full:
            if block in others:
                result.gone.append(block)
        elif block not in others or others[block] != cutoff:
            result.rows.append((block, cutoff))
    return result
