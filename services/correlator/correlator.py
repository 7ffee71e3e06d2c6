"""One correlator: what it holds between its transactions, and how each of them is run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import structlog

from bus.contract import Bus, Delivery, Message, Partition, Producer
from bus.tails import Extent, differing, missing, tail_of
from schemas.codec import Undecodable
from schemas.topics import EVENT_TOPICS, PARTITIONS
from services import failpoints
from services.authority import Admission
from services.correlator.append import Batch, append
from services.correlator.compare import GivenUp, compare
from services.correlator.deadlines import fire_due, is_due
from services.correlator.key_cache import Appended, KeyCache
from services.correlator.outbox import deliver
from services.correlator.resolve import NOTHING_DONE, Resolved, resolve, resolve_shard
from services.correlator.sharding import sort
from services.correlator.work import Work
from services.dead_letters import Spool, dead_message
from services.domain.coverage import coverage_of_joined
from services.domain.facts import MICRO, Fact, fact_of
from services.domain.fingerprint import fingerprint
from services.metrics.instruments import EVENTS
from services.retry import transaction
from services.store.contract import OtherConfiguration
from services.store.writer import Fenced, Move, Superseded, Transaction, Writer
from services.tracing import Tracing

log = structlog.get_logger(__name__)
COMPARE_ROWS, BACKLOG_ROWS = 50, 200
"""The claims of so many batches are compared in one transaction, where other correlators may share in it, and where
none does: a block with claims from all over a backlog is read once a transaction."""
RESOLVE_ROWS = 100
RESOLVE_BYTES, SHARED_BYTES = 16_000_000, 1_000_000
"""More work than this is sorted, and resolved a shard at a time: more than fits the memory, or is worth sharing."""
DUE_PERSONS = 5_000
DUE_BESIDES = 2_000
"""So many where events wait: they go on being resolved, and answers go on changing by themselves."""
SILENT_SECONDS = 5.0
"""A bus that loses its last messages is away for longer: what was read before such a silence is looked at again."""


def _unjudged(one: Delivery) -> Fact:
    return fact_of(one.value or b"")


class Correlator:
    """Append, compare, resolve, deadlines and outbox over one store."""

    def __init__(
        self,
        writer: Writer,
        producer: Producer,
        spool: Spool,
        *,
        clock: Callable[[], datetime],
        stop: asyncio.Event,
        bus: Bus | None = None,
        admission: Admission | None = None,
        tracing: Tracing | None = None,
        patient: bool = False,
    ) -> None:
        """`admission`: how what a bus delivers is judged; None where deliveries are made by hand, and none is.

        `patient`: who orders it to stop waits for what is under way, for the same work would be done again by another.
        """
        self._writer = writer
        self._producer = producer
        self._spool = spool
        self._clock = clock
        self._stop = stop
        self._bus = bus
        self._admission = admission
        self._tracing = tracing
        self._patient = patient
        self._keys = KeyCache()
        self._name = ""  # of the store
        self._checked = 0  # the generation of connections in which the store was this one
        self._positions: dict[Partition, tuple[int, int]] = {}  # next, epoch
        self._extents: dict[Partition, Extent] = {}  # of the same
        self._came: dict[Partition, float] = {}  # when events of a partition were taken last (monotonic)
        self._doubtful: list[tuple[Partition, int, bytes]] = []  # what was read last before a partition was silent
        self.fenced = 0
        self.gone = 0
        """How many messages the bus had lost before they were read."""
        self.committed: int | None = None  # when events were last committed (microseconds)

    @property
    def partitions(self) -> list[str]:
        """The partitions that are read, as topic/number."""
        return [f"{part.topic}/{part.number}" for part in self._positions]

    async def check(self) -> str:
        """The store's name; what could not be resolved before is tried again. Raises OtherConfiguration."""
        mine = fingerprint()
        stands, name = "", ""
        async for attempt in transaction(stop=self._stop):
            with attempt:
                async with self._writer.begin() as tx:
                    stands, name = await tx.configuration(mine, uuid4().hex)
                    self._checked = tx.generation
                    quarantined = sorted(await tx.quarantined())
                    if quarantined and stands == mine:
                        await tx.add_work(Work(again=quarantined).pack(), compared=True)
        if stands != mine:
            raise OtherConfiguration(
                f"the store was made under configuration {stands}, this program has {mine}: rebuild into a new store"
            )
        self._name = name
        return name

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[Transaction]:
        """A transaction of the store that `check` found. Raises Superseded where another one stands in its place."""
        async with self._writer.begin() as tx:
            if self._name and tx.generation != self._checked:
                if await tx.configuration(fingerprint(), self._name) != (fingerprint(), self._name):
                    log.warning("another store stands at the address: it is opened anew")
                    raise Superseded("another store stands at the address")
                self._checked = tx.generation
            yield tx

    async def rewind(self, partitions: Iterable[Partition] | None = None) -> bool:
        """Have partitions read from their beginning where the bus has not what the store took from it. Raises BusDown.

        A bus that was restored, made anew or lost its last messages has another message, or none, before the position
        of the store. What is read twice changes nothing. `partitions`: None for all. Return whether that was so.
        """
        if self._bus is None:
            return False
        stood: dict[tuple[str, int], tuple[int, bytes]] = {}
        async for attempt in transaction(stop=self._stop):
            with attempt:
                async with self._begin() as tx:
                    stood = await tx.tails()
        asked = set(partitions) if partitions is not None else {Partition(*place) for place in stood}
        extents = {part: (stood[part][0], Extent.of(stood[part][1])) for part in asked if part in stood}
        lost = await differing(self._bus, extents)
        if not lost:
            return False
        await self._read_anew(stood, len(lost))
        return True

    async def _read_anew(self, stood: Mapping[tuple[str, int], tuple[int, bytes]], count: int) -> None:
        # all partitions: one of another bus may by chance hold the same message at the same position
        log.error("the bus has not what the store took from it: it is read again from the beginning", count=count)
        async for attempt in transaction(stop=self._stop):
            with attempt:
                async with self._begin() as tx:
                    for place, (following, _) in sorted(stood.items()):
                        await tx.rewind(*place, following)

    @property
    def doubtful(self) -> bool:
        """Whether the bus may have lost something while nothing came: `verify` looks."""
        return bool(self._doubtful)

    async def verify(self) -> None:
        """See that the bus still has what was taken, and that the partitions held are read from where the store stands.

        Raises Fenced where they have to be taken up anew, BusDown.
        """
        if await self.rewind() or await self._lost_in_silence():
            raise Fenced("the bus has less than was taken from it")
        await self._see_front(self._positions)
        held = dict(self._positions)
        standing: dict[tuple[str, int], int] = {}
        async for attempt in transaction(stop=self._stop):
            with attempt:
                async with self._begin() as tx:
                    standing = await tx.epochs()
        behind = [part for part, (_, epoch) in held.items() if part in self._positions and standing.get(part) != epoch]
        if behind:
            raise Fenced(f"another has {len(behind)} of the partitions, or they are to be read again")

    async def _lost_in_silence(self) -> bool:
        """Have all read again where what was read last before a silence is gone, though what came later stands."""
        while self._doubtful and self._bus is not None:
            some = {part: (position, tail) for part, position, tail in self._doubtful}
            lost = await missing(self._bus, some)
            self._doubtful = [one for one in self._doubtful if (one[1], one[2]) != some[one[0]]]
            if lost:
                self._doubtful.clear()
                async for attempt in transaction(stop=self._stop):
                    with attempt:
                        async with self._begin() as tx:
                            stood = await tx.tails()
                await self._read_anew(stood, len(lost))
                return True
        return False

    async def _see_front(self, partitions: Iterable[Partition]) -> None:
        """Raises Fenced where the bus lost messages at its front before they were read; joining anew passes them."""
        if self._bus is None or not (asked := list(partitions)):
            return
        begins = await self._bus.begins(sorted({part.topic for part in asked}))
        lost = [part for part in asked if part in self._positions and self._positions[part][0] < begins.get(part, 0)]
        if lost:
            raise Fenced(f"the bus lost messages of {len(lost)} partitions before they were read")

    async def _pass_over(self, taken: dict[Partition, tuple[int, int]]) -> None:
        """Go on behind the messages that the bus lost at its front before they were read, and tell of them."""
        if self._bus is None or not taken:
            return
        begins = await self._bus.begins(sorted({part.topic for part in taken}))
        moves: list[Move] = []
        for part, (following, epoch) in sorted(taken.items()):
            count = begins.get(part, 0) - following
            if count > 0:
                self.gone += count
                self._extents[part] = Extent(since=begins[part])
                moves.append(Move(*part, following, begins[part], epoch, 0, self._extents[part].kept()))
                taken[part] = (begins[part], epoch)
                log.error(
                    "the bus lost messages before they were read: have ingest read its sources again",
                    topic=part.topic,
                    partition=part.number,
                    position=following,
                    count=count,
                )
        if moves:
            async for attempt in transaction(stop=self._stop):
                with attempt:
                    async with self._begin() as tx:
                        await tx.advance(moves)

    async def assigned(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """Take partitions over: where to read on. Their former holder is fenced. Raises BusDown."""
        partitions = sorted(partitions)
        await self.rewind(partitions)
        taken: dict[Partition, tuple[int, int]] = {}
        stood: dict[tuple[str, int], tuple[int, bytes]] = {}
        async for attempt in transaction(stop=self._stop):
            with attempt:
                async with self._begin() as tx:
                    stood = await tx.tails()
                    taken = {part: await tx.claim_position(*part) for part in partitions}
        self._extents |= {part: Extent.of(stood[part][1]) if part in stood else Extent() for part in partitions}
        await self._pass_over(taken)
        self._positions.update(taken)
        self._keys.forget()  # after a fence, or where another had the partitions meanwhile: learn anew what stands
        return {part: following for part, (following, _) in taken.items()}

    async def revoked(self, partitions: Iterable[Partition]) -> None:
        """They are somebody else's now."""
        for part in partitions:
            self._positions.pop(part, None)

    async def take(self, deliveries: Sequence[Delivery], *, compares: bool = True) -> dict[Partition, int]:
        """Append what was delivered; the next positions. Raises Fenced, StoreDown, BusDown.

        `compares`: whether new claims are compared at once. While a backlog is read they wait for `compare`, so that a
        block with claims from all over it is read once.
        """
        held = [one for one in deliveries if one.partition in self._positions]
        again = {one.partition for one in held if one.position < self._positions[one.partition][0]}
        if again and await self.rewind(again):  # a client begins anew by itself where its topic was made anew
            raise Fenced("the bus has less than was taken from it")
        first: dict[Partition, int] = {}
        for one in held:
            first.setdefault(one.partition, one.position)
        # a client goes on behind what is gone, by itself; a gap alone means nothing
        await self._see_front([part for part, at in first.items() if at > self._positions[part][0]])
        batch, bad = self._batch(held)
        if bad:
            await self._producer.send(bad)  # before the position moves on: a refused event is kept
        if not batch.moves:
            return {}
        began = time.time_ns()
        await failpoints.reach("append.begin")
        async for attempt in transaction(stop=self._stop):
            with attempt:
                done = await self._append(batch)
        self._keys.remember(done)
        self.committed = int(self._clock().timestamp() * MICRO)
        EVENTS.inc(len(batch.facts) + len(batch.coverage))
        for move in batch.moves:
            part = Partition(move.topic, move.part)
            if part in self._positions:
                self._moved(part, move)
        if self._tracing is not None:
            self._tracing.taken(held, began)
        await failpoints.reach("append.committed")
        if done.to_compare and compares:
            await self.compare()
        return {Partition(move.topic, move.part): move.new for move in batch.moves}

    def _moved(self, part: Partition, move: Move) -> None:
        """Remember where a partition is read on, and what was read last of it before it was silent."""
        now, before = time.monotonic(), self._extents.get(part, Extent())
        if before.tail and now - self._came.get(part, now) > SILENT_SECONDS:
            self._doubtful.append((part, move.old - 1, before.tail))
        self._came[part] = now
        self._positions[part] = (move.new, move.epoch)
        self._extents[part] = Extent.of(move.tail)

    async def _append(self, batch: Batch) -> Appended:
        async with self._begin() as tx:
            done = await append(tx, batch, self._keys)
            await failpoints.reach("append.written")
            return done

    def _batch(self, deliveries: Sequence[Delivery]) -> tuple[Batch, list[Message]]:
        batch = Batch([], [])
        bad: list[Message] = []
        ends: dict[Partition, int] = {}
        known: dict[Partition, int] = {}
        open_known: dict[Partition, int] = {}
        last: dict[Partition, Delivery] = {}
        read = self._admission.at().fact if self._admission is not None else _unjudged
        for one in deliveries:
            following, _ = self._positions[one.partition]
            if one.position < following:
                continue  # delivered again although it was taken already
            ends[one.partition] = one.position + 1
            last[one.partition] = one
            if one.value is None:
                continue
            try:
                fact = read(one)
            except Undecodable as error:
                bad.append(self._letter(one, one.value, str(error)))
                continue
            known[one.partition] = max(fact.known, known.get(one.partition, 0))
            if not fact.handling:
                open_known[one.partition] = max(fact.known, open_known.get(one.partition, 0))
            (batch.coverage if fact.kind == "coverage" else batch.facts).append(fact)
        for part, end in sorted(ends.items()):
            following, epoch = self._positions[part]
            stamps = known.get(part, 0), open_known.get(part, 0)
            extent = replace(self._extents.get(part, Extent()), tail=tail_of(last[part]))
            batch.moves.append(
                Move(part.topic, part.number, following, end, epoch, stamps[0], extent.kept(), stamps[1])
            )
        return batch, bad

    def _letter(self, one: Delivery, raw: bytes, reason: str) -> Message:
        return dead_message(one.partition.topic, one.partition.number, one.position, raw, reason, self._spool)

    async def compare(self) -> None:
        """Compare all claims that any correlator appended and none compared."""
        rows = limit = BACKLOG_ROWS if self.alone else COMPARE_ROWS
        stop = None if self._patient else self._stop
        with suppress(GivenUp):
            while rows == limit and not self._stop.is_set():
                async for attempt in transaction(stop=self._stop):
                    with attempt:
                        async with self._begin() as tx:
                            rows = await compare(tx, limit, stop)
                            await failpoints.reach("compare.written")

    async def resolve(self) -> Resolved:
        """Resolve some of the work; or sort it, where it is too much for one transaction or for one correlator."""
        done = NOTHING_DONE
        async for attempt in transaction(stop=self._stop):
            with attempt:
                async with self._begin() as tx:
                    done = await self._resolve(tx)
                    await failpoints.reach("resolve.written")
        await failpoints.reach("resolve.committed")
        return done

    async def _resolve(self, tx: Transaction) -> Resolved:
        waiting = await tx.waiting()
        awaited = max(SHARED_BYTES, waiting.unsorted_bytes)
        if not self.alone and not waiting.sorted_rows and waiting.uncompared_bytes > awaited:
            return NOTHING_DONE  # others are comparing most of a backlog: its pools would be resolved again with that
        if not waiting.sorted_rows and waiting.unsorted_bytes > (RESOLVE_BYTES if self.alone else SHARED_BYTES):
            return Resolved(await sort(tx), 0, 0, 0)
        coverage = coverage_of_joined(await tx.coverage())
        if waiting.sorted_rows:
            return await resolve_shard(tx, self._now(), coverage)
        return await resolve(tx, RESOLVE_ROWS, self._now(), coverage)

    @property
    def alone(self) -> bool:
        """Whether all partitions are read here; else others may correlate as well."""
        return len(self._positions) >= sum(PARTITIONS[topic] for topic in EVENT_TOPICS)

    async def fire(self, limit: int = DUE_PERSONS) -> int:
        """Tell what changed by itself, of so many persons at most; how many were due."""
        count = 0
        async for attempt in transaction(stop=self._stop):
            with attempt:
                async with self._begin() as tx:
                    count = await fire_due(tx, limit, self._now(), coverage_of_joined(await tx.coverage()))
        return count

    async def due(self) -> bool:
        """Whether something has become due that nobody has told yet. Raises StoreDown."""
        due = False
        async for attempt in transaction(stop=self._stop):
            with attempt:
                async with self._writer.begin() as tx:
                    due = await is_due(tx, self._now(), coverage_of_joined(await tx.coverage()))
        return due

    async def deliver(self) -> int:
        """Send changes; how many. Raises BusDown."""
        count = 0
        async for attempt in transaction(stop=self._stop):
            with attempt:
                async with self._begin() as tx:
                    count = await deliver(tx, self._producer, self._tracing)
                    await failpoints.reach("outbox.sent")
        return count

    def _now(self) -> int:
        return int(self._clock().timestamp())
