"""The files between the steps: tasks that write and read them give the view of the dataflow in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from sqlite3 import IntegrityError

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from correlation import NOW, export, reference
from dataflows import PLAN, Unjudging, deliveries, exports, rebuilt, several, skewed, world

from services.dataflow.columns import Candidates, Leading
from services.dataflow.keying import Kind
from services.dataflow.linking import Edge
from services.dataflow.loading import finish, load, load_coverage, load_cutoffs, prepare
from services.dataflow.plan import Plan
from services.dataflow.resolving import Member, Resolving, Rows
from services.dataflow.spark import driver_grouping, files, tasks
from services.dataflow.spark.flow import Flow, NotShared
from services.dataflow.spark.tasks import KEYED, FileKeyer, FileReader, FileResolver, FileScorer, rows_file
from services.dataflow.spark.workdir import Manifest, Workdir
from services.domain import caps
from services.domain.coverage import coverage_of
from services.domain.facts import Fact
from services.store import open_store

SEEDS = range(6)
_facts = msgspec.msgpack.Decoder(Fact)


@pytest.fixture(autouse=True)
def _collecting_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks change how a process collects garbage; this process is not theirs."""
    monkeypatch.setattr(tasks, "rarely", lambda: None)


class Run:
    """All tasks one after the other in this process, each step in so many parts."""

    def __init__(self, directory: Path, parts: int) -> None:
        self.keyed, self.pairs, self.places, self.rows = (
            directory / name for name in ("keyed", "pairs", "places", "rows")
        )
        for each in (self.keyed, self.pairs, self.places, self.rows):
            files.empty(each)
        self.parts = parts
        self.directory = directory

    def batches(self, columns: Sequence[str], kinds: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """The keyed rows of some kinds."""
        return files.of_kinds(files.pieces(self.keyed), columns, kinds)

    def key(self, monkeypatch: pytest.MonkeyPatch, raws: list[bytes]) -> None:
        """Each task writes a file of several batches."""
        monkeypatch.setattr(tasks, "PIECE", 40)
        messages = deliveries(raws)
        for number in range(self.parts):
            monkeypatch.setattr(tasks, "_number", lambda number=number: number)
            FileKeyer(self.keyed, Unjudging()).written(messages[number :: self.parts])

    def compared(self, pairs: Candidates) -> list[Edge]:
        """The pools that tasks find to be one."""
        files.write_pairs(self.pairs, files.pieces(self.keyed), pairs, self.parts)
        return list(FileScorer(self.keyed, self.pairs)(iter(range(self.parts))))

    async def view(self) -> list[list[bytes]]:
        """What a store answers that is filled from the keyed files."""
        done = driver_grouping.grouped(self.batches, caps.CAP, 1_000_000, self.compared)
        files.write_places(self.places, files.pieces(self.keyed), done.pools, self.parts)
        store = await open_store(f"sqlite:///{self.directory}/by-tasks.db")
        try:
            await prepare(store, PLAN)
            packed = (body for batch in self.batches(["body"], [Kind.COVERAGE]) for body in batch.column(0).to_pylist())
            coverage = await load_coverage(store, map(_facts.decode, packed))
            await load_cutoffs(store, done.cutoffs, done.others)
            resolving = Resolving(done.cutoffs, done.others, coverage, NOW)
            task = FileResolver(self.keyed, self.places, resolving, self.rows)
            for part in task(iter(range(self.parts))):
                await load(store, part, Rows.unpack(rows_file(self.rows, part).read_bytes()))
            await finish(store, [], "")
            return await exports(store)
        finally:
            await store.close()


async def by_one_process(path: Path, raws: list[bytes]) -> list[list[bytes]]:
    """The views by the dataflow over lists, held to the pure function."""
    store = await open_store(f"sqlite:///{path}")
    try:
        await rebuilt(store, raws)
        assert await export(store) == reference(raws)
        return await exports(store)
    finally:
        await store.close()


@pytest.mark.law(1, "tasks that write and read files, in 1, 2 and 7 parts, give the view of the pure function")
@pytest.mark.parametrize("seed", SEEDS)
async def test_the_view_depends_on_the_events_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(caps, "CAP", 64 if seed % 3 == 1 else 2)
    raws = world(seed) + skewed(30, 20)
    expected = await by_one_process(tmp_path / "expected.db", raws)
    Random(seed).shuffle(raws)
    run = Run(tmp_path, (1, 2, 7)[seed % 3])
    run.key(monkeypatch, raws + raws[: len(raws) // 5])
    assert await run.view() == expected


@pytest.mark.law(1, planted="in the files between the steps a pool in two pieces, a part of the pairs that is lost")
@pytest.mark.parametrize("bug", ["pieces", "pairs"])
async def test_a_bug_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    raws = several(range(6))
    expected = await by_one_process(tmp_path / "expected.db", raws)
    run = Run(tmp_path, 2)
    run.key(monkeypatch, raws)
    if bug == "pieces":
        monkeypatch.setattr(files, "in_order", lambda part, pool: np.argsort(part, kind="stable"))
        with pytest.raises(IntegrityError):
            await run.view()
    else:
        monkeypatch.setattr(run, "compared", lambda pairs: Run.compared(run, pairs)[::2])
        assert await run.view() != expected


def keys_of_parts(run: Run) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The rows of keys as tasks take them from keying, and as facts have them."""
    done = driver_grouping.grouped(run.batches, caps.CAP, 1_000_000)
    files.write_places(run.places, files.pieces(run.keyed), done.pools, run.parts)
    resolving = Resolving(done.cutoffs, done.others, coverage_of({}), NOW)
    mine, theirs = [], []
    assert list(FileResolver(run.keyed, run.places, resolving, run.rows)(iter(range(run.parts))))
    for part in range(run.parts):
        mine += Rows.unpack(rows_file(run.rows, part).read_bytes()).keys
        given = files.read_part(run.keyed, run.places, part)
        theirs += resolving.rows(map(Member, given.pools.tolist(), given.claims, given.bodies)).keys
    assert done.cutoffs, "no key admits only so many here"
    return sorted(mine), sorted(theirs)


@pytest.mark.law(1, "the keys of pools that tasks take from keying are those of their facts")
@pytest.mark.law(1, planted="a pool with a key that admits only so many whose keys are all taken from keying")
@pytest.mark.parametrize("seed", range(3))
def test_keys_are_those_of_the_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(caps, "CAP", 2)
    run = Run(tmp_path, 3)
    run.key(monkeypatch, world(seed) + skewed(30, 20))
    mine, theirs = keys_of_parts(run)
    assert mine == theirs
    monkeypatch.setattr(Leading, "free", lambda leading, cutoffs: leading)
    mine, theirs = keys_of_parts(run)
    assert mine != theirs


def test_files_hold_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is whole or not there, and gives its rows back in batches that Spark takes."""
    run = Run(tmp_path, 3)
    run.key(monkeypatch, world(1))
    names = sorted(path.name for path in run.keyed.iterdir())
    assert names == ["000000.arrow", "000001.arrow", "000002.arrow"]
    monkeypatch.setattr(tasks, "BATCH", 7)
    given = list(FileReader(run.keyed)(iter([pa.record_batch([names], ["name"])])))
    assert pa.Table.from_batches(given, KEYED).equals(pa.Table.from_batches(files.pieces(run.keyed), KEYED))
    assert max(batch.num_rows for batch in given) == 7
    files.empty(run.keyed)
    assert files.pieces(run.keyed) == []


def test_a_task_that_fails_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch([pa.array([1], pa.int64())], schema=tasks.WRITTEN)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        files.write(tmp_path, "one", tasks.WRITTEN, broken())
    assert files.pieces(tmp_path) == []


def test_a_directory_that_is_not_shared_is_told(tmp_path: Path) -> None:
    """What tasks wrote elsewhere is not taken for nothing."""
    plan = Plan("a plan", 1, "", NOW, 2, 64)
    workdir = Workdir(None, str(tmp_path))  # type: ignore[arg-type]  # nothing is asked of Spark
    workdir._manifest = Manifest(plan)
    with pytest.raises(NotShared, match="wrote 3 rows and the driver sees 0"):
        Flow(None, workdir, plan)._key(lambda: [1, 2])  # type: ignore[arg-type]
    assert not workdir.is_done("keyed")


def test_rows_that_stand_are_not_worked_out_again(tmp_path: Path) -> None:
    """As after a kill: neither the keyed files nor the places are looked at."""
    rows_file(tmp_path, 0).write_bytes(Rows().pack())
    again = FileResolver(tmp_path, tmp_path, Resolving({}, {}, None, NOW), tmp_path, again=True)  # type: ignore[arg-type]
    assert list(again(iter([0]))) == [0]
