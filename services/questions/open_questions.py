"""What stands in the topic of questions, read as far as it goes: which are open, when each is due, and what is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from adapters.core import Question
from bus.contract import Bus, Delivery, Message, Partition, Producer
from bus.following import Followed
from schemas.topics import QUESTIONS
from services.clock import wall_clock
from services.questions.topic import PLACE, QUESTION, Asking, Place, Priority, State, parse

MOST = 500
"""Questions that are given out at once."""
Wait = Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
"""Repeats a step while the bus is down."""
log = structlog.get_logger("questions")


@dataclass(slots=True)
class Entry:
    """One person at one feed."""

    asking: Asking | None = None
    state: State | None = None

    @property
    def open(self) -> bool:
        """Return whether there is something to ask."""
        if self.asking is None:
            return False
        return self.state is None or self.state.id != self.asking.id or self.state.again is not None

    def due(self, interval: float) -> datetime:
        """Return from when on an open question may be asked."""
        assert self.asking is not None  # noqa: S101  # open
        if self.state is None:
            return self.asking.at
        if self.state.id == self.asking.id and self.state.again is not None:
            return self.state.again
        if self.asking.priority is Priority.BY_HAND:
            return self.asking.at
        return max(self.asking.at, self.state.at + timedelta(seconds=interval))

    @property
    def tries(self) -> int:
        """Return how often the question was asked without a whole answer."""
        same = self.asking is not None and self.state is not None and self.state.id == self.asking.id
        return self.state.tries if same and self.state is not None else 0


@dataclass(slots=True)
class Book:
    """The questions of all feeds, and how far changes were followed for them.

    Every method raises BusDown and may then be called again.
    """

    bus: Bus
    producer: Producer
    entries: dict[str, dict[str, Entry]] = field(default_factory=dict)  # by feed and identifier
    places: dict[Partition, Place] = field(default_factory=dict)
    _followed: Followed = field(default_factory=lambda: Followed(QUESTIONS))

    async def follow(self) -> None:
        """Take in what was written since; all anew where the topic has not what was read of it."""
        await self._followed.follow(self.bus, self._read, self._forget)

    def _forget(self) -> None:
        self.entries.clear()
        self.places.clear()

    def _read(self, delivery: Delivery) -> None:
        if delivery.key is not None:
            self._take(delivery.key, delivery.value)

    async def send(self, messages: Sequence[Message]) -> None:
        """Return once they are durable and taken in."""
        await self.producer.send(messages)
        await self.follow()

    def open(self, feed: str) -> Iterator[tuple[str, Entry]]:
        """Yield the open questions of a feed with their identifiers."""
        return ((identifier, entry) for identifier, entry in self.entries.get(feed, {}).items() if entry.open)

    def _take(self, key: bytes, value: bytes | None) -> None:
        try:
            said = parse(key, value)
        except ValueError as error:  # of a writer that is none of ours: told, and passed over
            log.error("a message that is no question", why=str(error))
            return
        if isinstance(said, tuple):
            kind, feed, identifier = said
            if kind == PLACE:
                self.places = {part: one for part, one in self.places.items() if str(part.number) != identifier}
                return
            entry = self.entries.get(feed, {}).get(identifier)
            if entry is not None:
                setattr(entry, "asking" if kind == QUESTION else "state", None)
                if entry.asking is None and entry.state is None:
                    del self.entries[feed][identifier]
            return
        if isinstance(said, Place):
            self.places[said.partition] = said
            return
        entry = self.entries.setdefault(said.feed, {}).setdefault(said.identifier, Entry())
        if isinstance(said, Asking):
            entry.asking = said
        else:
            entry.state = said


@dataclass(slots=True)
class FeedQuestions:
    """The questions of one feed (`adapters.core.Questions`). `wait` repeats what the bus did not take."""

    book: Book
    feed: str
    wait: Wait
    clock: Callable[[], datetime] = wall_clock

    async def due(self, interval: float) -> Sequence[Question]:
        """What is to be asked now, the most urgent first."""
        await self.wait(self.book.follow)
        now = self.clock()
        self._forget(now, interval)
        urgent = sorted(
            (asking.priority, due, identifier)
            for identifier, entry in self.book.open(self.feed)
            if (due := entry.due(interval)) <= now and (asking := entry.asking) is not None
        )
        results = []
        for _, _, identifier in urgent[:MOST]:
            entry = self.book.entries[self.feed][identifier]
            if entry.asking is not None:
                results.append(Question(entry.asking.id, identifier, entry.tries))
        return results

    async def answered(self, question: Question) -> None:
        """Close the question."""
        await self._keep(question, None)

    async def postpone(self, question: Question, seconds: float) -> None:
        """Keep that it is to be asked again."""
        await self._keep(question, self.clock() + timedelta(seconds=seconds))

    async def earliest(self, interval: float) -> float | None:
        """In how many seconds the next is to be asked."""
        await self.wait(self.book.follow)
        times = [entry.due(interval) for _, entry in self.book.open(self.feed)]
        return max(0.0, (min(times) - self.clock()).total_seconds()) if times else None

    async def later(self, interval: float) -> int:
        """How many are left for later."""
        now = self.clock()
        return sum(entry.due(interval) > now for _, entry in self.book.open(self.feed))

    async def _keep(self, question: Question, again: datetime | None) -> None:
        tries = question.tries + (again is not None)
        state = State(self.feed, question.identifier, question.id, self.clock(), tries, again)
        await self.wait(lambda: self.book.send([state.message()]))

    def _forget(self, now: datetime, interval: float) -> None:
        """Let go of what was answered so long ago that nothing hangs on it; the topic keeps it."""
        since = now - timedelta(seconds=interval)
        entries = self.book.entries.get(self.feed, {})
        old = [each for each, entry in entries.items() if not entry.open and entry.state and entry.state.at < since]
        for identifier in old:
            del entries[identifier]
