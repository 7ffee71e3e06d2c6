"""Debezium's records as real connectors wrote them, recorded from invented rows, and what no connector writes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from adapters.core import BadRecord, Emptied, Header, Met, Note, Outside, Read, Record, Unreadable
from adapters.formats.debezium import DebeziumFormat, Table, wrong_settings
from adapters.formats.debezium_values import column_of, declared, from_binlog, plain_of
from adapters.messages import CHANGE_TABLE, Message, line_of

HERE = Path(__file__).parent
TYPES = {
    "id": "bigint", "d": "date", "t": "time", "t3": "time(3)", "tz": "timetz", "ts": "timestamp", "ts3": "timestamp(3)",
    "ts0": "timestamp(0)", "tstz": "timestamptz", "n": "numeric", "n92": "numeric(9,2)", "f4": "real",
    "f8": "double precision", "b": "boolean", "b1": "bit", "b5": "bit(5)", "u": "uuid", "e": "enum", "iv": "interval",
    "j": "json", "jb": "jsonb", "by": "bytea", "tx": "text", "i2": "smallint", "i4": "int", "ai": "int[]",
    "ad": "date[]", "au": "uuid[]", "at": "text[]", "af": "double[]", "atz": "timestamptz[]", "oid": "oid",
    "g": "int", "def": "int", "deft": "text",
}  # fmt: skip
LARGE = {
    "id": "bigint", "small": "text", "tx": "text", "by": "bytea", "n": "numeric", "au": "uuid[]", "ai": "int[]",
    "ad": "date[]", "af": "double[]", "atz": "timestamptz[]", "at": "text[]", "bv": "bit(99999)", "h": "json",
    "jb": "jsonb", "ib": "bigint[]", "i2a": "smallint[]",
}  # fmt: skip
POSTGRES = DebeziumFormat(
    {
        "ZOO": Table(TYPES, ("id",)),
        "DFLT": Table(LARGE, ("id",)),
        "IDX": Table({"id": "bigint", "small": "text", "n": "numeric"}, ("id",)),
        "PART": Table({"id": "int", "d": "date", "v": "text"}, ("id", "d"), partitions=r"part\d+"),
    }
)
MARIADB = DebeziumFormat(
    {
        "ZOO": Table(
            {"id": "bigint", "d": "date", "dt": "datetime", "ts": "timestamptz", "y": "year", "u": "uuid", "e": "enum",
             "dec92": "decimal(9,2)", "t6": "time(6)", "def": "int", "g": "int"},
            ("id",),
        ),
        "P": Table({"id": "int", "v": "text"}, ("id",)),
    }
)  # fmt: skip


def recorded(name: str, format: DebeziumFormat) -> list[Read]:
    return list(format.read(BytesIO((HERE / name).read_bytes())))


def records(name: str, format: DebeziumFormat, table: str) -> list[dict[str, Any]]:
    reads = recorded(name, format)
    return [dict(read.fields) for read in reads if isinstance(read, Record) and read.fields["table"] == table]


def one(value: Any, format: DebeziumFormat = POSTGRES, key: Any = None, **headers: str) -> Read:
    """What a message without schemas is read as."""
    data = None if value is None else json.dumps(value, separators=(",", ":")).encode()
    marks = [(f"__debezium.{name}", text.encode()) for name, text in headers.items()]
    message = Message(data, None if key is None else json.dumps(key).encode(), marks)
    (read,) = format.read(BytesIO(line_of(message)))
    return read


def envelope(op: str = "c", table: str = "idx", lsn: int = 10**9, **row: Any) -> dict[str, Any]:
    source = {"connector": "postgresql", "table": table, "lsn": lsn, "ts_us": 1_796_003_469_780_066}
    row = {"id": 7, "small": "s", "n": None} | row
    return {"op": op, "before": row if op == "d" else None, "after": None if op == "d" else row, "source": source}


# --- rule 1: by declared type ------------------------------------------------------------------------------------


def test_values_are_read_by_the_type_and_precision_of_their_column() -> None:
    snapshot, stream = (each for each in records("postgres-types.jsonl", POSTGRES, "ZOO") if each["id"] in (1, 101))
    assert {name: snapshot[name] for name in TYPES if name not in ("id", "iv", "j", "jb")} == {
        "d": "2025-03-14", "t": "12:34:56.789012", "t3": "12:34:56.789000", "tz": "10:34:56.789Z",
        "ts": "2025-03-14T12:34:56.789012", "ts3": "2025-03-14T12:34:56.789000", "ts0": "2025-03-14T12:34:56",
        "tstz": "2025-03-14T10:34:56.789012Z", "n": "12345678901234567890.123456789", "n92": "-12.30", "f4": 1.1,
        "f8": 2.5, "b": True, "b1": True, "b5": "10110", "u": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "e": "o,k",
        "by": "hex 00ff10", "tx": "text", "i2": -5, "i4": 77, "ai": [1, None, 3], "ad": ["2025-01-02"],
        "au": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "at": ["x", None], "af": [1.5, "NaN"],
        "atz": ["2025-01-02T00:00:00Z"], "oid": 4_000_000_000, "g": 154, "def": 7, "deft": "dflt",
    }  # fmt: skip
    same = set(TYPES) - {"id", "g"}
    assert {name: snapshot[name] for name in same} == {name: stream[name] for name in same}


def test_without_schemas_the_declared_types_decide() -> None:
    raw = (HERE / "postgres-types.jsonl").read_bytes().splitlines()
    bare = []
    for line in raw:
        body = json.loads(line)
        key, value = (json.dumps(json.loads(body[part])["payload"]) for part in ("key", "value"))
        bare.append(line_of(Message(value.encode(), key.encode())))
    reads = list(POSTGRES.read(BytesIO(b"".join(bare))))
    assert [read.fields for read in reads if isinstance(read, Record)] == [
        read.fields for read in recorded("postgres-types.jsonl", POSTGRES) if isinstance(read, Record)
    ]


TIME, CONNECT = "io.debezium.time", "org.apache.kafka.connect.data"


@pytest.mark.parametrize(
    ("schema", "value", "meaning"),
    [
        ({"type": "int64", "name": TIME + ".NanoTimestamp"}, 1_741_955_696_789_012_999, "2025-03-14T12:34:56.789012"),
        ({"type": "int64", "name": TIME + ".NanoTime"}, 45_296_789_012_999, "12:34:56.789012"),
        ({"type": "int32", "name": CONNECT + ".Date"}, 20_161, "2025-03-14"),
        ({"type": "int32", "name": CONNECT + ".Time"}, 45_296_789, "12:34:56.789000"),
        ({"type": "int64", "name": CONNECT + ".Timestamp"}, 1_741_955_696_789, "2025-03-14T12:34:56.789000"),
        ({"type": "string", "name": TIME + ".IsoDate"}, "2025-03-14Z", "2025-03-14"),
        ({"type": "string", "name": TIME + ".IsoTimestamp"}, "2025-03-14T12:34:56.5Z", "2025-03-14T12:34:56.500000"),
        ({"type": "string", "name": "io.debezium.data.EnumSet"}, "x,y", ["x", "y"]),
        ({"type": "int32", "name": TIME + ".Year"}, 1999, 1999),
        ({"type": "map"}, {"a": "1"}, {"a": "1"}),
    ],
)
def test_what_other_modes_of_a_connector_send(schema: dict[str, Any], value: Any, meaning: Any) -> None:
    assert column_of(schema).decode(value) == meaning


def test_a_decimal_sent_as_a_number_keeps_its_digits() -> None:
    """`decimal.format=NUMERIC` of the converter."""
    schema = {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "19"}}
    after = {"type": "struct", "field": "after", "fields": [{"type": "int64", "field": "id"}, {**schema, "field": "n"}]}
    value = envelope(n="N")
    text = json.dumps({"schema": {"type": "struct", "fields": [after]}, "payload": value})
    line = line_of(Message(text.replace('"N"', "12345678901.1234567890123456789").encode()))
    (read,) = POSTGRES.read(BytesIO(line))
    assert isinstance(read, Record)
    assert read.fields["n"] == "12345678901.1234567890123456789"


def test_a_value_that_is_none_of_its_type_costs_itself() -> None:
    read = one(envelope(n={"scale": 2}, small=5))
    assert isinstance(read, Record)
    assert read.fields["n"] == Unreadable("n: no decimal with its scale")
    assert read.fields["small"] == Unreadable("small: no text")
    strange = column_of(declared("date"))
    with pytest.raises(ValueError, match="no type that Debezium is known to write"):
        column_of({"type": "float16"})
    with pytest.raises(ValueError, match="no whole number"):
        strange.decode("2025-03-14")
    with pytest.raises(ValueError, match="no SQL type"):
        declared("money?")


# --- rules 2 and 3 -----------------------------------------------------------------------------------------------


def test_infinity_is_one_word_in_snapshot_and_stream_and_days_out_of_reach_are_refused() -> None:
    rows = {each["id"]: each for each in records("postgres-types.jsonl", POSTGRES, "ZOO")}
    for key, word in ((2, "infinity"), (102, "infinity"), (3, "-infinity"), (103, "-infinity")):
        assert (rows[key]["d"], rows[key]["ts"], rows[key]["tstz"]) == (word, word, word)
    for key in (4, 8):  # 44 BC, whose BC is lost in a snapshot; a day of two calendars
        assert rows[key]["d"] == Unreadable("d: a day before 1583 or after 9999")
        assert isinstance(rows[key]["ts"], Unreadable)
        assert isinstance(rows[key]["tstz"], Unreadable)


GOOD = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "publication.autocreate.mode": "filtered",
    "skipped.operations": "none",
    "value.converter.schemas.enable": "false",
    **{
        f"{side}.converter{option}": value
        for side in ("key", "value")
        for option, value in (
            ("", "org.apache.kafka.connect.json.JsonConverter"),
            (".replace.null.with.default", "false"),
        )
    },
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"value.converter.replace.null.with.default": "true"}, "NULL comes as the column's default"),
        ({"key.converter.replace.null.with.default": ""}, "NULL comes as the column's default"),
        ({"value.converter": ""}, "not known"),
        ({"publication.autocreate.mode": "all_tables"}, "UPDATE and DELETE fail"),
        ({"time.precision.mode": "connect"}, "without a schema values are read as of adaptive"),
        ({"decimal.handling.mode": "string"}, "without a schema values are read as of precise"),
        ({"transforms": "unwrap", "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState"}, "unwrap"),
        ({"connector.class": "io.debezium.connector.mariadb.MariaDbConnector"}, "years below 100"),
        ({"skipped.operations": "t"}, "skipped.operations is t, not none"),
        ({"skipped.operations": "d, t"}, "skipped.operations is d, t, not none"),
    ],
)
def test_a_configuration_under_which_facts_are_lost_is_told(changes: dict[str, str], words: str) -> None:
    assert wrong_settings(GOOD) == []
    (reason,) = wrong_settings(GOOD | changes)
    assert words in reason


def test_a_connector_that_was_not_told_to_skips_each_truncate() -> None:
    """That is Debezium's default, and nothing on the topic tells it."""
    (reason,) = wrong_settings({name: value for name, value in GOOD.items() if name != "skipped.operations"})
    assert "TRUNCATE" in reason


def test_a_router_of_topics_changes_no_record() -> None:
    router = {"transforms": "one", "transforms.one.type": "org.apache.kafka.connect.transforms.RegexRouter"}
    assert wrong_settings(GOOD | router) == []


# --- rules 4, 5 and 8: what was not sent -------------------------------------------------------------------------


def test_an_unchanged_large_value_is_not_known_and_no_value() -> None:
    first, second, deleted, moved, _ = records("postgres-changes.jsonl", POSTGRES, "DFLT")
    assert set(first["unknown"]) == set(LARGE) - {"id", "small"}
    assert (first["small"], "tx" in first) == ("t", False)
    assert second["tx"] is None  # set to NULL: of a text that is told apart
    assert {"n", "af"} <= set(second["unknown"])  # set to NULL as well, and cannot be told from unchanged
    assert set(deleted) == {"table", "key", "op", "position", "committed", "id"}
    assert (moved["op"], moved["key"], set(moved["unknown"])) == ("c", "DFLT 2", set(second["unknown"]))


def test_null_is_null_where_the_whole_row_is_the_replica_identity() -> None:
    full = DebeziumFormat({"IDX": replace(POSTGRES.tables["IDX"], full=True)})
    assert "unknown" not in one(envelope("u"), full).fields
    assert one(envelope("u")).fields["unknown"] == ["n"]
    assert "unknown" not in one(envelope("c")).fields
    assert one(envelope("c"), oldkey='{"id":3}').fields["unknown"] == ["n"]


def test_a_number_too_small_to_be_moved_out_of_its_row_is_null_where_it_is_null() -> None:
    small = DebeziumFormat({"IDX": Table({"id": "bigint", "n": "numeric(9,2)"}, ("id",))})
    assert one(envelope("u"), small).fields["n"] is None


def test_a_generated_column_of_the_stream_is_not_known() -> None:
    rows = {each["id"]: each for each in records("postgres-types.jsonl", POSTGRES, "ZOO")}
    assert (rows[1]["g"], "unknown" in rows[1]) == (154, False)
    assert rows[101]["unknown"] == ["g"]


def test_another_placeholder() -> None:
    other = replace(POSTGRES, placeholder="~")
    assert one(envelope("u", small="~", n={"scale": 0, "value": "AQ=="}), other).fields["unknown"] == ["small"]


def test_a_deletion_without_the_primary_key_is_refused() -> None:
    """Where the replica identity is another index the key is made up: 0."""
    refused = [read for read in recorded("postgres-changes.jsonl", POSTGRES) if isinstance(read, BadRecord)]
    assert [read.reason.partition(":")[0] for read in refused] == [
        "id of the key is 0",
    ]


def test_a_table_that_is_emptied_is_told_once_with_its_place_among_the_changes() -> None:
    """As PostgreSQL's connector sends it: no key, and no row."""
    emptied = [read for read in recorded("postgres-changes.jsonl", POSTGRES) if isinstance(read, Emptied)]
    assert [(read.prefix, read.fields["table"]) for read in emptied] == [("DFLT ", "DFLT"), ("IDX ", "IDX")]
    assert emptied[0].at == datetime(2026, 11, 30, 2, 2, 6, 620742, tzinfo=UTC)
    for read in emptied:
        rows = records("postgres-changes.jsonl", POSTGRES, str(read.fields["table"]))
        assert all(row["position"] != read.number for row in rows)
    assert {row["position"] < emptied[1].number for row in records("postgres-changes.jsonl", POSTGRES, "IDX")} == {True}


def test_a_partition_that_is_emptied_is_refused_and_another_table_is_no_matter() -> None:
    """Which rows stood in the partition is told by nothing."""
    read = one(envelope("t", table="part2"))
    assert isinstance(read, BadRecord)
    assert "a partition of PART was emptied at once (TRUNCATE)" in read.reason
    assert isinstance(one(envelope("t", table="part")), Emptied)
    other = one(envelope("t", table="payroll"))
    assert isinstance(other, Note)
    assert not isinstance(other, Emptied)


def test_rows_of_a_partition_are_rows_of_its_table() -> None:
    rows = records("postgres-changes.jsonl", POSTGRES, "PART")
    twice = [each for each in rows if each["key"] == "PART 1/2025-01-05" and each["op"] == "r"]
    assert len(twice) == 2
    assert twice[0] == twice[1]


# --- rule 6: identity and order ----------------------------------------------------------------------------------


def test_positions_of_postgresql() -> None:
    assert one(envelope("c", lsn=10**9)).fields["position"] == 10**9
    assert one(envelope("r", lsn=10**9)).fields["position"] == 10**9 - 2**24
    assert one(envelope("r", lsn=5)).fields["position"] == 0
    again = replace(POSTGRES, epoch=3)
    assert one(envelope("c", lsn=1), again).fields["position"] == 3 * 2**60 + 1
    assert one(envelope("c", lsn=1), again).fields["position"] > one(envelope("c", lsn=2**60 - 1)).fields["position"]
    for lsn in (2**60, -1, "5", None):
        assert isinstance(one(envelope("c", lsn=lsn)), BadRecord)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="epoch"):
        replace(POSTGRES, epoch=8)


def test_a_row_of_an_incremental_snapshot_has_its_position_in_the_sequence_alone() -> None:
    value = envelope("r")
    value["source"] |= {"lsn": None, "txId": None, "snapshot": "incremental", "sequence": '["45538488","45538488"]'}
    assert one(value).fields["position"] == 45_538_488 - 2**24
    value["source"]["sequence"] = "[null]"
    read = one(value)
    assert isinstance(read, BadRecord)
    assert "where in the log" in read.reason


def test_blanks_that_fill_a_column_are_no_part_of_its_text() -> None:
    assert one(envelope(small="x  ")).fields["small"] == "x"


def test_positions_of_a_binary_log_grow_with_file_event_and_row() -> None:
    def at(**source: Any) -> Any:
        value = envelope()
        value["source"] = {"connector": "mariadb", "table": "idx", "ts_ms": 1_796_003_469_780} | source
        read = one(value)
        return read.fields["position"] if isinstance(read, Record) else read.reason

    places = [("binlog.000001", 4, 0), ("binlog.000001", 4, 1), ("binlog.000001", 5, 0), ("mysql-bin.000002", 4, 0)]
    positions = [at(file=file, pos=pos, row=row) for file, pos, row in places]
    assert positions == sorted(set(positions))
    assert at(file="binlog.262143", pos=2**32 - 1, row=5000) == 2**60 - 1
    assert at(file="binlog.262144", pos=4, row=0) == "a position out of all range"
    assert "no source whose order is known" in at(file="relay", pos=1, row=0)
    assert "where in the log" in at(file="binlog.000001", row=0)


def test_all_of_one_transaction_of_a_row_in_order() -> None:
    first, second = (
        each for each in records("mariadb.jsonl", MARIADB, "P") if each["key"] == "P 1" and each["op"] == "u"
    )
    assert (first["v"], second["v"]) == ("b", "c")
    assert first["position"] < second["position"]


# --- rule 9: MariaDB ---------------------------------------------------------------------------------------------


def test_mariadb_has_the_same_values_in_snapshot_and_stream() -> None:
    rows = {each["id"]: each for each in records("mariadb.jsonl", MARIADB, "ZOO")}
    columns = set(MARIADB.tables["ZOO"].columns) - {"id"}
    for key in (1, 2, 3):
        assert {name: rows[key][name] for name in columns} == {name: rows[key + 100][name] for name in columns}
    assert rows[101]["u"] == "123e4567-e89b-12d3-a456-426655440000"  # came as 0000123e-4567-e89b-12d3-a45642665544
    assert rows[101]["e"] == "b,c"
    assert rows[101]["t6"] == "-99:34:56.789012"
    assert rows[102]["ts"] is None  # a zero, which came as 1970
    assert rows[102]["def"] is None  # NULL of a column whose default is 7
    assert rows[103]["d"] == Unreadable("d: a day before 1583 or after 9999")  # the year 99, not 1999


def test_a_uuid_that_cannot_be_told_from_a_shifted_one_is_refused() -> None:
    column = column_of(declared("uuid"))
    with pytest.raises(ValueError, match="may have been shifted"):
        from_binlog(column, "00000000-0000-0000-0000-000000000001")
    assert from_binlog(column, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


# --- rule 10: what else comes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "key", "what"),
    [
        (None, None, "a message of nothing"),
        (None, {"id": 7}, "a tombstone"),
        ({"schema": None, "payload": None}, {"id": 7}, "a tombstone"),
        ({"ts_ms": 1}, {"serverName": "x"}, "a heartbeat"),
        ({"status": "BEGIN", "id": "1:2", "ts_ms": 1}, None, "a transaction's bounds"),
        ({"source": {}, "databaseName": "d", "ddl": "ALTER", "tableChanges": []}, None, "a change of the schema"),
        ({"op": "m", "source": {}, "message": {"prefix": "p", "content": ""}}, {"prefix": "p"}, "a message of the"),
    ],
)
def test_what_is_no_row(value: Any, key: Any, what: str) -> None:
    read = one(value, key=key)
    assert isinstance(read, Note | Outside | Header)
    assert read.fields["what"].startswith(what)


def test_headers_of_every_record_change_nothing() -> None:
    assert one(envelope(), context="x").fields == one(envelope()).fields


@pytest.mark.parametrize(
    ("value", "key", "words"),
    [
        ({"id": 7}, None, "no op"),
        ([], None, "no object"),
        (envelope("x"), None, "no operation of Debezium"),
        ({"op": "c", "after": {"id": 1}}, None, "nothing says where it comes from"),
        ({**envelope(), "after": None}, None, "without the row after it"),
        (envelope(id=None), None, "id of the key is absent"),
        (envelope(id="x"), None, "id: no whole number"),
        (envelope(), {"other": 1}, "id of the key is absent"),
        (envelope(), 5, "no object"),
        (envelope("d", id=0), {"id": 0}, "the replica identity is not the primary key"),
        ({**envelope(), "source": {"connector": "oracle", "table": "idx", "scn": "1"}}, None, "order is known"),
        ({**envelope(), "source": {"connector": "postgresql"}}, None, "which table"),
    ],
)
def test_what_is_no_change_record(value: Any, key: Any, words: str) -> None:
    read = one(value, key=key)
    assert isinstance(read, BadRecord)
    assert words in read.reason


def test_a_row_of_another_table_has_no_columns() -> None:
    read = one(envelope(table="payroll"))
    assert isinstance(read, Record)
    assert read.fields == {"table": "payroll"}


def test_lines_that_are_no_messages() -> None:
    reads = list(replace(POSTGRES, longest=64).read(BytesIO(b"\n{\n" + b"x" * 150 + b"\n" + b'{"ts_ms":1}\n')))
    assert [getattr(read, "reason", "note")[:20] for read in reads] == [
        "an empty line", "no JSON: unexpected ", "a message of more th", "a message of more th", "a message of more th",
        "note",
    ]  # fmt: skip
    assert b"".join(read.raw for read in reads) == b"\n{\n" + b"x" * 150 + b"\n" + b'{"ts_ms":1}\n'


def test_a_message_again_and_for_people() -> None:
    line = line_of(Message(json.dumps(envelope()).encode(), b'{"id":7}'))
    (read,) = POSTGRES.reread(line, Met("partition 0 offset 5"))
    assert isinstance(read, Record)
    assert (read.place, read.fields["key"]) == ("partition 0 offset 5", "IDX 7")
    assert any("small" in shown and "'s'" in shown for shown in POSTGRES.render(line))
    with pytest.raises(ValueError, match="no op"):
        list(POSTGRES.render(b"{}"))


def test_schemas_that_change_are_each_read_by_their_own() -> None:
    """One is kept ready; a column that becomes another type is read by the new one."""

    def typed(kind: dict[str, Any], value: Any) -> bytes:
        fields = [{"type": "int64", "field": "id"}, {**kind, "field": "small"}]
        schema = {"type": "struct", "fields": [{"type": "struct", "field": "after", "fields": fields}]}
        body = {"schema": schema, "payload": envelope(small=value)}
        return line_of(Message(json.dumps(body, separators=(",", ":")).encode()))

    day = {"type": "int32", "name": "io.debezium.time.Date"}
    lines = [
        typed({"type": "string"}, 'a,"payload":'),
        typed(day, 20_161),
        typed({"type": "string"}, "b"),
        typed(day, 0),
    ]
    reads = list(POSTGRES.read(BytesIO(b"".join(lines))))
    assert [read.fields["small"] for read in reads if isinstance(read, Record)] == [
        'a,"payload":',
        "2025-03-14",
        "b",
        "1970-01-01",
    ]


# --- the change table's values -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "value", "meaning"),
    [
        ("date", "2025-03-14", "2025-03-14"),
        ("date", "infinity", "infinity"),
        ("timestamp", "2025-03-14T12:34:56.5", "2025-03-14T12:34:56.500000"),
        ("datetime(6)", "2025-03-14 12:34:56.500000", "2025-03-14T12:34:56.500000"),
        ("timestamptz", "2025-03-14T12:34:56.5+02:00", "2025-03-14T10:34:56.500000Z"),
        ("numeric(9,2)", 1.5, "1.5"),
        ("numeric", 12, "12"),
        ("boolean", 1, True),
        ("bigint", 5, 5),
        ("date[]", ["2025-03-14", None], ["2025-03-14", None]),
        ("text", "x", "x"),
    ],
)
def test_values_as_a_database_writes_json(sql: str, value: Any, meaning: Any) -> None:
    assert plain_of(declared(sql)).decode(value) == meaning


def test_records_of_a_change_table_are_the_same_records() -> None:
    value = envelope()
    value["source"] = {"connector": CHANGE_TABLE, "table": "IDX", "sequence": 17, "ts_us": 1_796_003_469_780_066}
    read = one(value, key={"id": 7})
    assert {**read.fields, "position": 0} == {**one(envelope()).fields, "position": 0}
    assert read.fields["position"] == 17
