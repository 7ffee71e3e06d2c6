"""Simulated systems answer for as long as the context lasts: on loopback, by what lies there, by what they send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from services.cli.context import Refusal
from services.cli.population import queues_of, sources_of
from services.cli.serving import answering, door, push_keys
from services.simulator import Served, Source, SourceUnavailable, Surroundings, sources
from services.simulator.source import Feeds, Run, Writer


class Rest(Source):
    """A system that answers over HTTP, and pushes the length of its answer."""

    system = "REST"
    place = "rest.json"
    pushes = "push"

    def open(self, run: Run) -> Writer:
        """Not called here."""
        raise NotImplementedError

    def feeds(self, place: Path) -> Feeds:
        """Nothing lies there to be read."""
        return {}

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer each request with the file."""
        body = await asyncio.to_thread(place.read_bytes)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
            writer.close()

        async def send() -> None:
            assert surroundings.door is not None
            assert surroundings.key is not None
            await surroundings.door.post("/push/rest", content=surroundings.key.id)

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            yield Served({"REST.pages": {"url": f"http://127.0.0.1:{port}/"}}, send)


async def test_a_system_answers_on_loopback_and_sends(tmp_path: Path) -> None:
    (tmp_path / "rest.json").write_text("[1, 2]")
    source = Rest()
    keys = push_keys([source])
    assert door(keys)["keys"] == {"rest-simulated": {"system": "REST", "hmac_secret": keys["REST"].secret}}
    taken: list[bytes] = []

    def take(request: httpx.Request) -> httpx.Response:
        taken.append(request.content)
        return httpx.Response(200)

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(take), base_url="http://door") as http,
        answering([source], tmp_path, keys=keys, http=http) as systems,
    ):
        url = systems.feeds["REST.pages"]["url"]
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(url)).json() == [1, 2]
        await systems.send()
    assert taken == [b"rest-simulated"]
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_what_lies_there_needs_nothing_that_answers(tmp_path: Path) -> None:
    known = [sources()[name] for name in ("I94", "APIS", "IDENT")]
    async with answering(known, tmp_path, keys={}) as systems:
        assert systems.feeds["I94.nightly"] == {"url": (tmp_path / "i94").as_uri()}
        assert "APIS.files" in systems.feeds
        await systems.send()  # without a push handler nothing is pushed


async def test_a_queue_that_cannot_be_filled_is_an_error(tmp_path: Path) -> None:
    systems = answering([sources()["APIS"]], tmp_path, keys={}, queues={"APIS": "amqp://127.0.0.1:1/apis"})
    with pytest.raises(SourceUnavailable, match="cannot be filled"):
        async with systems:
            pass


def test_a_queue_belongs_to_a_system_that_is_written() -> None:
    few = sources_of("I94,CLAIMS3,APIS")
    assert queues_of(["apis=amqp://127.0.0.1/apis"], few) == {"APIS": "amqp://127.0.0.1/apis"}
    for text in ("amqp://127.0.0.1/apis", "APIS=", "SEVIS=amqp://127.0.0.1/apis"):
        with pytest.raises(Refusal, match="SYSTEM=URL"):
            queues_of([text], few)
