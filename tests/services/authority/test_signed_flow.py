"""From sources to the view with keys: what ingest signs the correlator takes, and the view is that without."""

from __future__ import annotations

import asyncio
from pathlib import Path

import orjson
import pytest

from schemas.topics import DEAD_LETTERS
from services.authority.keys import make
from services.correlator import process
from services.export import lines
from services.ingest.clocks import recorded
from services.ingest.host import run
from services.ingest.sources import sources
from services.settings import Settings, SettingsError, load
from services.simulator import addresses, simulate
from services.store import open_store
from services.wiring import open_bus

SYSTEMS = ("I94", "CLAIMS3", "EARM")


def settings_of(directory: Path, population: Path, keys: Path | None) -> Settings:
    feeds = {name: at for name, at in addresses(population).items() if name.partition(".")[0] in SYSTEMS}
    environment = {
        "VISABUS_DATA_DIR": str(directory),
        "VISABUS_FEEDS": orjson.dumps(feeds).decode(),
        "VISABUS_INGEST__FENCE_SECONDS": "0.1",
    }
    return load(environment=environment | ({} if keys is None else {"VISABUS_SIGNING__KEYS": str(keys)}))


async def flowed(settings: Settings, *, twice: bool = False) -> tuple[list[bytes], list[str]]:
    """The view, and the reasons of the dead letters."""
    for _ in range(1 + twice):
        outcomes = await run(settings, sources(settings), once=True, clock=recorded)
        assert [each.error for each in outcomes] == [None] * len(outcomes)
        assert sum(each.counters.published for each in outcomes) > 20
    async with asyncio.timeout(120):
        await process.run(settings, once=True, stop=asyncio.Event())
    bus = await open_bus(settings)
    reasons = [orjson.loads(one.value or b"")["reason"] async for one in bus.read(DEAD_LETTERS)]
    await bus.close()
    store = await open_store(settings.store_url)
    view = [line async for line in lines(store.reads)]
    await store.close()
    return view, reasons


async def test_a_signed_flow_gives_the_view_of_one_without_keys(tmp_path: Path) -> None:
    simulate(tmp_path / "population", persons=20, seed=3, systems=SYSTEMS)
    for system in SYSTEMS:
        make(tmp_path / "keys", system)
    plain = await flowed(settings_of(tmp_path / "plain", tmp_path / "population", None))
    signed = settings_of(tmp_path / "signed", tmp_path / "population", tmp_path / "keys")
    assert await flowed(signed, twice=True) == plain
    assert len(plain[0]) > 5
    assert plain[1] == []
    (tmp_path / "keys" / "I94.keys").unlink()
    with pytest.raises(SettingsError, match="visabus keys make I94"):
        sources(signed)


async def test_what_was_sent_without_keys_is_refused_where_they_are_set(tmp_path: Path) -> None:
    simulate(tmp_path / "population", persons=20, seed=3, systems=SYSTEMS)
    for system in SYSTEMS:
        make(tmp_path / "keys", system)
    plain = settings_of(tmp_path / "data", tmp_path / "population", None)
    await run(plain, sources(plain), once=True, clock=recorded)
    keyed = settings_of(tmp_path / "data", tmp_path / "population", tmp_path / "keys")
    async with asyncio.timeout(120):
        await process.run(keyed, once=True, stop=asyncio.Event())
    store = await open_store(keyed.store_url)
    assert [line async for line in lines(store.reads)] == [b'{"complete":{}}']
    await store.close()
    bus = await open_bus(keyed)
    reasons = {orjson.loads(one.value or b"")["reason"] async for one in bus.read(DEAD_LETTERS)}
    await bus.close()
    assert reasons == {"signature: missing"}
