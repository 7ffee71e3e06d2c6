"""The steps between the tasks: what Spark's SQL joins, groups and numbers.

Each gives the same rows whatever the partitions and their order are: groups are reduced by least, greatest and count
alone, and where the first few count, they are ordered by (known, claim), which no two rows of a group have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyspark.sql import functions as f
from pyspark.sql.window import Window

from services.dataflow.keying import Kind
from services.dataflow.linking import components
from services.dataflow.spark.sources import MESSAGES
from services.dataflow.spark.tasks import KEYED, PAIRED, RESOLVED, FileReader, Keyer, Opener, Pairer, Resolver
from services.domain.caps import Rank

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Kept = Callable[[str, "DataFrame"], "DataFrame"]
"""Writes a table under a name and gives what was written."""
ALONE = 2_000_000
"""So many edges are joined by the driver alone: quicker than a round of Spark's while they fit its memory."""


def task(rows: DataFrame, run: Any, schema: pa.Schema) -> DataFrame:
    """Run a task over the rows of each partition."""
    return rows.mapInArrow(run, fields(schema))


def fields(schema: pa.Schema) -> str:
    """Return a schema as Spark writes it."""
    return ", ".join(f"{field.name} {_sql(field.type)}" for field in schema)


def _sql(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"array<{_sql(kind.value_type)}>"
    return {"int32": "int", "int64": "bigint", "binary": "binary"}[str(kind)]


def keyed(messages: DataFrame, keyer: Keyer) -> DataFrame:
    """Key the messages."""
    return task(messages.select(MESSAGES.names), keyer, KEYED)


def in_files(session: SparkSession, names: Iterable[str], reader: FileReader) -> DataFrame:
    """Return the keyed rows of files, each file by a task of its own."""
    some = sorted(names)
    table = session.createDataFrame(pa.table({"name": pa.array(some, pa.string())}))
    return task(table.repartition(max(1, len(some)), "name"), reader, KEYED)


def opened(rows: DataFrame, opener: Opener, parts: int) -> DataFrame | None:
    """Return the events that may be told to all; None where that is all of them."""
    events = rows.where(f.col("kind") == int(Kind.EVENT)).withColumn("record", f.element_at("keys", 1))
    marked = events.where("marked = 1").select("record").distinct()
    if marked.isEmpty():
        return None
    mine = events.join(marked, "record", "left_semi").repartition(parts, "record").sortWithinPartitions("record")
    names = KEYED.names
    open_to_all = task(mine.select(names), opener, KEYED)
    return events.join(marked, "record", "left_anti").select(names).unionByName(open_to_all)


def links(rows: DataFrame, parts: int, only: DataFrame | None = None) -> DataFrame:
    """Return each node once under each key: since when, and whether the key admits only so many.

    `only`: the keys that are asked for.
    """
    exploded = rows.where(f.col("kind") == int(Kind.EVENT)).selectExpr(
        "node", "known", "claim IS NOT NULL AS claimed", "posexplode(array_prepend(keys, node)) AS (place, key)"
    )
    flat = exploded.selectExpr("key", "node", "known", "claimed AND place >= 2 AS capped")
    if only is not None:
        flat = flat.join(f.broadcast(only), "key", "left_semi")
    return (
        flat.repartition(parts, "key")
        .groupBy("key", "node")
        .agg(f.min("known").alias("since"), f.min("capped").alias("capped"))
    )


def shared(linked: DataFrame) -> DataFrame:
    """Return the keys under which several nodes stand: the least of them, and how many count against the cap."""
    grouped = linked.groupBy("key").agg(
        f.min("node").alias("least"), f.max("node").alias("most"), f.count_if("capped").alias("count")
    )
    return grouped.where(f.col("least") != f.col("most"))


def cutoffs(linked: DataFrame, by_key: DataFrame, cap: int) -> dict[int, Rank]:
    """Return the rank of the last claim that each crowded key admits."""
    crowded = linked.where("capped").join(by_key.where(f.col("count") > cap).select("key"), "key", "left_semi")
    order = Window.partitionBy("key").orderBy("since", "node")
    last = crowded.withColumn("place", f.row_number().over(order)).where(f.col("place") == cap)
    return {row.key: (row.since, row.node) for row in last.select("key", "since", "node").collect()}


def edges(
    linked: DataFrame, by_key: DataFrame, cutoff: Mapping[int, Rank], cap: int, session: SparkSession
) -> DataFrame:
    """Return for each key an edge from every node that it admits to the least of them."""
    free = by_key.where(f.col("count") <= cap).select("key", "least")
    pairs = linked.join(free, "key").select(f.col("node").alias("one"), f.col("least").alias("other"))
    if cutoff:
        rows = [(key, *rank) for key, rank in cutoff.items()]
        table = session.createDataFrame(
            pa.table(dict(zip(("key", "known", "claim"), map(list, zip(*rows, strict=True)), strict=True)))
        )
        held = linked.join(f.broadcast(table), "key").where(
            "NOT capped OR since < known OR (since = known AND node <= claim)"
        )
        least = held.groupBy("key").agg(f.min("node").alias("least"))
        pairs = pairs.unionByName(
            held.join(least, "key").select(f.col("node").alias("one"), f.col("least").alias("other"))
        )
    return pairs.where("one <> other").distinct()


def since(linked: DataFrame) -> DataFrame:
    """Return since when each node is known."""
    return linked.where("key = node").select("node", "since")


def since_open(opened: DataFrame) -> DataFrame:
    """Return since when each node is known by events that may be told to all."""
    return opened.groupBy("node").agg(f.min("known").alias("since"))


def keys_in(session: SparkSession, keys: Iterable[int]) -> DataFrame:
    """Return some keys as a table."""
    return session.createDataFrame(pa.table({"key": pa.array(sorted(keys), pa.int64())}))


def standings(
    rows: DataFrame, known: DataFrame, pools: DataFrame, cap: int, parts: int, only: DataFrame | None = None
) -> DataFrame:
    """Return the claims in their blocks, of blocks where two pools meet or more claims stand than are admitted.

    `known`: since when each node is. `only`: the blocks that are asked for.
    """
    claims = rows.where(f.col("kind") == int(Kind.CLAIM))
    placed = claims.select("node", f.explode("keys").alias("block")).where("block <> 0").distinct()
    if only is not None:
        placed = placed.join(f.broadcast(only.select(f.col("key").alias("block"))), "block", "left_semi")
    placed = placed.join(known, "node").join(pools, "node", "left")
    placed = placed.select("block", "node", "since", f.coalesce("pool", "node").alias("pool"))
    counted = placed.groupBy("block").agg(
        f.count("*").alias("count"), f.min("pool").alias("least"), f.max("pool").alias("most")
    )
    asked = counted.where((f.col("least") != f.col("most")) | (f.col("count") > cap)).select("block")
    placed = placed.join(asked, "block", "left_semi")
    features = claims.select("node", "claim").join(placed.select("node").distinct(), "node", "left_semi")
    whole = placed.join(features.dropDuplicates(["node"]), "node")
    return (
        whole.select("block", "node", "since", "pool", "claim")
        .repartition(parts, "block")
        .sortWithinPartitions("block")
    )


def paired(standing: DataFrame, pairer: Pairer) -> DataFrame:
    """Score the claims of each block."""
    return task(standing, pairer, PAIRED)


def members(rows: DataFrame, pools: DataFrame, parts: int) -> DataFrame:
    """Return the events by pool, those of a pool on end."""
    events = rows.where(f.col("kind") == int(Kind.EVENT)).select("node", "claim", "body")
    placed = events.join(pools, "node", "left").select(f.coalesce("pool", "node").alias("pool"), "claim", "body")
    return placed.repartition(parts, "pool").sortWithinPartitions("pool")


def resolved(member: DataFrame, resolver: Resolver) -> DataFrame:
    """Settle the pools."""
    return task(member, resolver, RESOLVED)


def pools_of(edge: DataFrame, kept: Kept, session: SparkSession, *, alone: int = ALONE) -> DataFrame:
    """Return (node, pool) for each node that is not the least of its component."""
    if edge.count() <= alone:
        table = edge.select("one", "other").toArrow()
        least = components(zip(table["one"].to_pylist(), table["other"].to_pylist(), strict=True))
        return session.createDataFrame(
            pa.table({"node": pa.array(least.keys(), pa.int64()), "pool": pa.array(least.values(), pa.int64())})
        )
    return stars(edge, kept).select(f.col("one").alias("node"), f.col("other").alias("pool"))


def stars(edge: DataFrame, kept: Kept) -> DataFrame:
    """Return the star of each component: an edge from every node to the least, by large-star and small-star in turn.

    Kiveris et al., Connected Components in MapReduce and Beyond (SoCC 2014): each star keeps what is connected, and the
    two in turn end where nothing moves, in rounds that grow with the logarithm of a component's size as a rule.
    """
    held, before = edge, None
    for number in range(_ROUNDS):
        held = kept(f"round {number}", _small(_large(held)).distinct())
        after = held.selectExpr("count(*)", "bit_xor(xxhash64(concat(one, ' ', other)))").first()
        if after == before:
            return held
        before = after
    raise RuntimeError(f"components have not converged in {_ROUNDS} rounds")


_ROUNDS = 100


def _large(edge: DataFrame) -> DataFrame:
    """Tie all greater neighbours of each node to the least of its neighbours and itself."""
    both = edge.unionByName(edge.select(f.col("other").alias("one"), f.col("one").alias("other")))
    least = both.groupBy("one").agg(f.min("other").alias("low"))
    least = least.select("one", f.least("one", "low").alias("low"))
    tied = both.where("other > one").join(least, "one")
    return tied.select(f.col("other").alias("one"), f.col("low").alias("other")).where("one <> other").distinct()


def _small(edge: DataFrame) -> DataFrame:
    """Tie each node and its lesser neighbours to the least of them."""
    down = edge.select(f.greatest("one", "other").alias("one"), f.least("one", "other").alias("other"))
    least = down.groupBy("one").agg(f.min("other").alias("low"))
    tied = down.join(least, "one").select(f.col("other").alias("one"), f.col("low").alias("other"))
    own = least.select("one", f.col("low").alias("other"))
    return tied.unionByName(own).where("one <> other")


def joined(by_keys: DataFrame, by_score: DataFrame) -> DataFrame:
    """Return (node, pool) by keys and by score together."""
    names = by_score.select(f.col("node").alias("first"), f.col("pool").alias("last"))
    moved = by_keys.join(names, f.col("pool") == f.col("first"), "left")
    return moved.select("node", f.coalesce("last", "pool").alias("pool")).unionByName(by_score.select("node", "pool"))
