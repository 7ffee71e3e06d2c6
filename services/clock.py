"""The clock on the wall. It is read at the edges only: no rule asks for the time."""

from __future__ import annotations

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
