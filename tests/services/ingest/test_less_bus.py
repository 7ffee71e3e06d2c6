"""A bus that has less than a checkpoint counts on: seen at each start and while a host runs, told, and read again."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition
from killing import wait_until
from toy_source import expected, once, settings, toy, world

from bus import log_tables
from bus.contract import Bus, BusError, Message
from bus.embedded import EmbeddedBus
from bus.open import open_bus
from schemas.topics import EVENT_TOPICS
from services.feeds import Ownership, parse
from services.feeds.ownership import Holding
from services.ingest import host, recorded, run
from services.wiring import topics

LINES = "\n".join(f"good {number}" for number in range(30))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "in"
    directory.mkdir()
    (directory / "a.txt").write_text(LINES)
    (directory / "b.txt").write_text("good 31\nbad x\nthrough 9")
    return directory


def cut(file: Path, *, front: bool = False, all_of_it: bool = False) -> None:
    """Take messages off event topics, as retention or an unclean election does, or as if they were made anew."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for row, topic, end in connection.execute("SELECT id, topic, next FROM partitions").fetchall():
            if topic not in EVENT_TOPICS or not end:
                continue
            first, middle, limit = (
                (row << log_tables.POSITION_BITS) + at for at in (0, end // 2, 1 << log_tables.POSITION_BITS)
            )
            begin, until = (first, middle + 1) if front else (first if all_of_it else middle, limit)
            connection.execute("DELETE FROM messages WHERE place >= ? AND place < ?", (begin, until))
            if not front:
                connection.execute("UPDATE partitions SET next = ? WHERE id = ?", (begin - first, row))
        connection.execute("COMMIT")


async def grown(bus: Bus) -> None:
    """Others send so much that positions alone show nothing."""
    kept = [one for topic in EVENT_TOPICS async for one in bus.read(topic)]
    producer = await bus.producer()
    for _ in range(20):
        await producer.send([Message(one.partition.topic, one.key, one.value, one.headers) for one in kept])


HOW = ["made anew", "end lost", "end lost, and others grew", "front lost", "restored"]


async def healed(folder: Path, file: Path, how: str) -> tuple[bool, bool]:
    """Whether all events are on the bus again once it had less and ingest ran, and whether that was told."""
    bus = await EmbeddedBus.open(file)
    await bus.declare(topics())
    backup = file.with_suffix(".backup")
    if how == "restored":
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
    await once(folder, bus)
    before = set((await world(bus)).ids())
    await bus.close()
    if how == "restored":
        for each in file.parent.glob(f"{file.name}-*"):
            each.unlink()
        shutil.move(backup, file)
    else:
        cut(file, front=how == "front lost", all_of_it=how == "made anew")
    bus = await EmbeddedBus.open(file)
    if how.endswith("grew"):
        await grown(bus)
    missing = not before <= set((await world(bus)).ids())
    assert missing
    (folder / "c.txt").write_text("good 40")
    (outcome,) = await once(folder, bus)
    assert outcome.error is None
    seen = await world(bus)
    whole = expected(folder)["ids"] <= set(seen.ids())
    named = any("the bus lost messages" in letter["reason"] for letter in seen.dead_letters)
    if whole:
        assert seen.checkpoints["TOY/lines"]["counters"] == expected(folder)["counters"], "as of a first reading"
        await once(folder, bus)
        assert (await world(bus)).ids() == seen.ids(), "and not again at the next start"
    await bus.close()
    return whole, named


@pytest.mark.law(
    2, "a bus that has less than the checkpoints of ingest count on is seen, and its sources are read again"
)
@pytest.mark.parametrize("how", HOW)
async def test_what_the_bus_lost_is_read_again_from_the_source(folder: Path, tmp_path: Path, how: str) -> None:
    # a bus restored whole has the checkpoints of then, too: it is as if ingest had not run since
    assert await healed(folder, tmp_path / "bus.db", how) == (True, how != "restored")


@pytest.mark.law(2, planted="ingest that trusts its checkpoints on a bus that has less")
@pytest.mark.parametrize("how", HOW[:-1])
async def test_ingest_that_trusts_its_checkpoints_is_seen(
    folder: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def trusting(_self: Ownership, _holdings: list[Holding]) -> None:
        return

    monkeypatch.setattr(Ownership, "_verify", trusting)
    monkeypatch.setattr(Holding, "sent", lambda _self, _placed: None)
    assert await healed(folder, tmp_path / "bus.db", how) == (False, False)


async def test_a_checkpoint_of_an_earlier_version_counts_on_nothing(folder: Path, tmp_path: Path) -> None:
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    await once(folder, bus)
    body = (await world(bus)).checkpoints["TOY/lines"]
    await bus.close()
    assert parse(orjson.dumps(body)).tails
    for name in ("tails", "begins"):
        del body[name]
    assert parse(orjson.dumps(body)).tails == {}


# --- on Kafka ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def admin(own_kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=own_kafka)
    await client.start()
    yield client
    await client.close()


async def made_anew(bus: Bus, admin: AIOKafkaAdminClient) -> None:
    """The event topics are deleted and made anew."""
    await admin.delete_topics(list(EVENT_TOPICS))
    for _ in range(100):
        try:
            return await bus.declare(topics())
        except BusError:  # the deletion is still under way
            await asyncio.sleep(0.2)
    raise TimeoutError


async def first_deleted(bus: Bus, admin: AIOKafkaAdminClient) -> None:
    """All records are deleted."""
    ends = {TopicPartition(*part): RecordsToDelete(end) for part, end in (await bus.ends(EVENT_TOPICS)).items() if end}
    await admin.delete_records(ends)


@pytest.mark.law(2, "the same on Kafka, at a start and under a host that runs")
@pytest.mark.parametrize("running", [False, True], ids=["at a start", "under a host"])
@pytest.mark.parametrize("how", [made_anew, first_deleted])
async def test_topics_of_kafka_that_have_less(
    folder: Path,
    own_kafka: str,
    admin: AIOKafkaAdminClient,
    how: object,
    *,
    running: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "VERIFY_SECONDS", 0.5)
    bus = await open_bus(f"kafka://{own_kafka}")
    stop = asyncio.Event()
    try:
        await bus.declare(topics())
        await once(folder, bus)
        quick = settings(folder, fence_seconds=0.2, poll_seconds=0.1)
        task = asyncio.create_task(run(quick, [toy(folder)], stop=stop, bus=bus, clock=recorded)) if running else None
        if task is not None:
            (folder / "c.txt").write_text("good 40")
            await whole_again(bus, folder)
        await how(bus, admin)  # type: ignore[operator]  # one of the two above
        if task is None:
            await once(folder, bus)
        await whole_again(bus, folder)
        assert any("the bus lost messages" in letter["reason"] for letter in (await world(bus)).dead_letters)
        stop.set()
        if task is not None:
            assert [outcome.error for outcome in await task] == [None]
    finally:
        stop.set()
        await bus.close()


async def whole_again(bus: Bus, folder: Path) -> None:
    """Return once all events are on the bus."""

    async def whole() -> bool:
        return expected(folder)["ids"] <= set((await world(bus)).ids())

    await wait_until(whole, every=0.3, seconds=40)
