"""Numbers that are none: typed in where a form demands one and none was known."""

from __future__ import annotations

from functools import lru_cache

PLACEHOLDER_WORDS = frozenset(
    "NONE NIL NULL NA UNKNOWN UNK NOTKNOWN NOTAVAILABLE NOTAPPLICABLE NOPASSPORT NOTPROVIDED PENDING APPLIED TBA TBD "
    "TEST DUMMY XXX LOST STOLEN PASSPORT EMERGENCY REFUGEE STATELESS UNDOCUMENTED NODOCUMENT NODOCUMENTS".split()
)
_RISING, _FALLING = "01234567890123456789", "98765432109876543210"
_NO_ROW = frozenset(f"{one}{other}" for one in range(10) for other in range(10) if (other - one) % 10 not in (0, 1, 9))
"""Two digits with which no row ends, of one sign or of several: most numbers end so, and need no closer look."""
LEAST = 6
"""Digits that a row of them has at least; shorter numbers are given out in earnest."""
SERIES = 3
"""Letters that may stand before a row of one digit, as the field demands them."""
OF_ANY_SERIES = ("passport/", "visa/")
"""Identifiers of which letters say the series, so 123456 behind them is given out in earnest."""


@lru_cache(maxsize=32_768)
def is_placeholder(text: str) -> bool:
    """Whether an identifier (`scheme/issuer/value`) was made up: 000000000, A0000000, N1234567890, UNKNOWN."""
    if text[-2:] in _NO_ROW:
        return False
    value = text.rpartition("/")[2].replace("-", "").replace(" ", "").upper()
    one_sign = len(set(value)) == 1
    if value in PLACEHOLDER_WORDS or (one_sign and (len(value) >= LEAST or (len(value) > 1 and value[0] == "X"))):
        return True
    digits = value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if len(value) - len(digits) > SERIES or len(digits) < LEAST or not digits.isdigit():
        return False
    if len(set(digits)) == 1:
        return True
    # letters that the scheme demands say nothing, but a number that is shorter than its field is filled up with zeros
    row = digits == value or (digits[0] != "0" and not text.startswith(OF_ANY_SERIES))
    return row and (digits in _RISING or digits in _FALLING)
