"""Somebody with every right on the database and without the keys: what is done to the log is told, in its words."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bus.contract import Bus, Message
from bus.open import open_bus
from schemas.topics import AUDIT_HEADS
from services.audit import (
    FIRST,
    AuditBroken,
    AuditDown,
    AuditKeys,
    Entry,
    Result,
    Row,
    open_audit,
    open_reading,
    verify,
)
from services.audit.heads import Head, HeadKeeper, given_out, head_of, place_of
from services.audit.rows import COLUMNS
from services.audit.tables import AUDIT, METADATA, POSTGRESQL, SQLITE
from services.keyring import Keyring

KEYS = AuditKeys(Keyring.of(b"s" * 32), Keyring.of(b"n" * 32))
ANOTHER = AuditKeys(Keyring.of(b"x" * 32), Keyring.of(b"y" * 32))
NOW = datetime(2026, 11, 30, tzinfo=UTC)
WRITTEN = 8
"""Rows of the log, the last of them given out."""


def entry(number: int) -> Entry:
    return Entry(f"r{number}", "officer", "portal", "admission", "status:read", "0" * 64, Result.ANSWERED)


@dataclass
class Installation:
    """A log and a bus that knows its last row."""

    url: str
    directory: Path

    @property
    def sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    @property
    def file(self) -> Path:
        return self.directory / "audit.db"

    async def bus(self) -> Bus:
        return await open_bus(f"embedded://{self.directory}/bus.db")

    async def write(self, count: int, keys: AuditKeys = KEYS) -> None:
        log = await open_audit(self.url, keys, lambda: NOW)
        keeper = HeadKeeper(log, self.url, keys.seal, self.bus, lambda: NOW)
        await keeper.compare()
        for number in range(count):
            await log.write(entry(number))
        await keeper.close()
        await log.close()

    async def at_start(self) -> str:
        """Why an API that starts answers nothing; empty if it does."""
        try:
            log = await open_audit(self.url, KEYS, lambda: NOW)
        except AuditDown as error:
            return str(error)
        try:
            await HeadKeeper(log, self.url, KEYS.seal, self.bus, lambda: NOW).compare()
            await log.ping()
        except AuditDown as error:
            return str(error)
        finally:
            await log.close()
        return ""

    async def verified(self) -> str:
        """What `verify` says is wrong; empty if nothing."""
        bus = await self.bus()
        heads = await given_out(bus, KEYS.seal, place_of(self.url))
        await bus.close()
        try:
            async with open_reading(self.url, KEYS.seal) as log:
                wrong = await log.wrong()
                known = [(head.sequence, head.seal) for head in heads]
                verdict = await verify(log.rows(), KEYS.seal, known, heads[-1].log)
        except AuditDown as error:
            return str(error)
        return "; ".join([*([verdict.broken] if verdict.broken else []), *wrong])

    async def rows(self) -> list[Row]:
        async with open_reading(self.url, KEYS.seal) as log:
            return [row async for row in log.rows()]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres"))
    return f"sqlite+aiosqlite:///{tmp_path}/audit.db"


@pytest.fixture
async def installation(url: str, tmp_path: Path) -> Installation:
    installation = Installation(url, tmp_path)
    await installation.write(WRITTEN - 1)
    return installation


Attack = Callable[[Installation], Awaitable[None]]


def by_sql(change: Callable[[AsyncConnection], Awaitable[None]], *, cover: bool = True) -> Attack:
    """The triggers away, the change, and the triggers back if the traces are to be covered."""

    async def attack(installation: Installation) -> None:
        engine = create_async_engine(installation.url)
        async with engine.begin() as connection:
            for trigger in (
                ("audit_no_update", "audit_no_delete", "audit_only_next")
                if installation.sqlite
                else ("audit_no_change", "audit_no_truncate")
            ):
                await connection.execute(text(f"DROP TRIGGER {trigger}{'' if installation.sqlite else ' ON audit'}"))
            await change(connection)
            if cover:
                for statement in SQLITE[1:] if installation.sqlite else POSTGRESQL:
                    await connection.execute(text(statement))
        await engine.dispose()

    return attack


def statement(sql: str, *, cover: bool = True) -> Attack:
    async def change(connection: AsyncConnection) -> None:
        await connection.execute(text(sql))

    return by_sql(change, cover=cover)


def rewritten(make: Callable[[list[Row]], Sequence[Row]]) -> Attack:
    """All rows replaced by what is made of them."""

    async def change(connection: AsyncConnection) -> None:
        columns = [AUDIT.c[name] for name in COLUMNS]
        rows = [Row(**row._mapping) for row in await connection.execute(select(*columns).order_by(AUDIT.c.sequence))]
        await connection.execute(text("DELETE FROM audit"))
        await connection.execute(insert(AUDIT), [dict(zip(COLUMNS, row.values(), strict=True)) for row in make(rows)])

    return by_sql(change)


def chained(rows: Sequence[Row], seal: Callable[[Row], Row]) -> list[Row]:
    """The rows sealed one to another, anew."""
    results: list[Row] = []
    for number, row in enumerate(rows, 1):
        previous = results[-1].hash if results else FIRST
        results.append(seal(replace(row, sequence=number, previous=previous)))
    return results


def plainly(row: Row) -> Row:
    return replace(row, hash=hashlib.sha256(row.body()).hexdigest())


def as_if(row: Row) -> Row:
    return replace(row, hash=ANOTHER.seal.mac(row.body()))


def subject(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, subject="nobody") if row.sequence == 4 else row for row in rows]


async def other_log(installation: Installation) -> None:
    """A log of another's making in its place."""
    await away(installation)
    log = await open_audit(installation.url, ANOTHER, lambda: NOW)
    for number in range(WRITTEN + 3):
        await log.write(entry(number))
    await log.close()


def delete(installation: Installation) -> None:
    for path in installation.directory.glob("audit.db*"):
        path.unlink()


async def away(installation: Installation) -> None:
    if installation.sqlite:
        delete(installation)
        return
    engine = create_async_engine(installation.url)
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE audit"))
    await engine.dispose()


async def emptied_file(installation: Installation) -> None:
    """Table and all gone, and the program makes a new one."""
    await away(installation)
    if installation.sqlite:
        installation.file.touch(0o600)


async def put_back(installation: Installation) -> None:
    """An old copy, whole as it was, in the place of the log."""
    keep = await installation.rows()
    await installation.write(3)
    engine = create_async_engine(installation.url)
    async with engine.begin() as connection:
        if installation.sqlite:
            for name in ("audit_no_update", "audit_no_delete", "audit_only_next"):
                await connection.execute(text(f"DROP TRIGGER {name}"))
            await connection.execute(text("DROP TABLE audit"))
        else:
            await connection.execute(text("DROP TABLE audit"))
        await connection.run_sync(METADATA.create_all)
        await connection.execute(insert(AUDIT), [dict(zip(COLUMNS, row.values(), strict=True)) for row in keep])
        for making in SQLITE[1:] if installation.sqlite else POSTGRESQL:
            await connection.execute(text(making))
    await engine.dispose()


async def weaker_trigger(installation: Installation) -> None:
    """The names are there; what they do is not."""
    engine = create_async_engine(installation.url)
    async with engine.begin() as connection:
        if installation.sqlite:
            await connection.execute(text("DROP TRIGGER audit_no_delete"))
            await connection.execute(
                text("CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN 0 BEGIN SELECT 1; END")
            )
        else:
            await connection.execute(
                text(
                    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
                    " $$ BEGIN RETURN coalesce(NEW, OLD); END $$"
                )
            )
    await engine.dispose()


async def swallowing_trigger(installation: Installation) -> None:
    """What is written does not stay."""
    engine = create_async_engine(installation.url)
    async with engine.begin() as connection:
        if installation.sqlite:
            await connection.execute(
                text("CREATE TRIGGER silent BEFORE INSERT ON audit BEGIN SELECT RAISE(IGNORE); END")
            )
        else:
            await connection.execute(
                text("CREATE FUNCTION silent() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$")
            )
            await connection.execute(
                text("CREATE TRIGGER silent BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION silent()")
            )
    await engine.dispose()


MISSING, CHANGED = "its seal was given out, and it is missing", "was changed after it was written, or sealed again"
ATTACKS: dict[str, tuple[Attack, str, str]] = {
    # what is done, what the next start says (empty: nothing, that is for `verify`), what `verify` says
    "the last row deleted": (statement("DELETE FROM audit WHERE sequence = 8"), MISSING, MISSING),
    "the last three deleted": (statement("DELETE FROM audit WHERE sequence > 5"), MISSING, MISSING),
    "all deleted": (statement("DELETE FROM audit"), "the log was emptied", "it was emptied"),
    "the first deleted": (statement("DELETE FROM audit WHERE sequence < 4"), "another log", "rows were taken out"),
    "one in the middle deleted": (statement("DELETE FROM audit WHERE sequence = 4"), "", "rows were taken out"),
    "one changed": (statement("UPDATE audit SET subject = 'nobody' WHERE sequence = 4"), "", CHANGED),
    "the last changed": (statement("UPDATE audit SET subject = 'nobody' WHERE sequence = 8"), CHANGED, CHANGED),
    "its hash computed anew": (
        rewritten(lambda rows: [plainly(row) if row.subject == "nobody" else row for row in subject(rows)]),
        "",
        CHANGED,
    ),
    "all hashes computed anew": (
        rewritten(lambda rows: chained(subject(rows), plainly)),
        "the log was replaced",
        CHANGED,
    ),
    "sealed again under our key's name": (
        rewritten(lambda rows: chained(subject(rows), as_if)),
        "the log was replaced",
        CHANGED,
    ),
    "sealed again by another key": (
        rewritten(lambda rows: chained(subject(rows), lambda row: row.sealed(ANOTHER.seal))),
        "the log was replaced",
        "none of ours",
    ),
    "the end sealed again": (
        rewritten(lambda rows: [*rows[:5], *chained(rows, as_if)[5:]]),
        "the log was sealed again",
        CHANGED,
    ),
    "two in another order": (
        rewritten(
            lambda rows: [
                *rows[:3],
                replace(rows[4], sequence=4),
                replace(rows[3], sequence=5),
                *rows[5:],
            ]
        ),
        "",
        CHANGED,
    ),
    "a row put in at the end": (
        rewritten(lambda rows: [*rows, as_if(replace(rows[-1], sequence=9, previous=rows[-1].hash))]),
        CHANGED,
        CHANGED,
    ),
    "triggers dropped": (statement("SELECT 1", cover=False), "is missing", "the trigger audit_no_"),
    "a trigger of the same name": (weaker_trigger, "says something else", "says something else"),
    "a trigger that takes rows away": (swallowing_trigger, "does not make", "a trigger silent"),
    "the table dropped": (away, "the log was replaced", ""),
    "the database emptied": (emptied_file, "the log was replaced", ""),
    "another log in its place": (other_log, "the log was replaced", "none of ours"),
    "an old copy put back": (put_back, "the log was cut off, or put back", MISSING),
}


@pytest.mark.law(7, planted="21 changes by who owns the database and has no key")
@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_an_owner_of_the_database_does_is_told(installation: Installation, attack: str) -> None:
    assert (await installation.at_start(), await installation.verified()) == ("", "")
    change, at_start, in_words = ATTACKS[attack]
    await change(installation)
    by_verify = await installation.verified()
    assert in_words in by_verify
    assert by_verify
    if attack not in ("the table dropped", "the database emptied") or installation.sqlite:
        assert await installation.at_start() == await installation.at_start()  # it is told again at every start
    started = await installation.at_start()
    assert at_start in started
    assert bool(started) is bool(at_start)


async def test_a_read_only_check_leaves_everything_as_it_is(tmp_path: Path) -> None:
    installation = Installation(f"sqlite+aiosqlite:///{tmp_path}/audit.db", tmp_path)
    await installation.write(3)
    installation.file.chmod(0o400)
    before = installation.file.read_bytes()
    assert await installation.verified() == ""
    assert installation.file.read_bytes() == before
    delete(installation)
    assert "gone" in await installation.verified()
    assert not installation.file.exists()


async def test_the_server_refuses_a_reader_all_else(postgres: str, tmp_path: Path) -> None:
    from services.audit.opening import _engine

    await Installation(postgres, tmp_path).write(2)
    engine = _engine(postgres, reading=True)
    with pytest.raises(Exception, match="read-only transaction"):
        async with engine.connect() as connection:
            await connection.execute(text("DROP TABLE audit"))
    await engine.dispose()


async def test_rows_taken_away_from_a_running_process(installation: Installation) -> None:
    log = await open_audit(installation.url, KEYS, lambda: NOW)
    await log.write(entry(1))
    await statement("DELETE FROM audit WHERE sequence > 6")(installation)
    with pytest.raises(AuditBroken, match="row 9: was written, and is missing; row 6 is the last"):
        await log.write(entry(2))
    with pytest.raises(AuditBroken):
        await log.ping()
    with pytest.raises(AuditBroken):
        await log.write(entry(2))
    await log.close()


async def test_what_is_taken_away_is_told_though_nobody_asks(installation: Installation) -> None:
    """By the next head, before any look-up."""
    log = await open_audit(installation.url, KEYS, lambda: NOW)
    keeper = HeadKeeper(log, installation.url, KEYS.seal, installation.bus, lambda: NOW)
    await keeper.compare()
    await statement("DELETE FROM audit WHERE sequence > 6")(installation)
    await keeper.give()
    with pytest.raises(AuditBroken, match="cut off"):
        await log.ping()
    await log.close()


async def test_a_file_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    installation = Installation(f"sqlite+aiosqlite:///{tmp_path}/audit.db", tmp_path)
    await installation.write(3)
    log = await open_audit(installation.url, KEYS, lambda: NOW)
    await log.write(entry(1))
    copy = tmp_path / "copy.db"
    installation.file.rename(copy)
    for _ in range(2):
        with pytest.raises(AuditDown):
            await log.write(entry(2))
    copy.rename(installation.file)
    await log.write(entry(3))  # the very same log
    await installation.write(0)
    # an older one in its place
    old = tmp_path / "old.db"
    shutil.copy(installation.file, old)
    await log.write(entry(4))
    await log.close()
    log = await open_audit(installation.url, KEYS, lambda: NOW)
    await log.write(entry(5))
    delete(installation)
    old.rename(installation.file)
    with pytest.raises(AuditBroken, match="was written, and is missing"):
        await log.write(entry(6))
    await log.close()


async def test_a_forged_head_stops_nothing(installation: Installation) -> None:
    bus = await installation.bus()
    (genuine,) = await given_out(bus, KEYS.seal, place_of(installation.url))
    forged = replace(genuine, sequence=10**6)
    producer = await bus.producer()
    message = forged.message(ANOTHER.seal)
    raised = (genuine.message(KEYS.seal).value or b"").replace(b'"sequence":8', b'"sequence":9')
    changed = replace(message, value=raised)
    junk = [Message(AUDIT_HEADS, message.key, value) for value in (b"", b"{}", b"[1]", b"\xff", b'{"place": 1}')]
    await producer.send([message, changed, *junk])
    await producer.close()
    await bus.close()
    assert (await installation.at_start(), await installation.verified()) == ("", "")


async def test_without_the_bus_nothing_is_taken(installation: Installation) -> None:
    calls: list[str] = []

    async def no_bus() -> Bus:
        calls.append("opened")
        raise OSError("unreachable")

    log = await open_audit(installation.url, KEYS, lambda: NOW)
    keeper = HeadKeeper(log, installation.url, KEYS.seal, no_bus, lambda: NOW)
    assert not await keeper.start()
    with pytest.raises(AuditDown, match="not compared yet"):
        await log.write(entry(1))
    before = len(calls)
    await keeper.close()
    assert len(calls) == before, "the end of a process does not wait for a bus that is away, nor gives out unseen heads"
    keeper = HeadKeeper(log, installation.url, KEYS.seal, installation.bus, lambda: NOW)
    task = asyncio.create_task(keeper.run(0.05, compared=False))
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.05)
            try:
                await log.write(entry(1))
            except AuditDown:
                continue
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await log.close()


async def test_an_operator_accepts_what_is_left(installation: Installation) -> None:
    await statement("DELETE FROM audit WHERE sequence > 5")(installation)
    assert await installation.at_start()
    log = await open_audit(installation.url, KEYS, lambda: NOW)
    await log.write(replace(entry(1), verb="audit accept", reason="restored"))
    accepted = await HeadKeeper(log, installation.url, KEYS.seal, installation.bus, lambda: NOW).accept()
    await log.close()
    assert accepted[0] == 6
    assert (await installation.at_start(), await installation.verified()) == ("", "")
    await installation.write(1)
    await statement("DELETE FROM audit WHERE sequence > 6")(installation)
    assert MISSING in await installation.at_start()


def test_a_head_says_who_made_it() -> None:
    head = Head("p" * 32, "a" * 64, 0, 7, "b" * 64, "2026-11-30T00:00:00+00:00")
    message = head.message(KEYS.seal)
    again = head_of(message.value, KEYS.seal)
    assert again is not None
    assert replace(again, key="", mac="") == head
    assert head_of(message.value, ANOTHER.seal) is None


def test_the_place_of_a_log_has_no_secret_in_it() -> None:
    one, other = (f"postgresql+asyncpg://{user}@db.example/audit" for user in ("a:secret", "b"))
    assert place_of(one) == place_of(other)
    assert place_of(one) != place_of("postgresql+asyncpg://db.example/other")


def test_a_head_is_as_its_published_schema_says() -> None:
    document = json.loads((Path(__file__).parents[3] / "schemas" / "published" / "asyncapi.json").read_text())
    schema = document["components"]["schemas"]["AuditHead"]
    message = Head("0" * 32, "a" * 64, 0, 7, "b" * 64, "2026-11-30T00:00:00+00:00").message(KEYS.seal)
    Draft202012Validator(schema).validate(orjson.loads(message.value or b""))
    assert set(schema["properties"]) == {*Head.__slots__}
