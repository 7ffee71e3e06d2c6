"""Where the messages come from: Kafka by Spark's own source, any bus by the driver, or files of canonical events."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import functions as f

from bus.contract import Bus, Delivery, Partition
from bus.kafka_java import java_options
from bus.kafka_settings import KafkaSettings
from services.dataflow.plan import Span

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

HEADERS = "array<struct<key:string,value:binary>>"
MESSAGES = pa.schema(
    [
        ("topic", pa.string()),
        ("part", pa.int32()),
        ("position", pa.int64()),
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("headers", pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
    ]
)
_IN_FILE = 10_000
"""Messages in one file: as many tasks may read an export as it has files, and share them evenly."""


async def spans_of(bus: Bus, topics: Sequence[str]) -> tuple[Span, ...]:
    """Return what the partitions hold now. Raises BusDown."""
    begins, ends = await bus.begins(topics), await bus.ends(topics)
    return tuple(
        Span(*part, begins.get(part, 0), end) for part, end in sorted(ends.items()) if end > begins.get(part, 0)
    )


def from_kafka(session: SparkSession, settings: KafkaSettings, spans: Sequence[Span]) -> DataFrame:
    """Read the spans by Spark's source, whose jars the session has. Explicit ends: "latest" would be asked anew."""
    topics: dict[str, list[int]] = defaultdict(list)
    begins: dict[str, dict[str, int]] = defaultdict(dict)
    ends: dict[str, dict[str, int]] = defaultdict(dict)
    for span in spans:
        topics[span.topic].append(span.part)
        begins[span.topic][str(span.part)] = span.begin
        ends[span.topic][str(span.part)] = span.end
    reader = session.read.format("kafka").options(
        **{
            "assign": json.dumps(topics),
            "startingOffsets": json.dumps(begins),
            "endingOffsets": json.dumps(ends),
            "includeHeaders": "true",
            "failOnDataLoss": "true",
            "kafka.isolation.level": "read_committed",
            **{f"kafka.{name}": value for name, value in java_options(settings).items()},
        }
    )
    return reader.load().select(
        "topic",
        f.col("partition").alias("part"),
        f.col("offset").alias("position"),
        "key",
        "value",
        f.col("headers").cast(HEADERS).alias("headers"),
    )


async def export(bus: Bus, spans: Sequence[Span], directory: Path, advance: Callable[[int], None]) -> None:
    """Write the spans as Parquet into a directory that is there and empty. Raises BusDown.

    `advance` is told how many more were read.
    """
    number = 0
    async with aclosing(_read(bus, spans)) as deliveries:
        rows: list[Delivery] = []
        async for one in deliveries:
            rows.append(one)
            if len(rows) == _IN_FILE:
                _write(rows, directory / f"{number:06}.parquet")
                advance(len(rows))
                number, rows = number + 1, []
        _write(rows, directory / f"{number:06}.parquet")
        advance(len(rows))


async def _read(bus: Bus, spans: Sequence[Span]) -> AsyncGenerator[Delivery]:
    ends = {Partition(span.topic, span.part): span.end for span in spans}
    for topic in sorted({span.topic for span in spans}):
        start = {span.part: span.begin for span in spans if span.topic == topic}
        async for one in bus.read(topic, start):
            if one.position < ends.get(one.partition, 0):
                yield one


def table_of(rows: Sequence[Delivery]) -> pa.Table:
    """Return messages as a table."""
    headers = [header for one in rows for header in one.headers]
    pairs = pa.StructArray.from_arrays(
        [pa.array([name for name, _ in headers], pa.string()), pa.array([value for _, value in headers], pa.binary())],
        fields=list(MESSAGES.field("headers").type.value_type),
    )
    offsets = pa.array(accumulate((len(one.headers) for one in rows), initial=0), pa.int32())
    columns = [
        pa.array([one.partition.topic for one in rows], pa.string()),
        pa.array([one.partition.number for one in rows], pa.int32()),
        pa.array([one.position for one in rows], pa.int64()),
        pa.array([one.key for one in rows], pa.binary()),
        pa.array([one.value for one in rows], pa.binary()),
        pa.ListArray.from_arrays(offsets, pairs, type=MESSAGES.field("headers").type),
    ]
    return pa.Table.from_arrays(columns, schema=MESSAGES)


def _write(rows: Sequence[Delivery], path: Path) -> None:
    pq.write_table(table_of(rows), path, compression="zstd")


def from_export(session: SparkSession, directory: str) -> DataFrame:
    """Read what `export` wrote."""
    return session.read.parquet(directory)


def from_files(session: SparkSession, paths: Sequence[str]) -> DataFrame:
    """Read files of canonical events, one a line; a line's place is its file."""
    lines = session.read.text(list(paths)).select(
        f.col("_metadata.file_path").alias("topic"),
        f.lit(0).alias("part"),
        f.lit(-1).cast("bigint").alias("position"),
        f.lit(None).cast("binary").alias("key"),
        f.col("value").cast("binary").alias("value"),
        f.lit(None).cast(HEADERS).alias("headers"),
    )
    return lines.where("length(trim(CAST(value AS STRING))) > 0")
