"""Feeds under control: held across restarts, let go on, read again from the beginning; nothing is lost by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import toy_source
from toy_source import check, once, settings, toy, world

from adapters.core import Batch, Json
from bus.contract import Bus, Message
from schemas.topics import FEED_ORDERS
from services.feeds import Checkpoints, Order, Orders, Word, give
from services.feeds.status import feeds_of
from services.ingest import feed_run, recorded, run
from services.overview import Observer

KEY = "TOY/lines"
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


async def order(bus: Bus, word: Word, *, now: datetime | None = None, about: str = "") -> Order:
    return await give(bus, KEY, word, by="os:op", why="the owner asked", now=now or datetime.now(UTC), about=about)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "in"
    directory.mkdir()
    (directory / "a.txt").write_text("good 1\ntwo 2\nbad x\nskip 3")
    return directory


async def until(bus: Bus, so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The checkpoint, once it is so."""
    for _ in range(500):
        checkpoint = (await world(bus)).checkpoints.get(KEY, {})
        if checkpoint and so(checkpoint):
            return checkpoint
        await asyncio.sleep(0.02)
    raise AssertionError("never so")


def at(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda checkpoint: (checkpoint["position"] or {}).get("name") == name


async def test_a_pause_outlasts_restarts_and_a_resume_goes_on_from_there(bus: Bus, folder: Path) -> None:
    await once(folder, bus)
    await order(bus, Word.PAUSE)
    (folder / "b.txt").write_text("good 11")
    for _ in range(2):
        (outcome,) = await once(folder, bus)
        assert outcome.error is not None
        assert "is paused since" in outcome.error
        assert "visabus feeds resume TOY.lines" in outcome.error
    assert (await world(bus)).checkpoints[KEY]["position"]["name"] == "a.txt"
    await order(bus, Word.RESUME)
    (outcome,) = await once(folder, bus)
    assert outcome.error is None
    seen = await world(bus)
    assert check(folder, seen) == []
    assert set(seen.ids().values()) == {1}


async def test_a_running_host_obeys_and_what_it_had_read_is_whole(bus: Bus, folder: Path) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded))
    await until(bus, at("a.txt"))
    await order(bus, Word.PAUSE)
    await asyncio.sleep(0.3)
    (folder / "b.txt").write_text("good 11\ngood 12\nrefuse 13")
    await asyncio.sleep(0.4)
    assert at("a.txt")((await world(bus)).checkpoints[KEY])
    await order(bus, Word.RESUME)
    await until(bus, at("b.txt"))
    stop.set()
    await task
    assert check(folder, await world(bus)) == []


async def test_a_host_that_reads_on_is_seen(bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted bug: orders are not looked at."""
    monkeypatch.setattr(feed_run.FeedRun, "_paused", lambda self: False)
    with pytest.raises(AssertionError):
        await test_a_pause_outlasts_restarts_and_a_resume_goes_on_from_there(bus, folder)


async def test_rewound_it_reads_everything_once_more_under_the_same_ids(bus: Bus, folder: Path) -> None:
    await once(folder, bus)
    before = (await world(bus)).ids()
    given = await order(bus, Word.REWIND)
    for _ in range(2):  # an order is obeyed once
        await once(folder, bus)
    seen = await world(bus)
    assert seen.ids().keys() == before.keys()
    assert set(seen.ids().values()) == {2}
    assert check(folder, seen) == []  # counted anew
    assert seen.checkpoints[KEY]["rewound"] == given.id


async def test_rewound_in_front_of_a_file_it_reads_that_one_and_those_behind_it(bus: Bus, folder: Path) -> None:
    (folder / "b.txt").write_text("good 11\nbad x")
    (folder / "c.txt").write_text("good 12")
    await once(folder, bus)
    before = (await world(bus)).checkpoints[KEY]["counters"]
    given = await order(bus, Word.REWIND, about="b.txt")
    for _ in range(2):  # an order is obeyed once
        await once(folder, bus)
    seen = await world(bus)
    again = {str(event.id) for event in seen.events if event.record in {"11", "12"}}
    assert {id for id, count in seen.ids().items() if count == 2} == again
    checkpoint = seen.checkpoints[KEY]
    assert (checkpoint["rewound"], checkpoint["position"]["name"]) == (given.id, "c.txt")
    assert (before["read"], checkpoint["counters"]["read"]) == (7, 10)  # they go on
    assert checkpoint["condition"]["not_rewound"] is None


async def test_a_file_that_the_source_no_longer_holds_is_told_and_nothing_is_read_again(bus: Bus, folder: Path) -> None:
    (folder / "b.txt").write_text("good 11")
    await once(folder, bus)
    (folder / "a.txt").unlink()
    (folder / "c.txt").write_text("good 12")
    await order(bus, Word.REWIND, about="a.txt")
    await once(folder, bus)
    seen = await world(bus)
    assert set(seen.ids().values()) == {1}
    assert at("c.txt")(seen.checkpoints[KEY])  # and what is new is
    overview = await Observer(bus, None, ["TOY.lines"]).observe(datetime.now(UTC))
    (problem,) = [each for each in overview.problems if "not read again" in each]
    assert "its source no longer holds 'a.txt'" in problem


async def test_an_order_outlasts_a_source_that_is_away(bus: Bus, folder: Path) -> None:
    await once(folder, bus)
    await order(bus, Word.REWIND, about="a.txt")
    away = toy(folder, down=["batches"] * 50)
    (outcome,) = await run(settings(folder, breaker_failures=2), [away], once=True, bus=bus, clock=recorded)
    assert outcome.error is not None
    assert "could not be reached" in outcome.error
    await once(folder, bus)
    assert set((await world(bus)).ids().values()) == {2}


async def test_a_paused_feed_is_rewound_and_read_once_it_is_resumed(bus: Bus, folder: Path) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded))
    await until(bus, at("a.txt"))
    await order(bus, Word.PAUSE)
    await asyncio.sleep(0.2)
    given = await order(bus, Word.REWIND)
    checkpoint = await until(bus, lambda checkpoint: bool(checkpoint["rewound"] == given.id))
    await asyncio.sleep(0.2)
    assert checkpoint["position"] is (await world(bus)).checkpoints[KEY]["position"] is None
    await order(bus, Word.RESUME)
    await until(bus, at("a.txt"))
    stop.set()
    await task
    assert check(folder, await world(bus)) == []


async def test_a_source_that_streams_and_is_silent_is_let_go_of(
    bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = asyncio.Event()

    async def streaming(self: toy_source.Folder, position: Json | None) -> AsyncIterator[Batch]:
        try:
            async for batch in plain(self, position):
                yield batch
            await asyncio.Event().wait()
        finally:
            closed.set()

    plain = toy_source.Folder.batches
    monkeypatch.setattr(toy_source.Folder, "batches", streaming)
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings(folder), [toy(folder)], stop=stop, bus=bus, clock=recorded))
    await until(bus, at("a.txt"))
    assert not closed.is_set()
    await order(bus, Word.PAUSE)
    await asyncio.wait_for(closed.wait(), 60)
    stop.set()
    await task
    assert check(folder, await world(bus)) == []


async def test_of_two_orders_the_later_counts_and_an_old_one_sent_again_says_nothing(bus: Bus) -> None:
    first = await order(bus, Word.PAUSE, now=NOW)
    second = await order(bus, Word.RESUME, now=NOW - timedelta(hours=1))  # by an operator whose clock is behind
    assert second.at > first.at
    orders = Orders()
    await orders.follow(bus)
    assert orders.pause(KEY) is None
    await (await bus.producer()).send([first.message(KEY)])
    await orders.follow(bus)
    anew = Orders()  # a process that starts
    await anew.follow(bus)
    assert orders.pause(KEY) is anew.pause(KEY) is None
    await order(bus, Word.PAUSE)
    await orders.follow(bus)
    assert list(orders.paused) == [KEY]


async def test_nothing_takes_an_order_away(bus: Bus) -> None:
    held = await order(bus, Word.PAUSE)
    await (await bus.producer()).send([replace(held.message(KEY), value=None)])
    orders = Orders()
    await orders.follow(bus)
    assert orders.pause(KEY) == held


@pytest.mark.parametrize(
    "value",
    [
        b"no json",
        b"[]",
        b'{"id": "1", "word": "pause"}',
        json.dumps({"id": "1", "word": "stop", "by": "x", "why": "y", "at": NOW.isoformat()}).encode(),
        json.dumps({"id": "1", "word": "pause", "by": "x", "why": "y", "at": "2026-11-30T09:00:00"}).encode(),
        json.dumps({"id": "1", "word": "rewind", "by": "x", "why": "y", "at": NOW.isoformat()}).encode(),  # its place
    ],
)
async def test_what_is_no_order_is_passed_over(bus: Bus, value: bytes) -> None:
    await (await bus.producer()).send([Message(FEED_ORDERS, f"{KEY}/hold/1".encode(), value)])
    given = await order(bus, Word.PAUSE)
    orders = Orders()
    await orders.follow(bus)
    assert orders.pause(KEY) == given
    assert orders.rewind(KEY) is None


async def test_a_feed_that_is_held_says_since_when_by_whom_and_why(bus: Bus, folder: Path) -> None:
    await once(folder, bus)
    given = await order(bus, Word.PAUSE)
    overview = await Observer(bus, None, ["TOY.lines"]).observe(datetime.now(UTC))
    (feed,) = overview.feeds
    assert (feed.state, feed.paused_at, feed.paused_by, feed.why) == ("paused", given.at, "os:op", "the owner asked")
    (problem,) = [each for each in overview.problems if "TOY.lines" in each and "paused" in each]
    assert "by os:op: the owner asked; `visabus feeds resume TOY.lines`" in problem


async def test_held_it_still_says_what_was_wrong_and_whether_its_process_is_lost(bus: Bus, folder: Path) -> None:
    await once(folder, bus)
    given = await order(bus, Word.PAUSE)
    seen = Checkpoints()
    await seen.read(bus)
    stopped = replace(seen.held[KEY], stopped="refused wholesale")
    (feed,) = feeds_of({KEY: stopped}, [], datetime.now(UTC), {KEY: given})
    assert (feed.state, feed.why) == ("paused", "the owner asked; when it was held: refused wholesale")
    lost = replace(seen.held[KEY], released=False)
    (feed,) = feeds_of({KEY: lost}, [], datetime.now(UTC) + timedelta(hours=1), {KEY: given})
    assert (feed.state, feed.paused_by) == ("lost", "os:op")
    (feed,) = feeds_of({}, [], datetime.now(UTC), {KEY: given})  # before it was ever read
    assert (feed.state, feed.configured) == ("paused", False)
