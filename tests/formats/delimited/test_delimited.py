"""Delimited files with header and trailer: every byte in one read, totals compared, a bad line costs itself."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.core import BadRecord, Closing, Completeness, Header, Met, Read, Record
from adapters.fields import Fields
from adapters.formats.control import Control
from adapters.formats.delimited import DelimitedFormat


def check(header: Fields) -> None:
    """A header of this interface."""
    if header["VERSION"] != "1":
        raise ValueError("VERSION is not 1")


FORMAT = DelimitedFormat(
    header=("VERSION", "SEQUENCE"),
    detail=("KEY", "NAME"),
    trailer=("SEQUENCE-AGAIN", "COUNT", "SUM"),
    same=("SEQUENCE", "SEQUENCE-AGAIN"),
    controls=(Control("COUNT"), Control("SUM", of="KEY")),
    check=check,
)
GOOD = b"H|1|412\nD|17| GARCIA \r\nD|4|\nT|412|2|21\n"


def read(data: bytes, format: DelimitedFormat = FORMAT) -> list[Read]:
    """All reads, which hold every byte once."""
    results = list(format.read(BytesIO(data)))
    assert sorted(b"".join(each.raw for each in results)) == sorted(data)
    return results


def why(data: bytes, format: DelimitedFormat = FORMAT) -> list[str]:
    """What is refused."""
    return [f"{each.place}: {each.reason}" for each in read(data, format) if isinstance(each, BadRecord)]


def test_a_file() -> None:
    header, one, two, closing = read(GOOD)
    assert isinstance(header, Header)
    assert isinstance(one, Record)
    assert isinstance(two, Record)
    assert isinstance(closing, Closing)
    assert (one.fields, one.number, one.header) == ({"KEY": "17", "NAME": "GARCIA"}, 1, header.fields)
    assert (two.fields, two.number) == ({"KEY": "4", "NAME": ""}, 2)
    assert (closing.fields["COUNT"], closing.header) == ("2", header.fields)


@pytest.mark.parametrize(
    ("data", "reported"),
    [
        (b"", ["the end: the file ends without a trailer that can be read"]),
        (GOOD.replace(b"|2|21", b"|3|21"), ["line 4: the trailer says COUNT 3, the file has 2"]),
        (GOOD.replace(b"T|412", b"T|413"), ["line 4: SEQUENCE-AGAIN is 413, SEQUENCE of the header is 412"]),
        (GOOD.replace(b"GARCIA", b"GAR|CIA"), ["line 2: 3 values behind 'D', 2 expected", "line 4: the trailer says"]),
        (GOOD.replace(b"GARCIA", b"\xff"), ["line 2: no UTF-8", "line 4: the trailer says"]),
        (GOOD + b"D|5|x\n", ["line 5: a record behind the trailer", "line 4: 1 records behind the trailer"]),
        (b"H|1|412\n" + GOOD, ["line 2: a second header"]),
        (b"X|1\n" + GOOD, ["line 1: begins with 'X', one of H, D, T expected"]),
    ],
)
def test_what_is_refused(data: bytes, reported: list[str]) -> None:
    result = why(data)
    assert len(result) == len(reported)
    assert all(one.startswith(start) for one, start in zip(result, reported, strict=True)), result


def test_a_header_that_is_none_spoils_the_file() -> None:
    assert why(GOOD.replace(b"H|1", b"H|2"))[0] == "line 1: VERSION is not 1"
    assert len(why(GOOD.replace(b"H|1", b"H|2"))) == 5


def test_a_file_that_is_read_whole_or_not_at_all() -> None:
    whole = replace(FORMAT, whole=True)
    assert why(GOOD, whole) == []
    result = why(GOOD.replace(b"|2|21", b"|3|21"), whole)
    assert [line.partition(": ")[0] for line in result] == ["line 2", "line 3", "line 4"]
    assert "its file is refused whole: the trailer says COUNT 3" in result[0]


def test_quotes() -> None:
    quoted = replace(FORMAT, quote='"', delimiter=",")
    data = b'H,1,412\nD,17,"GARCIA, ""MARIA"""\nD,4,"x\nT,412,2,17\n'
    _, one, bad, closing = read(data, quoted)
    assert isinstance(one, Record)
    assert one.fields["NAME"] == 'GARCIA, "MARIA"'
    assert isinstance(bad, BadRecord), "a lost quote costs its own line"
    assert isinstance(closing, BadRecord)


@pytest.mark.parametrize(
    ("data", "how"),
    [
        (GOOD, Completeness.COUNTED),
        (GOOD.replace(b"|2|21", b"|3|21"), Completeness.CLOSED),
        (GOOD[:-1], Completeness.OPEN),
        (GOOD[:20], Completeness.OPEN),
        (b"", Completeness.OPEN),
    ],
)
def test_whether_a_file_is_whole(data: bytes, how: Completeness) -> None:
    assert FORMAT.is_complete(BytesIO(data)) is how


def test_a_line_too_long_costs_itself() -> None:
    short = replace(FORMAT, longest=32)
    data = GOOD.replace(b" GARCIA ", b"G" * 100)
    assert all("line 2" in message or "line 4" in message for message in why(data, short))
    assert any(isinstance(each, Record) and each.fields["KEY"] == "4" for each in read(data, short))


def test_a_detail_is_read_again_behind_its_header_and_shown() -> None:
    header, _, two, _ = read(GOOD)
    (again,) = FORMAT.reread(two.raw, Met(two.place, header.raw, 2))
    assert again == two
    (refused,) = FORMAT.reread(two.raw, Met(two.place))
    assert isinstance(refused, BadRecord)
    assert list(FORMAT.render(two.raw)) == ["  KEY                          4", "  NAME                         "]


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from([*GOOD.splitlines(keepends=True), b"|", b"\n"])).map(b"".join)
)
def test_any_bytes(data: bytes) -> None:
    read(data)
    read(data, replace(FORMAT, quote='"', whole=True))
