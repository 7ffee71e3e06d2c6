"""Linking and pairing over whole columns: what `linking` and `pairing` do row by row, as far as memory goes.

Links of ten million events are some gigabyte of columns, and numpy sorts and groups them in seconds, where a dataflow
on many machines spends more than that on planning its joins. All is a function of a set of rows, as there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.correlator.merge import Groups
from services.dataflow.linking import Edge
from services.domain.caps import Rank

Numbers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
_MOST = np.iinfo(np.int64).max


class TooMany(Exception):
    """There is more than one machine is to hold."""


@dataclass(frozen=True, slots=True)
class Links:
    """Each node once under each key, in the order of both: since when, and whether the key admits only so many."""

    key: Numbers
    node: Numbers
    since: Numbers
    capped: Flags

    def __len__(self) -> int:
        return len(self.key)

    def of(self, keys: Iterable[int]) -> Links:
        """Return those of some keys."""
        asked = np.isin(self.key, np.fromiter(keys, np.int64))
        return Links(self.key[asked], self.node[asked], self.since[asked], self.capped[asked])

    def known(self) -> Pools:
        """Return since when each node is known."""
        own = self.key == self.node
        return Pools(self.node[own], self.since[own])


@dataclass(frozen=True, slots=True)
class Pools:
    """A number for each of some nodes, which are in order: its pool, or since when it is known."""

    node: Numbers
    number: Numbers

    def of(self, nodes: Numbers, otherwise: Numbers) -> Numbers:
        """Return the numbers of nodes, and `otherwise` of those that have none."""
        if not len(self.node):
            return otherwise
        place = np.minimum(np.searchsorted(self.node, nodes), len(self.node) - 1)
        return np.where(self.node[place] == nodes, self.number[place], otherwise)

    def has(self, nodes: Numbers) -> Flags:
        """Whether nodes have numbers."""
        return np.isin(nodes, self.node)


def links_of(node: Numbers, known: Numbers, claimed: Flags, lengths: Numbers, keys: Numbers) -> Links:
    """Return the links of events. `keys`: of all events on end, `lengths` of each; an event's first is its record."""
    event = np.repeat(np.arange(len(node)), lengths)
    first = np.zeros(len(keys), np.bool_)
    first[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
    free = np.zeros(len(node), np.bool_)
    return joined(
        Links(
            np.concatenate((node, keys)),
            np.concatenate((node, node[event])),
            np.concatenate((known, known[event])),
            np.concatenate((free, claimed[event] & ~first)),
        )
    )


def together(some: Iterable[Links], most: int) -> Links:
    """Return the links of several sets of events as one. Raises TooMany where they are more than `most`."""
    held: list[Links] = []
    count = 0
    for links in some:
        held.append(links)
        count += len(links)
        if count > most * 2:
            held = [_joined(held)]
            count = len(held[0])
            if count > most:
                raise TooMany
    links = _joined(held)
    if len(links) > most:
        raise TooMany
    return links


def _joined(some: list[Links]) -> Links:
    none = np.empty(0, np.int64)
    columns = (Links(none, none, none, np.empty(0, np.bool_)), *some)
    return joined(
        Links(
            np.concatenate([each.key for each in columns]),
            np.concatenate([each.node for each in columns]),
            np.concatenate([each.since for each in columns]),
            np.concatenate([each.capped for each in columns]),
        )
    )


def joined(links: Links) -> Links:
    """Return each node once under each key, with the least moment of knowing."""
    order = in_order(links.key, links.node)
    key, node = links.key[order], links.node[order]
    starts = _starts(key, node)
    if not len(starts):
        return links
    return Links(
        key[starts],
        node[starts],
        np.minimum.reduceat(links.since[order], starts),
        np.logical_and.reduceat(links.capped[order], starts),
    )


def in_order(first: Numbers, *others: Numbers) -> NDArray[np.intp]:
    """Return the places of rows in the order of their columns, the first one first; rows that are equal in any order.

    By one number a row: numpy sorts one column of numbers eight times as quickly as it sorts by two.
    """
    ranks = first
    for column in others:
        following = _ranked(column)
        ranks = _ranked(ranks) * np.int64(len(following) + 1) + following
    return np.argsort(ranks)


def _ranked(column: Numbers) -> Numbers:
    """The place of each number among those that are there."""
    order = np.argsort(column)
    ranks = np.empty(len(column), np.int64)
    changes = np.zeros(len(column), np.int64)
    changes[1:] = column[order[1:]] != column[order[:-1]]
    ranks[order] = np.cumsum(changes)
    return ranks


def _starts(*columns: Numbers) -> NDArray[np.intp]:
    """Where another group begins, of rows that are in order."""
    count = len(columns[0])
    if not count:
        return np.empty(0, np.intp)
    changes = np.zeros(count, np.bool_)
    changes[0] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changes)


def cutoffs_of(links: Links, cap: int) -> dict[int, Rank]:
    """Return for each key under which more claims stand than it admits the rank of the last that it admits."""
    key, node, since = links.key[links.capped], links.node[links.capped], links.since[links.capped]
    order = in_order(key, since, node)
    key, node, since = key[order], node[order], since[order]
    starts = _starts(key)
    ends = np.append(starts[1:], len(key))
    last = starts[ends - starts > cap] + cap - 1
    return _ranks(key[last], since[last], node[last])


def _ranks(key: Numbers, since: Numbers, node: Numbers) -> dict[int, Rank]:
    return dict(zip(key.tolist(), zip(since.tolist(), node.tolist(), strict=True), strict=True))


def edges_of(links: Links, cutoffs: Mapping[int, Rank]) -> tuple[Numbers, Numbers]:
    """Return for each key an edge from every node that it admits to the least of them."""
    if cutoffs:
        held = sorted(cutoffs.items())
        keys = np.array([key for key, _ in held], np.int64)
        known = Pools(keys, np.array([rank[0] for _, rank in held], np.int64)).of(links.key, _full(links))
        claim = Pools(keys, np.array([rank[1] for _, rank in held], np.int64)).of(links.key, _full(links))
        admitted = ~links.capped | (links.since < known) | ((links.since == known) & (links.node <= claim))
        links = Links(links.key[admitted], links.node[admitted], links.since[admitted], links.capped[admitted])
    starts = _starts(links.key)
    least = np.repeat(links.node[starts], np.diff(np.append(starts, len(links))))  # they are in order
    apart = links.node != least
    return links.node[apart], least[apart]


def _full(links: Links) -> Numbers:
    return np.full(len(links), _MOST)


def components(one: Numbers, other: Numbers) -> Pools:
    """Return the least member of its component for each node that is not that member itself.

    In each round every root that has a lesser neighbour goes under the least of them, and ways are made short; it ends
    where no edge has two roots.
    """
    nodes, places = np.unique(np.concatenate((one, other)), return_inverse=True)
    left, right = places[: len(one)], places[len(one) :]
    root = np.arange(len(nodes))
    while len(left):
        mine, theirs = root[left], root[right]
        apart = mine != theirs
        left, right, mine, theirs = left[apart], right[apart], mine[apart], theirs[apart]
        np.minimum.at(root, np.maximum(mine, theirs), np.minimum(mine, theirs))
        while not np.array_equal(root, following := root[root]):
            root = following
    moved = root != np.arange(len(nodes))
    return Pools(nodes[moved], nodes[root[moved]])


def along(pools: Pools, further: Mapping[int, int]) -> Pools:
    """Return the pools of nodes where some pools are others by now; those are nodes as well."""
    if not further:
        return pools
    steps = sorted(further.items())
    last = Pools(np.array([one for one, _ in steps], np.int64), np.array([root for _, root in steps], np.int64))
    node = np.concatenate((pools.node, last.node))
    number = np.concatenate((last.of(pools.number, pools.number), last.number))
    order = np.argsort(node)
    return Pools(node[order], number[order])


@dataclass(frozen=True, slots=True)
class Leading:
    """Which keys lead to which pools: all keys of the events of some pools, each once for each."""

    key: Numbers
    pool: Numbers

    @classmethod
    def of(cls, pool: Numbers, node: Numbers, lengths: Numbers, keys: Numbers) -> Leading:
        """Return those of events. `keys`: of all events on end, `lengths` of each."""
        key, led = np.concatenate((node, keys)), np.concatenate((pool, np.repeat(pool, lengths)))
        order = in_order(key, led)
        starts = order[_starts(key[order], led[order])]
        return cls(key[starts], led[starts])

    def free(self, cutoffs: Iterable[int]) -> Leading:
        """Return those of pools that have no key which admits only so many: all keys of such a pool lead to it."""
        capped = np.isin(self.key, np.fromiter(cutoffs, np.int64))
        free = ~np.isin(self.pool, self.pool[capped])
        return Leading(self.key[free], self.pool[free])

    def rows(self) -> list[tuple[int, int]]:
        """Return them as rows."""
        return list(zip(self.key.tolist(), self.pool.tolist(), strict=True))

    def pools(self) -> frozenset[int]:
        """Return the pools."""
        return frozenset(np.unique(self.pool).tolist())


@dataclass(frozen=True, slots=True)
class Standings:
    """Claims in their blocks, each once."""

    block: Numbers
    node: Numbers

    @classmethod
    def of(cls, nodes: Numbers, lengths: Numbers, blocks: Numbers) -> Standings:
        """Return the standings of claims. `blocks`: of all claims on end, `lengths` of each; 0 is none."""
        node = np.repeat(nodes, lengths)[blocks != 0]
        blocks = blocks[blocks != 0]
        order = in_order(blocks, node)
        starts = order[_starts(blocks[order], node[order])]
        return cls(blocks[starts], node[starts])

    def of_blocks(self, blocks: Iterable[int]) -> Standings:
        """Return those in some blocks."""
        asked = np.isin(self.block, np.fromiter(blocks, np.int64))
        return Standings(self.block[asked], self.node[asked])


@dataclass(frozen=True, slots=True)
class Met:
    """Pairs of claims of two pools that meet in blocks, the lesser first, and the cutoffs of blocks."""

    one: Numbers
    other: Numbers
    cutoffs: dict[int, Rank]


def met(standings: Standings, known: Pools, pools: Pools, cap: int, most: int) -> Met:
    """Return each pair once, those first that meet most often. Raises TooMany where it is more than `most`.

    `known`: since when each node is; those that are not known do not stand there.
    """
    there = known.has(standings.node)
    block, node = standings.block[there], standings.node[there]
    since = known.of(node, node)
    order = in_order(block, since, node)
    block, node, since = block[order], node[order], since[order]
    starts = _starts(block)
    counts = np.diff(np.append(starts, len(block)))
    last = starts[counts > cap] + cap - 1
    cutoffs = _ranks(block[last], since[last], node[last])
    admitted = np.arange(len(block)) - np.repeat(starts, counts) < cap
    block, node = block[admitted], node[admitted]
    pool = pools.of(node, node)
    ones: list[Numbers] = []
    others: list[Numbers] = []
    count = 0
    for step in range(1, cap):
        (place,) = np.nonzero((block[:-step] == block[step:]) & (pool[:-step] != pool[step:]))
        if not len(place) and not np.any(block[:-step] == block[step:]):
            break
        ones.append(np.minimum(node[place], node[place + step]))
        others.append(np.maximum(node[place], node[place + step]))
        count += len(place)
        if count > most:
            raise TooMany
    return Met(*_most_often(ones, others), cutoffs)


def _most_often(ones: list[Numbers], others: list[Numbers]) -> tuple[Numbers, Numbers]:
    none = np.empty(0, np.int64)
    one, other = np.concatenate((none, *ones)), np.concatenate((none, *others))
    order = in_order(one, other)
    one, other = one[order], other[order]
    starts = _starts(one, other)
    counts = np.diff(np.append(starts, len(one)))
    first = starts[np.argsort(-counts, kind="stable")]
    return one[first], other[first]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Pairs of claims, and the pools of each: which are one if the claims are alike."""

    one: Numbers
    other: Numbers
    left: Numbers
    right: Numbers

    @classmethod
    def of(cls, pairs: Met, pools: Pools) -> Candidates:
        """Return the pairs that met."""
        return cls(pairs.one, pairs.other, pools.of(pairs.one, pairs.one), pools.of(pairs.other, pairs.other))

    def __len__(self) -> int:
        return len(self.one)

    def some(self, which: Flags) -> Candidates:
        """Return some of them, in the same order."""
        return Candidates(self.one[which], self.other[which], self.left[which], self.right[which])


def shared_out(pairs: Candidates, parts: int) -> Numbers:
    """Return for each pair in which of so many parts it is compared.

    Pairs that hang together are of one part, where one pair makes others needless. But no part may be most of all.
    """
    least = np.minimum(pairs.left, pairs.right)
    root = components(pairs.left, pairs.right).of(least, least)
    _, which, counts = np.unique(root, return_inverse=True, return_counts=True)
    held: Numbers = np.where(counts[which] * parts > len(pairs), least, root) % parts
    return held


def alike(pairs: Candidates, score: Callable[[int, int], bool]) -> list[Edge]:
    """Return the pools that are one, because claims of theirs are alike by their score.

    A pair whose pools are one by then is not scored: whatever it would say, they are one.
    """
    groups, edges = Groups(), []
    columns = (pairs.one.tolist(), pairs.other.tolist(), pairs.left.tolist(), pairs.right.tolist())
    for one, other, left, right in zip(*columns, strict=True):
        if groups.find(left) != groups.find(right) and score(one, other):
            groups.join((left, right))
            edges.append((left, right))
    return edges
