"""The suite can fail: each planted bug is caught by the check that is there for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from contracts.bus import checks
from contracts.bus.places import Place

import bus.embedded
import bus.embedded_member
from bus import leases, log_tables
from bus.contract import Delivery

pytestmark = pytest.mark.slow

Check = Callable[[Place], Awaitable[None]]


def commits_of_zombies_count(patch: pytest.MonkeyPatch) -> None:
    """A commit under an old epoch is stored."""

    def commit(connection: sqlite3.Connection, me: leases.Membership, positions: Mapping[int, tuple[int, int]]) -> int:
        for row, (_, position) in positions.items():
            connection.execute("INSERT OR REPLACE INTO committed VALUES (?, ?, ?)", (me.group, row, position))
        return 0

    patch.setattr(leases, "commit", commit)


def reading_is_committing(patch: pytest.MonkeyPatch) -> None:
    """What was delivered counts as committed."""
    consumer = bus.embedded_member.EmbeddedConsumer
    poll = consumer.poll

    async def committing(self: Any, **options: Any) -> list[Delivery]:
        deliveries = await poll(self, **options)
        await self.commit({delivery.partition: delivery.position + 1 for delivery in deliveries})
        return deliveries

    patch.setattr(consumer, "poll", committing)
    patch.setattr(consumer, "commit", _only_forward(consumer.commit))


def _only_forward(commit: Any) -> Any:
    async def forward(self: Any, positions: Mapping[Any, int]) -> None:
        self.furthest = {**getattr(self, "furthest", {})}
        for partition, position in positions.items():
            self.furthest[partition] = max(position, self.furthest.get(partition, 0))
        await commit(self, self.furthest)

    return forward


def keys_are_spread_at_random(patch: pytest.MonkeyPatch) -> None:
    """Equal keys go to any partition."""
    sizes = iter(range(10**9))
    patch.setattr(log_tables, "partition_of", lambda _, count: next(sizes) % count)


def all_groups_are_one(patch: pytest.MonkeyPatch) -> None:
    """A group goes on where another has stopped."""

    def committed(connection: sqlite3.Connection, group: str, rows: Mapping[int, Any]) -> dict[Any, int]:
        result = connection.execute("SELECT partition, position FROM committed")
        return {rows[row]: position for row, position in result if row in rows}

    patch.setattr(log_tables, "committed", committed)


def compaction_keeps_the_first(patch: pytest.MonkeyPatch) -> None:
    """Of each key in a send, the first value stands."""
    superseding = log_tables._superseding

    def first(connection: sqlite3.Connection, partition: int, placed: list[Any]) -> list[Any]:
        return superseding(connection, partition, placed[::-1])

    patch.setattr(log_tables, "_superseding", first)


@pytest.mark.law(
    2,
    planted="delivered counts as committed; a zombie's commit counts; groups are one; keys spread at random; "
    "compaction keeps the first",
)
@pytest.mark.law(3, planted="a zombie's commit counts")
@pytest.mark.parametrize(
    ("bug", "check"),
    [
        (commits_of_zombies_count, checks.late_commit_is_refused),
        (reading_is_committing, checks.uncommitted_comes_again),
        (keys_are_spread_at_random, checks.order_is_kept_per_key),
        (all_groups_are_one, checks.groups_are_independent),
        (compaction_keeps_the_first, checks.last_value_per_key_is_kept),
    ],
)
async def test_a_planted_bug_is_caught(
    embedded: Place, monkeypatch: pytest.MonkeyPatch, bug: Callable[[pytest.MonkeyPatch], None], check: Check
) -> None:
    await check(embedded)
    with monkeypatch.context() as patch:
        bug(patch)
        patch.setattr("contracts.bus.places.PATIENCE", 1.5)
        with pytest.raises((AssertionError, TimeoutError)):
            await check(embedded)
