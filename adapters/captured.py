"""The mapping of captured rows: a record is a row of a table, known by its key; each table has its own words.

A deletion takes back all that the row said, by its key alone; so does a change that leaves nothing to say. A row of
which something was not sent says less than it may: what it leaves out stands as it was said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from adapters.converters import choice, instant, text
from adapters.core import Filtered, Record
from adapters.fields import Fields
from adapters.mapper import Mapper, Says, Vouches, vouching
from schemas.events import Handling
from schemas.moments import Moment

OPEN = ("infinity", "-infinity")
"""What PostgreSQL has for no end and no beginning."""
RowSays = Callable[[Fields], Iterable[Says] | Filtered]


def mapper(
    tables: Mapping[str, RowSays],
    gone: Callable[[str, Fields], Says],
    handling: Iterable[Handling] = (),
    scope: str | None = None,
) -> Mapper:
    """A mapping. `tables`: what a row of each says; `gone`: what stands for a deleted row, known by its key; `scope`:
    what the owner's clock vouches for, if there is one.
    """
    marks = tuple(handling)

    def says(said: Fields) -> Iterable[Says] | Filtered:
        table = text(said["table"], "table")
        return (gone(table, said),) if said["op"] == "d" else tables[table](said)

    def taken_back(said: Fields) -> Iterable[Says]:
        table = text(said["table"], "table")
        whole = table in tables and said["op"] == "u" and not said.get("unknown")
        return (gone(table, said),) if whole else ()

    return Mapper(
        key=lambda said: text(said["key"], "key"),
        version=_position,
        skips=lambda said: None if text(said["table"], "table") in tables else "other-table",
        recorded=lambda said: said.optional("committed", instant),
        retracted=lambda said: said.need("op", choice("c", "r", "u", "d")) == "d",
        amends=lambda said: bool(said.get("unknown")),
        handling=lambda _: marks,
        says=says,
        taken_back=taken_back,
        vouches=vouching(scope) if scope is not None else _nothing,
    )


def _nothing(_: object) -> Iterable[Vouches]:
    return ()


def _position(record: Record) -> int:
    position = record.fields.get("position")
    if type(position) is not int or not 0 <= position < 2**63:
        raise ValueError(f"position {position!r} is no number from 0")
    return position


def committed(said: Fields) -> Moment:
    """When a change was committed, for what stands for a deleted row; a day long past where that cannot be read."""
    at = said.optional("committed", instant)
    return Moment.instant(at) if at is not None else Moment.whole_day(date(1970, 1, 1))


def unknown(said: Fields, name: str) -> bool:
    """Whether the value of a column was not sent."""
    return name in (said.get("unknown") or ())


def local_day(value: Any, what: str) -> date | None:
    """The day of a date, or of a moment without a zone; None for no end. Raises ValueError."""
    if value in OPEN:
        return None
    shown = text(value, what)
    try:
        return datetime.fromisoformat(shown).date() if "T" in shown else date.fromisoformat(shown)
    except ValueError:
        raise ValueError(f"{what} is no day") from None


def flag(value: Any, what: str) -> bool:
    """A flag that some columns write as YES and NO, others as Y and N. Raises ValueError."""
    return choice("YES", "NO", "Y", "N")(value, what)[0] == "Y"
