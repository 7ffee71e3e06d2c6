"""Change capture by the real Debezium over the real MariaDB: its values, and what gives no record at all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from captured import Capture, captured, of_mariadb
from connect_local import Connect
from servers import fresh_mariadb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from typer.testing import CliRunner

from adapters.core import BadRecord, Emptied, Unreadable
from adapters.formats.debezium import DebeziumFormat, Table, wrong_settings
from services.cli import app

SUBJECT = {
    "id": "bigint", "name": "varchar(40)", "born": "date", "seen": "datetime(3)", "noted": "datetime(6)",
    "at": "timestamptz", "span": "time(6)", "year": "year", "ref": "uuid", "kind": "enum", "fee": "decimal(9,2)",
    "held": "smallint", "twice": "int",
}  # fmt: skip
FORMAT = DebeziumFormat(
    {"SUBJECT": Table(SUBJECT, ("id",)), "FILE": Table({"id": "int", "subject": "bigint", "what": "text"}, ("id",))}
)
CREATE = """
CREATE TABLE subject (id bigint PRIMARY KEY, name varchar(40) DEFAULT 'FNU', born date, seen datetime(3),
  noted datetime(6), at timestamp NULL, span time(6), year year, ref uuid, kind enum('arrest', 'notice, to appear'),
  fee decimal(9,2), held tinyint(1), twice int AS (held * 2) STORED);
CREATE TABLE file (id int PRIMARY KEY, subject bigint, what text,
  FOREIGN KEY (subject) REFERENCES subject (id) ON DELETE CASCADE)
"""
ROW = """
INSERT INTO subject VALUES
 ({0} + 1, NULL, '2025-03-14', '2025-03-14 12:34:56.789', '2025-03-14 12:34:56.789012', '2025-03-14 12:34:56',
  '-99:34:56.789012', 2025, '123e4567-e89b-12d3-a456-426655440000', 'notice, to appear', -12.30, 1, DEFAULT),
 ({0} + 2, DEFAULT, '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', NULL, NULL, NULL, NULL, NULL, NULL,
  DEFAULT),
 ({0} + 3, 'X', '0099-01-02', '0025-01-02', NULL, NULL, NULL, 1999, NULL, 'arrest', NULL, 0, DEFAULT)
"""


def sql(url: str, *scripts: str) -> None:
    """Run statements, each in a transaction of its own."""

    async def run() -> None:
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'"))
            for statement in (each for script in scripts for each in script.split(";")):
                await connection.execute(text(statement))
        await engine.dispose()

    asyncio.run(run())


@pytest.fixture
def database(mariadb_server: str) -> Iterator[str]:
    """An empty database."""
    manager = fresh_mariadb(mariadb_server)
    with asyncio.Runner() as runner:
        yield runner.run(manager.__aenter__())
        runner.run(manager.__aexit__(None, None, None))


def rows(capture: Capture, key: str) -> list[dict[str, Any]]:
    """The records of a row."""
    return [dict(each.fields) for each in capture.records if each.fields["key"] == key]


def test_what_debezium_makes_of_mariadb(database: str, connect: Connect, kafka: str) -> None:
    """Rule 9, and 2 and 5 for MariaDB."""
    sql(database, CREATE, ROW.format(0))
    config = of_mariadb(database, kafka)
    with captured(connect, kafka, config, FORMAT) as capture:
        capture.until(lambda records: len(records) >= 3)
        assert wrong_settings(connect.config(capture.topic)) == []
        done = CliRunner().invoke(app, ["connector", connect.url, capture.topic])
        assert (done.exit_code, "1 task running" in done.output) == (0, True)
        sql(
            database,
            ROW.format(100),
            "INSERT INTO file VALUES (1, 101, 'a'), (2, 102, 'b'), (3, 103, 'c')",
            "UPDATE file SET what = 'd' WHERE id = 3",
            "UPDATE subject SET id = 203 WHERE id = 102 AND (SELECT count(*) FROM file WHERE subject = 102) = 0",
            "DELETE FROM file WHERE id = 2",
            "UPDATE subject SET id = 202 WHERE id = 102",
            "DELETE FROM subject WHERE id = 101",
            "TRUNCATE file",
            "INSERT INTO file VALUES (9, NULL, 'last')",
        )
        records = capture.until(lambda records: any(each.fields["key"] == "FILE 9" for each in records))
    for number in (1, 2, 3):
        snapshot, stream = rows(capture, f"SUBJECT {number}")[0], rows(capture, f"SUBJECT {100 + number}")[0]
        assert {name: snapshot[name] for name in set(SUBJECT) - {"id"}} == {
            name: stream[name] for name in set(SUBJECT) - {"id"}
        }
    first, second, third = (rows(capture, f"SUBJECT {number}")[0] for number in (101, 102, 103))
    assert {name: first[name] for name in set(SUBJECT) - {"id"}} == {
        "name": None, "born": "2025-03-14", "seen": "2025-03-14T12:34:56.789000", "noted": "2025-03-14T12:34:56.789012",
        "at": "2025-03-14T12:34:56Z", "span": "-99:34:56.789012", "year": 2025,
        "ref": "123e4567-e89b-12d3-a456-426655440000", "kind": "notice, to appear", "fee": "-12.30", "held": 1,
        "twice": 2,
    }  # fmt: skip
    assert (second["name"], second["born"], second["at"]) == ("FNU", None, None)
    assert third["born"] == Unreadable("born: a day before 1583 or after 9999")
    assert [each["op"] for each in rows(capture, "SUBJECT 101")] == ["c", "d"]
    assert [each["op"] for each in rows(capture, "FILE 1")] == ["c"], "its deletion cascaded: no record says so"
    assert [each["op"] for each in rows(capture, "FILE 3")] == ["c", "u"], "TRUNCATE: no record of the row says so"
    assert not [read for read in capture.reads if isinstance(read, BadRecord)]
    (emptied,) = [read for read in capture.reads if isinstance(read, Emptied)]
    assert emptied.prefix == "FILE "
    before = [each for number in (1, 2, 3) for each in rows(capture, f"FILE {number}")]
    assert all(each["position"] < emptied.number for each in before)
    assert emptied.number < rows(capture, "FILE 9")[0]["position"]
    assert [each["op"] for each in rows(capture, "SUBJECT 102")] == ["c", "d"]
    (moved,) = rows(capture, "SUBJECT 202")
    assert (moved["op"], "unknown" in moved) == ("c", False)
    for key in {each.fields["key"] for each in records}:
        positions = [each["position"] for each in rows(capture, key)]
        assert positions == sorted(set(positions))


def test_a_connector_that_runs_while_its_task_has_failed(database: str, connect: Connect, kafka: str) -> None:
    """Rule 10: one row whose YEAR is 0 ends the snapshot, and the connector goes on as RUNNING."""
    sql(database, "CREATE TABLE subject (id bigint PRIMARY KEY, year year)", "INSERT INTO subject VALUES (1, 0)")
    config = of_mariadb(database, kafka)
    with captured(connect, kafka, config, FORMAT, runs=False) as capture:
        connect.await_task(capture.topic, "FAILED")
        assert connect.state(capture.topic)[:2] == ("RUNNING", "FAILED")
        assert "IllegalArgumentException" in connect.state(capture.topic)[2]
        done = CliRunner().invoke(app, ["connector", connect.url, capture.topic])
        assert (done.exit_code, done.output.startswith("task 0 is FAILED: ")) == (1, True)
        assert CliRunner().invoke(app, ["connector", connect.url, "nobody"]).exit_code == 2
