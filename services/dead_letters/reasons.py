"""The shape of a reason: what it says without the values that it quotes."""

from __future__ import annotations

import re

_PLACE = re.compile(r"[\w.-]+:\d{1,5}(?=: )|\[[0-9a-fA-F:.]+\]:\d{1,5}(?=: )")
"""The host and port that a failed connection begins with: they are of the settings, not of a record."""
_VALUE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"| \(hex [^)]*\)|\b\w*\d[\d-]{3,}\w*""")


def shape(reason: str) -> str:
    """Return a reason without the values in it: no part of a record leaves by it, and like failures look alike."""
    return _VALUE.sub(lambda value: "" if value[0].startswith(" ") else "...", reason)


def shape_of_failure(why: str) -> str:
    """Return why a source cannot be reached, without values but with its host and port, which an operator needs."""
    place = _PLACE.match(why)
    end = place.end() if place is not None else 0
    return why[:end] + shape(why[end:])
