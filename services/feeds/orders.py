"""Orders of operators to feeds: hold, go on, read again from the beginning or from a batch on.

They stand on the bus and outlast restarts. An order is one message of a topic that keeps every message: of those to
hold a feed or let it go on the latest counts, and so of those to read it again. An old one that is sent once more
says nothing, and nothing that is sent takes an order away, as it could on a compacted topic. A process that holds a
feed follows the topic; `rewound` of its checkpoint names the last order to read again that was obeyed, so each is
obeyed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

import orjson

from bus.contract import Bus, Delivery, Message
from bus.following import Followed
from schemas.topics import FEED_ORDERS
from services.unreadable import UNREADABLE, pass_over

_HOLD, _REWIND, _WORD = "hold", "rewind", "word"


class Word(StrEnum):
    """What is ordered."""

    PAUSE = "pause"
    RESUME = "resume"
    REWIND = "rewind"
    RELEASE = "release"  # a batch that waits is to be sent
    REJECT = "reject"  # none of it is

    @property
    def place(self) -> str:
        """The part of the key of its message that tells what it counts among."""
        if self is Word.REWIND:
            return _REWIND
        return _WORD if self in (Word.RELEASE, Word.REJECT) else _HOLD


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `why` and `by` name the operator and no person of a record."""

    id: str
    word: Word
    by: str
    why: str
    at: datetime
    about: str = ""  # the batch from which on it is read again (empty: from the beginning), or the id of one that waits

    def message(self, feed: str) -> Message:
        """Return the message that is sent to the bus. `feed`: the key of the feed's checkpoints."""
        body = {"id": self.id, "word": self.word, "by": self.by, "why": self.why, "at": self.at.isoformat()}
        if self.about:
            body["about"] = self.about
        return Message(FEED_ORDERS, _key(f"{feed}/{self.word.place}", self.id), orjson.dumps(body))


def _key(place: str, id: str) -> bytes:
    return f"{place}/{id}".encode()


def parse(value: bytes) -> Order:
    """Return the order of a message's value. Raises ValueError, KeyError, TypeError."""
    body = orjson.loads(value)
    at = datetime.fromisoformat(body["at"])
    if at.tzinfo is None:
        raise ValueError("an instant needs its offset")
    about = str(body.get("about", ""))  # none by earlier versions
    return Order(str(body["id"]), Word(body["word"]), str(body["by"]), str(body["why"]), at, about)


@dataclass(slots=True)
class Orders:
    """The orders of the topic, as far as it was read."""

    _last: dict[str, Order] = field(default_factory=dict)  # the one that counts, by feed and what it counts among
    _followed: Followed = field(default_factory=lambda: Followed(FEED_ORDERS))

    async def follow(self, bus: Bus) -> None:
        """Take in what was ordered since. Raises BusDown.

        A topic that has not what was read of it is read anew, and orders that it lost hold on: a feed that was held
        does not go on because the bus forgot why.
        """
        await self._followed.follow(bus, self._take, lambda: None)

    def _take(self, delivery: Delivery) -> None:
        if delivery.key is None or delivery.value is None:
            return
        place, _, id = delivery.key.decode(errors="replace").rpartition("/")
        try:
            order = parse(delivery.value)
        except UNREADABLE as error:
            pass_over(delivery, error)
            return
        if order.id != id or order.word.place != place.rpartition("/")[2]:
            return
        known = self._last.get(place)
        if known is None or order.at > known.at:
            self._last[place] = order

    @property
    def paused(self) -> Mapping[str, Order]:
        """The feeds that are held, with the order to hold them."""
        held = {place.rpartition("/")[0]: order for place, order in self._last.items() if order.word is Word.PAUSE}
        return dict(sorted(held.items()))

    def pause(self, feed: str) -> Order | None:
        """Return the order to hold a feed, where one stands."""
        order = self._last.get(f"{feed}/{_HOLD}")
        return order if order is not None and order.word is Word.PAUSE else None

    def rewind(self, feed: str) -> Order | None:
        """Return the last order to read a feed again, obeyed or not."""
        return self._last.get(f"{feed}/{_REWIND}")

    def word(self, feed: str) -> Order | None:
        """Return the last word on a batch of a feed that waits, or waited."""
        return self._last.get(f"{feed}/{_WORD}")

    def next(self, feed: str, word: Word, *, by: str, why: str, now: datetime, about: str = "") -> Order:
        """Return a new order, later than the one before whatever the clocks of two operators say."""
        known = self._last.get(f"{feed}/{word.place}")
        at = now if known is None else max(now, known.at + timedelta(microseconds=1))
        return Order(uuid4().hex, word, by, why, at, about)


async def give(bus: Bus, feed: str, word: Word, *, by: str, why: str, now: datetime, about: str = "") -> Order:
    """Give an order, durable once this returns. Raises BusDown."""
    orders = Orders()
    await orders.follow(bus)
    order = orders.next(feed, word, by=by, why=why, now=now, about=about)
    producer = await bus.producer()
    try:
        await producer.send([order.message(feed)])
    finally:
        await producer.close()
    return order
