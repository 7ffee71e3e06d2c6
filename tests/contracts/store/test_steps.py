"""Each step of a transaction does what the contract says, on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from populations import START, World, bytes_of, encounter

from services.domain.facts import fact_of
from services.domain.pools import Pool
from services.store import Store, open_store, reads
from services.store.contract import StoreDown
from services.store.packing import pack_pool
from services.store.writer import NEVER, ClaimRow, Fenced, MemberRow, Move, PersonRow, Waiting

BIG = 2**63 - 1
LOW = -(2**63)


async def test_keys_stay_where_they_were_founded(store: Store) -> None:
    async with store.writer.begin() as tx:
        assert await tx.insert_keys([(LOW, 7), (1, 7), (BIG, -8)]) == set()
    async with store.writer.begin() as tx:
        assert await tx.insert_keys([(1, 99), (2, 99)]) == {1}
        assert await tx.insert_keys([(1, 98), (BIG, 98)]) == {1, BIG}
        assert await tx.insert_keys([(3, 98)]) == set()
        assert await tx.keys([LOW, 1, 2, 3, 4, BIG]) == {LOW: 7, 1: 7, 2: 99, 3: 98, BIG: -8}


async def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    async def fail() -> None:
        async with store.writer.begin() as tx:
            await tx.insert_keys([(1, 1)])
            await tx.add_work(b"y", compared=True)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with store.writer.begin() as tx:
        assert await tx.keys([1]) == {}
        assert await tx.take_work(10) == []


@pytest.mark.law(3, "a correlator thought dead")
async def test_a_position_moves_only_for_whoever_holds_it(store: Store) -> None:
    async with store.writer.begin() as tx:
        assert await tx.claim_position("t", 0) == (0, 1)
        assert await tx.claim_position("t", 1) == (0, 1)
    async with store.writer.begin() as tx:
        await tx.advance([Move("t", 0, 0, 5, 1, 77, open_known=70), Move("t", 1, 0, 2, 1, 3)])
    async with store.writer.begin() as tx:
        assert await tx.claim_position("t", 0) == (5, 2)

    async def advance(*moves: Move) -> None:
        async with store.writer.begin() as tx:
            await tx.insert_keys([(1, 1)])
            await tx.advance(moves)

    with pytest.raises(Fenced):
        await advance(Move("t", 0, 5, 9, 1, 0), Move("t", 1, 2, 3, 1, 0))
    with pytest.raises(Fenced):
        await advance(Move("t", 0, 4, 9, 2, 0))
    async with store.writer.begin() as tx:
        assert await tx.keys([1]) == {}
        await tx.advance([Move("t", 0, 5, 6, 2, 12)])
    assert await store.reads.positions() == {("t", 0): 6, ("t", 1): 2}
    assert await store.reads.known_through(confidential=True) == 77
    assert await store.reads.known_through() == 70


async def test_an_alias_is_never_changed(store: Store) -> None:
    async with store.writer.begin() as tx:
        assert await tx.insert_aliases([(5, 3), (9, 3)]) == {5, 9}
        assert await tx.insert_aliases([(5, 1), (7, 1)]) == {7}
        assert await tx.aliases([5, 7, 9, 11]) == {5: 3, 7: 1, 9: 3}


async def test_claims_are_found_by_block(store: Store) -> None:
    row = ClaimRow(1, 10, 100, 55, 65, 0, 85, 95, b"one")
    second, third = ClaimRow(2, 11, 101, 56, 65, 75, 0, 0, b"two"), ClaimRow(3, 12, 102, 55, 0, 56, 0, 0, b"three")
    async with store.writer.begin() as tx:
        await tx.insert_claims([row, second])
        await tx.insert_claims([third])
        first = MemberRow(55, 1, 10, 100, None)
        assert sorted(await tx.members(([55], [], [], []))) == [first, MemberRow(55, 3, 12, 102, None)]
        both = [first._replace(block=65), MemberRow(65, 2, 11, 101, None)]
        assert sorted(await tx.members(([56, 75], [65], [], []))) == [
            MemberRow(56, 2, 11, 101, None),
            MemberRow(56, 3, 12, 102, None),
            *both,
            MemberRow(75, 2, 11, 101, None),
        ]
        assert await tx.members(([], [], [85], [])) == [first._replace(block=85)]
        assert await tx.members(([], [], [], [95])) == [first._replace(block=95)]
        assert await tx.members(([0], [0], [0], [0])) == []
        assert sorted(await tx.claims([1, 3, 9])) == [row._replace(features=b""), third._replace(features=b"")]
        assert await tx.features([1, 3, 9]) == {1: b"one", 3: b"three"}
    # by one place, and by two of one kind, a page at a time
    by_year = [each async for each in store.reads.claims_by_block((1,))]
    assert by_year == [(65, row), (65, second)]
    by_name = [each async for each in store.reads.claims_by_block((0, 2))]
    assert by_name == [(55, row), (55, third), (56, second), (56, third), (75, second)]


async def test_a_claim_is_known_since_the_earliest_word(store: Store) -> None:
    row = ClaimRow(1, 10, 100, 55, 0, 0, 0, 0, b"one")
    async with store.writer.begin() as tx:
        await tx.insert_claims([row])
        assert await tx.lower_claims([(1, 100), (2, 5)]) == set()
        assert await tx.lower_claims([(1, 99)]) == {1}
        assert await tx.claims([1]) == [row._replace(known=99, features=b"")]


async def test_cutoffs_only_fall(store: Store) -> None:
    async with store.writer.begin() as tx:
        await tx.lower_cutoffs([(1, 100, 7), (2, 50, 3)])
        await tx.lower_cutoffs([(1, 100, 8), (2, 50, 2)])
        await tx.lower_cutoffs([(1, 99, 9)])
        assert await tx.cutoffs() == {1: (99, 9), 2: (50, 2)}
    assert await store.reads.cutoffs() == {1: (99, 9), 2: (50, 2)}


async def test_cutoffs_of_open_records_are_their_own(store: Store) -> None:
    async with store.writer.begin() as tx:
        await tx.lower_cutoffs([(1, 100, 7), (2, 50, 3), (3, 9, 9)])
        await tx.replace_open_cutoffs([], [(1, (200, 8)), (2, None)])
        assert await tx.open_cutoffs() == {1: (200, 8), 2: None}
    assert await store.reads.cutoffs() == {1: (200, 8), 3: (9, 9)}
    assert (await store.reads.snapshot(5)).cutoffs == {1: (200, 8), 3: (9, 9)}
    whole = {1: (100, 7), 2: (50, 3), 3: (9, 9)}
    assert await store.reads.cutoffs(confidential=True) == whole
    assert (await store.reads.snapshot(5, confidential=True)).cutoffs == whole
    async with store.writer.begin() as tx:
        await tx.replace_open_cutoffs([1], [(2, (60, 1))])
    assert await store.reads.cutoffs() == {1: (100, 7), 2: (60, 1), 3: (9, 9)}


async def test_since_when_a_claim_is_open(store: Store) -> None:
    row = ClaimRow(1, 10, 100, 55, 0, 0, 0, 0, b"one")
    async with store.writer.begin() as tx:
        await tx.insert_claims([row])
        for known, rank in ((120, (120, 1)), (NEVER, None), (None, (100, 1))):
            await tx.veil_claims([(1, known)])
            (stands,) = await tx.claims([1])
            assert (stands.open_known, stands.open_rank, stands.rank) == (known, rank, (100, 1))


async def test_claims_that_a_number_refused_are_found_by_rank(store: Store) -> None:
    async with store.writer.begin() as tx:
        await tx.add_refused([(1, 7, 300, 30), (1, 8, 200, 20), (2, 9, 100, 10)])
        await tx.add_refused([(1, 7, 400, 31), (1, 8, 150, 21)])
        assert await tx.refused(1, 5) == [(150, 8, 20), (300, 7, 30)]
        assert await tx.refused(1, 1) == [(150, 8, 20)]
        await tx.delete_refused([(1, 8), (2, 8)])
        assert await tx.refused(1, 5) == [(300, 7, 30)]
        assert await tx.refused(2, 5) == [(100, 9, 10)]


async def test_what_was_written_since_a_savepoint_goes_back(store: Store) -> None:
    async with store.writer.begin() as tx:
        await tx.lower_cutoffs([(1, 100, 7)])
        await tx.savepoint()
        await tx.lower_cutoffs([(1, 90, 7), (2, 50, 3)])
        await tx.back()
        await tx.lower_cutoffs([(3, 50, 3)])
    assert await store.reads.cutoffs() == {1: (100, 7), 3: (50, 3)}


async def test_work_waits_until_it_was_looked_at(store: Store) -> None:
    async with store.writer.begin() as tx:
        await tx.add_work(b"a", compared=False)
        await tx.add_work(b"b", compared=True)
    assert await store.reads.backlog() == 2
    async with store.writer.begin() as tx:
        assert await tx.take_work(10) == [b"b"]
        rows = await tx.uncompared(10)
        assert [row.blob for row in rows] == [b"a"]
        await tx.mark_compared([row.id for row in rows])
        assert await tx.uncompared(10) == []
        assert await tx.take_work(10) == [b"a"]
    assert await store.reads.backlog() == 0


async def test_sorted_work_is_taken_by_the_shard(store: Store) -> None:
    async with store.writer.begin() as tx:
        await tx.add_work(b"one", compared=True)
        await tx.add_work(b"other", compared=False)
        await tx.add_sorted([(3, b"a"), (2, b"b"), (3, b"c")])
        assert await tx.waiting() == Waiting(3, 3, 5)
    assert (await store.reads.sorted_work(), await store.reads.backlog()) == (3, 5)
    async with store.writer.begin() as tx:
        assert await tx.take_shard() == (2, [b"b"])
        assert await tx.take_shard() == (3, [b"a", b"c"])
        assert await tx.take_shard() is None
        assert await tx.lock_sorting()
        assert await tx.take_unsorted(5) == [b"one"]
        assert await tx.waiting() == Waiting(0, 0, 5)


async def test_each_takes_another_shard(postgres: str) -> None:
    """SQLite has one writer at a time. Pools are locked by keys that stand, and by keys that a store has lost."""
    opened = await open_store(postgres)
    async with opened.writer.begin() as tx:
        await tx.insert_keys([(1, 1), (2, 2)])
        await tx.add_sorted([(3, b"a"), (2, b"b")])
    async with opened.writer.begin() as tx, opened.writer.begin() as other:
        assert await tx.take_shard() == (2, [b"b"])
        assert await other.take_shard() == (3, [b"a"])
        assert await other.take_shard() is None
        assert await tx.lock_sorting()
        assert not await other.lock_sorting()
        assert await tx.lock_firing()
        assert not await other.lock_firing()
        assert await tx.lock_pools([-7, 1])
        assert await other.lock_pools([2])
    await opened.close()


async def test_pools_and_persons_are_replaced_whole(store: Store) -> None:
    row = PersonRow(b"p" * 16, 1, "B2", "MEX", "JFK", "IN_STATUS", "2026-01-01", "x", 4, 50, None, None, b"doc")
    other = PersonRow(b"q" * 16, 2, None, None, None, None, None, None, 1, None, 5, 60, None)
    async with store.writer.begin() as tx:
        await tx.replace_pools([], [(1, b"one"), (2, b"two")])
        await tx.replace_persons([], [row, other])
    async with store.writer.begin() as tx:
        assert await tx.pools([1, 2, 3]) == {1: b"one", 2: b"two"}
        assert await tx.persons([1]) == [row._replace(doc=None)]
        await tx.replace_pools([1, 2], [(1, b"both")])
        await tx.replace_persons([1, 2], [row._replace(sequence=5)])
        assert await tx.pools([1, 2]) == {1: b"both"}
    assert [doc async for doc in store.reads.histories()] == [b"doc"]


async def test_pools_of_several_persons(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was merged away is no person; read one to a page."""
    monkeypatch.setattr(reads, "PAGE", 1)
    world = World(1)
    raws = bytes_of([encounter(world, world.person(), START) for _ in range(4)])
    pools = [Pool([fact_of(raw)]) for raw in raws]
    gone = PersonRow(b"", 0, None, None, None, None, None, None, 1, None, None, None, None)
    held = [(1, b"doc"), (1, b"doc"), (2, b"doc"), (3, b"doc"), (3, None), (4, b"doc"), (4, b"doc"), (4, b"doc")]
    async with store.writer.begin() as tx:
        await tx.replace_pools([], [(number, pack_pool(pool)) for number, pool in enumerate(pools, 1)])
        people = [gone._replace(person=bytes([at] * 16), pool=pool, doc=doc) for at, (pool, doc) in enumerate(held)]
        await tx.replace_persons([], people)
    results = [pool.facts async for _, pool in store.reads.pools_of_several()]
    assert results == [pools[0].facts, pools[3].facts]


@pytest.mark.law(5, "which persons are due")
async def test_what_is_due_by_time_or_by_coverage(store: Store) -> None:
    timely = PersonRow(b"a" * 16, 1, None, None, None, "IN_STATUS", None, "x", 1, 50, None, None, b"d")
    waiting = PersonRow(b"b" * 16, 2, None, None, None, "DEPARTURE_UNKNOWN", None, "y", 1, None, 40, 60, b"d")
    async with store.writer.begin() as tx:
        await tx.replace_persons([], [timely, waiting])
        assert await tx.due(49, (), 10) == []
        assert await tx.due(50, ((0, 59), (50, 90)), 10) == [timely]
        assert await tx.due(49, ((0, 10), (40, 60)), 10) == [waiting]
        await tx.move_on([timely._replace(code="OVERSTAY_SUSPECTED", sequence=2, next_change_at=None)])
        assert await tx.due(99, (), 10) == []
        assert (await tx.persons([1]))[0].sequence == 2


async def test_the_outbox_is_emptied_in_order(store: Store) -> None:
    async with store.writer.begin() as tx:
        for blob in (b"1", b"2", b"3"):
            await tx.add_change(blob)
    async with store.writer.begin() as tx:
        assert await tx.lock_outbox()
        rows = await tx.changes(2)
        assert [blob for _, blob, _ in rows] == [b"1", b"2"]
        await tx.delete_changes([number for number, *_ in rows])
    assert await store.reads.undelivered() == 1


async def test_the_first_fingerprint_stands(store: Store) -> None:
    async with store.writer.begin() as tx:
        assert await tx.configuration("one", "first") == ("one", "first")
        assert await tx.configuration("two", "second") == ("one", "first")


async def test_opening_again_finds_what_was_written(store: Store, store_url: str) -> None:
    async with store.writer.begin() as tx:
        await tx.insert_keys([(1, 1)])
    again = await open_store(store_url)
    async with again.writer.begin() as tx:
        assert await tx.keys([1]) == {1: 1}
    await again.reads.ping()
    await again.close()


async def test_a_store_that_is_not_there_says_so() -> None:
    with pytest.raises(StoreDown):
        await open_store("postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(ValueError, match="neither postgresql nor sqlite but mysql"):
        await open_store("mysql://host/db")


async def test_several_stores_are_opened_at_once(tmp_path: Path) -> None:
    """Each is brought to the present layout, one after the other."""
    urls = [f"sqlite:///{tmp_path}/{number}.db" for number in range(4)]
    for each in await asyncio.gather(*map(open_store, urls)):
        await each.close()
