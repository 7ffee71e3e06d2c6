"""What a task does with its rows: the steps of the dataflow between batches of Arrow.

`mapInArrow` takes columns by position, drops those that a schema does not name, and checks no type: so each task writes
batches of exactly one schema, and `services.dataflow.spark.steps` casts what comes back by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
import pyarrow as pa
from pyspark import TaskContext

from bus.contract import BusDown, Delivery, Partition
from bus.embedded_span import EmbeddedSpans
from schemas.codec import Undecodable
from schemas.topics import topic_of_kind
from services.correlator.resolve import failure
from services.dataflow import columns
from services.dataflow.confidential import opened
from services.dataflow.keying import Remembered, Row, keyed
from services.dataflow.linking import Edge
from services.dataflow.loading import load, stands
from services.dataflow.pairing import Paired, Standing, paired
from services.dataflow.plan import Piece
from services.dataflow.resolving import Member, Resolving, Rows
from services.dataflow.spark import files
from services.dataflow.spark.driver_grouping import Scorer
from services.domain.facts import Fact
from services.memory import rarely
from services.retry import transaction
from services.store import open_store
from services.store.contract import StoreDown
from services.store.writer import Fenced

BATCH = 2_000
"""Rows in a batch of Arrow that goes back to Spark."""
PIECE = 20_000
"""Rows in a batch of a file."""
Batches = Iterator[pa.RecordBatch]
T = TypeVar("T")
R = TypeVar("R")
Prepare = Callable[[], None]
"""Called by each task before anything else."""

KEYED = pa.schema(
    [
        ("kind", pa.int32()),
        ("node", pa.int64()),
        ("known", pa.int64()),
        ("keys", pa.list_(pa.int64())),
        ("claim", pa.binary()),
        ("body", pa.binary()),
        ("marked", pa.int32()),
    ]
)
PAIRED = pa.schema([("block", pa.int64()), ("one", pa.int64()), ("other", pa.int64())])
"""A block of 0: two pools that are one. Else the rank (known, claim) of the last claim that the block admits."""
WRITTEN = pa.schema([("count", pa.int64())])
"""How many rows a task wrote into a file of its own."""
RESOLVED = pa.schema([("part", pa.int32()), ("events", pa.int64()), ("persons", pa.int64()), ("rows", pa.binary())])


_remembered = Remembered()
"""By the tasks of one process, one after the other: many a claim is told in several."""


def nothing() -> None:
    """Prepare nothing."""


def _batches(schema: pa.Schema, rows: Iterable[tuple[Any, ...]], most: int = BATCH) -> Batches:
    rows = iter(rows)
    while some := list(islice(rows, most)):
        columns = [pa.array(column, field.type) for column, field in zip(zip(*some, strict=True), schema, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _tuples(batches: Batches) -> Iterator[tuple[Any, ...]]:
    for batch in batches:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


class Failed(Exception):
    """A task failed; the text says where, and nothing of what the record says."""


def _as_task(run: Callable[[Any, Iterator[T]], Iterator[R]]) -> Callable[[Any, Iterator[T]], Iterator[R]]:
    """A task that begins as all do, and whose failure tells nothing of a person: Spark logs it."""

    @wraps(run)
    def running(self: Any, given: Iterator[T]) -> Iterator[R]:
        self.prepare()
        rarely()  # Spark's worker looks for cycles after each task: not through what tasks before have left
        try:
            yield from run(self, given)
        except (StoreDown, BusDown, Fenced) as error:
            raise Failed(str(error)) from None
        except Exception as error:
            raise Failed(failure(error)) from None

    return running


@dataclass(frozen=True, slots=True)
class Judge:
    """How events of a bus are judged, in a form that goes to another machine. `keys`: a directory, if there is one."""

    now: int  # second
    keys: str | None = None

    def reader(self) -> Callable[[Delivery], Fact]:
        """Return what reads a message or raises Undecodable."""
        from services.authority import Admission, table
        from services.domain.facts import instant

        verifier = None
        if self.keys is not None:
            from services.authority.keys import KeyFiles
            from services.authority.signatures import Verifier

            verifier = Verifier(KeyFiles(Path(self.keys)))
        return Admission(lambda: instant(self.now), table(), verifier).at().fact


class _Placed(msgspec.Struct):
    kind: str
    system: str
    record: str


@dataclass(frozen=True, slots=True)
class FileJudge:
    """How events of files are judged: as if each lay on its topic under its key. A file has no signatures."""

    now: int

    def reader(self) -> Callable[[Delivery], Fact]:
        """Return what reads a line or raises Undecodable."""
        read = Judge(self.now).reader()
        decoder = msgspec.json.Decoder(_Placed)

        def placed(one: Delivery) -> Fact:
            try:
                place = decoder.decode(one.value or b"")
                topic = topic_of_kind(place.kind)
            except (msgspec.MsgspecError, KeyError):
                raise Undecodable("no canonical event") from None
            key = f"{place.system}/{place.record}".encode()
            return read(one._replace(partition=Partition(topic, 0), key=key))

        return placed


@dataclass(frozen=True, slots=True)
class Keyer:
    """Messages (topic, part, position, key, value, headers) to rows of `KEYED`."""

    judge: Judge | FileJudge
    prepare: Prepare = nothing

    @_as_task
    def __call__(self, batches: Batches) -> Batches:
        yield from _batches(KEYED, keyed(_deliveries(batches), self.judge.reader(), _remembered))


@dataclass(frozen=True, slots=True)
class FileKeyer:
    """Messages to a file of rows of `KEYED`, one for each task; what goes to Spark is how many."""

    directory: Path
    judge: Judge | FileJudge
    prepare: Prepare = nothing

    @_as_task
    def __call__(self, batches: Batches) -> Batches:
        yield from _batches(WRITTEN, [(self.written(_deliveries(batches)),)])

    def written(self, deliveries: Iterable[Delivery]) -> int:
        """Write the rows of messages, and return how many they are."""
        rows = _batches(KEYED, keyed(deliveries, self.judge.reader(), _remembered), PIECE)
        return files.write(self.directory, f"{_number():06}", KEYED, rows)


@dataclass(frozen=True, slots=True)
class LogKeyer:
    """Pieces of an embedded bus (topic, part, begin, end), in lists, to a file of rows of `KEYED`."""

    keyer: FileKeyer
    log: Path

    @property
    def prepare(self) -> Prepare:
        """See the module."""
        return self.keyer.prepare

    @_as_task
    def __call__(self, lists: Iterator[Sequence[Piece]]) -> Iterator[int]:
        log = EmbeddedSpans(self.log)
        yield self.keyer.written(one for pieces in lists for piece in pieces for one in log.read(*piece))


@dataclass(frozen=True, slots=True)
class FileReader:
    """Names of files to the rows of `KEYED` that are in them."""

    directory: Path

    def __call__(self, batches: Batches) -> Batches:
        for (name,) in _tuples(batches):
            for batch in files.batches(self.directory / name):
                yield from (batch.slice(at, BATCH) for at in range(0, batch.num_rows, BATCH))


def _number() -> int:
    """The number of this task in its stage."""
    context = TaskContext.get()
    return 0 if context is None else context.partitionId()


def _deliveries(batches: Batches) -> Iterator[Delivery]:
    for topic, part, position, key, value, headers in _tuples(batches):
        named = tuple((each["key"], each["value"]) for each in headers) if headers else ()
        yield Delivery(Partition(topic, part), position, key, value, named)


@dataclass(frozen=True, slots=True)
class Opener:
    """Events of marked records, as rows of `KEYED`, those of a record on end, to those that may be told to all."""

    prepare: Prepare = nothing

    @_as_task
    def __call__(self, batches: Batches) -> Batches:
        yield from _batches(KEYED, opened(map(Row._make, _tuples(batches))))


@dataclass(frozen=True, slots=True)
class Pairer:
    """Standings (block, node, since, pool, claim), those of a block on end, to rows of `PAIRED`."""

    prepare: Prepare = nothing

    @_as_task
    def __call__(self, batches: Batches) -> Batches:
        yield from _batches(PAIRED, map(_flat, paired(map(Standing._make, _tuples(batches)))))


def _flat(one: Paired) -> tuple[int, int, int]:
    if one.cutoff is not None:
        block, (known, claim) = one.cutoff
        return block, known, claim
    pools = one.pools or (0, 0)
    return 0, *pools


@dataclass(frozen=True, slots=True)
class Resolver:
    """Members (pool, claim, fact), those of a pool on end, to rows of a store: written by the task, or given back."""

    resolving: Resolving
    write: tuple[str, int] | None  # the address of a store and its edition
    prepare: Prepare = nothing

    @_as_task
    def __call__(self, batches: Batches) -> Batches:
        part = _number()
        rows = self.resolving.rows(map(Member._make, _tuples(batches)))
        packed = None
        if self.write is not None:
            asyncio.run(_written(*self.write, part, rows))
        else:
            packed = rows.pack()
        yield from _batches(RESOLVED, [(part, rows.events, len(rows.persons), packed)])


@dataclass(frozen=True, slots=True)
class FileScorer:
    """Parts of the candidates in files to the pools that are one by them."""

    keyed: Path
    pairs: Path
    prepare: Prepare = nothing

    @_as_task
    def __call__(self, parts: Iterator[int]) -> Iterator[Edge]:
        for part in parts:
            pairs, claims = files.read_pairs(self.keyed, self.pairs, part)
            yield from columns.alike(pairs, Scorer(claims).alike)


@dataclass(frozen=True, slots=True)
class FileResolver:
    """Parts whose members lie in files to rows of a store: written by the task, or laid into a file.

    `again`: some parts may stand already, and need not be worked out to be found written.
    """

    keyed: Path
    places: Path
    resolving: Resolving
    write: tuple[str, int] | Path  # the address of a store and its edition, or a directory
    again: bool = False
    prepare: Prepare = nothing

    @_as_task
    def __call__(self, parts: Iterator[int]) -> Iterator[int]:
        for part in parts:
            if not (self.again and self._stands(part)):
                self._resolve(part)
            yield part

    def _stands(self, part: int) -> bool:
        if isinstance(self.write, Path):
            return rows_file(self.write, part).exists()
        return asyncio.run(_standing(*self.write, part))

    def _resolve(self, part: int) -> None:
        given = files.read_part(self.keyed, self.places, part)
        members = map(Member, given.pools.tolist(), given.claims, given.bodies)
        free = given.leading.free(self.resolving.cutoffs)
        rows = self.resolving.rows(members, given.blocks, free.pools())
        rows.keys += free.rows()
        if isinstance(self.write, Path):
            file = rows_file(self.write, part)
            fresh = file.with_suffix(f".{uuid4().hex}")
            fresh.write_bytes(rows.pack())
            fresh.rename(file)
        else:
            asyncio.run(_written(*self.write, part, rows))


def rows_file(directory: Path, part: int) -> Path:
    """Return where the rows of a part are laid."""
    return directory / f"{part:06}.rows"


async def _standing(url: str, edition: int, part: int) -> bool:
    store = await open_store(url, migrate=False, edition=edition)
    try:
        return await stands(store, part)
    finally:
        await store.close()


async def _written(url: str, edition: int, part: int, rows: Rows) -> None:
    store = await open_store(url, migrate=False, edition=edition)
    try:
        async for attempt in transaction(stop=asyncio.Event()):
            with attempt:
                await load(store, part, rows)
    finally:
        await store.close()
