"""Dead letters that wait, followed as they come: a second look reads only what is new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from bus.contract import Bus, Delivery
from bus.following import Followed
from schemas.operations import DeadLetterStatus
from schemas.topics import DEAD_LETTERS
from services.dead_letters import shape
from services.unreadable import UNREADABLE, pass_over


class _Place(NamedTuple):
    """Where like dead letters stand together."""

    system: str
    feed: str
    reason: str


@dataclass(slots=True)
class Waiting:
    """The dead letters that were not replayed, as far as the topic was read."""

    _waiting: dict[str, tuple[_Place, datetime]] = field(default_factory=dict)
    _replayed: set[str] = field(default_factory=set)
    _followed: Followed = field(default_factory=lambda: Followed(DEAD_LETTERS))

    async def follow(self, bus: Bus) -> None:
        """Take in what the topic holds beyond what was read; all anew where it has not that. Raises BusDown."""
        await self._followed.follow(bus, self._read, self._forget)

    def _forget(self) -> None:
        self._waiting, self._replayed = {}, set()

    def _read(self, delivery: Delivery) -> None:
        if delivery.value is None:
            return
        try:
            self._take(orjson.loads(delivery.value))
        except UNREADABLE as error:
            pass_over(delivery, error)

    def _take(self, body: dict[str, Any]) -> None:
        id = body["id"]
        if body["replayed"]:
            self._replayed.add(id)
            self._waiting.pop(id, None)
        elif id not in self._replayed and id not in self._waiting:
            place = _Place(body["system"], body["feed"], shape(body["reason"]))
            self._waiting[id] = (place, datetime.fromisoformat(body["at"]))

    def by_reason(self) -> tuple[DeadLetterStatus, ...]:
        """Return how many wait by feed and reason, the most frequent first."""
        return grouped((*place, at, id) for id, (place, at) in self._waiting.items())


def grouped(letters: Iterable[tuple[str, str, str, datetime, str]]) -> tuple[DeadLetterStatus, ...]:
    """Return dead letters (system, feed, reason without values, when, id) by feed and reason, most frequent first."""
    together: dict[_Place, list[tuple[datetime, str]]] = {}
    for system, feed, reason, at, id in letters:
        together.setdefault(_Place(system, feed, reason), []).append((at, id))
    groups = [
        DeadLetterStatus(
            **place._asdict(), waiting=len(some), first=min(some)[0], last=max(some)[0], example=min(some)[1]
        )
        for place, some in together.items()
    ]
    return tuple(sorted(groups, key=lambda each: (-each.waiting, each.system, each.feed, each.reason)))
