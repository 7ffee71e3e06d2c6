"""A correlator given up for dead writes nothing; one that dies between two steps loses nothing. On both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from correlation import export, reference
from populations import bytes_of, world_of

from bus.contract import Delivery, Message, Partition, Placed
from services import failpoints
from services.correlator.append import Batch, append
from services.correlator.correlator import Correlator
from services.correlator.key_cache import Appended
from services.dead_letters import Spool
from services.store import Store
from services.store.writer import Fenced, Move

HERE = Partition("visabus.arrival", 0)


class Crash(BaseException):
    """Stands for a death of the process."""


class Silent:
    """A producer that has nothing to send."""

    async def send(self, messages: Sequence[Message]) -> Placed:
        """Nothing was refused, and nothing is told here."""
        assert not messages
        return {}

    async def close(self) -> None:
        """Nothing is held."""


def correlator(store: Store, directory: Path) -> Correlator:
    """One of several over a store."""
    return Correlator(
        store.writer,
        Silent(),
        Spool(directory),
        clock=lambda: datetime(2026, 11, 25, tzinfo=UTC),
        stop=asyncio.Event(),
    )


def delivered(raws: Sequence[bytes], first: int = 0) -> list[Delivery]:
    """The events as a bus gives them, from a position on."""
    return [Delivery(HERE, place, b"k", raw, ()) for place, raw in enumerate(raws)][first:]


async def resolved(store: Store, one: Correlator) -> list[bytes]:
    """The view, once all is looked at and resolved."""
    await one.compare()
    while (await one.resolve()).rows:
        await one.compare()
    return await export(store)


async def zombie_writes_nothing(store: Store, directory: Path) -> None:
    """It was stopped with a batch in hand; its heir holds the partition and has written nothing yet."""
    raws = bytes_of(world_of(3)[0])
    zombie, heir = correlator(store, directory), correlator(store, directory)
    await zombie.assigned([HERE])
    assert await heir.assigned([HERE]) == {HERE: 0}
    with pytest.raises(Fenced):
        await zombie.take(delivered(raws))
    assert await store.reads.backlog() == 0
    assert await store.reads.positions() == {HERE: 0}
    assert await heir.take(delivered(raws)) == {HERE: len(raws)}
    assert await resolved(store, heir) == reference(raws)


async def death_loses_nothing(store: Store, directory: Path) -> None:
    """It dies where the events are written and not committed; whoever comes next reads them again."""
    raws = bytes_of(world_of(4)[0])

    async def die(point: str) -> None:
        if point == "append.written":
            raise Crash

    dying = correlator(store, directory)
    await dying.assigned([HERE])
    with pytest.raises(Crash), failpoints.armed(die):
        await dying.take(delivered(raws))
    heir = correlator(store, directory)
    first = (await heir.assigned([HERE]))[HERE]
    await heir.take(delivered(raws, first))
    assert await resolved(store, heir) == reference(raws)


@pytest.mark.law(3, "the same through its transactions, before its heir has written anything")
async def test_a_zombie_writes_nothing(store: Store, tmp_path: Path) -> None:
    await zombie_writes_nothing(store, tmp_path)


@pytest.mark.law(3, "a death between the events and their commit")
async def test_a_death_loses_nothing(store: Store, tmp_path: Path) -> None:
    await death_loses_nothing(store, tmp_path)


@pytest.mark.law(3, planted="the store's epoch clause dropped")
async def test_without_the_epoch_clause_the_zombie_is_seen(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: a position moves for whoever knows where it stands."""
    async with store.writer.begin() as tx:
        kind: Any = type(tx)
    advance = kind.advance

    async def whoever(self: Any, moves: Sequence[Move]) -> None:
        epochs = {(move.topic, move.part): (await self.claim_position(move.topic, move.part))[1] for move in moves}
        await advance(self, [move._replace(epoch=epochs[move.topic, move.part]) for move in moves])

    monkeypatch.setattr(kind, "advance", whoever)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        await zombie_writes_nothing(store, tmp_path)


async def commit_before_apply(self: Correlator, batch: Batch) -> Appended:
    """`Correlator._append` that moves the position on before the events are in."""
    async with self._writer.begin() as tx:
        await tx.advance(batch.moves)
    async with self._writer.begin() as tx:
        done = await append(tx, replace(batch, moves=[]), self._keys)
        await failpoints.reach("append.written")
        return done


@pytest.mark.law(3, planted="the position committed before the events are applied")
async def test_a_commit_before_the_events_are_in_is_seen(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: what was under way at the death is lost."""
    monkeypatch.setattr(Correlator, "_append", commit_before_apply)
    with pytest.raises(AssertionError):
        await death_loses_nothing(store, tmp_path)
    assert await export(store) == []
