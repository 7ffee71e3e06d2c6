"""What was answered to whom, kept on the bus: so that a repeated message gets its answer and counts once.

An answer is one message of a compacted topic, under the key id and the nonce of its request. It carries its number and
the feed's counters with it counted in, so answer and count are durable together or not at all. The position message of
the feed comes behind it; where a crash lies between the two, the greater number is the truth when the door opens.

An answer is dropped once its timestamp is so old that the request itself would be refused. One to a message that its
sender named stays longer, so that the same message signed anew gets the same answer: such answers may take half of the
room, and the oldest of them go first.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import ceil
from typing import Any

import orjson
import structlog

from adapters.core import BadRecord, Origin
from bus.contract import Bus, BusDown, Delivery, Message, MessageTooLarge, Producer
from schemas.topics import PUSH_ANSWERS
from services import failpoints
from services.dead_letters import Spool, dead_letter
from services.feeds import NONE, Counters, Holding, Order, Ownership, Waiting
from services.unreadable import UNREADABLE, pass_over

log = structlog.get_logger("door")
_SWEPT = 200
"""The number of old answers that are dropped behind a new one, at most."""


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
    named: str | None = None  # the sender's name of the message
    content: str = ""  # the digest of the body of such a message

    def message(self, feed: str) -> Message:
        """What is sent to the bus."""
        return Message(PUSH_ANSWERS, _key(feed, self.request), self.value())

    def value(self) -> bytes:
        """All of it but the name of its request."""
        value = {
            "digest": self.digest,
            "expires": self.expires,
            "body": self.body,
            "number": self.number,
            "epoch": self.epoch,
            "counters": self.counters.as_json(),
        }
        if self.named is not None:
            value |= {"named": self.named, "content": self.content}
        return orjson.dumps(value)


def _key(feed: str, request: str) -> bytes:
    return f"{feed}/{request}".encode()


def _parse(request: str, value: bytes) -> Answer:
    body = orjson.loads(value)
    if any(type(body[name]) is not int for name in ("expires", "number", "epoch")) or type(body["digest"]) is not str:
        raise TypeError("an answer whose numbers are none")
    return Answer(**body | {"request": request, "counters": Counters.from_json(body["counters"])})


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is held in memory: a thousand records' answers take five kilobytes instead of a megabyte."""

    digest: str
    expires: int
    number: int
    packed: bytes
    named: str | None = None

    @classmethod
    def of(cls, answer: Answer) -> Kept:
        """Pack an answer."""
        packed = zlib.compress(answer.value(), 1)
        return cls(answer.digest, answer.expires, answer.number, packed, answer.named)

    def answer(self, request: str) -> Answer:
        """The answer to the request of that name."""
        return _parse(request, zlib.decompress(self.packed))

    @property
    def cost(self) -> int:
        """Bytes in memory, with what surrounds the packed answer."""
        return len(self.packed) + _AROUND


_AROUND = 700
"""Bytes of a kept answer beside its packed text: the object, its name and digest, its place in the mapping."""


@dataclass(slots=True)
class Ledger:
    """The answers and counters of one feed, in the hands of one door."""

    feed: str  # the key in the topic of checkpoints
    bus: Bus
    producer: Producer
    clock: Callable[[], float]
    spool: Spool
    most_bytes: int = 64_000_000  # of kept answers
    owner: str | None = None  # the name of this process; a new one by default
    holding: Holding = field(init=False)
    ownership: Ownership = field(init=False)
    _answers: dict[str, Kept] = field(default_factory=dict)
    _bytes: int = 0
    _requests: dict[str, str] = field(default_factory=dict)  # by the name of the message that they brought
    _named_bytes: int = 0
    _unsure: Answer | None = None  # sent, and it is not known whether it arrived
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.ownership = Ownership(self.bus, self.producer, self.owner)

    @property
    def lost(self) -> bool:
        """Whether another door took the feed over."""
        return self.holding.lost

    async def open(self, takeover_seconds: float, *, take_over: bool = True) -> None:
        """Take the feed over and read what was answered. Raises BusDown, FeedLost.

        Without `take_over` only from a door that runs no more: raises FeedHeld.
        """
        if await self.ownership.claim([self.feed], only_free=not take_over):
            await asyncio.sleep(takeover_seconds)  # a door that still runs sees it in this time
        await self.ownership.confirm()
        self.holding = self.ownership.holdings[self.feed]
        self.holding.check()
        async for delivery in self.bus.read(PUSH_ANSWERS):
            self._take(delivery)
        if self.holding.missing:
            await self._forget_answers()
        for request, kept in self._answers.items():
            # an answer whose checkpoint was not saved: the greater number is the truth
            if kept.number > self._number():
                self._count(kept.answer(request))
        await self.ownership.save(self.holding, self.holding.checkpoint)

    async def _forget_answers(self) -> None:
        """Take messages again that were answered: the bus has not what they said, and only their sender has it still.

        Whoever sends one again is answered anew. What it said and the bus still has comes again under the same ids.
        """
        before = self.holding.checkpoint
        since = f" since {before.at.isoformat(timespec='seconds')}" if before.at is not None else ""
        log.error(
            "the bus has not what was pushed: the owner has to send it again",
            feed=self.feed,
            count=len(self._answers),
            **before.counters.as_json(),
        )
        system, _, name = self.feed.partition("/")
        reason = (
            f"the bus lost messages that were pushed and answered, the last of them{since} or before: their owner has "
            "to send them again; none of them is taken for a repetition"
        )
        letter = BadRecord(reason, place="the bus", raw=b"")
        self.holding.checkpoint = replace(self.holding.anew(), counters=before.counters, position=before.position)
        await self.producer.send([dead_letter(letter, Origin(system, name, "the bus", 1), self.spool, counted=False)])
        for request in list(self._answers):
            await self.producer.send([Message(PUSH_ANSWERS, _key(self.feed, request), None)])
            self._drop(request)

    def _take(self, delivery: Delivery) -> None:
        feed, _, request = (delivery.key or b"").decode(errors="replace").removeprefix(self.feed).partition("/")
        if feed:
            return  # another feed's
        if delivery.value is None:
            self._drop(request)
            return
        try:
            answer = _parse(request, delivery.value)
        except UNREADABLE as error:
            pass_over(delivery, error)
            return
        self._hold(answer)

    def _hold(self, answer: Answer) -> None:
        self._drop(answer.request)
        kept = self._answers[answer.request] = Kept.of(answer)
        self._bytes += kept.cost
        if kept.named is not None:
            self._named_bytes += kept.cost
            self._requests[kept.named] = answer.request

    def _drop(self, request: str) -> None:
        kept = self._answers.pop(request, None)
        if kept is not None:
            self._bytes -= kept.cost
            if kept.named is not None:
                self._named_bytes -= kept.cost
                if self._requests.get(kept.named) == request:
                    del self._requests[kept.named]

    async def room(self) -> int:
        """Return 0, or the seconds to wait until there is room for one more answer. Raises BusDown, FeedLost."""
        if self._bytes < self.most_bytes:
            return 0
        async with self._turn:
            while self._bytes >= self.most_bytes and await self._sweep():
                pass
        if self._bytes < self.most_bytes:
            return 0
        now = self.clock()
        ends = [kept.expires for kept in self._answers.values() if kept.expires >= now]
        return max(1, ceil(min(ends, default=now) - now) + 1)

    async def watch(self) -> None:
        """See whether another door took the feed over. Raises BusDown."""
        await self.ownership.watch()

    def find(self, request: str) -> Answer | None:
        """Return what that request was answered."""
        kept = self._answers.get(request)
        return kept.answer(request) if kept is not None else None

    def find_named(self, message: str) -> Answer | None:
        """Return what the message of that name was answered, if that is still known and the bus has what it said."""
        request = self._requests.get(message) if not self.holding.missing else None
        return self.find(request) if request is not None else None

    def used_again(self, message: str) -> None:
        """Have the feed's condition tell that a name came with another body."""
        checkpoint = self.holding.checkpoint
        condition = replace(
            checkpoint.condition,
            used_again=checkpoint.condition.used_again + 1,
            used_again_why=f"the name {message!r} of a message came with another body, which was refused",
            used_again_at=datetime.fromtimestamp(self.clock(), UTC),
        )
        self.holding.checkpoint = replace(checkpoint, condition=condition)

    def signed(self, request: str) -> str | None:
        """Return the digest of what was signed under that name, if it was answered or may have been."""
        unsure = self._unsure
        if unsure is not None and unsure.request == request:
            return unsure.digest
        kept = self._answers.get(request)
        return kept.digest if kept is not None else None

    async def keep(self, answer: Answer, part: Counters) -> Answer:
        """Count a request and keep its answer, both durable once this returns. Raises BusDown, FeedLost.

        After BusDown it is not known whether the answer arrived: it goes again, unchanged, before any other.
        """
        async with self._turn:
            if self.holding.missing:
                await self._forget_answers()
            if self._unsure is not None:
                await self._send(self._unsure)
            known = self.find(answer.request) or (self.find_named(answer.named) if answer.named is not None else None)
            if known is not None:
                await self._save()
                return known
            checkpoint = self.holding.checkpoint
            counters = checkpoint.counters.plus(part)
            whole = replace(answer, number=self._number() + 1, epoch=checkpoint.epoch, counters=counters)
            await self._send(whole)
            await failpoints.reach("door.answered")
            await self._save()
            await failpoints.reach("door.saved")
            return whole

    async def wait(self, waiting: Waiting, word: Order | None, why: str) -> None:
        """Show a message that waits for a person, unless another does of which nothing was said yet.

        Raises BusDown, FeedLost.
        """
        async with self._turn:
            known = self.holding.checkpoint.waiting
            if known is not None and known.id != waiting.id and (word is None or word.about != known.id):
                return
            self.holding.check()
            shown = waiting if known is None or known.id != waiting.id else known
            self.holding.checkpoint = replace(self.holding.checkpoint, waiting=shown, stopped=why)
            await self.ownership.save(self.holding, self.holding.checkpoint)

    def decided(self, id: str) -> None:
        """Take away that a message waits; saved with the answer to it."""
        checkpoint = self.holding.checkpoint
        if checkpoint.waiting is not None and checkpoint.waiting.id == id:
            self.holding.checkpoint = replace(checkpoint, waiting=None, stopped=None)

    async def _send(self, answer: Answer) -> None:
        self.holding.check()
        self._unsure = answer
        try:
            await self.producer.send([answer.message(self.feed)])
        except MessageTooLarge:
            self._unsure = None  # of this one it is known: nothing arrived
            raise
        self._unsure = None
        self._hold(answer)
        self._count(answer)

    def _number(self) -> int:
        """Return the number of the last answer that the checkpoint counts."""
        return int((self.holding.checkpoint.position or {}).get("number", 0))

    def _count(self, answer: Answer) -> None:
        checkpoint = self.holding.checkpoint
        now = datetime.fromtimestamp(self.clock(), UTC)
        condition = replace(checkpoint.condition, last_batch=answer.request, last_batch_at=now)
        self.holding.checkpoint = replace(
            checkpoint, position={"number": answer.number}, counters=answer.counters, condition=condition
        )

    async def _save(self) -> None:
        """Save the checkpoint, and end the answers that are too old to be asked for."""
        await self.ownership.save(self.holding, self.holding.checkpoint)
        await self._sweep()

    async def _sweep(self) -> int:
        """End answers that are too old to be asked for; return how many."""
        now, room = self.clock(), self.most_bytes // 2 - self._named_bytes
        old: list[str] = []
        for name, kept in self._answers.items():  # the oldest first
            if kept.expires >= now:
                continue
            if kept.named is not None:
                if room >= 0:
                    continue
                room += kept.cost
            old.append(name)
            if len(old) == _SWEPT:
                break
        if old:
            await self.producer.send([Message(PUSH_ANSWERS, _key(self.feed, name), None) for name in old])
        for name in old:
            self._drop(name)
        return len(old)

    async def close(self) -> None:
        """Let go of the feed, so that the next door need not wait. Nothing depends on it."""
        with suppress(BusDown):
            await self.ownership.release(self.holding)
