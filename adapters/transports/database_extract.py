"""A view that is read whole, each time in one transaction that sees it as it was at one moment.

For tables that do not say what changed: stand a `Snapshot` around it. `whole_view` has how it is read, `database_file`
how a file stands for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from adapters.core import BadRecord, Connection, Credentials, Format, Met, Read
from adapters.transports.rows import as_row, render


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DatabaseExtract:
    """The transport. `columns` in the order of the interface. `numbers`: those that are whole numbers, where a file
    that stands for the view has text only. `every`: seconds from one read to the next; `timeout`: of a statement.
    """

    view: str
    columns: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    every: float = 3600.0
    timeout: float = 300.0
    now: Callable[[], datetime] = _now

    def __post_init__(self) -> None:
        names = [*self.columns, *self.view.split(".")]
        if not all(name.isidentifier() for name in names) or not set(self.numbers) <= set(self.columns):
            raise ValueError(f"the columns of {self.view} are not understood")

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> Connection:
        """The view in the database at a URL as SQLAlchemy has it. Raises SourceDown for a URL that is none."""
        from adapters.transports.whole_view import open_whole

        return open_whole(url, self, credentials)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """A SQLite database with the view, or a CSV dump of it. Raises OSError."""
        from adapters.transports.database_file import read_whole

        return read_whole(source, self)

    def reread(self, raw: bytes, met: Met) -> Iterator[Read]:
        """A row again, from the JSON that was kept of it."""
        try:
            row = orjson.loads(raw)
        except orjson.JSONDecodeError:
            row = None
        if isinstance(row, dict):
            yield as_row(row, met.place, raw)
        else:
            yield BadRecord("no JSON of a row", place=met.place, raw=raw)

    def field_names(self) -> Sequence[str]:
        """The columns."""
        return self.columns

    def render(self, raw: bytes) -> Iterator[str]:
        """The columns of a row. Raises ValueError if it is none."""
        return render(raw)
