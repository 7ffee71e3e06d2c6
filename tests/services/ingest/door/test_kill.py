"""kill -9: a door that dies at each named point and at any moment; the sender asks again until it is answered."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from killing import wait_until
from push_client import Signer, insist
from toy_door import PATH
from toy_source import World, world

from bus.embedded import EmbeddedBus
from services.failpoints import VARIABLE

TESTS = Path(__file__).parents[3]
WORDS = ("good", "two", "bad", "skip", "refuse", "good")

pytestmark = pytest.mark.slow


@dataclass
class Doors:
    """One door after another, at one address and over one bus."""

    directory: Path
    point: str = ""
    nth: int = 1
    bug: str = "sound"
    running: asyncio.subprocess.Process | None = None
    kills: int = 0
    port: int = field(default_factory=lambda: _free_port())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def revive(self) -> None:
        """Have one running."""
        if self.running is not None and self.running.returncode is None:
            return
        self.kills += self.running is not None and self.running.returncode == -signal.SIGKILL
        armed = {VARIABLE: f"{self.point}:{self.nth}:SIGKILL"} if self.point else {}
        self.running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "toy_door", str(self.directory)),
            *(str(self.port), self.bug),
            env={**os.environ, "PYTHONPATH": str(TESTS)} | armed,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )

    async def end(self) -> None:
        if self.running is not None and self.running.returncode is None:
            self.running.kill()
            await self.running.wait()


def _free_port() -> int:
    with socket.socket() as world_of:
        world_of.bind(("127.0.0.1", 0))
        return int(world_of.getsockname()[1])


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    world_of = Doors(tmp_path)
    yield world_of
    await world_of.end()


def bodies(count: int) -> list[bytes]:
    """Messages of five records each, every record with a number of its own."""
    lines = [f"{WORDS[number % len(WORDS)]} {number}" for number in range(5 * count)]
    return ["\n".join(lines[start : start + 5]).encode() for start in range(0, len(lines), 5)]


async def send(
    doors: Doors, messages: list[bytes], answers: list[dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Each message, the same signed bytes until they are answered. `answers` has those that have come."""
    answers = [] if answers is None else answers
    async with httpx.AsyncClient(base_url=doors.url, timeout=10) as http:
        for body in messages:
            # the toy's clock stands still, so that no timestamp is ever stale
            headers = Signer().headers(PATH, body, 1_764_000_000)
            answers.append(await insist(http, PATH, body, headers, revive=doors.revive))
        return answers


async def world_of(doors: Doors) -> World:
    await doors.end()
    bus = await EmbeddedBus.open(doors.directory / "bus.db")
    try:
        return await world(bus)
    finally:
        await bus.close()


def check(messages: list[bytes], answers: list[dict[str, Any]], seen: World, counters: dict[str, Any]) -> list[str]:
    """The violations: lost, told twice, or counted otherwise than once."""
    words = Counter(line.split()[0] for body in messages for line in body.decode().splitlines())
    lines = [line.split() for body in messages for line in body.decode().splitlines()]
    wanted = {(key, str(part)) for word, key in lines if word in ("good", "two") for part in range(1 + (word == "two"))}
    published = {(event.record, event.part) for event in seen.events}
    dead = words["bad"] + words["refuse"]
    wrong = []
    if wanted - published:
        wrong.append(f"{len(wanted - published)} events lost")
    if published - wanted or len({event.id for event in seen.events}) != len(published):
        wrong.append("events that nobody told")
    if len({dead_letter["id"] for dead_letter in seen.dead_letters}) != dead:
        wrong.append(f"{len({dead_letter['id'] for dead_letter in seen.dead_letters})} dead letters, not {dead}")
    expected = {
        "read": len(lines),
        "published": words["good"] + words["two"],
        "dead_lettered": dead,
        "filtered": {"toy.skip": words["skip"]},
        "events": len(wanted),
    }
    if counters != expected:
        wrong.append(f"counters {counters}, not {expected}")
    if sum(answer["read"] for answer in answers) != len(lines):
        wrong.append("answers that do not add up")
    return wrong


async def counted(doors: Doors) -> dict[str, Any]:
    """The counters once a last door has opened and closed: what a crash left unsaved is caught up with."""
    doors.point = ""
    await doors.revive()
    async with httpx.AsyncClient(base_url=doors.url) as http:
        wait_until = time.monotonic() + 120
        while time.monotonic() < wait_until:
            try:
                if (await http.get("/readyz")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    assert doors.running is not None
    doors.running.terminate()
    await doors.running.wait()
    return dict((await world_of(doors)).checkpoints["TOY/push"]["counters"])


@pytest.mark.law(2, "the door killed at named points")
@pytest.mark.parametrize("point", ["door.decoded", "door.sent", "door.answered", "door.saved"])
async def test_killed_at_a_named_point_nothing_is_lost_or_counted_twice(doors: Doors, point: str) -> None:
    """Each door dies at its second passing of the point, so each gets one message further."""
    doors.point, doors.nth = point, 2
    messages = bodies(6)
    answers = await send(doors, messages)
    await doors.revive()
    assert doors.kills >= 2
    counters = await counted(doors)
    assert check(messages, answers, await world_of(doors), counters) == []


@pytest.mark.law(2, "and at any moment")
async def test_killed_at_any_moment_nothing_is_lost_or_counted_twice(doors: Doors) -> None:
    chance = random.Random(11)
    messages = bodies(400)
    answers: list[dict[str, Any]] = []
    sending = asyncio.create_task(send(doors, messages, answers))
    for _ in range(8):
        wanted = len(answers) + chance.randrange(1, 40)

        async def answered(wanted: int = wanted) -> bool:
            assert not sending.done()
            return len(answers) >= wanted

        await wait_until(answered, every=0.002)
        await asyncio.sleep(chance.uniform(0, 0.01))  # somewhere on its way: nothing to wait for
        assert doors.running is not None
        doors.running.kill()
        await doors.running.wait()
    await sending
    assert doors.kills == 8
    counters = await counted(doors)
    assert check(messages, answers, await world_of(doors), counters) == []


@pytest.mark.law(2, planted="a push answered before its events are durable")
async def test_the_planted_bug_is_caught_by_a_kill(doors: Doors) -> None:
    """Where the answer goes out before the events are durable, the same check finds the loss."""
    doors.bug = "planted"
    messages = bodies(6)
    answers = await send(doors, messages)
    doors.bug = "sound"
    await doors.end()
    counters = await counted(doors)
    violations = check(messages, answers, await world_of(doors), counters)
    assert any("lost" in violation for violation in violations)
    assert any("counters" in violation for violation in violations)
