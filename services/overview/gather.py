"""Gather what is known of the flow from the bus and the store."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from shutil import disk_usage

from bus.contract import Bus, Partition
from schemas.operations import (
    CorrelatorStatus,
    CoverageStatus,
    Overview,
    StoreStatus,
)
from schemas.outcomes import Outcome
from schemas.topics import EVENT_TOPICS
from services.domain.coverage import Coverage
from services.domain.facts import MICRO
from services.feeds import Checkpoints, Orders
from services.feeds.status import feeds_of
from services.overview.problems import problems_of
from services.overview.rebuilds import rebuild_of
from services.overview.waiting import Waiting
from services.store.contract import Beat, behind
from services.store.editions import Home
from services.store.heartbeats import is_alive
from services.store.reads import SqlReads

COUNTING_SHARE = 20
"""Persons are counted again once so many times as long has passed as counting them took: all rows are read for it."""
OVERDUE_SECONDS = 60
"""An answer that should have changed by itself so long ago is late."""


class Observer:
    """Looks at one bus and one store, again and again: a second look reads only what is new of the topics."""

    def __init__(
        self,
        bus: Bus,
        reads: SqlReads | None,
        configured: Collection[str],
        home: Home | None = None,
        directory: Path | None = None,
    ) -> None:
        """Take the bus, the store's reads (None: there is no store yet), the feeds of the settings, the table of
        editions, by which a rebuild is seen, and the data directory.
        """
        self._home, self._directory = home, directory
        self._bus = bus
        self._reads = reads
        self._configured = frozenset(name.replace(".", "/") for name in configured)
        self._checkpoints = Checkpoints()
        self._orders = Orders()
        self._waiting = Waiting()
        self._counts: dict[str | None, int] = {}
        self._count_again = 0.0  # by the monotonic clock

    async def observe(self, now: datetime) -> Overview:
        """Return the flow as it stands. Raises BusDown, StoreDown."""
        await self._checkpoints.read(self._bus)
        await self._orders.follow(self._bus)
        await self._waiting.follow(self._bus)
        feeds = feeds_of(self._checkpoints.held, self._configured, now, self._orders.paused)
        dead_letters = self._waiting.by_reason()
        store: StoreStatus | None = None
        correlators: tuple[CorrelatorStatus, ...] = ()
        coverage: tuple[CoverageStatus, ...] = ()
        lag: int | None = None
        if self._reads is not None:
            async with self._reads.one_state() as state:
                store = await _store_of(state, await self._outcomes(state), now)
                correlators = correlators_of(await state.heartbeats(), now)
                coverage = coverage_of(await state.coverage())
                positions = await state.positions()
        # behind the positions, so that nothing is counted as read that was not there yet
        ends = await self._bus.ends(EVENT_TOPICS)
        if store is not None:
            lag = behind(ends, positions)
        rebuild = rebuild_of(await self._home.all(), now) if self._home is not None else None
        overview = Overview(
            at=now,
            rebuild=rebuild,
            free_bytes=_free_bytes(self._directory),
            feeds=feeds,
            correlators=correlators,
            lag=lag,
            events=_by_kind(ends),
            store=store,
            coverage=coverage,
            dead_letters=dead_letters,
            problems=(),
        )
        return overview.model_copy(update={"problems": tuple(problems_of(overview))})

    async def _outcomes(self, state: SqlReads) -> dict[str | None, int]:
        began = time.monotonic()
        if began >= self._count_again:
            self._counts = await state.outcomes()
            ended = time.monotonic()
            self._count_again = ended + COUNTING_SHARE * (ended - began)
        return self._counts


def _free_bytes(directory: Path | None) -> int | None:
    """Return the room on the disk of a directory; None where that is not known."""
    try:
        return disk_usage(directory).free if directory is not None else None
    except OSError:
        return None


def _by_kind(ends: Mapping[Partition, int]) -> dict[str, int]:
    counts = {topic.rpartition(".")[2]: 0 for topic in EVENT_TOPICS}
    for part, end in ends.items():
        counts[part.topic.rpartition(".")[2]] += end
    return counts


def correlators_of(beats: Iterable[Beat], now: datetime) -> tuple[CorrelatorStatus, ...]:
    """Return the correlators by their heartbeats, the last one heard of first."""
    return tuple(
        CorrelatorStatus(
            process=beat.process,
            alive=is_alive(beat, now),
            heard_at=_moment(beat.at),
            behind=beat.behind,
            partitions=beat.partitions,
            committed_at=_moment(beat.committed) if beat.committed is not None else None,
        )
        for beat in beats
    )


def coverage_of(coverage: Coverage) -> tuple[CoverageStatus, ...]:
    """Return up to when each system has told all there is, by system and scope."""
    return tuple(
        CoverageStatus(system=system, scope=scope, through=datetime.fromtimestamp(through, UTC))
        for (system, scope), through in sorted(coverage.reach().items())
    )


async def _store_of(state: SqlReads, counts: Mapping[str | None, int], now: datetime) -> StoreStatus:
    known = await state.known_through()
    return StoreStatus(
        persons=sum(counts.values()),
        outcomes={Outcome(code): count for code, count in sorted(counts.items(), key=_code) if code is not None},
        without_outcome=counts.get(None, 0),
        backlog=await state.backlog(),
        undelivered=await state.undelivered(),
        quarantined=len(await state.quarantined()),
        overdue=await state.overdue(int(now.timestamp()) - OVERDUE_SECONDS),
        known_through=_moment(known) if known is not None else None,
    )


def _code(item: tuple[str | None, int]) -> str:
    return item[0] or ""


def _moment(micro: int) -> datetime:
    return datetime.fromtimestamp(micro / MICRO, UTC)
