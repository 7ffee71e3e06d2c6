"""Rows of a view in a database, polled: how a feed names its columns, key, clock and limits.

`polled_view` has how it is read, `database_file` how a file stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.core import Connection, Credentials, Format, Met, Read
from adapters.transports.orders import Moments, Numbers, Order
from adapters.transports.rows import render, reread


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DatabasePoll:
    """The transport. `columns` in the order of the interface, `key` (a whole number) and `order` (a timestamp) among
    them. `numbers`: other columns that are whole numbers, which a dump, and a case, has as text. `clock` is
    `view.column`: through when the owner vouches for the view; `since`: from when on. `quiet`: from, to, zone.

    `numbered`: `order` is no timestamp but a number that grows with every change of any row, and `overlap` counts such
    numbers. `transactions`: it is the id (xid8, as bigint) of the PostgreSQL transaction that wrote the row: then rows
    are read up to the least transaction that may still commit, none comes late, and what holds rows up is told.
    """

    view: str
    columns: tuple[str, ...]
    key: str
    order: str
    numbers: tuple[str, ...] = ()
    clock: str | None = None
    since: str = "1970-01-01T00:00:00.000000Z"
    page: int = 500
    overlap: float = 900.0
    window: int = 500
    slices: int = 256
    sweep: int = 1_000  # rows a poll, at least a slice
    timeout: float = 30.0
    quiet: tuple[str, str, str] | None = None
    numbered: bool = False
    transactions: bool = False
    now: Callable[[], datetime] = _now

    def __post_init__(self) -> None:
        names = [*self.columns, *self.view.split("."), *(self.clock or "x").split(".")]
        if not all(name.isidentifier() for name in names) or not {self.key, self.order} <= set(self.columns):
            raise ValueError(f"the columns of {self.view} are not understood")
        if min(self.page, self.slices) < 1 or self.window < 0:
            raise ValueError("page and slices of at least one, window of at least zero")

    @property
    def ordered(self) -> Order:
        """How rows are ordered."""
        return Numbers() if self.numbered or self.transactions else Moments()

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Connection:
        """The view in the database at a URL as SQLAlchemy has it. Raises SourceDown for a URL that is none."""
        from adapters.transports.polled_view import open_view

        return open_view(url, self, credentials)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """A SQLite database with the view, or a CSV dump of it. Raises OSError."""
        from adapters.transports.database_file import read_file

        return read_file(source, self)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A row again, from the JSON that was kept of it."""
        return reread(raw, self.key, met)

    def field_names(self) -> Sequence[str]:
        """The columns."""
        return self.columns

    def render(self, raw: bytes) -> Iterator[str]:
        """The columns of a row. Raises ValueError if it is none."""
        return render(raw)
