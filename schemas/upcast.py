"""Older bodies brought to the present version, one step at a time, before they are validated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Body = dict[str, Any]


def _from_1(body: Body) -> Body:
    """Version 1 wrote `occurred_at` as ISO text, with the port's zone beside it in `zone`.

    A text without a time of day was a whole day.
    """
    zone = body.pop("zone", "UTC")
    text = body.get("occurred_at")
    if isinstance(text, str):
        if len(text) == 10:
            body["occurred_at"] = {"precision": "day", "zone": zone, "day": text}
        else:
            body["occurred_at"] = {"precision": "instant", "zone": zone, "at": text}
    return {**body, "schema_version": 2}


_STEPS: dict[int, Callable[[Body], Body]] = {1: _from_1}


def upcast(body: Body) -> Body:
    """The body in the present version; a version that nobody knows is left for the models to refuse."""
    version = body.get("schema_version")
    while version in _STEPS:
        body = _STEPS[version](dict(body))
        version = body.get("schema_version")
    return body
