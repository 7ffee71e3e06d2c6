"""One feed's source to chunks: reads, mapped and encoded once, with the checkpoint that belongs behind each chunk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson

from adapters.core import BadRecord, Batch, Connection, Emptied, Origin, Read, SourceDown
from bus.contract import BusDown, Message, UnknownTopic
from schemas.ids import digest
from services.authority.guard import Guard
from services.dead_letters import Spool, SpoolDown, dead_letter, encodable
from services.feeds import Checkpoint, Waiting, Word
from services.ingest.chunks import LEAST_SHARE, Chunk
from services.ingest.clocks import Clock
from services.ingest.gate import REJECTED, Gate, NotJudged, facts_of
from services.ingest.mappers import Mapped, Mappers, unmapped
from services.ingest.retrying import Patience
from services.ingest.sources import Source
from services.ingest.tally import Limits, Tally, Wholesale
from services.ingest.truncation import Emptying
from services.ingest.work import Outcome
from services.settings import IngestSettings
from services.tracing import Tracing

_PASSING = (BusDown, UnknownTopic, SpoolDown)
"""What is no fault of a batch or its adapter."""
_SLICE_SECONDS = 0.05
"""How long reading goes on without a wait before the loop is given back."""

_FEW_READS = 20
_FEW_BYTES = 65_536
"""Up to this much is mapped at once: a thread would cost more. Below what would go to the spool."""


async def _again(reads: Sequence[Read]) -> AsyncIterator[Read]:
    for read in reads:
        yield read


async def _tell(durable: asyncio.Event) -> None:
    durable.set()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one feed."""

    source: Source
    settings: IngestSettings
    clock: Clock
    spool: Spool
    patience: Patience
    stop: asyncio.Event
    mappers: Mappers | None = None
    gate: Gate | None = None  # None: no batch waits for a person
    tracing: Tracing | None = None  # None: nothing is traced
    emptying: Emptying | None = None  # None: what stood in a table that was emptied is not looked up

    async def chunks(self, connection: Connection, checkpoint: Checkpoint) -> AsyncGenerator[Chunk, None]:
        """Yield what the source has beyond the checkpoint. Raises SourceDown."""
        async for batch in connection.batches(checkpoint.position):
            async for chunk in self._batch(batch, checkpoint):
                yield chunk
                if chunk.stop is not None:
                    return
                checkpoint = chunk.checkpoint

    async def _batch(self, batch: Batch, checkpoint: Checkpoint) -> AsyncIterator[Chunk]:
        """Yield the chunks of one batch that begins at the checkpoint, or broke off there."""
        name = encodable(batch.name)
        mark = batch.content or digest(orjson.dumps(batch.after))
        before = checkpoint.without_batch()
        # a batch that is not what it was when it broke off is read from its start, and counted from there
        resumed = checkpoint if (checkpoint.batch, checkpoint.mark) == (name, mark) else before
        system, feed = self.source.system, self.source.feed
        origin = Origin(system.name, feed.name, name, system.mapping_version)
        limits = Limits(self.settings.refuse_share, self.settings.refuse_min)

        def fresh_tally() -> Tally:
            return Tally(origin, feed.mapping, self.clock, self.spool, limits, Guard.of(system), mark=mark)

        tally = fresh_tally()
        tally.numbered, tally.named, tally.tracing = feed.numbered, batch.named, self.tracing
        if self.gate is not None and not resumed.reads:
            try:
                batch, waiting = await self._judged(self.gate, batch, before, tally, fresh_tally())
            except NotJudged as error:
                why = f"{self.source.name} stopped: what {name!r} would change cannot be told: {error}"
                yield Chunk([], replace(before, stopped=why), stop=why)
                return
            if waiting is not None:
                why = (
                    f"{waiting.in_words()}; `visabus feeds release {self.source.name}` sends it, `visabus feeds reject "
                    f"{self.source.name}` leaves it out, and nothing behind it is read until then"
                )
                yield Chunk([], replace(before, stopped=why, waiting=waiting), stop=why)
                return
        before = replace(before, waiting=None)
        tally.resume(resumed.reads, resumed.part)

        def begun(stopped: str | None = None) -> Checkpoint:
            part = tally.part
            return replace(
                before,
                counters=before.counters.plus(part),
                batch=name,
                mark=mark,
                part=part,
                records=tally.records,
                reads=tally.reads,
                stopped=stopped,
            )

        held: Chunk | None = None  # held back, so that the end of the batch goes with the last of its records
        try:
            async for reads, outcomes in self._looked_at(self._slices(batch.records()), origin):
                if held is not None:
                    yield replace(held, checkpoint=begun())
                    held = None
                if isinstance(reads[0], Emptied) and tally.reads >= tally.skip and tally.rejected is None:
                    durable = asyncio.Event()
                    yield Chunk([], begun(), acknowledge=(partial(_tell, durable),))
                    async for some in self._retractions(reads[0], origin, tally.guard, durable):
                        tally.events += len(some)
                        yield Chunk(some, begun(), len(some) / self.settings.chunk_records)
                messages = await self._map(tally, reads, outcomes)
                if tally.reads > tally.skip:
                    held = Chunk(messages, before, self._share(reads))
        except Wholesale as error:
            # what this batch sent before stays sent; the feed stands before the batch, which is read whole once mended
            why = (
                f"{self.source.name} stopped: {error}; nothing behind {name!r} is read until it is mended or taken away"
            )
            yield Chunk([], replace(before, stopped=why), stop=why)
            return
        except _PASSING:
            raise
        except SourceDown:
            if held is not None:
                yield replace(held, checkpoint=begun())
            raise
        except Exception as error:
            # A format or transport that raises anything else is a bug of the adapter: the rest of the batch cannot
            # be read now. It is told in the dead letters, not counted, and the feed stays in front of it.
            if held is not None:
                yield replace(held, checkpoint=begun())
            problem = f"adapter error: {type(error).__name__}"
            rest = BadRecord(problem, place=f"after record {tally.records}", raw=b"")
            why = f"{self.source.name} stopped behind record {tally.records} of {name!r}: {problem}"
            yield Chunk([dead_letter(rest, origin, self.spool, counted=False)], begun(why), stop=why)
            return
        done = replace(before, counters=before.counters.plus(tally.part), position=batch.after)
        acknowledge = (batch.done,) if batch.done is not None else ()
        yield replace(held or Chunk([], done), checkpoint=done, finished=(tally,), acknowledge=acknowledge)

    async def _judged(
        self, gate: Gate, batch: Batch, before: Checkpoint, tally: Tally, trial: Tally
    ) -> tuple[Batch, Waiting | None]:
        """Return the batch, and how it waits if it may not be sent. `tally` is told a person's word on it.

        The batch is read through with `trial`; a small one is not asked of its source again. What is wrong with it as a
        whole is not told here, but where it is read to be sent. Raises NotJudged, SourceDown.
        """
        name, known = trial.origin.batch, before.waiting
        order = gate.word(self.source.key, known)
        if order is not None and known is not None and (known.batch, known.mark) == (name, trial.mark):
            tally.decided = {"word": order.word, "by": order.by, "why": order.why, "at": order.at.isoformat()}
            if order.word is Word.REJECT:
                tally.rejected = REJECTED
            return batch, None
        kept: list[Read] | None = []
        async with gate.impact() as impact:
            if impact is None:
                return batch, None
            try:
                async for reads, outcomes in self._looked_at(self._slices(batch.records()), trial.origin):
                    if isinstance(reads[0], Emptied):
                        async for some in self._retractions(reads[0], trial.origin, trial.guard):
                            await impact.take(facts_of(some))
                    await impact.take(facts_of(await self._map(trial, reads, outcomes)))
                    if kept is not None:
                        kept = [*kept, *reads] if len(kept) + len(reads) <= self.settings.chunk_records else None
                await impact.end()
            except Exception as error:
                if isinstance(error, (SourceDown, *_PASSING, *gate.down())):
                    raise
                return batch, None  # it is of the batch or its adapter: told when the batch is read to be sent
            if kept is not None:
                batch = replace(batch, records=partial(_again, kept))
            if gate.passes(order, known, impact):
                if order is not None:
                    tally.decided = {"word": order.word, "by": order.by, "why": order.why, "at": order.at.isoformat()}
                return batch, None
            return batch, gate.held(self.source.system, name, trial.mark, trial.records, impact, before)

    async def _retractions(
        self, note: Emptied, origin: Origin, guard: Guard, durable: asyncio.Event | None = None
    ) -> AsyncIterator[list[Message]]:
        """Yield what takes back all that stood in a table, once `durable` is set: all that came before is there."""
        emptying = self.emptying
        if emptying is None:
            return
        if durable is not None and emptying.waits:
            await durable.wait()
        standing = await self.patience(self.stop, lambda: emptying.standing(origin.system, note))
        while some := await self.patience(self.stop, lambda: standing.some(origin, self.clock, guard)):
            yield some

    def _share(self, reads: Sequence[Read]) -> float:
        size = sum(len(read.raw) for read in reads)
        return max(LEAST_SHARE, len(reads) / self.settings.chunk_records, size / self.settings.chunk_bytes)

    async def _slices(self, reads: AsyncIterator[Read]) -> AsyncIterator[list[Read]]:
        """Yield reads by the chunk, bounded in number and bytes."""
        settings = self.settings
        some: list[Read] = []
        size = 0
        failure: Exception | None = None
        deadline = time.monotonic() + _SLICE_SECONDS
        try:
            async for read in reads:
                if isinstance(read, Emptied):  # stands alone: what it comes to rests on all before it
                    if some:
                        yield some
                    yield [read]
                    some, size = [], 0
                    continue
                some.append(read)
                size += len(read.raw)
                if len(some) >= settings.chunk_records or size >= settings.chunk_bytes:
                    yield some
                    some, size = [], 0
                if time.monotonic() > deadline:
                    await asyncio.sleep(0)
                    deadline = time.monotonic() + _SLICE_SECONDS
        except BadRecord as bad:  # raised where it should be yielded: the piece ends with it
            some.append(bad)
        except Exception as error:  # raised again below: what was read before it is good
            failure = error
        if some:
            yield some
        if failure is not None:
            raise failure

    def _looked_at(self, slices: AsyncIterator[list[Read]], origin: Origin) -> AsyncIterator[Mapped]:
        """The slices, with what became of their reads where other processes map them."""
        if self.mappers is not None:
            return self.mappers.mapped(slices, self.source, origin, self.clock)
        return unmapped(slices)

    async def _map(self, tally: Tally, reads: list[Read], outcomes: Sequence[Outcome | None]) -> list[Message]:
        few = len(reads) <= _FEW_READS and sum(len(read.raw) for read in reads) <= _FEW_BYTES

        async def work() -> list[Message]:
            if few or outcomes:
                return tally.messages(reads, outcomes)
            return await asyncio.to_thread(tally.messages, reads)

        return await self.patience(self.stop, work)
