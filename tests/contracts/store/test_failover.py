"""A database that has less than a process remembers, and one that says no for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from correlation import Driver, export, reference
from populations import bytes_of, world_of
from sqlalchemy.engine import make_url

from services.correlator.key_cache import KeyCache
from services.domain.facts import fact_of
from services.domain.identity import keys_of
from services.store import Store, open_store
from services.store import postgres as writer
from services.store.contract import StoreDown
from services.store.writer import Transaction


async def sql(url: str, *statements: str, database: str = "postgres") -> None:
    """Run statements in another database of the server."""
    address = make_url(url).set(drivername="postgresql", database=database).render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def without_connections(url: str, *statements: str) -> None:
    """Break all connections to a database, and run statements that need none."""
    name = make_url(url).database
    kick = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    for attempt in range(100):
        try:
            await sql(url, kick, *statements)
        except asyncpg.ObjectInUseError:
            if attempt == 99:
                raise
            await asyncio.sleep(0.05)
        else:
            return


async def failed_over(store: Store, url: str, raws: Sequence[bytes]) -> bool:
    """Whether a writer that lives through a failover, which loses a third of the events, writes all in the end."""
    name = make_url(url).database
    third = len(raws) // 3
    driver = Driver(store.writer)
    await driver.append(raws[:third])
    await driver.finish()
    await without_connections(url, f"CREATE DATABASE {name}_standby TEMPLATE {name}")
    try:
        await appended(driver, raws[third : 2 * third])
        await driver.finish()
        # the standby takes over, and knows of none of it
        await without_connections(
            url, f"ALTER DATABASE {name} RENAME TO {name}_lost", f"ALTER DATABASE {name}_standby RENAME TO {name}"
        )
        # its positions are those of then, so the events come again
        await appended(driver, raws[third:])
        await driver.finish()
    finally:
        for left in ("standby", "lost"):
            await sql(url, f"DROP DATABASE IF EXISTS {name}_{left} WITH (FORCE)")
    keys = {key for fact in map(fact_of, raws) if fact.kind != "coverage" for key in keys_of(fact)}
    async with store.writer.begin() as tx:
        standing = await tx.keys(sorted(keys))
    return standing.keys() == keys and await export(store) == reference(raws)


async def appended(driver: Driver, raws: Sequence[bytes]) -> None:
    """Append, as soon as the database is back."""
    while True:
        try:
            await driver.append(raws)
        except StoreDown:
            await asyncio.sleep(0.05)
        else:
            return


@pytest.mark.law(2, "a failover that loses the last transactions under a running correlator loses nothing in the end")
@pytest.mark.parametrize("seed", range(3))
async def test_what_a_failover_loses_is_written_again(postgres: str, seed: int) -> None:
    store = await open_store(postgres)
    try:
        assert await failed_over(store, postgres, bytes_of(world_of(seed, persons=12)[0]))
    finally:
        await store.close()


@pytest.mark.law(2, planted="a correlator that remembers, across a failover, keys that its database lost")
async def test_a_writer_that_remembers_more_than_its_database_is_seen(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KeyCache, "renew", lambda _self, _generation: None)
    store = await open_store(postgres)
    try:
        assert not await failed_over(store, postgres, bytes_of(world_of(1, persons=12)[0]))
    finally:
        await store.close()


NO = {
    "read-only after a failover": "SET TRANSACTION READ ONLY",
    "a statement that is cancelled": "SET LOCAL statement_timeout = '1ms'",
    "no room on the disk": "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$",
    "out of memory": "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'out_of_memory'; END $$",
    "an input or output that failed": "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'io_error'; END $$",
    "a server that crashed": "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'crash_shutdown'; END $$",
    "a server that starts": "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'cannot_connect_now'; END $$",
    "a bug of the server": "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'internal_error'; END $$",
}


async def refused(tx: Transaction, statement: str) -> None:
    """Have the server say no in a transaction."""
    await tx._raw.execute(statement)  # type: ignore[attr-defined]  # of a protocol that hides it
    await tx._raw.execute("SELECT pg_sleep(0.1)")  # type: ignore[attr-defined]
    await tx.insert_keys([(1, 1)])


@pytest.mark.law(2, "errors of a database that pass are waited for, as for a database that is away")
@pytest.mark.parametrize("name", NO)
async def test_a_database_that_says_no_for_a_while_is_away(postgres: str, name: str) -> None:
    store = await open_store(postgres)
    try:
        with pytest.raises(StoreDown):
            async with store.writer.begin() as tx:
                await refused(tx, NO[name])
        async with store.writer.begin() as tx:
            assert await tx.insert_keys([(1, 1)]) == set()
    finally:
        await store.close()


@pytest.mark.law(2, planted="errors of a database that pass taken for mistakes of ours")
@pytest.mark.parametrize("name", [name for name in NO if name != "a bug of the server"])
async def test_an_error_that_passes_taken_for_final_is_seen(
    postgres: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it was: only a lost connection passes."""
    monkeypatch.setattr(writer, "PASSING", (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError))
    store = await open_store(postgres)
    try:
        with pytest.raises(asyncpg.PostgresError):
            async with store.writer.begin() as tx:
                await refused(tx, NO[name])
    finally:
        await store.close()


async def test_a_database_that_is_not_there_yet_is_away(postgres: str) -> None:
    """While a standby is given the address, or a backup is restored."""
    missing = make_url(postgres).set(database="not_there_yet").render_as_string(hide_password=False)
    with pytest.raises(StoreDown):
        await open_store(missing)


async def test_a_mistake_of_ours_is_no_outage(postgres: str) -> None:
    """It ends the process with its name, and is not waited for."""
    store = await open_store(postgres)
    try:
        with pytest.raises(asyncpg.UndefinedTableError):
            async with store.writer.begin() as tx:
                await tx._raw.execute("SELECT * FROM nowhere")  # type: ignore[attr-defined]
    finally:
        await store.close()
