"""What a round of settling does when there is more than one thing to do."""

from __future__ import annotations

from typing import cast

from services.correlator.correlator import DUE_BESIDES, DUE_PERSONS, Correlator
from services.correlator.process import _settle_once
from services.correlator.settle import Settled


class _Noted:
    """Stands where the correlator does, and notes what it is asked for."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.fired: list[int] = []

    async def look(self) -> None:
        """Nothing to look at."""

    async def settle(self) -> Settled:
        """So many rows of work."""
        return Settled(self.rows, self.rows, self.rows, 0)

    async def fire(self, limit: int) -> int:
        """Noted."""
        self.fired.append(limit)
        return 0

    async def deliver(self) -> int:
        """Nothing to deliver."""
        return 0


async def test_answers_change_by_themselves_while_events_wait() -> None:
    """A stream without end must not keep deadlines from firing, nor they the stream."""
    busy, idle = _Noted(20), _Noted(0)
    assert await _settle_once(cast(Correlator, busy), hold=False)
    assert not await _settle_once(cast(Correlator, idle), hold=False)
    assert (busy.fired, idle.fired) == ([DUE_BESIDES], [DUE_PERSONS])
