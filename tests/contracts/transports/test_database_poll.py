"""Rows of a view: none lost however late it commits, none counted twice, over SQLite, PostgreSQL and MariaDB alike."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opening import connect, events_of
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from systems.claims3.build import row, tables

from adapters.core import Closing, Feed, Json, Note, Origin, Read, Record, SourceDown
from adapters.registry import systems
from adapters.transports.polled_view import PolledView
from adapters.transports.rows import iso, parse

BASE = datetime(2025, 6, 1, 12, tzinfo=UTC)


class Source:
    """The owner's side: writes rows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: AsyncEngine = create_async_engine(url)

    async def make(self) -> None:
        async with self.engine.begin() as connection:
            for statement in statements(self.engine.dialect.name):
                await connection.execute(text(statement))

    async def put(self, *rows: dict[str, Any]) -> None:
        async with self.engine.begin() as connection:
            for each in rows:
                await connection.execute(
                    text("DELETE FROM benefit_action WHERE action_id = :action_id"), {"action_id": each["action_id"]}
                )
                await connection.execute(*self.statement(each))

    def statement(self, each: dict[str, Any]) -> tuple[TextClause, dict[str, Any]]:
        """What writes a row."""
        names, values = ", ".join(each), ", ".join(f":{name}" for name in each)
        return text(f"INSERT INTO benefit_action ({names}) VALUES ({values})"), self._values(each)

    async def clock(self, minutes: float) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text("DELETE FROM benefit_clock"))
            await connection.execute(text("INSERT INTO benefit_clock VALUES (:at)"), self._values({"at": at(minutes)}))

    def _values(self, each: dict[str, Any]) -> dict[str, Any]:
        """Dates as the driver wants them."""
        if self.engine.dialect.name == "sqlite":
            return each
        results = dict(each)
        for name, value in each.items():
            if value is not None and name in ("action_date", "filed_date", "valid_from"):
                results[name] = datetime.fromisoformat(value).date()
            elif name in ("last_update_ts", "at"):
                moment = parse(value)
                results[name] = moment.replace(tzinfo=None) if self.engine.dialect.name == "mysql" else moment
        return results


def statements(dialect: str) -> list[str]:
    """What makes the interface's tables and views; MariaDB has those of PostgreSQL with its own type of moments."""
    if dialect == "mysql":
        return [each.replace("timestamptz", "datetime(6)") for each in statements("postgresql")]
    return [each for each in tables(dialect).split(";") if each.strip()]


SERVERS = {"postgresql": "postgres", "mariadb": "mariadb"}


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'claims3.db'}"
    return str(request.getfixturevalue(SERVERS[request.param]))


@pytest.fixture
async def source(url: str) -> AsyncIterator[Source]:
    """A database with the interface's views, empty."""
    made = Source(url)
    await made.make()
    yield made
    await made.engine.dispose()


def at(minutes: float) -> str:
    """A timestamp of the source."""
    return iso(BASE + timedelta(minutes=minutes))


def action(key: int, minutes: float, version: int = 1, **changes: Any) -> dict[str, Any]:
    """A row last written then."""
    dates = {"action_date": "2025-05-20", "filed_date": "2025-05-20"}
    return row(**{"action_id": key, "row_version": version, "last_update_ts": at(minutes)} | dates | changes)


def feed(**options: Any) -> Feed:
    """The real feed with other options."""
    real = systems()["CLAIMS3"].feed("actions")
    return real.configured({**options})


class Reader:
    """Polls, and remembers what it got."""

    def __init__(self, source: Source, **options: Any) -> None:
        self.source = source
        self.feed = feed(**options)
        self.position: Json | None = None
        self.got: list[tuple[int, int]] = []
        self.notes: list[dict[str, Any]] = []
        self.pages: list[int] = []

    async def poll(self) -> list[tuple[int, int]]:
        """Key and version of the rows of one poll."""
        transport = connect(self.source.url, self.feed)
        got: list[tuple[int, int]] = []
        try:
            async for batch in transport.batches(self.position):
                reads = [read async for read in batch.records()]
                got += [(read.fields["action_id"], read.fields["row_version"]) for read in _records(reads)]
                self.notes += [dict(read.fields) for read in reads if isinstance(read, Note)]
                self.pages.append(len(reads))
                self.position = orjson.loads(orjson.dumps(batch.after))
        finally:
            await transport.close()
        self.got += got
        return got


def _records(reads: Iterable[Read]) -> list[Record]:
    return [read for read in reads if isinstance(read, Record)]


async def test_rows_are_read_once_in_the_order_of_change(source: Source) -> None:
    reader = Reader(source)
    await source.put(action(1, 0), action(2, 5), action(3, 2))
    assert await reader.poll() == [(1, 1), (3, 1), (2, 1)]
    assert await reader.poll() == []
    await source.put(action(4, 6))
    assert await reader.poll() == [(4, 1)]


async def test_rows_look_the_same_whatever_the_database(source: Source) -> None:
    await source.put(action(1, 0, filed_date=None))
    transport = connect(source.url, feed())
    reads = [read async for batch in transport.batches(None) async for read in batch.records()]
    await transport.close()
    (record,) = _records(reads)
    assert record.place == "row 1"
    assert (record.fields["action_date"], record.fields["last_update_ts"]) == (
        "2025-05-20",
        "2025-06-01T12:00:00.000000Z",
    )
    result = events_of(feed().mapping(record, Origin("CLAIMS3", "actions", "b", 1)))
    assert [str(event.id) for event in result] == ["c85c54e1-e69a-5692-b64d-bc7a488d4a71"]


async def test_a_row_that_commits_late_with_an_older_id_and_timestamp_is_found(source: Source) -> None:
    reader = Reader(source)
    await source.put(action(10, 0), action(12, 10))
    await reader.poll()
    await source.put(action(11, 1))
    assert await reader.poll() == [(11, 1)]
    assert sorted(reader.got) == [(10, 1), (11, 1), (12, 1)]


async def test_a_row_that_commits_later_than_the_overlap_is_found_by_the_sweep(source: Source) -> None:
    reader = Reader(source)
    await source.put(action(10, 0), action(5000, 600))
    await reader.poll()
    await source.put(action(3000, 1), action(11, 2))
    got = await reader.poll()
    assert {(3000, 1), (11, 1)} <= set(got)
    assert await reader.poll() == []


@pytest.mark.law(8, planted="a poll without overlap and sweep, which misses late rows")
async def test_without_overlap_and_sweep_the_late_row_is_lost(source: Source) -> None:
    """The planted bug: it shows that the tests above would see it."""
    reader = Reader(source, overlap=0, window=0, sweep=0)
    await source.put(action(10, 0), action(12, 10))
    await reader.poll()
    await source.put(action(11, 1))
    assert await reader.poll() == []


async def test_many_rows_of_one_moment(source: Source) -> None:
    """More than the window remembers and than a page holds, all written by one statement."""
    reader = Reader(source, page=7, window=10, sweep=10_000)
    await source.put(*[action(key, 0) for key in range(1, 60)])
    assert len(await reader.poll()) == 59
    assert await reader.poll() == []
    assert max(reader.pages) <= 7


async def test_a_changed_row_is_a_new_revision(source: Source) -> None:
    reader = Reader(source)
    await source.put(action(1, 0), action(2, 1))
    await reader.poll()
    await source.put(action(1, 5, 2, given_name="ANA"))
    assert await reader.poll() == [(1, 2)]
    assert await reader.poll() == []


async def test_a_row_that_changed_without_moving_forward_is_found(source: Source) -> None:
    reader = Reader(source, window=1)
    await source.put(*[action(key, key * 60) for key in range(1, 9)])
    await reader.poll()
    await source.put(action(2, 120, 2, given_name="ANA"))
    assert (2, 2) in await reader.poll()
    assert await reader.poll() == []


async def test_a_voided_row_is_taken_back(source: Source) -> None:
    reader = Reader(source)
    await source.put(action(1, 0))
    await reader.poll()
    await source.put(action(1, 3, 2, void_flag="Y"))
    transport = connect(source.url, reader.feed)
    reads = [read async for batch in transport.batches(reader.position) async for read in batch.records()]
    await transport.close()
    (event,) = events_of(reader.feed.mapping(_records(reads)[0], Origin("CLAIMS3", "actions", "b", 1)))
    assert (event.operation, event.record, event.revision.number) == ("retract", "1", 2)


async def test_a_row_dated_far_ahead_does_not_drag_the_floor_along(source: Source) -> None:
    reader = Reader(source)
    message = row(action_id=2, last_update_ts="2999-01-01T00:00:00.000000Z")
    await source.put(action(1, 0), message)
    assert sorted(await reader.poll()) == [(1, 1), (2, 1)]
    await source.put(action(3, 1))
    assert (3, 1) in await reader.poll()
    assert await reader.poll() == []


@pytest.mark.slow
async def test_resuming_after_any_batch_loses_nothing(source: Source) -> None:
    await source.put(*[action(key * 50, key % 7) for key in range(1, 40)])
    await source.clock(60)
    transport = connect(source.url, feed(page=5))
    batches = [batch async for batch in transport.batches(None)]
    keys = [[read.fields["action_id"] for read in _records([r async for r in batch.records()])] for batch in batches]
    assert sorted(chain(*keys)) == [key * 50 for key in range(1, 40)]
    for index, batch in enumerate(batches):
        position = orjson.loads(orjson.dumps(batch.after))
        rest = [
            read.fields["action_id"]
            async for later in transport.batches(position)
            async for read in later.records()
            if isinstance(read, Record)
        ]
        assert rest == list(chain(*keys[index + 1 :]))
    await transport.close()


async def test_a_batch_is_named_by_its_content(source: Source) -> None:
    """The host skips what it has done of a batch of the same name: another content must have another name."""
    await source.put(action(1, 0), action(2, 1))
    transport = connect(source.url, feed(window=10))
    one = [batch.name async for batch in transport.batches(None)]
    assert one == [batch.name async for batch in transport.batches(None)]
    await source.put(action(1, 0, 2, given_name="ANA"))
    two = [batch.name async for batch in transport.batches(None)]
    assert one[0] != two[0]
    await transport.close()


async def test_the_owners_clock_is_told_once_all_before_it_was_read(source: Source) -> None:
    reader = Reader(source)
    await source.put(action(1, 0))
    await reader.poll()
    assert reader.notes == []
    await source.clock(60)
    await reader.poll()
    await reader.poll()
    assert reader.notes == [{"since": "1998-01-01T00:00:00.000000Z", "through": at(60)}]
    await source.clock(90)
    await reader.poll()
    assert reader.notes[1:] == [{"since": at(60), "through": at(90)}]
    closing = Closing("end", b"", reader.notes[1])
    (event,) = events_of(reader.feed.mapping(closing, Origin("CLAIMS3", "actions", "b", 1)))
    assert (event.scope, iso(event.through)) == ("extension", at(90))


@pytest.mark.law(8, "a poll vouches only for what it has surely seen")
async def test_the_clock_waits_for_the_sweep(source: Source) -> None:
    """A row missed by the forward path may be older than the clock: nothing is claimed before the sweep went past."""
    reader = Reader(source, sweep=1)
    await source.put(*[action(key * 64, key) for key in range(1, 4)])
    await source.clock(60)
    for expected in ([], [], [], [at(60)]):
        await reader.poll()
        assert [note["through"] for note in reader.notes] == expected


async def test_the_position_is_bounded(source: Source) -> None:
    reader = Reader(source, window=50, slices=8, page=100, sweep=10_000)
    await source.put(*[action(key * 97, key) for key in range(1, 300)])
    assert len(await reader.poll()) == 299
    assert len(orjson.dumps(reader.position)) < 5_000
    assert len(reader.position["seen"]) <= 50
    assert len(reader.position["sums"]) <= 8
    assert await reader.poll() == []
    await source.put(action(97 * 100 + 1, 3))
    assert (97 * 100 + 1, 1) in await reader.poll()


async def test_nothing_can_be_written(source: Source) -> None:
    transport = connect(source.url, feed())
    assert isinstance(transport, PolledView)
    async with transport.connect() as connection:
        with pytest.raises(DBAPIError, match=r"(?i)read.?only"):
            await connection.execute(text("DELETE FROM benefit_action"))
    await transport.close()


async def test_a_view_that_is_not_there_is_a_source_down(source: Source) -> None:
    async with source.engine.begin() as connection:
        await connection.execute(text("DROP VIEW visabus_benefit_action"))
    with pytest.raises(SourceDown, match="visabus_benefit_action"):
        await Reader(source).poll()


async def test_a_database_that_is_not_there_is_a_source_down_and_tells_no_password(tmp_path: Path) -> None:
    for url in (
        f"sqlite+aiosqlite:///{tmp_path}/nowhere.db",
        "postgresql+asyncpg://someone:verysecret@127.0.0.1:1/claims3",
    ):
        transport = connect(url, feed())
        with pytest.raises(SourceDown) as caught:
            [batch async for batch in transport.batches(None)]
        await transport.close()
        assert "verysecret" not in str(caught.value)
    assert not (tmp_path / "nowhere.db").exists()
    with pytest.raises(SourceDown, match="the address cannot be used"):
        connect("no address", feed())


@pytest.mark.postgres
async def test_postgresql_that_refuses_the_connection_is_a_source_down(postgres: str) -> None:
    transport = connect(postgres.rpartition("/")[0] + "/no_such_database", feed())
    with pytest.raises(SourceDown, match="no_such_database"):
        [batch async for batch in transport.batches(None)]
    await transport.close()


@pytest.mark.postgres
async def test_a_statement_that_takes_too_long_is_a_source_down(postgres: str) -> None:
    source = Source(postgres)
    await source.make()
    await source.put(action(1, 0))
    async with source.engine.begin() as connection:
        await connection.execute(
            text("CREATE OR REPLACE VIEW visabus_benefit_action AS SELECT b.* FROM benefit_action b, pg_sleep(20)")
        )
    with pytest.raises(SourceDown, match="statement timeout"):
        await Reader(source, timeout=0.3).poll()
    await source.engine.dispose()


@pytest.mark.postgres
async def test_a_transaction_that_is_open_while_others_commit(postgres: str) -> None:
    """The late row as it comes about: written first, with the lower key and the earlier time, committed last."""
    source = Source(postgres)
    await source.make()
    reader = Reader(source)
    async with source.engine.begin() as late:
        await late.execute(*source.statement(action(11, 1)))
        await source.put(action(12, 10))
        assert await reader.poll() == [(12, 1)]
    assert await reader.poll() == [(11, 1)]
    assert await reader.poll() == []
    await source.engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ("filed_date = '20250-08-21'", "filed_date", "20250-08-21"),
        ("valid_from = '0044-03-15 BC'", "valid_from", "0044-03-15 BC"),
        ("last_update_ts = '20250-08-21 00:00:00+00'", "last_update_ts", "20250-08-21 00:00:00+00"),
        ("last_update_ts = 'infinity'", "last_update_ts", "infinity"),
    ],
)
@pytest.mark.law(2, "dates that PostgreSQL has and Python has not: their rows are refused, and no other")
async def test_a_date_that_python_has_not_is_its_rows_affair(
    postgres: str, change: str, field: str, value: str
) -> None:
    """PostgreSQL keeps what was mistyped; the driver would refuse the whole page for it, every time."""
    source = Source(postgres)
    await source.make()
    await source.put(*[action(key, key) for key in range(1, 41)])
    async with source.engine.begin() as connection:
        await connection.execute(text(f"UPDATE benefit_action SET {change} WHERE action_id = 17"))
    reader = Reader(source)
    transport = connect(source.url, reader.feed)
    try:
        reads = [read async for batch in transport.batches(None) async for read in batch.records()]
    finally:
        await transport.close()
    records = _records(reads)
    # the sweep, which takes a row without a moment, takes those of its slice again: that changes nothing
    assert {record.fields["action_id"] for record in records} == set(range(1, 41))
    (odd,) = [record for record in records if record.fields["action_id"] == 17]
    assert odd.fields[field] == value
    await source.engine.dispose()


async def test_quiet_hours(tmp_path: Path) -> None:
    source = Source(f"sqlite+aiosqlite:///{tmp_path / 'claims3.db'}")
    await source.make()
    await source.put(action(1, 0))
    await source.engine.dispose()
    night_hours = ("22:00", "04:00", "America/New_York")
    for hour, quiet in ((3, True), (7, True), (9, False), (1, False)):
        moment = datetime(2025, 6, 2, hour, tzinfo=UTC)  # four hours ahead of New York
        reader = Reader(source, quiet=night_hours, now=lambda moment=moment: moment)
        assert (await reader.poll() == []) == quiet, hour


async def test_rows_that_sqlite_keeps_and_no_interface_allows(tmp_path: Path) -> None:
    source = Source(f"sqlite+aiosqlite:///{tmp_path / 'claims3.db'}")
    await source.make()
    await source.put(
        action(1, 0),
        row(action_id=2, last_update_ts="yesterday"),
        row(action_id=3, last_update_ts=17),
        row(action_id=4, last_update_ts=b"\xff\xfe"),
        row(action_id=-5, last_update_ts=at(3)),
        row(action_id=-(2**63), last_update_ts="never"),
        row(action_id=6, last_update_ts=at(3), family_name=b"\xff"),
    )
    async with source.engine.begin() as connection:
        await connection.execute(
            text("UPDATE benefit_action SET given_name = CAST(x'ff41' AS TEXT) WHERE action_id = 6")
        )
    reader = Reader(source, page=2)
    assert {key for key, _ in await reader.poll()} == {1, 2, 3, 4, -5, 6, -(2**63)}
    assert await reader.poll() == []
    await source.engine.dispose()


def test_options_that_are_not_understood() -> None:
    for options in ({"key": "nothing"}, {"view": "a; DROP TABLE b"}, {"page": 0}):
        with pytest.raises(ValueError, match=r"columns of|page and slices"):
            connect("sqlite+aiosqlite://", feed(**options))
    with pytest.raises(ValueError, match="colour"):
        connect("sqlite+aiosqlite://", feed(colour="red"))


# --- any history of the owner's table ----------------------------------------------------------------------------

_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 400), st.integers(0, 60), st.booleans()),
        st.tuples(st.just("poll"), st.integers(0, 2), st.just(0), st.just(False)),
    ),
    max_size=25,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(_STEPS, st.sampled_from([1, 3, 500]), st.sampled_from([0, 2, 500]), st.sampled_from([1, 20, 2_000]))
def test_whatever_is_written_when_the_last_version_of_every_row_is_read(
    steps: list[tuple[str, int, int, bool]], page: int, window: int, sweep: int
) -> None:
    """Late commits, changes without and with a new timestamp, restarts in the middle of a poll."""

    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            source = Source(f"sqlite+aiosqlite:///{folder}/claims3.db")
            await source.make()
            reader = Reader(source, page=page, window=window, sweep=sweep, slices=4, overlap=600)
            versions: dict[int, tuple[int, float]] = {}
            for what, number, minutes, stays in steps:
                if what == "put":
                    version, before = versions.get(number, (0, minutes))
                    versions[number] = (version + 1, before if stays else minutes)
                    await source.put(action(number, versions[number][1], version + 1))
                elif number == 0:
                    await _break_off(reader)
                else:
                    await reader.poll()
            for _ in range(2 + 2 * len(versions)):
                await reader.poll()
            assert {(key, version) for key, (version, _) in versions.items()} <= set(reader.got)
            assert await reader.poll() == []
            await source.engine.dispose()

    asyncio.run(run())


async def _break_off(reader: Reader) -> None:
    """A poll that ends behind its first batch."""
    transport = connect(reader.source.url, reader.feed)
    batches = transport.batches(reader.position)
    async for batch in batches:
        reads = [read async for read in batch.records()]
        reader.got += [(read.fields["action_id"], read.fields["row_version"]) for read in _records(reads)]
        reader.position = orjson.loads(orjson.dumps(batch.after))
        break
    await batches.aclose()
    await transport.close()
