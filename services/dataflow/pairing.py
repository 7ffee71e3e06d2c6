"""Pairing: claims of one block that are one person's by their score make one pool of their pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import nsmallest
from itertools import combinations, groupby
from operator import attrgetter
from typing import NamedTuple

from services.correlator.merge import Groups
from services.dataflow.keying import claim_in
from services.domain import caps
from services.domain.caps import Rank
from services.domain.facts import Claim
from services.domain.identity import alike

_REMEMBERED = 300_000


class Standing(NamedTuple):
    """A claim in one of its blocks."""

    block: int
    node: int
    since: int
    pool: int  # as far as it is known by keys
    claim: bytes


class Paired(NamedTuple):
    """Two pools that are one, or the rank of the last claim that a block admits."""

    pools: tuple[int, int] | None
    cutoff: tuple[int, Rank] | None


def paired(standings: Iterable[Standing]) -> Iterator[Paired]:
    """Return what the claims of blocks come to. The standings of one block follow on each other, in any order."""
    scorer, merged = _Scorer(), _Merged()
    for block, members in groupby(standings, key=attrgetter("block")):
        counted = _Counted(members)
        admitted = nsmallest(caps.CAP, counted, key=attrgetter("since", "node"))
        if counted.count > caps.CAP:
            last = admitted[-1]
            yield Paired(None, (block, (last.since, last.node)))
        for one, other in combinations(admitted, 2):
            # of two pools that are one by then nothing more is asked: whatever the score is, they are one
            if one.pool != other.pool and merged.apart(one.pool, other.pool) and scorer.alike(one, other):
                merged.join((one.pool, other.pool))
                yield Paired((one.pool, other.pool), None)


class _Merged:
    """The pools that were merged, as far as they are remembered: to forget some costs time alone."""

    def __init__(self) -> None:
        self._groups = Groups()
        self._asked = 0

    def apart(self, one: int, other: int) -> bool:
        """Whether two are not known to be one."""
        self._asked += 1
        if self._asked > _REMEMBERED:
            self._groups, self._asked = Groups(), 0
        return self._groups.find(one) != self._groups.find(other)

    def join(self, pools: tuple[int, int]) -> None:
        """Remember that two are one."""
        self._groups.join(pools)


class _Counted:
    """Counts what passes."""

    def __init__(self, members: Iterator[Standing]) -> None:
        self.count = 0
        self._members = members

    def __iter__(self) -> Iterator[Standing]:
        for member in self._members:
            self.count += 1
            yield member


class _Scorer:
    """Scores pairs of claims, the lesser claim first; a pair that meets in several blocks is scored once."""

    def __init__(self) -> None:
        self._claims: dict[bytes, Claim] = {}
        self._scored: dict[tuple[bytes, bytes], bool] = {}

    def alike(self, one: Standing, other: Standing) -> bool:
        if other.node < one.node:
            one, other = other, one
        pair = (one.claim, other.claim)
        known = self._scored.get(pair)
        if known is None:
            if len(self._scored) >= _REMEMBERED:
                self._scored.clear()
                self._claims.clear()
            known = self._scored[pair] = alike(self._claim(one.claim), self._claim(other.claim))
        return known

    def _claim(self, packed: bytes) -> Claim:
        claim = self._claims.get(packed)
        if claim is None:
            claim = self._claims[packed] = claim_in(packed)
        return claim
