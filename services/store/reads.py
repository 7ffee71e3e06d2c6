"""Reading a store, the same statements on both databases."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.domain.caps import Rank
from services.domain.coverage import Coverage, coverage_of_joined
from services.domain.pools import Pool
from services.engines import DATABASE
from services.store.contract import CONFIDENTIAL, Beat, Snapshot, StoreDown
from services.store.coverage import JOINED, JoinedRow, by_source, coverage_of_rows
from services.store.errors import words_of
from services.store.heartbeats import latest
from services.store.packing import unpack_pool
from services.store.snapshot import Snapshots, snapshots_of
from services.store.tables import (
    ALIAS,
    BLOCKS,
    CAPPED_KEY,
    CHANGE,
    CLAIM,
    COVERAGE,
    KEY,
    METADATA,
    OPEN_CAPPED_KEY,
    OPEN_PERSON,
    OPEN_POOL,
    PERSON,
    POOL,
    POSITION,
    QUARANTINE,
    WORK,
)
from services.store.writer import ClaimRow, View

PAGE = 1_000
_LIST = 10_000
"""So many values at most in one statement's list."""


def _all_open(table: Table) -> ColumnElement[bool]:
    """Of rows whose pool holds nothing confidential; counted row by row: a join would read all open pools."""
    return select(func.count()).where(OPEN_POOL.c.pool == table.c.pool).scalar_subquery() < 1


_OPENED = select(OPEN_POOL.c.blob).where(OPEN_POOL.c.blob.is_not(None))
_JOINED_THEN = text(JOINED.format(condition="known <= :known"))


class SqlReads:
    """See `services.store.contract.Reads`."""

    def __init__(self, engine: AsyncEngine, held: AsyncConnection | None = None) -> None:
        self._engine = engine
        self._held = held  # in the state of whose transaction everything is read
        self._snapshots = snapshots_of(engine)
        self.moved: Callable[[], Awaitable[bool]] | None = None
        """Asked where a look-up failed: whether these reads went over to another edition in between."""

    async def close(self) -> None:
        """Let go of the connections that the engine does not hold."""
        await self._snapshots.close()

    def go_over(self, engine: AsyncEngine) -> Snapshots:
        """Read from another edition from now on; what is under way ends where it began. Return what is to be closed."""
        before, self._engine, self._snapshots = self._snapshots, engine, snapshots_of(engine)
        return before

    async def snapshot(self, key: int, known_at: int | None = None, *, confidential: bool = False) -> Snapshot:
        if self._held is None:
            try:
                return await self._snapshots.read(key, known_at, confidential=confidential)
            except StoreDown:
                if self.moved is None or not await self.moved():
                    raise
                return await self._snapshots.read(key, known_at, confidential=confidential)
        pools, coverage = await self.pools([key], confidential=confidential), await self.coverage(known_at)
        return Snapshot(
            pools,
            coverage,
            await self.cutoffs(confidential=confidential),
            await self.known_through(confidential=confidential),
        )

    @asynccontextmanager
    async def one_state(self) -> AsyncIterator[SqlReads]:
        if self._held is not None:
            yield self
            return
        async with self._connect() as connection:
            if self._engine.dialect.name == "postgresql":
                await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                # a reader may pause for longer than a writer may
                await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            else:
                await connection.execute(text("BEGIN"))
            await connection.execute(select(POSITION.c.topic).limit(1))  # the first reading fixes the state
            yield SqlReads(self._engine, connection)

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection]:
        if self._held is not None:
            yield self._held
            return
        try:
            async with self._engine.connect() as connection:
                yield connection
        except DATABASE as error:
            raise StoreDown(f"the store cannot be read: {words_of(error)}") from error

    async def pools(self, keys: Sequence[int], *, confidential: bool = False) -> list[Pool]:
        async with self._connect() as connection:
            path = await _path(connection, keys)
            queries = [select(POOL.c.blob)] if confidential else [select(POOL.c.blob).where(_all_open(POOL)), _OPENED]
            columns = (POOL.c.pool, OPEN_POOL.c.pool)
            return [
                unpack_pool(row[0])
                for query, column in zip(queries, columns, strict=False)
                for row in await _among(connection, query, column, sorted(path))
            ]

    async def cutoffs(self, *, confidential: bool = False) -> dict[int, Rank]:
        cutoffs: dict[int, Rank] = {}
        async with self._connect() as connection:
            for table in (CAPPED_KEY,) if confidential else (CAPPED_KEY, OPEN_CAPPED_KEY):
                rows = await connection.execute(select(table.c.key, table.c.cutoff_known, table.c.cutoff_claim))
                for key, known, claim in rows:
                    if known is None:
                        cutoffs.pop(key, None)
                    else:
                        cutoffs[key] = (known, claim)
        return cutoffs

    async def coverage(self, known_at: int | None = None) -> Coverage:
        async with self._connect() as connection:
            if known_at is None:
                rows = await connection.execute(select(COVERAGE.c.system, COVERAGE.c.scope, COVERAGE.c.stretches))
                return coverage_of_rows(frozenset(JoinedRow(*row) for row in rows))
            stretches = await connection.execute(_JOINED_THEN, {"known": known_at})
            return coverage_of_joined(by_source((row[0], row[1], row[2], row[3]) for row in stretches))

    async def known_through(self, *, confidential: bool = False) -> int | None:
        column = POSITION.c.known if confidential else POSITION.c.open_known
        async with self._connect() as connection:
            known = (await connection.execute(select(func.max(column)))).scalar()
        return int(known) if known else None

    async def person(self, person: bytes, *, confidential: bool = False) -> tuple[str | None, bytes] | None:
        arms = _view("code", "doc", confidential=confidential)
        async with self._connect() as connection:
            row = (await connection.execute(union_all(*(query.where(key == person) for query, key in arms)))).first()
        return None if row is None else (row[0], row[1])

    async def view(self, *, confidential: bool = False) -> AsyncGenerator[tuple[bytes, str | None, bytes], None]:
        """The view as rows, sorted by person: person, outcome told last, canonical history."""
        arms = _view("person", "code", "doc", confidential=confidential)
        async with aclosing(self._pages(*arms)) as rows:
            async for row in rows:
                yield row[0], row[1], row[2]

    async def announcements(self, view: View) -> AsyncGenerator[tuple[int, str | None, bytes | None], None]:
        """Of each row of a view its pool, the digest of the answer told last, and its history."""
        table = METADATA.tables[view].c
        query = select(table.person, table.pool, table.announced, table.doc)
        async with aclosing(self._pages((query, table.person))) as rows:
            async for row in rows:
                yield row[1], row[2], row[3]

    async def histories(self, *, confidential: bool = False) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._pages(*_view("person", "doc", confidential=confidential))) as rows:
            async for row in rows:
                yield row[1]

    async def all_pools(self, *, confidential: bool = False) -> AsyncGenerator[Pool, None]:
        queries = [(select(POOL.c.pool, POOL.c.blob), POOL.c.pool)]
        if not confidential:
            opened = select(OPEN_POOL.c.pool, OPEN_POOL.c.blob).where(OPEN_POOL.c.blob.is_not(None))
            queries = [(queries[0][0].where(_all_open(POOL)), POOL.c.pool), (opened, OPEN_POOL.c.pool)]
        async with self.one_state() as state:
            for query, key in queries:
                async with aclosing(state._pages((query, key))) as rows:
                    async for row in rows:
                        yield unpack_pool(row[1])

    async def pools_of_several(self, *, confidential: bool = False) -> AsyncGenerator[tuple[str, Pool], None]:
        # found person by person as the pages go; a list of all such pools would be made anew for each page
        whole = _firsts_of_several(PERSON, POOL)
        arms = [(whole, PERSON.c.person)]
        if not confidential:
            opened = _firsts_of_several(OPEN_PERSON, OPEN_POOL)
            arms = [(whole.where(_all_open(PERSON)), PERSON.c.person), (opened, OPEN_PERSON.c.person)]
        async with aclosing(self._pages(*arms)) as rows:
            async for row in rows:
                yield row.person.hex(), unpack_pool(row.blob)

    async def claims_by_block(self, places: Sequence[int]) -> AsyncGenerator[tuple[int, ClaimRow], None]:
        table = CLAIM.c
        columns = [table[name] for name in ClaimRow._fields]
        last: tuple[int, int, int] | None = None
        async with self.one_state() as state, state._connect() as connection:
            while True:
                arms = []
                for place in places:
                    block = table[BLOCKS[place]]
                    arm = select(literal(place).label("place"), block.label("block"), *columns).where(block != 0)
                    if last is not None:
                        here, there = tuple_(block, table.claim), tuple_(*last[:2])
                        arm = arm.where(here >= there if place > last[2] else here > there)
                    arms.append(arm.order_by(block, table.claim))
                every = _first_of(arms)
                order = (every.c.block, every.c.claim, every.c.place)
                rows = (await connection.execute(select(every).order_by(*order).limit(PAGE))).all()
                for _, block, *row in rows:
                    yield block, ClaimRow(*row)
                if len(rows) < PAGE:
                    return
                last = (rows[-1].block, rows[-1].claim, rows[-1].place)

    async def claims_of_blocks(self, blocks: Sequence[int]) -> list[ClaimRow]:
        """Return the claims that stand in any of the blocks, each once."""
        rows: dict[int, ClaimRow] = {}
        query = select(*(CLAIM.c[name] for name in ClaimRow._fields))
        async with self._connect() as connection:
            for name in BLOCKS:
                held = await _among(connection, query.where(CLAIM.c[name] != 0), CLAIM.c[name], blocks)
                rows |= {row.claim: ClaimRow(*row) for row in held}
        return list(rows.values())

    async def awaiting(self, stretches: Sequence[tuple[int, int]], now: int, *, confidential: bool = False) -> int:
        """Return for how many persons whose period is over one of the stretches (seconds) would vouch."""
        if not stretches:
            return 0
        persons = [PERSON] if confidential else [PERSON, OPEN_PERSON]
        total = 0
        async with self._connect() as connection:
            for table in persons:
                within = or_(
                    *(
                        and_(table.c.awaits <= through, table.c.awaits_from >= since, table.c.awaits <= now)
                        for since, through in stretches
                    )
                )
                query = select(func.count()).select_from(table).where(table.c.doc.is_not(None), within)
                if not confidential and table is PERSON:
                    query = query.where(~exists().where(OPEN_POOL.c.pool == PERSON.c.pool))
                total += int((await connection.execute(query)).scalar_one())
        return total

    async def _pages(self, *arms: tuple[Select[Any], Any]) -> AsyncGenerator[Any, None]:
        """The rows of all queries together, in the order of their keys, which are their first columns.

        Each query is bounded by itself, so that the database goes along an index and reads of each page what is in it;
        over a union it would sort all rows anew for every page.
        """
        last = None
        async with self.one_state() as state, state._connect() as connection:
            while True:
                bounded = [(query if last is None else query.where(key > last)).order_by(key) for query, key in arms]
                first = _first_of(bounded)
                rows = (await connection.execute(select(first).order_by(first.c[0]).limit(PAGE))).all()
                for row in rows:
                    yield row
                if len(rows) < PAGE:
                    return
                last = rows[-1][0]

    async def quarantined(self, *, confidential: bool = False) -> dict[int, str]:
        async with self._connect() as connection:
            rows = (await connection.execute(select(QUARANTINE.c.pool, QUARANTINE.c.why))).all()
        return {row[0]: row[1] for row in rows if confidential or not row[1].startswith(CONFIDENTIAL)}

    async def quarantined_at(self, keys: Sequence[int]) -> set[str]:
        """Return where the program failed at the pools of keys; nothing where it did not."""
        async with self._connect() as connection:
            path = sorted(await _path(connection, keys))
            rows = await _among(connection, select(QUARANTINE.c.why), QUARANTINE.c.pool, path)
        return {row[0] for row in rows}

    async def sorted_work(self) -> int:
        """Rows of work that are sorted by shard, to be resolved by several correlators at the same time."""
        async with self._connect() as connection:
            return int((await connection.execute(select(func.count(WORK.c.shard)))).scalar_one())

    async def backlog(self) -> int:
        async with self._connect() as connection:
            return int((await connection.execute(select(func.count()).select_from(WORK))).scalar_one())

    async def outcomes(self) -> dict[str | None, int]:
        """Return how many persons of the view were last told each outcome; None for those who have none."""
        query = select(PERSON.c.code, func.count()).where(PERSON.c.doc.is_not(None)).group_by(PERSON.c.code)
        async with self._connect() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    async def veiled(self) -> int:
        """Return how many pools hold what the law keeps confidential."""
        async with self._connect() as connection:
            return int((await connection.execute(select(func.count()).select_from(OPEN_POOL))).scalar_one())

    async def overdue(self, before: int) -> int:
        """Return how many answers should have changed by themselves before a second."""
        query = select(func.count()).where(PERSON.c.next_change_at < before)
        async with self._connect() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def heartbeats(self) -> list[Beat]:
        async with self._connect() as connection:
            return await latest(connection)

    async def undelivered(self) -> int:
        """Rows of the outbox not yet delivered."""
        async with self._connect() as connection:
            return int((await connection.execute(select(func.count()).select_from(CHANGE))).scalar_one())

    async def positions(self) -> dict[tuple[str, int], int]:
        """(topic, partition) -> next position to read."""
        async with self._connect() as connection:
            rows = await connection.execute(select(POSITION.c.topic, POSITION.c.part, POSITION.c.next))
            return {(row[0], row[1]): row[2] for row in rows}

    async def ping(self) -> None:
        async with self._connect() as connection:
            await connection.execute(select(1))


async def _path(connection: AsyncConnection, keys: Sequence[int]) -> set[int]:
    """Return the pools in which the keys were founded, and all that these were merged into.

    An alias may be committed while its work waits: with the whole path no fact is missed.
    """
    fresh = {row[0] for row in await _among(connection, select(KEY.c.pool), KEY.c.key, keys)}
    path = set(fresh)
    while fresh:
        rows = await _among(connection, select(ALIAS.c.loser, ALIAS.c.winner), ALIAS.c.loser, sorted(fresh))
        fresh = {row[1] for row in rows} - path
        path |= fresh
    return path


def _view(*columns: str, confidential: bool) -> list[tuple[Select[Any], Any]]:
    """Queries that together give the persons that stand in a view, each with its key, the person."""
    stands = select(*(PERSON.c[name] for name in columns)).where(PERSON.c.doc.is_not(None))
    if confidential:
        return [(stands, PERSON.c.person)]
    others = select(*(OPEN_PERSON.c[name] for name in columns)).where(OPEN_PERSON.c.doc.is_not(None))
    return [(stands.where(_all_open(PERSON)), PERSON.c.person), (others, OPEN_PERSON.c.person)]


def _first_of(queries: Sequence[Select[Any]]) -> FromClause:
    """The first rows of each of the sorted queries, a page of each."""
    pages = [query.limit(PAGE).subquery() for query in queries]
    return pages[0] if len(pages) == 1 else union_all(*map(select, pages)).subquery()


def _firsts_of_several(persons: Table, pools: Table) -> Select[Any]:
    """The least person of each pool in which several stand, and the pool.

    What stands beside a person is asked for row by row: of joins the database would read all persons for each page.
    """
    other = persons.alias()
    beside = select(func.count()).where(other.c.pool == persons.c.pool, other.c.doc.is_not(None))
    blob = select(pools.c.blob).where(pools.c.pool == persons.c.pool).scalar_subquery()
    return select(persons.c.person, blob.label("blob")).where(
        persons.c.doc.is_not(None),
        beside.where(other.c.person > persons.c.person).scalar_subquery() > 0,
        beside.where(other.c.person < persons.c.person).scalar_subquery() < 1,
    )


async def _among(connection: AsyncConnection, query: Select[Any], column: Any, values: Sequence[int]) -> list[Any]:
    rows: list[Any] = []
    for part in _parts(values):
        rows += (await connection.execute(query.where(column.in_(part)))).all()
    return rows


def _parts(values: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(values), _LIST):
        yield values[start : start + _LIST]
