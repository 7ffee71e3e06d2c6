"""Positional messages: entries of several records, one length, counted at the end; whatever the bytes are."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from systems.tecs.build import PASSPORT, inspection, message

from adapters.core import BadRecord, Closing, Header, Read, Record
from adapters.formats.layout import Layout
from adapters.formats.positional import Positional
from adapters.systems.tecs.adapter import FORMAT


def read(data: bytes) -> list[Read]:
    reads = list(FORMAT.read(BytesIO(data)))
    assert sum(len(each.raw) for each in reads) == len(data)
    return reads


def test_records_of_one_sequence_number_are_one_entry() -> None:
    data = message(inspection(1, documents=(PASSPORT, PASSPORT)), inspection(2))
    header, first, second, closing = read(data)
    assert isinstance(header, Header)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert isinstance(closing, Closing)
    assert (first.fields["SEQUENCE-NUMBER"], second.fields["SEQUENCE-NUMBER"]) == (1, 2)
    assert [len(each.fields["DOCUMENTS"]) for each in (first, second)] == [2, 1]
    assert first.fields["FAMILY-NAME"] == "OKAFORIN"
    assert first.header["MESSAGE-SEQUENCE"] == closing.header["MESSAGE-SEQUENCE"] == 412
    assert len(first.raw) == 4 * 80


def test_a_message_behind_another_begins_anew() -> None:
    reads = read(message(inspection()) + message(inspection(), sequence=413))
    assert [type(each) for each in reads] == [Header, Record, Closing] * 2
    assert reads[4].place == "message 2 entry 1, byte 480"


@pytest.mark.parametrize("surplus", [b"\x40", b"\x40" * 30, bytes(79)])
def test_bytes_too_many_cost_the_entry_before_them_and_not_the_next(surplus: bytes) -> None:
    whole = message(inspection(1), inspection(2), inspection(3))
    reads = read(whole[:320] + surplus + whole[320:])
    assert [each.fields["SEQUENCE-NUMBER"] for each in reads if isinstance(each, Record)][-1] == 3
    assert any(isinstance(each, BadRecord) for each in reads)


def test_a_record_without_its_entry_is_refused() -> None:
    (_, *records) = inspection(1)
    reads = read(message(records))
    assert [str(each) for each in reads if isinstance(each, BadRecord)] == [
        "TI2 without TI1 before it",
        "TI3 without TI1 before it",
        "INSPECTION-COUNT says 1, there are 0",
    ]


def test_a_record_field_by_field() -> None:
    shown = "\n".join(FORMAT.render(b"".join(inspection(1))))
    assert "FAMILY-NAME" in shown
    assert "OKAFORIN" in shown
    with pytest.raises(ValueError, match="no record"):
        list(FORMAT.render(b"nothing"))


def test_layouts_of_several_lengths_are_no_format() -> None:
    longer = Layout.of("       01 TI1.\n           05 RECORD-ID PIC X(3).\n           05 REST PIC X(90).\n")
    with pytest.raises(ValueError, match="too many values"):
        Positional(
            {"TH0": FORMAT.layouts["TH0"], "TI1": longer},
            header="TH0",
            first="TI1",
            trailer="TZ9",
            sequence="SEQUENCE-NUMBER",
            counts=("A", "B"),
            same=("C", "D"),
        )


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_bytes_are_accounted_for(data: st.DataObject) -> None:
    seed = bytearray(message(inspection(1), inspection(2)) + message(inspection(3), sequence=413))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(seed) - 1))
        if data.draw(st.booleans()):
            del seed[at : at + data.draw(st.integers(1, 200))]
        else:
            seed[at:at] = data.draw(st.sampled_from([b"\xe3\xc9\xf1", b"\x00", bytes(80), b"\xe3\xe9\xf9", b"\x25"]))
    read(bytes(seed))


class Endless:
    """A message of so many inspections."""

    def __init__(self, count: int) -> None:
        self._parts = self._made(count)

    @staticmethod
    def _made(count: int) -> Iterator[bytes]:
        yield message()[:80]
        records = b"".join(inspection(1))
        for _ in range(count):
            yield records
        yield message(INSPECTION_COUNT=count % 10**5)[80:]

    def read(self, _: int = -1) -> bytes:
        return next(self._parts, b"")


def test_a_large_message_takes_little_memory() -> None:
    tracemalloc.start()
    count = sum(isinstance(each, Record) for each in FORMAT.read(Endless(3_000)))  # type: ignore[arg-type]  # reads only
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 3_000
    assert peak < 1_000_000


@pytest.mark.slow
def test_it_is_not_slow() -> None:
    begin = time.process_time()
    count = sum(isinstance(each, Record) for each in FORMAT.read(Endless(10_000)))  # type: ignore[arg-type]  # reads only
    assert count / (time.process_time() - begin) > 5_000
