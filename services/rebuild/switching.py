"""The switch: the new edition becomes the live one, in one transaction, while everybody goes on reading.

    follow      the new edition is taken close to where the live one is, and changes are numbered as there
    lock        no transaction of the live edition is under way any more, and none begins; readers notice nothing
    meet        the new edition is taken to the very point of the live one
    carry over  what was told last, and what the outbox still holds
    commit      the home names the new edition: from here on writers of the old one are fenced

Killed before the commit, the live edition is what it was, and the switch is begun anew; killed behind it, nothing is
left to be done. On PostgreSQL all of it is one transaction. On SQLite the new edition's file is committed first, and
the home last: killed in between, the next attempt first undoes what was carried over (`_undo`), and begins anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services import failpoints
from services.domain.facts import MICRO
from services.engines import DATABASE
from services.rebuild.builder import PAUSE_SECONDS, Builder
from services.rebuild.carry_over import Carried, carry_over, number_alike, work_of
from services.rebuild.catching_up import PATIENCE_SECONDS, Stopped, Waiting, no_correlator, reached
from services.rebuild.changes import untold
from services.rebuild.target import NewStore, NoRebuild
from services.retry import wait
from services.store import Store
from services.store.contract import Incomplete, StoreDown
from services.store.editions import FIRST, LIVE_LOCK, Home, State, file_of, home_schema
from services.store.errors import words_of
from services.store.postgres import RESOLVING, Crowd, PostgresTransaction, lock_of
from services.store.sqlite import SqliteTransaction
from services.store.tables import METADATA
from services.store.writer import Transaction

CLOSE = 2_000
"""So many messages may be left to be read while writers wait; with more the switch first follows on."""
LONG_SECONDS = 3_600.0
"""A statement over a whole view may take so long."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switch came to."""

    edition: int
    before: int  # the edition that was live
    held: int  # pools whose persons were told something else last; told at once if that was asked for
    due: int  # pools whose answers time had changed, and are told at once
    seconds: float  # so long writers waited


class _Hands(Protocol):
    """What a database does in a switch; a `carrying.Carrier` as well."""

    live: str
    differs: str
    tx: Transaction

    async def rows(self, statement: str) -> list[tuple[Any, ...]]: ...

    async def run(self, statement: str) -> int: ...

    async def lock_live(self) -> None:
        """Wait until no transaction of the live edition is under way; none begins until the end."""

    async def begin(self) -> None:
        """Begin to write the new edition, alone."""

    async def commit(self, at: int) -> None:
        """Make the new edition the live one, at a moment (microseconds)."""


async def switch(
    new: NewStore,
    live: Store,
    builder: Builder,
    clock: Callable[[], datetime],
    *,
    tell: bool,
    patience: float = PATIENCE_SECONDS,
) -> Switched:
    """Make the new edition the live one. With `tell` persons whose answer is another one are told so at once.

    Raises NoRebuild, Incomplete, Stopped, BusDown, StoreDown: then the live edition is what it was.
    """
    loop = asyncio.get_running_loop()
    waiting = Waiting(patience)
    await _undo(builder, clock)
    await _follow(live, builder, waiting)
    async with _hands(new, live, builder.store) as hands:
        await hands.begin()
        await number_alike(hands)
        await hands.run("COMMIT")
    await analyse(builder.store)
    while not builder.stop.is_set():
        await _follow(live, builder, waiting)
        async with _hands(new, live, builder.store) as hands:
            began = loop.time()
            await hands.lock_live()
            await failpoints.reach("switch.locked")
            point, backlog = await live.reads.positions(), await live.reads.backlog()
            left = sum(_left(point, await builder.position()).values())
            if backlog == 0 and left <= CLOSE and reached(point, await builder.position()):
                await builder.to(point)
                if builder.stop.is_set():
                    break
                if quarantined := await builder.store.reads.quarantined(confidential=True):
                    raise Incomplete(quarantined)
                await hands.begin()
                carried = await _carried(hands, clock, tell=tell)
                await failpoints.reach("switch.carried")
                await hands.commit(int(clock().timestamp() * MICRO))
                await failpoints.reach("switch.committed")
                waited = loop.time() - began
                return Switched(new.number, live.edition, len(carried.held), len(carried.due), waited)
        if waiting.still((point, backlog)):
            raise no_correlator()
        await wait(PAUSE_SECONDS, builder.stop)
    raise Stopped


async def _follow(live: Store, builder: Builder, waiting: Waiting) -> None:
    """Take the new edition close to where the live one is, while that goes on. Raises NoRebuild, Stopped."""
    while not builder.stop.is_set():
        point, backlog = await live.reads.positions(), await live.reads.backlog()
        mine = await builder.position()
        if sum(_left(point, mine).values()) > CLOSE:
            await builder.to(point)
        elif backlog == 0 and reached(point, mine):
            return
        elif waiting.still((point, backlog)):
            raise no_correlator()
        else:
            await wait(PAUSE_SECONDS, builder.stop)
    raise Stopped


def _left(point: dict[tuple[str, int], int], mine: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """How many messages lie between two points, by partition."""
    return {part: max(0, end - mine.get(part, 0)) for part, end in point.items()}


async def _carried(hands: _Hands, clock: Callable[[], datetime], *, tell: bool) -> Carried:
    carried = await carry_over(hands, int(clock().timestamp()))
    for blob in work_of(carried.held | carried.due if tell else carried.due):
        await hands.tx.add_work(blob, compared=True)
    return carried


async def _undo(builder: Builder, clock: Callable[[], datetime]) -> None:
    """Have the new edition say again what it answers itself, where a switch was killed between its two commits."""
    home = Home(builder.store.engine)  # of SQLite the new edition's own table, which nobody else reads
    if not any(each.state is State.CARRIED for each in await home.all()):
        return
    now = int(clock().timestamp())
    pools = await untold(builder.store, now)
    async with builder.store.writer.begin() as tx:
        for blob in work_of(pools):
            await tx.add_work(blob, compared=True)
    await builder.rest()
    await home.forget(State.CARRIED)


@asynccontextmanager
async def _hands(new: NewStore, live: Store, store: Store) -> AsyncIterator[_Hands]:
    """The database's way; what was not committed is rolled back. Raises StoreDown."""
    try:
        if store.engine.dialect.name == "postgresql":
            async with _postgres(new, live, store) as hands:
                yield hands
        else:
            async with _sqlite(new, live, store) as hands:
                yield hands
    except DATABASE as error:
        raise StoreDown(f"the switch was not made: {words_of(error)}") from error  # its own text may quote a row


class _Postgres:
    """Everything by one connection and in one transaction of PostgreSQL."""

    differs = "IS DISTINCT FROM"

    def __init__(self, raw: Any, new: NewStore, home: str, live: str) -> None:
        self._raw = raw
        self._new = new
        self._home = home
        self.live = live
        self.tx: Transaction = PostgresTransaction(raw, Crowd(), 0, new.number)

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self._raw.fetch(statement, timeout=LONG_SECONDS)]

    async def run(self, statement: str) -> int:
        *_, last = (await self._raw.execute(statement, timeout=LONG_SECONDS)).split()
        return int(last) if last.isdigit() else 0

    async def lock_live(self) -> None:
        await self._raw.execute("BEGIN")
        await self._raw.execute(f"SELECT pg_advisory_xact_lock({LIVE_LOCK})")

    async def begin(self) -> None:
        if not self._raw.is_in_transaction():
            await self._raw.execute("BEGIN")
        await self._raw.execute("SET LOCAL enable_seqscan = on; SET LOCAL work_mem = '128MB'")
        await self._raw.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await self._raw.execute(f"SELECT pg_advisory_xact_lock({lock_of(RESOLVING, self._new.number)})")

    async def commit(self, at: int) -> None:
        done = await self._raw.execute(
            f"UPDATE {self._home}edition SET state = 'live', switched = {at}"  # noqa: S608 - numbers of our own
            f" WHERE number = {self._new.number} AND state = 'building'"
        )
        if done != "UPDATE 1":
            raise NoRebuild("the rebuild was given up or switched by somebody else meanwhile")
        await self._raw.execute(
            f"UPDATE {self._home}edition SET state = 'old'"  # noqa: S608 - the same
            f" WHERE state = 'live' AND number <> {self._new.number}"
        )
        await self._raw.execute("COMMIT")


@asynccontextmanager
async def _postgres(new: NewStore, live: Store, store: Store) -> AsyncIterator[_Postgres]:
    async with live.engine.connect() as connection:
        schema = await home_schema(connection)
    async with live.home.engine.connect() as connection:
        home = await home_schema(connection)
    async with store.engine.connect() as held:
        raw: Any = (await held.get_raw_connection()).driver_connection
        try:
            yield _Postgres(raw, new, f'"{home}".', f'"{schema}".')
        finally:
            if raw.is_in_transaction():
                await raw.execute("ROLLBACK")


class _Sqlite:
    """Two connections: one holds the lock of the live edition, one writes the new edition and reads the live one."""

    differs = "IS NOT"
    live = "live."

    def __init__(self, raw: Any, locked: Any, home: Any, new: NewStore) -> None:
        self._raw, self._locked, self._home = raw, locked, home
        self._new = new
        self.tx: Transaction = SqliteTransaction(raw, 0)

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with self._raw.execute(statement) as cursor:
            return [tuple(row) for row in await cursor.fetchall()]

    async def run(self, statement: str) -> int:
        async with self._raw.execute(statement) as cursor:
            return int(cursor.rowcount)

    async def lock_live(self) -> None:
        await self._locked.execute("BEGIN IMMEDIATE")

    async def begin(self) -> None:
        # not IMMEDIATE, which would ask for the lock of the live edition as well: the first statement takes our own
        await self._raw.execute("BEGIN")
        await self._raw.execute("UPDATE position SET epoch = epoch")

    async def commit(self, at: int) -> None:
        carried = (self._new.number, State.CARRIED)
        await self._raw.execute("INSERT OR REPLACE INTO edition (number, state) VALUES (?, ?)", carried)
        await self._raw.execute("COMMIT")
        await failpoints.reach("switch.written")
        if self._home is not self._locked:
            await self._home.execute("BEGIN IMMEDIATE")
        async with self._home.execute(
            "UPDATE edition SET state = 'live', switched = ? WHERE number = ? AND state = 'building'",
            (at, self._new.number),
        ) as cursor:
            if cursor.rowcount != 1:
                raise NoRebuild("the rebuild was given up or switched by somebody else meanwhile")
        await self._home.execute(
            "UPDATE edition SET state = 'old' WHERE state = 'live' AND number <> ?", (self._new.number,)
        )
        await self._home.execute("COMMIT")


@asynccontextmanager
async def _sqlite(new: NewStore, live: Store, store: Store) -> AsyncIterator[_Sqlite]:
    async with store.engine.connect() as held, live.engine.connect() as locking, live.home.engine.connect() as homing:
        raw: Any = (await held.get_raw_connection()).driver_connection
        locked: Any = (await locking.get_raw_connection()).driver_connection
        home: Any = locked if live.edition == FIRST else (await homing.get_raw_connection()).driver_connection
        await raw.execute("ATTACH DATABASE ? AS live", (str(file_of(new.url, live.edition)),))
        try:
            yield _Sqlite(raw, locked, home, new)
        finally:
            for each in (raw, locked, home):
                if each.in_transaction:
                    await each.rollback()
            await raw.execute("DETACH DATABASE live")


async def analyse(store: Store) -> None:
    """Have a database know how large the tables of an edition are, so that it plans well from the first look-up on."""
    if store.engine.dialect.name != "postgresql":
        return
    try:
        async with store.engine.connect() as held:
            raw: Any = (await held.get_raw_connection()).driver_connection
            for table in METADATA.sorted_tables:
                await raw.execute(f'ANALYZE "{table.name}"')
    except DATABASE as error:
        raise StoreDown(f"the store cannot be analysed: {words_of(error)}") from error
