"""Rows as records, and the one spelling of timestamps in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from adapters.core import BadRecord, Closing, Met, Read, Record

Row = dict[str, Any]
_SPELLING = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def as_record(row: Row, key: str, place: str | None = None) -> Read:
    """A row as a record; one without a usable key is refused.

    Blanks behind a text are no part of it: columns of a fixed width are filled with them.
    """
    raw = orjson.dumps(row)
    place = place or f"row {row.get(key)}"[:200]
    number = row.get(key)
    if not isinstance(number, int):
        return BadRecord(f"{key} {number!r} is no key", place=place, raw=raw)
    return Record(place, raw, {name: value.rstrip() if type(value) is str else value for name, value in row.items()})


def as_row(row: Row, place: str, raw: bytes | None = None) -> Record:
    """A row as a record. Blanks behind a text are no part of it: columns of a fixed width are filled with them."""
    fields = {name: value.rstrip() if type(value) is str else value for name, value in row.items()}
    return Record(place, raw if raw is not None else orjson.dumps(row), fields)


def end_of(rows: int) -> Closing:
    """The end of a read that is whole."""
    fields = {"rows": rows}
    return Closing("the end of the view", orjson.dumps(fields), fields)


def reread(raw: bytes, key: str, met: Met) -> Iterator[Read]:
    """A row again, from the JSON that was kept of it."""
    try:
        row = orjson.loads(raw)
    except orjson.JSONDecodeError:
        row = None
    if not isinstance(row, dict):
        yield BadRecord("no JSON of a row", place=met.place, raw=raw)
        return
    read = as_record(row, key, met.place)
    yield Record(read.place, raw, read.fields) if isinstance(read, Record) else read


def render(raw: bytes) -> Iterator[str]:
    """The columns of a row. Raises ValueError if it is none."""
    row = orjson.loads(raw)
    if not isinstance(row, dict):
        raise ValueError("no JSON of a row")
    for name, value in row.items():
        yield f"  {name:<28} {'NULL' if value is None else repr(value)}"


def closing_of(since: str, through: str) -> Closing:
    """The end of a poll: what the owner vouches for."""
    fields = {"since": since, "through": through}
    return Closing("end of poll", orjson.dumps(fields), fields)


def iso(at: datetime) -> str:
    """The one spelling of timestamps: UTC, six decimals, `Z`. Sorts as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


def parse(value: str) -> datetime:
    """The reverse of `iso`. Raises ValueError."""
    if not _SPELLING.fullmatch(value):
        raise ValueError(f"{value!r} is no timestamp")
    return datetime.fromisoformat(value)


def is_order(value: object) -> bool:
    """Whether it is a timestamp in the one spelling, and far enough from the ends of time to count with."""
    if not isinstance(value, str) or not "1900" <= value < "9990":
        return False
    try:
        parse(value)
    except ValueError:
        return False
    return True


def timestamp(value: Any, what: str) -> datetime:
    """A row's timestamp, in the one spelling. Raises ValueError."""
    if not is_order(value):
        raise ValueError(f"{what} {value!r} is no timestamp")
    return datetime.fromisoformat(value)
