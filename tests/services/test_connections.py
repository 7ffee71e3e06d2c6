"""Connections that keep silent, crawl, or never fetch their answers: each ends in time, and costs no one else.

Each limit is planted against: switched off, the test of that limit fails.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
import uvicorn
from killing import wait_until

from services.connections import BoundedConfig, Limits

QUICK = Limits(
    connections=20,
    head_seconds=0.4,
    body_grace_seconds=0.4,
    body_rate=1_000,
    idle_seconds=1,
    answer_seconds=0.4,
)
GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
FOREVER = 86_400.0
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer /big with much, /read after the body, all else at once."""
    if scope["type"] != "http":
        return
    if scope["path"] == "/read":
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            return
    body = b"x" * (50_000_000 if scope["path"] == "/big" else 2)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


@dataclass
class Running:
    config: BoundedConfig
    port: int
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def open(self, sent: bytes = b"") -> Stream:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1_000)
        self.writers.append(writer)
        writer.write(sent)
        return reader, writer


class _Server(uvicorn.Server):
    def __init__(self, config: BoundedConfig) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def serving(limits: Limits) -> AsyncIterator[Running]:
    """A server with these limits, in this process."""
    config = BoundedConfig(application, limits, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = _Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        task = asyncio.create_task(server.serve([listening]))
        await server.listening.wait()
        running = Running(config, listening.getsockname()[1])
        try:
            yield running
        finally:
            for writer in running.writers:
                writer.transport.abort()
            server.should_exit = True
            await task


async def silent(running: Running) -> Stream:
    return await running.open()


async def head_by_the_byte(running: Running) -> Stream:
    stream = await running.open(b"GET / HTTP/1.1\r\n")
    _drip(stream[1], b"x")
    return stream


async def second_head(running: Running) -> Stream:
    """An honest request, and then a head that never ends."""
    reader, writer = await running.open(GET)
    await reader.readuntil(b"xx")
    writer.write(b"G")
    return reader, writer


async def body_by_the_byte(running: Running) -> Stream:
    stream = await running.open(b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 4000\r\n\r\n")
    _drip(stream[1], b"x")
    return stream


async def chunks_by_the_byte(running: Running) -> Stream:
    stream = await running.open(b"POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
    _drip(stream[1], b"1\r\nx\r\n")
    return stream


async def body_after_the_answer(running: Running) -> Stream:
    stream = await running.open(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 400000\r\n\r\n")
    await stream[0].readuntil(b"xx")
    _drip(stream[1], b"x" * 200)
    return stream


async def idle(running: Running) -> Stream:
    stream = await running.open(GET)
    await stream[0].readuntil(b"xx")
    return stream


_TASKS: set[asyncio.Task[None]] = set()


def _drip(writer: asyncio.StreamWriter, piece: bytes) -> None:
    async def run() -> None:
        with suppress(OSError):
            while not writer.is_closing():
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.05)

    task = asyncio.create_task(run())
    _TASKS.add(task)
    task.add_done_callback(_TASKS.discard)


@pytest.fixture(autouse=True)
async def _no_drips() -> AsyncIterator[None]:
    yield
    for task in list(_TASKS):
        task.cancel()
    await asyncio.gather(*_TASKS, return_exceptions=True)


async def _ended(stream: Stream, seconds: float) -> bytes | None:
    """What was answered until the connection ended; None if it did not."""
    reader, _ = stream
    try:
        async with asyncio.timeout(seconds):
            return await reader.read(-1)
    except TimeoutError:
        return None
    except OSError:
        return b""


Slow = Callable[[Running], Awaitable[Stream]]
WAYS: list[tuple[Slow, str, Limits]] = [
    (silent, "head-slow", replace(QUICK, head_seconds=FOREVER)),
    (head_by_the_byte, "head-slow", replace(QUICK, head_seconds=FOREVER)),
    (second_head, "head-slow", replace(QUICK, head_seconds=FOREVER)),
    (body_by_the_byte, "body-slow", replace(QUICK, body_rate=1e-3)),
    (chunks_by_the_byte, "body-slow", replace(QUICK, body_rate=1e-3)),
    (body_after_the_answer, "body-after-answer", replace(QUICK, body_grace_seconds=FOREVER)),
    (idle, "", replace(QUICK, idle_seconds=FOREVER)),
]


@pytest.mark.parametrize(("way", "reason", "off"), WAYS, ids=lambda each: getattr(each, "__name__", ""))
async def test_what_is_too_slow_is_ended_and_counted(way: Slow, reason: str, off: Limits) -> None:
    async with serving(QUICK) as running:
        stream = await way(running)
        assert await _ended(stream, 60) is not None
        assert running.config.closures.counts == ({reason: 1} if reason else {})
    async with serving(off) as running:  # the planted bug: the limit is off
        assert await _ended(await way(running), 1.2) is None


@pytest.mark.parametrize(("seconds", "ends"), [(0.4, True), (FOREVER, False)], ids=["limit", "planted"])
async def test_an_answer_that_is_not_fetched_is_given_up(seconds: float, ends: bool) -> None:
    async with serving(replace(QUICK, answer_seconds=seconds)) as running:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            await asyncio.to_thread(client.connect, ("127.0.0.1", running.port))
            client.sendall(GET.replace(b"/ ", b"/big "))

            async def ended() -> bool:
                return bool(running.config.closures.counts)

            await (wait_until(ended) if ends else asyncio.sleep(1.5))
            assert running.config.closures.counts == ({"answer-not-fetched": 1} if ends else {})


async def test_an_honest_slow_body_is_taken() -> None:
    async with serving(replace(QUICK, body_grace_seconds=2)) as running:
        reader, writer = await running.open(b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 4000\r\n\r\n")
        for _ in range(20):
            writer.write(b"x" * 200)
            await asyncio.sleep(0.05)
        assert b"200 OK" in await reader.readuntil(b"xx")
        assert running.config.closures.counts == {}


@pytest.mark.parametrize("most", [20, 1_000], ids=["limit", "planted"])
async def test_at_the_limit_the_longest_silent_one_gives_way(most: int) -> None:
    limits = Limits(most, FOREVER, FOREVER, 1, FOREVER)
    async with serving(limits) as running:
        working = await running.open(b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n")
        waiting = await idle(running)
        streams = [await silent(running) for _ in range(300)]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{running.port}", timeout=60) as http:
            assert (await http.get("/")).status_code == 200
        held = len(running.config.new) + len(running.config.idle)
        assert (held <= 20) is (most == 20)
        if most == 20:
            assert await _ended(streams[0], 60) is not None
            assert await _ended(streams[-1], 0.1) is None
            assert running.config.closures.counts["connections"] > 280
        else:
            assert held > 300
        # who asked before is closed after those that never did, and who is in work is not closed at all
        waiting[1].write(GET)
        assert b"200 OK" in await waiting[0].readuntil(b"xx")
        working[1].write(b"body")
        assert b"200 OK" in await working[0].readuntil(b"xx")


async def test_when_all_are_in_work_the_new_one_is_told_to_come_again() -> None:
    async with serving(replace(QUICK, connections=3, body_grace_seconds=FOREVER)) as running:
        head = b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n"
        working = [await running.open(head) for _ in range(3)]
        await asyncio.sleep(0.1)
        answer = await _ended(await running.open(), 1)
        assert answer is not None
        assert b"503 Service Unavailable" in answer
        assert b"retry-after: 1" in answer
        for reader, writer in working:
            writer.write(b"body")
            assert b"200 OK" in await reader.readuntil(b"xx")
