"""A member of a Kafka group, with a watchdog that replaces a client which has silently stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping, Sequence

from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from bus.contract import Assigned, BusDown, BusError, Delivery, Partition, Revoked
from bus.kafka_clients import down
from bus.kafka_control import Control
from bus.kafka_session import Session
from bus.kafka_settings import KafkaSettings

_log = logging.getLogger(__name__)

# Of the time between two polls, the part of the limit that the watchdog counts at most: whoever works on a batch for
# long does not wait for Kafka.
_WORKING = 0.1


class KafkaConsumer:
    """Reads through one client at a time."""

    def __init__(
        self,
        settings: KafkaSettings,
        control: Control,
        group: str,
        topics: Sequence[str],
        assigned: Assigned | None,
        revoked: Revoked | None,
    ) -> None:
        self._settings = settings
        self._control = control
        self._group = group
        self._topics = tuple(topics)
        self._assigned = assigned
        self._revoked = revoked
        self._session: Session | None = None
        self._held_over: list[Delivery] = []
        self._held_over_round = -1
        self._quiet: dict[Partition, float] = {}
        self._unbalanced_seconds = 0.0
        self._polled = time.monotonic()
        self._failures = 0
        self._closed = False
        self.rebuilds = 0
        """How often the watchdog replaced the client."""
        self.refused_commits = 0
        """Commits of partitions that had gone to another member."""

    async def join(self) -> None:
        """Enter the group. Raises BusDown."""
        self._session = await self._entered()

    async def poll(self, *, max_messages: int = 5_000, timeout: float = 0.5) -> list[Delivery]:
        """Deliveries of the partitions held."""
        if self._closed:
            raise BusError("the consumer is closed")
        began = time.monotonic()
        session = self._session
        if session is not None:
            session.raise_failure()
        if session is None or session.broken():
            if session is not None and (error := session.refusal()) is not None:
                raise down(f"could not read in group {self._group}", error)
            await self._rebuild()
            return []
        deliveries = await self._next(session, max_messages, timeout)
        working = min(began - self._polled, self._settings.stall_timeout * _WORKING)
        self._polled = time.monotonic()
        await self._watch(session, deliveries, working + self._polled - began)
        return deliveries

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """Remember positions, of the partitions still held."""
        held = {partition: at for partition, at in positions.items() if partition in self._committable()}
        self.refused_commits += len(positions) - len(held)
        if not held or self._session is None:
            return
        try:
            async with asyncio.timeout(self._settings.deadline):
                await self._session.commit(held)
        except (CommitFailedError, IllegalStateError) as error:
            _log.info("a commit came too late, others hold the partitions: %r", error)
            self.refused_commits += len(held)
        except (TimeoutError, KafkaError) as error:
            raise down("commit", error) from error

    def assignment(self) -> frozenset[Partition]:
        """The partitions held now."""
        return self._session.reading if self._session is not None else frozenset()

    async def close(self) -> None:
        """Leave the group."""
        if self._closed:
            return
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.end()

    def _committable(self) -> frozenset[Partition]:
        return self._session.held() if self._session is not None else frozenset()

    async def _entered(self) -> Session:
        session = Session(self._settings, self._control, self._group, self._topics, self._assigned, self._revoked)
        try:
            # A member that died without a word holds the others up until its session is over.
            async with asyncio.timeout(self._settings.deadline + self._settings.session_timeout):
                await session.start()
        except (TimeoutError, KafkaError) as error:
            await session.end()
            raise down(f"could not join {self._group}", error) from error
        except BaseException:
            await session.end()
            raise
        return session

    async def _next(self, session: Session, max_messages: int, timeout: float) -> list[Delivery]:
        if self._held_over_round != session.round or not self._held_over:
            self._held_over = []
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    self._held_over_round, self._held_over = await session.next()
        if self._held_over_round != session.round:
            return []
        deliveries = self._held_over[:max_messages]
        self._held_over = self._held_over[max_messages:]
        return deliveries

    async def _watch(self, session: Session, deliveries: Sequence[Delivery], waited: float) -> None:
        limit = self._settings.stall_timeout
        self._unbalanced_seconds = 0.0 if session.is_balanced() else self._unbalanced_seconds + waited
        self._quiet = {partition: self._quiet.get(partition, 0.0) + waited for partition in session.reading}
        for partition in {delivery.partition for delivery in deliveries}:
            self._quiet[partition] = 0.0
        if deliveries:
            self._failures = 0
        suspects = [partition for partition, quiet in self._quiet.items() if quiet >= limit]
        if self._unbalanced_seconds < limit and not suspects:
            return
        # The question goes over another connection. If nobody answers there either, Kafka is down, not stalled.
        ends = await self._control.ends(suspects or await self._control.partitions(self._topics))
        stalled = [partition for partition in suspects if session.position(partition) < ends[partition]]
        self._quiet |= dict.fromkeys(suspects, 0.0)
        if stalled or self._unbalanced_seconds >= limit:
            _log.warning("no progress for %s s in group %s: %s", limit, self._group, stalled or "no assignment")
            await self._rebuild()

    async def _rebuild(self) -> None:
        """Replace the client. Raises BusDown once that has not helped several times in a row."""
        if self._failures >= self._settings.max_rebuilds:
            self._failures = 0
            raise BusDown(f"no progress in group {self._group} after {self._settings.max_rebuilds} rebuilds")
        self._failures += 1
        self.rebuilds += 1
        self._quiet, self._unbalanced_seconds = {}, 0.0
        if self._session is not None:
            try:
                await self._session.end(revoke=True)
            finally:
                self._session = None
        try:
            self._session = await self._entered()
        except BusDown as error:
            _log.warning("rebuild %d of the client failed: %s", self._failures, error)
