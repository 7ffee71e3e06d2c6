"""Failovers, restores and topics made anew, at random under load: the digest of a quiet run all the same."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import accidents
import pytest
from accidents import Installation
from killing import new_seed
from servers import fresh_database

from services.feeds import Ownership
from services.feeds.ownership import Holding

ACCIDENTS = int(os.environ.get("VISABUS_TEST_ACCIDENTS", "30"))
"""In all."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + 60 * ACCIDENTS)]
EACH = 3
"""That one installation lives through."""


@pytest.fixture(autouse=True)
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    accidents.quick(lambda target, name, value: monkeypatch.setattr(target, name, value))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a small population."""
    return accidents.population(tmp_path_factory.mktemp("accidents") / "population", 7)


def embedded(directory: Path, whole: Path, rng: Random) -> Installation:
    """Everything in files."""
    directory.mkdir(parents=True, exist_ok=True)
    bus, store = f"embedded://{directory}/bus.db", f"sqlite+aiosqlite:///{directory}/store.db"
    return Installation(directory, whole, bus, store, rng)


@pytest.fixture(scope="module")
def peace(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of a run in which nothing happens."""

    async def run() -> str:
        calm = embedded(tmp_path_factory.mktemp("peace"), whole, Random(0))
        calm.arrive(len(calm.files))
        await calm.finish()
        return await calm.digest()

    return asyncio.run(run())


def seeds_of(usual: int, worlds: float, *mended: int) -> list[int]:
    """The seeds of a run: new ones in a long run, otherwise the same each time, and those that once ended otherwise."""
    new = ACCIDENTS > 30 or "VISABUS_TEST_SEED" in os.environ
    first = new_seed() if new else usual
    seeds = [first + number for number in range(max(1, int(ACCIDENTS // EACH * worlds)))]
    return seeds if new else [*seeds, *mended]


class Tale:
    """What happened in all worlds of a test."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self.done: Counter[str] = Counter()
        self.seeds: list[int] = []
        self.restarts = 0

    async def live(self, world: Installation, seed: int, peace: str) -> None:
        """One world; it ends as in peace."""
        ended = await world.live(EACH, again=world.rng.random() < 0.5)
        self.done += world.done
        self.seeds.append(seed)
        self.restarts += world.restarts
        assert ended == peace, f"seed {seed}: {dict(world.done)}, processes ended with {world.errors}"

    def end(self, where: str) -> None:
        """Keep the line for the end of the run."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.done.items()))
        self.tell(
            f"{where}, seeds {' '.join(map(str, self.seeds))}: {self.done.total()} accidents ({kinds}), "
            f"{self.restarts} processes started again"
        )


@pytest.mark.law(2, "bus and store restored, made anew, cut at either end, at random under load")
async def test_accidents_on_the_embedded_default(
    whole: Path, peace: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    tale = Tale(tell)
    for seed in seeds_of(457182, 0.4, 530860, 700014, 710006):
        await tale.live(embedded(tmp_path / f"{seed}", whole, Random(seed)), seed, peace)
    tale.end("embedded bus and store")


@pytest.mark.law(2, "the same with a PostgreSQL that fails over and loses its last transactions")
async def test_accidents_with_postgresql(
    whole: Path, peace: str, tmp_path: Path, postgres_server: str, tell: Callable[[str], None]
) -> None:
    tale = Tale(tell)
    for seed in seeds_of(422225, 0.3):
        async with fresh_database(postgres_server) as store:
            world = replace(embedded(tmp_path / f"{seed}", whole, Random(seed)), store=store)
            await tale.live(world, seed, peace)
    tale.end("embedded bus, PostgreSQL")


@pytest.mark.law(2, "the same on Kafka, whose topics are made anew or lose their first records")
async def test_accidents_on_kafka_and_postgresql(
    whole: Path, peace: str, tmp_path: Path, own_kafka: str, postgres_server: str, tell: Callable[[str], None]
) -> None:
    tale = Tale(tell)
    for seed in seeds_of(984748, 0.3, 125536):
        async with fresh_database(postgres_server) as store:
            begin = embedded(tmp_path / f"{seed}", whole, Random(seed))
            world = replace(begin, store=store, bus=f"kafka://{own_kafka}")
            await world.empty_bus()
            await tale.live(world, seed, peace)
    tale.end("Kafka and PostgreSQL")


async def trusting(_self: Ownership, _holdings: list[Holding]) -> None:
    """`Ownership._verify` that takes the bus for what it was."""


@pytest.mark.law(2, planted="ingest that trusts its checkpoints, while a bus loses its last messages")
@pytest.mark.parametrize("planted", [False, True])
async def test_a_planted_bug_is_caught(
    planted: bool, whole: Path, peace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is lost was sent and never read: it is nowhere but in the files. Only the planted bug loses it."""
    if planted:
        monkeypatch.setattr(Ownership, "_verify", trusting)
        monkeypatch.setattr(Holding, "sent", lambda _self, _placed: None)
    world = embedded(tmp_path, whole, Random(0))
    world.arrive(len(world.files) // 2)
    await world.read()
    await world.last_half_lost()
    world.arrive(len(world.files))
    await world.finish()
    assert (await world.digest() == peace) is not planted
