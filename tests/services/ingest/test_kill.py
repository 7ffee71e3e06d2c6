"""kill -9: a real process, killed at each named point, again and again, until it has read everything."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from pathlib import Path

import pytest
from stopping import wait_until_stopped
from toy_source import check, once, world

from bus.embedded import EmbeddedBus
from services.failpoints import VARIABLE

TESTS = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "in"
    directory.mkdir()
    words = ["good", "two", "bad", "skip", "refuse", "good", "bug", "through", "good"]
    for name in ("a.txt", "b.txt"):
        offset = 100 * (name == "b.txt")
        lines = [f"{words[number % len(words)]} {number + offset}" for number in range(20)]
        (directory / name).write_text("\n".join(lines))
    return directory


async def process(
    folder: Path, bus: Path, point: str = "", nth: int = 1, *, sent: str = "SIGKILL", bug: str = "sound"
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "toy_source", str(folder), str(bus), bug),
        env={**os.environ, "PYTHONPATH": str(TESTS)} | ({VARIABLE: f"{point}:{nth}:{sent}"} if point else {}),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def violations(folder: Path, file: Path) -> list[str]:
    bus = await EmbeddedBus.open(file)
    try:
        return check(folder, await world(bus))
    finally:
        await bus.close()


@pytest.mark.law(2, "SIGKILL at named points")
@pytest.mark.parametrize("point", ["ingest.decoded", "ingest.sent", "ingest.saved"])
async def test_killed_at_a_named_point_nothing_is_lost_or_counted_twice(
    folder: Path, tmp_path: Path, point: str
) -> None:
    """Each run dies at its second passing of the point, so each gets one chunk further."""
    file = tmp_path / "bus.db"
    kills = 0
    while True:
        running = await process(folder, file, point, 2)
        if await running.wait() == 0:
            break
        assert running.returncode == -signal.SIGKILL
        kills += 1
    assert kills >= 5
    assert await violations(folder, file) == []


@pytest.mark.law(2, "SIGKILL at random moments")
async def test_killed_at_any_moment_nothing_is_lost_or_counted_twice(folder: Path, tmp_path: Path) -> None:
    chance = random.Random(7)
    file = tmp_path / "bus.db"
    for _ in range(10):
        running = await process(folder, file)
        try:
            async with asyncio.timeout(chance.uniform(0.2, 0.9)):
                await running.wait()
        except TimeoutError:
            running.kill()
            await running.wait()
    running = await process(folder, file)
    assert await running.wait() == 0
    assert await violations(folder, file) == []


@pytest.mark.law(2, planted="the position saved before the events are durable")
async def test_the_planted_bug_is_caught_by_a_kill(folder: Path, tmp_path: Path) -> None:
    """Where the position is saved before the events are durable, the same check finds the loss."""
    file = tmp_path / "bus.db"
    running = await process(folder, file, "ingest.saved", 1, bug="planted")
    assert await running.wait() == -signal.SIGKILL
    bus = await EmbeddedBus.open(file)
    await once(folder, bus)
    await bus.close()
    assert any("lost" in violation for violation in await violations(folder, file))


@pytest.mark.law(3, "a host that was suspended")
@pytest.mark.parametrize("point", ["ingest.decoded", "ingest.sent", "ingest.saved"])
async def test_a_suspended_host_that_wakes_up_is_fenced(folder: Path, tmp_path: Path, point: str) -> None:
    """SIGSTOP, another reads everything, SIGCONT: nothing is lost or counted twice by what the first then does."""
    file = tmp_path / "bus.db"
    first = await process(folder, file, point, 2, sent="SIGSTOP")
    await asyncio.to_thread(wait_until_stopped, first.pid)
    bus = await EmbeddedBus.open(file)
    (outcome,) = await once(folder, bus)
    assert outcome.error is None
    first.send_signal(signal.SIGCONT)
    assert await first.wait() in (0, 1)  # it may be done before it sees that it was fenced
    (folder / "c.txt").write_text("good 300\nbad 301")
    await once(folder, bus)
    await bus.close()
    assert await violations(folder, file) == []
