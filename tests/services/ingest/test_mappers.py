"""Records mapped by other processes come out as if they had been mapped where they were read."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from random import Random

import orjson
import pytest
from systems.i94 import build

from adapters.core import BadRecord, Origin, Read
from adapters.registry import systems
from bus.contract import Bus
from bus.embedded import EmbeddedBus
from schemas.topics import DEAD_LETTERS, EVENT_TOPICS, POSITIONS, RECEIPTS
from services.feeds import parse
from services.ingest import Outcome, Source, mappers, recorded, run
from services.ingest.mappers import Mappers
from services.settings import Settings
from services.wiring import topics

pytestmark = pytest.mark.slow
Published = dict[str, list[tuple[bytes | None, bytes | None]]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nights: one as it should be, one with records that are refused, one whose end is missing."""
    folder = tmp_path_factory.mktemp("mappers")
    rng = Random(5)
    for night in (412, 413, 414):
        details = [
            build.detail(base, **{"TXN-NUMBER": night * 1_000 + number, "I94-NUMBER": f"{night}{number:08}"})
            for number, base in enumerate(rng.choices((build.ARRIVAL, build.DEPARTURE), k=60))
        ]
        data = bytearray(build.night(details, night, **{"FILE-SEQUENCE": night}))
        for _ in range(20 * (night == 413)):
            data[rng.randrange(250, len(data) - 250)] = rng.randrange(256)
        file = folder / f"I94.D20250314.S{night:06}"
        file.write_bytes(data[:-320] if night == 414 else data)
        os.utime(file, (0, 0))
    return folder


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mappers, "LEAST", 2)


def timeless(value: bytes | None) -> bytes:
    """A dead letter or receipt without its moment, and without digests by the installation's own key."""
    fields = orjson.loads(value or b"{}")
    return orjson.dumps({name: each for name, each in fields.items() if name not in ("at", "records")})


async def published(folder: Path, data: Path, count: int) -> tuple[Published, list[Outcome], object]:
    """What stands on the bus once the folder was read, how the feed ended, and its checkpoint."""
    settings = Settings(
        _env_file=None,
        data_dir=data,
        bus_url=f"embedded://{data}/bus.db",
        ingest={"chunk_records": 7, "refuse_share": 0.9},
    )
    await asyncio.to_thread(data.mkdir, 0o700)
    system = systems()["I94"]
    bus: Bus = await EmbeddedBus.open(data / "bus.db")
    try:
        await bus.declare(topics())
        source = Source(system, system.feed("nightly"), f"file://{folder}")
        outcomes = await run(settings, [source], once=True, clock=recorded, bus=bus, mappers=count)
        result: Published = {}
        for topic in (*EVENT_TOPICS, DEAD_LETTERS, RECEIPTS):
            messages = [(each.key, each.value) async for each in bus.read(topic)]
            result[topic] = messages if topic in EVENT_TOPICS else [(key, timeless(value)) for key, value in messages]
        positions = [parse(each.value) async for each in bus.read(POSITIONS) if each.value]
        return result, outcomes, (positions[-1].counters, positions[-1].position)
    finally:
        await bus.close()


@pytest.mark.law(2, "what other processes map is what one process maps")
async def test_what_other_processes_map_is_what_one_maps(folder: Path, tmp_path: Path) -> None:
    alone = await published(folder, tmp_path / "alone", 0)
    assert await published(folder, tmp_path / "shared", 2) == alone
    assert len(alone[0][DEAD_LETTERS]) > 3
    assert sum(len(alone[0][topic]) for topic in EVENT_TOPICS) > 140


async def test_a_process_that_is_killed_costs_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = await published(folder, tmp_path / "alone", 0)
    real, killed = Mappers._take, []

    async def killing(
        self: Mappers, reads: list[Read], future: Future[list[mappers.Outcome | None]] | None
    ) -> mappers.Mapped:
        pool = self._pool
        if future is not None and not killed and pool is not None:
            killed.extend(pool._processes)
            for process in killed:
                os.kill(process, signal.SIGKILL)
        return await real(self, reads, future)

    monkeypatch.setattr(Mappers, "_take", killing)
    assert await published(folder, tmp_path / "shared", 2) == alone
    assert len(killed) >= 1


@pytest.mark.law(2, planted="mapping processes whose work is taken in the order in which it is done")
async def test_a_planted_order_is_caught(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = await published(folder, tmp_path / "alone", 0)

    async def hasty(
        self: Mappers, chunks: AsyncIterator[list[Read]], source: Source, origin: Origin, clock: mappers.Clock
    ) -> AsyncIterator[mappers.Mapped]:
        some = [reads async for reads in chunks]
        for reads in reversed(some):
            yield await self._take(reads, self._begin(reads, source, origin, clock))

    monkeypatch.setattr(Mappers, "mapped", hasty)
    assert await published(folder, tmp_path / "shared", 1) != alone


async def test_what_a_source_raises_comes_behind_what_it_gave() -> None:
    system = systems()["I94"]
    source = Source(system, system.feed("nightly"), "file:///nowhere")
    bad: Sequence[Read] = [BadRecord("bad", place=str(number), raw=b"") for number in range(9)]

    async def failing() -> AsyncIterator[list[Read]]:
        for one in bad:
            yield [one]
        raise ConnectionError

    pool = Mappers(1)
    seen = []

    async def read() -> None:
        async for reads, _ in pool.mapped(failing(), source, Origin("I94", "nightly", "b", 1), recorded):
            seen.extend(reads)

    with pytest.raises(ConnectionError):
        await read()
    assert seen == bad
    pool.close()


async def test_what_needs_no_other_process_waits_for_nothing() -> None:
    system = systems()["I94"]
    source = Source(system, system.feed("nightly"), "file:///nowhere")
    seen: list[list[Read]] = []

    async def slow() -> AsyncIterator[list[Read]]:
        for number in range(3):
            yield [BadRecord("bad", place=str(number), raw=b"")]
            assert len(seen) == number + 1

    pool = Mappers(4)
    async for reads, _ in pool.mapped(slow(), source, Origin("I94", "nightly", "b", 1), recorded):
        seen.append(reads)
    assert len(seen) == 3
    pool.close()
