"""Numbers that are none: typed in where a form demands one and none was known."""

from __future__ import annotations

from functools import lru_cache

PLACEHOLDER_WORDS = frozenset(
    "NONE NIL NULL NA UNKNOWN UNK NOTKNOWN NOTAVAILABLE NOPASSPORT NOTPROVIDED PENDING TBA TBD TEST XXX LOST".split()
)
_RISING, _FALLING = "01234567890123456789", "98765432109876543210"
LEAST = 6
"""Digits that a row of them has at least; shorter numbers are given out in earnest."""
SERIES = 3
"""Letters that may stand before a row of one digit, as the field demands them."""


@lru_cache(maxsize=100_000)
def is_placeholder(text: str) -> bool:
    """Whether an identifier (`scheme/issuer/value`) was made up: 000000000, A0000000, 123456789, UNKNOWN."""
    value = text.rpartition("/")[2].replace("-", "").replace(" ", "").upper()
    if value in PLACEHOLDER_WORDS or (len(value) > 1 and set(value) == {"X"}):
        return True
    digits = value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if len(value) - len(digits) > SERIES or len(digits) < LEAST or not digits.isdigit():
        return False
    return len(set(digits)) == 1 or (digits == value and (digits in _RISING or digits in _FALLING))
