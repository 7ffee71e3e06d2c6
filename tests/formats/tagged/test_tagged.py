"""Tagged messages: headings, values with full stops, free text, and whatever else the bytes are."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from systems.acrime.build import FREE, answer, query

from adapters.core import BadRecord, Met, Outside, Read, Record, Unreadable
from adapters.systems.acrime.adapter import FORMAT


def read(data: bytes | str) -> list[Read]:
    raw = data if isinstance(data, bytes) else data.encode("latin-1")
    reads = list(FORMAT.read(BytesIO(raw)))
    assert b"".join(each.raw for each in reads) == raw
    return reads


def one(data: str) -> Record:
    (record,) = read(data)
    assert isinstance(record, Record)
    return record


def test_a_byte_order_mark_costs_no_message() -> None:
    (marked,) = read(b"\xef\xbb\xbf" + query().encode("latin-1"))
    assert isinstance(marked, Record)
    assert marked.fields == one(query()).fields


def test_a_query_word_for_word() -> None:
    fields = one(query()).fields
    assert (fields["KEY"], fields["SENDER"], fields["DESTINATION"], fields["CONTROL"]) == (
        "IAQ",
        "ZZ0000000",
        "AX",
        "0000117",
    )
    assert (fields["LOGGED"], fields["LOG-NUMBER"]) == ("20260301142233", 117)
    assert (fields["PUR"], fields["NAM"], fields["ARN"]) == ("C", "OKAFORIN, MILES T", "099000117")


def test_the_last_tag_has_no_full_stop_and_values_may_have_some() -> None:
    fields = one(query(NAM="ST. JOHN, MARY A.", FBI="990011AA7")).fields
    assert (fields["NAM"], fields["FBI"]) == ("ST. JOHN, MARY A.", "990011AA7")


def test_a_query_without_a_control_field() -> None:
    assert one(query(control="")).fields["CONTROL"] == ""


def test_free_text_behind_an_answer_is_nothing_but_text() -> None:
    fields = one(answer(free=FREE)).fields
    assert fields["ARN"] == "099000117"
    assert fields["TEXT"] == FREE.strip()


def test_two_values_of_one_tag_are_neither() -> None:
    fields = one(query(SEX="M.SEX/F")).fields
    assert isinstance(fields["SEX"], Unreadable)
    assert one(query(SEX="M.SEX/M")).fields["SEX"] == "M"


def test_messages_behind_one_another_and_blanks_between_them() -> None:
    reads = read("\n\n" + query() + "\n" + answer() + "\n\x1a")
    assert [type(each) for each in reads] == [Outside, Record, Record]
    assert reads[2].place == f"message 2, byte {len(query()) + 3}"


@pytest.mark.parametrize("text", ["x", "LOG 1 2\nIAQ", "LOG 20260301142233 1\nIAQ.ZZ0000000.AX\n", query()[:40]])
def test_what_is_no_message_is_refused(text: str) -> None:
    (bad,) = read(text)
    assert isinstance(bad, BadRecord)


def test_a_message_that_is_too_long_is_refused_in_parts_and_the_next_is_read() -> None:
    reads = read(query(ATN="X" * 200_000) + answer())
    assert [type(each) for each in reads] == [BadRecord] * (len(reads) - 1) + [Record]


def test_a_message_is_read_again_alone() -> None:
    raw = query().encode()
    (again,) = FORMAT.reread(raw, Met("message 3, byte 900", ordinal=3))
    assert isinstance(again, Record)
    assert (again.number, again.fields) == (3, one(query()).fields)
    assert f"  {'NAM':<12} OKAFORIN, MILES T" in list(FORMAT.render(raw))
    with pytest.raises(ValueError, match="no line of the log"):
        list(FORMAT.render(b"x"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_bytes_are_accounted_for(data: st.DataObject) -> None:
    seed = bytearray((query() + answer(free=FREE)).encode())
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(seed) - 1))
        if data.draw(st.booleans()):
            del seed[at : at + data.draw(st.integers(1, 100))]
        else:
            seed[at:at] = data.draw(st.sampled_from([b"\nLOG ", b".", b"/", b"\xff", b"\r\n", b"TXT", b"\x00"]))
    read(bytes(seed))


class Endless:
    """So many queries."""

    def __init__(self, count: int) -> None:
        self._parts = self._made(count)

    @staticmethod
    def _made(count: int) -> Iterator[bytes]:
        some = query().encode() * 50
        for _ in range(count // 50):
            yield some

    def read(self, _: int = -1) -> bytes:
        return next(self._parts, b"")


def test_a_large_file_takes_little_memory() -> None:
    tracemalloc.start()
    count = sum(isinstance(each, Record) for each in FORMAT.read(Endless(5_000)))  # type: ignore[arg-type]  # reads only
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 5_000
    assert peak < 2_000_000


@pytest.mark.slow
def test_it_is_not_slow() -> None:
    begin = time.process_time()
    count = sum(isinstance(each, Record) for each in FORMAT.read(Endless(20_000)))  # type: ignore[arg-type]  # reads only
    assert count / (time.process_time() - begin) > 5_000
