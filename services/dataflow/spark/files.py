"""Keyed rows as files of Arrow columns, in a directory that driver and tasks share.

Each task writes one file. Nothing of it goes through Java, and whoever reads it maps it into memory, so that the driver
sees its columns without a copy, and a task that resolves some pools takes their rows from all files by their places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.dataflow.columns import Candidates, Leading, Numbers, Pools, in_order, shared_out
from services.dataflow.keying import Kind
from services.domain.blocks import Blocks

SUFFIX = ".arrow"
EVENTS, CLAIMS, CANDIDATES = "events", "claims", "pairs"
PLACES = pa.schema([("piece", pa.int32()), ("row", pa.int32()), ("pool", pa.int64())])
"""Of a row: the batch it lies in, counted over all files, where in it, and its pool."""

PAIRS = pa.schema(
    [(name, pa.int64()) for name in ("one", "other", "left", "right")]
    + [(name, pa.int32()) for name in ("one_piece", "one_row", "other_piece", "other_row")]
)
"""Two claims, their pools, and where the claims lie."""


def empty(directory: Path) -> None:
    """Make a directory, with nothing in it."""
    with suppress(FileNotFoundError):
        rmtree(directory)
    directory.mkdir(parents=True, mode=0o700)


def write(directory: Path, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write a file, whole or not at all, and return how many rows it has. What stood there is replaced."""
    fresh = directory / f"{name}.{uuid4().hex}.new"
    count = 0
    with pa.OSFile(str(fresh), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            count += batch.num_rows
    fresh.rename(directory / (name + SUFFIX))
    return count


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Return what is in a file, mapped into memory."""
    reader = pa.ipc.open_file(pa.memory_map(str(path)))
    return (reader.get_batch(number) for number in range(reader.num_record_batches))


def pieces(directory: Path) -> list[pa.RecordBatch]:
    """Return the batches of all files of a directory, in one order wherever they are read."""
    return [batch for path in sorted(directory.glob("*" + SUFFIX)) for batch in batches(path)]


def of_kinds(some: Iterable[pa.RecordBatch], columns: Sequence[str], kinds: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Return the rows of some kinds, some columns of them."""
    for piece in some:
        yield piece.select(columns).filter(pc.is_in(piece["kind"], pa.array(kinds, pa.int32())))


def write_places(directory: Path, some: Sequence[pa.RecordBatch], pools: Pools, parts: int) -> None:
    """Write where the events of each part lie, those of a pool on end, and the claims that they make."""
    for name, kind in ((EVENTS, Kind.EVENT), (CLAIMS, Kind.CLAIM)):
        write(directory, name, PLACES, _places(some, kind, pools, parts))


def _places(some: Sequence[pa.RecordBatch], kind: Kind, pools: Pools, parts: int) -> Iterator[pa.RecordBatch]:
    """One batch for each part."""
    piece, row, nodes = _claims(some) if kind == Kind.CLAIM else _of_kind(some, kind)
    pool = pools.of(nodes, nodes)
    part = pool % parts
    order = in_order(part, pool)
    piece, row, pool = piece[order].astype(np.int32), row[order].astype(np.int32), pool[order]
    bounds = np.searchsorted(part[order], np.arange(parts + 1))
    for begin, end in pairwise(bounds):
        yield pa.record_batch([column[begin:end] for column in (piece, row, pool)], schema=PLACES)


def write_pairs(directory: Path, some: Sequence[pa.RecordBatch], pairs: Candidates, parts: int) -> None:
    """Write which claims each part compares, and where they lie."""
    piece, row, node = _claims(some)
    part = shared_out(pairs, parts)

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(parts):
            mine = pairs.some(part == number)
            one, other = np.searchsorted(node, mine.one), np.searchsorted(node, mine.other)
            places = (piece[one], row[one], piece[other], row[other])
            yield pa.record_batch([mine.one, mine.other, mine.left, mine.right, *places], schema=PAIRS)

    write(directory, CANDIDATES, PAIRS, batches())


def read_pairs(keyed: Path, pairs: Path, part: int) -> tuple[Candidates, dict[int, bytes]]:
    """Return what a part compares, and those claims."""
    batch = pa.ipc.open_file(pa.memory_map(str(pairs / (CANDIDATES + SUFFIX)))).get_batch(part)
    one, other, left, right, *places = (column.to_numpy() for column in batch.columns)
    node, first = np.unique(np.concatenate((one, other)), return_index=True)
    piece, row = (np.concatenate(two)[first] for two in (places[::2], places[1::2]))
    (claims,) = _taken(pieces(keyed), piece, row, ("claim",))
    return Candidates(one, other, left, right), dict(zip(node.tolist(), claims.to_pylist(), strict=True))


def _claims(some: Sequence[pa.RecordBatch]) -> tuple[Numbers, Numbers, Numbers]:
    """Where each claim lies once, and its node, in the order of nodes."""
    piece, row, nodes = _of_kind(some, Kind.CLAIM)
    node, first = np.unique(nodes, return_index=True)
    return piece[first], row[first], node


def _of_kind(some: Sequence[pa.RecordBatch], kind: Kind) -> tuple[Numbers, Numbers, Numbers]:
    """Where the rows of a kind lie, and their nodes."""
    none = np.empty(0, np.int64)
    rows = [np.flatnonzero(piece["kind"].to_numpy() == int(kind)) for piece in some]
    nodes = np.concatenate((none, *(piece["node"].to_numpy()[mine] for piece, mine in zip(some, rows, strict=True))))
    return np.repeat(np.arange(len(some)), [len(mine) for mine in rows]), np.concatenate((none, *rows)), nodes


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of the pools of one part."""

    pools: Numbers
    claims: list[bytes | None]
    bodies: list[bytes]
    blocks: dict[bytes, Blocks]
    leading: Leading


def read_part(keyed: Path, places: Path, part: int) -> Part:
    """Return the events of a part, those of a pool on end, the blocks of their claims, and the keys of the pools."""
    some = pieces(keyed)
    event, claim = (pa.ipc.open_file(pa.memory_map(str(places / (name + SUFFIX)))) for name in (EVENTS, CLAIMS))
    events = event.get_batch(part)
    pools = events["pool"].to_numpy()
    packed, bodies, nodes, keys = _taken(some, *_place(events), ("claim", "body", "node", "keys"))
    claims = _taken(some, *_place(claim.get_batch(part)), ("claim", "keys"))
    blocks = dict(zip(claims[0].to_pylist(), map(_five, claims[1].to_pylist()), strict=True))
    return Part(pools, packed.to_pylist(), bodies.to_pylist(), blocks, _leading(pools, nodes, keys))


def _leading(pools: Numbers, nodes: pa.Array, keys: pa.Array) -> Leading:
    none = np.empty(0, np.int64)
    if not len(pools):
        return Leading(none, none)
    return Leading.of(pools, nodes.to_numpy(), pc.list_value_length(keys).to_numpy(), keys.flatten().to_numpy())


def _five(blocks: Sequence[int]) -> Blocks:
    first, second, third, fourth, fifth = blocks
    return first, second, third, fourth, fifth


def _place(places: pa.RecordBatch) -> tuple[Numbers, Numbers]:
    return places["piece"].to_numpy(), places["row"].to_numpy()


def _taken(some: Sequence[pa.RecordBatch], piece: Numbers, row: Numbers, names: Sequence[str]) -> list[pa.Array]:
    """Some columns of the rows at places, in their order."""
    if not len(row):
        return [pa.nulls(0) for _ in names]
    order = in_order(piece, row)
    asked, bounds = np.unique(piece[order], return_index=True)
    ends = np.append(bounds[1:], len(order))
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    columns = []
    for name in names:
        taken = [
            some[number][name].take(pa.array(row[order[begin:end]]))
            for number, begin, end in zip(asked, bounds, ends, strict=True)
        ]
        columns.append(pa.concat_arrays(taken).take(pa.array(back)))
    return columns
