"""Grouping by the driver alone, over columns: quicker than Spark's joins while what is grouped fits its memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.correlator.merge import Groups
from services.dataflow import columns
from services.dataflow.columns import Candidates, Links, Numbers, Pools, Standings
from services.dataflow.confidential import opened, other_cutoffs, record_of
from services.dataflow.keying import Kind, Row, claim_in
from services.dataflow.linking import Edge
from services.domain.caps import Rank
from services.domain.facts import Claim
from services.domain.identity import alike

LINKS = 10_000_000
"""So many links are grouped by the driver alone: those of some five million events, in about a gigabyte."""
_PAIRS_FOR_LINK = 1
"""So many pairs of claims, for each link that it groups, does it compare alone."""
_LINKED = ["node", "known", "keys"]
Batches = Callable[[Sequence[str], Sequence[int]], Iterator[pa.RecordBatch]]
"""The keyed rows of some kinds, some columns of them."""
Compared = Callable[[Candidates], Iterable[Edge]]
"""The pools that are one by candidates."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """The pools of all nodes that are no pools themselves, and the cutoffs."""

    pools: Pools
    cutoffs: dict[int, Rank]
    others: dict[int, Rank | None]  # of who lacks the right, where they are others


def grouped(batches: Batches, cap: int, most: int, compared: Compared | None = None) -> Grouped:
    """Return the pools of all events. `compared`: compares claims in the place of this process.

    Raises services.dataflow.columns.TooMany where there are more links than `most`, or more pairs.
    """
    events = batches(("node", "known", "keys"), (Kind.EVENT,))
    links = columns.together(map(_links, events), most)
    cutoffs = columns.cutoffs_of(links, cap)
    edges = [columns.edges_of(links, cutoffs)]
    open_rows = _Open(batches)
    open_cutoffs: dict[int, Rank] = {}
    if cutoffs and (open_links := open_rows.links(most)) is not None:
        open_links = open_links.of(cutoffs)
        open_cutoffs = columns.cutoffs_of(open_links, cap)
        edges.append(columns.edges_of(open_links, open_cutoffs))
    pools = columns.components(*map(np.concatenate, zip(*edges, strict=True)))
    standings = _standings(batches)
    pairs = columns.met(standings, links.known(), pools, cap, most * _PAIRS_FOR_LINK)
    compared = compared or Claims(batches).compared
    groups = Groups()
    for edge in compared(Candidates.of(pairs, pools)):
        groups.join(edge)
    cutoffs |= pairs.cutoffs
    if pairs.cutoffs and (open_links := open_rows.links(most)) is not None:
        blocks = standings.of_blocks(pairs.cutoffs)
        others = columns.met(blocks, open_links.known(), pools, cap, most * _PAIRS_FOR_LINK)
        for edge in compared(Candidates.of(others, pools)):
            groups.join(edge)
        open_cutoffs |= others.cutoffs
    pools = columns.along(pools, dict(groups.losers()))
    return Grouped(pools, cutoffs, other_cutoffs(cutoffs, open_cutoffs) if open_rows.some else {})


class _Open:
    """The links of events that may be told to all, made once they are asked for."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._links: Links | None = None
        self._made = False

    @property
    def some(self) -> bool:
        """Whether they were asked for, and are others than those of all events."""
        return self._links is not None

    def links(self, most: int) -> Links | None:
        """Return them; None where all events may be told to all."""
        if not self._made:
            marked = self._marked()
            if len(marked):
                self._links = columns.together(chain(self._unmarked(marked), self._opened(marked)), most)
            self._made = True
        return self._links

    def _marked(self) -> Numbers:
        """The records of which some event is marked."""
        none = np.empty(0, np.int64)
        events = self._batches(("keys", "marked"), (Kind.EVENT,))
        return np.unique(np.concatenate((none, *(_records(batch)[_ints(batch["marked"]) != 0] for batch in events))))

    def _unmarked(self, marked: Numbers) -> Iterator[Links]:
        for batch in self._batches(("node", "known", "keys"), (Kind.EVENT,)):
            yield _links(batch.filter(pa.array(~np.isin(_records(batch), marked))))

    def _opened(self, marked: Numbers) -> Iterator[Links]:
        """The links of those events of marked records that may be told."""
        rows: list[Row] = []
        for batch in self._batches(Row._fields, (Kind.EVENT,)):
            mine = batch.filter(pa.array(np.isin(_records(batch), marked)))
            rows += map(Row._make, zip(*(column.to_pylist() for column in mine.columns), strict=True))
        rows.sort(key=record_of)
        events = list(opened(rows))
        node, known = ([row[place] for row in events] for place in (1, 2))
        keys = pa.array([row.keys for row in events], pa.list_(pa.int64()))
        yield _links(pa.record_batch([pa.array(node, pa.int64()), pa.array(known, pa.int64()), keys], _LINKED))


def _links(batch: pa.RecordBatch) -> Links:
    node, known, (lengths, keys) = _ints(batch["node"]), _ints(batch["known"]), _lists(batch["keys"])
    # an event without a claim is known by its record
    return columns.links_of(node, known, node != _records(batch), lengths, keys)


def _records(batch: pa.RecordBatch) -> Numbers:
    """The record of each event: the first of its keys."""
    lengths, keys = _lists(batch["keys"])
    records: Numbers = keys[np.cumsum(lengths) - lengths]
    return records


def _standings(batches: Batches) -> Standings:
    none = np.empty(0, np.int64)
    rows = [(none, none, none)]
    claims = batches(("node", "keys"), (Kind.CLAIM,))
    rows += [(_ints(batch["node"]), *_lists(batch["keys"])) for batch in claims]
    return Standings.of(*map(np.concatenate, zip(*rows, strict=True)))


def _ints(column: pa.Array) -> Numbers:
    numbers: Numbers = column.to_numpy(zero_copy_only=False)
    return numbers


def _lists(column: pa.Array) -> tuple[Numbers, Numbers]:
    """The lengths of lists, and what is in them, on end."""
    return _ints(pc.list_value_length(column)).astype(np.int64), _ints(column.flatten())


class Claims:
    """All claims, read once some are to be compared."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._scorer: Scorer | None = None

    def compared(self, pairs: Candidates) -> list[Edge]:
        """Return the pools that are one."""
        if self._scorer is None:
            packed: dict[int, bytes] = {}
            for batch in self._batches(("node", "claim"), (Kind.CLAIM,)):
                packed.update(zip(batch["node"].to_pylist(), batch["claim"].to_pylist(), strict=True))
            self._scorer = Scorer(packed)
        return columns.alike(pairs, self._scorer.alike)


class Scorer:
    """Scores pairs of claims by their nodes, the lesser first."""

    def __init__(self, packed: Mapping[int, bytes]) -> None:
        self._packed = packed
        self._read: dict[int, Claim] = {}

    def alike(self, one: int, other: int) -> bool:
        """Whether two claims are one person's by their score."""
        return alike(self._claim(one), self._claim(other))

    def _claim(self, node: int) -> Claim:
        claim = self._read.get(node)
        if claim is None:
            claim = self._read[node] = claim_in(self._packed[node])
        return claim
