"""On each database: who lacks the right reads a view of its own, also of a pool that was open before."""

from __future__ import annotations

from contextlib import aclosing

import pytest
from confidential_worlds import worlds_of
from correlation import NOW, Driver, reference
from populations import bytes_of

from services.correlator.deadlines import fire_due
from services.domain.coverage import coverage_of_joined
from services.domain.pools import merged_facts
from services.export import lines
from services.matches import possible
from services.store import Store


@pytest.mark.law(7, "the view of who lacks the right, on each database")
async def test_each_right_reads_a_view_of_its_own(store: Store) -> None:
    worlds = worlds_of(3, share=0.4)
    driver = Driver(store.writer)
    for batch in worlds.whole:
        await driver.append(bytes_of(batch))
        await driver.finish()
    whole, open_to_all = ([raw for batch in world for raw in bytes_of(batch)] for world in (worlds.whole, worlds.open))
    assert [line async for line in store.reads.histories(confidential=True)] == reference(whole)
    assert [line async for line in store.reads.histories()] == reference(open_to_all) != reference(whole)
    known_at = NOW * 1_000_000
    async with aclosing(lines(store.reads, known_at=known_at)) as then:
        assert [line async for line in then][1:] == reference(open_to_all, known_at)
    facts = merged_facts([pool async for pool in store.reads.all_pools()])
    hidden = {fact for fact in facts if (fact.system, fact.record) in worlds.hidden}
    assert facts
    assert not hidden
    async with aclosing(possible(store.reads)) as matches:
        assert not worlds.hidden & {side.record async for match in matches for side in (match.one, match.other)}
    async with store.writer.begin() as tx:
        while await fire_due(tx, 2, NOW + 400_000_000, coverage_of_joined(await tx.coverage())):
            pass
        assert {confidential for *_, confidential in await tx.changes(100_000)} == {False, True}
