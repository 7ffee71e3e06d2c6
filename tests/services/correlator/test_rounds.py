"""What a round of resolving does when there is more than one thing to do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from services.clock import wall_clock
from services.correlator.correlator import DUE_BESIDES, DUE_PERSONS, SHARED_BYTES, Correlator
from services.correlator.process import (
    A_FEW,
    BEHIND,
    GATHER_ROWS,
    GATHER_SECONDS,
    LAST_SECONDS,
    LONGEST_GATHER_SECONDS,
    POLL_MESSAGES,
    REST,
    Pace,
    _resolve_once,
)
from services.correlator.resolve import NOTHING_DONE, Resolved
from services.dead_letters import Spool
from services.store.writer import Transaction, Waiting


class _Noted:
    """Stands where the correlator does, and notes what it is asked for."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.fired: list[int] = []
        self.compared = 0

    async def compare(self) -> None:
        """Noted."""
        self.compared += 1

    async def resolve(self) -> Resolved:
        """So many rows of work."""
        return Resolved(self.rows, self.rows, self.rows, 0)

    async def fire(self, limit: int) -> int:
        """Noted."""
        self.fired.append(limit)
        return 0

    async def deliver(self) -> int:
        """Nothing to deliver."""
        return 0


def pace(waiting: int) -> Pace:
    """With so many batches to resolve."""

    async def count() -> int:
        return waiting

    return Pace(count)


async def test_answers_change_by_themselves_while_events_wait() -> None:
    """A stream without end must not keep deadlines from firing, nor they the stream."""
    busy, idle = _Noted(20), _Noted(0)
    assert await _resolve_once(cast(Correlator, busy), pace(20), hold=False)
    assert not await _resolve_once(cast(Correlator, idle), pace(0), hold=False)
    assert (busy.fired, idle.fired) == ([DUE_BESIDES], [DUE_PERSONS])


async def test_work_gathers_while_a_backlog_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("services.correlator.process.time.monotonic", lambda: now[0])
    correlator = _Noted(3)
    gathering = pace(GATHER_ROWS - 1)
    gathering.behind = True
    assert not await _resolve_once(cast(Correlator, correlator), gathering, hold=False)
    assert correlator.fired == [DUE_BESIDES]
    now[0] += GATHER_SECONDS
    assert await _resolve_once(cast(Correlator, correlator), gathering, hold=False)
    assert not await _resolve_once(cast(Correlator, correlator), gathering, hold=False)
    gathering.behind = False
    assert await _resolve_once(cast(Correlator, correlator), gathering, hold=False)


async def test_claims_gather_while_a_backlog_is_read() -> None:
    correlator, gathering = _Noted(3), pace(GATHER_ROWS - 1)
    gathering.behind = True
    assert not await _resolve_once(cast(Correlator, correlator), gathering, hold=False)
    assert correlator.compared == 0
    gathering.behind = False
    assert await _resolve_once(cast(Correlator, correlator), gathering, hold=False)
    assert correlator.compared == 1


async def test_work_gathers_while_another_reads_a_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one correlator has read and another reads of one person's is resolved once; but not put off for good."""
    now, unread = [100.0], [POLL_MESSAGES]
    monkeypatch.setattr("services.correlator.process.time.monotonic", lambda: now[0])

    async def count() -> int:
        return 3

    async def left() -> int:
        return unread[0]

    beside, correlator = Pace(count, None, left), _Noted(3)
    assert not await _resolve_once(cast(Correlator, correlator), beside, hold=False)
    assert correlator.compared == 0
    now[0] += GATHER_SECONDS
    assert await _resolve_once(cast(Correlator, correlator), beside, hold=False)
    assert not await _resolve_once(cast(Correlator, correlator), beside, hold=False)
    unread[0] = 0
    assert await _resolve_once(cast(Correlator, correlator), beside, hold=False)


async def test_the_last_messages_of_others_are_waited_for_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has read its own part would resolve pools of which another is reading the rest."""
    now, unread = [100.0], [POLL_MESSAGES - 1]
    monkeypatch.setattr("services.correlator.process.time.monotonic", lambda: now[0])

    async def count() -> int:
        return 3

    async def left() -> int:
        return unread[0]

    beside, correlator = Pace(count, None, left), cast(Correlator, _Noted(3))
    beside.came(BEHIND)
    beside.came(1)
    beside.came(0)
    assert not await _resolve_once(correlator, beside, hold=False)
    unread[0] = A_FEW - 1
    assert await _resolve_once(correlator, beside, hold=False)
    beside.came(BEHIND)
    beside.came(0)
    unread[0] = A_FEW
    assert not await _resolve_once(correlator, beside, hold=False)
    now[0] += LAST_SECONDS  # a stream may go on for ever
    assert await _resolve_once(correlator, beside, hold=False)


class _Asked(Exception):
    """Resolving began."""


class _Transaction:
    """Stands where a transaction does, as far as resolving asks what waits."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    async def waiting(self) -> Waiting:
        """What was given."""
        return self._waiting

    async def coverage(self) -> None:
        """Raises: what is asked for once something is to be resolved."""
        raise _Asked


@pytest.mark.parametrize(
    ("waiting", "begins"),
    [
        (Waiting(SHARED_BYTES, 0, SHARED_BYTES + 1), False),
        (Waiting(SHARED_BYTES, 0, SHARED_BYTES), True),  # as much is compared: what comes is no more than that
        (Waiting(10, 0, SHARED_BYTES), True),  # little: a stream, in which some is always being compared
        (Waiting(0, 3, 2 * SHARED_BYTES), True),  # sorted work is all resolved at once
    ],
)
async def test_pools_wait_for_what_others_compare_of_a_backlog(
    tmp_path: Path, waiting: Waiting, *, begins: bool
) -> None:
    nothing = cast(Any, None)
    correlator = Correlator(nothing, nothing, Spool(tmp_path), clock=wall_clock, stop=asyncio.Event())
    assert not correlator.alone
    tx = cast(Transaction, _Transaction(waiting))
    if begins:
        with pytest.raises(_Asked):
            await correlator._resolve(tx)
    else:
        assert await correlator._resolve(tx) == NOTHING_DONE


async def test_work_gathers_to_the_end_of_a_backlog(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as fewer and fewer messages are unread, for ten minutes at most; where as many come, it has no end."""
    now = [100.0]
    monkeypatch.setattr("services.correlator.process.time.monotonic", lambda: now[0])
    gathering = pace(GATHER_ROWS - 1)
    left = 20 * BEHIND
    gathering.came(BEHIND)
    gathering.unread(left)
    gathering.came(BEHIND)
    gathering.unread(left - BEHIND)
    now[0] += GATHER_SECONDS
    assert not await gathering.ripe()
    now[0] += LONGEST_GATHER_SECONDS
    assert await gathering.ripe()
    gathering.resolved()
    for _ in range(30):
        gathering.came(BEHIND)
        gathering.unread(left)
    now[0] += GATHER_SECONDS
    assert await gathering.ripe()
    gathering.resolved()
    gathering.came(0)  # the end: nothing is to be gained
    assert await gathering.ripe()


async def test_the_last_of_a_backlog_is_resolved_with_the_rest() -> None:
    ending = pace(3)
    ending.came(BEHIND)
    ending.came(1)
    assert not await ending.ripe()
    ending.came(1)  # as a stream goes on behind it
    assert await ending.ripe()
    ending.came(BEHIND)
    ending.came(0)
    assert await ending.ripe()


async def test_enough_work_is_resolved_though_more_could_gather() -> None:
    gathered = pace(GATHER_ROWS)
    gathered.behind = True
    assert await _resolve_once(cast(Correlator, _Noted(GATHER_ROWS)), gathered, hold=False)


async def test_what_another_correlator_resolves_begins_to_gather_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now, counts = [100.0], [9, 2, 3]
    monkeypatch.setattr("services.correlator.process.time.monotonic", lambda: now[0])

    async def count() -> int:
        return counts.pop(0)

    shared = Pace(count)
    shared.behind = True
    assert not await shared.ripe()
    now[0] += GATHER_SECONDS
    assert not await shared.ripe()
    now[0] += GATHER_SECONDS
    assert await shared.ripe()


async def test_while_events_come_resolving_rests_for_as_long_as_it_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("services.correlator.process.time.monotonic", lambda: now[0])

    class Slow(_Noted):
        async def resolve(self) -> Resolved:
            now[0] += 4.0
            return await super().resolve()

    correlator = cast(Correlator, Slow(3))
    stream = pace(3)
    stream.came(BEHIND - 1)
    assert await _resolve_once(correlator, stream, hold=False)
    assert not await _resolve_once(correlator, stream, hold=False)
    now[0] += REST * 4.0
    assert await _resolve_once(correlator, stream, hold=False)
    assert not await _resolve_once(correlator, stream, hold=False)
    stream.came(0)  # nothing more comes: nothing is to be gained
    assert await _resolve_once(correlator, stream, hold=False)


async def test_a_rest_is_no_longer_than_a_backlog_gathers(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("services.correlator.process.time.monotonic", lambda: now[0])
    stream = pace(3)
    stream.came(1)
    stream.resolved(10 * GATHER_SECONDS)
    assert not await stream.ripe()
    now[0] += GATHER_SECONDS
    assert await stream.ripe()
