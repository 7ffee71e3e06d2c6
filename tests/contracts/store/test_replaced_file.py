"""The file of a store, emptied, removed or replaced under a process: refused in words, and nothing ends by surprise."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from services.store import Store, errors, open_store
from services.store.contract import StoreDown
from services.store.heartbeats import Heartbeats


def put(file: Path, made: Callable[[Path], object]) -> None:
    """Put something else in the place of the file."""
    spare = file.with_name("spare")
    made(spare)
    for each in file.parent.glob(f"{file.name}-*"):
        each.unlink()
    os.replace(spare, file)


def another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE another (column_of_it)")
        connection.commit()


HOW: dict[str, Callable[[Path], object]] = {
    "an empty file": lambda file: put(file, Path.touch),
    "no database": lambda file: put(file, lambda path: path.write_bytes(b"no database at all " * 500)),
    "another database": lambda file: put(file, another_database),
    "nothing": Path.unlink,
}


async def written(store: Store) -> None:
    async with store.writer.begin() as tx:
        await tx.insert_keys([(7, 7)])


WAYS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "a transaction": written,
    "a look-up": lambda store: store.reads.snapshot(1),
    "a count": lambda store: store.reads.backlog(),
    "positions": lambda store: store.reads.positions(),
    "a heartbeat": lambda store: Heartbeats(store.engine, "host/1").beat(1, 0),
}


@pytest.mark.law(2, "a store whose file was emptied or replaced under a process is away, in words that say what to do")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", HOW)
async def test_a_store_whose_file_was_replaced_is_refused_in_words(tmp_path: Path, how: str, way: str) -> None:
    file, kept = tmp_path / "store.db", tmp_path / "kept.db"
    store = await open_store(f"sqlite:///{file}")
    try:
        await written(store)
        for each in WAYS.values():
            await each(store)  # everything is connected
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(kept)) as target:
            source.backup(target)
        HOW[how](file)
        for _ in range(2):
            with pytest.raises(StoreDown, match="put a backup in its place"):
                await WAYS[way](store)
        put(file, lambda path: shutil.copy(kept, path))
        await WAYS[way](store)  # and it goes on
    finally:
        await store.close()


@pytest.mark.law(2, planted="a file that is no store told by the class of an error")
async def test_a_replaced_file_without_words_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errors, "_is_no_store", lambda _error: False)
    store = await open_store(f"sqlite:///{tmp_path}/store.db")
    try:
        await written(store)
        HOW["no database"](tmp_path / "store.db")
        with pytest.raises(StoreDown) as caught:
            await written(store)
        assert "put a backup" not in str(caught.value)
    finally:
        await store.close()


@pytest.mark.law(2, planted="look-ups that go on in a file that was removed")
@pytest.mark.parametrize("planted", [False, True])
async def test_a_look_up_reads_the_file_that_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: bool
) -> None:
    monkeypatch.setattr("services.store.snapshot._READERS", 1)
    if planted:
        monkeypatch.setattr("services.store.snapshot._standing", lambda _path: (0, 0))
    other = await open_store(f"sqlite:///{tmp_path}/other.db")
    await other.close()
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("INSERT INTO capped_key VALUES (3, 4, 5)")
        connection.commit()
    store = await open_store(f"sqlite:///{tmp_path}/store.db")
    try:
        assert (await store.reads.snapshot(1, confidential=True)).cutoffs == {}
        put(tmp_path / "store.db", lambda path: shutil.copy(tmp_path / "other.db", path))
        assert ((await store.reads.snapshot(1, confidential=True)).cutoffs == {3: (4, 5)}) is not planted
    finally:
        await store.close()


async def broken_off(store: Store) -> int:
    """The generation of connections behind an answer that the driver could not make out."""
    with pytest.raises(StoreDown):
        async with store.writer.begin() as tx:
            raise asyncpg.InternalClientError("got result for unknown protocol state 3")
    async with store.writer.begin() as tx:
        return tx.generation


@pytest.mark.law(2, "an answer of PostgreSQL that broke off is waited for, and what was remembered is learnt anew")
async def test_an_answer_that_broke_off_is_waited_for(postgres: str) -> None:
    store = await open_store(postgres)
    try:
        async with store.writer.begin() as tx:
            before = tx.generation
        assert await broken_off(store) > before
    finally:
        await store.close()


@pytest.mark.law(2, planted="an answer of PostgreSQL that broke off ends the process")
async def test_an_answer_that_ends_a_process_is_seen(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    some = tuple(each for each in errors.PASSING if each is not asyncpg.InternalClientError)
    monkeypatch.setattr("services.store.postgres.PASSING", some)
    store = await open_store(postgres)
    try:
        with pytest.raises(asyncpg.InternalClientError):
            await broken_off(store)
    finally:
        await store.close()


async def test_a_schema_that_was_emptied_is_refused_in_words(postgres: str) -> None:
    """As while a backup is restored."""
    store = await open_store(postgres)
    try:
        async with store.engine.connect() as connection:
            await connection.exec_driver_sql("ALTER TABLE key RENAME TO key_of_before")
            await connection.commit()
        with pytest.raises(StoreDown, match="put a backup in its place"):
            await written(store)
        with pytest.raises(StoreDown, match="put a backup in its place"):
            await store.reads.snapshot(1)
    finally:
        await store.close()
