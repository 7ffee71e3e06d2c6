"""The audit log: who looked whom up, when, why and with what result. Append-only, each row sealed to the one before.

A row names the person looked for only as a keyed hash: whoever holds the key can ask "who looked up this number", and
nobody can read numbers off the log. The rows of one log form one chain, however many processes write: a writer holds
the log's lock from reading the last row to committing its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import orjson
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bus.durable import make_durable
from services.engines import make_directory, open_engine

FIRST = "0" * 64
"""What the first row names as the hash before it."""
DEADLINE = 5.0
"""Seconds until a log that does not answer counts as gone."""
_LOCK = 0x61756469
_PAGE = 1_000
_BATCH = 256


class AuditDown(Exception):
    """The audit log cannot be written or read; nothing may be answered."""


class Result(StrEnum):
    """What became of a request."""

    ANSWERED = "answered"
    NOT_FOUND = "not found"
    REFUSED = "refused"
    FAILED = "failed"  # nothing was told: the store did not answer, or the answer could not be made


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be remembered of one request."""

    request: str
    subject: str
    client: str
    purpose: str
    verb: str
    looked_up: str  # keyed hash
    result: Result
    as_of: str = ""
    known_at: str = ""
    reason: str = ""
    persons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the log."""

    sequence: int
    at: str
    request: str
    subject: str
    client: str
    purpose: str
    verb: str
    looked_up: str
    as_of: str
    known_at: str
    result: str
    reason: str
    persons: str  # JSON list of person ids
    previous: str
    hash: str = ""

    def values(self) -> tuple[object, ...]:
        """Its fields, in their order."""
        return tuple(getattr(self, name) for name in self.__slots__)

    def seal(self) -> str:
        """The hash over everything but itself."""
        body = {name: getattr(self, name) for name in self.__slots__ if name != "hash"}
        return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of the chain found: how many rows are good, the last good hash, and what broke it, if anything."""

    rows: int
    head: str
    broken: str | None = None


class Audit(Protocol):
    """Where requests are remembered."""

    async def write(self, entry: Entry) -> None:
        """Remember; once this returns the row is durable. Raises AuditDown."""

    async def ping(self) -> None:
        """Raises AuditDown where a row could not be written."""

    def name(self, text: str) -> str:
        """The keyed hash under which `text` is looked for in the log."""


_METADATA = MetaData()
AUDIT = Table(
    "audit",
    _METADATA,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    *(Column(name, Text, nullable=False) for name in Row.__slots__ if name not in ("sequence", "previous", "hash")),
    Column("previous", Text, nullable=False, unique=True),
    Column("hash", Text, nullable=False, unique=True),
)

_LAST = select(AUDIT.c.sequence, AUDIT.c.hash).order_by(AUDIT.c.sequence.desc()).limit(1)
_INSERT = f"INSERT INTO audit ({', '.join(Row.__slots__)}) VALUES ({', '.join('?' for _ in Row.__slots__)})"  # noqa: S608
"""Of names of our own."""

_GUARDS: dict[str, dict[str, tuple[str, ...]]] = {
    "sqlite": {
        "audit_no_update": (
            "CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
        ),
        "audit_no_delete": (
            "CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
        ),
        # INSERT OR REPLACE would delete without asking the trigger above
        "audit_only_next": (
            "CREATE TRIGGER IF NOT EXISTS audit_only_next BEFORE INSERT ON audit"
            " WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM audit)"
            " OR EXISTS (SELECT 1 FROM audit WHERE hash = NEW.hash OR previous = NEW.previous)"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
        ),
    },
    "postgresql": {
        "audit_no_change": (
            "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
            "CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit"
            " FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        ),
        "audit_no_truncate": (
            "CREATE OR REPLACE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
        ),
    },
}
"""Trigger -> what makes it."""
_GUARDS_THERE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('audit') AND tgenabled IN ('O', 'A')",
}


class AuditLog:
    """See `Audit`. `open_audit` makes it.

    Rows of callers who wait together are written by one commit, each before its caller is answered.
    """

    def __init__(self, engine: AsyncEngine, key: bytes, clock: Clock) -> None:
        self._engine = engine
        self._key = key
        self._clock = clock
        self._chain: _Chain = (
            _SqliteChain(engine.url.database or ":memory:", self._rows)
            if engine.dialect.name == "sqlite"
            else _EngineChain(engine, self._rows)
        )
        self._mine = asyncio.Lock()  # spares the writers of one process the wait at the database
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._flush: asyncio.Task[None] | None = None

    def name(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    async def write(self, entry: Entry) -> None:
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._flush_all())
        try:
            async with asyncio.timeout(DEADLINE):
                await written
        except TimeoutError:
            raise AuditDown("the audit log did not answer in time") from None

    async def _flush_all(self) -> None:
        """Write what waits, together: one commit to disk serves all who came while the last one was under way."""
        while self._waiting:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            batch = [(entry, written) for entry, written in batch if not written.done()]  # gave up waiting
            error: Exception | None = None
            try:
                await self._append([entry for entry, _ in batch], keep=True)
            except Exception as raised:  # whatever it is, those who wait must hear of it: it ends their requests
                error = raised
            for _, written in batch:
                if not written.done():
                    written.set_result(None) if error is None else written.set_exception(error)

    async def ping(self) -> None:
        await self._append([Entry("", "", "", "", "", "", Result.FAILED)], keep=False)

    async def _append(self, entries: Sequence[Entry], *, keep: bool) -> None:
        """Write entries behind the last row. Without `keep` they are taken back again. Raises AuditDown."""
        try:
            async with asyncio.timeout(DEADLINE), self._mine:
                await self._chain.append(entries, keep=keep)
        except TimeoutError:
            raise AuditDown("the audit log did not answer in time") from None
        except (OSError, SQLAlchemyError, sqlite3.Error) as error:
            raise AuditDown(f"the audit log is gone: {type(error).__name__}") from error

    async def rows(self) -> AsyncIterator[Row]:
        """The log from its beginning. Raises AuditDown."""
        after = -1
        while True:
            async with self._connected() as connection:
                query = select(AUDIT).where(AUDIT.c.sequence > after).order_by(AUDIT.c.sequence).limit(_PAGE)
                page = (await connection.execute(query)).all()
            for row in page:
                yield Row(**row._mapping)
            if len(page) < _PAGE:
                return
            after = page[-1].sequence

    async def close(self) -> None:
        """Let go of the connections, once what waits is written."""
        if self._flush is not None:
            await self._flush
        await self._chain.close()
        await self._engine.dispose()

    async def prepare(self) -> None:
        """Make the table and its guards. Raises AuditDown.

        Where they stand nothing is made, so that a role which may only insert and select can write the log.
        """
        dialect = self._engine.dialect.name
        try:
            async with asyncio.timeout(DEADLINE), self._mine, self._connected() as connection:
                if dialect == "sqlite":
                    await connection.execute(text("BEGIN IMMEDIATE"))
                else:
                    await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
                standing = {row[0] for row in await connection.execute(text(_GUARDS_THERE[dialect]))}
                if not _GUARDS[dialect].keys() <= standing:
                    await connection.run_sync(_METADATA.create_all)
                    for statements in _GUARDS[dialect].values():
                        for statement in statements:
                            await connection.execute(text(statement))
                await connection.commit()
        except TimeoutError:
            raise AuditDown("the audit log did not answer in time") from None

    def _rows(self, entries: Sequence[Entry], sequence: int, head: str) -> list[Row]:
        """The rows of entries, sealed to the last row."""
        rows = []
        for entry in entries:
            row = self._row(entry, sequence + 1, head)
            sequence, head = row.sequence, row.hash
            rows.append(row)
        return rows

    def _row(self, entry: Entry, sequence: int, head: str) -> Row:
        row = Row(
            sequence=sequence,
            at=self._clock().astimezone(UTC).isoformat(timespec="microseconds"),
            request=entry.request,
            subject=entry.subject,
            client=entry.client,
            purpose=entry.purpose,
            verb=entry.verb,
            looked_up=entry.looked_up,
            as_of=entry.as_of,
            known_at=entry.known_at,
            result=entry.result.value,
            reason=entry.reason,
            persons=orjson.dumps(entry.persons).decode(),
            previous=head,
        )
        return replace(row, hash=row.seal())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.connect() as connection:
                yield connection
        except (OSError, SQLAlchemyError, sqlite3.Error) as error:
            raise AuditDown(f"the audit log is gone: {type(error).__name__}") from error


Sealed = Callable[[Sequence[Entry], int, str], list[Row]]
"""Makes the rows of entries behind a row of this sequence and hash."""


class _Chain(Protocol):
    """Appends to the log; no other writer appends at the same time."""

    async def append(self, entries: Sequence[Entry], *, keep: bool) -> None:
        """Write entries behind the last row, durably; without `keep` take them back again."""

    async def close(self) -> None:
        """Let go of the connection."""


class _SqliteChain:
    """By a thread of its own: a commit costs one turn of it, and not one for each statement."""

    def __init__(self, path: str, sealed: Sealed) -> None:
        self._path = path
        self._sealed = sealed
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    async def append(self, entries: Sequence[Entry], *, keep: bool) -> None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        await asyncio.get_running_loop().run_in_executor(self._thread, self._append, entries, keep)

    def _append(self, entries: Sequence[Entry], keep: bool) -> None:
        connection = self._connection or self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
            last = connection.execute("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
            connection.executemany(_INSERT, [row.values() for row in self._sealed(entries, *(last or (0, FIRST)))])
            connection.execute("COMMIT" if keep else "ROLLBACK")
        except BaseException:
            # whatever state it is in, the next one begins on another connection
            self._connection = None
            connection.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        # shorter than the deadline: the thread gives up its wait for the lock before its caller gives up on the thread
        self._connection = sqlite3.connect(
            self._path, timeout=DEADLINE * 0.8, isolation_level=None, check_same_thread=False
        )
        make_durable(self._connection)
        return self._connection

    async def close(self) -> None:
        if self._thread is not None:
            await asyncio.to_thread(self._thread.shutdown)
        if self._connection is not None:
            self._connection.close()
        self._thread = self._connection = None


class _EngineChain:
    """By the engine's connections."""

    def __init__(self, engine: AsyncEngine, sealed: Sealed) -> None:
        self._engine = engine
        self._sealed = sealed

    async def append(self, entries: Sequence[Entry], *, keep: bool) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            last = (await connection.execute(_LAST)).first()
            rows = self._sealed(entries, *((last.sequence, last.hash) if last else (0, FIRST)))
            if rows:
                await connection.execute(insert(AUDIT), [asdict(row) for row in rows])
            await (connection.commit() if keep else connection.rollback())

    async def close(self) -> None:
        """The engine's owner disposes of it."""


class Clock(Protocol):
    """The present, from whoever runs this."""

    def __call__(self) -> datetime:
        """Now, with its offset."""


async def open_audit(url: str, key: bytes, clock: Clock) -> AuditLog:
    """The audit log at an SQLAlchemy URL, made if need be. Raises AuditDown."""
    log = AuditLog(_engine(url), key, clock)
    try:
        await log.prepare()
    except AuditDown:
        await log.close()
        raise
    return log


def _engine(url: str) -> AsyncEngine:
    try:
        engine = open_engine(
            url,
            "the audit log",
            server_settings={"application_name": "visabus-audit", "synchronous_commit": "on"},
            connect_seconds=DEADLINE,
            command_seconds=DEADLINE,
            # shorter than the deadline: SQLite gives up its wait for the lock before the caller gives up on it
            busy_seconds=DEADLINE * 0.8,
        )
    except ValueError as error:
        raise AuditDown(str(error)) from None
    make_directory(engine)
    return engine


async def verify(rows: AsyncIterator[Row], heads: Sequence[tuple[int, str]] = ()) -> Verdict:
    """Whether rows are one unbroken chain from the first, and hold each head (sequence, hash) noted elsewhere.

    A log cut off at its end is still a chain: only a head noted elsewhere shows that rows are missing.
    """
    noted = dict(heads)
    count, head = 0, FIRST
    async for row in rows:
        wrong = _wrong(row, count + 1, head)
        if wrong is None and noted.pop(row.sequence, row.hash) != row.hash:
            wrong = "another row than the one noted"
        if wrong is not None:
            return Verdict(count, head, f"row {count + 1}: {wrong}")
        count, head = count + 1, row.hash
    missing = sorted(sequence for sequence in noted if sequence > count)
    return Verdict(count, head, f"row {missing[0]}: noted, and missing" if missing else None)


def _wrong(row: Row, sequence: int, head: str) -> str | None:
    if row.sequence != sequence:
        return f"missing; row {row.sequence} follows"
    if row.previous != head:
        return "is not sealed to the one before"
    return None if row.seal() == row.hash else "was changed after it was written"
