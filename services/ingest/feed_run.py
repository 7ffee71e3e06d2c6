"""One feed while this host holds it: read, deliver, rest, and try again where the source is down.

What a feed goes through, chunk by chunk:

    read and map (one chunk ahead) -> send -> receipt, where a batch ends -> save the checkpoint
    -> acknowledge to the source, where it is a queue and the batch ends

A chunk is encoded once: what is sent again has the same ids and the same stamps. Nothing is saved before all that it
covers is durable, so a crash at any point costs a repeat and never a record. Of a backlog of small batches many go
through these steps as one chunk, for each step waits for a disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from tenacity import RetryCallState

from adapters.core import (
    Asks,
    BadRecord,
    Batch,
    Connection,
    Defers,
    Json,
    Keeps,
    KnowsEnd,
    Origin,
    SourceDown,
    Watch,
    Watched,
)
from bus.contract import BusDown, BusError, Message, Producer
from links.tasks import cancel
from services import failpoints, retry
from services.dead_letters import Spool, SpoolDown, dead_letter, encodable, shape, shape_of_failure
from services.feeds import Checkpoint, Condition, FeedLost, FeedStorage, Holding, Orders, Ownership, Values, compared
from services.ingest.chunks import Chunk, join
from services.ingest.clocks import Clock
from services.ingest.gate import Gate
from services.ingest.mappers import Mappers
from services.ingest.prefetch import prefetch
from services.ingest.reading import Reader
from services.ingest.receipts import receipt
from services.ingest.retrying import Patience
from services.ingest.sources import Outcome, Source
from services.ingest.tally import Tally
from services.ingest.truncation import Emptying
from services.keyring import Keyring
from services.logs import describe
from services.questions import Book, FeedQuestions
from services.settings import IngestSettings
from services.tracing import Tracing

_LINGER_SECONDS = 0.2
"""How long a feed whose source streams waits for more to send together."""


_LONGEST_WHY = 200


def _without_name(deferred: str) -> str:
    """Why a piece was left for later, of a line that begins with its name: that may be the number of a case."""
    return shape(deferred.partition(": ")[2] or deferred)[:_LONGEST_WHY]


_MOST_DEFERRED = 5
"""The number of pieces left for later that a line of the log names."""
_MOST_LINES = 20
"""And that of such lines after one poll: there may be thousands of pieces."""
_GATHER_SECONDS = 0.05
"""How long a feed whose source told that something came waits for more of it; longer where a poll takes longer."""


async def _batches(connection: Connection) -> AsyncGenerator[Batch, None]:
    """Yield all that a source holds, to be closed by who stops early."""
    async for batch in connection.batches(None):
        yield batch


def _is_news(before: Condition, why: str | None) -> bool:
    """Return whether a source that cannot be reached was not told of yet, or for another reason."""
    return before.down_since is None or before.down_why != why


class _Missing(Exception):
    """The bus has not what the feed sent: the source has to be read again."""


class Stopped(Exception):
    """A feed is stopped until its source or adapter was mended; its checkpoint stays where it can be taken up again."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What the feeds of a host have in common."""

    settings: IngestSettings
    producer: Producer
    ownership: Ownership
    orders: Orders
    values: Values
    directory: Path  # where feeds keep what can be made anew
    book: Book
    spool: Spool
    receipt_keys: Keyring
    clock: Clock
    patience: Patience
    mappers: Mappers | None
    gate: Gate | None  # None: no batch waits for a person
    emptying: Emptying
    tracing: Tracing | None  # None: nothing is traced
    once: bool
    stop: asyncio.Event
    grace: float  # seconds from the stop to the end of the process


@dataclass(slots=True)
class FeedRun:
    """One feed while this host holds it."""

    source: Source
    holding: Holding
    host: Installation
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    deferred: tuple[str, ...] = ()  # what the source holds and its transport left for later
    deferred_logged: tuple[str, ...] = ()
    watch: Watch | None = None  # of the source, from one poll to the next
    took: float = 0.0  # the last poll, in seconds
    heeded: str = ""  # the id of the last word on a batch that waited, when the last round began
    failures: int = 0  # in a row, other than of the source
    begun: int = field(init=False)  # records read when the run began
    connection: Connection | None = None  # that is read now
    log: Any = field(init=False)

    def __post_init__(self) -> None:
        self.holding.on_lost = self.stop.set
        self.begun = self.holding.checkpoint.counters.read
        self.log = structlog.get_logger("ingest").bind(system=self.source.system.name, feed=self.source.feed.name)

    async def run(self) -> None:
        """Read the feed until it is stopped or, with `once`, until it has nothing more. Raises Stopped, FeedLost."""
        checkpoint = self.holding.checkpoint
        self.log.info("feed begins", epoch=checkpoint.epoch, **checkpoint.counters.as_json())
        try:
            await self._rounds()
        except asyncio.CancelledError:
            raise
        except (Stopped, FeedLost) as error:
            self.log.error("feed stopped", why=str(error))
            raise
        except BaseException as error:  # only to tell it now: the other feeds go on, the outcome comes at the end
            self.log.error("feed stopped", **describe(error))
            raise
        finally:
            if self.watch is not None:
                self.watch.close()
            await self._release()
        self.log.info("feed done", **self.holding.checkpoint.counters.as_json())

    @property
    def read(self) -> int:
        """How many records this run has read; after a rewind, since that."""
        read = self.holding.checkpoint.counters.read
        return read - self.begun if read >= self.begun else read

    @property
    def extent(self) -> tuple[int, int] | None:
        """Bytes that were come past and that there are, where the source that is read now knows."""
        return self.connection.extent() if isinstance(self.connection, KnowsEnd) else None

    def outcome(self, result: BaseException | None) -> Outcome:
        """Return how the feed ended, of what `run` returned or raised."""
        error: str | None = None
        if result is not None and not isinstance(result, asyncio.CancelledError):
            plain = isinstance(result, Stopped | FeedLost)
            error = str(result) if plain else f"{type(result).__name__}: {result}"
        return Outcome(self.source.name, self.holding.checkpoint.counters, error, self.deferred)

    async def _rounds(self) -> None:
        settings = self.host.settings
        while not self.stop.is_set():
            self.holding.check()
            try:
                await self._rewind()
                if self._paused():
                    await self._hold()
                    continue
                whole = await self._patiently(self._attempt)
            except _Missing:
                continue
            except Stopped as error:
                if self.host.once or self.stop.is_set():
                    raise
                # it may have been mended meanwhile: the feed is tried again as a source that is away
                self.log.error("feed stopped", why=str(error))
                self.failures += 1
                seconds = retry.backoff(self.failures, settings.breaker_failures, settings.retry_cap_seconds)
                await self._rest(seconds)
                continue
            self.failures = 0
            if whole:
                await self._go_on()
                if self.host.once:
                    break
            # after a failure behind some progress: a short wait, and the policy begins anew
            if whole:
                await self._until_come(settings.poll_seconds)
            else:
                await self._rest(min(1.0, settings.retry_cap_seconds))
        self.holding.check()

    async def _attempt(self) -> bool:
        """A round; of a source that has to be read again, from its beginning."""
        if self.holding.missing:
            await self._begin_anew()
        return await self._round()

    def _paused(self) -> bool:
        return self.host.orders.pause(self.holding.key) is not None

    def _ordered(self) -> bool:
        """Whether an operator wants something else than that the feed goes on."""
        rewind = self.host.orders.rewind(self.holding.key)
        return self._paused() or (rewind is not None and rewind.id != self.holding.checkpoint.rewound)

    def _answered(self) -> bool:
        """Whether a person said something of the batch that waits since the last round began."""
        waiting, order = self.holding.checkpoint.waiting, self.host.orders.word(self.holding.key)
        return order is not None and order.id != self.heeded and waiting is not None and order.about == waiting.id

    async def _hold(self) -> None:
        """Read nothing until the feed is resumed. Raises Stopped with `once`: there is nothing to wait for."""
        order = self.host.orders.pause(self.holding.key)
        if order is None:
            return
        if self.host.once:
            at = order.at.isoformat(timespec="seconds")
            raise Stopped(
                f"{self.source.name} is paused since {at} by {order.by}: {order.why}; "
                f"`visabus feeds resume {self.source.name}` lets it go on"
            )
        self.log.warning("feed paused", by=order.by, why=order.why)
        while self._paused() and not self.stop.is_set():
            await self._rewind()
            await retry.wait(self.host.settings.fence_seconds, self.stop)
        if not self._paused():
            self.log.info("feed resumed")

    async def _rewind(self) -> None:
        """Go back to the beginning of the source, or in front of a batch, where an operator ordered it.

        An order is obeyed once. Raises Stopped where the source cannot be reached: the order stands until it can.
        """
        order = self.host.orders.rewind(self.holding.key)
        before = self.holding.checkpoint
        if order is None or order.id == before.rewound:
            return
        if not order.about:
            self.log.warning("feed rewound", by=order.by, why=order.why, **before.counters.as_json())
            await self._save(replace(self.holding.anew(), rewound=order.id))
            return
        places: list[Json] = []

        async def search() -> bool:
            places[:] = await self._in_front_of(order.about)
            return True

        if not await self._patiently(search):
            return  # the process ends
        condition = replace(self.holding.checkpoint.condition, not_rewound=None, not_rewound_at=None)
        before = replace(self.holding.checkpoint, condition=condition, rewound=order.id)
        if places:
            self.log.warning("feed rewound", by=order.by, why=order.why, batch=order.about)
            await self._save(replace(before.without_batch(), position=places[0]))
            return
        why = f"its source no longer holds {order.about!r}; `visabus feeds rewind` without --before reads what it holds"
        self.log.error("feed not rewound", by=order.by, why=why)
        condition = replace(condition, not_rewound=why, not_rewound_at=datetime.now(UTC))
        await self._save(replace(before, condition=condition))

    async def _in_front_of(self, name: str) -> list[Json]:
        """The position in front of the first batch of a name that the source holds; empty without one.

        No record is read for it. Raises SourceDown.
        """
        connection = self.source.open()
        try:
            position: Json = None
            async with aclosing(_batches(connection)) as batches:
                async for batch in batches:
                    if encodable(batch.name) == name:
                        return [position]
                    position = batch.after
        finally:
            await connection.close()
        return []

    async def _rest(self, seconds: float) -> None:
        """Wait, and no longer than until an order comes."""
        until = time.monotonic() + seconds
        while (
            not self.stop.is_set()
            and not self._ordered()
            and not self._answered()
            and (left := until - time.monotonic()) > 0
        ):
            await retry.wait(min(left, self.host.settings.fence_seconds), self.stop)

    async def _until_come(self, seconds: float) -> None:
        """Wait between two polls, until the source told that something came at most; no less than the last one took."""
        if self.watch is None:
            await self._rest(seconds)
            return
        watching, resting = asyncio.create_task(self.watch.stirred()), asyncio.create_task(self._rest(seconds))
        try:
            await asyncio.wait((watching, resting), return_when=asyncio.FIRST_COMPLETED)
            came = watching.done()
        finally:
            await cancel(watching, resting)
        if came:
            await self._rest(min(seconds, max(_GATHER_SECONDS, self.took)))

    async def _patiently(self, work: Callable[[], Awaitable[bool]]) -> bool:
        """Return what `work` returns, once the source can be reached. Raises Stopped, FeedLost, BusDown."""
        settings = self.host.settings
        policy = retry.source(
            SourceDown,
            stop=self.stop,
            failures=settings.breaker_failures,
            cap=settings.retry_cap_seconds,
            attempts=settings.breaker_failures if self.host.once else None,
            on_failure=self._log_source_down,
        )
        try:
            whole: bool = await policy(work)
        except SourceDown as error:
            if self.stop.is_set():
                return False
            self._observe_down(error)
            why = f"{self.source.name} could not be reached ({error}); mend its address or run again later"
            raise Stopped(why) from None
        except (Stopped, FeedLost, BusDown, SpoolDown, _Missing):
            raise
        except Exception as error:
            # a bug of a transport or an answer that it does not expect: told where the feed stands, and tried again
            if self.host.once:
                raise
            self.log.error("feed failed", **describe(error))
            why = f"{self.source.name} stopped: {type(error).__name__}; it is tried again"
            try:
                await self._save(replace(self.holding.checkpoint, stopped=why))
            except BusDown:
                raise
            except BusError as refused:  # the log alone tells it then; the feed goes on being tried
                self.log.error("feed stopped", **describe(refused))
            raise Stopped(why) from error
        if self.holding.checkpoint.condition.down_since is not None and not self._ordered():
            self._observe(down_since=None, down_why=None)
            self.log.info("source back")
        return whole

    def _observe_down(self, error: BaseException | None) -> None:
        since = self.holding.checkpoint.condition.down_since or datetime.now(UTC)
        self._observe(down_since=since, down_why=shape_of_failure(str(error)))

    def _observe(self, **changes: Any) -> None:
        """Take down what was seen of the source. It goes to the bus with the next checkpoint or heartbeat."""
        condition = replace(self.holding.checkpoint.condition, **changes)
        self.holding.checkpoint = replace(self.holding.checkpoint, condition=condition)

    async def _begin_anew(self) -> None:
        """Go back to the beginning of the source, and keep a dead letter that says so: what the bus lost is not known.

        What stands on the bus comes again under the same ids, and changes nothing.
        """
        lost = sorted(self.holding.missing)
        before = self.holding.checkpoint
        self.log.error(
            "the bus has not what the feed sent to it: its source is read again from the beginning",
            count=len(lost),
            **before.counters.as_json(),
        )
        system = self.source.system
        where = ", ".join(f"{part.topic} {part.number}" for part in lost)
        since = f" since {before.at.isoformat(timespec='seconds')}" if before.at is not None else ""
        reason = (
            f"the bus lost messages of this feed ({where}), the last of them sent{since} or before: the source is read "
            "again from the beginning; what it no longer holds has to be sent again by its owner"
        )
        letter = BadRecord(reason, place="the bus", raw=b"")
        origin = Origin(system.name, self.source.feed.name, "the bus", system.mapping_version)
        anew = self.holding.anew()
        self.holding.checkpoint = anew
        await self._send([dead_letter(letter, origin, self.host.spool, counted=False)])
        await self._save(anew)

    async def _go_on(self) -> None:
        """Take back that the feed was stopped, and tell what was left for later and why: each piece and reason once."""
        if self.holding.checkpoint.stopped is not None:
            await self._save(replace(self.holding.checkpoint, stopped=None, waiting=None))
        why = _without_name(self.deferred[0]) if self.deferred else None
        self._observe(caught_up_at=datetime.now(UTC), deferred=len(self.deferred), deferred_why=why)
        if self.deferred != self.deferred_logged:
            new = sorted(set(self.deferred).difference(self.deferred_logged), key=self.deferred.index)
            self.deferred_logged = self.deferred
            self._log_deferred(new)

    def _log_deferred(self, new: Sequence[str]) -> None:
        """Tell what was left for later, some pieces a line; and when nothing is any more."""
        count = len(self.deferred)
        if not count:
            self.log.info("nothing is left for later")
        for first in range(0, len(new), _MOST_DEFERRED)[:_MOST_LINES]:
            self.log.info("left for later", count=count, why="; ".join(new[first : first + _MOST_DEFERRED]))

    async def _round(self) -> bool:
        """Deliver all that the source has now. Return False if it went down after some of it, or the feed is stopped.

        Raises SourceDown before any of it.
        """
        moved = False
        if self._ordered():
            return False
        if (word := self.host.orders.word(self.holding.key)) is not None:
            self.heeded = word.id
        source, host = self.source, self.host
        began = time.monotonic()
        try:
            self.connection = connection = source.open()
            self._lend(connection)
            try:
                gate = None if isinstance(connection, Asks) else host.gate
                reader = Reader(
                    source,
                    host.settings,
                    host.clock,
                    host.spool,
                    host.patience,
                    self.stop,
                    mappers=host.mappers,
                    gate=gate,
                    tracing=host.tracing,
                    emptying=host.emptying,
                )
                chunks = reader.chunks(connection, self.holding.checkpoint)
                prefetched = prefetch(chunks, host.settings.in_flight, lambda chunk: chunk.share, _LINGER_SECONDS)
                async with aclosing(prefetched) as several, aclosing(self._until_ordered(several)) as ordered:
                    async for some in ordered:
                        await self._deliver(join(some))
                        moved = True
                        if self.stop.is_set() or host.stop.is_set():
                            return False
                if self._ordered():
                    return False
                if isinstance(connection, Defers):
                    self.deferred = tuple(connection.deferred())
            finally:
                self.connection = None
                await connection.close()
        except SourceDown:
            if moved:
                return False
            raise
        self.took = time.monotonic() - began
        return True

    async def _until_ordered(self, several: AsyncGenerator[list[Chunk], None]) -> AsyncGenerator[list[Chunk], None]:
        """Yield what was prefetched until an order comes: a source that streams may say nothing for hours."""

        async def following() -> list[Chunk] | None:
            return await anext(several, None)

        while not self._ordered():
            step = asyncio.create_task(following())
            try:
                while not step.done() and not self._ordered():
                    await asyncio.wait({step}, timeout=self.host.settings.fence_seconds)
            finally:
                if not step.done():
                    await cancel(step)
            if step.cancelled() or self._ordered() or (some := step.result()) is None:
                return
            yield some

    def _lend(self, connection: Connection) -> None:
        """Give the connection a storage, if it has more to keep than a position holds, and whom to ask, if it asks.

        Have its source watched, if there is another poll to come.
        """
        host, wait = self.host, partial(self.host.patience, self.stop)
        if isinstance(connection, Keeps):
            connection.keep_in(FeedStorage(host.values, self.holding.key, host.directory / self.source.name, wait))
        if isinstance(connection, Asks):
            connection.ask_from(FeedQuestions(host.book, self.holding.key, wait))
        if isinstance(connection, Watched) and not host.once:
            self.watch = connection.watch(self.watch)

    def _log_source_down(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        before = self.holding.checkpoint.condition
        self._observe_down(error)
        # what is tried again in vain is told once, and again only where the reason is another
        tell = self.log.warning if _is_news(before, self.holding.checkpoint.condition.down_why) else self.log.debug
        code = getattr(error, "code", None)
        tell(
            "source down",
            **({"code": str(code)} if code is not None else {}),
            why=shape_of_failure(str(error)),
            stage="breaker open" if state.attempt_number > self.host.settings.breaker_failures else "retry",
            attempt=state.attempt_number,
            wait=round(state.next_action.sleep, 1) if state.next_action else 0.0,
        )

    async def _deliver(self, chunk: Chunk) -> None:
        self.holding.check()
        if self.holding.missing:
            raise _Missing
        await failpoints.reach("ingest.decoded")
        await self._send(chunk.messages)
        await failpoints.reach("ingest.sent")
        if self.holding.missing:
            raise _Missing  # the positions of what was sent just now tell
        # a poll that read and said nothing has no receipt
        said = [tally for tally in chunk.finished if tally.records or tally.notes]
        finished = [tally for tally in said if not tally.came_again]
        for tally in said:
            if tally.came_again:
                self.log.info("came again", batch=tally.origin.batch, why="it was read before: its receipt stands")
        condition = self._compared(self.holding.checkpoint.condition, finished)
        await self._send([receipt(tally, self.host.receipt_keys) for tally in finished])
        self._log_batches(finished)
        if finished:
            condition = replace(condition, last_batch=finished[-1].origin.batch, last_batch_at=datetime.now(UTC))
        await self._save(replace(chunk.checkpoint, condition=condition))
        await failpoints.reach("ingest.saved")
        for acknowledge in chunk.acknowledge:
            await acknowledge()
        if chunk.stop is not None:
            raise Stopped(chunk.stop)

    async def _send(self, messages: Sequence[Message]) -> None:
        """Return when all are durable. The same bytes go again as long as it is unknown whether they arrived."""
        if messages:
            patiently = partial(self.host.patience, self.stop, lambda: self.host.producer.send(messages))
            await self.host.ownership.send(self.holding, patiently)

    async def _save(self, checkpoint: Checkpoint) -> None:
        await self.host.patience(self.stop, lambda: self.host.ownership.save(self.holding, checkpoint))

    @staticmethod
    def _compared(condition: Condition, tallies: Sequence[Tally]) -> Condition:
        """Return the condition behind batches; those whose name or number had other content before are marked."""
        for tally in tallies:
            labels, tally.used_again = compared(condition.labels, tally.labels)
            condition = replace(condition, labels=labels)
            if tally.used_again:
                condition = replace(
                    condition,
                    used_again=condition.used_again + 1,
                    used_again_why=f"{' and '.join(tally.used_again)}, batch {tally.origin.batch!r}",
                    used_again_at=datetime.now(UTC),
                )
        return condition

    def _log_batches(self, tallies: Sequence[Tally]) -> None:
        for tally in tallies:
            if tally.used_again:
                why = f"{' and '.join(tally.used_again)} had come before with other content; it was read as usual"
                self.log.warning("used again", batch=tally.origin.batch, why=why)
            self.log.info("batch done", batch=tally.origin.batch, **tally.part.as_json())

    async def _release(self) -> None:
        try:
            async with asyncio.timeout(self.host.grace / 4):
                await self.host.ownership.release(self.holding)
        except (BusDown, TimeoutError):
            self.log.info("bus down")
