"""Pages of JSON: every byte in one read, whatever the bytes are."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.core import BadRecord, Header, Met, Outside, Read, Record, Unreadable
from adapters.formats.json_page import JsonPage

PAGE = b' {"next": "7", "items": [ {"id": 1, "x": null} , {"id": 2}\n], "as_of": "2025"} \n'


def read(data: bytes, format: JsonPage | None = None) -> list[Read]:
    """All reads, which hold every byte once."""
    results = list((format or JsonPage()).read(BytesIO(data)))
    assert b"".join(each.raw for each in results) == data
    return results


def test_a_page() -> None:
    header, one, two, end = read(PAGE)
    assert isinstance(header, Header)
    assert isinstance(one, Record)
    assert isinstance(two, Record)
    assert isinstance(end, Outside)
    assert header.fields == {"next": "7", "as_of": "2025"}
    assert (one.fields, one.number, one.header) == ({"id": 1, "x": None}, 1, header.fields)
    assert (two.fields, two.number) == ({"id": 2}, 2)
    assert one.raw == b'{"id": 1, "x": null} , '


def test_an_array_alone_and_a_page_without_records() -> None:
    header, one, _ = read(b'\xef\xbb\xbf[{"id": 1}]', JsonPage(items=""))
    assert isinstance(header, Header)
    assert isinstance(one, Record)
    header, end = read(b'{"items": []}')
    assert isinstance(end, Outside)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "'{' expected"),
        (b"<html>", "'{' expected"),
        (b'{"items": [{"id": 1}', "',' or ']' expected"),
        (b'{"items": [{"id": 1},]}', "a value expected"),
        (b'{"items": [], "items": []}', "'items' stands twice"),
        (b'{"a": 1}', "no array 'items' in it"),
        (b'{"items": []} x', "text behind the page"),
        (b'{"items": [' + b"[" * 100_000, "recursion"),
        (b'{"items": [' + b"9" * 5_000 + b"[", "',' or ']' expected"),
        (b"\xff", "'{' expected"),
    ],
)
def test_what_is_no_page_is_refused_whole(data: bytes, why: str) -> None:
    (refused,) = read(data)
    assert isinstance(refused, BadRecord)
    assert why in refused.reason


def test_a_record_that_is_none_costs_itself() -> None:
    _, bad, good, _ = read(b'{"items": [7, {"id": 2}]}')
    assert isinstance(bad, BadRecord)
    assert isinstance(good, Record)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"NaN", "NaN is no number of JSON"),
        (b"-Infinity", "-Infinity is no number of JSON"),
        (b"9" * 5_000, "a number of 5000 digits"),
        (b'"Jos\xe9"', "no UTF-8"),
        (b'"\xc3"', "no UTF-8"),
    ],
)
def test_a_value_that_json_does_not_have_costs_itself(value: bytes, why: str) -> None:
    _, one, two, _ = read(b'{"items": [{"id": 1, "in": [' + value + b']}, {"id": 2, "x": "\xc3\xa9"}], "n": 1}')
    assert isinstance(one, Record)
    assert isinstance(two, Record)
    assert one.fields == {"id": 1, "in": [Unreadable(why)]}
    assert two.fields == {"id": 2, "x": "\u00e9"}
    (again,) = JsonPage().reread(one.raw, Met("record 1"))
    assert isinstance(again, Record)
    assert again.fields == one.fields
    assert any(why in line for line in JsonPage().render(b'{"a": ' + value + b"}"))
    assert any(why in line for line in JsonPage().render(one.raw))


def test_a_member_that_stands_twice_cannot_be_read() -> None:
    _, record, _ = read(b'{"items": [{"id": 1, "id": 2, "x": 3}]}')
    assert isinstance(record, Record)
    assert record.fields == {"id": Unreadable("id stands twice"), "x": 3}


def test_too_large_a_page_is_refused_in_pieces() -> None:
    result = read(PAGE, JsonPage(longest=20))
    assert all(isinstance(each, BadRecord) and len(each.raw) <= 20 for each in result)


def test_a_record_is_read_again_at_its_number_and_shown() -> None:
    _, one, *_ = read(PAGE)
    (again,) = JsonPage().reread(one.raw, Met(one.place, b"{", 7))
    assert isinstance(again, Record)
    assert isinstance(one, Record)
    assert (again.fields, again.number) == (one.fields, 7)
    assert list(JsonPage().render(one.raw)) == [
        "  id                           1",
        "  x                            null",
    ]
    for raw in (b"{", b"{} {}", b"\xff", b'{"a": \xff}'):
        (refused,) = JsonPage().reread(raw, Met("record 1"))
        assert isinstance(refused, BadRecord)


@given(st.binary(max_size=200) | st.text(alphabet='{}[],:"itemsab1 \n', max_size=60).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    read(data)
    read(data, JsonPage(items=""))
