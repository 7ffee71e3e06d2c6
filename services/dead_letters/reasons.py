"""The shape of a reason: what it says without the values that it quotes."""

from __future__ import annotations

import re

_VALUE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"| \(hex [^)]*\)|\b\w*\d[\d-]{3,}\w*""")


def shape(reason: str) -> str:
    """Return a reason without the values in it: no part of a record leaves by it, and like failures look alike."""
    return _VALUE.sub(lambda value: "" if value[0].startswith(" ") else "...", reason)
