"""Whether the view is kept up: heartbeats of correlators, and what `/readyz` makes of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import EVENT_TOPICS
from services.correlator import process
from services.settings import load
from services.store import Store, heartbeats, open_store
from services.store.contract import Beat
from services.store.heartbeats import FORGOTTEN, Heartbeats

MICRO = 1_000_000
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""The API's clock."""


def micro(ago: float) -> int:
    """So many seconds before the API's now."""
    return int((NOW - timedelta(seconds=ago)).timestamp() * MICRO)


@pytest.mark.parametrize(
    ("beats", "status", "alive"),
    [
        ([], "stale", 0),
        ([(3, 17)], "ready", 1),
        ([(30, 0), (31, 5)], "ready", 1),
        ([(31, 0)], "stale", 0),
    ],
)
async def test_readiness_tells_a_dead_correlator(
    world: Any, beats: list[tuple[float, int]], status: str, alive: int
) -> None:
    world.reads.beats = [Beat(f"host/{ago}", micro(ago), behind) for ago, behind in beats]
    ready = (await world.client.get("/readyz")).json()
    assert (ready["status"], ready["correlators"]) == (status, alive)
    assert ready["behind"] == (beats[0][1] if beats else None)
    assert (ready["correlated_at"] is None) == (not beats)


@pytest.mark.law(2, planted="a readiness that takes no heart for a quiet bus")
async def test_readiness_that_asks_for_no_heartbeat_is_seen(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "ALIVE_SECONDS", float("inf"))
    world.reads.beats = [Beat("host/1", micro(3_600), 0)]
    assert (await world.client.get("/readyz")).json()["status"] == "ready", "though no correlator lives"


@pytest.fixture
async def store(tmp_path: Path) -> Any:
    opened = await open_store(f"sqlite+aiosqlite:///{tmp_path}/store.db")
    yield opened
    await opened.close()


async def test_a_process_has_one_heartbeat_and_takes_it_away(store: Store) -> None:
    one, other = Heartbeats(store.engine, "a/1"), Heartbeats(store.engine, "b/2")
    await one.beat(100, 5)
    await other.beat(200, 3)
    await one.beat(300, 1, partitions=["t/1", "t/0"], committed=250)
    last = Beat("a/1", 300, 1, ("t/0", "t/1"), 250)
    assert await store.reads.heartbeats() == [last, Beat("b/2", 200, 3)]
    await other.end()
    assert await store.reads.heartbeats() == [last]
    await other.beat(301 + FORGOTTEN, 0)
    assert [beat.process for beat in await store.reads.heartbeats()] == ["b/2"]


async def test_a_correlator_says_that_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written, beat = asyncio.Event(), Heartbeats.beat

    async def seen(self: Heartbeats, at: int, behind: int, **held: Any) -> None:
        await beat(self, at, behind, **held)
        written.set()

    monkeypatch.setattr(Heartbeats, "beat", seen)
    settings = load(environment={"VISABUS_DATA_DIR": str(tmp_path)})
    stop = asyncio.Event()
    running = asyncio.create_task(process.run(settings, once=False, stop=stop))
    async with asyncio.timeout(60):
        await written.wait()
    store = await open_store(settings.store_url)
    (only,) = await store.reads.heartbeats()
    assert (only.behind, only.committed) == (0, None)
    assert set(only.partitions) <= {f"{topic}/{number}" for topic in EVENT_TOPICS for number in range(4)}
    stop.set()
    await running
    assert await store.reads.heartbeats() == []
    await store.close()
