"""The handler of one pushed feed: a body becomes messages and an answer for each record, once."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any
from weakref import WeakValueDictionary

import structlog

from adapters.core import BadRecord, Feed, Header, Note, Origin, Pushed, Read, Record, System
from bus.contract import Bus, Message, Producer
from services import failpoints
from services.authority.guard import Guard
from services.dead_letters import Spool
from services.feeds import Counters, Orders, Waiting, Word
from services.ingest.clocks import Clock, now
from services.ingest.door import problems
from services.ingest.door.ledger import Answer, Ledger
from services.ingest.door.limits import Refusals
from services.ingest.door.readers import Reader, ReaderDown, Readers, TooManyRecords, readers
from services.ingest.gate import REJECTED, Gate, NotJudged, facts_of
from services.ingest.tally import Limits, Tally
from services.settings import DoorSettings

MAX_RECORDS = 1_000
_REASON = 200
_NAME = re.compile(r"[\x21-\x7e]{1,100}")
"""A name of a message: printable ASCII without a blank."""
_NEVER_WHOLESALE = Limits(share=1.0, least=1)
"""A source that asks is told record by record; it stops by itself."""


@dataclass(frozen=True, slots=True)
class Post:
    """A message that came in, signed as it should be."""

    key: str
    nonce: str
    signed: bytes = field(repr=False)
    expires: int
    body: bytes = field(repr=False)
    trace: str | None = None  # the sender's trace context

    @property
    def name(self) -> str:
        """Key and nonce: the batch of its events."""
        return f"{self.key}/{self.nonce}"


@dataclass(slots=True)
class PushHandler:
    """Takes the messages of one system."""

    system: System
    feed: Feed
    ledger: Ledger
    producer: Producer
    spool: Spool
    clock: Clock = now
    refusals: Refusals = field(default_factory=lambda: refusals_of(DoorSettings()))
    orders: Orders = field(default_factory=Orders)
    reader: Reader | None = None  # without one bodies are read in a thread of this process
    gate: Gate | None = None  # has messages wait for a person that would change much
    _judging: asyncio.Lock = field(default_factory=asyncio.Lock)
    _running: dict[str, tuple[str, asyncio.Task[Answer]]] = field(default_factory=dict)
    _named: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """Of messages in work, by the sender's names of them: there as long as one is held or waited for."""

    async def answer(self, post: Post) -> Answer:
        """The answer, once all of it is durable; a repetition gets the same.

        Raises Problem, BusDown, SpoolDown, NotJudged.
        """
        digest = sha256(post.signed).hexdigest()
        _check(self.ledger.signed(post.name) or digest, digest)
        known = self.ledger.find(post.name)
        if known is not None:
            return known
        if post.name not in self._running and (seconds := await self.ledger.room()):
            raise problems.full(seconds)
        if post.name not in self._running:  # it may have come a second time meanwhile
            self._running[post.name] = (digest, asyncio.create_task(self._work(post, digest)))
        # a repetition that comes while the first request is in work waits for that one
        before, task = self._running[post.name]
        _check(before, digest)
        # a sender that hangs up stops nothing: it may be answered by then
        return await asyncio.shield(task)

    async def _work(self, post: Post, digest: str) -> Answer:
        try:
            return await self._keep(post, digest)
        finally:
            del self._running[post.name]

    async def _keep(self, post: Post, digest: str) -> Answer:
        reads = await self._reads(post.body)
        name = self._name_of(reads)
        if name is None:
            return await self._taken(post, digest, reads, None)
        turn = self._named.setdefault(name, asyncio.Lock())
        async with turn:
            answer = self.ledger.find_named(name) or await self._taken(post, digest, reads, name)
            if answer.content != sha256(post.body).hexdigest():
                self.ledger.used_again(name)
                raise problems.message_id(self.push.message or "")
            return answer

    def _name_of(self, reads: Sequence[Read]) -> str | None:
        """The sender's name of a message; none where it gave none, or one that is none."""
        header = next((read for read in reads if isinstance(read, Header)), None)
        if self.push.message is None or header is None:
            return None
        name = header.fields.get(self.push.message)
        return name if isinstance(name, str) and _NAME.fullmatch(name) else None

    async def _taken(self, post: Post, digest: str, reads: Sequence[Read], name: str | None) -> Answer:
        tally = Tally(
            Origin(self.system.name, self.feed.name, post.name, self.system.mapping_version),
            self.feed.mapping,
            self.clock,
            self.spool,
            _NEVER_WHOLESALE,
            Guard.of(self.system),
            trace=post.trace,
        )
        waiting = self._as_waiting(post, sha256(post.body).hexdigest())
        order = self.orders.word(self.ledger.feed)
        word = order.word if order is not None and order.about == waiting.id else None
        if word is Word.REJECT:
            tally.rejected = REJECTED
        messages, answers = await asyncio.to_thread(self._judge, tally, reads)
        if word is None and self.gate is not None:
            await self._pass(self.gate, waiting, messages)
        await failpoints.reach("door.decoded")
        await self.ledger.ownership.send(self.ledger.holding, lambda: self.producer.send(messages))
        await failpoints.reach("door.sent")
        body = {
            "batch": post.name,
            "read": tally.part.read,
            "accepted": tally.part.published,
            "left_out": sum(tally.part.filtered.values()),
            "refused": tally.part.dead_lettered,
            "answers": answers,
        }
        self.ledger.decided(waiting.id)
        self.refusals.count(post.key, tally.part.read, tally.part.dead_lettered)
        content = sha256(post.body).hexdigest() if name is not None else ""
        answer = Answer(post.name, digest, post.expires, body, named=name, content=content)
        return await self.ledger.keep(answer, tally.part)

    def _as_waiting(self, post: Post, content: str) -> Waiting:
        """The message as one that waits. Its body alone names it: who sends it again signs it anew."""
        limit = self.gate.limit if self.gate is not None else 0
        batch = f"{post.key}/body-{content[:16]}"
        return Waiting(batch, content, datetime.fromtimestamp(self.ledger.clock(), UTC), None, limit, 0, 0)

    async def _pass(self, gate: Gate, waiting: Waiting, messages: Sequence[Message]) -> None:
        """Return where a message changes no more than it may; else show it to the operators and raise Problem.

        Raises NotJudged.
        """
        async with self._judging:
            try:
                async with gate.impact() as impact:
                    if impact is None:
                        return
                    await impact.take(facts_of(messages))
                    await impact.end()
            except gate.down() as error:
                raise NotJudged(f"the store cannot be read ({error})") from None
            if impact.whole.count <= gate.limit:
                return
            shown = impact.shown
            waiting = replace(waiting, changed=shown.count, appeared=len(shown.appeared), changes=shown.by_outcome())
            name = f"{self.system.name}.{self.feed.name}"
            why = (
                f"{waiting.in_words()}; `visabus feeds release {name}` takes it, `visabus feeds reject {name}` "
                "leaves it out, once its sender sends it again; other messages are taken"
            )
            await self.ledger.wait(waiting, self.orders.word(self.ledger.feed), why)
        raise problems.held()

    async def _reads(self, body: bytes) -> Sequence[Read]:
        if self.reader is None:
            return await asyncio.to_thread(_reads, self.feed, body)
        try:
            return await self.reader.read(body)
        except TooManyRecords:
            raise problems.too_large("records") from None
        except ReaderDown as error:
            structlog.get_logger("door").error("nothing can be read", system=self.system.name, why=str(error))
            raise problems.unavailable() from None

    def _judge(self, tally: Tally, reads: Sequence[Read]) -> tuple[list[Message], list[dict[str, Any]]]:
        """In a thread: nothing is kept of what it raises."""
        push = self.push
        messages: list[Message] = []
        answers: list[dict[str, Any]] = []
        for read in reads:
            before = tally.part
            messages += tally.messages([read])
            if not isinstance(read, Note):
                named = {"number": len(answers) + 1, push.called: _name(push, read)}
                answers.append(named | _outcome(tally, before))
        return messages, answers

    def check_paused(self) -> None:
        """Raises Problem while an operator holds the feed."""
        if self.orders.pause(self.ledger.feed) is not None:
            raise problems.paused()

    @property
    def push(self) -> Pushed:
        """How the feed is pushed."""
        if not isinstance(self.feed.transport, Pushed):
            raise TypeError(f"{self.system.name}.{self.feed.name} is not pushed")
        return self.feed.transport

    async def drain(self) -> None:
        """Wait for what is in work."""
        await asyncio.gather(*(task for _, task in self._running.values()), return_exceptions=True)


def _name(push: Pushed, read: Record | BadRecord) -> str | None:
    """What the sender calls the record, as far as that can be read."""
    return read.record if isinstance(read, BadRecord) else push.key(read)


def _check(before: str, digest: str) -> None:
    if before != digest:
        raise problems.nonce()


def _reads(feed: Feed, body: bytes) -> Sequence[Read]:
    """All that a body holds. Raises Problem if that is too much: then nothing of it is taken."""
    if feed.format is None:
        raise ValueError(f"{feed.name} has no format")
    reads: list[Read] = []
    records = 0
    for read in feed.format.read(BytesIO(body)):
        reads.append(read)
        records += not isinstance(read, Note)
        if records > MAX_RECORDS:
            raise problems.too_large("records")
    return reads


def _outcome(tally: Tally, before: Counters) -> dict[str, Any]:
    """What became of the record that was read last."""
    if tally.part.dead_lettered > before.dead_lettered:
        reason = str(tally.refused[-1]["reason"]).encode("ascii", "backslashreplace").decode()
        return {"outcome": "refused", "reason": reason[:_REASON]}
    if tally.part.published > before.published:
        return {"outcome": "accepted"}
    rules = tally.part.filtered
    return {"outcome": "left_out", "reason": next(rule for rule in rules if rules[rule] > before.filtered.get(rule, 0))}


def refusals_of(limits: DoorSettings) -> Refusals:
    """When a key is stopped, by the settings."""
    return Refusals(limits.refuse_share, limits.refuse_min, limits.stop_seconds, time.monotonic)


def _readers(system: System, feed: Feed, limits: DoorSettings) -> AbstractAsyncContextManager[Readers]:
    return readers(
        system.name,
        feed.name,
        most=MAX_RECORDS,
        seconds=limits.read_seconds,
        memory=limits.read_memory,
        count=limits.readers,
    )


@asynccontextmanager
async def open_push_handlers(
    feeds: Sequence[tuple[System, Feed]],
    bus: Bus,
    spool: Spool,
    *,
    takeover_seconds: float,
    take_over: bool = True,
    clock: Callable[[], float],
    stamp: Clock = now,
    limits: DoorSettings | None = None,
    apart: bool = False,
    held: Callable[[Orders], Gate | None] | None = None,
    owner: str | None = None,
) -> AsyncIterator[dict[str, PushHandler]]:
    """Open a handler for each feed, under the last step of its path. `stamp` stamps the events.

    `apart` has bodies read in processes of their own; `held` makes what has messages wait for a person. `owner`: the
    name of this process, where it may have taken the feeds before.

    Raises BusDown, FeedLost, ReaderDown, and without `take_over` FeedHeld where another door runs.
    """
    limits = limits or DoorSettings()
    async with AsyncExitStack() as stack:
        producer = await bus.producer()
        stack.push_async_callback(producer.close)
        handlers: dict[str, PushHandler] = {}
        orders = Orders()
        await orders.follow(bus)
        gate = held(orders) if held is not None else None
        if gate is not None:
            stack.push_async_callback(gate.close)
        for system, feed in feeds:
            # before the feed is taken over: until a process can read, the door that has it goes on
            reader = await stack.enter_async_context(_readers(system, feed, limits)) if apart else None
            ledger = Ledger(f"{system.name}/{feed.name}", bus, producer, clock, spool, limits.answer_bytes, owner)
            await ledger.open(takeover_seconds, take_over=take_over)
            stack.push_async_callback(ledger.close)
            handler = PushHandler(
                system, feed, ledger, producer, spool, stamp, refusals_of(limits), orders, reader, gate
            )
            stack.push_async_callback(handler.drain)
            handlers[system.name.lower()] = handler
        yield handlers
