"""The REST services of the simulator, polled by the adapters' own transports over loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.core import BadRecord, Closing, Credentials, Defers, Note, Read, Record
from adapters.registry import systems
from adapters.transports import http_client
from services.simulator import rest, simulate, sources
from services.simulator.source import Surroundings

NAMES = ("ELIS", "ESTA", "EVUS", "FDNS", "ICM")


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A population in files of four records each."""
    place = tmp_path_factory.mktemp("rest") / "population"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rest, "FILE", 4)
        simulate(place, persons=400, systems=("I94", "CLAIMS3", *NAMES))
    return place


@asynccontextmanager
async def served(name: str, population: Path) -> AsyncIterator[dict[str, Any]]:
    source = sources()[name]
    async with source.serve(population / source.place, Surroundings()) as answering:
        (settings,) = answering.feeds.values()
        yield dict(settings)


async def read(name: str, settings: dict[str, Any], **options: Any) -> tuple[list[Read], list[str]]:
    """What polls bring until one brings nothing, and what the last left for later."""
    feed = systems()[name].feeds[0].configured({**settings.get("options", {}), **options})
    position: Any = None
    reads: list[Read] = []
    while True:
        connection = feed.transport.open(  # type: ignore[union-attr]
            settings["url"], feed.format, Credentials(settings["user"], settings["secret"])
        )
        before = len(reads)
        async for batch in connection.batches(position):
            reads += [each async for each in batch.records()]
            position = batch.after
        await connection.close()
        if len(reads) == before:
            return reads, list(connection.deferred()) if isinstance(connection, Defers) else []


@pytest.mark.parametrize("name", NAMES)
async def test_all_that_was_written_is_read_page_by_page(
    name: str, population: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "PAGE", 3)
    source = sources()[name]
    files = sorted((population / source.place).glob("page-*.json"))
    assert len(files) > 1
    written = [each for file in files for each in systems()[name].feeds[0].offline(file)]
    async with served(name, population) as settings:
        reads, left = await read(name, settings)
    of_both = [[each.fields for each in these if isinstance(each, Record)] for these in (written, reads)]
    if name == "ELIS":  # a case that is not shown is answered with a body of its own
        of_both = [[{**each, "answer": None} if each["status"] == 404 else each for each in these] for these in of_both]
    assert sorted(of_both[0], key=str) == sorted(of_both[1], key=str)
    assert not [each for each in (*written, *reads) if isinstance(each, BadRecord)]
    assert left == []
    vouched = [each for each in reads if isinstance(each, Closing)]
    assert [type(each) for each in written if isinstance(each, Closing)] == [type(each) for each in vouched]


async def test_elis_is_asked_within_the_limits_of_its_sandbox(population: Path) -> None:
    async with served("ELIS", population) as settings:
        http_client._USED.clear()
        reads, left = await read("ELIS", settings, per_second=200.0, per_day=3)
        assert len([each for each in reads if not isinstance(each, Note)]) == 2, "the listing, and two cases"
        assert "requests of" in left[0]
        http_client._USED.clear()


async def test_a_service_wants_its_credentials_and_a_token(population: Path) -> None:
    async with served("ESTA", population) as settings, httpx.AsyncClient(base_url=settings["url"]) as client:
        assert (await client.get("/v1/authorizations")).status_code == 401
        form = {"grant_type": "client_credentials"}
        assert (await client.post("/oauth/token", data=form, auth=("visabus", "wrong"))).status_code == 401
        assert (await client.post("/oauth/token", data={"grant_type": "password"})).status_code == 401
        form |= {"client_id": settings["user"], "client_secret": settings["secret"]}
        granted = (await client.post("/oauth/token", data=form)).json()
        assert granted["expires_in"] == "1799"
        headers = {"Authorization": f"Bearer {granted['access_token']}"}
        assert (await client.get("/elsewhere", headers=headers)).status_code == 404
        strange = await client.get("/v1/authorizations", params={"cursor": "x"}, headers=headers)
        assert strange.status_code == 400


async def test_elis_answers_a_malformed_receipt_with_422(population: Path) -> None:
    async with served("ELIS", population) as settings, httpx.AsyncClient(base_url=settings["url"]) as client:
        form = {"grant_type": "client_credentials", "client_id": settings["user"], "client_secret": settings["secret"]}
        token = (await client.post("/oauth/accesstoken", data=form)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/case-status/IOE1", headers=headers)).status_code == 422
        assert (await client.get("/case-status/IOE0000000000", headers=headers)).status_code == 404
