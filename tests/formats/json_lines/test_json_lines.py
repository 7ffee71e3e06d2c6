"""Lines of JSON: every byte in one read, whatever the bytes are, in memory of one line."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from io import BytesIO
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.core import BadRecord, Completeness, Met, Outside, Read, Record, Unreadable
from adapters.formats.json_lines import JsonLines

LINES = b'{"id": 1}\n{"id": 2, "x": {"y": [null, 1.5]}}\r\n'


def read(data: bytes, format: JsonLines | None = None) -> list[Read]:
    """All reads, which hold every byte once."""
    results = list((format or JsonLines()).read(BytesIO(data)))
    assert b"".join(each.raw for each in results) == data
    return results


def test_lines_are_records_with_their_numbers() -> None:
    one, two = read(LINES)
    assert isinstance(one, Record)
    assert isinstance(two, Record)
    assert (one.fields, one.number, one.place) == ({"id": 1}, 1, "line 1")
    assert (two.fields, two.number, two.place) == ({"id": 2, "x": {"y": [None, 1.5]}}, 2, "line 2")


def test_blank_lines_and_a_mark_are_nothing_and_a_last_line_needs_no_end() -> None:
    one, blank, two = read(b'\xef\xbb\xbf{"id": 1}\n \t\r\n{"id": 2}')
    assert isinstance(blank, Outside)
    assert [each.number for each in (one, two) if isinstance(each, Record)] == [1, 2]
    assert read(b"") == []


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"id": 1', "no JSON: Expecting ',' delimiter at character 8, and the line has no end: it may be cut short"),
        (b'{"id": 1\n', "no JSON: Expecting ',' delimiter at character"),
        (b'{"name": "\xc3', "no UTF-8 at character 10, and the line has no end: it may be cut short"),
        (b'{"name": "\xff"}\n', "no UTF-8"),
        (b'{"id": 1} {"id": 2}\n', "no JSON: text behind the value at character 9"),
        (b"[1]\n", "a record that is no object"),
        (b'"id"\n', "a record that is no object"),
        (b'{"id": NaN}\n', "no JSON: NaN is no number of JSON at character 0"),
        (b'{"id": 1,}\n', "no JSON"),
        (b"{'id': 1}\n", "no JSON"),
        (b'{"x": ' + b"[" * 100_000 + b"\n", "recursion"),
        (b'{"x": ' + b"9" * 5_000 + b"}\n", "4300"),
        (b'{"x": "' + b"y" * 2**20 + b'"}\n', "a line of more than 1048576 bytes"),
        (b"\x1f\x8b\x08\x00", "no UTF-8"),
    ],
)
def test_a_line_that_is_none_is_refused_and_the_next_is_read(data: bytes, why: str) -> None:
    wrong, *rest = read(data)
    assert isinstance(wrong, BadRecord)
    assert why in wrong.reason
    assert all(isinstance(each, BadRecord) for each in rest)
    if data.endswith(b"\n"):
        *_, good = read(data + b'{"id": 2}\n')
        assert isinstance(good, Record)
        assert (good.fields, good.number, good.place) == ({"id": 2}, 1, "line 2")


def test_a_member_that_stands_twice_costs_itself() -> None:
    (one,) = read(b'{"id": 1, "name": "A", "name": "B", "in": {"x": 1, "x": 1}}\n')
    assert isinstance(one, Record)
    assert one.fields["name"] == Unreadable("name stands twice")
    assert one.fields["in"] == {"x": Unreadable("x stands twice")}
    assert list(JsonLines().render(one.raw))[1].endswith("> name stands twice")


def test_a_line_that_is_too_long_is_told_in_parts_and_keeps_its_number() -> None:
    small = JsonLines(longest=2**16)
    reads = read(b'{"id": 1}\n' + b"x" * 200_000 + b"\n" + b'{"id": 2}\n', small)
    assert [each.place for each in reads] == ["line 1", *["line 2"], *["line 2, its rest"] * (len(reads) - 3), "line 3"]
    assert all(len(each.raw) <= 2**17 for each in reads)


def test_a_line_is_read_again_alone() -> None:
    _, two = read(LINES)
    (again,) = JsonLines().reread(two.raw, Met("line 2", ordinal=2))
    assert again == two
    (wrong,) = JsonLines().reread(b"{", Met("line 7", ordinal=7))
    assert isinstance(wrong, BadRecord)


def test_a_file_is_whole_once_its_last_line_is_ended() -> None:
    ends = {data: JsonLines().is_complete(BytesIO(data)) for data in (b"", LINES, LINES[:-1], b"{", b"\n")}
    assert ends == {
        b"": Completeness.CLOSED,
        LINES: Completeness.CLOSED,
        LINES[:-1]: Completeness.OPEN,
        b"{": Completeness.OPEN,
        b"\n": Completeness.CLOSED,
    }


@given(st.binary(max_size=400), st.integers(1, 40))
def test_any_bytes(data: bytes, longest: int) -> None:
    for each in read(data, JsonLines(longest=longest)):
        assert not isinstance(each, BadRecord) or each.reason


class Slow:
    """A stream that gives a few bytes at a time, as one that is being unwrapped may."""

    def __init__(self, data: bytes) -> None:
        self._inner = BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, 3))


def test_pieces_of_a_stream_may_end_anywhere() -> None:
    once, again = (list(JsonLines().read(cast(BinaryIO, stream))) for stream in (Slow(LINES), BytesIO(LINES)))
    assert once == again


def test_a_hundred_megabytes_are_read_in_little_memory() -> None:
    line = b'{"id": 1, "text": "' + b"x" * 10_000 + b'"}\n'
    packed = gzip.compress(line * 10_000, compresslevel=1)
    tracemalloc.start()
    with gzip.open(BytesIO(packed)) as stream:
        count = sum(isinstance(each, Record) for each in JsonLines().read(cast(BinaryIO, stream)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, peak < 5_000_000) == (10_000, True)


def test_lines_are_read_fast() -> None:
    line = b'{"system":"EID","record":"1","entity":{"names":{"family":"A","given":"B"},"event":{"day":"x"}}}\n'
    begin = time.process_time()
    count = len(read(line * 20_000))
    assert count / (time.process_time() - begin) > 5_000
