"""Records of variable length behind descriptor words (RECFM V, VB, VS, VBS), as IBM and GnuCOBOL write them.

Source: IBM z/OS DFSMS, Using Data Sets, "Variable-length record formats": a record descriptor word (RDW) of four bytes
has the length, itself included, and zeros; a block descriptor word (BDW) stands before the records of a block, with the
length in 31 bits if its first bit is set; in spanned records the third byte of the word tells which segment it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Take = Callable[[int], bytes]
"""The next bytes of a stream, fewer at its end only."""
LONGEST = 32_760
"""Greatest length that a descriptor word can state, but for a large block's."""
LONGEST_BLOCK = 2**20
WHOLE, FIRST, LAST, MIDDLE = range(4)
"""Which segment of a record it is."""


@dataclass(frozen=True, slots=True)
class Descriptors:
    """How records are described. `counts_itself`: whether a length has the four bytes of its word (GnuCOBOL: not)."""

    blocked: bool = False
    spanned: bool = False
    counts_itself: bool = True


@dataclass(frozen=True, slots=True)
class Described:
    """One record at its place, or bytes that are none and why; `size` is how many bytes of the file it took."""

    offset: int
    raw: bytes
    size: int
    problem: str | None = None


class _NoWord(Exception):
    """Behind a word that is wrong nobody can tell where the next begins."""

    def __init__(self, reason: str, read: bytes) -> None:
        super().__init__(reason)
        self.read = read


@dataclass(slots=True)
class _Segments:
    """The words of a stream, and what stands behind each."""

    take: Take
    shape: Descriptors
    offset: int = 0
    in_block: int = 0  # bytes of the block that are left

    def __iter__(self) -> Iterator[tuple[int, int, bytes, str | None]]:
        """Offset, kind of segment, bytes, and what is wrong. Raises _NoWord."""
        while True:
            before = b""
            start = self.offset
            if self.shape.blocked and not self.in_block:
                before = self.take(4)
                if not before:
                    return
                self.in_block = self._block(before)
                self.offset += 4
            word = self.take(4)
            if not word and not before:
                return
            size, kind = self._word(word, before)
            data = self.take(size)
            self.offset += len(word) + len(data)
            self.in_block -= len(word) + size
            if self.shape.blocked and self.in_block < 0:
                raise _NoWord("a record that is longer than its block", before + word + data)
            short = None if len(data) == size else f"truncated: {len(data)} of {size} bytes"
            yield start, kind, data, short

    def _block(self, word: bytes) -> int:
        large = bool(word[:1] and word[0] & 0x80)
        size = int.from_bytes(word, "big") & 0x7FFFFFFF if large else int.from_bytes(word[:2], "big")
        most = LONGEST_BLOCK if large else LONGEST
        if len(word) < 4 or not 8 <= size <= most or (not large and word[2:] != b"\0\0"):
            raise _NoWord(f"no block descriptor word (hex {word.hex(' ')})", word)
        return size - 4

    def _word(self, word: bytes, before: bytes) -> tuple[int, int]:
        size = int.from_bytes(word[:2], "big") - (4 if self.shape.counts_itself else 0)
        kind = word[2] if len(word) == 4 and self.shape.spanned else 0
        rest = word[3:] if self.shape.spanned else word[2:]
        least = 0 if self.shape.spanned else 1
        if len(word) < 4 or rest.strip(b"\0") or kind > MIDDLE or not least <= size <= LONGEST:
            raise _NoWord(f"no record descriptor word (hex {word.hex(' ')})", before + word)
        return size, kind


def described(take: Take, shape: Descriptors, longest: int = LONGEST) -> Iterator[Described]:
    """Every record of a stream; each byte that is none goes out with what is wrong. `longest`: bytes of a record."""
    segments = _Segments(take, shape)
    begun: list[bytes] = []
    start = 0
    try:
        for offset, kind, data, wrong in segments:
            size = segments.offset
            if begun and kind in (WHOLE, FIRST):
                yield Described(start, b"".join(begun), offset - start, "a spanned record that has no last segment")
                begun = []
            if not begun:
                start = offset
                if kind in (MIDDLE, LAST):
                    wrong = wrong or "a segment of a record that has no first one"
            begun.append(data)
            if wrong is None and kind in (FIRST, MIDDLE) and sum(map(len, begun)) <= longest:
                continue
            if wrong is None and kind in (FIRST, MIDDLE):
                wrong = f"a spanned record of more than {longest} bytes"
            yield Described(start, b"".join(begun), size - start, wrong)
            begun = []
    except _NoWord as error:
        if begun:
            yield Described(
                start, b"".join(begun), segments.offset - start, "a spanned record that has no last segment"
            )
        yield from _rest(take, segments.offset, error)
        return
    if begun:
        yield Described(start, b"".join(begun), segments.offset - start, "a spanned record that has no last segment")


def _rest(take: Take, offset: int, error: _NoWord) -> Iterator[Described]:
    """What stands behind a word that is none, in pieces that a dead letter can hold."""
    reason = f"{error}; the rest of the file cannot be told apart"
    rest = error.read + take(max(0, LONGEST - len(error.read)))
    while rest:
        yield Described(offset, rest, len(rest), reason)
        offset += len(rest)
        rest = take(LONGEST)
