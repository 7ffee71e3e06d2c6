"""Change capture by the real Debezium over the real PostgreSQL: what a feed makes of the topic."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import orjson
import pytest
from captured import Capture, captured, of_postgres
from confluent_kafka import Producer
from connect_local import Connect
from servers import fresh_database

from adapters.core import BadRecord, Emptied, Note, Record, Unreadable
from adapters.formats.debezium import DebeziumFormat, Table, wrong_settings
from adapters.messages import message_of

SUBJECT = {
    "id": "bigint", "name": "varchar(40)", "born": "date", "seen": "timestamp(3)", "noted": "timestamp",
    "at": "timestamptz", "clock": "time(3)", "clock6": "time", "aliases": "text", "amount": "numeric",
    "fee": "numeric(9,2)", "keys": "uuid[]", "days": "date[]", "rates": "double[]", "held": "boolean", "kind": "enum",
    "span": "interval", "mask": "bit(5)", "ref": "uuid", "twice": "int",
}  # fmt: skip
FORMAT = DebeziumFormat(
    {
        "SUBJECT": Table(SUBJECT, ("id",)),
        "WHOLE": Table(SUBJECT, ("id",), full=True),
        "INDEXED": Table({"id": "bigint", "other": "int", "name": "varchar(40)"}, ("id",)),
        "EVENT": Table({"id": "int", "day": "date", "what": "text"}, ("id", "day"), partitions=r"event_\d+"),
        "PAIR": Table({"id": "int", "v": "int"}, ("id",)),
    }
)
TABLES = r"public\.(subject|whole|indexed|event.*|pair)"
CREATE = """
CREATE TYPE kind AS ENUM ('arrest', 'notice, to appear');
CREATE TABLE subject (id bigint PRIMARY KEY, name varchar(40) DEFAULT 'FNU', born date, seen timestamp(3),
  noted timestamp, at timestamptz, clock time(3), clock6 time, aliases text, amount numeric, fee numeric(9,2),
  keys uuid[], days date[], rates float8[], held boolean, kind kind, span interval, mask bit(5), ref uuid,
  twice int GENERATED ALWAYS AS (id::int * 2) STORED);
ALTER TABLE subject ALTER aliases SET STORAGE EXTERNAL, ALTER amount SET STORAGE EXTERNAL,
  ALTER keys SET STORAGE EXTERNAL, ALTER days SET STORAGE EXTERNAL, ALTER rates SET STORAGE EXTERNAL;
CREATE TABLE whole (LIKE subject INCLUDING ALL);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE indexed (id bigint PRIMARY KEY, other int NOT NULL UNIQUE, name varchar(40));
ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_other_key;
CREATE TABLE event (id int, day date, what text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
CREATE TABLE pair (id int PRIMARY KEY, v int);
CREATE TABLE keyless (v int);
INSERT INTO event VALUES (1, '2025-01-05', 'arrest');
INSERT INTO pair VALUES (1, 0), (2, 0);
"""
ROW = """
INSERT INTO {0} (id, name, born, seen, noted, at, clock, clock6, amount, fee, held, kind, span, mask, ref) VALUES
 ({1}, NULL, 'infinity', '2025-03-14 12:34:56.789', '2025-03-14 12:34:56.789012', '2025-03-14 14:34:56+02',
  '12:34:56.789', '12:34:56.789012', 1.50, -12.30, true, 'notice, to appear', '1 day', B'10110',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
 ({1} + 1, DEFAULT, '-infinity', NULL, 'infinity', '-infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 ({1} + 2, 'BC', '0044-03-15 BC', NULL, '0044-03-15 BC', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"""
LARGE = """
UPDATE {0} SET aliases = repeat('QUIMBY, OTTO; ', 900), amount = repeat('7', 6000)::numeric,
 keys = array_fill(gen_random_uuid(), ARRAY[900]), days = array_fill('2025-01-02'::date, ARRAY[3000]),
 rates = array_fill(1.5::float8, ARRAY[3000]) WHERE id = 101
"""


class World:
    """What was captured of one database, and the database."""

    def __init__(self, url: str, capture: Capture, config: dict[str, str]) -> None:
        self.url, self.capture, self.config = url, capture, config

    def of(self, key: str) -> list[dict[str, Any]]:
        """The records of a row, in the order of the topic."""
        return [dict(read.fields) for read in self.capture.records if read.fields.get("key") == key]


def sql(url: str, *statements: str) -> None:
    """Run statements, each in a transaction of its own."""

    async def run() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            for each in statements:
                await connection.execute(each)
        finally:
            await connection.close()

    asyncio.run(run())


async def interleave(url: str) -> None:
    """One transaction writes first and is committed last."""
    first, second = [await asyncpg.connect(url.replace("+asyncpg", "")) for _ in range(2)]
    try:
        async with first.transaction():
            await first.execute("UPDATE pair SET v = 1 WHERE id = 1; UPDATE pair SET v = 2 WHERE id = 1")
            await second.execute("UPDATE pair SET v = 1 WHERE id = 2")
        await second.execute("UPDATE pair SET v = 3 WHERE id = 1")
        await second.copy_records_to_table("pair", records=[(number, 0) for number in range(10, 16)])
    finally:
        await first.close()
        await second.close()


@pytest.fixture(scope="module")
def database(quiet_postgres_server: str) -> Iterator[str]:
    """A database of this module's."""
    manager = fresh_database(quiet_postgres_server)
    with asyncio.Runner() as runner:
        yield runner.run(manager.__aenter__())
        runner.run(manager.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def world(database: str, connect: Connect, kafka: str) -> Iterator[World]:
    """A database with a past, and all that happens to it while it is watched."""
    sql(database, CREATE, ROW.format("subject", 1))
    config = of_postgres(database, TABLES, heartbeat_interval_ms=500)
    with captured(connect, kafka, config, FORMAT) as capture:
        capture.until(lambda records: len(records) >= 6)
        changes = [ROW.format("subject", 101)]
        for table in ("subject", "whole"):
            changes += [ROW.format(table, 101)] if table == "whole" else []
            changes += [
                LARGE.format(table),
                f"UPDATE {table} SET fee = 1 WHERE id = 101",
                f"UPDATE {table} SET amount = NULL, rates = NULL, aliases = NULL WHERE id = 101",
                f"UPDATE {table} SET id = 201 WHERE id = 101",
                f"DELETE FROM {table} WHERE id = 201",
            ]
        changes += ["INSERT INTO indexed VALUES (1, 11, 'A')", "DELETE FROM indexed"]
        changes += ["UPDATE event SET day = '2025-02-05' WHERE id = 1", "TRUNCATE indexed"]
        changes += ["SELECT pg_logical_emit_message(true, 'visabus', 'hello')"]
        changes += ["INSERT INTO keyless VALUES (1)", "UPDATE keyless SET v = 2", "DELETE FROM keyless"]
        sql(database, *changes)
        asyncio.run(interleave(database))
        producer = Producer({"bootstrap.servers": kafka})
        producer.produce(capture.topic, key=None, value=None)
        producer.flush(10)
        capture.until(lambda records: any(each.fields.get("key") == "PAIR 15" for each in records))
        yield World(database, capture, connect.config(capture.topic))


def test_snapshot_and_stream_have_the_same_values(world: World) -> None:
    """Rules 1, 3 and 8: by type and precision, infinity in its two spellings, BC, a generated column."""
    for number in (1, 2, 3):
        snapshot, stream = world.of(f"SUBJECT {number}")[0], world.of(f"SUBJECT {number + 100}")[0]
        assert (snapshot["op"], stream["op"]) == ("r", "c")
        same = set(SUBJECT) - {"id", "twice"}
        assert {name: snapshot[name] for name in same} == {name: stream[name] for name in same}
        assert (snapshot["twice"], stream["unknown"]) == (number * 2, ["twice"])
    first, second, third = (world.of(f"SUBJECT {number}")[0] for number in (1, 2, 3))
    assert {name: first[name] for name in set(SUBJECT) - {"id", "twice", "span"}} == {
        "name": None, "born": "infinity", "seen": "2025-03-14T12:34:56.789000", "noted": "2025-03-14T12:34:56.789012",
        "at": "2025-03-14T12:34:56Z", "clock": "12:34:56.789000", "clock6": "12:34:56.789012", "aliases": None,
        "amount": "1.5", "fee": "-12.30", "keys": None, "days": None, "rates": None, "held": True,
        "kind": "notice, to appear", "mask": "10110", "ref": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    }  # fmt: skip
    assert (second["born"], second["noted"], second["at"]) == ("-infinity", "infinity", "-infinity")
    assert third["born"] == Unreadable("born: a day before 1583 or after 9999")


def test_null_is_null_and_not_the_default(world: World, connect: Connect, kafka: str) -> None:
    """Rule 2, and what a converter that is set otherwise makes of it: its configuration tells."""
    assert [world.of(f"SUBJECT {number}")[0]["name"] for number in (1, 2)] == [None, "FNU"]
    assert wrong_settings(world.config) == []
    careless = of_postgres(world.url, r"public\.subject") | {"value.converter.replace.null.with.default": "true"}
    with captured(connect, kafka, careless, FORMAT) as capture:
        records = capture.until(lambda records: len(records) >= 3)
        assert [each.fields["name"] for each in records if each.fields["id"] == 1] == ["FNU"]
        (reason,) = wrong_settings(connect.config(capture.topic))
    assert "NULL comes as the column's default" in reason


def test_an_unchanged_large_value_is_not_known(world: World) -> None:
    """Rule 4."""
    written, unchanged, emptied, deleted = world.of("SUBJECT 101")[1:]
    large = {"aliases", "amount", "keys", "days", "rates"}
    assert written["amount"] == "7" * 6000
    assert len(written["days"]) == 3000
    assert (unchanged["fee"], set(unchanged["unknown"])) == ("1.00", large | {"twice"})
    assert emptied["aliases"] is None
    assert set(emptied["unknown"]) == {"amount", "keys", "days", "rates", "twice"}
    (moved, _) = world.of("SUBJECT 201")
    assert (moved["op"], set(moved["unknown"])) == ("c", set(emptied["unknown"]))
    assert set(deleted) == {"table", "key", "op", "position", "committed", "id"}


def test_null_is_known_where_the_whole_row_is_the_replica_identity(world: World) -> None:
    _, unchanged, emptied, _ = world.of("WHOLE 101")[1:]
    assert unchanged["unknown"] == ["twice"]
    assert unchanged["aliases"].startswith("QUIMBY, OTTO")
    assert (emptied["amount"], emptied["rates"], emptied["unknown"]) == (None, None, ["twice"])


def test_a_key_that_changes_is_another_row(world: World) -> None:
    """Rule 5: the deletion of the former row by its key, a tombstone, and a new row at the same position."""
    deleted, (created, last) = world.of("SUBJECT 101")[-1], world.of("SUBJECT 201")
    assert [deleted["op"], created["op"], last["op"]] == ["d", "c", "d"]
    assert deleted["position"] == created["position"] < last["position"]
    tombstones = [
        each for each in world.capture.reads if isinstance(each, Note) and each.fields["what"] == "a tombstone"
    ]
    assert len(tombstones) >= 4


def test_a_deletion_whose_replica_identity_is_another_index_is_refused(world: World) -> None:
    reasons = [read.reason for read in world.capture.reads if isinstance(read, BadRecord)]
    assert "id of the key is 0: the replica identity is not the primary key" in reasons
    assert not [reason for reason in reasons if "TRUNCATE" in reason]


@pytest.mark.law(2, "a table that real Debezium tells as emptied: behind all its rows, and with its place among them")
def test_a_table_that_is_emptied_is_told_as_one_message(world: World) -> None:
    (emptied,) = [read for read in world.capture.reads if isinstance(read, Emptied)]
    assert emptied.prefix == "INDEXED "
    rows = [each for each in world.capture.records if each.fields["table"] == "INDEXED"]
    assert rows
    assert all(each.fields["position"] < emptied.number for each in rows)


@pytest.mark.law(1, "positions of a log that go backward between transactions, and forward for each row")
def test_positions_of_a_row_grow_though_those_of_the_log_go_backward(world: World) -> None:
    """Rule 6."""
    rows = [
        each.fields for each in world.capture.records if each.fields["table"] == "PAIR" and each.fields["op"] != "r"
    ]
    positions = [each["position"] for each in rows]
    assert positions != sorted(positions)
    for key in {each["key"] for each in rows}:
        mine = [each["position"] for each in world.of(key)]
        assert mine == sorted(set(mine))
    assert [each["v"] for each in world.of("PAIR 1")] == [0, 1, 2, 3]
    copied = {(each["key"], each["position"], each["op"]) for each in rows if each["id"] >= 10}
    assert len(copied) == 6


def test_only_the_tables_of_the_interface_are_published(world: World) -> None:
    """Rule 7: UPDATE and DELETE went through on the table without a key."""

    async def published() -> set[str]:
        connection = await asyncpg.connect(world.url.replace("+asyncpg", ""))
        try:
            return {row["tablename"] for row in await connection.fetch("SELECT tablename FROM pg_publication_tables")}
        finally:
            await connection.close()

    assert asyncio.run(published()) == {"subject", "whole", "indexed", "event_1", "event_2", "pair"}


def test_rows_of_a_partitioned_table_come_twice_and_are_one_record(world: World) -> None:
    """Rule 8."""
    first, second, moved = world.of("EVENT 1/2025-01-05")
    assert first == second
    assert (first["op"], moved["op"]) == ("r", "d")
    assert [each["op"] for each in world.of("EVENT 1/2025-02-05")] == ["c"]


def test_what_is_no_row_is_a_note(world: World) -> None:
    """Rule 10."""
    said = [read.fields.get("what") for read in world.capture.reads if isinstance(read, Note)]
    assert "a message of nothing" in said


@pytest.mark.law(1, "a transaction that writes before a snapshot and commits behind it, by real Debezium")
def test_a_row_written_while_the_snapshot_was_made_ready_is_newer_than_its_snapshot(
    quiet_postgres_server: str, connect: Connect, kafka: str
) -> None:
    """A transaction writes before the snapshot's position and is committed behind it."""

    async def scenario(pool: ThreadPoolExecutor) -> tuple[str, list[Record]]:
        async with fresh_database(quiet_postgres_server) as url:
            one, two, three, watch = [await asyncpg.connect(url.replace("+asyncpg", "")) for _ in range(4)]
            await one.execute("CREATE TABLE pair (id int PRIMARY KEY, v int); INSERT INTO pair VALUES (1, 0), (2, 0)")

            async def waits_for(connection: Any) -> None:
                """Until the slot waits for a transaction."""
                pid = connection.get_server_pid()
                query = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)) AND pid <> $2"
                end = time.monotonic() + 30
                while not await watch.fetchval(query, pid, watch.get_server_pid()):
                    assert time.monotonic() < end
                    await asyncio.sleep(0.02)

            begun = one.transaction()
            await begun.start()
            await one.execute("UPDATE pair SET v = 9 WHERE id = 2")
            config = of_postgres(url, r"public\.pair")
            with captured(connect, kafka, config, FORMAT, runs=False) as capture:
                await waits_for(one)
                second = two.transaction()
                await second.start()
                await two.execute("SELECT txid_current()")
                await begun.commit()
                await waits_for(two)
                third = three.transaction()
                await third.start()
                await three.execute("UPDATE pair SET v = 1 WHERE id = 1")
                await second.commit()
                enough = asyncio.get_running_loop().run_in_executor(
                    pool, capture.until, lambda records: len(records) >= 2
                )
                await enough
                await third.commit()
                records = await asyncio.get_running_loop().run_in_executor(
                    pool, capture.until, lambda records: len(records) >= 3
                )
            for each in (one, two, three, watch):
                await each.close()
            return url, records

    with ThreadPoolExecutor(1) as pool:
        _, records = asyncio.run(scenario(pool))
    snapshot, stream = (each for each in records if each.fields["key"] == "PAIR 1")
    assert [(each.fields["op"], each.fields["v"]) for each in (snapshot, stream)] == [("r", 0), ("u", 1)]
    assert lsn(stream) < lsn(snapshot)
    assert snapshot.fields["position"] < stream.fields["position"]


def test_a_table_that_is_captured_later_by_an_incremental_snapshot(
    quiet_postgres_server: str, connect: Connect, kafka: str
) -> None:
    """Its rows have no position of their own."""
    manager = fresh_database(quiet_postgres_server)
    with asyncio.Runner() as runner:
        url = runner.run(manager.__aenter__())
        try:
            create = "CREATE TABLE pair (id int PRIMARY KEY, v int); INSERT INTO pair VALUES (1, 0), (2, 0);"
            signal = "CREATE TABLE signal (id varchar(64) PRIMARY KEY, type varchar(32) NOT NULL, data text)"
            sql(url, create, signal)
            more = {"signal_data_collection": "public.signal", "snapshot_mode": "no_data"}
            with captured(connect, kafka, of_postgres(url, r"public\.(pair|signal)", **more), FORMAT) as capture:
                begin = '{"type": "incremental", "data-collections": ["public.pair"]}'
                sql(url, f"INSERT INTO signal VALUES ('1', 'execute-snapshot', '{begin}')")
                capture.until(lambda records: sum("key" in each.fields for each in records) >= 2)
                sql(url, "UPDATE pair SET v = 1 WHERE id = 1")
                records = capture.until(lambda records: any(each.fields.get("op") == "u" for each in records))
        finally:
            runner.run(manager.__aexit__(None, None, None))
    first, second = (each.fields for each in records if each.fields.get("key") == "PAIR 1")
    assert (first["op"], first["v"], second["op"], second["v"]) == ("r", 0, "u", 1)
    assert 0 < first["position"] < second["position"]


def lsn(record: Record) -> int:
    """Where the log stood, as Debezium says."""
    return int(orjson.loads(message_of(record.raw).value or b"")["payload"]["source"]["lsn"])
