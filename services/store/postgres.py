"""Writing to PostgreSQL: COPY straight in, and merge only where a key already stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.domain.caps import Rank
from services.domain.coverage import Source, Stretch
from services.store.contract import StoreDown
from services.store.coverage import JOINED, REVISED, CoverageRow, JoinedRow, by_source, pack_stretches, unpack_stretches
from services.store.editions import FIRST, LIVE_LOCK, State
from services.store.errors import GIVEN_UP, PASSING, is_no_store, words_of
from services.store.generation import Generation
from services.store.tables import METADATA, members_of
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

RESOLVING, OUTBOX, COVERING, SORTING, FIRING, FOUNDING = (
    0x76697361,
    0x76697362,
    0x76697363,
    *range(0x76697365, 0x76697368),
)
"""Keys of advisory locks: one transaction at a time empties the outbox, joins coverage, sorts work, tells what changed
by itself, founds a store. All that resolve share the first; who counts hidden claims of capped blocks has it alone.

Locks are the database's, editions are schemas of one database: each edition has keys of its own (`lock_of`).
"""
SHARD = 0x76697400
"""Added to the number of a shard the key of the lock of who takes its work."""
_APART = 20
"""After so many batches that met nobody, COPY is tried again."""
_NONE = (None, None)
_CLAIM_COLUMNS = ", ".join("''::bytea" if name == "features" else name for name in ClaimRow._fields)
_MEMBERS = members_of("= ANY(${}::int8[])")
_PERSON = tuple(column.name for column in METADATA.tables["person"].columns)


def lock_of(key: int, edition: int) -> int:
    """Return the key of an advisory lock for one edition of the store."""
    return key + ((edition - FIRST) << 32)


def fence_of(home: str, edition: int, state: State) -> str:
    """Return the statements that give one row as long as an edition is in a state.

    Writers of the live edition share a lock that a switch has alone, so none is under way when another becomes live.
    """
    lock = f"SELECT pg_advisory_xact_lock_shared({LIVE_LOCK}); " if state is State.LIVE else ""
    quoted = home.replace('"', '""')
    return f"{lock}SELECT FROM \"{quoted}\".edition WHERE number = {edition} AND state = '{state}'"


class PostgresWriter:
    """Transactions on one engine's connections, by asyncpg itself: SQLAlchemy knows no COPY."""

    def __init__(self, engine: AsyncEngine, fence: str = "", edition: int = FIRST, *, silent: bool = False) -> None:
        """`fence`: statements of which the last gives one row as long as this edition may be written.

        `silent`: the outbox stays empty, for what an edition that is being built would tell is known at the switch.
        """
        self._engine = engine
        self._fence = fence
        self._edition = edition
        self._silent = silent
        self._crowd = Crowd()
        self._generation = Generation(engine)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """See `Writer.begin`."""
        try:
            async with self._engine.connect() as held:
                raw = (await held.get_raw_connection()).driver_connection
                if raw is None:
                    raise StoreDown("the pool gave no connection")
                try:
                    async with raw.transaction(isolation="read_committed"):
                        # two statements in one round: the second sees what was committed while the first one waited
                        if self._fence and await raw.execute(self._fence) != "SELECT 1":
                            raise Superseded("another edition of the store is live")
                        yield PostgresTransaction(
                            raw, self._crowd, self._generation.number, self._edition, silent=self._silent
                        )
                except asyncpg.InternalClientError:
                    await held.invalidate()  # what is remembered goes with it, and is learnt anew
                    raise
        except GIVEN_UP as error:
            raise Conflict(type(error).__name__) from error
        except asyncpg.UndefinedTableError as error:
            if not is_no_store(error):
                raise
            raise StoreDown(f"PostgreSQL: {words_of(error)}") from error
        except PASSING as error:
            raise StoreDown(f"PostgreSQL: {words_of(error)}") from error
        except (OperationalError, InterfaceError, DBAPIError) as error:
            raise StoreDown(f"PostgreSQL: {words_of(error)}") from error


@dataclass(slots=True)
class Crowd:
    """Whether other writers found keys at the same time: COPY is quickest, but in vain where one of its rows stands."""

    batches: int = 0  # so many more go in row by row

    def seen(self, *, met: bool) -> None:
        # two transactions of one process may both have passed by nobody
        self.batches = _APART if met else max(0, self.batches - 1)


class PostgresTransaction:
    """See `Transaction`."""

    def __init__(self, raw: Any, crowd: Crowd, generation: int, edition: int = FIRST, *, silent: bool = False) -> None:
        self.generation = generation
        self._raw = raw
        self._crowd = crowd
        self._edition = edition
        self._silent = silent

    async def advance(self, moves: Sequence[Move]) -> None:
        done = await self._raw.execute(
            "UPDATE position p SET next = v.new, known = greatest(p.known, v.known), tail = v.tail,"
            " open_known = greatest(p.open_known, v.open_known) FROM unnest("
            "$1::text[], $2::int4[], $3::int8[], $4::int8[], $5::int4[], $6::int8[], $7::bytea[], $8::int8[]"
            ") AS v(topic, part, old, new, epoch, known, tail, open_known)"
            " WHERE p.topic = v.topic AND p.part = v.part AND p.epoch = v.epoch AND p.next = v.old",
            *([move[i] for move in moves] for i in range(8)),
        )
        if done != f"UPDATE {len(moves)}":
            raise Fenced(f"{done}, expected {len(moves)}")

    async def keys(self, keys: Sequence[int]) -> dict[int, int]:
        return dict(await self._raw.fetch("SELECT key, pool FROM key WHERE key = ANY($1::int8[])", keys))

    async def insert_keys(self, rows: Sequence[tuple[int, int]]) -> set[int]:
        if not self._crowd.batches:
            try:
                async with self._raw.transaction():
                    await self._copy("key", ("key", "pool"), rows)
            except asyncpg.UniqueViolationError:
                self._crowd.seen(met=True)
            else:
                return set()
        done = await self._raw.fetch(
            "INSERT INTO key SELECT * FROM unnest($1::int8[], $2::int8[]) ON CONFLICT DO NOTHING RETURNING key",
            [key for key, _ in rows],
            [pool for _, pool in rows],
        )
        taken = {key for key, _ in rows} - {row[0] for row in done}
        self._crowd.seen(met=bool(taken))
        return taken

    async def insert_claims(self, rows: Sequence[ClaimRow]) -> None:
        await self._copy("claim", ClaimRow._fields, rows)

    async def lower_claims(self, rows: Sequence[tuple[int, int]]) -> set[int]:
        done = await self._raw.fetch(
            "UPDATE claim c SET known = v.known FROM unnest($1::int8[], $2::int8[]) AS v(claim, known)"
            " WHERE c.claim = v.claim AND v.known < c.known RETURNING c.claim",
            [claim for claim, _ in rows],
            [known for _, known in rows],
        )
        return {row[0] for row in done}

    async def members(self, blocks: Sequence[Sequence[int]]) -> list[MemberRow]:
        return [MemberRow(*row) for row in await self._raw.fetch(_MEMBERS, *blocks)]

    async def claims(self, claims: Sequence[int]) -> list[ClaimRow]:
        rows = await self._raw.fetch(
            f"SELECT {_CLAIM_COLUMNS} FROM claim WHERE claim = ANY($1::int8[])",  # noqa: S608 - names of our own
            claims,
        )
        return [ClaimRow(*row) for row in rows]

    async def features(self, claims: Sequence[int]) -> dict[int, bytes]:
        return dict(await self._raw.fetch("SELECT claim, features FROM claim WHERE claim = ANY($1::int8[])", claims))

    async def cutoffs(self) -> dict[int, tuple[int, int]]:
        return {
            row[0]: (row[1], row[2])
            for row in await self._raw.fetch("SELECT key, cutoff_known, cutoff_claim FROM capped_key")
        }

    async def lower_cutoffs(self, rows: Sequence[tuple[int, int, int]]) -> None:
        await self._raw.executemany(
            "INSERT INTO capped_key (key, cutoff_known, cutoff_claim) VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE"
            " SET cutoff_known = excluded.cutoff_known, cutoff_claim = excluded.cutoff_claim"
            " WHERE (excluded.cutoff_known, excluded.cutoff_claim)"
            " < (capped_key.cutoff_known, capped_key.cutoff_claim)",
            rows,
        )

    async def open_cutoffs(self) -> dict[int, Rank | None]:
        rows = await self._raw.fetch("SELECT key, cutoff_known, cutoff_claim FROM open_capped_key")
        return {row[0]: None if row[1] is None else (row[1], row[2]) for row in rows}

    async def replace_open_cutoffs(self, gone: Sequence[int], rows: Sequence[tuple[int, Rank | None]]) -> None:
        away = sorted({*gone, *(key for key, _ in rows)})
        await self._raw.execute("DELETE FROM open_capped_key WHERE key = ANY($1::int8[])", away)
        # another may have written it meanwhile; who has the pool in which the number stands is told to write it again
        await self._raw.executemany(
            "INSERT INTO open_capped_key (key, cutoff_known, cutoff_claim) VALUES ($1, $2, $3)"
            " ON CONFLICT (key) DO UPDATE"
            " SET cutoff_known = excluded.cutoff_known, cutoff_claim = excluded.cutoff_claim",
            [(key, *(rank or _NONE)) for key, rank in rows],
        )

    async def veil_claims(self, rows: Sequence[tuple[int, int | None]]) -> None:
        await self._raw.execute(
            "UPDATE claim c SET open_known = v.known FROM unnest($1::int8[], $2::int8[]) AS v(claim, known)"
            " WHERE c.claim = v.claim",
            [claim for claim, _ in rows],
            [known for _, known in rows],
        )

    async def add_refused(self, rows: Sequence[tuple[int, int, int, int]]) -> None:
        await self._raw.execute(
            "INSERT INTO refused (key, claim, known, pool)"
            " SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[])"
            " ON CONFLICT (key, claim) DO UPDATE SET known = excluded.known WHERE excluded.known < refused.known",
            *([row[place] for row in rows] for place in range(4)),
        )

    async def refused(self, key: int, limit: int) -> list[tuple[int, int, int]]:
        query = "SELECT known, claim, pool FROM refused WHERE key = $1 ORDER BY known, claim LIMIT $2"
        return [(row[0], row[1], row[2]) for row in await self._raw.fetch(query, key, limit)]

    async def delete_refused(self, rows: Sequence[tuple[int, int]]) -> None:
        await self._raw.execute(
            "DELETE FROM refused r USING unnest($1::int8[], $2::int8[]) AS v(key, claim)"
            " WHERE r.key = v.key AND r.claim = v.claim",
            [key for key, _ in rows],
            [claim for _, claim in rows],
        )

    async def savepoint(self) -> None:
        await self._raw.execute("SAVEPOINT visabus")

    async def back(self) -> None:
        await self._raw.execute("ROLLBACK TO SAVEPOINT visabus")

    async def aliases(self, pools: Sequence[int]) -> dict[int, int]:
        return dict(await self._raw.fetch("SELECT loser, winner FROM alias WHERE loser = ANY($1::int8[])", pools))

    async def insert_aliases(self, rows: Sequence[tuple[int, int]]) -> set[int]:
        done = await self._raw.fetch(
            "INSERT INTO alias SELECT * FROM unnest($1::int8[], $2::int8[]) ON CONFLICT DO NOTHING RETURNING loser",
            [loser for loser, _ in rows],
            [winner for _, winner in rows],
        )
        return {row[0] for row in done}

    async def add_work(self, blob: bytes, *, compared: bool) -> None:
        await self._raw.execute("INSERT INTO work (compared, blob) VALUES ($1, $2)", compared, blob)

    async def uncompared(self, limit: int) -> list[WorkRow]:
        rows = await self._raw.fetch(
            "SELECT id, blob FROM work WHERE NOT compared ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED", limit
        )
        return [WorkRow(*row) for row in rows]

    async def mark_compared(self, ids: Sequence[int]) -> None:
        await self._raw.execute("UPDATE work SET compared = true WHERE id = ANY($1::int8[])", ids)

    async def waiting(self) -> Waiting:
        row = await self._raw.fetchrow(
            "SELECT coalesce(sum(octet_length(blob)) FILTER (WHERE compared AND shard IS NULL), 0)::int8,"
            " count(shard)::int8, coalesce(sum(octet_length(blob)) FILTER (WHERE NOT compared), 0)::int8 FROM work"
        )
        return Waiting(*row)

    async def take_unsorted(self, limit: int) -> list[bytes]:
        taken = await self._raw.fetch(
            "DELETE FROM work WHERE id IN (SELECT id FROM work WHERE compared AND shard IS NULL"
            " ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id, blob",
            limit,
        )
        return [blob for _, blob in sorted(taken)]

    async def add_sorted(self, rows: Sequence[tuple[int, bytes]]) -> None:
        await self._copy("work", ("compared", "shard", "blob"), [(True, shard, blob) for shard, blob in rows])

    async def lock_sorting(self) -> bool:
        return bool(await self._raw.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock_of(SORTING, self._edition)))

    async def take_shard(self) -> tuple[int, list[bytes]] | None:
        # distinct first: the lock is to be tried once for each shard, not for each row
        shards = await self._raw.fetch("SELECT DISTINCT shard FROM work WHERE compared AND shard IS NOT NULL")
        for (shard,) in sorted(shards):
            lock = lock_of(SHARD + shard, self._edition)
            if await self._raw.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock):
                taken = await self._raw.fetch(
                    "DELETE FROM work WHERE id IN (SELECT id FROM work WHERE compared AND shard = $1"
                    " FOR UPDATE SKIP LOCKED) RETURNING id, blob",
                    shard,
                )
                if taken:  # else another took it between the two statements
                    return shard, [blob for _, blob in sorted(taken)]
        return None

    async def lock_resolving(self) -> None:
        await self._raw.execute("SELECT pg_advisory_xact_lock($1)", lock_of(RESOLVING, self._edition))

    async def share_resolving(self) -> None:
        await self._raw.execute("SELECT pg_advisory_xact_lock_shared($1)", lock_of(RESOLVING, self._edition))

    async def lock_pools(self, pools: Sequence[int]) -> bool:
        # a pool is called by the key of a record, so it has a row here from its founding on, and that row never changes
        held = await self._raw.fetch(
            "SELECT key FROM key WHERE key = ANY($1::int8[]) ORDER BY key FOR NO KEY UPDATE", pools
        )
        if len(held) < len(pools):
            missing = sorted(set(pools) - {row[0] for row in held})
            await self._raw.execute("SELECT pg_advisory_xact_lock(pool) FROM unnest($1::int8[]) AS p(pool)", missing)
        return True

    async def lock_firing(self) -> bool:
        return bool(await self._raw.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock_of(FIRING, self._edition)))

    async def take_work(self, limit: int) -> list[bytes]:
        taken = await self._raw.fetch(
            "DELETE FROM work WHERE id IN"
            " (SELECT id FROM work WHERE compared ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id, blob",
            limit,
        )
        return [blob for _, blob in sorted(taken)]

    async def pools(self, pools: Sequence[int]) -> dict[int, bytes]:
        return dict(await self._raw.fetch("SELECT pool, blob FROM pool WHERE pool = ANY($1::int8[])", pools))

    async def replace_pools(self, gone: Sequence[int], rows: Sequence[tuple[int, bytes]]) -> None:
        if gone:
            await self._raw.execute("DELETE FROM pool WHERE pool = ANY($1::int8[])", gone)
        await self._copy("pool", ("pool", "blob"), rows)

    async def open_pools(self, pools: Sequence[int]) -> dict[int, bytes | None]:
        return dict(await self._raw.fetch("SELECT pool, blob FROM open_pool WHERE pool = ANY($1::int8[])", pools))

    async def replace_open_pools(self, gone: Sequence[int], rows: Sequence[tuple[int, bytes | None]]) -> None:
        if gone:
            await self._raw.execute("DELETE FROM open_pool WHERE pool = ANY($1::int8[])", gone)
        await self._copy("open_pool", ("pool", "blob"), rows)

    async def persons(self, pools: Sequence[int], view: View = "person") -> list[PersonRow]:
        rows = await self._raw.fetch(
            "SELECT person, pool, class, citizenship, port, code, period_end, announced, sequence,"  # noqa: S608 - our own
            f" next_change_at, awaits_from, awaits, NULL FROM {view} WHERE pool = ANY($1::int8[])",
            pools,
        )
        return [PersonRow(*row) for row in rows]

    async def docs(self, persons: Sequence[bytes], view: View = "person") -> dict[bytes, bytes]:
        query = f"SELECT person, doc FROM {view} WHERE person = ANY($1::bytea[]) AND doc IS NOT NULL"  # noqa: S608 - our own
        return dict(await self._raw.fetch(query, persons))

    async def replace_persons(self, gone: Sequence[int], rows: Sequence[PersonRow], view: View = "person") -> None:
        if gone:
            await self._raw.execute(f"DELETE FROM {view} WHERE pool = ANY($1::int8[])", gone)  # noqa: S608 - our own
        await self._copy(view, _PERSON, rows)

    async def quarantined(self) -> dict[int, str]:
        return dict(await self._raw.fetch("SELECT pool, why FROM quarantine"))

    async def replace_quarantined(self, gone: Sequence[int], rows: Sequence[tuple[int, str]]) -> None:
        await self._raw.execute("DELETE FROM quarantine WHERE pool = ANY($1::int8[])", gone)
        await self._copy("quarantine", ("pool", "why"), rows)

    async def due(
        self, now: int, covered: Sequence[tuple[int, int]], limit: int, view: View = "person"
    ) -> list[PersonRow]:
        # two statements, each by its index: a UNION would sort all that is due to give out a part of it
        rows = await self._raw.fetch(
            f"SELECT * FROM {view} WHERE next_change_at <= $1 ORDER BY next_change_at, person LIMIT $2",  # noqa: S608
            now,
            limit,
        )
        if len(rows) < limit:
            rows += await self._raw.fetch(
                f"SELECT * FROM {view} WHERE (next_change_at IS NULL OR next_change_at > $1) AND EXISTS"  # noqa: S608
                " (SELECT 1 FROM unnest($2::int8[], $3::int8[]) AS c(since, through)"
                " WHERE awaits <= c.through AND awaits_from >= c.since)"
                " AND awaits <= $4 ORDER BY awaits, person LIMIT $5",
                now,
                [since for since, _ in covered],
                [through for _, through in covered],
                max((through for _, through in covered), default=0),
                limit - len(rows),
            )
        return [PersonRow(*row) for row in rows]

    async def move_on(self, rows: Sequence[PersonRow], view: View = "person") -> None:
        await self._raw.execute(
            f"UPDATE {view} p SET code = v.code, announced = v.announced, sequence = v.sequence,"  # noqa: S608 - our own
            " next_change_at = v.next_change_at, awaits_from = v.awaits_from, awaits = v.awaits"
            " FROM unnest($1::bytea[], $2::text[], $3::text[], $4::int8[], $5::int8[], $6::int8[], $7::int8[])"
            " AS v(person, code, announced, sequence, next_change_at, awaits_from, awaits) WHERE p.person = v.person",
            [row.person for row in rows],
            [row.code for row in rows],
            [row.announced for row in rows],
            [row.sequence for row in rows],
            [row.next_change_at for row in rows],
            [row.awaits_from for row in rows],
            [row.awaits for row in rows],
        )

    async def lock_coverage(self) -> None:
        await self._raw.execute("SELECT pg_advisory_xact_lock($1)", lock_of(COVERING, self._edition))

    async def coverage_events(self, ids: Sequence[bytes]) -> set[bytes]:
        return {row[0] for row in await self._raw.fetch("SELECT id FROM coverage_event WHERE id = ANY($1)", ids)}

    async def add_coverage_events(self, rows: Sequence[CoverageRow]) -> None:
        await self._raw.executemany(
            "INSERT INTO coverage_event (id, record, system, scope, number, digest, mapping, known, retract, since,"
            " through) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (id) DO UPDATE"
            " SET known = excluded.known WHERE excluded.known < coverage_event.known",
            rows,
        )

    async def revised_coverage(self, records: Sequence[bytes]) -> set[bytes]:
        rows = await self._raw.fetch(REVISED.format(condition="record = ANY($1)"), records)
        return {row[0] for row in rows}

    async def join_coverage(self, system: str) -> Mapping[Source, Sequence[Stretch]]:
        return by_source(await self._raw.fetch(JOINED.format(condition="system = $1"), system))

    async def replace_coverage(self, system: str, sources: Mapping[Source, Sequence[Stretch]]) -> None:
        await self._raw.execute("DELETE FROM coverage WHERE system = $1", system)
        rows = [pack_stretches(source, stretches) for source, stretches in sorted(sources.items())]
        await self._raw.executemany("INSERT INTO coverage (system, scope, stretches) VALUES ($1, $2, $3)", rows)

    async def coverage(self) -> dict[Source, tuple[Stretch, ...]]:
        rows = await self._raw.fetch("SELECT system, scope, stretches FROM coverage")
        return unpack_stretches(JoinedRow(*row) for row in rows)

    async def add_change(self, blob: bytes, *, confidential: bool = False) -> None:
        if self._silent:
            return
        await self._raw.execute("INSERT INTO change (blob, confidential) VALUES ($1, $2)", blob, confidential)

    async def lock_outbox(self) -> bool:
        return bool(await self._raw.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock_of(OUTBOX, self._edition)))

    async def changes(self, limit: int) -> list[tuple[int, bytes, bool]]:
        rows = await self._raw.fetch("SELECT id, blob, confidential FROM change ORDER BY id LIMIT $1", limit)
        return [(row[0], row[1], row[2]) for row in rows]

    async def delete_changes(self, ids: Iterable[int]) -> None:
        await self._raw.execute("DELETE FROM change WHERE id = ANY($1::int8[])", list(ids))

    async def tails(self) -> dict[tuple[str, int], tuple[int, bytes]]:
        rows = await self._raw.fetch("SELECT topic, part, next, tail FROM position WHERE next > 0 AND tail <> $1", b"")
        return {(row[0], row[1]): (row[2], row[3]) for row in rows}

    async def rewind(self, topic: str, part: int, following: int) -> None:
        await self._raw.execute(
            "UPDATE position SET next = 0, tail = NULL, epoch = epoch + 1 WHERE topic = $1 AND part = $2 AND next = $3",
            topic,
            part,
            following,
        )

    async def epochs(self) -> dict[tuple[str, int], int]:
        rows = await self._raw.fetch("SELECT topic, part, epoch FROM position")
        return {(topic, part): epoch for topic, part, epoch in rows}

    async def claim_position(self, topic: str, part: int) -> tuple[int, int]:
        row = await self._raw.fetchrow(
            "INSERT INTO position (topic, part, next, epoch, known) VALUES ($1, $2, 0, 1, 0)"
            " ON CONFLICT (topic, part) DO UPDATE SET epoch = position.epoch + 1 RETURNING next, epoch",
            topic,
            part,
        )
        return row[0], row[1]

    async def configuration(self, fingerprint: str, name: str) -> tuple[str, str]:
        # two would both find the table empty
        await self._raw.execute("SELECT pg_advisory_xact_lock($1)", lock_of(FOUNDING, self._edition))
        stands = await self._raw.fetchrow("SELECT fingerprint, name FROM config")
        if stands is None:
            await self._raw.execute("INSERT INTO config (fingerprint, name) VALUES ($1, $2)", fingerprint, name)
            return fingerprint, name
        return stands[0], stands[1]

    async def _copy(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            await self._raw.copy_records_to_table(table, records=rows, columns=columns)
