"""Where a log's rows are kept, and that each writer goes on behind the rows that it knows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Protocol

from services.audit.rows import AuditBroken, Entry, Row
from services.keyring import Keyring

Sealed = Callable[[Sequence[Entry], int, str], list[Row]]
"""Makes the rows of entries behind a row of this sequence and seal."""


class Chain(Protocol):
    """A log in a database. Whatever a method cannot do it raises as an error of the database, or as AuditDown."""

    async def prepare(self, first: Row) -> None:
        """Make the log with its first row where there is none. Raises AuditBroken where what stands is no log."""

    async def append(self, entries: Sequence[Entry], *, keep: bool) -> None:
        """Write entries behind the last row, durably; without `keep` take them back again. One writer at a time.

        Raises AuditBroken where the rows that this process knows are not there any more.
        """

    async def seals(self, sequences: Sequence[int]) -> dict[int, str]:
        """The seals of these rows, as far as they are there, and of the last one."""

    def rows(self) -> AsyncGenerator[Row]:
        """The log from its beginning, as one state."""

    async def wrong(self) -> list[str]:
        """What of its table and triggers is not as this program makes it."""

    async def close(self) -> None:
        """Let go of the connections."""


class Known:
    """The last row that this process has seen: it has to be there whenever the process writes again."""

    def __init__(self, ring: Keyring) -> None:
        self._ring = ring
        self.sequence, self.seal = 0, ""

    def behind(self, rows: Iterable[Row]) -> tuple[int, str]:
        """Sequence and seal of the last of the rows, which are that one and the known one. Raises AuditBroken."""
        by_sequence = {row.sequence: row for row in rows}
        if not by_sequence:
            raise AuditBroken("the log has no row any more: it was emptied")
        last = by_sequence[max(by_sequence)]
        known = by_sequence.get(self.sequence)
        if self.sequence:
            if known is None:
                raise AuditBroken(f"row {self.sequence}: was written, and is missing; row {last.sequence} is the last")
            if known.hash != self.seal:
                raise AuditBroken(f"row {self.sequence}: is another than the one that was written")
        if not last.holds(self._ring):
            raise AuditBroken(f"row {last.sequence}: {why_not(last, self._ring)}")
        return last.sequence, last.hash

    def take(self, sequence: int, seal: str) -> None:
        """Remember the last row."""
        self.sequence, self.seal = sequence, seal


def why_not(row: Row, ring: Keyring) -> str:
    """Why the seal of a row does not hold, in words."""
    if row.key not in ring.keys:
        return f"is sealed by a key ({row.key[:12]}) that is none of ours"
    return "was changed after it was written, or sealed again without the key"
