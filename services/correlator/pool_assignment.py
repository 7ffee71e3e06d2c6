"""Founding: each group of a batch finds the pools in which its keys stand, or founds one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.correlator.grouping import Grouped
from services.correlator.key_cache import KeyCache
from services.store.writer import Transaction


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the keys of a batch stand."""

    pools: dict[int, int]  # key -> pool, for every key of the batch
    fresh: dict[int, int]  # those of them that this transaction founded
    learnt: dict[int, int]  # those of them that the cache did not hold
    touched: dict[int, int]  # enough of them to name every pool that a group touches

    def together(self, grouped: Grouped) -> list[set[int]]:
        """Return the pools that one group touches, for each group that touches more than one."""
        pools: dict[int, set[int]] = {}
        for key, pool in self.touched.items():
            pools.setdefault(grouped.group_of(key), set()).add(pool)
        return [some for some in pools.values() if len(some) > 1]


async def place_keys(tx: Transaction, grouped: Grouped, keys: Sequence[list[int]], cache: KeyCache) -> Placement:
    """Find the pool of each key. Found keys that stand nowhere in the least pool of their group, or in a new pool."""
    cached = cache.pools(grouped.first)
    missing = sorted(grouped.first.keys() - cached.keys())
    learnt = await tx.keys(missing) if missing else {}
    standing = cached | learnt
    target = _targets(grouped, keys, standing)
    fresh = {key: target[grouped.group_of(key)] for key in missing if key not in learnt}
    touched = standing  # a group's fresh keys lie in one of the pools of its other keys, or in a new pool
    if fresh and (taken := await tx.insert_keys(list(fresh.items()))):
        # another writer founded these keys in the meantime: its pools stand
        for key in taken:
            del fresh[key]
        learnt |= await tx.keys(sorted(taken))
        touched = standing | learnt | fresh
    learnt |= fresh
    return Placement(standing | learnt, fresh, learnt, touched)


def _targets(grouped: Grouped, keys: Iterable[list[int]], standing: dict[int, int]) -> dict[int, int]:
    """By group the least pool in which one of its keys stands; of a new group its least record's key, the new pool."""
    target: dict[int, int] = {}
    for key, pool in standing.items():
        group = grouped.group_of(key)
        if pool < target.get(group, pool + 1):
            target[group] = pool
    founders: dict[int, int] = {}
    for group, mine in zip(grouped.groups, keys, strict=True):
        if group not in target and mine[0] < founders.get(group, mine[0] + 1):
            founders[group] = mine[0]
    return target | founders
