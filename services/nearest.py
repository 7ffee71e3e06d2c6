"""What an error says of a name that is not known: which known one was perhaps meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """Return `; did you mean NAME?` with the known name nearest to the one written; nothing where none is near."""
    near = get_close_matches(written, sorted(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def no_system(name: str, known: Iterable[str]) -> str:
    """Return that there is no system of a name, which one was perhaps meant, and what lists them."""
    return f"no system {name}{did_you_mean(name.upper(), known) or ';'} `visabus adapters` lists them"
