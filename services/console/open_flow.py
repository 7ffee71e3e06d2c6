"""The flow for who lacks the right to what is confidential: without the dead letters that do not exist for him."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from schemas.operations import DeadLetterStatus, Overview
from services.dead_letters import Selection, shape
from services.overview import grouped, problems_of
from services.redaction import Veil

_SHARE = 20
"""Dead letters are judged again once so many times as long has passed as judging them took: all are read for it."""
_MARKED_LATE = 30.0
"""Seconds after which they are judged again all the same: a mark may have come to a record since."""


@dataclass(slots=True)
class OpenFlow:
    """Judges the dead letters that wait, at a bounded pace, for all who look at the page together."""

    veil: Veil
    _judged: tuple[DeadLetterStatus, ...] | None = None  # those that the last judgement was of
    _groups: tuple[DeadLetterStatus, ...] = ()
    _began: float = field(default=0.0)
    _took: float = field(default=0.0)

    async def of(self, overview: Overview) -> Overview:
        """Return the overview with the dead letters that exist for who lacks the right alone. Raises BusDown."""
        await self._judge(overview.dead_letters)
        known = overview.model_copy(update={"dead_letters": self._groups})
        return known.model_copy(update={"problems": tuple(problems_of(known))})

    async def _judge(self, every: Collection[DeadLetterStatus]) -> None:
        since = time.monotonic() - self._began
        if self._judged is not None:
            if self._judged == every and since < _MARKED_LATE:
                return
            if since < _SHARE * self._took:
                return
        began = time.monotonic()
        letters = await self.veil.letters(Selection(pending=True)) if every else []
        self._groups = grouped(
            (letter.system, letter.feed, shape(letter.reason), letter.at, letter.id) for letter in letters
        )
        self._judged, self._began, self._took = tuple(every), began, time.monotonic() - began
