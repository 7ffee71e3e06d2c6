"""A Kafka that was never reached is asked once why: the same would come again. One that is silent is asked twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from bus import kafka_control
from bus.contract import BusDown
from bus.open import open_bus


@dataclass
class Closing:
    """A server that ends each connection as soon as something came."""

    met: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.met += 1
        await reader.read(1)
        writer.close()


async def test_a_kafka_that_was_never_reached_is_asked_once() -> None:
    closing = Closing()
    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    bus = await open_bus(f"kafka://{host}:{port}")
    try:
        with pytest.raises(BusDown, match=f"{host}:{port}: closed: "):
            await bus.ends(["visabus.arrival"])
    finally:
        await bus.close()
        server.close()
        await server.wait_closed()
    assert closing.met == 2  # with the protocol, and whether it speaks TLS


async def test_one_that_is_silent_may_only_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_control, "_REACH", 0.4)
    met = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    bus = await open_bus(f"kafka://{host}:{port}")
    try:
        with pytest.raises(BusDown, match="timeout"):
            await bus.ends(["visabus.arrival"])
    finally:
        await bus.close()
        server.close()
        await server.wait_closed()
    assert met == 4  # twice what one is asked that ends the connection
