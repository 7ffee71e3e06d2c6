"""What a polled view is ordered by: the moment of a row's last change, or a number that grows with every change.

Both are spelled as text that sorts as they do, so that a position need not know which it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from adapters.transports.rows import is_order, iso, parse

_FUTURE = timedelta(days=1)
"""A row dated further ahead than this by the database's clock must not drag the floor along; the sweep takes it."""
_DIGITS = 20


class Order(Protocol):
    """How the values of the column that orders the rows are spelled, bound and reckoned with."""

    @property
    def sqlite(self) -> str:
        """The type that SQLite keeps such values as."""

    def spelled(self, value: Any) -> str:
        """The text that sorts as the value does; empty for what is none."""

    def back(self, high: str, overlap: float) -> str:
        """So much before."""

    def latest(self, at: datetime) -> str:
        """The last one that can be, by the database's clock."""

    def bound(self, spelled: str, dialect: str) -> Any:
        """The value as the driver wants it; for the empty text the least there is. Raises ValueError."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Timestamps. SQLite keeps them as text, MariaDB without a zone: there they are UTC."""

    sqlite: str = "text"

    def spelled(self, value: Any) -> str:
        """The one spelling of timestamps."""
        return value if is_order(value) else ""

    def back(self, high: str, overlap: float) -> str:
        """So many seconds before."""
        return iso(parse(high) - timedelta(seconds=overlap))

    def latest(self, at: datetime) -> str:
        """A day after the clock's."""
        return iso(at + _FUTURE)

    def bound(self, spelled: str, dialect: str) -> Any:
        """A moment; of MariaDB one without its zone, since an aware one would lose its offset in silence."""
        if dialect == "sqlite":
            return spelled
        if dialect in ("mariadb", "mysql"):
            return parse(spelled).replace(tzinfo=None) if spelled else datetime(1000, 1, 1)  # noqa: DTZ001 - UTC
        return parse(spelled) if spelled else datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers from zero: a row version drawn from one sequence for all rows, a transaction's id."""

    sqlite: str = "integer"

    def spelled(self, value: Any) -> str:
        """With leading zeros."""
        if isinstance(value, str) and value.isdecimal() and value.isascii():
            value = int(value)
        if type(value) is not int or not 0 <= value < 10**_DIGITS:
            return ""
        return f"{value:0{_DIGITS}}"

    def back(self, high: str, overlap: float) -> str:
        """So many numbers before."""
        return f"{max(0, int(high) - int(overlap)):0{_DIGITS}}"

    def latest(self, at: datetime) -> str:
        """A number says nothing of the clock: any can be."""
        return "9" * _DIGITS

    def bound(self, spelled: str, dialect: str) -> Any:
        """The number."""
        return int(spelled) if spelled else -1
