"""Writing to SQLite: every transaction is BEGIN IMMEDIATE, so there is one writer at a time and nothing to race.

Lists go in as one JSON parameter, because SQLite limits how many parameters a statement may have.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.domain.caps import Rank
from services.domain.coverage import Source, Stretch
from services.store.contract import StoreDown
from services.store.coverage import JOINED, REVISED, CoverageRow, JoinedRow, by_source, pack_stretches, unpack_stretches
from services.store.editions import FIRST, Home, State
from services.store.errors import is_no_store, words_of
from services.store.generation import Generation
from services.store.tables import members_of
from services.store.writer import (
    ClaimRow,
    Conflict,
    Fenced,
    MemberRow,
    Move,
    PersonRow,
    Superseded,
    Transaction,
    View,
    Waiting,
    WorkRow,
)

Fence = Callable[[Any], Awaitable[bool]]
"""Asked with the driver's connection, once the lock is held."""
_PARAMETERS = 500
_NONE = (None, None)
_CLAIM_COLUMNS = ", ".join(ClaimRow._fields)
_MEMBERS = members_of("IN (SELECT value FROM json_each(?{}))")


def fence_of(home: Home, edition: int, state: State) -> Fence:
    """Return what says whether an edition is in a state: read in the home, which may be the written file itself."""

    async def at_home(raw: Any) -> bool:
        async with raw.execute("SELECT 1 FROM edition WHERE number = ? AND state = ?", (edition, state)) as cursor:
            return await cursor.fetchone() is not None

    async def elsewhere(_raw: Any) -> bool:
        return any(each.number == edition and each.state is state for each in await home.all())

    return at_home if edition == FIRST else elsewhere


class SqliteWriter:
    """Transactions on one engine's connections."""

    def __init__(self, engine: AsyncEngine, fence: Fence | None = None, *, silent: bool = False) -> None:
        """`fence`: whether this edition may be written; None: it always may.

        `silent`: the outbox stays empty, for what an edition that is being built would tell is known at the switch.
        """
        self._engine = engine
        self._fence = fence
        self._silent = silent
        self._generation = Generation(engine)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """See `Writer.begin`."""
        try:
            async with self._engine.connect() as held:
                try:
                    async with self._transaction((await held.get_raw_connection()).driver_connection) as tx:
                        yield tx
                except sqlite3.Error as error:
                    if is_no_store(error):
                        await held.invalidate()  # it has pages of what was there
                    raise
        except sqlite3.DatabaseError as error:
            if is_no_store(error):
                raise StoreDown(f"SQLite: {words_of(error)}") from error
            if not isinstance(error, sqlite3.OperationalError):
                raise
            if "locked" in str(error) or "busy" in str(error):
                raise Conflict(str(error)) from error
            raise StoreDown(f"SQLite: {error}") from error
        except DBAPIError as error:
            raise StoreDown(f"SQLite: {words_of(error)}") from error

    @asynccontextmanager
    async def _transaction(self, raw: Any) -> AsyncIterator[Transaction]:
        if raw is None:
            raise StoreDown("the pool gave no connection")
        await raw.execute("BEGIN IMMEDIATE")
        try:
            # a switch holds this lock as well, so nothing is under way when another edition becomes live
            if self._fence is not None and not await self._fence(raw):
                raise Superseded("another edition of the store is live")
            yield SqliteTransaction(raw, self._generation.number, silent=self._silent)
        except BaseException:
            await raw.rollback()
            raise
        await raw.commit()


class SqliteTransaction:
    """See `Transaction`."""

    def __init__(self, raw: Any, generation: int, *, silent: bool = False) -> None:
        self.generation = generation
        self._raw = raw
        self._silent = silent

    async def _rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        async with self._raw.execute(statement, values) as cursor:
            return list(await cursor.fetchall())

    async def _many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        async with self._raw.executemany(statement, rows) as cursor:
            return int(cursor.rowcount)

    async def advance(self, moves: Sequence[Move]) -> None:
        done = await self._many(
            "UPDATE position SET next = ?, known = max(known, ?), open_known = max(open_known, ?), tail = ?"
            " WHERE topic = ? AND part = ? AND epoch = ? AND next = ?",
            [(m.new, m.known, m.open_known, m.tail, m.topic, m.part, m.epoch, m.old) for m in moves],
        )
        if done != len(moves):
            raise Fenced(f"{done} of {len(moves)} positions moved")

    async def keys(self, keys: Sequence[int]) -> dict[int, int]:
        return dict(
            await self._rows(
                "SELECT key, pool FROM key WHERE key IN (SELECT value FROM json_each(?))", json.dumps(keys)
            )
        )

    async def insert_keys(self, rows: Sequence[tuple[int, int]]) -> set[int]:
        if await self._many("INSERT OR IGNORE INTO key (key, pool) VALUES (?, ?)", rows) == len(rows):
            return set()
        stands = await self.keys([key for key, _ in rows])
        return {key for key, pool in rows if stands[key] != pool}

    async def insert_claims(self, rows: Sequence[ClaimRow]) -> None:
        await self._many(
            f"INSERT INTO claim ({_CLAIM_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - names of our own
            rows,
        )

    async def lower_claims(self, rows: Sequence[tuple[int, int]]) -> set[int]:
        done: set[int] = set()
        for claim, known in rows:
            if await self._many("UPDATE claim SET known = ? WHERE claim = ? AND known > ?", [(known, claim, known)]):
                done.add(claim)
        return done

    async def members(self, blocks: Sequence[Sequence[int]]) -> list[MemberRow]:
        return [MemberRow(*row) for row in await self._rows(_MEMBERS, *map(json.dumps, blocks))]

    async def claims(self, claims: Sequence[int]) -> list[ClaimRow]:
        columns = ", ".join("x''" if name == "features" else name for name in ClaimRow._fields)
        rows = await self._rows(
            f"SELECT {columns} FROM claim WHERE claim IN (SELECT value FROM json_each(?))",  # noqa: S608 - names of our own
            json.dumps(claims),
        )
        return [ClaimRow(*row) for row in rows]

    async def features(self, claims: Sequence[int]) -> dict[int, bytes]:
        rows = await self._rows(
            "SELECT claim, features FROM claim WHERE claim IN (SELECT value FROM json_each(?))", json.dumps(claims)
        )
        return {row[0]: row[1] for row in rows}

    async def cutoffs(self) -> dict[int, tuple[int, int]]:
        return {
            row[0]: (row[1], row[2])
            for row in await self._rows("SELECT key, cutoff_known, cutoff_claim FROM capped_key")
        }

    async def lower_cutoffs(self, rows: Sequence[tuple[int, int, int]]) -> None:
        await self._many(
            "INSERT INTO capped_key (key, cutoff_known, cutoff_claim) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"
            " SET cutoff_known = excluded.cutoff_known, cutoff_claim = excluded.cutoff_claim"
            " WHERE (excluded.cutoff_known, excluded.cutoff_claim)"
            " < (capped_key.cutoff_known, capped_key.cutoff_claim)",
            rows,
        )

    async def open_cutoffs(self) -> dict[int, Rank | None]:
        rows = await self._rows("SELECT key, cutoff_known, cutoff_claim FROM open_capped_key")
        return {row[0]: None if row[1] is None else (row[1], row[2]) for row in rows}

    async def replace_open_cutoffs(self, gone: Sequence[int], rows: Sequence[tuple[int, Rank | None]]) -> None:
        away = sorted({*gone, *(key for key, _ in rows)})
        await self._many("DELETE FROM open_capped_key WHERE key = ?", [(key,) for key in away])
        await self._many(
            "INSERT INTO open_capped_key VALUES (?, ?, ?)", [(key, *(rank or _NONE)) for key, rank in rows]
        )

    async def veil_claims(self, rows: Sequence[tuple[int, int | None]]) -> None:
        await self._many("UPDATE claim SET open_known = ? WHERE claim = ?", [(known, claim) for claim, known in rows])

    async def add_refused(self, rows: Sequence[tuple[int, int, int, int]]) -> None:
        await self._many(
            "INSERT INTO refused (key, claim, known, pool) VALUES (?, ?, ?, ?) ON CONFLICT (key, claim) DO UPDATE"
            " SET known = excluded.known WHERE excluded.known < refused.known",
            rows,
        )

    async def refused(self, key: int, limit: int) -> list[tuple[int, int, int]]:
        query = "SELECT known, claim, pool FROM refused WHERE key = ? ORDER BY known, claim LIMIT ?"
        return [(row[0], row[1], row[2]) for row in await self._rows(query, key, limit)]

    async def delete_refused(self, rows: Sequence[tuple[int, int]]) -> None:
        await self._many("DELETE FROM refused WHERE key = ? AND claim = ?", rows)

    async def savepoint(self) -> None:
        await self._raw.execute("SAVEPOINT visabus")

    async def back(self) -> None:
        await self._raw.execute("ROLLBACK TO SAVEPOINT visabus")

    async def aliases(self, pools: Sequence[int]) -> dict[int, int]:
        rows = await self._rows(
            "SELECT loser, winner FROM alias WHERE loser IN (SELECT value FROM json_each(?))", json.dumps(pools)
        )
        return {row[0]: row[1] for row in rows}

    async def insert_aliases(self, rows: Sequence[tuple[int, int]]) -> set[int]:
        done: set[int] = set()
        for row in rows:
            if await self._many("INSERT OR IGNORE INTO alias (loser, winner) VALUES (?, ?)", [row]):
                done.add(row[0])
        return done

    async def add_work(self, blob: bytes, *, compared: bool) -> None:
        await self._raw.execute("INSERT INTO work (compared, blob) VALUES (?, ?)", (compared, blob))

    async def uncompared(self, limit: int) -> list[WorkRow]:
        rows = await self._rows("SELECT id, blob FROM work WHERE NOT compared ORDER BY id LIMIT ?", limit)
        return [WorkRow(*row) for row in rows]

    async def mark_compared(self, ids: Sequence[int]) -> None:
        await self._raw.execute(
            "UPDATE work SET compared = 1 WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
        )

    async def waiting(self) -> Waiting:
        rows = await self._rows(
            "SELECT coalesce(sum(length(blob)) FILTER (WHERE compared AND shard IS NULL), 0), count(shard),"
            " coalesce(sum(length(blob)) FILTER (WHERE NOT compared), 0) FROM work"
        )
        return Waiting(*rows[0])

    async def take_unsorted(self, limit: int) -> list[bytes]:
        return await self._take("shard IS NULL ORDER BY id LIMIT ?", limit)

    async def add_sorted(self, rows: Sequence[tuple[int, bytes]]) -> None:
        await self._many("INSERT INTO work (compared, shard, blob) VALUES (true, ?, ?)", rows)

    async def lock_sorting(self) -> bool:
        return True

    async def take_shard(self) -> tuple[int, list[bytes]] | None:
        (least,) = (await self._rows("SELECT min(shard) FROM work WHERE compared"))[0]
        return None if least is None else (least, await self._take("shard = ? ORDER BY id", least))

    async def _take(self, which: str, *values: object) -> list[bytes]:
        rows = await self._rows(f"SELECT id, blob FROM work WHERE compared AND {which}", *values)  # noqa: S608 - our own
        await self._many("DELETE FROM work WHERE id = ?", [(row[0],) for row in rows])
        return [row[1] for row in rows]

    async def lock_resolving(self) -> None:
        """BEGIN IMMEDIATE has locked out every other writer already."""

    async def share_resolving(self) -> None:
        """BEGIN IMMEDIATE has locked out every other writer already."""

    async def lock_pools(self, pools: Sequence[int]) -> bool:
        return False  # BEGIN IMMEDIATE has locked out every other writer already

    async def lock_firing(self) -> bool:
        return True

    async def take_work(self, limit: int) -> list[bytes]:
        return await self._take("true ORDER BY id LIMIT ?", limit)

    async def pools(self, pools: Sequence[int]) -> dict[int, bytes]:
        rows = await self._rows(
            "SELECT pool, blob FROM pool WHERE pool IN (SELECT value FROM json_each(?))", json.dumps(pools)
        )
        return {row[0]: row[1] for row in rows}

    async def replace_pools(self, gone: Sequence[int], rows: Sequence[tuple[int, bytes]]) -> None:
        await self._many("DELETE FROM pool WHERE pool = ?", [(pool,) for pool in gone])
        await self._many("INSERT INTO pool (pool, blob) VALUES (?, ?)", rows)

    async def open_pools(self, pools: Sequence[int]) -> dict[int, bytes | None]:
        rows = await self._rows(
            "SELECT pool, blob FROM open_pool WHERE pool IN (SELECT value FROM json_each(?))", json.dumps(pools)
        )
        return {row[0]: row[1] for row in rows}

    async def replace_open_pools(self, gone: Sequence[int], rows: Sequence[tuple[int, bytes | None]]) -> None:
        await self._many("DELETE FROM open_pool WHERE pool = ?", [(pool,) for pool in gone])
        await self._many("INSERT INTO open_pool (pool, blob) VALUES (?, ?)", rows)

    async def persons(self, pools: Sequence[int], view: View = "person") -> list[PersonRow]:
        rows = await self._rows(
            "SELECT person, pool, class, citizenship, port, code, period_end, announced, sequence,"  # noqa: S608 - our own
            f" next_change_at, awaits_from, awaits, NULL FROM {view} WHERE pool IN (SELECT value FROM json_each(?))",
            json.dumps(pools),
        )
        return [PersonRow(*row) for row in rows]

    async def docs(self, persons: Sequence[bytes], view: View = "person") -> dict[bytes, bytes]:
        query = f"SELECT person, doc FROM {view} WHERE doc IS NOT NULL AND person IN"  # noqa: S608 - names of our own
        standing: dict[bytes, bytes] = {}
        for some in _parts(persons):
            standing |= {row[0]: row[1] for row in await self._rows(f"{query} ({', '.join('?' for _ in some)})", *some)}
        return standing

    async def replace_persons(self, gone: Sequence[int], rows: Sequence[PersonRow], view: View = "person") -> None:
        await self._many(f"DELETE FROM {view} WHERE pool = ?", [(pool,) for pool in gone])  # noqa: S608 - our own
        await self._many(f"INSERT INTO {view} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608

    async def quarantined(self) -> dict[int, str]:
        return {row[0]: row[1] for row in await self._rows("SELECT pool, why FROM quarantine")}

    async def replace_quarantined(self, gone: Sequence[int], rows: Sequence[tuple[int, str]]) -> None:
        await self._many("DELETE FROM quarantine WHERE pool = ?", [(pool,) for pool in gone])
        await self._many("INSERT INTO quarantine (pool, why) VALUES (?, ?)", rows)

    async def due(
        self, now: int, covered: Sequence[tuple[int, int]], limit: int, view: View = "person"
    ) -> list[PersonRow]:
        rows = await self._rows(
            f"SELECT * FROM {view} WHERE next_change_at <= ? ORDER BY next_change_at, person LIMIT ?",  # noqa: S608
            now,
            limit,
        )
        if len(rows) < limit:
            rows += await self._rows(
                f"SELECT * FROM {view} WHERE (next_change_at IS NULL OR next_change_at > ?) AND EXISTS"  # noqa: S608
                " (SELECT 1 FROM json_each(?) AS c WHERE awaits <= json_extract(c.value, '$[1]')"
                " AND awaits_from >= json_extract(c.value, '$[0]')) AND awaits <= ? ORDER BY awaits, person LIMIT ?",
                now,
                json.dumps(covered),
                max((through for _, through in covered), default=0),
                limit - len(rows),
            )
        return [PersonRow(*row) for row in rows]

    async def move_on(self, rows: Sequence[PersonRow], view: View = "person") -> None:
        await self._many(
            f"UPDATE {view} SET code = ?, announced = ?, sequence = ?, next_change_at = ?, awaits_from = ?,"  # noqa: S608
            " awaits = ? WHERE person = ?",
            [(r.code, r.announced, r.sequence, r.next_change_at, r.awaits_from, r.awaits, r.person) for r in rows],
        )

    async def lock_coverage(self) -> None:
        """BEGIN IMMEDIATE has locked out every other writer already."""

    async def coverage_events(self, ids: Sequence[bytes]) -> set[bytes]:
        standing: set[bytes] = set()
        for some in _parts(ids):
            marks = ", ".join("?" for _ in some)
            statement = f"SELECT id FROM coverage_event WHERE id IN ({marks})"  # noqa: S608 - marks alone
            standing |= {row[0] for row in await self._rows(statement, *some)}
        return standing

    async def add_coverage_events(self, rows: Sequence[CoverageRow]) -> None:
        await self._many(
            "INSERT INTO coverage_event (id, record, system, scope, number, digest, mapping, known, retract, since,"
            " through) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
            " SET known = excluded.known WHERE excluded.known < coverage_event.known",
            rows,
        )

    async def revised_coverage(self, records: Sequence[bytes]) -> set[bytes]:
        revised: set[bytes] = set()
        for some in _parts(records):
            marks = ", ".join("?" for _ in some)
            rows = await self._rows(REVISED.format(condition=f"record IN ({marks})"), *some)
            revised |= {row[0] for row in rows}
        return revised

    async def join_coverage(self, system: str) -> Mapping[Source, Sequence[Stretch]]:
        return by_source(await self._rows(JOINED.format(condition="system = ?"), system))

    async def replace_coverage(self, system: str, sources: Mapping[Source, Sequence[Stretch]]) -> None:
        await self._raw.execute("DELETE FROM coverage WHERE system = ?", (system,))
        rows = [pack_stretches(source, stretches) for source, stretches in sorted(sources.items())]
        await self._many("INSERT INTO coverage (system, scope, stretches) VALUES (?, ?, ?)", rows)

    async def coverage(self) -> dict[Source, tuple[Stretch, ...]]:
        rows = await self._rows("SELECT system, scope, stretches FROM coverage")
        return unpack_stretches(JoinedRow(*row) for row in rows)

    async def add_change(self, blob: bytes, *, confidential: bool = False) -> None:
        if self._silent:
            return
        await self._raw.execute("INSERT INTO change (blob, confidential) VALUES (?, ?)", (blob, confidential))

    async def lock_outbox(self) -> bool:
        return True

    async def changes(self, limit: int) -> list[tuple[int, bytes, bool]]:
        rows = await self._rows("SELECT id, blob, confidential FROM change ORDER BY id LIMIT ?", limit)
        return [(row[0], row[1], bool(row[2])) for row in rows]

    async def delete_changes(self, ids: Iterable[int]) -> None:
        await self._many("DELETE FROM change WHERE id = ?", [(one,) for one in ids])

    async def tails(self) -> dict[tuple[str, int], tuple[int, bytes]]:
        rows = await self._rows("SELECT topic, part, next, tail FROM position WHERE next > 0 AND tail <> ?", b"")
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    async def rewind(self, topic: str, part: int, following: int) -> None:
        await self._raw.execute(
            "UPDATE position SET next = 0, tail = NULL, epoch = epoch + 1 WHERE topic = ? AND part = ? AND next = ?",
            (topic, part, following),
        )

    async def epochs(self) -> dict[tuple[str, int], int]:
        return {
            (topic, part): epoch for topic, part, epoch in await self._rows("SELECT topic, part, epoch FROM position")
        }

    async def claim_position(self, topic: str, part: int) -> tuple[int, int]:
        rows = await self._rows(
            "INSERT INTO position (topic, part, next, epoch, known) VALUES (?, ?, 0, 1, 0)"
            " ON CONFLICT (topic, part) DO UPDATE SET epoch = epoch + 1 RETURNING next, epoch",
            topic,
            part,
        )
        return rows[0][0], rows[0][1]

    async def configuration(self, fingerprint: str, name: str) -> tuple[str, str]:
        rows = await self._rows("SELECT fingerprint, name FROM config")
        if rows:
            return rows[0][0], rows[0][1]
        await self._raw.execute("INSERT INTO config (fingerprint, name) VALUES (?, ?)", (fingerprint, name))
        return fingerprint, name


def _parts(values: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Bytes do not go into JSON, and a statement may have only so many parameters."""
    for start in range(0, len(values), _PARAMETERS):
        yield values[start : start + _PARAMETERS]
