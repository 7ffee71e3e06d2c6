"""What real databases do where a good guess is wrong, and views that are read whole: SQLite, PostgreSQL, MariaDB."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import aiomysql
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.core import BadRecord, Closing, Gone, Json, Note, Read, Record, SourceDown
from adapters.fields import Fields
from adapters.transports import whole_view
from adapters.transports.database_extract import DatabaseExtract
from adapters.transports.database_poll import DatabasePoll
from adapters.transports.orders import Moments, Numbers
from adapters.transports.snapshot import Snapshot

SERVERS = {"postgresql": "postgres", "mariadb": "mariadb"}
EACH = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


@pytest.fixture
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; the parameter says which."""
    which = getattr(request, "param", "sqlite")
    if which == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'source.db'}"
    return str(request.getfixturevalue(SERVERS[which]))


@pytest.fixture
async def engine(address: str) -> AsyncIterator[AsyncEngine]:
    """The owner's side of a database."""
    made = create_async_engine(address)
    yield made
    await made.dispose()


each_database = pytest.mark.parametrize("address", EACH, indirect=True)
on_mariadb = pytest.mark.parametrize("address", EACH[2:], indirect=True)
on_postgres = pytest.mark.parametrize("address", EACH[1:2], indirect=True)
on_servers = pytest.mark.parametrize("address", EACH[1:], indirect=True)


async def do(engine: AsyncEngine, *statements: str, **values: Any) -> None:
    """Statements of the owner, committed together."""
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement), values)


@dataclass
class Poller:
    """Polls, and remembers how far it is."""

    engine: AsyncEngine
    options: Any
    position: Json | None = None
    deferred: Sequence[str] = ()
    notes: list[Note] = field(default_factory=list)

    async def poll(self) -> list[Record]:
        connection = self.options.open(self.engine.url.render_as_string(hide_password=False), None)
        records: list[Record] = []
        try:
            async for batch in connection.batches(self.position):
                reads = [read async for read in batch.records()]
                assert [read async for read in batch.records()] == reads, "a batch read again is the same"
                assert not [read for read in reads if isinstance(read, BadRecord)]
                records += [read for read in reads if isinstance(read, Record)]
                self.notes += [read for read in reads if isinstance(read, Note)]
                self.position = orjson.loads(orjson.dumps(batch.after))
            if hasattr(connection, "deferred"):
                self.deferred = connection.deferred()
        finally:
            await connection.close()
        return records

    async def keys(self) -> list[int]:
        return [record.fields["id"] for record in await self.poll()]


def whole(**options: Any) -> DatabaseExtract:
    return DatabaseExtract(view="item", columns=("id", "name"), **{"every": 0.0} | options)


# --- rows ordered by a number ------------------------------------------------------------------------------------

NUMBERED = DatabasePoll(view="item", columns=("id", "version"), key="id", order="version", numbered=True, overlap=10)


@each_database
async def test_rows_are_polled_by_a_number_that_grows(engine: AsyncEngine) -> None:
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, version bigint)")
    await do(engine, "INSERT INTO item VALUES (1, 100), (2, 90), (3, NULL)")
    poller = Poller(engine, NUMBERED)
    # what has no number is left to the sweep, which takes its slice again as a whole: the first two are known
    assert await poller.keys() == [2, 1, 3]
    await do(engine, "INSERT INTO item VALUES (4, 95)", "UPDATE item SET version = 101 WHERE id = 2")
    assert await poller.keys() == [4, 2]
    await do(engine, "INSERT INTO item VALUES (5, 20)")  # committed later than the overlap reaches
    assert 5 in await poller.keys()
    await do(engine, "UPDATE item SET version = 5000000000 WHERE id = 1")
    assert await poller.keys() == [1]
    assert await poller.keys() == []


@on_postgres
async def test_rows_by_transaction_wait_for_one_that_is_open_and_say_so(engine: AsyncEngine) -> None:
    """Any transaction of the server that has written holds up what comes behind it."""
    options = DatabasePoll(
        view="item", columns=("id", "written"), key="id", order="written", transactions=True, overlap=0, sweep=0
    )
    await do(
        engine,
        "CREATE TABLE item (id int PRIMARY KEY, written bigint DEFAULT pg_current_xact_id()::text::bigint)",
        "CREATE TABLE other (id int)",
        "INSERT INTO item (id) VALUES (1)",
    )
    poller = Poller(engine, options)
    assert await poller.keys() == [1]
    assert poller.deferred == []
    async with engine.begin() as late:
        await late.execute(text("INSERT INTO other VALUES (1)"))
        await do(engine, "INSERT INTO item (id) VALUES (70)")
        await late.execute(text("INSERT INTO item (id) VALUES (69)"))
        assert await poller.keys() == []
        (why,) = poller.deferred
        assert why.startswith("item: rows of transactions from ")
        assert " on wait: one is open, in the database test_" in why
    assert await poller.keys() == [69, 70]
    assert poller.deferred == []


# --- rule 24: MariaDB --------------------------------------------------------------------------------------------


@on_mariadb
async def test_a_second_statement_ends_a_streamed_result_and_nothing_says_so(engine: AsyncEngine) -> None:
    """The fact: the loop ends as if there were no more rows, with a warning at the most."""
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(200))")
    await do(engine, "INSERT INTO item SELECT seq, repeat('x', 200) FROM seq_1_to_20000")
    url = make_url(str(engine.url))
    raw = await aiomysql.connect(host=url.host, port=url.port, user=url.username, password="visabus", db=url.database)
    try:
        cursor = await raw.cursor(aiomysql.SSCursor)
        await cursor.execute("SELECT * FROM item")
        taken = len(await cursor.fetchmany(10))
        other = await raw.cursor()
        with pytest.warns(UserWarning, match="left incomplete"):
            await other.execute("SELECT 1")
        while await cursor.fetchone():
            taken += 1
        assert taken < 20_000
    finally:
        raw.close()


@on_servers
async def test_a_read_that_ends_early_without_an_error_gives_no_shorter_table(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(20))")
    await do(engine, "INSERT INTO item VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    reading = whole_view.reading

    @asynccontextmanager
    async def cut(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        async with reading(*arguments, **options) as connection:

            class Cut:
                execute = staticmethod(connection.execute)

                @staticmethod
                async def stream(statement: Any, **options: Any) -> Any:
                    return await connection.stream(text(f"{statement} LIMIT 2"), **options)

            yield Cut

    monkeypatch.setattr(whole_view, "reading", cut)
    with pytest.raises(SourceDown, match="item has 3 rows, and 2 came"):
        await Poller(engine, whole()).poll()


@on_mariadb
@pytest.mark.parametrize("how", ["polled", "read whole"])
async def test_values_of_mariadb_come_exact(engine: AsyncEngine, how: str) -> None:
    """A reflected TIME wraps at 24 hours and a reflected DOUBLE is cut; days and moments that are none stay text."""
    await do(
        engine,
        "SET SESSION sql_mode = ''",
        "CREATE TABLE item (id bigint PRIMARY KEY, name text, at datetime(6), took time(6), went time, share double,"
        " exact decimal(30,10), day date, none date, flag bit(3), bytes varbinary(3), big bigint unsigned)",
        "INSERT INTO item VALUES (1, 'é€', '2025-06-01 12:00:00.25', '838:59:59.5', '-25:00:01', 0.1e0 + 0.2e0,"
        " 12345678901234567890.0123456789, '2025-02-28', '0000-00-00', b'101', x'00ff', 18446744073709551615)",
    )
    columns = tuple("id name at took went share exact day none flag bytes big".split())
    options: Any = DatabaseExtract("item", columns, every=0)
    if how == "polled":
        options = DatabasePoll(view="item", columns=columns, key="id", order="at")
    (record,) = await Poller(engine, options).poll()
    assert record.fields == {
        "id": 1,
        "name": "é€",
        "at": "2025-06-01T12:00:00.250000Z",
        "took": "838:59:59.500000",
        "went": "-25:00:01",
        "share": "0.30000000000000004",
        "exact": "12345678901234567890.0123456789",
        "day": "2025-02-28",
        "none": "0000-00-00",
        "flag": "hex 05",
        "bytes": "hex 00ff",
        "big": 18446744073709551615,
    }


@on_mariadb
async def test_moments_of_mariadb_are_utc_whatever_the_writers_zone(engine: AsyncEngine) -> None:
    await do(
        engine,
        "CREATE TABLE item (id bigint PRIMARY KEY, at timestamp(6))",
        "SET SESSION time_zone = '+05:00'",
        "INSERT INTO item VALUES (1, '2025-06-01 17:00:00')",
        "SET SESSION time_zone = '+00:00'",
    )
    poller = Poller(engine, DatabasePoll(view="item", columns=("id", "at"), key="id", order="at", overlap=0, window=0))
    (record,) = await poller.poll()
    assert record.fields["at"] == "2025-06-01T12:00:00.000000Z"
    await do(engine, "INSERT INTO item VALUES (2, '2025-06-01 12:00:00.000001')")
    assert await poller.keys() == [2]


def test_what_is_bound_for_mariadb_has_no_offset_to_lose() -> None:
    spelled = "2025-06-01T12:00:00.000000Z"
    aware = datetime(2025, 6, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert Moments().bound(spelled, "mysql") == aware.astimezone(UTC).replace(tzinfo=None)
    assert Moments().bound(spelled, "postgresql") == aware
    assert (Numbers().bound("", "mysql"), Numbers().bound("00000000000000000017", "sqlite")) == (-1, 17)
    assert [Numbers().spelled(value) for value in (-1, True, None, "x", 10**20, "12")] == [""] * 5 + ["0" * 18 + "12"]


@on_mariadb
async def test_a_late_commit_rewrites_what_mariadb_says_of_the_past_and_the_poll_takes_it(engine: AsyncEngine) -> None:
    """So FOR SYSTEM_TIME AS OF is no way to read a table as it was; overlap and sweep find the row."""
    await do(
        engine,
        "CREATE TABLE item (id int PRIMARY KEY, name varchar(9), begun timestamp(6) GENERATED ALWAYS AS ROW START,"
        " ended timestamp(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (begun, ended))"
        " WITH SYSTEM VERSIONING",
    )
    poller = Poller(engine, DatabasePoll(view="item", columns=("id", "begun"), key="id", order="begun"))

    async def as_of(moment: Any) -> list[int]:
        async with engine.connect() as connection:
            rows = await connection.execute(
                text("SELECT id FROM item FOR SYSTEM_TIME AS OF TIMESTAMP :at ORDER BY id"), {"at": moment}
            )
            return [row.id for row in rows]

    async with engine.begin() as late:
        await late.execute(text("INSERT INTO item (id) VALUES (1)"))
        await do(engine, "INSERT INTO item (id) VALUES (2)")
        async with engine.connect() as connection:
            moment = (await connection.execute(text("SELECT NOW(6)"))).scalar_one()
        assert await poller.keys() == [2]
        assert await as_of(moment) == [2]
    assert await as_of(moment) == [1, 2], "the past is another than it was"
    assert await poller.keys() == [1]
    assert await poller.keys() == []


# --- rule 25: PostgreSQL -----------------------------------------------------------------------------------------


@on_postgres
async def test_a_key_that_is_widened_does_not_end_the_poll(engine: AsyncEngine) -> None:
    await do(engine, "CREATE TABLE item (id int PRIMARY KEY, version int)", "INSERT INTO item VALUES (1, 1)")
    poller = Poller(engine, NUMBERED)
    assert await poller.keys() == [1]
    await do(
        engine,
        "ALTER TABLE item ALTER id TYPE bigint, ALTER version TYPE bigint",
        "INSERT INTO item VALUES (1099511627776, 1099511627776)",
    )
    assert 1099511627776 in await poller.keys()
    assert await poller.keys() == []


@on_postgres
@pytest.mark.parametrize("how", ["polled", "read whole"])
async def test_ends_of_time_are_read_as_they_are(engine: AsyncEngine, how: str) -> None:
    """asyncpg gives infinity without a zone and writes 9999-12-31 as infinity: here dates are text on both ways."""
    await do(
        engine,
        "CREATE TABLE item (id int PRIMARY KEY, until date, at timestamptz, since timestamptz)",
        "INSERT INTO item VALUES (1, '9999-12-31', '2025-06-01 12:00+02', '-infinity'),"
        " (2, 'infinity', '2025-06-01 13:00+02', 'infinity'), (3, NULL, 'infinity', NULL)",
    )
    columns = ("id", "until", "at", "since")
    options: Any = DatabaseExtract("item", columns, every=0)
    if how == "polled":
        options = DatabasePoll(view="item", columns=columns, key="id", order="at")
    records = {record.fields["id"]: record.fields for record in await Poller(engine, options).poll()}
    assert records[1]["until"] == "9999-12-31"
    assert (records[2]["until"], records[1]["since"], records[2]["since"]) == ("infinity", "-infinity", "infinity")
    assert (records[3]["at"], records[1]["at"]) == ("infinity", "2025-06-01T10:00:00.000000Z")


# --- views that are read whole -----------------------------------------------------------------------------------


@each_database
async def test_a_view_is_read_whole_and_compared(engine: AsyncEngine) -> None:
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(20))")
    await do(engine, "INSERT INTO item VALUES (1, 'a'), (2, 'b'), (3, NULL)")
    poller = Poller(engine, whole())
    assert [dict(record.fields) for record in await poller.poll()] == [
        {"id": 1, "name": "a"},
        {"id": 2, "name": "b"},
        {"id": 3, "name": None},
    ]
    assert isinstance(poller.notes[-1], Closing)
    compared = Snapshot(whole(), key=_key, keep=("id",))
    connection = compared.open(engine.url.render_as_string(hide_password=False), None)
    batches = [batch async for batch in connection.batches(None)]
    await do(engine, "DELETE FROM item WHERE id = 2", "UPDATE item SET name = 'A' WHERE id = 1")
    reads: list[Read] = []
    async for batch in connection.batches(batches[-1].after):
        reads += [read async for read in batch.records()]
    await connection.close()
    changed, gone = (read for read in reads if isinstance(read, Record))
    assert changed.fields == {"id": 1, "name": "A"}
    assert isinstance(gone, Gone)
    assert gone.fields == {"id": 2}


def _key(row: Fields) -> str:
    return str(row["id"])


async def test_a_view_is_not_read_again_before_its_time(engine: AsyncEngine) -> None:
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(20))", "INSERT INTO item VALUES (1, 'a')")
    moments = iter([datetime(2025, 6, 1, 12, minute, tzinfo=UTC) for minute in (0, 59, 30)] + [datetime.now(UTC)])
    poller = Poller(engine, whole(every=3600.0, now=lambda: next(moments)))
    assert await poller.keys() == [1]
    assert await poller.keys() == []
    assert await poller.keys() == []
    assert await poller.keys() == [1]


@on_servers
async def test_what_is_written_during_a_read_is_not_seen_by_halves(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row moves from behind the reading to before it: it is there once, as at the moment at which the read began."""
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(20))")
    values = ", ".join(f"({key}, 'a')" for key in range(1, 101))
    await do(engine, f"INSERT INTO item VALUES {values}")
    monkeypatch.setattr(whole_view, "_PAGE", 10)
    monkeypatch.setattr(whole_view, "_PIECE", 1)
    loop, begun, done = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    write = whole_view._write

    def waits(file: Any, rows: Any) -> None:
        write(file, rows)
        loop.call_soon_threadsafe(begun.set)
        assert done.wait(20)

    monkeypatch.setattr(whole_view, "_write", waits)
    reading = asyncio.create_task(Poller(engine, whole()).keys())
    await begun.wait()
    await do(engine, "UPDATE item SET id = 0 WHERE id = 100", "DELETE FROM item WHERE id = 50")
    done.set()
    assert sorted(await reading) == list(range(1, 101))


@on_servers
async def test_a_connection_that_is_cut_in_the_middle_of_a_read_is_a_source_down(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(3000))")
    postgresql = engine.dialect.name == "postgresql"
    many = "generate_series(1, 20000) AS n (seq)" if postgresql else "seq_1_to_20000"
    await do(engine, f"INSERT INTO item SELECT seq, repeat('x', 2000) FROM {many}")
    loop, begun, done = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    write = whole_view._write

    def waits(file: Any, rows: Any) -> None:
        write(file, rows)
        loop.call_soon_threadsafe(begun.set)
        assert done.wait(20)

    monkeypatch.setattr(whole_view, "_write", waits)
    reading = asyncio.create_task(Poller(engine, whole()).keys())
    await begun.wait()
    if postgresql:
        await do(
            engine,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
    else:
        async with engine.connect() as connection:
            sessions = await connection.execute(
                text("SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()")
            )
            for session in [row.id for row in sessions]:
                await connection.execute(text(f"KILL CONNECTION {session}"))
    done.set()
    with pytest.raises(SourceDown):
        await reading
    monkeypatch.undo()
    assert len(await Poller(engine, whole()).keys()) == 20_000


@each_database
async def test_why_a_source_is_down_is_said_in_words_and_it_comes_back(engine: AsyncEngine) -> None:
    await do(engine, "CREATE TABLE other (id integer)")
    poller = Poller(engine, whole())
    with pytest.raises(SourceDown, match="item"):
        await poller.poll()
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(20))", "INSERT INTO item VALUES (1, 'a')")
    assert await poller.keys() == [1]
    connection = whole().open("mysql://someone:verysecret@127.0.0.1:1/x", None)
    with pytest.raises(SourceDown) as caught:
        _ = [batch async for batch in connection.batches(None)]
    assert "verysecret" not in str(caught.value)
    await connection.close()


@on_servers
async def test_a_database_that_hangs_is_down_in_words(engine: AsyncEngine) -> None:
    waits = {
        "postgresql": "SELECT 1 AS id, 'a' AS name FROM pg_sleep(20)",
        "mysql": "SELECT sleep(20) AS id, 'a' AS name",
    }
    await do(engine, f"CREATE VIEW item AS {waits[engine.dialect.name]}")
    with pytest.raises(SourceDown, match=r"(?i)statement timeout|max_statement_time|interrupted"):
        await Poller(engine, whole(timeout=0.5)).poll()


async def test_a_server_that_takes_the_connection_and_says_nothing_is_down() -> None:
    held: list[asyncio.Task[None] | None] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(asyncio.current_task())
        await reader.read()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connections = [whole(timeout=-4.5).open(f"{kind}://x@127.0.0.1:{port}/x", None) for kind in ("mysql", "postgresql")]
    for connection in connections:
        with pytest.raises(SourceDown, match="timeout: no answer in time"):
            _ = [batch async for batch in connection.batches(None)]
        await connection.close()
    server.close()
    await asyncio.gather(*(each for each in held if each is not None))


@on_servers
async def test_nothing_can_be_written_there(engine: AsyncEngine) -> None:
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(20))")
    connection: Any = whole().open(engine.url.render_as_string(hide_password=False), None)
    with pytest.raises(Exception, match=r"(?i)read.?only"):
        async with whole_view.reading(connection.engine, 5, snapshot=True) as opened:
            await opened.execute(text("INSERT INTO item VALUES (1, 'a')"))
    await connection.close()


async def test_a_stop_during_a_read_leaves_nothing_behind(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name varchar(20))", "INSERT INTO item VALUES (1, 'a')")
    entered = threading.Event()

    def hangs(file: Any, rows: Any) -> None:
        entered.set()
        threading.Event().wait(0.3)

    monkeypatch.setattr(whole_view, "_write", hangs)
    poller = Poller(engine, whole())
    task = asyncio.create_task(poller.poll())
    assert await asyncio.to_thread(entered.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    assert await poller.keys() == [1]


@pytest.mark.slow
async def test_a_large_view_is_read_in_bounded_memory(engine: AsyncEngine) -> None:
    """Some 100 MB."""
    await do(engine, "CREATE TABLE item (id integer PRIMARY KEY, name text)")
    await do(
        engine,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
        " INSERT INTO item SELECT i, hex(randomblob(1000)) FROM n",
    )
    connection: Any = whole().open(engine.url.render_as_string(hide_password=False), None)
    tracemalloc.start()
    rows = 0
    async for batch in connection.batches(None):
        async for read in batch.records():
            rows += isinstance(read, Record)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    await connection.close()
    assert rows == 50_000
    assert peak < 24_000_000, peak


def test_a_file_stands_for_a_view_that_is_read_whole(tmp_path: Path) -> None:
    def reads(content: bytes) -> Iterator[Read]:
        return whole(numbers=("id",)).offline(content, None)

    record, closing = reads(b"Name,id,more\na,1,x\n")
    assert (record.fields if isinstance(record, Record) else None) == {"id": 1, "name": "a"}
    assert isinstance(closing, Closing)
    short, _, closing = reads(b"id,name\n1\n2,b\n")
    assert isinstance(short, BadRecord)
    assert isinstance(closing, Closing), "a bad line does not end the file"
    for cut in (b"id\n1\n", b"SQLite format 3\0 and no more", b'id,name\n1,"' + b"x" * 2**21):
        assert not [read for read in reads(cut) if isinstance(read, Closing)], "what breaks off is not whole"
