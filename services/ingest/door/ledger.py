"""What was answered to whom, kept on the bus: so that a repeated message gets its answer and counts once.

An answer is one message of a compacted topic, under the key id and the nonce of its request. It carries its number and
the feed's counters with it counted in, so answer and count are durable together or not at all. The position message of
the feed comes behind it; where a crash lies between the two, the greater number is the truth when the door opens.

An answer is dropped once its timestamp is so old that the request itself would be refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from bus.contract import Bus, BusDown, Delivery, Message, MessageTooLarge, Producer
from schemas.topics import PUSH_ANSWERS
from services.feeds import NONE, Checkpoint, Checkpoints, Counters

Pause = Callable[[str], Awaitable[None]]
"""Called at named points; tests stop the world there."""

_SWEPT = 200
"""So many old answers are dropped behind one new one, at most."""


class Superseded(Exception):
    """Another door took the feed over."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered. `digest` is of what was signed: the same nonce with another is no repetition."""

    request: str  # key id/nonce
    digest: str
    expires: int  # seconds since 1970
    body: dict[str, Any]
    number: int = 0
    epoch: int = 0
    counters: Counters = NONE  # of the feed, this request included

    def message(self, feed: str) -> Message:
        """What is sent to the bus."""
        value = {
            "digest": self.digest,
            "expires": self.expires,
            "body": self.body,
            "number": self.number,
            "epoch": self.epoch,
            "counters": self.counters.as_json(),
        }
        return Message(PUSH_ANSWERS, _key(feed, self.request), orjson.dumps(value))


def _key(feed: str, request: str) -> bytes:
    return f"{feed}/{request}".encode()


def _parsed(request: str, value: bytes) -> Answer:
    said = orjson.loads(value)
    return Answer(**said | {"request": request, "counters": Counters.from_json(said["counters"])})


@dataclass(slots=True)
class Ledger:
    """The answers and counters of one feed, in the hands of one door."""

    feed: str  # as the positions topic calls it
    bus: Bus
    producer: Producer
    owner: str
    clock: Callable[[], float]
    saved: Checkpoint = field(default_factory=Checkpoint)
    lost: bool = False  # to another door
    _answers: dict[str, Answer] = field(default_factory=dict)
    _unsure: Answer | None = None  # sent, and nobody knows whether it arrived
    _positions: Checkpoints = field(default_factory=Checkpoints)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open(self, settle_seconds: float) -> None:
        """Take the feed over and read what was answered. Raises BusDown, Superseded."""
        await self._positions.read(self.bus)
        before = self._positions.held.get(self.feed, Checkpoint())
        self.saved = before.held_by(before.epoch + 1, self.owner)
        await self.producer.send([self.saved.message(self.feed)])
        if not before.released:
            await asyncio.sleep(settle_seconds)  # a door that still runs sees it in this time
        await self.watch()
        if self.lost:
            raise Superseded(self.feed)
        async for delivery in self.bus.read(PUSH_ANSWERS):
            self._take(delivery)
        self._catch_up()
        await self.producer.send([self.saved.message(self.feed)])

    def _take(self, delivery: Delivery) -> None:
        feed, _, request = (delivery.key or b"").decode().removeprefix(self.feed).partition("/")
        if feed:
            return  # another feed's
        if delivery.value is None:
            self._answers.pop(request, None)
        else:
            self._answers[request] = _parsed(request, delivery.value)

    def _catch_up(self) -> None:
        """The greatest number is the truth: of an answer whose position was not saved, or of a position."""
        last = self._positions.last.get(self.feed, self.saved)
        if _number(last) > _number(self.saved):
            self.saved = replace(self.saved, position=last.position, counters=last.counters)
        for answer in self._answers.values():
            if answer.number > _number(self.saved):
                self._apply(answer)

    async def watch(self) -> None:
        """See whether another door took the feed over; have the last word where one that did not still writes."""
        if not await self._positions.moved(self.bus):
            return
        await self._positions.read(self.bus)
        held = self._positions.held.get(self.feed)
        if held is not None and held.fence() > self.saved.fence():
            self.lost = True
            return
        last = self._positions.last.get(self.feed)
        if last is not None and last.fence() < self.saved.fence() and not self._turn.locked():
            async with self._turn:
                await self.producer.send([self.saved.message(self.feed)])

    def find(self, request: str) -> Answer | None:
        """What that request was answered."""
        return self._answers.get(request)

    def signed(self, request: str) -> str | None:
        """The digest of what was signed under that name, if it was answered or may have been."""
        unsure = self._unsure
        known = unsure if unsure is not None and unsure.request == request else self._answers.get(request)
        return known.digest if known is not None else None

    async def keep(self, answer: Answer, part: Counters, pause: Pause) -> Answer:
        """Count a request and keep its answer, both durable once this returns. Raises BusDown, Superseded.

        After BusDown it is unknown whether the answer arrived: it goes again, unchanged, before any other.
        """
        async with self._turn:
            if self._unsure is not None:
                await self._send(self._unsure)
            known = self._answers.get(answer.request)
            if known is not None:
                await self._save()
                return known
            number = _number(self.saved) + 1
            whole = replace(answer, number=number, epoch=self.saved.epoch, counters=self.saved.counters.plus(part))
            await self._send(whole)
            await pause("door.answered")
            await self._save()
            await pause("door.saved")
            return whole

    async def _send(self, answer: Answer) -> None:
        if self.lost:
            raise Superseded(self.feed)
        self._unsure = answer
        try:
            await self.producer.send([answer.message(self.feed)])
        except MessageTooLarge:
            self._unsure = None  # of this one it is known: nothing arrived
            raise
        self._unsure = None
        self._answers[answer.request] = answer
        self._apply(answer)

    def _apply(self, answer: Answer) -> None:
        self.saved = replace(self.saved, position={"number": answer.number}, counters=answer.counters)

    async def _save(self) -> None:
        """The position, and behind it the end of answers that are too old to be asked for."""
        old = [name for name, answer in self._answers.items() if answer.expires < self.clock()][:_SWEPT]
        ends = [Message(PUSH_ANSWERS, _key(self.feed, name), None) for name in old]
        await self.producer.send([self.saved.message(self.feed)])
        if ends:
            await self.producer.send(ends)
        for name in old:
            del self._answers[name]

    async def close(self) -> None:
        """Let go of the feed, so that the next door need not wait. Nothing depends on it."""
        if self.lost:
            return
        self.saved = replace(self.saved, released=True)
        try:
            await self.producer.send([self.saved.message(self.feed)])
        except BusDown:
            return


def _number(saved: Checkpoint) -> int:
    return int((saved.position or {}).get("number", 0))
