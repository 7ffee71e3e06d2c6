"""The working directory of a dataflow: what each step gave, as Parquet, and a manifest of the steps that are done.

It may be any place that Spark reaches: a directory that driver and executors share, or an address of a file system that
Hadoop knows. A run that was killed goes on behind the last step that is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
from pyspark.sql import functions as f

from services.dataflow.plan import Plan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MANIFEST = "manifest.json"


class Done(msgspec.Struct, frozen=True):
    """A step that is done."""

    seconds: float


class Manifest(msgspec.Struct):
    """What a working directory is for, and how far it is."""

    plan: Plan
    steps: dict[str, Done] = {}


class Workdir:
    """A working directory, read and written by Spark."""

    def __init__(self, session: SparkSession, root: str) -> None:
        self._session = session
        self.root = root.rstrip("/")
        self._manifest: Manifest | None = None

    @property
    def directory(self) -> Path | None:
        """Return the directory that it is; None where it is an address."""
        return None if "://" in self.root else Path(self.root)

    def standing(self) -> Plan | None:
        """Return the plan whose steps it holds; None for an empty one."""
        path = self._path(MANIFEST)
        system = self._system(path)
        if not system.exists(path):
            return None
        stream = system.open(path)
        try:
            data = bytes(stream.readAllBytes())
        finally:
            stream.close()
        self._manifest = msgspec.json.decode(data, type=Manifest)
        return self._manifest.plan

    def begin(self, plan: Plan) -> None:
        """Hold the steps of a plan, of which none is done."""
        self._manifest = Manifest(plan)
        self._write()

    def kept(self, name: str, make: Callable[[], DataFrame]) -> DataFrame:
        """Return a step's table: as it was written before, or made and written now."""
        place = f"{self.root}/{name}"
        manifest = self._held()
        if name in manifest.steps:
            return self._session.read.parquet(place)
        began = time.monotonic()
        table = make()
        table.write.mode("overwrite").parquet(place)
        self.done(name, time.monotonic() - began)
        # columns that are known need no job of Spark's that looks for them
        return self._session.read.schema(table.schema).parquet(place)

    def batches(self, name: str, columns: Sequence[str], kinds: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """Return the rows of some kinds of a step's table."""
        rows = self._session.read.parquet(f"{self.root}/{name}").where(f.col("kind").isin(*kinds))
        yield from rows.select(*columns).toArrow().to_batches()

    def is_done(self, name: str) -> bool:
        """Whether a step is done."""
        return name in self._held().steps

    def done(self, name: str, seconds: float = 0.0) -> None:
        """Note that a step is done."""
        self._held().steps[name] = Done(round(seconds, 3))
        self._write()

    def steps(self) -> dict[str, float]:
        """Return the seconds that each step took."""
        return {name: done.seconds for name, done in self._held().steps.items()}

    def remove(self) -> None:
        """Take everything away: it holds what is said of persons."""
        path = self._path("")
        self._system(path).delete(path, True)

    def _held(self) -> Manifest:
        if self._manifest is None:
            raise RuntimeError("no plan was begun")
        return self._manifest

    def _write(self) -> None:
        # by another name first: a manifest is whole or not there
        path, fresh = self._path(MANIFEST), self._path(MANIFEST + ".new")
        system = self._system(path)
        stream = system.create(fresh, True)
        stream.write(bytearray(msgspec.json.encode(self._held())))
        stream.close()
        system.delete(path, False)
        system.rename(fresh, path)

    def _path(self, name: str) -> Any:
        return self._session._jvm.org.apache.hadoop.fs.Path(f"{self.root}/{name}".rstrip("/"))

    def _system(self, path: Any) -> Any:
        return path.getFileSystem(self._session._jsc.hadoopConfiguration())
