"""A rebuild beside the live view, compared and switched over while events come and a client asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from correlation import reference
from populations import bytes_of, world_of
from rebuilding import Client, Silent, Site

from services import failpoints
from services.feeds import Orders
from services.ingest.gate import Gate
from services.rebuild import cleanup, comparing, running, switching
from services.rebuild.catching_up import Stopped
from services.rebuild.changes import tell
from services.rebuild.switching import Switched
from services.rebuild.target import NoRebuild, begin
from services.store import following, open_store
from services.store.contract import OtherConfiguration, StoreDown


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An installation without an event, its store in a file."""
    return Site.at(tmp_path / "data", f"sqlite+aiosqlite:///{tmp_path}/store.db")


@pytest.fixture
def either(tmp_path: Path, store_url: str) -> Site:
    """The same, on each database."""
    return Site.at(tmp_path / "data", store_url)


async def under_traffic(site: Site, seed: int = 3) -> tuple[list[str], list[bytes], Switched]:
    """Rebuild and switch while events come: what a client saw go wrong, the events, and what the switch came to."""
    raws = bytes_of(world_of(seed, persons=30)[0])
    Random(seed).shuffle(raws)
    first, rest = raws[: len(raws) // 2], raws[len(raws) // 2 :]
    await site.publish(first)
    await site.correlate()
    known = next(raw for raw in first if b'"kind":"arrival"' in raw)
    async with site.correlating(), Client.asking(site, known) as client:

        async def traffic() -> None:
            for start in range(0, len(rest), 5):
                await site.publish(rest[start : start + 5])
                await asyncio.sleep(0.02)

        sending = asyncio.create_task(traffic())
        new = await site.fill()
        compared = await running.compare(site.settings, new, site.options())
        assert compared.equal
        assert compared.live_digest == compared.new_digest is not None
        switched = await running.switch(site.settings, new, site.options(), tell=False)
        await sending
        await site.caught_up()
        await asyncio.sleep(2 * following.SECONDS)
        asked = client.answers
        assert asked > 20
    return client.failures, raws, switched


@pytest.mark.law(1, "a rebuild under traffic ends in the same bytes; nobody notices the switch; changes have no gap")
async def test_a_rebuild_under_traffic_ends_in_the_same_bytes(either: Site) -> None:
    failures, raws, switched = await under_traffic(either)
    assert failures == []
    assert (switched.edition, switched.before, await either.edition()) == (2, 1, 2)
    assert switched.held == 0
    assert await either.view() == reference(raws)
    assert await either.gaps() == []


async def test_what_judges_batches_goes_over_to_the_new_view(site: Site) -> None:
    """A door runs for months: a view that is written no more would mislead it, one that is dropped stop it."""
    await site.publish(bytes_of(world_of(3, persons=5)[0]))
    await site.correlate()
    gate = Gate(0, site.settings.store_url, Orders(), None)
    editions = []
    for number in range(3):
        async with gate.impact() as impact:
            assert impact is not None
            assert await impact.reads.outcomes()
            assert gate.store is not None
            editions.append(gate.store.edition)
        if number == 1:
            new = await site.fill()
            await running.compare(site.settings, new, site.options())
            await running.switch(site.settings, new, site.options(), tell=False)
    await gate.close()
    assert editions == [1, 1, 2]


async def test_a_comparison_ends_where_the_order_to_stop_comes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of millions of persons it takes longer than an order may wait, and would be ended by force."""
    counts: list[int] = []

    class Ordering(Silent):
        def at(self, done: int, total: int | None, stage: str = "read") -> None:
            if stage == "compare":
                counts.append(done)
                site.stop.set()

    monkeypatch.setattr(comparing, "_MANY", 1)
    await site.publish(bytes_of(world_of(3, persons=5)[0]))
    await site.correlate()
    new = await site.fill()
    with pytest.raises(Stopped):
        await running.compare(site.settings, new, replace(site.options(), progress=Ordering()))
    assert counts == [1]
    assert not await running.noted(site.settings, new)
    site.stop.clear()
    assert (await running.compare(site.settings, new, site.options())).equal


@pytest.mark.law(1, planted="a switch before the new view has come to where the live one is")
async def test_a_switch_before_the_views_have_met_is_caught(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay(_self: object, _point: object) -> None:
        """Take in nothing more."""

    raws = bytes_of(world_of(4, persons=12)[0])
    await site.publish(raws[: len(raws) // 2])
    await site.correlate()
    new = await site.fill()
    await running.compare(site.settings, new, site.options())
    await site.publish(raws[len(raws) // 2 :])
    await site.correlate()
    last = max(raws[len(raws) // 2 :], key=lambda raw: raw.count(b"arrival"))
    async with Client.asking(site, last) as client:
        await asyncio.sleep(0.1)
        monkeypatch.setattr("services.rebuild.builder.Builder.to", stay)
        await running.switch(site.settings, new, site.options(), tell=False)
        await until(lambda: bool(client.failures))
    assert "a person who is known was not found" in client.failures


@pytest.mark.law(1, planted="an API that keeps the store that it was started on")
async def test_an_api_that_keeps_the_old_store_is_caught(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay(_self: object) -> None:
        """Never ask which edition is live."""

    raws = bytes_of(world_of(5, persons=6)[0])
    await site.publish(raws[:20])
    await site.correlate()
    for planted in (False, True):
        if planted:
            monkeypatch.setattr("services.store.following._Follower.run", stay)
        async with following.followed(site.settings.store_url) as store:
            new = await site.fill()
            await running.switch(site.settings, new, site.options(), tell=False)
            await site.publish(raws[20:40] if not planted else raws[40:])
            await site.correlate()
            if planted:
                await asyncio.sleep(3 * following.SECONDS)
            else:
                await until(lambda: store.reads._engine is not store.engine)
            seen = [history async for history in store.reads.histories(confidential=True)]
        assert (seen == await site.view()) is not planted


async def until(done: Callable[[], bool]) -> None:
    """Wait for something that happens within a second on a machine at rest."""
    async with asyncio.timeout(120):
        while not done():  # noqa: ASYNC110 - nobody says when
            await asyncio.sleep(0.02)


class Killed(BaseException):
    """Ends a rebuild where it is."""


def killing(point: str) -> Callable[[str], Any]:
    """Return an action that ends it there."""

    async def action(at: str) -> None:
        if at == point:
            raise Killed

    return action


@pytest.mark.law(2, "a rebuild that ends at any of its points leaves one live view, and is gone on with")
@pytest.mark.parametrize(
    "point",
    ["rebuild.filled", "rebuild.compared", "switch.locked", "switch.carried", "switch.written", "switch.committed"],
)
async def test_a_rebuild_that_is_ended_at_a_point_leaves_one_live_view(either: Site, point: str) -> None:
    raws = bytes_of(world_of(6, persons=10)[0])
    await either.publish(raws)
    await either.correlate()
    expected = await either.view()
    with failpoints.armed(killing(point)):
        try:
            new = await either.fill()
            await running.compare(either.settings, new, either.options())
            await running.switch(either.settings, new, either.options(), tell=True)
        except Killed:
            ended = True
        else:
            ended = False
    # on PostgreSQL there is nothing between the edition's commit and the home's
    assert ended == (point != "switch.written" or either.settings.store_url.startswith("sqlite"))
    assert await either.view() == expected
    if await either.edition() == 1:
        new = await either.fill()
        assert new.number == 2
        await running.switch(either.settings, new, either.options(), tell=True)
    await either.correlate()
    assert await either.edition() == 2
    assert await either.view() == expected == reference(raws)
    assert await either.gaps() == []


@contextmanager
def other_rules(monkeypatch: pytest.MonkeyPatch, rest: int) -> Iterator[None]:
    """Rules by which half of all persons are not seen."""
    from services.correlator import resolve

    persons = resolve.persons

    def some(*arguments: Any) -> list[Any]:
        return [each for each in persons(*arguments) if int(each.person[0], 16) % 2 == rest]

    with monkeypatch.context() as patched:
        patched.setattr(resolve, "persons", some)
        yield


@pytest.mark.law(1, "answers that a rebuild changes are told once, numbered on from what was told before")
@pytest.mark.parametrize("at_once", [True, False])
async def test_what_a_rebuild_changes_is_told_once(site: Site, at_once: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    raws = bytes_of(world_of(7, persons=16)[0])
    await site.publish(raws)
    with other_rules(monkeypatch, 0):
        await site.correlate()
    before = len(await site.changes())
    new = await site.fill()
    compared = await running.compare(site.settings, new, site.options())
    assert not compared.equal
    assert compared.new_persons - compared.live_persons == compared.changed.total() > 0
    assert {pair[0] for pair in compared.changed} == {comparing.NONE}
    switched = await running.switch(site.settings, new, site.options(), tell=at_once)
    assert switched.held > 0
    await site.correlate()
    if not at_once:
        assert len(await site.changes()) == before
        store = await open_store(site.settings.store_url)
        assert await tell(store, int(site.options().clock().timestamp())) == switched.held
        await store.close()
        await site.correlate()
    assert len(await site.changes()) == before + compared.changed.total()
    assert await site.view() == reference(raws)
    assert await site.gaps() == []


@pytest.mark.law(1, "persons whom a rebuild no longer knows end, and are numbered on should they come back")
async def test_persons_whom_a_rebuild_no_longer_knows_end(either: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    raws = bytes_of(world_of(8, persons=16)[0])
    await either.publish(raws)
    await either.correlate()
    with other_rules(monkeypatch, 1):
        new = await either.fill()
        await running.switch(either.settings, new, either.options(), tell=True)
        await either.correlate()
        assert await either.gaps() == []
        assert any(change["ended"] for change in await either.changes())
    new = await either.fill()
    assert new.number == 3
    await running.switch(either.settings, new, either.options(), tell=True)
    await either.correlate()
    assert await either.view() == reference(raws)
    assert await either.gaps() == []


async def test_what_the_old_edition_had_still_to_tell_is_told_by_the_new_one(site: Site) -> None:
    from services.correlator.process import run

    raws = bytes_of(world_of(9, persons=8)[0])
    await site.publish(raws)
    await run(site.settings, once=True, hold=True, stop=asyncio.Event())
    assert await site.changes() == []
    new = await site.fill()
    await running.switch(site.settings, new, site.options(), tell=False)
    await site.correlate()
    assert await site.gaps() == []


async def test_a_correlator_of_other_rules_stands_by_for_their_edition(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = bytes_of(world_of(17, persons=6)[0])
    await site.publish(raws[:20])
    await site.correlate()
    for module in ("correlator.correlator", "correlator.process", "rebuild.target"):
        monkeypatch.setattr(f"services.{module}.fingerprint", lambda: "the rules of tomorrow")
    with pytest.raises(OtherConfiguration):
        await site.correlate()
    new = await site.fill()
    async with site.correlating() as correlator:
        await asyncio.sleep(0.5)
        assert not correlator.done()
        await running.switch(site.settings, new, site.options(), tell=False)
        await site.publish(raws[20:])
        await site.caught_up()
    assert await site.view() == reference(raws)
    assert await site.gaps() == []


async def test_known_at_answers_as_before(site: Site) -> None:
    from services.export import lines

    events = world_of(10, persons=8)[0]
    raws = bytes_of(events)
    moments = sorted(int(each.published_at.timestamp() * 1_000_000) for each in events)[:: len(events) // 4]
    await site.publish(raws)
    await site.correlate()

    async def answered() -> list[list[bytes]]:
        store = await open_store(site.settings.store_url)
        try:
            return [
                [line async for line in lines(store.reads, known_at=moment, confidential=True)] for moment in moments
            ]
        finally:
            await store.close()

    before = await answered()
    new = await site.fill()
    await running.switch(site.settings, new, site.options(), tell=False)
    assert await answered() == before


async def test_a_live_view_that_stands_still_behind_is_told(site: Site) -> None:
    raws = bytes_of(world_of(11, persons=6)[0])
    await site.publish(raws[:10])
    await site.correlate()
    new = await site.fill()
    await site.publish(raws[10:])
    store = await new.open()
    await store.close()
    # the new edition reads all of it, and no correlator runs on the live one
    async with running._both(site.settings, new, site.options()) as (_, builder, bus):
        ends = {(part.topic, part.number): end for part, end in (await bus.ends(running.EVENT_TOPICS)).items()}
        await builder.to(ends)
    for step in (
        lambda: running.compare(site.settings, new, site.options(patience=0.2)),
        lambda: running.switch(site.settings, new, site.options(patience=0.2), tell=False),
    ):
        with pytest.raises(NoRebuild, match="let `visabus correlate` run"):
            await step()
    assert await site.edition() == 1


async def test_an_order_to_stop_leaves_everything_as_it_was(site: Site) -> None:
    raws = bytes_of(world_of(12, persons=6)[0])
    await site.publish(raws)
    await site.correlate()
    new = await site.fill()
    site.stop.set()
    with pytest.raises(Stopped):
        await running.switch(site.settings, new, site.options(), tell=False)
    assert await site.edition() == 1


async def test_what_was_live_before_is_dropped(either: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    raws = bytes_of(world_of(13, persons=6)[0])
    await either.publish(raws)
    await either.correlate()
    async with Client.asking(either, raws[0]) as client:
        for number in (2, 3):
            new = await either.fill()
            await running.switch(either.settings, new, either.options(), tell=False)
            with pytest.raises(NoRebuild, match="the switch is younger"):
                await cleanup.drop_old(either.settings.store_url)
            await asyncio.sleep(3 * following.SECONDS)
            with monkeypatch.context() as patched:
                patched.setattr(cleanup, "GRACE_SECONDS", 0.0)
                assert await cleanup.drop_old(either.settings.store_url) == [number - 1]
            assert await either.view() == reference(raws)
    assert client.failures == []
    with pytest.raises(StoreDown, match="is gone"):
        await open_store(either.settings.store_url, edition=2)


async def test_a_reader_that_was_away_during_switch_and_drop_is_answered(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "SECONDS", 3_600.0)
    raws = bytes_of(world_of(14, persons=6)[0])
    await site.publish(raws)
    await site.correlate()
    new = await site.fill()
    await running.switch(site.settings, new, site.options(), tell=False)
    async with Client.asking(site, raws[0]) as client:
        again = await site.fill()
        await running.switch(site.settings, again, site.options(), tell=False)
        monkeypatch.setattr(cleanup, "GRACE_SECONDS", 0.0)
        await cleanup.drop_old(site.settings.store_url)
        await asyncio.sleep(0.1)
    assert client.failures == []


async def test_a_rebuild_is_given_up(site: Site) -> None:
    raws = bytes_of(world_of(15, persons=4)[0])
    await site.publish(raws)
    await site.correlate()
    await site.fill()
    assert await cleanup.discard(site.settings.store_url) == [2]
    assert await cleanup.discard(site.settings.store_url) == []
    with pytest.raises(NoRebuild, match="no rebuild is under way"):
        await begin(site.settings.store_url, begun=True)
    assert (await site.fill()).number == 3
    assert await site.view() == reference(raws)


async def test_a_switch_that_the_database_refuses_is_none(either: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    raws = bytes_of(world_of(16, persons=4)[0])
    await either.publish(raws)
    await either.correlate()
    new = await either.fill()

    async def full(_self: object, _at: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        for each in (switching._Sqlite, switching._Postgres):
            patched.setattr(each, "commit", full)
        with pytest.raises(StoreDown, match="the switch was not made"):
            await running.switch(either.settings, new, either.options(), tell=False)
    assert (await either.edition(), await either.view()) == (1, reference(raws))
    await running.switch(either.settings, new, either.options(), tell=False)
    assert (await either.edition(), await either.view()) == (2, reference(raws))
