"""From changes of the view to questions: whose status has become doubtful or has changed is asked about again.

Changes come from their topic, at least once; all of them again where it has not what was read of it. A question has its
id from the change that it comes from, so a change that comes again asks nothing anew. Nobody is asked about for whom a
question is open already, or whose status is another by now; no more are open than `most_open`, and further changes wait
on the bus meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

import orjson
import structlog

from bus.contract import Consumer, Delivery, Partition
from bus.tails import missing, tail_of
from schemas.outcomes import Outcome
from schemas.topics import CHANGES
from services import failpoints
from services.clock import wall_clock
from services.questions.open_questions import Book
from services.questions.topic import Asking, Place, Priority, question_of
from services.store import Store
from services.unreadable import UNREADABLE, pass_over

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
VERIFY_SECONDS = 60.0
"""How often it is looked, while nothing comes, whether the topic still has what was read of it."""
EACH = 2
"""Identifiers of one person that one source is asked by."""
log = structlog.get_logger("questions")


class Anew(Exception):
    """The topic of changes has not what was read of it; its partitions have to be taken anew, from their beginning."""


@dataclass(slots=True)
class Follower:
    """Writes questions. `feeds`: key of a feed that is asked -> schemes by which, the best first."""

    book: Book
    store: Store
    feeds: Mapping[str, Sequence[str]]
    most_open: int = 1_000
    clock: Callable[[], datetime] = wall_clock
    asked: int = field(default=0, init=False)
    _verified: float = field(default_factory=time.monotonic, init=False)

    async def join(self) -> Consumer:
        """Take a place among those who follow. Raises BusDown."""
        return await self.book.bus.consumer(GROUP, [CHANGES], assigned=self.assigned)

    async def assigned(self, partitions: frozenset[Partition]) -> dict[Partition, int]:
        """Return where to go on in partitions: at their beginning if nothing was read, or what is gone. Raises BusDown.

        What the group's own positions say is for tools alone.
        """
        await self.book.follow()
        await self._stands(partitions)
        return {part: self.book.places.get(part, Place(part)).next for part in partitions}

    async def _stands(self, partitions: Iterable[Partition]) -> bool:
        """Return whether what was read last of each stands; where not, all are to be read anew. Raises BusDown."""
        places = [one for part in partitions if (one := self.book.places.get(part)) is not None and one.tail]
        lost = await missing(self.book.bus, {one.partition: (one.next - 1, one.tail) for one in places})
        if lost:
            log.error("the topic of changes has not what was read of it: it is read again", count=len(lost))
            await self.book.send([Place(part).message() for part in sorted(self.book.places)])
        return not lost

    async def _verify(self, consumer: Consumer) -> None:
        """Look now and then while nothing comes: a topic made anew may never come to the position. Raises Anew."""
        if time.monotonic() - self._verified < VERIFY_SECONDS:
            return
        self._verified = time.monotonic()
        if not await self._stands(consumer.assignment()):
            raise Anew

    async def behind(self) -> bool:
        """Return whether changes may be left that nobody took, as far as the book was read. Raises BusDown."""
        ends = await self.book.bus.ends([CHANGES])
        return any(end != self.book.places.get(part, Place(part)).next for part, end in ends.items())

    async def round(self, consumer: Consumer) -> bool:
        """Take some changes; whether there was room for any and there were some.

        Raises BusDown, StoreDown, and Anew where what was read before them is gone.
        """
        await self.book.follow()
        room = self._room()
        if room <= 0:
            return False
        deliveries = await consumer.poll(max_messages=min(MOST, room), timeout=0.2)
        if not deliveries:
            await self._verify(consumer)
            return False
        if not await self._stands({each.partition for each in deliveries}):
            raise Anew
        questions = [
            each for person, change in self._last(deliveries).items() for each in await self._questions(person, change)
        ]
        if questions:
            await self.book.send([each.message() for each in questions])
            self.asked += len(questions)
            log.info("questions asked", count=len(questions))
        await failpoints.reach("ask.sent")
        last = {each.partition: each for each in deliveries}
        places = [Place(part, each.position + 1, tail_of(each)) for part, each in last.items()]
        await self.book.send([each.message() for each in places])
        await consumer.commit({each.partition: each.position + 1 for each in deliveries})
        return True

    def has_room(self) -> bool:
        """Return whether another question may be open, as far as the book was read."""
        return self._room() > 0

    def _room(self) -> int:
        return self.most_open - sum(1 for feed in self.feeds for _ in self.book.open(feed))

    @staticmethod
    def _last(deliveries: Sequence[Delivery]) -> dict[bytes, dict[str, str]]:
        """The last change of each person."""
        by_person: dict[bytes, dict[str, str]] = {}
        for delivery in deliveries:
            if delivery.value is None:
                continue
            try:
                change = orjson.loads(delivery.value)
                by_person[bytes.fromhex(change["person"])] = {name: str(change[name]) for name in ("id", "outcome")}
            except UNREADABLE as error:  # of a writer that is none of ours
                pass_over(delivery, error)
        return by_person

    async def _questions(self, person: bytes, change: Mapping[str, str]) -> list[Asking]:
        if change["outcome"] not in PRIORITY:
            return []
        row = await self.store.reads.person(person)
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
