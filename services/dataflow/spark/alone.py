"""Grouping by the driver alone, over columns: quicker than Spark's joins while what is grouped fits its memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.correlator.merge import Groups
from services.dataflow import columns
from services.dataflow.columns import Links, Numbers, Standings
from services.dataflow.hiding import other_cutoffs
from services.dataflow.keying import Kind, claim_in
from services.domain.caps import Rank
from services.domain.facts import Claim
from services.domain.identity import alike

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LINKS = 10_000_000
"""So many links are grouped by the driver alone: those of some five million events, in about a gigabyte."""
_PAIRS_FOR_LINK = 1
"""So many pairs of claims, for each link that it groups, does it compare alone."""
Batches = Callable[[Sequence[str], Sequence[int]], Iterator[pa.RecordBatch]]
"""The keyed rows of some kinds, some columns of them."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """The pools, as a table of (node, pool) for each node that is no pool itself, and the cutoffs."""

    pools: pa.Table
    cutoffs: dict[int, Rank]
    others: dict[int, Rank | None]  # of who lacks the right, where they are others


def grouped(batches: Batches, opened: Callable[[], DataFrame | None], cap: int, most: int) -> Grouped:
    """Return the pools of all events. `opened`: gives the events that may be told to all; None where that is all.

    Raises services.dataflow.columns.TooMany where there are more links than `most`, or more pairs.
    """
    events = batches(("node", "known", "keys"), (Kind.EVENT,))
    links = columns.together(map(_links, events), most)
    cutoffs = columns.cutoffs_of(links, cap)
    edges = [columns.edges_of(links, cutoffs)]
    open_rows = _Open(opened)
    open_cutoffs: dict[int, Rank] = {}
    if cutoffs and (open_links := open_rows.links(most)) is not None:
        open_links = open_links.of(cutoffs)
        open_cutoffs = columns.cutoffs_of(open_links, cap)
        edges.append(columns.edges_of(open_links, open_cutoffs))
    pools = columns.components(*map(np.concatenate, zip(*edges, strict=True)))
    standings = _standings(batches)
    pairs = columns.met(standings, links.known(), pools, cap, most * _PAIRS_FOR_LINK)
    groups, claims = Groups(), _Claims(batches)
    columns.alike(pairs, pools, groups, claims.alike)
    cutoffs |= pairs.cutoffs
    if pairs.cutoffs and (open_links := open_rows.links(most)) is not None:
        blocks = standings.of_blocks(pairs.cutoffs)
        others = columns.met(blocks, open_links.known(), pools, cap, most * _PAIRS_FOR_LINK)
        columns.alike(others, pools, groups, claims.alike)
        open_cutoffs |= others.cutoffs
    pools = columns.along(pools, dict(groups.losers()))
    table = pa.table({"node": pools.node, "pool": pools.number})
    return Grouped(table, cutoffs, other_cutoffs(cutoffs, open_cutoffs) if open_rows.some else {})


class _Open:
    """The links of events that may be told to all, made once they are asked for."""

    def __init__(self, opened: Callable[[], DataFrame | None]) -> None:
        self._opened = opened
        self._links: Links | None = None
        self._made = False

    @property
    def some(self) -> bool:
        """Whether they were asked for, and are others than those of all events."""
        return self._links is not None

    def links(self, most: int) -> Links | None:
        """Return them; None where all events may be told to all."""
        if not self._made:
            rows = self._opened()
            if rows is not None:
                table = rows.select("node", "known", "keys").toArrow()
                self._links = columns.together(map(_links, table.to_batches()), most)
            self._made = True
        return self._links


def _links(batch: pa.RecordBatch) -> Links:
    node, known, (lengths, keys) = _ints(batch["node"]), _ints(batch["known"]), _lists(batch["keys"])
    # an event without a claim is known by its record
    record = keys[np.cumsum(lengths) - lengths]
    return columns.links_of(node, known, node != record, lengths, keys)


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


class _Claims:
    """The claims that are compared, read once one is asked for."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._packed: dict[int, bytes] = {}
        self._read: dict[int, Claim] = {}

    def alike(self, one: int, other: int) -> bool:
        """Whether two claims are one person's by their score, the lesser first."""
        if not self._packed:
            for batch in self._batches(("node", "claim"), (Kind.CLAIM,)):
                self._packed.update(zip(batch["node"].to_pylist(), batch["claim"].to_pylist(), strict=True))
        return alike(self._claim(one), self._claim(other))

    def _claim(self, node: int) -> Claim:
        claim = self._read.get(node)
        if claim is None:
            claim = self._read[node] = claim_in(self._packed[node])
        return claim
