"""Conservation for any source, any cutting into chunks, any crashes and outages: read = published + kept + left out."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from toy_source import check, settings, toy, world

from bus.embedded import EmbeddedBus
from services import failpoints
from services.feeds import Checkpoint, Counters, parse
from services.ingest import recorded, run

WORDS = ("good", "two", "bad", "skip", "refuse", "bug", "nothing", "through")
POINTS = ("ingest.decoded", "ingest.sent", "ingest.saved")


class Crash(BaseException):
    """Stands for a death of the process."""


files = st.lists(st.lists(st.sampled_from(WORDS), max_size=12), min_size=1, max_size=3)
crashes = st.lists(st.tuples(st.sampled_from(POINTS), st.integers(1, 4)), max_size=3)
outages = st.lists(st.integers(1, 12), max_size=4)


def written(batches: list[list[str]]) -> Path:
    """A folder with these words, each record with a key of its own."""
    folder = Path(tempfile.mkdtemp())
    (folder / "in").mkdir()
    for number, words in enumerate(batches):
        lines = [f"{word} {100 * number + line + 1}" for line, word in enumerate(words)]
        (folder / "in" / f"{number}.txt").write_text("\n".join(lines))
    return folder


@pytest.mark.law(2, "random files, chunks, crashes and outages")
@hypothesis_settings(max_examples=25, deadline=None)
@given(files, st.integers(1, 6), crashes, outages)
def test_nothing_is_lost_and_the_sum_holds(
    batches: list[list[str]], chunk: int, dies: list[tuple[str, int]], down: list[int]
) -> None:
    folder = written(batches)
    try:
        asyncio.run(_laws(folder, chunk, dies, [f"0.txt:{line}" for line in down]))
    finally:
        shutil.rmtree(folder)


async def _laws(folder: Path, chunk: int, dies: list[tuple[str, int]], down: list[str]) -> None:
    bus = await EmbeddedBus.open(folder / "bus.db")
    source = toy(folder / "in", down=down)
    quick = settings(folder, chunk_records=chunk, breaker_failures=20, fence_seconds=0.01, refuse_min=1000)
    for point, nth in [*dies, ("never", 1)]:
        hits = 0

        async def crash(at: str, point: str = point, nth: int = nth) -> None:
            nonlocal hits
            hits += at == point
            if hits == nth:
                raise Crash

        with failpoints.armed(crash):
            await run(quick, [source], once=True, bus=bus, clock=recorded)
        checkpoint = (await world(bus)).checkpoints["TOY/lines"]
        assert Counters.from_json(checkpoint["counters"]).balanced()
    assert check(folder / "in", await world(bus)) == []
    await bus.close()


counts = st.integers(0, 10**12)
counters = st.builds(Counters, counts, counts, counts, st.dictionaries(st.text(max_size=5), st.integers(1, 9)), counts)


@given(counters, counters)
def test_counters_add_and_subtract(one: Counters, two: Counters) -> None:
    assert one.plus(two).minus(two) == one.plus(Counters())
    assert one.plus(two) == two.plus(one)


@given(
    st.builds(
        Checkpoint, position=st.none() | st.text() | st.lists(st.integers(0, 9)), counters=counters, part=counters
    )
)
def test_a_checkpoint_message_holds_the_whole_checkpoint(checkpoint: Checkpoint) -> None:
    value = checkpoint.message("TOY/lines").value
    assert value is not None
    read: Any = parse(value)
    assert (read.position, read.counters, read.part) == (checkpoint.position, checkpoint.counters, checkpoint.part)
    assert read.fence() == checkpoint.fence()
