"""Merging pools. The least id wins, and an alias never changes: chains only ever lead down, so they end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from services.store.writer import Transaction


class Groups:
    """Disjoint sets of numbers; the least member stands for its set."""

    __slots__ = ("_up",)

    def __init__(self) -> None:
        self._up: dict[int, int] = {}

    def __contains__(self, one: object) -> bool:
        """Whether a number was looked for, or joined, before."""
        return one in self._up

    def find(self, one: int) -> int:
        """The least member of the set of `one`."""
        up = self._up
        root = up.setdefault(one, one)
        while up[root] != root:
            root = up[root]
        while up[one] != root:
            up[one], one = root, up[one]
        return root

    def join(self, members: Iterable[int]) -> None:
        """Make one set of the members' sets."""
        rest = iter(members)
        root = self.find(next(rest, 0))
        for member in rest:
            other = self.find(member)
            if other < root:
                self._up[root] = root = other
            elif other != root:
                self._up[other] = root

    def losers(self) -> list[tuple[int, int]]:
        """(member, least of its set) for all that are not the least."""
        return sorted((one, root) for one in list(self._up) if (root := self.find(one)) != one)


async def aliases_of(tx: Transaction, pools: Collection[int]) -> dict[int, int]:
    """All steps (loser -> winner) on the ways from these pools to their roots."""
    steps: dict[int, int] = {}
    fresh = set(pools)
    while fresh:
        next_steps = await tx.aliases(sorted(fresh))
        steps.update(next_steps)
        fresh = set(next_steps.values()) - steps.keys()
    return steps


def root_of(pool: int, steps: dict[int, int]) -> int:
    """Where the way from a pool ends."""
    while pool in steps:
        pool = steps[pool]
    return pool


async def merge(tx: Transaction, groups: Sequence[Collection[int]]) -> list[tuple[int, int]]:
    """Make one pool of each group; (loser, winner) for every alias that this transaction really inserted.

    Where another writer merged the same loser into another pool in the meantime, that winner and ours are merged in
    turn, until nothing is left to say.
    """
    inserted: list[tuple[int, int]] = []
    pending = [group for group in groups if len(group) > 1]
    while pending:
        steps = await aliases_of(tx, {pool for group in pending for pool in group})
        sets = Groups()
        for group in pending:
            sets.join(root_of(pool, steps) for pool in group)
        rows = sets.losers()
        if not rows:
            break
        done = await tx.insert_aliases(rows)
        inserted += [row for row in rows if row[0] in done]
        pending = [row for row in rows if row[0] not in done]
    return inserted
