"""A change table over SQLite, PostgreSQL and MariaDB: no change is lost however late it commits."""

from __future__ import annotations

import asyncio
import sqlite3
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import toy_source
from change_tables import Owner, blocks, decoded, insert
from sqlalchemy.exc import DBAPIError

from adapters.core import (
    BadRecord,
    Batch,
    Closing,
    Emptied,
    Feed,
    Filtered,
    Mapped,
    Note,
    Origin,
    Read,
    Record,
    SourceDown,
    System,
)
from adapters.formats.debezium import DebeziumFormat, Table
from adapters.formats.json_page import JsonPage
from adapters.messages import CLOCK
from adapters.transports.change_table import Changes, ChangeTable
from bus.embedded import EmbeddedBus
from services import failpoints
from services.ingest import Source, recorded, run
from services.wiring import topics

FORMAT = DebeziumFormat({"ITEM": Table({"id": "bigint", "name": "varchar(40)", "born": "date"}, ("id",))}, clock=CLOCK)
SERVERS = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("mariadb", marks=pytest.mark.mariadb),
]


POSTGRES = pytest.mark.parametrize("url", SERVERS[1:2], indirect=True)
MARIADB = pytest.mark.parametrize("url", SERVERS[2:], indirect=True)
SEVERAL_WRITERS = pytest.mark.parametrize("url", SERVERS[1:], indirect=True)


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'changes.db'}"
    return str(request.getfixturevalue("quiet_postgres" if request.param == "postgresql" else "mariadb"))


@pytest.fixture
async def owner(url: str) -> AsyncIterator[Owner]:
    """A database with the table and its triggers."""
    made = Owner(url)
    try:
        await made.make()
        yield made
    finally:
        await made.engine.dispose()


class Reader:
    """Polls, and remembers what came."""

    def __init__(self, owner: Owner, **options: Any) -> None:
        self.owner, self.transport = owner, ChangeTable(**options)
        self.position: Any = None
        self.batches: list[Batch] = []
        self.left: list[str] = []

    async def poll(self, most: int = 10**9) -> list[Any]:
        """What one poll brings, of the first `most` batches."""
        opened = self.transport.open(self.owner.url, FORMAT)
        got: list[Any] = []
        try:
            async with aclosing(opened.batches(self.position)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    got += [shown(read) async for read in batch.records()]
                    self.batches.append(batch)
                    self.position = orjson.loads(orjson.dumps(batch.after))
                    if len(self.batches) >= most:
                        break
            self.left = list(opened.deferred())
        finally:
            await opened.close()
        return got


def shown(read: Read) -> Any:
    """A record in short, or why there is none."""
    if isinstance(read, BadRecord):
        return read.reason
    if isinstance(read, Closing):
        return "clock", read.fields["since"], read.fields["through"]
    if isinstance(read, Emptied):
        return "emptied", read.prefix
    assert isinstance(read, Record)
    return decoded(dict(read.fields))


async def test_every_change_comes_once_and_in_order(owner: Owner) -> None:
    reader = Reader(owner)
    assert await reader.poll() == []
    await owner.put(1)
    await owner.run("UPDATE item SET name = 'B', born = NULL", insert(2), "DELETE FROM item WHERE id = 1")
    assert await reader.poll() == [("c", 1, "A"), ("u", 1, "B"), ("c", 2, "A"), ("d", 1, None)]
    assert await reader.poll() == []


async def test_values_are_those_of_the_row(owner: Owner) -> None:
    await owner.put(1, 'QUIMBY \\" é', "2025-03-14")
    opened = ChangeTable().open(owner.url, FORMAT)
    reads = [read async for batch in opened.batches(None) async for read in batch.records()]
    await opened.close()
    (record,) = reads
    assert isinstance(record, Record)
    expected = {"table": "ITEM", "key": "ITEM 1", "op": "c", "position": 1, "id": 1, "born": "2025-03-14"}
    assert {name: record.fields[name] for name in expected} == expected
    assert "QUIMBY" in record.fields["name"]
    assert record.fields["name"].endswith("é")
    assert record.fields["committed"].startswith("20")


@SEVERAL_WRITERS
async def test_a_key_that_changes_is_another_row(owner: Owner) -> None:
    await owner.put(1)
    await owner.run("UPDATE item SET id = 5")
    assert await Reader(owner).poll() == [("c", 1, "A"), ("d", 1, None), ("c", 5, "A")]


async def test_the_first_load(owner: Owner) -> None:
    await owner.run("CREATE TABLE held AS SELECT * FROM item")
    await owner.put(1)
    await owner.run("DELETE FROM visabus_change")
    await owner.load()
    assert ("r", 1, "A") in await Reader(owner).poll()


@SEVERAL_WRITERS
@pytest.mark.law(2, "a change that commits behind later ones")
async def test_what_commits_late_is_not_lost(owner: Owner) -> None:
    reader = Reader(owner)
    await owner.put(1)
    late = await owner.begin(insert(2))
    await owner.put(3)
    first = await reader.poll()
    assert reader.left, "an operator can see what waits"
    await late.commit()
    await late.close()
    second = await reader.poll()
    assert sorted(first + second) == [("c", 1, "A"), ("c", 2, "A"), ("c", 3, "A")]
    assert (first[0], reader.left) == (("c", 1, "A"), [])
    assert await reader.poll() == []


async def test_a_clock_vouches_from_where_it_stood_before(owner: Owner) -> None:
    reader = Reader(owner)
    await owner.put(1)
    await owner.tick()
    await owner.put(2)
    first, (clock, since, through), second = await reader.poll()
    assert (first, clock, second) == (("c", 1, "A"), "clock", ("c", 2, "A"))
    assert since == "1991-01-02T00:00:00Z"
    assert through[:2] == "20"
    await owner.tick()
    ((clock, since, later),) = await reader.poll()
    assert since == through <= later


@SEVERAL_WRITERS
@pytest.mark.law(8, "a clock is told behind all that was committed before it, and not before")
async def test_a_clock_waits_for_what_is_being_written(owner: Owner) -> None:
    reader = Reader(owner)
    late = await owner.begin(insert(1))
    await owner.put(2)
    job = asyncio.create_task(owner.tick())
    await asyncio.sleep(0.3)
    assert not job.done(), "it waits for the writer"
    got = await reader.poll()
    assert not any(each[0] == "clock" for each in got)
    await late.commit()
    await late.close()
    await job
    got += await reader.poll()
    *changes, (clock, _, _) = got
    assert clock == "clock"
    assert sorted(changes) == [("c", 1, "A"), ("c", 2, "A")]


@MARIADB
@pytest.mark.law(8, "what is missing is looked for once more before a clock is told")
async def test_what_commits_while_a_poll_is_under_way_stands_before_the_clock(owner: Owner) -> None:
    reader = Reader(owner, page=1)
    await owner.tick()
    await reader.poll()
    late = await owner.begin(insert(1))
    await owner.put(2)
    opened = reader.transport.open(owner.url, FORMAT)
    got = []
    async with aclosing(opened.batches(reader.position)) as batches:  # type: ignore[type-var]
        async for batch in batches:
            got += [shown(read) async for read in batch.records()]
            if len(got) == 1:
                await late.commit()
                await late.close()
                await owner.tick()
    await opened.close()
    assert [each[0] for each in got] == ["c", "c", "clock"]
    assert sorted(got[:2]) == [("c", 1, "A"), ("c", 2, "A")]


@SEVERAL_WRITERS
async def test_what_was_rolled_back_holds_nothing_up_for_ever(owner: Owner) -> None:
    reader = Reader(owner, patience=0.0)
    lost = await owner.begin(insert(1))
    await lost.rollback()
    await lost.close()
    await owner.put(2)
    assert await reader.poll() == [("c", 2, "A")]
    await owner.put(3)
    assert await reader.poll() == [("c", 3, "A")]
    assert reader.left == []


@SEVERAL_WRITERS
@pytest.mark.law(2, "ten writers, every other of which commits late, in the reverse order")
async def test_several_transactions_open_at_once(owner: Owner) -> None:
    """Of ten writers every other is late; they commit from the last to the first."""
    reader = Reader(owner, page=3)
    got: list[Any] = []
    late = []
    for number in range(10):
        if number % 2:
            await owner.put(number + 1)
        else:
            late.append(await owner.begin(insert(number + 1)))
        got += await reader.poll()
    for each in reversed(late):
        await each.commit()
        await each.close()
        got += await reader.poll()
    assert sorted(got) == [("c", number, "A") for number in sorted(range(1, 11))]


@MARIADB
async def test_more_gaps_than_there_is_room_for_hold_reading_up_and_lose_nothing(owner: Owner) -> None:
    reader = Reader(owner, gaps=2)
    late = []
    for number in range(4):
        late.append(await owner.begin(insert(10 + number)))
        await owner.put(20 + number)
    got = await reader.poll()
    assert len(got) < 4
    for each in late:
        await each.commit()
        await each.close()
    for _ in range(4):
        got += await reader.poll()
    assert sorted(got) == [("c", 10 + n, "A") for n in range(4)] + [("c", 20 + n, "A") for n in range(4)]


async def test_resuming_at_every_position_gives_the_rest(owner: Owner) -> None:
    for number in range(1, 8):
        await owner.put(number)
    reader = Reader(owner, page=2)
    whole = await reader.poll()
    assert len(reader.batches) == 4
    for index, batch in enumerate(reader.batches):
        again = Reader(owner, page=2)
        again.position = orjson.loads(orjson.dumps(batch.after))
        assert await again.poll() == whole[2 * (index + 1) :]


async def test_stopped_at_any_moment(owner: Owner) -> None:
    for number in range(1, 6):
        await owner.put(number)
    reader, got = Reader(owner, page=1), []
    for most in range(1, 6):
        got += await reader.poll(most)
    assert got == [("c", number, "A") for number in range(1, 6)]
    assert len({batch.name for batch in reader.batches}) == 5


@pytest.mark.law(2, "changes that were purged before they were read")
async def test_what_was_purged_before_it_was_read_is_told(owner: Owner) -> None:
    reader = Reader(owner)
    await owner.put(1)
    await reader.poll()
    await owner.put(2)
    await owner.put(3)
    await owner.run("INSERT INTO visabus_change_purged VALUES (2)", "DELETE FROM visabus_change WHERE change_id <= 2")
    assert await reader.poll() == ["changes 2 to 2 were purged before they were read", ("c", 3, "A")]
    await owner.run("INSERT INTO visabus_change_purged VALUES (3)", "DELETE FROM visabus_change")
    assert await reader.poll() == [], "read before"
    assert await Reader(owner).poll() == [], "a feed that begins behind it"


@POSTGRES
async def test_a_table_that_is_emptied_at_once_is_told_between_what_stood_and_what_comes(owner: Owner) -> None:
    """By the trigger of the page; one whose transaction was rolled back is none."""
    await owner.put(1)
    await owner.run("TRUNCATE item", insert(2))
    undone = await owner.begin("TRUNCATE item")
    await undone.rollback()
    await undone.close()
    assert await Reader(owner).poll() == [("c", 1, "A"), ("emptied", "ITEM "), ("c", 2, "A")]
    opened = ChangeTable().open(owner.url, FORMAT)
    reads = [read async for batch in opened.batches(None) async for read in batch.records()]
    await opened.close()
    first, emptied, second = reads
    assert isinstance(emptied, Emptied)
    assert first.fields["position"] < emptied.number < second.fields["position"]


@MARIADB
async def test_a_table_that_is_held_cannot_be_emptied_at_once(owner: Owner) -> None:
    """MariaDB runs no trigger for TRUNCATE: an empty table that refers to it, by the page, makes it refuse."""
    await owner.run(blocks("MariaDB")[5])
    await owner.put(1)
    with pytest.raises(DBAPIError, match="foreign key"):
        await owner.run("TRUNCATE item")
    await owner.run("UPDATE item SET id = 2", "DELETE FROM item")
    assert [each[:2] for each in await Reader(owner).poll()] == [("c", 1), ("d", 1), ("c", 2), ("d", 2)]


async def test_garbage_costs_itself(owner: Owner) -> None:
    values = ("'nonsense'", "'[1]'", '\'{"id": 1, "name": {}}\'')
    rows = [f"('item', 'c', '{{\"id\": 1}}', {value})" for value in values]
    await owner.run(
        *(
            f"INSERT INTO visabus_change (table_name, op, row_key, after) VALUES {row}".replace("after)", column(owner))
            for row in rows
        )
    )
    await owner.put(2)
    first, second, third, fourth = await Reader(owner).poll()
    assert "without the row after it" in first
    assert "without the row after it" in second
    assert (third[0], fourth) == ("c", ("c", 2, "A"))


def column(owner: Owner) -> str:
    """The last column as MariaDB wants it."""
    return "`after`)" if owner.kind == "mysql" else "after)"


async def test_the_source_goes_away_and_comes_back(owner: Owner) -> None:
    reader = Reader(owner)
    await owner.put(1)
    await reader.poll()
    await owner.run("ALTER TABLE visabus_change RENAME TO away")
    with pytest.raises(SourceDown, match="visabus_change"):
        await reader.poll()
    await owner.run("ALTER TABLE away RENAME TO visabus_change")
    await owner.put(2)
    assert await reader.poll() == [("c", 2, "A")]


async def read_from(address: str) -> None:
    opened = ChangeTable().open(address, FORMAT)
    try:
        _ = [batch async for batch in opened.batches(None)]
    finally:
        await opened.close()


@pytest.mark.parametrize("address", ["", "nonsense", "postgresql://user:hunter22@127.0.0.1:1/x", "oracle://h/x"])
async def test_an_address_that_leads_nowhere_is_told_without_its_password(address: str) -> None:
    with pytest.raises(SourceDown, match=r"\w") as text:
        await read_from(address)
    assert "hunter22" not in str(text.value)


@POSTGRES
async def test_transactions_numbered_anew_are_told(owner: Owner) -> None:
    reader = Reader(owner)
    reader.position = {"at": [2**60, 5], "high": 5, "missing": []}
    with pytest.raises(SourceDown, match="transactions are numbered anew"):
        await reader.poll()


def test_options_that_are_none() -> None:
    for options in ({"table": "a; b"}, {"page": 0}, {"gaps": 0}):
        with pytest.raises(ValueError, match=r"\w"):
            ChangeTable(**options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="takes messages"):
        ChangeTable().open("sqlite:///x", JsonPage())


async def test_a_file_stands_for_the_table(tmp_path: Path) -> None:
    owner = Owner(f"sqlite+aiosqlite:///{tmp_path / 'changes.db'}")
    await owner.make()
    await owner.put(1)
    await owner.engine.dispose()
    path = tmp_path / "changes.db"
    for source in (path, path.read_bytes()):
        assert [shown(read) for read in ChangeTable().offline(source, FORMAT)] == [("c", 1, "A")]
    lines = b"".join(read.raw for read in ChangeTable().offline(path, FORMAT))
    assert [shown(read) for read in ChangeTable().offline(lines, FORMAT)] == [("c", 1, "A")]
    (bad,) = ChangeTable().offline(b"SQLite format 3\0 nonsense", FORMAT)
    assert isinstance(bad, BadRecord)


@POSTGRES
async def test_a_slow_source_is_down_in_time(owner: Owner) -> None:
    await owner.put(1)
    held = await owner.begin("LOCK TABLE visabus_change IN ACCESS EXCLUSIVE MODE")
    with pytest.raises(SourceDown, match=r"QueryCanceled|timeout|Timeout"):
        await Reader(owner, timeout=0.5).poll()
    await held.rollback()
    await held.close()
    assert await Reader(owner).poll() == [("c", 1, "A")]


class Crash(BaseException):
    """Stands for a death of the process."""


def _mapping(read: Record | Note, origin: Origin) -> Mapped | Filtered:
    """A person of that number was met."""
    if isinstance(read, Note):
        return Mapped()
    return toy_source.mapping(replace(read, fields={"word": "met", "key": str(read.fields["id"])}), origin)


@pytest.mark.law(2, "a change table, the process dead at each step of the host")
@pytest.mark.parametrize("point", ["ingest.decoded", "ingest.sent", "ingest.saved"])
async def test_a_crash_at_each_step_loses_nothing_and_counts_nothing_twice(
    owner: Owner, tmp_path: Path, point: str
) -> None:
    """Through the host: the next run goes on at the position that was saved, whatever was sent beyond it."""
    for number in range(1, 7):
        await owner.put(number)
        await owner.run("INSERT INTO visabus_change (table_name, op, row_key) VALUES ('item', 'c', '{\"id\": 1}')")
    feed = Feed("table", ChangeTable(page=5), _mapping, FORMAT)
    system = System("TOY", "Toy", "nobody", 28, ("status",), ("fin",), 1, (feed,))
    source = Source(system, feed, owner.engine.url.render_as_string(hide_password=False))
    quick = toy_source.settings(tmp_path, chunk_records=2, refuse_min=1000)
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    for nth in range(1, 100):
        hits = 0

        async def crash(at: str, nth: int = nth) -> None:
            nonlocal hits
            hits += at == point
            if hits == nth:
                raise Crash

        with failpoints.armed(crash):
            (outcome,) = await run(quick, [source], once=True, bus=bus, clock=recorded)
        if outcome.error is None:
            break
    assert nth > 2
    results = await toy_source.world(bus)
    assert len(results.ids()) == 6
    counters = results.checkpoints["TOY/table"]["counters"]
    assert (counters["read"], counters["published"], counters["dead_lettered"]) == (12, 6, 6)
    await bus.close()


@pytest.mark.slow
def test_a_hundred_megabytes_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.db"
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE visabus_change (change_id INTEGER PRIMARY KEY, changed_at, table_name, op, row_key, after)"
    )
    database.execute("CREATE TABLE visabus_change_purged (through)")
    after = orjson.dumps({"id": 1, "name": "N" * 10_000, "born": None}).decode()
    rows = ((number, "2025-01-02T00:00:00Z", "item", "u", '{"id":1}', after) for number in range(1, 10_001))
    database.executemany("INSERT INTO visabus_change VALUES (?, ?, ?, ?, ?, ?)", rows)
    database.commit()
    database.close()

    async def count(position: Any = None) -> int:
        opened: Changes = ChangeTable(page=200).open(f"sqlite+aiosqlite:///{path}", FORMAT)
        total = 0
        async for batch in opened.batches(position):
            async for _ in batch.records():
                total += 1
        await opened.close()
        return total

    assert asyncio.run(count({"at": [0, 9_999], "high": 9_999, "missing": []})) == 1
    tracemalloc.start()
    try:
        assert asyncio.run(count()) == 10_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30_000_000
