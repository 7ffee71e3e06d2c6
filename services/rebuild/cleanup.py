"""What is no longer needed: the editions that were live before, or one that is being built and given up."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import text

from services import failpoints
from services.domain.facts import MICRO
from services.engines import DATABASE
from services.rebuild.target import NoRebuild
from services.store import open_store
from services.store.contract import StoreDown
from services.store.editions import FIRST, Edition, Home, State, file_of, schema_of
from services.store.errors import words_of
from services.store.tables import EDITION, METADATA

GRACE_SECONDS = 10.0
"""Younger than this a switch may not be known yet to everybody who reads."""


async def seconds_young(url: str) -> float:
    """Return how long to wait until everybody who reads has gone over since the last switch. Raises StoreDown."""
    live = await open_store(url)
    try:
        return _young(await live.home.all())
    finally:
        await live.close()


def _young(editions: Iterable[Edition]) -> float:
    switched = max((each.switched or 0 for each in editions), default=0)
    return max(0.0, GRACE_SECONDS - (time.time() - switched / MICRO))


async def drop_old(url: str) -> list[int]:
    """Remove what was live before, and what was given up and not removed to its end; the numbers.

    Raises NoRebuild while readers may not have gone over yet, StoreDown.
    """
    live = await open_store(url)
    try:
        editions = await live.home.all()
        if _young(editions) > 0:
            raise NoRebuild(f"the switch is younger than {GRACE_SECONDS:.0f} s: the API goes over to it just now")
        return await _remove(live.home, url, [each for each in editions if each.state is State.OLD])
    finally:
        await live.close()


async def discard(url: str) -> list[int]:
    """Give up the edition that is being built; its number, or none. Raises StoreDown."""
    live = await open_store(url)
    try:
        building = [each for each in await live.home.all() if each.state is State.BUILDING]
        return await _remove(live.home, url, building)
    finally:
        await live.close()


async def _remove(home: Home, url: str, editions: Iterable[Edition]) -> list[int]:
    """Mark each as dropped, which fences who writes it, then remove it; and what an earlier attempt left."""
    numbers = [each.number for each in editions]
    for number in numbers:
        await home.mark(number, State.DROPPED)
        await failpoints.reach("drop.marked")
    for each in await home.all():
        if each.state is State.DROPPED:
            await _remove_one(home, url, each.number)
    return numbers


async def _remove_one(home: Home, url: str, number: int) -> None:
    try:
        file = file_of(url, number)
        if file is None:
            await _drop_schema(home, number)
        elif number == FIRST:
            await _empty(home)
        else:
            remove_files(file)
    except DATABASE as error:
        raise StoreDown(f"edition {number} cannot be removed: {words_of(error)}") from error


def remove_files(file: Path) -> None:
    """Remove a database of SQLite, its other files last: without them the first would not be what it was."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{file}{suffix}").unlink()


async def _empty(home: Home) -> None:
    """Drop the tables of the first edition, but the one of editions; its file stays, for the address names it."""
    async with home.engine.connect() as connection:
        for table in reversed(METADATA.sorted_tables):
            if table is not EDITION:
                await connection.execute(text(f'DROP TABLE IF EXISTS "{table.name}"'))
        await connection.commit()
        if home.engine.dialect.name == "sqlite":
            await connection.exec_driver_sql("VACUUM")


async def _drop_schema(home: Home, number: int) -> None:
    if number == FIRST:
        await _empty(home)
        return
    async with home.engine.connect() as connection:
        schema = str((await connection.execute(text("SELECT current_schema()"))).scalar())
        quoted = schema_of(schema, number).replace('"', '""')
        await connection.execute(text(f'DROP SCHEMA IF EXISTS "{quoted}" CASCADE'))
        await connection.commit()
