"""Grouping: the facts of one batch that belong together because they share a key that admits them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

from services.correlator.merge import Groups
from services.domain import caps
from services.domain.caps import OpenCutoffs, Rank, admits
from services.domain.facts import Fact
from services.store.writer import Transaction


@dataclass(frozen=True, slots=True)
class Grouped:
    """A batch in groups. A group is named by the number of its first fact."""

    first: dict[int, int]  # key -> the number of the first fact that has it
    groups: list[int]  # by the number of a fact: its group
    refused: list[tuple[int, int]] = field(default_factory=list)  # (key, number of a fact that may be told to all)

    def group_of(self, key: int) -> int:
        """Return the group in which a key stands."""
        return self.groups[self.first[key]]


async def group_facts(tx: Transaction, facts: Sequence[Fact], keys: Sequence[list[int]]) -> Grouped:
    """Group the facts by the keys that admit them; take each key that does not admit a fact away from that fact.

    `keys`: by fact its keys (`identity.keys_of`), record first, claim second.
    """
    grouped = _grouped(keys)
    cutoffs = await tx.cutoffs()
    # most batches end here: no key has a cutoff, and none is met so often that it could get one
    if max(Counter(grouped.groups).values()) <= caps.CAP and cutoffs.keys().isdisjoint(grouped.first):
        return grouped
    holders = _crowded(keys, facts, cutoffs)
    lowered = _lowered(holders, cutoffs)
    full = {key: cutoff for key, cutoff in (cutoffs | lowered).items() if key in holders}
    if not full:
        return grouped
    refused = _refuse(keys, facts, full, _opened(keys, facts, full, cutoffs, await tx.open_cutoffs()))
    if lowered:
        await tx.lower_cutoffs(sorted((key, *rank) for key, rank in lowered.items()))
    grouped = _grouped(keys)
    return Grouped(grouped.first, grouped.groups, refused)


def _crowded(
    keys: Sequence[list[int]], facts: Sequence[Fact], cutoffs: dict[int, Rank], *, opened: bool = False
) -> dict[int, dict[int, int]]:
    """By number that is capped, or met more often than it admits: its claims in the batch, with since when.

    `opened`: by facts that may be told to all alone.
    """
    counted = Counter(chain.from_iterable(keys))
    crowded = {key for key, count in counted.items() if count > caps.CAP} | (cutoffs.keys() & counted.keys())
    holders: dict[int, dict[int, int]] = {}
    for mine, fact in zip(keys, facts, strict=True) if crowded else ():
        for key in mine[2:] if fact.claim is not None and not (opened and fact.handling) else ():
            if key in crowded:
                ranks = holders.setdefault(key, {})
                ranks[mine[1]] = min(fact.known, ranks.get(mine[1], fact.known))
    return holders


def _lowered(holders: dict[int, dict[int, int]], cutoffs: dict[int, Rank]) -> dict[int, Rank]:
    """Return the cutoffs that this batch alone lowers.

    A batch with very many claims of one number would else make one pool of all of them. Where fewer come at a time the
    resolving lowers the cutoff: until then a pool is a little too wide, which is harmless.
    """
    lowered: dict[int, Rank] = {}
    for key, ranks in holders.items():
        if len(ranks) > caps.CAP:
            last = sorted((known, claim) for claim, known in ranks.items())[caps.CAP - 1]
            if last < cutoffs.get(key, (last[0] + 1, 0)):
                lowered[key] = last
    return lowered


def _opened(
    keys: Sequence[list[int]],
    facts: Sequence[Fact],
    full: dict[int, Rank],
    cutoffs: dict[int, Rank],
    stored: OpenCutoffs,
) -> OpenCutoffs:
    """Return the cutoffs of open records, of the keys of which confidential ones are admitted or come now."""
    marked = {key for mine, fact in zip(keys, facts, strict=True) if fact.handling for key in mine[2:] if key in full}
    others = (marked | stored.keys()) & full.keys()
    if not others:
        return {}
    before = {key: rank for key, rank in {**cutoffs, **stored}.items() if rank is not None}
    lowered = _lowered(_crowded(keys, facts, full, opened=True), before)
    return {key: lowered.get(key, before.get(key)) for key in others}


def _refuse(
    keys: Sequence[list[int]], facts: Sequence[Fact], full: dict[int, Rank], opened: OpenCutoffs
) -> list[tuple[int, int]]:
    """Take away the keys that do not admit a fact's claim: (key, number of the fact), of facts that are not marked."""
    refused = []
    for number, (mine, fact) in enumerate(zip(keys, facts, strict=True)):
        if fact.claim is None or full.keys().isdisjoint(mine[2:]):
            continue
        rank = (fact.known, mine[1])
        kept = []
        for key in mine[2:]:
            if (
                key not in full
                or rank <= full[key]
                or (not fact.handling and key in opened and admits(opened[key], rank))
            ):
                kept.append(key)
            elif not fact.handling:
                refused.append((key, number))
        mine[2:] = kept
    return refused


def _grouped(keys: Sequence[list[int]]) -> Grouped:
    sets = Groups()
    first: dict[int, int] = {}
    for number, mine in enumerate(keys):
        others = [earlier for key in mine if (earlier := first.setdefault(key, number)) != number]
        if others:
            sets.join((number, *others))
    groups = list(range(len(keys)))
    for number, least in sets.losers():
        groups[number] = least
    return Grouped(first, groups)
