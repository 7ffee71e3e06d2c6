"""What a petition asks for, in the codes of the agency's released data: actions (REQUESTED_ACTION) and classes."""

from __future__ import annotations

from typing import Any

from adapters.converters import code, symbol, text

CONSULATE = "A"
"""Notify a consulate: nobody in the country stays longer or otherwise by it."""
asks = code({"B": "change_class", "F": "change_class", "C": "extend", "D": "extend", "E": "extend", CONSULATE: None})
"""What a code asks for, None for a notice to a consulate. Raises ValueError for any other."""
CLASSES = {"1B1": "H1B", "1B2": "H1B", "1B3": "H1B", "HSC": "H1B1"}
"""Classes in codes of the agency's own."""


def plain_class(value: Any, what: str) -> str:
    """A class as canonical events have it: capitals, without the hyphen, by the one name. Raises ValueError."""
    plain = symbol(text(value, what).upper().replace("-", ""), what)
    return CLASSES.get(plain, plain)
