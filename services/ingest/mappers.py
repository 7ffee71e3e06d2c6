"""Processes that map the records of a big file beside the one that reads it.

Mapping a record takes four to six times the CPU of reading it, and depends on nothing but the record; so one process
reads, keeps the order, counts and sends, and others map. What they return goes through the same tally as what is mapped
in the process itself.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing.connection import wait

import structlog

from adapters.core import Origin, Read, Record
from adapters.registry import system_of
from services.authority.guard import Guard
from services.ingest.clocks import Clock
from services.ingest.sources import Source
from services.ingest.work import Outcome, Work
from services.logs import describe

LEAST = 100
"""Records of which a chunk has at least so many are worth the way to another process."""
PREFETCH = 2
"""Chunks for each process that are read ahead."""
Mapped = tuple[list[Read], Sequence[Outcome | None]]
log = structlog.get_logger("ingest")


@dataclass(slots=True)
class Mappers:
    """A pool of processes, started when there is something for them to do. Used by one loop."""

    count: int
    _pool: ProcessPoolExecutor | None = field(default=None, init=False)

    async def mapped(
        self, chunks: AsyncIterator[list[Read]], source: Source, origin: Origin, clock: Clock
    ) -> AsyncGenerator[Mapped, None]:
        """Yield the chunks in their order, each with what became of its records, None for what is still to be mapped.

        What `chunks` raises is raised behind the chunks that came before it.
        """
        pending: deque[tuple[list[Read], Future[list[Outcome | None]] | None]] = deque()
        failure: Exception | None = None
        async with aclosing(_closable(chunks)) as several:
            try:
                async for reads in several:
                    pending.append((reads, self._begin(reads, source, origin, clock)))
                    # what is ready waits for nothing: a source may be slow to give the next
                    while pending and (self._is_ready(pending[0][1]) or len(pending) > PREFETCH * self.count):
                        yield await self._take(*pending.popleft())
            except Exception as error:  # raised again below
                failure = error
            while pending:
                yield await self._take(*pending.popleft())
        if failure is not None:
            raise failure

    @staticmethod
    def _is_ready(future: Future[list[Outcome | None]] | None) -> bool:
        return future is None or future.done()

    def _begin(
        self, reads: list[Read], source: Source, origin: Origin, clock: Clock
    ) -> Future[list[Outcome | None]] | None:
        if len(reads) < LEAST:
            return None
        if self._pool is None:
            # no fork: this process has threads
            self._pool = ProcessPoolExecutor(self.count, multiprocessing.get_context("spawn"), _prepare)
        try:
            return self._pool.submit(_outcomes, source.system.name, source.feed.name, origin, clock, reads)
        except BrokenProcessPool:
            self.close()
            return None

    async def _take(self, reads: list[Read], future: Future[list[Outcome | None]] | None) -> Mapped:
        if future is None:
            return reads, ()
        try:
            return reads, await asyncio.wrap_future(future)
        except BrokenProcessPool:  # one was killed, perhaps for its memory: new ones are started for what comes
            log.warning("mapping processes ended: their records are mapped by the process that reads")
            self.close()
        except Exception as error:  # records or a system that another process cannot have
            log.warning("records are mapped by the process that reads", **describe(error))
        return reads, ()

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


async def unmapped(chunks: AsyncIterator[list[Read]]) -> AsyncIterator[Mapped]:
    """Yield the chunks as `Mappers.mapped` does, all of them still to be mapped."""
    async for reads in chunks:
        yield reads, ()


async def _closable(chunks: AsyncIterator[list[Read]]) -> AsyncGenerator[list[Read], None]:
    async for each in chunks:
        yield each


def _prepare() -> None:
    """Leave stopping to the parent, and end when it does, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)


@lru_cache(maxsize=64)
def _work(system: str, feed: str, clock: Clock) -> Work:
    known = system_of(system)
    if known is None:
        raise KeyError(system)
    return Work(known.feed(feed).mapping, clock, Guard.of(known))


def _outcomes(system: str, feed: str, origin: Origin, clock: Clock, reads: Sequence[Read]) -> list[Outcome | None]:
    """What becomes of each record. Notes stay: what they come to may rest on the records before them."""
    work = _work(system, feed, clock)
    return [work.outcome(read, origin) if isinstance(read, Record) else None for read in reads]
