"""Records behind descriptor words: simple, blocked, spanned; what is broken costs as little as can be."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.formats.descriptors import FIRST, LAST, MIDDLE, WHOLE, Described, Descriptors, described

V, VB = Descriptors(), Descriptors(blocked=True)
VS, VBS = Descriptors(spanned=True), Descriptors(blocked=True, spanned=True)
GNU = Descriptors(counts_itself=False)


def word(data: bytes, kind: int = WHOLE) -> bytes:
    return (len(data) + 4).to_bytes(2, "big") + bytes([kind, 0]) + data


def block(*words: bytes) -> bytes:
    data = b"".join(words)
    return (len(data) + 4).to_bytes(2, "big") + b"\0\0" + data


def read(data: bytes, shape: Descriptors, longest: int = 32_760) -> list[Described]:
    return list(described(BytesIO(data).read, shape, longest))


def test_records_one_behind_the_other() -> None:
    data = word(b"ONE") + word(b"THREE")
    assert read(data, V) == [Described(0, b"ONE", 7), Described(7, b"THREE", 9)]
    # as GnuCOBOL 3.1.2 wrote 02AABBZ and 01CCY: the length is the record's alone
    assert [each.raw for each in read(bytes.fromhex("000700003032414142425a000500003031434359"), GNU)] == [
        b"02AABBZ",
        b"01CCY",
    ]


def test_blocks_of_records_and_large_ones() -> None:
    data = block(word(b"ONE"), word(b"TWO")) + block(word(b"THREE"))
    assert [each.raw for each in read(data, VB)] == [b"ONE", b"TWO", b"THREE"]
    large = (0x80000000 + 4 + 5 * 32_760).to_bytes(4, "big") + word(b"X" * 32_756) * 5
    assert [len(each.raw) for each in read(large, VB)] == [32_756] * 5


def test_a_record_over_several_segments_and_blocks() -> None:
    parts = word(b"AB", FIRST), word(b"CD", MIDDLE), word(b"E", LAST), word(b"F")
    assert [each.raw for each in read(b"".join(parts), VS)] == [b"ABCDE", b"F"]
    blocked = block(word(b"Z"), parts[0]) + block(parts[1]) + block(parts[2], parts[3])
    assert [each.raw for each in read(blocked, VBS)] == [b"Z", b"ABCDE", b"F"]
    assert all(each.problem is None for each in read(blocked, VBS))


@pytest.mark.parametrize(
    ("data", "shape", "problem", "good"),
    [
        (word(b"ONE") + b"\0\x09\0\0TW", V, "truncated: 2 of 5 bytes", 1),
        (word(b"ONE") + b"\xc1\xc2\xc3\xc4", V, "no record descriptor word (hex c1 c2 c3 c4)", 1),
        (word(b"ONE") + b"\0\x04\0\0", V, "no record descriptor word", 1),
        (block(word(b"ONE")) + b"\xc1\xc2\xc3\xc4", VB, "no block descriptor word", 1),
        (b"\0\x0b\0\0" + word(b"LONGER"), VB, "a record that is longer than its block", 0),
        (word(b"AB", FIRST) + word(b"ONE"), VS, "a spanned record that has no last segment", 1),
        (word(b"AB", FIRST), VS, "a spanned record that has no last segment", 0),
        (word(b"AB", LAST) + word(b"ONE"), VS, "a segment of a record that has no first one", 1),
        (word(b"AB", 7), VS, "no record descriptor word", 0),
        (word(b"AB", FIRST), V, "no record descriptor word", 0),
    ],
)
def test_what_is_broken_is_told_and_the_others_stand(data: bytes, shape: Descriptors, problem: str, good: int) -> None:
    reads = read(data, shape)
    assert sum(each.problem is None for each in reads) == good
    assert any(each.problem is not None and each.problem.startswith(problem) for each in reads)


def test_a_spanned_record_without_an_end_is_bounded() -> None:
    reads = read(word(b"A" * 1_000, FIRST) + word(b"A" * 1_000, MIDDLE) * 50, VS, longest=5_000)
    assert max(len(each.raw) for each in reads) <= 6_000
    assert reads[0].problem == "a spanned record of more than 5000 bytes"


@given(st.binary(max_size=200), st.sampled_from([V, VB, VS, VBS, GNU]))
def test_any_bytes_are_records_or_told(data: bytes, shape: Descriptors) -> None:
    reads = read(data, shape)
    assert sum(each.size for each in reads) <= len(data)
    assert all(one.offset + one.size <= other.offset for one, other in pairwise(reads))
    assert not data or reads
