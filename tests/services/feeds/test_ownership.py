"""Who holds a feed: the greater fence wins, a late word of the loser is not the last, and a try takes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bus.contract import Bus
from bus.embedded import EmbeddedBus
from services.feeds import Checkpoints, Counters, FeedHeld, FeedLost, Ownership, ownership
from services.wiring import topics

KEY = "TOY/lines"


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[Bus]:
    opened = await EmbeddedBus.open(tmp_path / "bus.db")
    await opened.declare(topics())
    yield opened
    await opened.close()


async def owner(bus: Bus) -> Ownership:
    """A process that holds nothing yet."""
    return Ownership(bus, await bus.producer())


async def taken(bus: Bus) -> Ownership:
    """A process that took the feed."""
    one = await owner(bus)
    await one.claim([KEY])
    await one.confirm()
    return one


async def last(bus: Bus) -> Counters:
    """What the topic says was counted."""
    checkpoints = Checkpoints()
    await checkpoints.read(bus)
    return checkpoints.last[KEY].counters


async def test_the_later_one_takes_over_and_the_earlier_one_sees_it(bus: Bus) -> None:
    first = await taken(bus)
    lost: list[str] = []
    first.holdings[KEY].on_lost = lambda: lost.append(KEY)
    second = await owner(bus)
    assert await second.claim([KEY]), "the first may still run"
    await second.confirm()
    await first.watch()
    await first.watch()
    assert lost == [KEY]
    with pytest.raises(FeedLost, match=r"another process took TOY\.lines over"):
        await first.save(first.holdings[KEY], first.holdings[KEY].checkpoint)
    assert second.holdings[KEY].checkpoint.epoch == 2


async def test_what_the_one_before_wrote_last_is_adopted(bus: Bus) -> None:
    first = await taken(bus)
    second = await owner(bus)
    await second.claim([KEY])
    await first.save(first.holdings[KEY], replace(first.holdings[KEY].checkpoint, counters=Counters(read=3)))
    await second.confirm()
    assert second.holdings[KEY].checkpoint.counters.read == 3
    assert second.holdings[KEY].checkpoint.owner == second.owner


async def test_a_late_word_of_the_loser_is_not_the_last(bus: Bus) -> None:
    first, second = await taken(bus), await taken(bus)
    await second.save(second.holdings[KEY], replace(second.holdings[KEY].checkpoint, counters=Counters(read=5)))
    await first.save(first.holdings[KEY], first.holdings[KEY].checkpoint)  # it has not looked yet
    assert (await last(bus)).read == 0
    await second.watch()
    assert (await last(bus)).read == 5


async def test_a_feed_that_was_released_is_free(bus: Bus) -> None:
    first = await taken(bus)
    await first.release(first.holdings[KEY])
    second = await owner(bus)
    assert not await second.claim([KEY], only_free=True)


async def test_a_try_takes_nothing_from_a_process_that_runs(bus: Bus) -> None:
    first = await taken(bus)
    second = await owner(bus)
    with pytest.raises(FeedHeld, match=r"TOY\.lines is held by a process that was alive 0 s ago; --take-over takes it"):
        await second.claim([KEY], only_free=True)
    await first.watch()
    assert not first.holdings[KEY].lost


async def test_a_process_that_says_nothing_no_longer_runs_and_one_that_beats_does(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await taken(bus)
    monkeypatch.setattr(ownership, "ALIVE_SECONDS", 0.0)
    assert await (await owner(bus)).claim([KEY], only_free=True)
    monkeypatch.undo()
    await first.beat()
    with pytest.raises(FeedHeld):
        await (await owner(bus)).claim([KEY], only_free=True)


async def test_a_claim_that_failed_half_way_is_repeated_under_its_epoch(bus: Bus) -> None:
    one = await owner(bus)
    for _ in range(2):
        await one.claim([KEY])
    await one.confirm()
    assert one.holdings[KEY].checkpoint.epoch == 1
    assert not one.holdings[KEY].lost
