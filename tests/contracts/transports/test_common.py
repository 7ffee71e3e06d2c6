"""The common contract of transports: the laws that every one passes, over a real source of its kind (`worlds.py`)."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contracts.transports.world import World
from contracts.transports.worlds import BY_ITSELF, HALVES, KINDS, LARGE, LEAVING, LONG, RESENT, SPOILED, Files, made
from sshd_local import Sshd, sshd

from adapters.core import BadRecord, Batch, Connection, Read, Record, SourceDown

MANY = 9


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("ssh")) as running:
        yield running


@pytest.fixture(params=KINDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A source of each kind, empty."""
    async with made(request.param, request.getfixturevalue, tmp_path) as result:
        yield result


class Reader:
    """What the host does with a feed: reads on from the position that it saved, and says what is done."""

    def __init__(self, world: World, position: Any = None) -> None:
        self.world, self.position = world, position
        self.positions: list[Any] = []
        self.reads: list[list[Read]] = []

    async def poll(self, most: int = 10**9, *, done: bool = True) -> list[int]:
        """The numbers of the records of one poll, of the first `most` batches with a record. Raises SourceDown."""
        numbers: list[int] = []
        connection = self.world.open()
        met = 0
        try:
            async with aclosing(connection.batches(self.position)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    reads = [read async for read in batch.records()]
                    again = [read async for read in batch.records()] if done else reads
                    assert [read.raw for read in again] == [read.raw for read in reads], "a batch read again"
                    self.reads.append(reads)
                    self.positions.append(json.loads(json.dumps(batch.after)))
                    numbers += [self.world.number(read) for read in reads if isinstance(read, Record)]
                    self.position = self.positions[-1]
                    if done and batch.done is not None:
                        await batch.done()
                    met += any(isinstance(read, Record) for read in reads)
                    if met >= most:
                        break
        finally:
            await connection.close()
        return numbers

    async def until_quiet(self) -> list[int]:
        """All that several polls bring."""
        numbers = []
        for _ in range(3):
            numbers += await self.poll()
        return numbers


@pytest.mark.parametrize("world", BY_ITSELF, indirect=True)
async def test_nothing_there_is_nothing_read(world: World) -> None:
    assert await Reader(world).poll() == []


@pytest.mark.law(2, "every transport: each record once and in order, whatever comes later")
async def test_each_record_comes_once_and_in_order(world: World) -> None:
    reader = Reader(world)
    await world.put(*range(MANY))
    assert await reader.poll() == list(range(MANY))
    assert await reader.poll() == []
    await world.put(MANY, MANY + 1)
    assert await reader.poll() == [MANY, MANY + 1]


@pytest.mark.law(2, "every transport: resumed at every position the rest comes")
async def test_resuming_at_every_position_gives_the_rest(world: World) -> None:
    await world.put(*range(MANY))
    first = Reader(world)
    whole = await first.poll(done=False)
    assert whole == list(range(MANY))
    assert len(first.positions) > (not world.together)
    before = 0
    for reads, position in zip(first.reads, first.positions, strict=True):
        before += sum(isinstance(read, Record) for read in reads)
        assert await Reader(world, position).poll(done=False) == whole[before:], position


@pytest.mark.law(2, "every transport: stopped behind any batch nothing is lost and nothing comes twice")
async def test_stopped_behind_any_batch(world: World) -> None:
    await world.put(*range(MANY))
    reader, numbers = Reader(world), []
    quiet = 0
    for _ in range(2 * MANY):
        several = await reader.poll(1)
        numbers += several
        quiet = 0 if several else quiet + 1
        if quiet == 2:
            break
    assert numbers == list(range(MANY))


@pytest.mark.law(2, "every transport: a stop before the position is saved brings the same records again")
async def test_stopped_before_a_batch_is_done_it_comes_again(world: World) -> None:
    await world.put(*range(MANY))
    broken = Reader(world)
    once = await broken.poll(1, done=False)
    again = await Reader(world).until_quiet()
    assert once == again[: len(once)]
    assert again == list(range(MANY))


@pytest.mark.parametrize("world", BY_ITSELF, indirect=True)
async def test_a_source_that_writes_slowly_is_read_as_far_as_it_is(world: World) -> None:
    reader, numbers = Reader(world), []
    for number in range(5):
        await world.put(number)
        numbers += await reader.poll()
        numbers += await reader.poll()
    assert numbers == list(range(5))


@pytest.mark.law(2, "every transport: what its owner sends again is not told again")
@pytest.mark.parametrize("world", RESENT, indirect=True)
async def test_what_is_sent_again_comes_once(world: World) -> None:
    await world.put(0, 1, 2)
    reader = Reader(world)
    assert await reader.until_quiet() == [0, 1, 2]
    await world.again(1)
    assert await reader.until_quiet() == []
    await world.put(3)
    assert await reader.until_quiet() == [3]


@pytest.mark.law(2, "every transport: half of a record is none, and the whole of it comes once")
@pytest.mark.parametrize("world", HALVES, indirect=True)
async def test_half_of_a_record_is_none(world: World) -> None:
    await world.put(0, 1)
    reader = Reader(world)
    assert await reader.until_quiet() == [0, 1]
    await world.half(2)
    try:
        assert await reader.poll() == []
    except SourceDown as down:
        assert len(str(down).split()) >= 3  # noqa: PT017 (a source may be down for it, or have nothing)
    await world.rest()
    assert await reader.until_quiet() == [2]
    assert not [read for reads in reader.reads for read in reads if isinstance(read, BadRecord)]


@pytest.mark.parametrize("world", SPOILED, indirect=True)
async def test_what_is_no_record_costs_itself(world: World) -> None:
    await world.put(0, 1)
    await world.spoil()
    await world.put(2)
    reader = Reader(world)
    assert sorted(await reader.until_quiet()) == [0, 1, 2]
    refused = [read for reads in reader.reads for read in reads if isinstance(read, BadRecord)]
    assert len(refused) == 1
    assert refused[0].reason
    assert refused[0].place


@pytest.mark.law(2, "every transport: a source that goes away is told in words and read on where it was")
@pytest.mark.parametrize("world", LEAVING, indirect=True)
async def test_a_source_goes_away_and_comes_back(world: World) -> None:
    reader = Reader(world)
    await world.put(*range(MANY))
    numbers = await reader.poll(1)
    await world.away()
    with pytest.raises(SourceDown) as caught:
        await reader.poll()
    words = str(caught.value)
    assert len(words.split()) >= 3, words
    assert "\n" not in words
    assert "Traceback" not in words
    await world.back()
    numbers += await reader.until_quiet()
    assert numbers == list(range(MANY))


@pytest.mark.slow
@pytest.mark.parametrize("world", LONG, indirect=True)
async def test_a_hundred_megabytes_take_bounded_memory(world: World) -> None:
    count = 100_000_000 // LARGE
    for begin in range(0, count, world.heap):
        await world.put(*range(begin, begin + world.heap), size=LARGE)
    numbers = 0
    connection = world.open()
    tracemalloc.start()
    try:
        async for batch in connection.batches(None):
            async for read in batch.records():
                numbers += isinstance(read, Record)
            if batch.done is not None:
                await batch.done()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        await connection.close()
    assert numbers == count
    assert peak < 60_000_000


# --- planted bugs ------------------------------------------------------------------------------------------------


class Hasty:
    """A connection that names the position behind the next batch already."""

    def __init__(self, inner: Connection) -> None:
        self.inner = inner

    async def batches(self, position: Any) -> AsyncIterator[Batch]:
        several = [batch async for batch in self.inner.batches(position)]
        for batch, later in zip(several, [*several[1:], *several[-1:]], strict=True):
            yield replace(batch, after=later.after)

    async def close(self) -> None:
        await self.inner.close()


class HastyFiles(Files):
    def open(self) -> Connection:
        return Hasty(super().open())


@pytest.mark.law(2, planted="a transport whose position is ahead of what was read")
async def test_a_position_that_is_ahead_is_seen(tmp_path: Path) -> None:
    for number, law in enumerate((test_resuming_at_every_position_gives_the_rest, test_stopped_behind_any_batch)):
        await law(Files(tmp_path / f"good {number}"))
        with pytest.raises(AssertionError):
            await law(HastyFiles(tmp_path / f"hasty {number}"))
