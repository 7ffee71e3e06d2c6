"""All steps of a rebuild on Spark, from messages to the rows of a store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa

from services.dataflow.columns import Candidates, TooMany
from services.dataflow.confidential import other_cutoffs
from services.dataflow.keying import End, Kind, Refusal
from services.dataflow.linking import Edge
from services.dataflow.plan import Plan, cut
from services.dataflow.resolving import Resolving, Rows
from services.dataflow.spark import files, steps
from services.dataflow.spark.driver_grouping import LINKS, Claims, grouped
from services.dataflow.spark.sources import MESSAGES
from services.dataflow.spark.tasks import (
    KEYED,
    WRITTEN,
    FileJudge,
    FileKeyer,
    FileReader,
    FileResolver,
    FileScorer,
    Judge,
    Keyer,
    LogKeyer,
    Opener,
    Pairer,
    Prepare,
    Resolver,
    nothing,
    rows_file,
)
from services.dataflow.spark.workdir import Workdir
from services.domain.caps import Rank
from services.domain.facts import Fact

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import DataFrame, SparkSession

_facts = msgspec.msgpack.Decoder(Fact)
_ends = msgspec.msgpack.Decoder(End)
_refusals = msgspec.msgpack.Decoder(Refusal)


_PAIRS = 10_000
_PARTS_OF_PAIRS = 64


class NotShared(Exception):
    """The working directory is another one for tasks than for the driver."""


@dataclass
class Flow:
    """A rebuild under way."""

    session: SparkSession
    workdir: Workdir
    plan: Plan
    prepare: Prepare = nothing
    alone: int = steps.ALONE  # edges that the driver joins alone
    links_alone: int = LINKS  # links that the driver groups alone
    pairs_alone: int = _PAIRS  # pairs of claims that the driver compares alone
    cutoffs: dict[int, Rank] = field(default_factory=dict)
    others: dict[int, Rank | None] = field(default_factory=dict)  # of who lacks the right, where they are others

    def key(self, messages: Callable[[], DataFrame], judge: Judge | FileJudge) -> None:
        """Read and key all messages."""
        if self._keyed is None:
            self.workdir.kept("keyed", lambda: steps.keyed(messages(), Keyer(judge, self.prepare)))
            return
        keyer = FileKeyer(self._keyed, judge, self.prepare)
        self._key(lambda: [row[0] for row in steps.task(messages().select(MESSAGES.names), keyer, WRITTEN).collect()])

    def key_log(self, log: Path, judge: Judge | FileJudge) -> None:
        """Have tasks read and key the messages of an embedded bus. The working directory is no address."""
        if self._keyed is None:
            raise ValueError("tasks that read a file of this machine write files as well")
        keyer = LogKeyer(FileKeyer(self._keyed, judge, self.prepare), log)
        pieces = cut(self.plan.spans, self.plan.parts)
        self._key(lambda: self._context.parallelize(pieces, len(pieces)).mapPartitions(keyer).collect())

    def _key(self, work: Callable[[], list[int]]) -> None:
        """Have tasks write the keyed rows, and tell how many. Raises NotShared."""

        def write(directory: Path) -> None:
            written = sum(work())
            seen = sum(piece.num_rows for piece in files.pieces(directory))
            if written != seen:
                raise NotShared(
                    f"tasks wrote {written} rows and the driver sees {seen}: name a directory by --workdir that driver"
                    " and executors share, or an address"
                )

        self._written("keyed", write)

    @property
    def _keyed(self) -> Path | None:
        """Where tasks lay the keyed rows; None where the working directory is an address that Spark alone reaches."""
        return None if self.workdir.directory is None else self.workdir.directory / "keyed"

    def _written(self, name: str, work: Callable[[Path], None]) -> None:
        """Have tasks write the files of a step, unless it is done."""
        directory = self.workdir.directory
        if directory is None or self.workdir.is_done(name):
            return
        began = time.monotonic()
        files.empty(directory / name)
        work(directory / name)
        self.workdir.done(name, time.monotonic() - began)

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
        done = grouped(self._batches, self.plan.cap, self.links_alone, self._compared)
        self.cutoffs, self.others = done.cutoffs, done.others
        keyed, places = self._keyed, self._places
        if keyed is None or places is None:
            table = pa.table({"node": done.pools.node, "pool": done.pools.number})
            self.workdir.kept("pools", lambda: self.session.createDataFrame(table))
            return
        parts, some, laid = self.plan.parts, files.pieces(keyed), self._laid

        def write(places: Path) -> None:
            if laid is not None:
                files.empty(laid)  # of another plan
            files.write_places(places, some, done.pools, parts)

        self._written("places", write)

    def _compared(self, pairs: Candidates) -> list[Edge]:
        """Have tasks compare claims, where they are so many that it pays."""
        keyed, directory = self._keyed, self.workdir.directory
        if keyed is None or directory is None or len(pairs) < self.pairs_alone:
            return Claims(self._batches).compared(pairs)
        parts = min(self.plan.parts, _PARTS_OF_PAIRS)
        files.empty(directory / "pairs")
        files.write_pairs(directory / "pairs", files.pieces(keyed), pairs, parts)
        scorer = FileScorer(keyed, directory / "pairs", self.prepare)
        edges: list[Edge] = self._context.parallelize(range(parts), parts).mapPartitions(scorer).collect()
        return edges

    @property
    def _context(self) -> SparkContext:
        return self.session.sparkContext

    @property
    def _places(self) -> Path | None:
        """Where it is laid in which places the rows of each part lie."""
        return None if self.workdir.directory is None else self.workdir.directory / "places"

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

    @property
    def _laid(self) -> Path | None:
        """Where tasks lay the rows of parts that the driver writes."""
        return None if self.workdir.directory is None else self.workdir.directory / "rows"

    def resolve(
        self, resolving: Resolving, write: tuple[str, int] | None, *, again: bool = False
    ) -> Iterator[tuple[int, Rows]]:
        """Settle all pools: written to a store by the tasks, or given as rows of the parts.

        `again`: some parts may stand in the store.
        """
        keyed, places, laid = self._keyed, self._places, self._laid
        if keyed is not None and places is not None and laid is not None and self.workdir.is_done("places"):
            resolver = FileResolver(
                keyed, places, resolving, laid if write is None else write, again or write is None, self.prepare
            )
            parts = range(self.plan.parts)
            self._context.parallelize(parts, len(parts)).mapPartitions(resolver).collect()
            return iter(()) if write is not None else _read(laid, parts)
        pools = self.session.read.schema("node bigint, pool bigint").parquet(f"{self.workdir.root}/pools")
        member = steps.members(self._rows(), pools, self.plan.parts)
        rows = steps.resolved(member, Resolver(resolving, write, self.prepare))
        if write is not None:
            rows.collect()
            return iter(())
        held = self.workdir.kept("rows", lambda: rows)
        return ((row.part, Rows.unpack(bytes(row.rows))) for row in held.toLocalIterator())

    def _pools(self, edge: DataFrame, what: str) -> DataFrame:
        def kept(name: str, table: DataFrame) -> DataFrame:
            return self.workdir.kept(f"{what}, {name}", lambda: table)

        return steps.pools_of(edge, kept, self.session, alone=self.alone)

    def _rows(self) -> DataFrame:
        if self._keyed is not None:
            names = [path.name for path in self._keyed.glob("*" + files.SUFFIX)]
            return steps.in_files(self.session, names, FileReader(self._keyed))
        return self.session.read.schema(steps.fields(KEYED)).parquet(f"{self.workdir.root}/keyed")

    def _bodies(self, kind: Kind) -> Iterator[bytes]:
        for batch in self._batches(("body",), (int(kind),)):
            yield from batch.column(0).to_pylist()

    def _batches(self, columns: Sequence[str], kinds: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """The keyed rows of some kinds, some columns of them."""
        if self._keyed is not None:
            return files.of_kinds(files.pieces(self._keyed), columns, kinds)
        return self.workdir.batches("keyed", columns, kinds)


def _read(directory: Path, parts: Iterable[int]) -> Iterator[tuple[int, Rows]]:
    return ((part, Rows.unpack(rows_file(directory, part).read_bytes())) for part in parts)


def _lowered(pairs: DataFrame) -> dict[int, Rank]:
    return {row.block: (row.one, row.other) for row in pairs.where("block <> 0").collect()}
