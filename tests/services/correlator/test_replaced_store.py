"""Another store in the place of the one that a running correlator writes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from correlation import export, reference
from populations import bytes_of, world_of

from bus.contract import Message
from schemas.codec import decode
from schemas.topics import key_of, topic_of
from services import wiring
from services.correlator.process import run
from services.domain.fingerprint import fingerprint
from services.settings import Settings
from services.store import open_store
from services.store.contract import OtherConfiguration


async def published(settings: Settings, raws: Sequence[bytes]) -> None:
    """Send events, each to its topic."""
    bus = await wiring.open_bus(settings)
    await bus.declare(wiring.topics())
    producer = await bus.producer()
    await producer.send([Message(topic_of(event), key_of(event), raw) for raw in raws for event in (decode(raw),)])
    await producer.close()
    await bus.close()


async def made(file: Path, mark: str) -> Path:
    """A store that was founded by rules of a mark, and has nothing yet."""
    store = await open_store(f"sqlite:///{file}")
    async with store.writer.begin() as tx:
        await tx.configuration(mark, "another store")
    await store.close()
    return file


def put(spare: Path, file: Path) -> None:
    for each in file.parent.glob(f"{file.name}-*"):
        each.unlink()
    os.replace(spare, file)


async def replaced(tmp_path: Path, mark: str) -> tuple[Settings, list[bytes], asyncio.Task[None], asyncio.Event]:
    """A correlator that runs, whose store was replaced by another one once it had read everything."""
    raws = bytes_of(world_of(5, persons=6)[0])
    settings = Settings(data_dir=tmp_path / "data")
    await published(settings, raws[:-1])
    await run(settings, once=True, stop=asyncio.Event())
    stop = asyncio.Event()
    running = asyncio.create_task(run(settings, once=False, stop=stop))
    spare = await made(tmp_path / "spare.db", mark)
    await asyncio.sleep(0)
    put(spare, tmp_path / "data" / "store.db")
    await published(settings, raws[-1:])
    return settings, raws, running, stop


async def exported(settings: Settings) -> list[bytes] | None:
    store = await open_store(settings.store_url)
    try:
        return await export(store)
    finally:
        await store.close()


@pytest.mark.law(2, "a store that is replaced by another one under a running correlator is opened anew, and filled")
async def test_another_store_is_filled(tmp_path: Path) -> None:
    settings, raws, running, stop = await replaced(tmp_path, fingerprint())
    try:
        async with asyncio.timeout(60):
            while not running.done() and await exported(settings) != reference(raws):  # noqa: ASYNC110 - as an operator looks
                await asyncio.sleep(0.2)
    finally:
        stop.set()
        await running
    assert await exported(settings) == reference(raws)


@pytest.mark.law(2, "a store of other rules that takes its place is refused")
async def test_a_store_of_other_rules_is_not_written(tmp_path: Path) -> None:
    _, _, running, stop = await replaced(tmp_path, "other rules")
    try:
        async with asyncio.timeout(60):
            with pytest.raises(OtherConfiguration, match="rebuild"):
                await running
    finally:
        stop.set()
