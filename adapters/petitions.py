"""What a petition for a worker asks for, in the codes of the agency's released data (REQUESTED_ACTION)."""

from __future__ import annotations

from adapters.converters import code

CONSULATE = "A"
"""Notify a consulate: nobody in the country stays longer or otherwise by it."""
asks = code({"B": "change_class", "F": "change_class", "C": "extend", "D": "extend", "E": "extend", CONSULATE: None})
"""What a code asks for, None for a notice to a consulate. Raises ValueError for any other."""
