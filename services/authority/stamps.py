"""Stamps that lie ahead: no event was known, and no record was made, later than now. Now is an input."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.mapper import CLOCKS
from services.authority.rights import Refused

TOLERANCE = timedelta(minutes=5)
"""How far the clock of an ingest may be ahead of this one's; that of a source as far as mappings let it."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest stamps that are believed."""

    known: datetime
    recorded: datetime

    @classmethod
    def at(cls, now: datetime) -> Latest:
        """Those at a moment."""
        return cls(now + TOLERANCE, now + CLOCKS)

    def check(self, known: datetime, recorded: datetime | None) -> None:
        """Raises Refused."""
        if known.tzinfo is None or (recorded is not None and recorded.tzinfo is None):
            raise Refused("an instant needs its offset")
        if known > self.known:
            raise Refused("published_at: lies ahead")
        if recorded is not None and recorded > self.recorded:
            raise Refused("recorded_at: lies ahead")
