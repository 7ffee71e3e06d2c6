"""A reader in pages has the database read of each page what is in it: what a whole view costs grows with its rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from statistics import mean
from typing import Any

import asyncpg
import orjson
import pytest
from sqlalchemy import FromClause, event, union_all

import services.store.reads as reads_module
from services.store import Store, open_store
from services.store.tables import BLOCKS

pytestmark = pytest.mark.postgres

ROWS = 24_000
PAGE = 500
SAMPLED = 12
MOST = 20.0
"""Rows that may be read for one: what stands beside it is read as well, never a whole table for each page."""
READINGS: dict[str, Callable[[Store], AsyncIterator[object]]] = {
    "view": lambda store: store.reads.view(),
    "confidential view": lambda store: store.reads.view(confidential=True),
    "histories": lambda store: store.reads.histories(),
    "announcements": lambda store: store.reads.announcements("person"),
    "pools": lambda store: store.reads.all_pools(),
    "pools of several": lambda store: store.reads.pools_of_several(),
    "claims": lambda store: store.reads.claims_by_block(range(len(BLOCKS))),
}


async def filled(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    """Two persons a pool, every tenth pool with an open one, and a claim for each person in blocks of three."""
    blocks = ", ".join(BLOCKS)
    numbers = f"generate_series(1, {ROWS}) AS i"
    person = "(person, pool, sequence, doc)"
    await connection.execute(f"""
        INSERT INTO person {person} SELECT decode(md5(i::text), 'hex'), i / 2, 1, '\\x00' FROM {numbers};
        INSERT INTO pool SELECT i, '\\x00' FROM generate_series(0, {ROWS // 2}) AS i;
        INSERT INTO open_pool SELECT i, '\\x00' FROM generate_series(0, {ROWS // 2}, 10) AS i;
        INSERT INTO open_person {person} SELECT person, pool, 1, '\\x00' FROM person WHERE pool % 10 = 0;
        INSERT INTO claim (claim, pool, known, {blocks}, features)
            SELECT i, i / 2, 0, {", ".join(["1 + i / 3"] * len(BLOCKS))}, '\\x00' FROM {numbers};
        ANALYZE""")


def rows_read(plan: dict[str, Any]) -> Iterator[float]:
    """What each scan of a plan read."""
    if "Relation Name" in plan:
        yield plan["Actual Loops"] * (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    for part in plan.get("Plans", ()):
        yield from rows_read(part)


async def read_for_a_row(url: str, name: str) -> float:
    """Read a whole store, and return how many rows the database read for each that there is."""
    store = await open_store(url)
    statements: list[tuple[str, tuple[Any, ...]]] = []
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    await filled(connection)
    engine = store.reads._engine.sync_engine  # what it sends is looked at and not changed

    @event.listens_for(engine, "before_cursor_execute")
    def _(_connection: object, _cursor: object, statement: str, parameters: tuple[Any, ...], *_rest: object) -> None:
        if "LIMIT" in statement:
            statements.append((statement, parameters))

    count = 0
    async for _ in READINGS[name](store):
        count += 1
    await store.close()
    assert count >= ROWS / 3
    assert len(statements) > count / PAGE
    read = []
    for statement, parameters in statements[:: max(1, len(statements) // SAMPLED)]:
        row = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *parameters)
        read.append(sum(rows_read(orjson.loads(row)[0]["Plan"])))
    await connection.close()
    return mean(read) * len(statements) / max(count, ROWS)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads_module, "PAGE", PAGE)
    monkeypatch.setattr(reads_module, "unpack_pool", lambda blob: blob)


@pytest.mark.law(1, "a reader in pages costs what is read: no page has the database go through all rows")
@pytest.mark.parametrize("name", READINGS)
async def test_a_page_reads_what_is_in_it(postgres: str, name: str) -> None:
    assert await read_for_a_row(postgres, name) <= MOST


def whole(queries: list[Any]) -> FromClause:
    """A page over the union of queries that are not bounded."""
    return union_all(*(query.order_by(None) for query in queries)).subquery()


@pytest.mark.law(1, planted="pages of a union whose parts are not bounded")
@pytest.mark.parametrize("name", ["view", "histories"])
async def test_pages_over_a_whole_union_are_seen(postgres: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads_module, "_first_of", whole)

    assert await read_for_a_row(postgres, name) > MOST
