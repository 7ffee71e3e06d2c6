"""A push or a replay that would change more outcomes than it may waits for a person, as a batch of a source does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from toy_border import NAME, border, mapping
from toy_door import Lines
from toy_source import settings, world

from adapters.core import Feed, System
from adapters.transports.http_push import HttpPush
from bus.embedded import EmbeddedBus
from schemas.operations import FeedState
from services.correlator import process
from services.dead_letters import Spool
from services.feeds import Word, give
from services.ingest import gate, now, run
from services.ingest.door import PushHandler, open_push_handlers
from services.ingest.door.push_handler import Post
from services.ingest.gate import gate_of
from services.overview import Observer
from services.problems import Problem
from services.settings import Settings
from services.wiring import topics

PERSONS = 8
LIMIT = 5
PUSH = HttpPush("entry", lambda read: str(read.fields["key"]), frozenset())
FEED = Feed("push", transport=PUSH, mapping=mapping, format=Lines())
SYSTEM = System(NAME, "Border", "nobody", 28, ("arrival", "departure"), ("fin",), 1, (FEED,))
ALL_LEFT = "\n".join(f"leave {number} 9" for number in range(1, PERSONS + 1)).encode()
ONE_LEFT = b"leave 1 9"


@dataclass
class Door:
    """A handler of pushes in front of a view of persons who are in the country."""

    settings: Settings
    bus: EmbeddedBus
    handler: PushHandler
    signed: int = 0

    async def push(self, body: bytes) -> dict[str, Any]:
        """Send a body, signed anew as each time. Raises Problem."""
        self.signed += 1
        post = Post("002", f"n{self.signed}", f"signed {self.signed}".encode(), int(time.time()) + 300, body)
        return (await self.handler.answer(post)).body

    async def left(self) -> int:
        """How many departures stand on the bus."""
        return sum(event.kind == "departure" for event in (await world(self.bus)).events)

    async def seen(self) -> Any:
        """The feed as operators see it."""
        overview = await Observer(self.bus, None, []).observe(datetime.now(UTC))
        (feed,) = (each for each in overview.feeds if each.feed == "push")
        return feed

    async def say(self, word: Word) -> None:
        """Give a word on what waits, which the door hears of as it does of all orders."""
        about = (await self.seen()).waiting.id
        why = "the owner says so"
        await give(self.bus, f"{NAME}/push", word, by="os:op", why=why, now=datetime.now(UTC), about=about)
        await self.handler.orders.follow(self.bus)


@pytest.fixture
async def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    folder = tmp_path / "in"
    folder.mkdir()
    monkeypatch.setattr("adapters.registry.systems", lambda: {NAME: SYSTEM})
    bus = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    await bus.declare(topics())
    at = settings(tmp_path, hold_above=LIMIT)
    (folder / "001.txt").write_text("\n".join(f"arrive {number}" for number in range(1, PERSONS + 1)))
    await run(at, [border(folder)], once=True, bus=bus, clock=now)
    await process.run(at, once=True, stop=asyncio.Event())
    feeds = [(SYSTEM, FEED)]
    async with open_push_handlers(
        feeds,
        bus,
        Spool(tmp_path / "spool"),
        takeover_seconds=0.05,
        clock=time.time,
        held=lambda orders: gate_of(at, orders, bus),
    ) as handlers:
        yield Door(at, bus, handlers[NAME.lower()])
    await bus.close()


async def refused(door: Door, body: bytes) -> Problem:
    """The problem that a push is answered."""
    with pytest.raises(Problem) as raised:
        await door.push(body)
    return raised.value


async def test_a_push_above_the_limit_waits_and_others_are_taken(door: Door) -> None:
    for _ in range(2):  # signed anew it is the same message
        problem = await refused(door, ALL_LEFT)
        assert (problem.status, problem.kind) == (503, "held")
        assert int(problem.headers["Retry-After"]) > 0
    assert await door.left() == 0
    feed = await door.seen()
    assert (feed.state, feed.waiting.changed) == (FeedState.WAITING, PERSONS)
    assert "`visabus feeds release I94.push` takes it" in feed.why
    assert (await door.push(ONE_LEFT))["accepted"] == 1
    assert await door.left() == 1
    assert (await door.seen()).waiting == feed.waiting


async def test_a_door_whose_gate_stands_open_is_seen(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: nothing is judged."""
    monkeypatch.setattr(door.handler, "gate", None)
    with pytest.raises(pytest.fail.Exception):
        await refused(door, ALL_LEFT)
    assert await door.left() == PERSONS


async def test_released_it_is_taken_once_it_comes_again(door: Door) -> None:
    await refused(door, ALL_LEFT)
    await door.say(Word.RELEASE)
    assert (await door.push(ALL_LEFT))["accepted"] == PERSONS
    assert await door.left() == PERSONS
    feed = await door.seen()
    assert (feed.state, feed.waiting) == (FeedState.RUNNING, None)


async def test_rejected_each_record_of_it_is_left_out(door: Door) -> None:
    await refused(door, ALL_LEFT)
    await door.say(Word.REJECT)
    answer = await door.push(ALL_LEFT)
    assert (answer["accepted"], answer["left_out"]) == (0, PERSONS)
    assert {each["reason"] for each in answer["answers"]} == {gate.REJECTED}
    assert await door.left() == 0
    assert (await door.seen()).waiting is None


async def test_a_word_on_one_message_is_none_on_another(door: Door) -> None:
    await refused(door, ALL_LEFT)
    await door.say(Word.RELEASE)
    other = ALL_LEFT.replace(b" 9", b" 10")
    assert (await refused(door, other)).kind == "held"
    await door.say(Word.REJECT)
    assert (await door.push(other))["left_out"] == PERSONS
    assert await door.left() == 0


async def test_what_waits_outlasts_a_restart(door: Door) -> None:
    await refused(door, ALL_LEFT)
    seen = await door.seen()
    await door.handler.ledger.close()
    await door.handler.ledger.open(0.0)
    assert (await door.seen()).waiting == seen.waiting
    await door.say(Word.REJECT)
    assert (await door.push(ALL_LEFT))["left_out"] == PERSONS
