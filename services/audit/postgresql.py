"""A log in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.audit.chain import Known, Sealed
from services.audit.rows import COLUMNS, AuditBroken, Entry, Row
from services.audit.tables import (
    AUDIT,
    ELSEWHERE,
    METADATA,
    POSTGRESQL,
    POSTGRESQL_COLUMNS,
    POSTGRESQL_IS,
    POSTGRESQL_KIND,
    postgresql_wrong,
)

_LOCK = 0x61756469
_PAGE = 1_000


class PostgresqlChain:
    """See `Chain`. Of an engine for reading the server refuses all else."""

    def __init__(self, engine: AsyncEngine, known: Known, sealed: Sealed) -> None:
        self._engine, self._known, self._sealed = engine, known, sealed

    async def prepare(self, first: Row) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            columns = [row[0] for row in await connection.execute(text(POSTGRESQL_COLUMNS))]
            if columns and columns != list(COLUMNS):
                raise AuditBroken(f"this is a log of another version: {ELSEWHERE}")
            if not columns:
                await connection.run_sync(METADATA.create_all)
                for statement in POSTGRESQL:
                    await connection.execute(text(statement))
                await connection.execute(insert(AUDIT), [asdict(first)])
            await connection.commit()

    async def append(self, entries: Sequence[Entry], *, keep: bool) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            newest = select(func.max(AUDIT.c.sequence)).scalar_subquery()
            known = select(AUDIT).where(AUDIT.c.sequence.in_([self._known.sequence, newest]))
            last = self._known.behind(Row(*row) for row in await connection.execute(known))
            rows = self._sealed(entries, *last)
            if rows:
                written = insert(AUDIT).returning(AUDIT.c.sequence)
                if len((await connection.execute(written, [asdict(row) for row in rows])).all()) != len(rows):
                    raise AuditBroken("rows that are written do not stay: something in the database takes them away")
            await (connection.commit() if keep else connection.rollback())
        if keep and rows:
            last = rows[-1].sequence, rows[-1].hash
        self._known.take(*last)

    async def seals(self, sequences: Sequence[int]) -> dict[int, str]:
        newest = select(func.max(AUDIT.c.sequence)).scalar_subquery()
        wanted = or_(AUDIT.c.sequence.in_(sequences), AUDIT.c.sequence == newest)
        async with self._engine.connect() as connection:
            return {
                row[0]: row[1] for row in await connection.execute(select(AUDIT.c.sequence, AUDIT.c.hash).where(wanted))
            }

    async def rows(self) -> AsyncGenerator[Row]:
        async with self._engine.connect() as connection:
            one_state = await connection.execution_options(isolation_level="REPEATABLE READ")
            after = -1
            while page := (await one_state.execute(_page(after))).all():
                for row in page:
                    yield Row(**row._mapping)
                after = page[-1].sequence

    async def wrong(self) -> list[str]:
        async with self._engine.connect() as connection:
            kind = (await connection.execute(text(POSTGRESQL_KIND))).first()
            triggers = [tuple(row) for row in await connection.execute(text(POSTGRESQL_IS))]
            return postgresql_wrong(None if kind is None else tuple(kind), triggers)

    async def close(self) -> None:
        await self._engine.dispose()


def _page(after: int) -> Select[Any]:
    return (
        select(*(AUDIT.c[name] for name in COLUMNS))
        .where(AUDIT.c.sequence > after)
        .order_by(AUDIT.c.sequence)
        .limit(_PAGE)
    )
