"""A few reads at a time, in number and in bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.core import Read, Record
from adapters.transports.slices import BYTES, MOST, next_few

ONE = bytes(BYTES // 3)


@given(st.lists(st.integers(0, len(ONE)), max_size=600))
def test_every_read_once_in_order_and_few_at_a_time(sizes: list[int]) -> None:
    said: list[Read] = [Record(str(number), ONE[:size], {}) for number, size in enumerate(sizes)]
    reads = iter(said)
    slices = []
    more = True
    while more:
        few, more = next_few(reads)
        slices.append(few)
    assert [read for few in slices for read in few] == said
    for few in slices:
        assert len(few) <= MOST
        assert sum(len(read.raw) for read in few[:-1]) < BYTES
    for few in slices[:-1]:
        assert len(few) == MOST or sum(len(read.raw) for read in few) >= BYTES
