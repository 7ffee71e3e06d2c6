"""Builders for small worlds of several systems: I-94 nights and CLAIMS 3 rows whose days are up to the test.

A transaction says that it was made at the end of the day that it tells of, unless the test says otherwise: a record of
what was still to come would be refused.
"""

from __future__ import annotations

from typing import Any

from systems.claims3.build import database, insert, row, tables
from systems.i94 import build as i94
from systems.i94.build import ARRIVAL, DEPARTURE, EXTENSION, Fields, header, night, trailer

__all__ = [
    "ARRIVAL",
    "DEPARTURE",
    "EXTENSION",
    "database",
    "detail",
    "header",
    "insert",
    "night",
    "row",
    "tables",
    "trailer",
]


def detail(base: Fields, **changes: Any) -> bytes:
    """A transaction of an I-94 night; `changes` are its fields with `_` for `-`."""
    day, made = changes.get("EVENT_DATE", base["EVENT-DATE"]), base["LAST-UPDATED"]
    return i94.detail(base, **{"LAST_UPDATED": max(made, day * 1_000_000 + 235_959), **changes})
