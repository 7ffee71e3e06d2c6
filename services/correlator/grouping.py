"""Grouping: the facts of one batch that belong together because they share a key that admits them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from services.correlator.merge import Groups
from services.domain import caps
from services.domain.caps import Rank
from services.domain.facts import Fact
from services.store.writer import Transaction


@dataclass(frozen=True, slots=True)
class Grouped:
    """A batch in groups. A group is named by the number of its first fact."""

    first: dict[int, int]  # key -> the number of the first fact that has it
    groups: list[int]  # by the number of a fact: its group

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
    lowered = _admit(keys, facts, cutoffs)
    if lowered:
        await tx.lower_cutoffs(sorted((key, *rank) for key, rank in lowered.items()))
    return _grouped(keys)


def _admit(keys: Sequence[list[int]], facts: Sequence[Fact], cutoffs: dict[int, Rank]) -> dict[int, Rank]:
    """Take away the keys that do not admit a fact's claim. Return the cutoffs that this batch alone lowers.

    A batch with very many claims of one number would else make one pool of all of them. Where fewer come at a time the
    resolving lowers the cutoff: until then a pool is a little too wide, which is harmless.
    """
    counted = Counter(chain.from_iterable(keys))
    crowded = {key for key, count in counted.items() if count > caps.CAP} | (cutoffs.keys() & counted.keys())
    if not crowded:
        return {}
    holders: dict[int, dict[int, int]] = {}
    for mine, fact in zip(keys, facts, strict=True):
        for key in mine[2:] if fact.claim is not None else ():
            if key in crowded:
                ranks = holders.setdefault(key, {})
                ranks[mine[1]] = min(fact.known, ranks.get(mine[1], fact.known))
    lowered: dict[int, Rank] = {}
    for key, ranks in holders.items():
        if len(ranks) > caps.CAP:
            last = sorted((known, claim) for claim, known in ranks.items())[caps.CAP - 1]
            if last < cutoffs.get(key, (last[0] + 1, 0)):
                lowered[key] = last
    full = {key: cutoff for key, cutoff in (cutoffs | lowered).items() if key in holders}
    if full:
        for mine, fact in zip(keys, facts, strict=True):
            if fact.claim is not None:
                mine[2:] = [key for key in mine[2:] if key not in full or (fact.known, mine[1]) <= full[key]]
    return lowered


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
