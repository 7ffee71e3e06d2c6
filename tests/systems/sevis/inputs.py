"""The inputs of all cases of SEVIS, of both feeds."""

from __future__ import annotations

from systems.sevis import build, public


def inputs() -> dict[str, bytes]:
    """Case and file to its bytes."""
    return {**build.inputs(), **public.inputs()}
