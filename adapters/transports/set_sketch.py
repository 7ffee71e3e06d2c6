"""A set of any size in a few kilobytes, from which the difference to another set can be read back.

An invertible Bloom lookup table (Goodrich and Mitzenmacher 2011; Eppstein, Goodrich, Uyeda and Varghese 2011): every
member lies in one cell of each of three parts, and a cell holds how many members it has and the sums (exclusive or) of
their numbers and checks. A cell with one member shows it; taken out of its other cells, it bares the next one. So two
sets of 20,000 that differ in a few dozen are told apart exactly, and where that fails it is known to have failed.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import blake2b

_PART = 100
_CELLS = 3 * _PART
_CELL = struct.Struct("<iQI")
CAPACITY = 150
"""Differences that are told apart nearly always; beyond some 230 they never are."""


def number_of(text: str) -> int:
    """A number of 64 bits that stands for a member."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest())


def _places(number: int) -> tuple[int, int, int, int]:
    """The member's cells, and its check."""
    mixed = int.from_bytes(blake2b(number.to_bytes(8), digest_size=16, person=b"sketch").digest())
    first, second, third = mixed % _PART, (mixed >> 32) % _PART, (mixed >> 64) % _PART
    return first, _PART + second, 2 * _PART + third, mixed >> 96


class Sketch:
    """A set of numbers of 64 bits."""

    __slots__ = ("_checks", "_counts", "_numbers")

    def __init__(self, members: Iterable[int] = ()) -> None:
        self._counts = [0] * _CELLS
        self._numbers = [0] * _CELLS
        self._checks = [0] * _CELLS
        for each in members:
            self.add(each)

    @classmethod
    def of(cls, text: str | None) -> Sketch:
        """The set that was written as text; an empty one for none."""
        result = cls()
        for place, (count, number, check) in enumerate(_CELL.iter_unpack(b64decode(text or ""))):
            result._counts[place], result._numbers[place], result._checks[place] = count, number, check
        return result

    def text(self) -> str:
        """All of it, as long whatever it holds; empty for an empty set."""
        if not any(self._counts) and not any(self._numbers):
            return ""
        cells = zip(self._counts, self._numbers, self._checks, strict=True)
        return b64encode(b"".join(_CELL.pack(*cell) for cell in cells)).decode()

    def add(self, number: int) -> None:
        """Put a member in, once."""
        self._change(number, 1)

    def remove(self, number: int) -> None:
        """Take a member out that is in."""
        self._change(number, -1)

    def difference(self, other: Sketch) -> tuple[set[int], set[int]] | None:
        """The members of this set alone and of the other alone; None if they are too many to be told apart."""
        rest = Sketch()
        for place in range(_CELLS):
            rest._counts[place] = self._counts[place] - other._counts[place]
            rest._numbers[place] = self._numbers[place] ^ other._numbers[place]
            rest._checks[place] = self._checks[place] ^ other._checks[place]
        mine, others = set[int](), set[int]()
        open_cells = list(range(_CELLS))
        while open_cells:
            place = open_cells.pop()
            count, number = rest._counts[place], rest._numbers[place]
            if count not in (1, -1):
                continue
            *cells, check = _places(number)
            if place not in cells or check != rest._checks[place]:
                continue
            (mine if count == 1 else others).add(number)
            rest._change(number, -count)
            open_cells += cells
        whole = not any(rest._counts) and not any(rest._numbers) and not any(rest._checks)
        return (mine, others) if whole else None

    def _change(self, number: int, by: int) -> None:
        *cells, check = _places(number)
        for place in cells:
            self._counts[place] += by
            self._numbers[place] ^= number
            self._checks[place] ^= check
