"""Avro by two schemas: frames, what the library leaves to its caller, container files."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from fastavro import schemaless_writer, writer
from hypothesis import given
from hypothesis import strategies as st

from adapters.core import BadRecord, Read, Record, Unreadable
from adapters.formats.avro import HEADER, Avro, Framed, framed, parsed

GUID = UUID("b8f2a1f0-0000-4000-8000-000000000001")


def record(*fields: Any, name: str = "R", **more: Any) -> dict[str, Any]:
    """A schema of fields, each (name, type) or (name, type, default)."""
    listed = [dict(zip(("name", "type", "default"), each, strict=False)) for each in fields]
    return {"type": "record", "name": name, "fields": listed, **more}


def logical(kind: str, of: str = "long", **more: Any) -> dict[str, Any]:
    return {"type": of, "logicalType": kind, **more}


def decoded(written: dict[str, Any], read: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    body = BytesIO()
    schemaless_writer(body, parsed(written), value)
    return Avro(read).decode(body.getvalue(), parsed(written))


# --- frames ------------------------------------------------------------------------------------------------------


def test_a_frame_is_magic_and_id_before_the_body_or_in_a_header() -> None:
    assert framed(b"\0\0\0\1\2body", ()) == Framed(258, b"body")
    assert framed(b"\1" + GUID.bytes + b"body", ()) == Framed(GUID, b"body")
    assert framed(b"body", [("x", b""), (HEADER, b"\0\0\0\0\7")]) == Framed(7, b"body")
    assert framed(b"b", [(HEADER, b"\1" + GUID.bytes)]) == Framed(GUID, b"b"), "however short the value is"


def test_a_body_may_be_empty() -> None:
    """A record without fields has no byte: five bytes are a whole frame, and with a header none is."""
    assert framed(b"\0\0\0\0\7", ()) == Framed(7, b"")
    assert framed(b"", [(HEADER, b"\0\0\0\0\7")]) == Framed(7, b"")
    assert Avro(record()).decode(b"", parsed(record())) == {}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "0 bytes is too short"),
        (b"\0", "1 bytes is too short"),
        (b"\0\0\0\0", "4 bytes is too short"),
        (b"\1" + bytes(15), "16 bytes is too short"),
        (b'{"n": 1}', "begins with hex 7b, 00 or 01 expected"),
    ],
)
def test_what_is_no_frame_is_refused(value: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        framed(value, ())


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b"\0\0\0\0\7\7", b"\2\0\0\0\7", b"7"])
def test_a_header_that_holds_no_id_is_refused(content: bytes) -> None:
    """And the value is not taken for a frame instead."""
    with pytest.raises(ValueError, match="holds no id"):
        framed(b"\0\0\0\0\7body", [(HEADER, content)])


# --- two schemas -------------------------------------------------------------------------------------------------


def test_a_logical_type_of_the_reader_counts_where_the_writer_has_none() -> None:
    """The library converts by the writer's schema alone."""
    written = record(("at", "long"), ("day", "int"), ("amount", "bytes"), ("clock", "long"), ("local", "long"))
    read = record(
        ("at", logical("timestamp-millis")),
        ("day", logical("date", "int")),
        ("amount", logical("decimal", "bytes", precision=6, scale=2)),
        ("clock", logical("time-micros")),
        ("local", logical("local-timestamp-micros")),
    )
    value = {"at": 1_772_368_200_000, "day": 20_513, "amount": b"\x04\xd2", "clock": 3_600_000_000, "local": 1_000_000}
    assert decoded(written, read, value) == {
        "at": "2026-03-01T12:30:00Z",
        "day": "2026-03-01",
        "amount": "12.34",
        "clock": "01:00:00",
        "local": "1970-01-01T00:00:01",
    }


def test_the_writers_logical_type_counts_whatever_the_readers_is() -> None:
    """Microseconds that were written as such stay what they are, for a reader of milliseconds, and of bare numbers."""
    at = datetime(2026, 3, 1, 12, 30, 0, 123_456, tzinfo=UTC)
    written = record(("one", logical("timestamp-micros")), ("other", logical("timestamp-micros")))
    read = record(("one", logical("timestamp-millis")), ("other", "long"))
    expected = "2026-03-01T12:30:00.123456Z"
    assert decoded(written, read, {"one": at, "other": at}) == {"one": expected, "other": expected}


def test_defaults_of_the_reader_mean_what_its_schema_says() -> None:
    """They come as JSON has them: a number for a day, text for bytes."""
    read = record(
        ("n", "int"),
        ("day", logical("date", "int"), 20_513),
        ("at", logical("timestamp-millis"), 0),
        ("raw", "bytes", "\u00ff\u0001"),
        ("amount", logical("decimal", "bytes", precision=4, scale=1), "\u0001\u0000"),
        ("print", {"type": "fixed", "name": "Print", "size": 2}, "\u00ff\u0000"),
        ("several", {"type": "array", "items": logical("date", "int")}, [0, 1]),
        ("by_name", {"type": "map", "values": logical("date", "int")}, {"x": 2}),
        ("group", record(("day", logical("date", "int")), name="Group"), {"day": 3}),
        ("maybe", ["null", logical("date", "int")], None),
        ("or_bytes", ["bytes", "null"], "\u00fe"),
    )
    assert decoded(record(("n", "int")), read, {"n": 1}) == {
        "n": 1,
        "day": "2026-03-01",
        "at": "1970-01-01T00:00:00Z",
        "raw": "ff01",
        "amount": "25.6",
        "print": "ff00",
        "several": ["1970-01-01", "1970-01-02"],
        "by_name": {"x": "1970-01-03"},
        "group": {"day": "1970-01-04"},
        "maybe": None,
        "or_bytes": "fe",
    }


def test_what_the_reader_does_not_know_is_left_out_and_names_may_be_others() -> None:
    written = record(("old", "int"), ("more", "string"))
    read = record(("new", "long"))
    read["fields"][0]["aliases"] = ["old"]
    assert decoded(written, read, {"old": 5, "more": "x"}) == {"new": 5}


def test_named_types_are_known_by_name_in_their_namespace_and_may_hold_themselves() -> None:
    node = record(("day", logical("date", "int")), ("next", ["null", "Node"]), name="Node")
    schema = record(("first", node), ("second", "org.example.Node"), namespace="org.example")
    value = {"first": {"day": date(2026, 1, 1), "next": {"day": 2, "next": None}}, "second": {"day": 3, "next": None}}
    assert decoded(schema, schema, value) == {
        "first": {"day": "2026-01-01", "next": {"day": "1970-01-03", "next": None}},
        "second": {"day": "1970-01-04", "next": None},
    }


def test_of_a_union_the_branch_that_was_written_counts() -> None:
    one, other = record(("a", logical("date", "int")), name="One"), record(("b", "bytes"), name="Other")
    schema = record(("x", {"type": "array", "items": ["boolean", "string", logical("date", "int"), one, other]}))
    value = {"x": [True, "text", 1, {"a": 2}, {"b": b"\xab"}]}
    assert decoded(schema, schema, value) == {"x": [True, "text", "1970-01-02", {"a": "1970-01-03"}, {"b": "ab"}]}


def test_other_values_become_what_json_can_hold() -> None:
    schema = record(
        ("id", logical("uuid", "string")),
        ("ratio", "double"),
        ("kind", {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}),
        ("amount", logical("decimal", "bytes", precision=20, scale=3)),
    )
    value = {"id": GUID, "ratio": 0.5, "kind": "B", "amount": Decimal("-12345678901.250")}
    assert decoded(schema, schema, value) == {
        "id": str(GUID),
        "ratio": 0.5,
        "kind": "B",
        "amount": "-12345678901.250",
    }


def test_a_value_that_is_none_costs_itself() -> None:
    written = record(("day", "int"), ("ratio", "double"), ("clock", "int"))
    read = record(("day", logical("date", "int")), ("ratio", "double"), ("clock", logical("time-millis", "int")))
    fields = decoded(written, read, {"day": 2**31 - 1, "ratio": float("nan"), "clock": 90_000_000})
    assert all(isinstance(value, Unreadable) for value in fields.values())
    assert Avro(read).record(fields, "here").raw == b'{"day":null,"ratio":null,"clock":null}'


def test_bytes_behind_the_record_are_of_another_schema() -> None:
    with pytest.raises(ValueError, match="2 bytes behind the record"):
        Avro(record(("n", "int"))).decode(b"\x02\0\0", parsed(record(("n", "int"))))


def test_a_reader_that_cannot_read_the_writer_says_so() -> None:
    with pytest.raises(ValueError, match="Schema"):
        decoded(record(("n", "string")), record(("n", "int")), {"n": "x"})
    with pytest.raises(ValueError, match="no schema of Avro"):
        parsed({"type": "record", "name": "R", "fields": [{"name": "x", "type": "nothing"}]})


@given(st.binary(max_size=60))
def test_any_body_is_a_record_or_refused(body: bytes) -> None:
    schema = record(
        ("a", "string"), ("b", ["null", logical("timestamp-micros")]), ("c", {"type": "array", "items": "double"})
    )
    avro, by = Avro(schema), parsed(schema)
    with suppress(ValueError):
        assert set(avro.decode(body, by)) == {"a", "b", "c"}


# --- container files ---------------------------------------------------------------------------------------------


def container(count: int, **options: Any) -> bytes:
    stream = BytesIO()
    writer(stream, parsed(record(("n", "int"))), [{"n": number} for number in range(count)], sync_interval=8, **options)
    return stream.getvalue()


def offline(data: bytes) -> list[Read]:
    return list(Avro(record(("n", logical("date", "int")))).offline(BytesIO(data)))


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_a_container_file_stands_for_a_topic(codec: str) -> None:
    reads = offline(container(20, codec=codec))
    assert [read.fields["n"] for read in reads if isinstance(read, Record)][:2] == ["1970-01-01", "1970-01-02"]
    assert len(reads) == 20
    assert reads[3].raw == b'{"n":"1970-01-04"}'


def test_a_container_file_that_is_cut_off_is_told() -> None:
    reads = offline(container(20)[:-30])
    assert isinstance(reads[-1], BadRecord)
    assert 0 < sum(isinstance(read, Record) for read in reads) < 20


def test_what_is_no_container_file_is_kept() -> None:
    (read,) = offline(b"{}")
    assert isinstance(read, BadRecord)
    assert read.raw == b"{}"
    assert offline(b"") == []
