"""A backlog's claims are compared in one turn, a slice of their blocks at a time: the same pools as in one go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence, Set
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pytest
from correlation import Driver, export, reference
from populations import World, booking, bytes_of

from schemas.identifiers import Identifier, Scheme
from services.clock import wall_clock
from services.correlator import compare
from services.correlator.correlator import Correlator
from services.correlator.merge import merge
from services.dead_letters import Spool
from services.domain import caps
from services.store import Store, open_store
from services.store.writer import Transaction


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite+aiosqlite:///{tmp_path}/store.db")
    yield opened
    await opened.close()


@pytest.fixture
def sliced(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row of work, two claims, and one or two blocks at a time."""
    for name, size in {"ROWS": 1, "CLAIMS": 2, "SLICE": 2, "BREATH": 1, "GROUPS": 3}.items():
        monkeypatch.setattr(compare, name, size)


def records(persons: int = 12, each: int = 3) -> list[bytes]:
    """Records of persons that share nothing but name, date of birth and citizenship."""
    world = World(7)
    return bytes_of(
        [
            booking(world, person, Identifier.of(Scheme.VISA, world.number("V", 7)))
            for person in [world.person() for _ in range(persons)] * each
        ]
    )


async def taken_in(store: Store, raws: list[bytes]) -> list[bytes]:
    """What the view is after one comparing of batches of five."""
    driver = Driver(store.writer)
    for first in range(0, len(raws), 5):
        await driver.append(raws[first : first + 5])
    async with store.writer.begin() as tx:
        assert await compare.compare(tx, 100) == -(-len(raws) // 5)
        assert await tx.uncompared(1) == []
    while await driver.resolve(50):
        await driver.compare()
    return await export(store)


@pytest.mark.parametrize("cap", [caps.CAP, 2])
@pytest.mark.usefixtures("sliced")
async def test_slices_make_the_same_pools(store: Store, cap: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "CAP", cap)
    raws = records()
    histories = await taken_in(store, raws)
    assert histories == reference(raws)
    assert len(histories) == (12 if cap > 2 else 24)


@pytest.mark.usefixtures("sliced")
async def test_a_slice_that_is_left_out_is_seen(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compare._asked

    async def all_but_most(tx: Transaction, mine: Set[int]) -> Iterator[list[list[int]]]:
        return islice(await whole(tx, mine), 3)

    monkeypatch.setattr(compare, "_asked", all_but_most)
    raws = records()
    assert await taken_in(store, raws) != reference(raws)


@pytest.mark.parametrize("bug", [False, True])
@pytest.mark.usefixtures("sliced")
async def test_correlators_that_write_the_same_aliases_write_them_in_the_same_order(
    store: Store, monkeypatch: pytest.MonkeyPatch, bug: bool
) -> None:
    """The planted bug: portions in the order in which slices found them, so that two of a server deadlock."""
    portions: list[list[int]] = []

    async def merging(tx: Transaction, groups: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        portions.append([max(group) for group in groups])
        return await merge(tx, groups)

    monkeypatch.setattr(compare, "merge", merging)
    if bug:
        monkeypatch.setattr(compare, "_in_order", list)
    raws = records()
    assert await taken_in(store, raws) == reference(raws)
    assert len(portions) == 8
    written = [loser for portion in portions for loser in portion]
    assert (written == sorted(written)) is not bug


def test_chains_of_pools_are_brought_together_at_their_least() -> None:
    assert compare._in_order([(7, 5), (9, 8), (7, 3), (2, 9)]) == [(3, 5), (3, 7), (2, 8), (2, 9)]


@pytest.mark.parametrize("patient", [False, True])
@pytest.mark.usefixtures("sliced")
async def test_an_order_to_stop_gives_a_long_turn_up_as_a_whole(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patient: bool
) -> None:
    """What was compared of it is compared again by whoever starts next, to the same end."""
    stop, raws, nothing = asyncio.Event(), records(), cast(Any, None)
    driver = Driver(store.writer)
    for first in range(0, len(raws), 5):
        await driver.append(raws[first : first + 5])
    whole = compare._Turn.compare
    slices = 0

    async def ordered(turn: compare._Turn, asked: Sequence[Sequence[int]]) -> None:
        nonlocal slices
        slices += 1
        await whole(turn, asked)
        stop.set()

    monkeypatch.setattr(compare._Turn, "compare", ordered)
    spool = Spool(tmp_path / "spool")
    correlator = Correlator(store.writer, nothing, spool, clock=wall_clock, stop=stop, patient=patient)
    await correlator.compare()
    assert (slices > 1) is patient
    async with store.writer.begin() as tx:
        assert bool(await tx.uncompared(1)) is not patient
    while await driver.resolve(50):
        await driver.compare()
    await driver.compare()
    while await driver.resolve(50):
        await driver.compare()
    assert await export(store) == reference(raws)
