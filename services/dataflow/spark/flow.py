"""All steps of a rebuild on Spark, from messages to the rows of a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from services.dataflow.columns import TooMany
from services.dataflow.hiding import other_cutoffs
from services.dataflow.keying import End, Kind, Refusal
from services.dataflow.plan import Plan
from services.dataflow.resolving import Resolving
from services.dataflow.spark import steps
from services.dataflow.spark.alone import LINKS, grouped
from services.dataflow.spark.tasks import KEYED, FileJudge, Judge, Keyer, Opener, Pairer, Prepare, Resolver, nothing
from services.dataflow.spark.workdir import Workdir
from services.domain.caps import Rank
from services.domain.facts import Fact

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_facts = msgspec.msgpack.Decoder(Fact)
_ends = msgspec.msgpack.Decoder(End)
_refusals = msgspec.msgpack.Decoder(Refusal)


@dataclass
class Flow:
    """A rebuild under way."""

    session: SparkSession
    workdir: Workdir
    plan: Plan
    prepare: Prepare = nothing
    alone: int = steps.ALONE  # edges that the driver joins alone
    links_alone: int = LINKS  # links that the driver groups alone
    cutoffs: dict[int, Rank] = field(default_factory=dict)
    others: dict[int, Rank | None] = field(default_factory=dict)  # of who lacks the right, where they are others

    def key(self, messages: Callable[[], DataFrame], judge: Judge | FileJudge, log: str | None = None) -> None:
        """Read and key all messages. `log`: an embedded bus, of which they are spans."""
        self.workdir.kept("keyed", lambda: steps.keyed(messages(), Keyer(judge, self.prepare, log)))

    def ends(self) -> list[End]:
        """Return how far each partition of the bus was read; files have no positions."""
        merged: dict[tuple[str, int], End] = {}
        for body in self._bodies(Kind.END):
            end = _ends.decode(body)
            if end.position < 0:
                continue
            held = merged.get((end.topic, end.part))
            merged[end.topic, end.part] = end if held is None else held.merged(end)
        return list(merged.values())

    def refusals(self) -> Iterator[Refusal]:
        """Return what could not be read."""
        return map(_refusals.decode, self._bodies(Kind.REFUSAL))

    def coverage(self) -> Iterator[Fact]:
        """Return the coverage events."""
        return map(_facts.decode, self._bodies(Kind.COVERAGE))

    def group(self) -> None:
        """Find the pool of every event, and the cutoffs."""
        try:
            self._group_alone()
        except TooMany:
            self._group()

    def _group_alone(self) -> None:
        """Group by the driver alone. Raises TooMany."""
        done = grouped(
            lambda columns, kinds: self.workdir.batches("keyed", columns, kinds),
            lambda: steps.opened(self._rows(), Opener(self.prepare), self.plan.parts),
            self.plan.cap,
            self.links_alone,
        )
        self.cutoffs, self.others = done.cutoffs, done.others
        self.workdir.kept("pools", lambda: self.session.createDataFrame(done.pools))

    def _group(self) -> None:
        """Group by Spark's SQL."""
        cap, parts, kept = self.plan.cap, self.plan.parts, self.workdir.kept
        rows = self._rows()
        linked = kept("links", lambda: steps.links(rows, parts))
        by_key = kept("shared", lambda: steps.shared(linked))
        cutoffs = steps.cutoffs(linked, by_key, cap)
        edge = steps.edges(linked, by_key, cutoffs, cap, self.session)
        open_to_all = steps.opened(rows, Opener(self.prepare), parts)
        open_cutoffs: dict[int, Rank] = {}
        if open_to_all is not None and cutoffs:
            crowded = steps.keys_in(self.session, cutoffs)
            open_links = kept("open links", lambda: steps.links(open_to_all, parts, crowded))
            open_by_key = steps.shared(open_links)
            open_cutoffs = steps.cutoffs(open_links, open_by_key, cap)
            others = steps.edges(open_links, open_by_key, open_cutoffs, cap, self.session)
            edge = edge.unionByName(others).distinct()
        edge = kept("edges", lambda: edge)
        pools = kept("pools by key", lambda: self._pools(edge, "by key"))
        pairer = Pairer(self.prepare)
        pairs = kept(
            "pairs", lambda: steps.paired(steps.standings(rows, steps.since(linked), pools, cap, parts), pairer)
        )
        cutoffs |= (blocks := _lowered(pairs))
        if open_to_all is not None and blocks:
            capped, known = steps.keys_in(self.session, blocks), steps.since_open(open_to_all)
            open_pairs = kept(
                "open pairs", lambda: steps.paired(steps.standings(rows, known, pools, cap, parts, capped), pairer)
            )
            open_cutoffs |= _lowered(open_pairs)
            pairs = pairs.unionByName(open_pairs)
        self.cutoffs = cutoffs
        self.others = {} if open_to_all is None else other_cutoffs(cutoffs, open_cutoffs)
        alike = pairs.where("block = 0").select("one", "other").distinct()
        kept("pools", lambda: steps.joined(pools, self._pools(alike, "by score")))

    def resolve(self, resolving: Resolving, write: tuple[str, int] | None) -> DataFrame:
        """Settle all pools: written to a store by the tasks, or given as packed rows."""
        pools = self.session.read.schema("node bigint, pool bigint").parquet(f"{self.workdir.root}/pools")
        member = steps.members(self._rows(), pools, self.plan.parts)
        return steps.resolved(member, Resolver(resolving, write, self.prepare))

    def _pools(self, edge: DataFrame, what: str) -> DataFrame:
        def kept(name: str, table: DataFrame) -> DataFrame:
            return self.workdir.kept(f"{what}, {name}", lambda: table)

        return steps.pools_of(edge, kept, self.session, alone=self.alone)

    def _rows(self) -> DataFrame:
        return self.session.read.schema(steps.fields(KEYED)).parquet(f"{self.workdir.root}/keyed")

    def _bodies(self, kind: Kind) -> Iterator[bytes]:
        for batch in self.workdir.batches("keyed", ("body",), (int(kind),)):
            yield from batch.column(0).to_pylist()


def _lowered(pairs: DataFrame) -> dict[int, Rank]:
    return {row.block: (row.one, row.other) for row in pairs.where("block <> 0").collect()}
