"""A bus that has not what the store took from it: restored from a backup, or made anew."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from correlation import export, reference
from populations import bytes_of, world_of

from bus import log_tables
from bus.contract import Message, MessagesGone
from bus.tails import Extent
from schemas.codec import decode
from schemas.topics import EVENT_TOPICS, key_of, topic_of
from services import wiring
from services.correlator import correlator
from services.correlator.correlator import Correlator
from services.correlator.process import run
from services.dead_letters import Spool
from services.settings import Settings
from services.store import open_store
from services.store.writer import Fenced

LATER = datetime(2026, 11, 25, tzinfo=UTC)


def settings_of(directory: Path) -> Settings:
    """Bus and store in a directory."""
    return Settings(data_dir=directory)


async def published(settings: Settings, raws: Sequence[bytes]) -> None:
    """Send events, each to its topic."""
    bus = await wiring.open_bus(settings)
    await bus.declare(wiring.topics())
    producer = await bus.producer()
    await producer.send([Message(topic_of(event), key_of(event), raw) for raw in raws for event in (decode(raw),)])
    await producer.close()
    await bus.close()


async def correlated(settings: Settings) -> None:
    """Take in all that the bus has."""
    await run(settings, once=True, stop=asyncio.Event())


def files(directory: Path) -> list[Path]:
    """The files of the bus."""
    return sorted(directory.glob("bus.db*"))


async def missing_after(tmp_path: Path, how: str) -> bool:
    """Whether the view lacks something once the bus was changed behind the store's back, and went on."""
    raws = bytes_of(world_of(5, persons=12)[0])
    third = len(raws) // 3
    settings = settings_of(tmp_path / "data")
    await published(settings, raws[:third])
    await correlated(settings)
    kept = tmp_path / "backup"
    kept.mkdir()
    for file in files(tmp_path / "data"):
        shutil.copy(file, kept / file.name)
    await published(settings, raws[third : 2 * third])
    await correlated(settings)
    for file in files(tmp_path / "data"):
        file.unlink()
    if how == "restored":
        for file in kept.iterdir():
            shutil.copy(file, tmp_path / "data" / file.name)
    # as many messages as there were, or more: positions alone show nothing
    await published(settings, raws[third:][::-1])
    await correlated(settings)
    store = await open_store(settings.store_url)
    try:
        return await export(store) != reference(raws)
    finally:
        await store.close()


@pytest.mark.law(2, "a bus that was restored or replaced without the store is read again from its beginning")
@pytest.mark.parametrize("how", ["restored", "made anew"])
async def test_a_bus_that_has_less_is_read_again(tmp_path: Path, how: str) -> None:
    assert not await missing_after(tmp_path, how)


async def again_in_the_same_places(tmp_path: Path) -> bool:
    """Whether the view lacks what was gone before it was read and came again, on a bus that was made anew.

    All stands where it stood, so the last message that was read is known again; what stands before it was never read.
    """
    raws = bytes_of(world_of(5, persons=12)[0])
    settings = settings_of(tmp_path / "data")
    await published(settings, raws)
    with closing(sqlite3.connect(tmp_path / "data" / "bus.db", isolation_level=None)) as connection:
        for row, end in connection.execute("SELECT id, next FROM partitions").fetchall():
            first = row << log_tables.POSITION_BITS
            gone = end - 1 if row % 2 else end  # of some all but the last, of others the last, too
            connection.execute("DELETE FROM messages WHERE place >= ? AND place < ?", (first, first + gone))
    with pytest.raises(MessagesGone):
        await correlated(settings)
    for file in files(tmp_path / "data"):
        file.unlink()
    await published(settings, raws)
    await correlated(settings)
    store = await open_store(settings.store_url)
    try:
        return await export(store) != reference(raws)
    finally:
        await store.close()


@pytest.mark.law(2, "what was gone before it was read is read once it comes again, in the same places, too")
async def test_what_comes_again_in_the_same_places_is_read(tmp_path: Path) -> None:
    assert not await again_in_the_same_places(tmp_path)


@pytest.mark.law(2, planted="a store that forgets from where it has read")
async def test_a_store_that_forgets_where_it_began_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Extent, "kept", lambda self: self.tail)
    assert await again_in_the_same_places(tmp_path)


async def unseen_in_silence(tmp_path: Path) -> bool:
    """Whether a correlator does not see that the bus lost what it had read, once it has read what came after that."""
    raws = bytes_of(world_of(5, persons=12)[0])
    settings = settings_of(tmp_path / "data")
    file = tmp_path / "data" / "bus.db"
    await published(settings, raws)
    async with AsyncExitStack() as opened:
        bus = await wiring.open_bus(settings)
        opened.push_async_callback(bus.close)
        store = await open_store(settings.store_url)
        opened.push_async_callback(store.close)
        producer = await bus.producer()
        spool = Spool(settings.data_dir / "spool")
        one = Correlator(
            store.writer, producer, spool, clock=lambda: LATER, stop=asyncio.Event(), bus=bus, admission=None
        )
        await one.check()
        ends = await bus.ends(EVENT_TOPICS)
        await one.assigned(ends)
        read = [each for topic in EVENT_TOPICS async for each in bus.read(topic)]
        await one.take(read)
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("DELETE FROM messages")
            connection.execute("UPDATE partitions SET next = 0")
        for _ in range(2):
            await published(settings, raws[::-1])
        await one.take(
            [each for topic in EVENT_TOPICS async for each in bus.read(topic) if each.position >= ends[each.partition]]
        )
        try:
            await one.verify()
        except Fenced:
            return False
        return True


@pytest.mark.law(2, "a correlator that was away from its bus looks again for what it had read last before that")
@pytest.mark.parametrize(("seconds", "unseen"), [(0.0, False), (3600.0, True)], ids=["looks", "planted"])
async def test_what_was_lost_in_a_silence_is_seen(
    tmp_path: Path, seconds: float, unseen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correlator, "SILENT_SECONDS", seconds)
    assert await unseen_in_silence(tmp_path) is unseen


async def unseen(_self: Correlator, _partitions: object = None) -> None:
    """`Correlator.rewind` that takes the bus for what it was."""


@pytest.mark.law(2, planted="a store that trusts its positions on a bus that was restored")
@pytest.mark.parametrize("how", ["restored", "made anew"])
async def test_positions_alone_are_caught(tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Correlator, "rewind", unseen)
    assert await missing_after(tmp_path, how)


async def front_lost(tmp_path: Path) -> tuple[int, dict[str, int]]:
    """What a running correlator counts as gone, and its positions against the bus's ends, once all was lost unread."""
    raws = bytes_of(world_of(5, persons=12)[0])
    settings = settings_of(tmp_path / "data")
    await published(settings, raws)
    with closing(sqlite3.connect(tmp_path / "data" / "bus.db")) as connection:
        connection.execute("DELETE FROM messages")  # the ends stay
        connection.commit()
    bus = await wiring.open_bus(settings)
    store = await open_store(settings.store_url)
    try:
        with pytest.raises(MessagesGone, match="before they were read: run `visabus ingest`"):
            async with asyncio.timeout(20):
                await correlated(settings)
        standing = await store.reads.positions()
        ends = await bus.ends(EVENT_TOPICS)
        behind = {f"{part}": end for part, end in ends.items() if standing.get((part.topic, part.number), 0) < end}
        return sum(ends.values()), behind
    finally:
        await store.close()
        await bus.close()


@pytest.mark.law(2, "messages that are gone before they were read end `correlate --once` with 1, and are passed over")
async def test_messages_that_are_gone_before_they_were_read_are_told(tmp_path: Path) -> None:
    count, behind = await front_lost(tmp_path)
    assert count > 0
    assert behind == {}


@pytest.mark.law(2, planted="a correlator that goes on behind messages that are gone, and says nothing")
async def test_a_correlator_that_waits_for_what_is_gone_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(_self: Correlator, _taken: object) -> None:
        return

    monkeypatch.setattr(Correlator, "_pass_over", silent)
    with pytest.raises(TimeoutError):
        await front_lost(tmp_path)
