"""The format that a transport cannot do without."""

from __future__ import annotations

from adapters.core import Format


def needed(format: Format | None, pieces: str) -> Format:
    """Return the format. Raises ValueError if there is none; `pieces` names what needs it."""
    if format is None:
        raise ValueError(f"{pieces} need a format")
    return format
