"""Heartbeats of correlators: they tell a quiet bus from a dead process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.engines import DATABASE
from services.store.contract import Beat, StoreDown
from services.store.errors import words_of
from services.store.tables import HEARTBEAT

Statements = Callable[[AsyncConnection], Awaitable[None]]
FORGOTTEN = 86_400 * 1_000_000
"""A row of a process that was killed goes after a day (microseconds)."""
ALIVE_SECONDS = 30
"""A correlator that did not say for so long that it runs is taken for dead: six of its heartbeats are missing."""


def is_alive(beat: Beat, now: datetime) -> bool:
    """Return whether the process of a heartbeat is taken for one that runs."""
    return now.timestamp() - beat.at / 1_000_000 <= ALIVE_SECONDS


class Heartbeats:
    """Writes the heartbeat of one process."""

    def __init__(self, engine: AsyncEngine, process: str) -> None:
        self._engine, self._process = engine, process

    async def beat(self, at: int, behind: int, *, partitions: Iterable[str] = (), committed: int | None = None) -> None:
        """Say that the process runs at a moment, what it holds and when it last committed. Raises StoreDown."""
        values = {
            "process": self._process,
            "at": at,
            "behind": behind,
            "partitions": " ".join(sorted(partitions)),
            "committed": committed,
        }

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(delete(HEARTBEAT).where(HEARTBEAT.c.process == self._process))
            await connection.execute(delete(HEARTBEAT).where(HEARTBEAT.c.at < at - FORGOTTEN))
            await connection.execute(HEARTBEAT.insert().values(values))

        await self._write(write)

    async def end(self) -> None:
        """Take the process's row away: it ends on purpose. Raises StoreDown."""

        async def write(connection: AsyncConnection) -> None:
            await connection.execute(delete(HEARTBEAT).where(HEARTBEAT.c.process == self._process))

        await self._write(write)

    async def _write(self, statements: Statements) -> None:
        try:
            async with self._engine.connect() as connection:
                if self._engine.dialect.name == "sqlite":
                    await connection.exec_driver_sql("BEGIN IMMEDIATE")
                await statements(connection)
                await connection.commit()
        except DATABASE as error:
            raise StoreDown(f"the store cannot be written: {words_of(error)}") from error


async def latest(connection: AsyncConnection) -> list[Beat]:
    """All heartbeats, the last one first."""
    rows = await connection.execute(select(HEARTBEAT).order_by(HEARTBEAT.c.at.desc(), HEARTBEAT.c.process))
    return [Beat(row.process, row.at, row.behind, tuple(row.partitions.split()), row.committed) for row in rows]
