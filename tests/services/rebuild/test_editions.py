"""A new edition beside the live one: who reads and writes which."""

from __future__ import annotations

import pytest
from correlation import Driver, export, reference
from populations import bytes_of, world_of

from services.rebuild.target import NoRebuild, begin
from services.store import open_store
from services.store.contract import StoreDown
from services.store.editions import State
from services.store.writer import Superseded


async def filled(url: str, raws: list[bytes]) -> None:
    """Have the live edition know some events."""
    store = await open_store(url)
    driver = Driver(store.writer)
    await driver.append(raws)
    await driver.finish()
    await store.close()


async def test_a_new_edition_is_filled_beside_the_live_one(store_url: str) -> None:
    some, rest = bytes_of(world_of(1, persons=4)[0]), bytes_of(world_of(2, persons=4)[0])
    await filled(store_url, some)
    new = await begin(store_url)
    store = await new.open()
    driver = Driver(store.writer)
    await driver.append(rest)
    await driver.finish()
    assert (new.number, store.edition) == (2, 2)
    assert await export(store) == reference(rest)
    await store.close()
    live = await open_store(store_url)
    assert live.edition == 1
    assert await export(live) == reference(some)
    await live.close()


async def test_a_rebuild_that_was_begun_is_taken_up_again(store_url: str) -> None:
    await filled(store_url, [])
    with pytest.raises(NoRebuild, match="no rebuild is under way"):
        await begin(store_url, begun=True)
    new = await begin(store_url)
    assert await begin(store_url) == await begin(store_url, begun=True) == new


async def test_by_other_rules_it_is_not(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(store_url, [])
    await begin(store_url)
    monkeypatch.setattr("services.rebuild.target.fingerprint", lambda: "other")
    with pytest.raises(NoRebuild, match="by other rules is under way"):
        await begin(store_url)


async def test_an_edition_that_was_given_up_is_not_written(store_url: str) -> None:
    await filled(store_url, [])
    new = await begin(store_url)
    store = await new.open()
    await store.home.mark(new.number, State.DROPPED)
    with pytest.raises(Superseded):
        async with store.writer.begin():
            pytest.fail("a transaction was begun")
    await store.close()
    assert (await begin(store_url)).number == new.number + 1


async def test_the_live_edition_cannot_be_given_up(store_url: str) -> None:
    await filled(store_url, [])
    live = await open_store(store_url)
    await live.home.mark(1, State.DROPPED)
    assert [each.state for each in await live.home.all()] == [State.LIVE]
    await live.close()


async def test_an_edition_that_is_not_there_is_not_made_by_opening_it(store_url: str) -> None:
    await filled(store_url, [])
    with pytest.raises(StoreDown, match="edition 7 of the store is gone"):
        await open_store(store_url, edition=7)


async def test_a_store_in_memory_has_no_other_edition() -> None:
    with pytest.raises(ValueError, match="in memory"):
        await open_store("sqlite+aiosqlite:///:memory:", edition=2)
