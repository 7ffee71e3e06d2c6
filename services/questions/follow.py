"""From changes of the view to questions: whose status has become doubtful or has changed is asked about again.

Changes come from their topic, at least once. A question has its id from the change that it comes from, so a change that
comes again asks nothing anew. Nobody is asked about for whom a question is open already, or whose status is another by
now; no more are open than `most_open`, and further changes wait on the bus meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import orjson
import structlog

from bus.contract import Consumer, Delivery
from schemas.outcomes import Outcome
from services import failpoints
from services.clock import wall_clock
from services.questions.open_questions import Book
from services.questions.topic import Asking, Priority, question_of
from services.store import Store

GROUP = "visabus.ask"
NAMESPACE = UUID("4f6f1a60-5d0b-5a38-9d0e-6f2a0c0f7b21")
"""Of the ids of questions; the name is the change, the feed and the identifier."""
PRIORITY: Mapping[str, Priority] = {
    Outcome.OVERSTAY_SUSPECTED: Priority.DOUBTFUL,
    Outcome.DEPARTURE_UNKNOWN: Priority.DOUBTFUL,
    Outcome.UNDETERMINED: Priority.DOUBTFUL,
    Outcome.TERMINATED: Priority.CHANGED,
    Outcome.PENDING: Priority.CHANGED,
    Outcome.IN_GRACE: Priority.CHANGED,
}
"""Outcomes of which a federated answer can make another. Who left, or is in status, is not asked about."""
MOST = 500
"""Changes in one go."""
EACH = 2
"""Identifiers of one person that one source is asked by."""
log = structlog.get_logger("questions")


@dataclass(slots=True)
class Follower:
    """Writes questions. `feeds`: key of a feed that is asked -> schemes by which, the best first."""

    book: Book
    store: Store
    feeds: Mapping[str, Sequence[str]]
    most_open: int = 1_000
    clock: Callable[[], datetime] = wall_clock
    asked: int = field(default=0, init=False)

    async def round(self, consumer: Consumer) -> bool:
        """Take some changes; whether there was room for any and there were some. Raises BusDown, StoreDown."""
        await self.book.follow()
        room = self._room()
        if room <= 0:
            return False
        deliveries = await consumer.poll(max_messages=min(MOST, room), timeout=0.2)
        if not deliveries:
            return False
        questions = [each for change in self._last(deliveries) for each in await self._questions(change)]
        if questions:
            await self.book.send([each.message() for each in questions])
            self.asked += len(questions)
            log.info("questions asked", count=len(questions))
        await failpoints.reach("ask.sent")
        await consumer.commit({each.partition: each.position + 1 for each in deliveries})
        return True

    def has_room(self) -> bool:
        """Return whether another question may be open, as far as the book was read."""
        return self._room() > 0

    def _room(self) -> int:
        return self.most_open - sum(1 for feed in self.feeds for _ in self.book.open(feed))

    @staticmethod
    def _last(deliveries: Sequence[Delivery]) -> list[dict[str, Any]]:
        """The last change of each person."""
        by_person = {}
        for delivery in deliveries:
            if delivery.value is not None:
                change = orjson.loads(delivery.value)
                by_person[change["person"]] = change
        return list(by_person.values())

    async def _questions(self, change: Mapping[str, Any]) -> list[Asking]:
        if change["outcome"] not in PRIORITY:
            return []
        row = await self.store.reads.person(bytes.fromhex(change["person"]))
        if row is None or (priority := PRIORITY.get(row[0] or "")) is None:
            return []  # it is another by now, and that change comes too
        identifiers = orjson.loads(row[1])["identifiers"]
        return [
            question_of(feed, identifier, priority, self.clock(), f"{row[0]}", _id(change["id"], feed, identifier))
            for feed, schemes in self.feeds.items()
            for identifier in self._of(identifiers, schemes)
            if not self._is_open(feed, identifier)
        ]

    def _is_open(self, feed: str, identifier: str) -> bool:
        entry = self.book.entries.get(feed, {}).get(identifier)
        return entry is not None and entry.open

    @staticmethod
    def _of(identifiers: Sequence[str], schemes: Sequence[str]) -> Iterator[str]:
        """Identifiers that a source knows, those of the best scheme first."""
        known = [each for scheme in schemes for each in identifiers if each.startswith(f"{scheme}/")]
        yield from known[:EACH]


def _id(change: str, feed: str, identifier: str) -> str:
    return uuid5(NAMESPACE, f"{change} {feed} {identifier}").hex
