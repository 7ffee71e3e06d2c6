"""Messages of JSON: one however it is laid out, several a line each; every byte in one read."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.core import BadRecord, Met, Outside, Read, Record, Unreadable
from adapters.formats.json_message import JsonMessage


def read(data: bytes, longest: int = 1000) -> list[Read]:
    return list(JsonMessage(longest).read(BytesIO(data)))


def fields(reads: list[Read]) -> list[object]:
    return [each.fields for each in reads if isinstance(each, Record)]


def test_one_message_however_it_is_laid_out() -> None:
    for text in ('{"a": 1}', ' {"a":\n1\n}\n', '\ufeff{"a": 1}\r\n'):
        assert fields(read(text.encode())) == [{"a": 1}]


def test_several_messages_a_line_each() -> None:
    reads = read(b'{"a": 1}\n\n{"a": 2}\r\n[]\n{"a": \n{"a": 5}\n\n')
    assert fields(reads) == [{"a": 1}, {"a": 2}, {"a": 5}]
    assert [(each.place, type(each)) for each in reads] == [
        ("line 1, byte 0", Record),
        ("line 3, byte 9", Record),
        ("line 4, byte 20", BadRecord),
        ("line 5, byte 23", BadRecord),
        ("line 6, byte 30", Record),
        ("line 7, byte 39", Outside),
    ]
    assert [each.number for each in reads if isinstance(each, Record)] == [1, 2, 5]


@pytest.mark.parametrize("text", ["nul", "1", '"x"', "[{}]", "NaN", '{"a": NaN}', '{"a": 1} {}', "{'a': 1}", "[" * 900])
def test_what_is_no_object_of_json_is_refused(text: str) -> None:
    (one,) = read(text.encode())
    assert isinstance(one, BadRecord)


def test_a_member_that_stands_twice_is_neither() -> None:
    (one,) = read(b'{"a": 1, "b": 2, "a": 1}')
    assert isinstance(one, Record)
    assert isinstance(one.fields["a"], Unreadable)
    assert one.fields["b"] == 2


def test_a_line_that_is_too_long_is_refused_in_parts_and_the_next_is_read() -> None:
    reads = read(b'{"a": "' + b"x" * 2500 + b'"}\n{"a": 2}')
    assert [len(each.raw) for each in reads] == [1001, 1001, 508, 8]
    assert all(isinstance(each, BadRecord) for each in reads[:3])
    assert fields(reads) == [{"a": 2}]


@given(
    st.lists(st.sampled_from([b"\n", b" ", b"{", b"}", b'"a"', b":", b"1", b"\r\n", b"\xff", b'{"a":1}', b"xx" * 30]))
)
def test_every_byte_is_in_one_read(parts: list[bytes]) -> None:
    data = b"".join(parts)
    for longest in (5, 50, 1000):
        assert b"".join(each.raw for each in read(data, longest)) == data


def test_a_message_is_read_again_alone() -> None:
    (one,) = JsonMessage().reread(b'{"a": 1}', Met("line 7", ordinal=3))
    assert isinstance(one, Record)
    assert (one.place, one.number, one.fields) == ("line 7", 3, {"a": 1})
    assert list(JsonMessage().render(b'{"a": 1, "b": null}')) == [f"  {'a':<28} 1", f"  {'b':<28} null"]
    with pytest.raises(ValueError, match="no object"):
        list(JsonMessage().render(b"[]"))


class Endless:
    """Lines without end, up to so many."""

    def __init__(self, count: int) -> None:
        self._lines = self._made(count)

    @staticmethod
    def _made(count: int) -> Iterator[bytes]:
        for number in range(count):
            yield json.dumps({"n": number, "text": "x" * 200}).encode() + b"\n"

    def read(self, _: int = -1) -> bytes:
        return next(self._lines, b"")


def test_a_large_file_takes_little_memory_and_time() -> None:
    tracemalloc.start()
    count = sum(isinstance(each, Record) for each in JsonMessage(2**16).read(Endless(20_000)))  # type: ignore[arg-type]  # reads only
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 2_000_000
