"""The file of an embedded bus, removed or replaced under a process: nothing is written where nothing reads it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bus import log_tables
from bus.contract import BusDown, Message, Topic, UnknownTopic
from bus.embedded import EmbeddedBus
from bus.sqlite_file import SqliteFile

TOPIC = Topic("lines", 2)


def line(text: str) -> Message:
    return Message(TOPIC.name, b"k", text.encode())


async def lost(file: Path) -> bool:
    """Whether a message that a process sent after the file was replaced is not in the file."""
    spare = file.with_name("spare.db")
    other = await EmbeddedBus.open(spare)
    await other.declare([Topic("another", 3), TOPIC])  # its topics stand in other rows
    await other.close()
    bus = await EmbeddedBus.open(file)
    await bus.declare([TOPIC])
    producer = await bus.producer()
    await producer.send([line("before")])
    for each in file.parent.glob(f"{file.name}-*"):
        each.unlink()
    os.replace(spare, file)
    for _ in range(4):  # down once for each connection, and then well
        try:
            await producer.send([line("after")])
            break
        except BusDown:
            continue
    await bus.close()
    again = await EmbeddedBus.open(file)
    try:
        return b"after" not in [one.value async for one in again.read(TOPIC.name)]
    finally:
        await again.close()


@pytest.mark.law(2, "the embedded bus's file replaced under a process: it is down once, and goes on in the new one")
async def test_a_file_that_was_replaced_is_seen(tmp_path: Path) -> None:
    assert not await lost(tmp_path / "bus.db")


@pytest.mark.law(2, planted="a log that goes on in a file that was removed")
async def test_a_log_that_goes_on_in_a_removed_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteFile, "_standing", lambda _self: (0, 0))
    assert await lost(tmp_path / "bus.db")


def test_partitions_that_another_file_has_not_are_unknown(tmp_path: Path) -> None:
    """Seen before the file was: what was sent is refused, and sent again once its topics are declared."""
    with closing(sqlite3.connect(tmp_path / "bus.db")) as connection:
        log_tables.create(connection)
        with pytest.raises(UnknownTopic):
            log_tables.append(connection, {7: [(b"k", b"v", None)]}, frozenset())


async def test_a_file_that_is_gone_is_down_and_a_member_joins_anew_once_it_is_back(tmp_path: Path) -> None:
    file, kept = tmp_path / "bus.db", tmp_path / "kept.db"
    bus = await EmbeddedBus.open(file)
    await bus.declare([TOPIC])
    producer = await bus.producer()
    await producer.send([line("one")])
    consumer = await bus.consumer("group", [TOPIC.name])
    assert [one.value for one in await consumer.poll()] == [b"one"]
    await bus.close()
    shutil.copy(file, kept)
    bus = await EmbeddedBus.open(file)
    producer = await bus.producer()
    consumer = await bus.consumer("group", [TOPIC.name])
    file.unlink()
    with pytest.raises(BusDown, match="is gone: restore it"):
        await producer.send([line("two")])
    with pytest.raises(BusDown, match="is gone"):
        await consumer.poll()
    os.replace(kept, file)
    for _ in range(4):
        try:
            await producer.send([line("two")])
            break
        except BusDown:
            continue
    with pytest.raises(BusDown, match="another file than"):
        await consumer.poll()
    await consumer.close()
    consumer = await bus.consumer("group", [TOPIC.name])
    assert [one.value for one in await consumer.poll()] == [b"one", b"two"]
    await bus.close()
