"""The audit log: one chain whoever writes, nothing taken out, nothing changed; over both databases."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from services.audit import FIRST, AuditDown, AuditKeys, AuditLog, Entry, Result, Row, open_audit
from services.audit import verify as verified
from services.audit.rows import BEGIN
from services.audit.sqlite import SqliteChain
from services.audit.verdict import Verdict
from services.keyring import Keyring

KEYS = AuditKeys(Keyring.of(b"s" * 32), Keyring.of(b"n" * 32))  # as those of the fixtures
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def entry(number: int = 0) -> Entry:
    return Entry(f"r{number}", "officer", "portal", "admission", "status:read", "0" * 64, Result.ANSWERED)


async def opened(url: str) -> AuditLog:
    return await open_audit(url, KEYS, lambda: NOW)


async def verify(rows: AsyncGenerator[Row], heads: Sequence[tuple[int, str]] = ()) -> Verdict:
    return await verified(rows, KEYS.seal, heads)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres"))
    return f"sqlite+aiosqlite:///{tmp_path}/audit.db"


@pytest.fixture
async def log(url: str) -> AsyncIterator[AuditLog]:
    log = await opened(url)
    yield log
    await log.close()


@pytest.mark.law(7, "the chain holds under concurrency")
async def test_concurrent_writers_keep_one_chain(url: str) -> None:
    # opened at once too: as processes that start together
    logs = await asyncio.gather(*(opened(url) for _ in range(4)))
    await asyncio.gather(*(log.write(entry(number)) for number in range(15) for log in logs))
    verdict = await verify(logs[0].rows())
    assert (verdict.rows, verdict.broken) == (61, None)
    assert len({row.previous async for row in logs[1].rows()}) == 61
    for log in logs:
        await log.close()


async def test_a_ping_leaves_nothing(log: AuditLog) -> None:
    await log.ping()
    await log.write(entry())
    await log.ping()
    rows = [row async for row in log.rows()]
    assert [row.sequence for row in rows] == [1, 2]
    assert (rows[0].previous, rows[0].verb) == (FIRST, BEGIN)
    assert rows[1].at == "2026-11-25T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET purpose = 'audit' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 3",
        "DELETE FROM audit",
    ],
)
async def test_the_database_refuses_changes(log: AuditLog, url: str, statement: str) -> None:
    for number in range(3):
        await log.write(entry(number))
    engine = create_async_engine(url)
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    await engine.dispose()
    assert (await verify(log.rows())).rows == 4


async def test_sqlite_does_not_replace(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/audit.db"
    log = await opened(url)
    await log.write(entry(0))
    await log.write(entry(1))
    columns = ", ".join(Row.__slots__)
    copied = columns.replace("purpose", "'audit'")
    engine = create_async_engine(url)
    for statement in (
        f"INSERT OR REPLACE INTO audit ({columns}) SELECT {copied} FROM audit WHERE sequence = 2",
        f"INSERT OR REPLACE INTO audit ({columns})"
        f" SELECT {copied.replace('sequence', '4', 1)} FROM audit WHERE sequence = 2",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    await engine.dispose()
    assert (await verify(log.rows())).broken is None
    await log.close()


async def test_postgres_does_not_truncate(postgres: str) -> None:
    log = await opened(postgres)
    await log.write(entry())
    engine = create_async_engine(postgres)
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text("TRUNCATE audit"))
    await engine.dispose()
    assert (await verify(log.rows())).rows == 2
    await log.close()


@pytest.mark.law(7, "no log, no answer")
async def test_a_log_that_is_gone(tmp_path: Path) -> None:
    directory = tmp_path / "here"
    directory.mkdir()
    log = await opened(f"sqlite+aiosqlite:///{directory}/audit.db")
    await log.close()
    for file in directory.iterdir():
        file.unlink()
    directory.rmdir()
    with pytest.raises(AuditDown):
        await log.write(entry())
    with pytest.raises(AuditDown):
        await log.ping()
    with pytest.raises(AuditDown):
        [row async for row in log.rows()]
    await log.close()
    with pytest.raises(AuditDown):
        await opened("nonsense")
    with pytest.raises(AuditDown):
        await opened("postgresql://nobody@127.0.0.1:1/none")


async def test_a_log_whose_lock_is_held_is_down_not_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/audit.db"
    monkeypatch.setattr("services.audit.limits.DEADLINE", 0.5)
    log = await opened(url)
    engine = create_async_engine(url)
    async with engine.connect() as other:
        await other.execute(text("BEGIN IMMEDIATE"))
        with pytest.raises(AuditDown):
            await log.write(entry())
        await other.rollback()
    await engine.dispose()
    await log.close()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process's hold on the log."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def taken_away(file: Path) -> Iterator[None]:
    """The table is somewhere else."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("ALTER TABLE audit RENAME TO away")
        yield
        other.execute("ALTER TABLE away RENAME TO audit")


@contextmanager
def closed_to_writers(file: Path) -> Iterator[None]:
    """As far as SQLite can tell, the file system is mounted read-only."""
    with pragma("query_only=1", "query_only=0"):
        yield


@contextmanager
def full(file: Path) -> Iterator[None]:
    """There is no page left on the disk."""
    with pragma("max_page_count=1", "max_page_count=1000000"):
        yield


@contextmanager
def pragma(now: str, then: str) -> Iterator[None]:
    """A setting of every transaction of the log."""
    plain = SqliteChain._append

    def append(self: SqliteChain, entries: Sequence[Entry], keep: bool) -> None:
        (self._connection or self._connect()).execute(f"PRAGMA {now}")
        try:
            plain(self, entries, keep)
        finally:
            if self._connection is not None:
                self._connection.execute(f"PRAGMA {then}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqliteChain, "_append", append)
        yield


@pytest.mark.law(7, "a log that is locked, full, read-only or gone")
@pytest.mark.parametrize("trouble", [locked, taken_away, closed_to_writers, full], ids=lambda each: each.__name__)
async def test_whom_no_log_remembers_nobody_answers(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Any
) -> None:
    monkeypatch.setattr("services.audit.limits.DEADLINE", 0.5)
    path = "/v1/status/i94/123456789A1"
    world.reads.take(world.make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28)))
    long = world.token(sub="x" * 200)  # so that a row needs a page sooner
    for _ in range(40):
        assert (await world.ask(path, long)).status_code == 200
    with trouble(tmp_path / "audit.db"):
        for asked in (path, "/v1/status/i94/999999999A1"):
            for _ in range(15 if trouble is full else 1):
                silent = await world.ask(asked, long)
            assert (silent.status_code, silent.json()["type"]) == (503, "urn:visabus:problem:no-audit")
            assert "Canaria" not in silent.text
        assert (await world.client.get("/readyz")).json()["checks"]["audit"] == "down"
    answered = await world.ask(path)
    assert answered.status_code == 200
    rows = await world.rows()
    assert rows[-1].request == answered.headers["visabus-request"]
    assert (await verify(world.audit.rows())).broken is None


def chain(count: int) -> list[Row]:
    rows: list[Row] = []
    for number in range(1, count + 1):
        previous = rows[-1].hash if rows else FIRST
        verb = BEGIN if number == 1 else "status:read"
        words = (f"r{number}", "s", "c", "192.0.2.1", "jti", "p", verb, "l", "", "", "answered", "", "[]", "")
        rows.append(Row(number, "t", *words, previous).sealed(KEYS.seal))
    return rows


def again(rows: Sequence[Row], ring: Keyring) -> list[Row]:
    """The rows, sealed again by another's key from the first to the last."""
    results: list[Row] = []
    for row in rows:
        results.append(replace(row, previous=results[-1].hash if results else FIRST).sealed(ring))
    return results


async def streamed(rows: Sequence[Row]) -> AsyncGenerator[Row]:
    for row in rows:
        yield row


ROWS = chain(6)
ANOTHER = Keyring.of(b"x" * 32)


def forged(row: Row) -> Row:
    """The row under another subject, sealed by a key that says to be ours."""
    changed = replace(row, subject="other")
    return replace(changed, hash=ANOTHER.mac(changed.body()))


PLANTED: dict[str, tuple[str, Any]] = {
    "changed": ("was changed", lambda rows, at: [*rows[:at], replace(rows[at], subject="other"), *rows[at + 1 :]]),
    "hash computed anew": (
        "without the key",
        lambda rows, at: [
            *rows[:at],
            replace(rows[at], hash=hashlib.sha256(rows[at].body()).hexdigest()),
            *rows[at + 1 :],
        ],
    ),
    "forged": ("without the key", lambda rows, at: [*rows[:at], forged(rows[at]), *rows[at + 1 :]]),
    "another's key": (
        "none of ours",
        lambda rows, at: [*rows[:at], rows[at].sealed(ANOTHER), *rows[at + 1 :]],
    ),
    "all by another's key": ("none of ours", lambda rows, at: again(rows, ANOTHER)),
    "taken out": ("is missing", lambda rows, at: [*rows[:at], *rows[at + 1 :]]),
    "swapped": ("is missing", lambda rows, at: [*rows[:at], rows[at + 1], rows[at], *rows[at + 2 :]]),
    "doubled": ("stands again", lambda rows, at: [*rows[: at + 1], rows[at], *rows[at + 1 :]]),
    "numbered anew": (
        "without the key",
        lambda rows, at: [*rows[:at], *(replace(row, sequence=row.sequence - 1) for row in rows[at + 1 :])],
    ),
    "emptied": ("has no row", lambda rows, at: []),
}


@pytest.mark.law(7, planted="rows changed, taken out, put in, sealed again")
@pytest.mark.parametrize(("said", "bug"), PLANTED.values(), ids=PLANTED)
@settings(max_examples=30, deadline=None)
@given(at=st.integers(0, 4))
def test_verify_finds_every_planted_change(said: str, bug: Any, at: int) -> None:
    async def check() -> None:
        assert (await verify(streamed(ROWS))).broken is None
        verdict = await verify(streamed(bug(ROWS, at)))
        assert verdict.broken is not None
        assert said in verdict.broken
        assert verdict.rows <= at + 1

    asyncio.run(check())


async def test_the_first_rows_are_no_more_to_be_taken_out_than_the_last() -> None:
    """Whoever has the key and seals what is left again: the beginning tells."""
    left = [replace(row, sequence=row.sequence - 1) for row in ROWS[1:]]
    verdict = await verify(streamed(again(left, KEYS.seal)))
    assert verdict.broken == "row 1: is no beginning of a log: its first rows were taken out"


async def test_only_a_noted_head_shows_that_the_end_is_cut_off() -> None:
    cut = ROWS[:4]
    assert (await verify(streamed(cut))).broken is None
    noted = [(6, ROWS[5].hash)]
    assert (await verify(streamed(ROWS), noted)).broken is None
    assert "row 6: its seal was given out, and it is missing" in str((await verify(streamed(cut), noted)).broken)
    # by the key itself: only what was given out tells
    resealed = again([*ROWS[:3], *(replace(row, subject="x") for row in ROWS[3:])], KEYS.seal)
    assert (await verify(streamed(resealed))).broken is None
    assert "row 6: is another than the one whose seal was given out" in str(
        (await verify(streamed(resealed), noted)).broken
    )


async def test_rows_of_old_keys_stay_verifiable(url: str) -> None:
    old, new = Keyring.of(b"o" * 32), Keyring.of(b"o" * 32, b"w" * 32)
    log = await open_audit(url, AuditKeys(old, KEYS.names), lambda: NOW)
    await log.write(entry(1))
    await log.close()
    log = await open_audit(url, AuditKeys(new, KEYS.names), lambda: NOW)
    await log.write(entry(2))
    rows = [row async for row in log.rows()]
    assert [row.key for row in rows] == [old.id, old.id, new.id]
    assert (await verified(streamed(rows), new)).broken is None
    # planted: an old key that was thrown away
    lost = await verified(streamed(rows), Keyring.of(b"w" * 32))
    assert lost.broken == f"row 1: is sealed by a key ({old.id}) that is none of ours"
    await log.close()


async def test_the_log_holds_names_of_what_was_looked_up_not_the_numbers(log: AuditLog) -> None:
    assert log.name("i94/CBP/123456789A1") == log.name("i94/CBP/123456789A1")
    assert log.name("i94/CBP/123456789A1") != log.name("i94/CBP/123456789A2")
    assert "123456789A1" not in log.name("i94/CBP/123456789A1")


async def test_those_who_come_together_fail_together_and_the_next_are_served(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/audit.db"
    log = await opened(url)
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE audit RENAME TO away"))
    message = await asyncio.gather(*(log.write(entry(number)) for number in range(5)), return_exceptions=True)
    assert [type(each) for each in message] == [AuditDown] * 5
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO audit"))
    await engine.dispose()
    await log.write(entry(9))
    assert [row.request async for row in log.rows()][1:] == ["r9"]
    await log.close()


async def test_whoever_gives_up_waiting_takes_nobody_along(log: AuditLog) -> None:
    writing = [asyncio.create_task(log.write(entry(number))) for number in range(6)]
    await asyncio.sleep(0)
    writing[2].cancel()
    message = await asyncio.gather(*writing, return_exceptions=True)
    assert [each for number, each in enumerate(message) if number != 2] == [None] * 5
    kept = {row.request async for row in log.rows()}
    assert {f"r{number}" for number in range(6) if number != 2} <= kept
    assert (await verify(log.rows())).broken is None


async def test_many_at_once_stay_in_one_chain(log: AuditLog) -> None:
    await asyncio.gather(*(log.write(entry(number)) for number in range(600)))
    verdict = await verify(log.rows())
    assert (verdict.rows, verdict.broken) == (601, None)


async def test_a_role_that_may_only_insert_and_select_is_enough(postgres: str) -> None:
    log = await opened(postgres)
    role = f"writer_{uuid.uuid4().hex}"
    secret = uuid.uuid4().hex
    engine = create_async_engine(postgres)
    async with engine.begin() as connection:
        await connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD '{secret}'"))
        await connection.execute(text(f"GRANT SELECT, INSERT ON audit TO {role}"))
    url = make_url(postgres).set(username=role, password=secret)
    mine = await opened(url.render_as_string(hide_password=False))
    await mine.ping()
    await mine.write(entry(0))
    await log.write(entry(1))
    assert (await verify(mine.rows())).rows == 3
    theirs = create_async_engine(url)
    for statement in ("UPDATE audit SET purpose = ''", "DELETE FROM audit", "DROP TABLE audit", "TRUNCATE audit"):
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            async with theirs.begin() as connection:
                await connection.execute(text(statement))
    for each in (mine, log):
        await each.close()
    await theirs.dispose()
    async with engine.begin() as connection:
        await connection.execute(text(f"DROP OWNED BY {role}"))
        await connection.execute(text(f"DROP ROLE {role}"))
    await engine.dispose()


@pytest.mark.law(7, planted="rows taken away under a running API: it answers nothing more, and says why")
async def test_an_api_whose_log_was_cut_off_answers_nothing(world: Any, tmp_path: Path) -> None:
    path = "/v1/status/i94/123456789A1"
    world.reads.take(world.make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28)))
    for _ in range(3):
        assert (await world.ask(path)).status_code == 200
    with closing(sqlite3.connect(tmp_path / "audit.db")) as connection, connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE sequence > 2")
    for _ in range(2):
        silent = await world.ask(path)
        assert (silent.status_code, silent.json()["type"]) == (503, "urn:visabus:problem:audit-broken")
        assert "row 4: was written, and is missing; row 2 is the last" in silent.json()["detail"]
        assert "Canaria" not in silent.text
    ready = await world.client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["audit"]) == (503, "broken")
    assert "row 4" in ready.json()["detail"]
