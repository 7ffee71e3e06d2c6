"""Grouping over columns, as a driver does it alone: the pools and cutoffs are those of the dataflow in one process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

import numpy as np
import pyarrow as pa
import pytest
from dataflows import deliveries, several, unjudged, world

from services.correlator.merge import Groups
from services.dataflow import columns, linking, local
from services.dataflow.columns import Candidates, Links, Met, Numbers, Pools, TooMany
from services.dataflow.keying import Kind, Remembered, Row, keyed
from services.dataflow.linking import Edge
from services.dataflow.spark import driver_grouping
from services.dataflow.spark.tasks import KEYED, _batches
from services.domain import caps

SEEDS = range(30)
MOST = 100_000


def alone_grouped(rows: Sequence[Row], most: int = MOST) -> driver_grouping.Grouped:
    """Group rows over columns, some at a time."""

    def batches(names: Sequence[str], kinds: Sequence[int]) -> Iterator[pa.RecordBatch]:
        asked = [row for row in rows if row.kind in kinds]
        for at in range(0, len(asked), 50):
            yield from pa.Table.from_batches(_batches(KEYED, asked[at : at + 50]), KEYED).select(names).to_batches()

    return driver_grouping.grouped(batches, caps.CAP, most)


def differs(raws: list[bytes]) -> bool:
    """Whether the two ways of grouping come to other pools or other cutoffs."""
    rows = list(keyed(deliveries(raws), unjudged))
    expected, done = local.grouped(rows), alone_grouped(rows)
    pools = dict(zip(done.pools.node.tolist(), done.pools.number.tolist(), strict=True))
    assert len(pools) == len(done.pools.node)
    mine = [pools.get(row.node, row.node) for row in rows if row.kind == Kind.EVENT]
    theirs = [member.pool for member in expected.members]
    return (mine, done.cutoffs, done.others) != (theirs, expected.cutoffs, expected.others)


def shuffled(seed: int) -> list[bytes]:
    """A world's events in any order, of some two copies."""
    raws, rng = world(seed), Random(seed)
    raws += raws[: len(raws) // 5]
    rng.shuffle(raws)
    return raws


@pytest.mark.law(1, "grouping over columns, as a driver does it alone, gives the pools and cutoffs of the dataflow")
@pytest.mark.parametrize("seed", SEEDS)
def test_pools_and_cutoffs_are_the_dataflows(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(caps, "CAP", 64 if seed % 3 == 1 else 2)
    assert not differs(shuffled(seed))


@pytest.mark.parametrize("cap", [2, 3, 64])
def test_many_who_share_blocks_are_grouped_alike(monkeypatch: pytest.MonkeyPatch, cap: int) -> None:
    monkeypatch.setattr(caps, "CAP", cap)
    assert not differs(several(range(8)))


def test_no_events_are_grouped() -> None:
    done = alone_grouped([])
    assert (len(done.pools.node), done.cutoffs, done.others) == (0, {}, {})


def by_arrival(links: Links, cap: int) -> dict[int, tuple[int, int]]:
    """`cutoffs_of` that leaves out the moment of knowing."""
    ranks = CUTOFFS(Links(links.key, links.node, np.zeros_like(links.since), links.capped), cap)
    since = dict(zip(zip(links.key.tolist(), links.node.tolist(), strict=True), links.since.tolist(), strict=True))
    return {key: (since[key, node], node) for key, (_, node) in ranks.items()}


def one_round(one: Numbers, other: Numbers) -> Pools:
    """`components` that goes one step from each node."""
    least: dict[int, int] = {}
    for mine, theirs in zip(one.tolist(), other.tolist(), strict=True):
        least[max(mine, theirs)] = min(mine, theirs, least.get(max(mine, theirs), mine))
    nodes = sorted(least)
    return Pools(np.array(nodes, np.int64), np.array([least[node] for node in nodes], np.int64))


def once_compared(pairs: Candidates, score: Callable[[int, int], bool]) -> list[Edge]:
    """`alike` that takes pools that were compared for pools that are one."""
    met = Groups()
    sides = dict(zip(pairs.one.tolist(), pairs.left.tolist(), strict=True))
    sides |= dict(zip(pairs.other.tolist(), pairs.right.tolist(), strict=True))

    def scored(one: int, other: int) -> bool:
        if met.find(sides[one]) == met.find(sides[other]):
            return False
        met.join((sides[one], sides[other]))
        return score(one, other)

    return columns.alike(pairs, scored)


CUTOFFS = columns.cutoffs_of
BUGS = {
    "a cap by arrival": ("cutoffs_of", by_arrival),
    "a pool not closed": ("components", one_round),
}


@pytest.mark.law(1, planted="over columns a cap by arrival, a pool that is not closed")
@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_caught(monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    monkeypatch.setattr(caps, "CAP", 2)
    monkeypatch.setattr(columns, *BUGS[bug])
    assert any(differs(shuffled(seed)) for seed in range(60)) or differs(several(range(8)))


@pytest.mark.law(1, planted="pools of which one pair of claims is not alike are not compared any more")
def test_pools_are_compared_until_they_are_one() -> None:
    """Of three pairs of two pools' claims the second is alike: the third is not scored, and the first says nothing."""
    pools = Pools(np.array([11, 12, 21, 22]), np.array([10, 10, 20, 20]))
    pairs = Candidates.of(Met(np.array([10, 11, 12]), np.array([20, 21, 22]), {}), pools)
    asked = []

    def score(one: int, other: int) -> bool:
        asked.append((one, other))
        return one == 11

    assert columns.alike(pairs, score) == [(10, 20)]
    assert asked == [(10, 20), (11, 21)]
    assert columns.alike(pairs, lambda _one, _other: False) == once_compared(pairs, score) == []


def test_pairs_are_shared_out_by_what_hangs_together() -> None:
    """All pairs of one set of pools go to one part, but where they are more than a part's share."""
    left, right = np.array([1, 2, 7, 8, 20, 30]), np.array([2, 3, 8, 9, 21, 31])
    parts = columns.shared_out(Candidates(left, right, left, right), 3)
    assert parts.tolist() == [1, 1, 1, 1, 2, 0]
    chain = np.arange(100)
    spread = columns.shared_out(Candidates(chain, chain + 1, chain, chain + 1), 4)
    assert np.bincount(spread).tolist() == [25] * 4


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_rows_are_put_in_the_order_of_their_columns(count: int) -> None:
    """As numpy has it for several columns, negative and greatest numbers included."""
    rng = np.random.default_rng(count)
    few = np.concatenate((rng.integers(-3, 3, count), [columns._MOST, -columns._MOST, 0])).astype(np.int64)
    first, second, third = (rng.permutation(few) for _ in range(3))
    mine = columns.in_order(first, second, third)
    order = np.lexsort((third, second, first))
    for column in (first, second, third):
        assert column[mine].tolist() == column[order].tolist()
    assert sorted(mine.tolist()) == list(range(len(few)))


def test_readings_that_share_a_memory_give_their_own_rows() -> None:
    """A claim that a reading before has told is told again: what became of that reading's rows is not known."""
    messages, memory = deliveries(world(2)), Remembered()
    for _ in range(2):
        for half in (messages[::2], messages[1::2]):
            assert list(keyed(half, unjudged, memory)) == list(keyed(half, unjudged))


def test_components_are_those_of_one_process() -> None:
    """Chains, stars and rings at random."""
    rng = Random(3)
    for count in (0, 1, 12, 300):
        edges = [(at, at + 1) for at in range(count)]
        edges += [(rng.randrange(-500, 500), rng.randrange(-500, 500)) for _ in range(count)]
        one, other = (np.array([edge[side] for edge in edges], np.int64) for side in (0, 1))
        done = columns.components(one, other)
        assert dict(zip(done.node.tolist(), done.number.tolist(), strict=True)) == linking.components(edges)


def test_what_is_too_much_is_refused() -> None:
    rows = list(keyed(deliveries(world(3)), unjudged))
    with pytest.raises(TooMany):
        alone_grouped(rows, 10)
