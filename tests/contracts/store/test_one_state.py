"""A reader in pages sees one committed state, however slowly it reads and whatever is written meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from correlation import Driver
from populations import bytes_of, world_of

import services.store.reads as reads_module
from services.domain.pools import Pool
from services.export import lines
from services.matches import possible
from services.store import Store
from services.store.reads import SqlReads
from services.store.tables import BLOCKS

Reading = Callable[[Store], AsyncIterator[object]]
READINGS: dict[str, Reading] = {
    "export": lambda store: lines(store.reads),
    "export of the past": lambda store: lines(store.reads, known_at=2**60),
    "histories": lambda store: store.reads.histories(),
    "pools": lambda store: store.reads.all_pools(),
    "pools of several": lambda store: store.reads.pools_of_several(),
    "claims": lambda store: store.reads.claims_by_block(range(len(BLOCKS))),
    "matches": lambda store: possible(store.reads),
}


def comparable(piece: object) -> object:
    """A piece of an answer, to be compared."""
    if isinstance(piece, tuple) and isinstance(piece[-1], Pool):
        piece = piece[-1]
    facts = getattr(piece, "facts", None)
    return sorted(facts) if facts is not None else piece


async def torn(store: Store, reading: Reading, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether a reader is told another thing than what stood when it began, by what is written after its first page."""
    monkeypatch.setattr(reads_module, "PAGE", 2)
    raws = bytes_of(world_of(9, persons=30)[0])
    driver = Driver(store.writer)
    await driver.append(raws[: len(raws) // 2])
    await driver.finish()
    stood = [comparable(piece) async for piece in reading(store)]
    pieces = []
    async with aclosing(reading(store)) as answer:  # type: ignore[type-var]
        async for piece in answer:
            pieces.append(comparable(piece))
            if len(pieces) == 1:
                await driver.append(raws[len(raws) // 2 :])
                await driver.finish()
    assert stood
    assert [comparable(piece) async for piece in reading(store)] != stood, "nothing was written"
    return pieces != stood


@pytest.mark.law(1, "export, report, matches and every reader in pages read one committed state")
@pytest.mark.parametrize("name", READINGS)
async def test_a_slow_reader_sees_one_state(store: Store, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not await torn(store, READINGS[name], monkeypatch)


@asynccontextmanager
async def no_state(self: SqlReads) -> AsyncIterator[SqlReads]:
    """`one_state` that goes on with what is committed page by page."""
    yield self


@pytest.mark.law(1, planted="a reader in pages that a writer tears")
async def test_a_torn_reader_is_seen(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqlReads, "one_state", no_state)
    assert await torn(store, READINGS["export"], monkeypatch)
