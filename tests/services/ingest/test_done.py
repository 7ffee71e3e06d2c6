"""When a source is told that it may forget a batch: behind the saved position, and never for a batch half read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from toy_source import Files, Folder, mapping, receipts, settings, world

from adapters.core import Batch, Credentials, Feed, Format, Json, System
from bus.contract import Bus
from schemas.topics import POSITIONS
from services.ingest import Outcome, Source, recorded, run


@dataclass
class Queue(Folder):
    """The folder as a queue: remembers what it was told is done, and what was saved then."""

    bus: Bus
    acknowledged: list[tuple[str, str]]

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        async for batch in super().batches(position):
            yield Batch(batch.name, batch.records, batch.after, partial(self._done, batch.name))

    async def _done(self, name: str) -> None:
        checkpoint = (await world(self.bus)).checkpoints["TOY/lines"]["position"]["name"]
        self.acknowledged.append((name, checkpoint))
        self._fail(f"done {name}")


@dataclass(frozen=True)
class Queued(Files):
    """The transport that opens as such a queue."""

    bus: Bus
    acknowledged: list[tuple[str, str]]

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Queue:
        return Queue(Path(url), self.down, self.bus, self.acknowledged)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_text("good 1\nbad x\ngood 2")
    return tmp_path


async def once(bus: Bus, folder: Path, acknowledged: list[tuple[str, str]], down: list[str], chunk: int = 1) -> Outcome:
    feed = Feed("lines", transport=Queued(down, bus, acknowledged), mapping=mapping)
    source = Source(System("TOY", "Toy", "nobody", 28, ("status",), ("fin",), 1, (feed,)), feed, str(folder))
    (outcome,) = await run(settings(folder, chunk_records=chunk), [source], once=True, bus=bus, clock=recorded)
    return outcome


@pytest.mark.law(2, "when a source may forget a batch")
async def test_a_batch_is_done_behind_its_saved_position(bus: Bus, folder: Path) -> None:
    acknowledged: list[tuple[str, str]] = []
    assert (await once(bus, folder, acknowledged, [])).error is None
    assert acknowledged == [("a.txt", "a.txt"), ("b.txt", "b.txt"), ("c.txt", "c.txt")]


async def test_a_batch_that_breaks_off_is_not_done(bus: Bus, folder: Path) -> None:
    acknowledged: list[tuple[str, str]] = []
    assert (await once(bus, folder, acknowledged, ["b.txt:2"])).error is None
    assert [name for name, _ in acknowledged] == ["a.txt", "b.txt", "c.txt"]


async def test_a_source_that_cannot_be_told_is_asked_again_and_nothing_is_read_twice(bus: Bus, folder: Path) -> None:
    acknowledged: list[tuple[str, str]] = []
    outcome = await once(bus, folder, acknowledged, ["done b.txt"])
    assert (outcome.error, outcome.counters.read) == (None, 9)
    assert [name for name, _ in acknowledged] == ["a.txt", "b.txt", "c.txt"]


async def test_small_batches_of_a_backlog_are_saved_together_and_each_is_told_behind_that(
    bus: Bus, tmp_path: Path
) -> None:
    names = [f"{number:03d}.txt" for number in range(60)]
    for name in names:
        (tmp_path / name).write_text(f"good {name[:3]}")
    acknowledged: list[tuple[str, str]] = []
    outcome = await once(bus, tmp_path, acknowledged, [], chunk=1_000)
    assert (outcome.error, outcome.counters.read) == (None, 60)
    assert [name for name, _ in acknowledged] == names
    assert all(checkpoint >= name for name, checkpoint in acknowledged)
    # the hold, the release, and far fewer between than two a batch
    (ends,) = (await bus.ends([POSITIONS])).values()
    assert ends < 20
    assert sorted(await receipts(bus, tmp_path)) == names


async def test_of_batches_saved_together_none_is_read_twice_where_one_cannot_be_told(bus: Bus, tmp_path: Path) -> None:
    names = [f"{number:03d}.txt" for number in range(30)]
    for name in names:
        (tmp_path / name).write_text(f"good {name[:3]}")
    acknowledged: list[tuple[str, str]] = []
    outcome = await once(bus, tmp_path, acknowledged, ["done 010.txt"], chunk=1_000)
    assert (outcome.error, outcome.counters.read) == (None, 30)
