"""A REST service over real HTTP on loopback, made of a list of items: pages of each style, and the items one by one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from adapters.core import Closing, Format, Read, Record, SourceDown
from adapters.formats.json_page import JsonPage
from adapters.transports import http_client, rest_poll
from adapters.transports.rest_items import RestItems
from adapters.transports.rest_poll import CursorPages, LinkedPages, NumberedPages, RestPoll

CLOCK = "2025-03-15T04:00:00.000000Z"
SIZE = 3
BEGIN = "2025-01-01T00:00:00Z"


@dataclass
class Request:
    """What was asked."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What is answered. `cut`: so many bytes of the body are sent, and the connection is closed."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    length: bool = True  # whether the length of the body is said
    drip: float = 0.0  # seconds between two bytes

    @classmethod
    def of(cls, value: Any, **headers: str) -> Reply:
        """As JSON."""
        return cls(json.dumps(value).encode(), headers=headers)


Handler = Callable[[Request], Awaitable[Reply | None]]


@dataclass
class Service:
    """Items by key, each with its last change. `before` may answer in its place; `after` sees each answer."""

    style: str = "cursor"
    items: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    before: Callable[[Request], Reply | None] = lambda request: None
    after: Callable[[Request], None] = lambda request: None
    clock: str = CLOCK
    most: int = SIZE  # records that a page has at most, whatever is asked for
    url: str = ""
    second: int = 0

    def put(self, key: str, **more: Any) -> None:
        """Change an item, or make it; a moment later than all before."""
        self.second += 1
        at = f"2025-03-14T{self.second // 3600:02}:{self.second // 60 % 60:02}:{self.second % 60:02}Z"
        self.items.pop(key, None)
        self.items[key] = {"id": key, "changed": at, "number": self.second} | more

    async def reply(self, request: Request) -> Reply:
        """The answer to a request."""
        self.asked.append(request)
        reply = self.before(request) or self._answer(request)
        self.after(request)
        return reply

    def _answer(self, request: Request) -> Reply:
        query = request.query
        if request.path == "/token":
            return Reply.of({"access_token": f"token-{len(self.asked)}", "expires_in": "1799", "status": "approved"})
        if request.path.startswith("/v1/items/"):
            item = self.items.get(request.path.rsplit("/", 1)[1])
            return Reply.of({"case": item}) if item else Reply(b"{}", 404)
        records = [each for each in self.items.values() if each["changed"] >= query.get("since", "")]
        size = min(int(query.get("size", SIZE)), self.most)
        at = int(query.get("cursor") or query.get("at") or (int(query.get("page", "1")) - 1) * size)
        page: dict[str, Any] = {"items": records[at : at + size], "as_of": self.clock, "all": len(records)}
        headers = {}
        if at + size < len(records):
            if self.style in ("cursor", "items"):
                page["next_cursor"] = str(at + size)
            if self.style == "link":
                headers["Link"] = f'</v1/items?since={query.get("since", "")}&at={at + size}>; rel="next"'
        return Reply.of(page, **headers)


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[Service]:
    """Answer for as long as the context lasts; may be entered again: the service was down and is back."""

    writers = set[asyncio.StreamWriter]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().splitlines()
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                parts = urlsplit(first.split(" ")[1])
                query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
                await send(writer, await service.reply(Request(parts.path, query, headers, body)))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", int(service.url.rpartition(":")[2] or 0))
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def send(writer: asyncio.StreamWriter, reply: Reply) -> None:
    """Send an answer, whole or not. Raises ConnectionError where it ends the connection."""
    headers = reply.headers | ({"Content-Length": str(len(reply.body))} if reply.length else {"Connection": "close"})
    lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    for at in range(0, len(reply.body), 1 if reply.drip else 2**20):
        if reply.cut is not None and at >= reply.cut:
            break
        end = len(reply.body) if reply.cut is None else reply.cut
        writer.write(reply.body[at : min(end, at + (1 if reply.drip else 2**20))])
        await writer.drain()
        if reply.drip:
            await asyncio.sleep(reply.drip)
    if reply.cut is not None or not reply.length:
        raise ConnectionResetError


STYLES: dict[str, CursorPages | NumberedPages | LinkedPages] = {
    "cursor": CursorPages(shifts=True),
    "page": NumberedPages(size=SIZE),
    "link": LinkedPages(),
    "total": NumberedPages(size=100, total="all"),
}
ANSWERS = JsonPage(items="answers")


def transport(style: str, **options: Any) -> RestPoll:
    """The transport for a style; `items` asks item by item behind a listing with cursors."""
    common: dict[str, Any] = {"path": "/v1/items", "since": "since", "changed": "changed", "clock": "as_of"}
    common |= {"begin": BEGIN, "pages": STYLES.get(style, STYLES["cursor"])} | options
    if style == "items":
        return RestItems(listing=JsonPage(), item="/v1/items/{}", **{"together": 2} | common)
    return RestPoll(**common)


def format_of(style: str) -> Format:
    """What reads its pages."""
    return ANSWERS if style == "items" else JsonPage()


def forget() -> None:
    """What a process knows of services, as after a restart."""
    http_client._TOKENS.clear()
    http_client._USED.clear()
    rest_poll._POLLED.clear()


async def poll(url: str, by: RestPoll, position: Any = None, **given: Any) -> tuple[list[list[Read]], list[Any]]:
    """What one poll brings, by batch, with the position behind each."""
    batches, positions, error = await _poll(url, by, position, **given)
    if error is not None:
        raise error
    return batches, positions


async def poll_until_down(
    url: str, by: RestPoll, position: Any = None, **given: Any
) -> tuple[list[list[Read]], list[Any], str]:
    """The same, and why the source is down; empty if it is not."""
    batches, positions, error = await _poll(url, by, position, **given)
    return batches, positions, "" if error is None else str(error)


async def _poll(url: str, by: RestPoll, position: Any, **given: Any) -> tuple[list[Any], list[Any], SourceDown | None]:
    batches: list[list[Read]] = []
    positions: list[Any] = []
    connection = by.open(url, ANSWERS if isinstance(by, RestItems) else JsonPage(), **given)
    try:
        async for batch in connection.batches(position):
            batches.append([read async for read in batch.records()])
            positions.append(json.loads(json.dumps(batch.after)))
    except SourceDown as error:
        return batches, positions, error
    finally:
        await connection.close()
    return batches, positions, None


def records(batches: list[list[Read]]) -> list[tuple[str, int]]:
    """Key and version of what was read, in order."""
    results = []
    for read in (read for batch in batches for read in batch if isinstance(read, Record)):
        item = read.fields.get("answer", {"case": read.fields}).get("case")
        if item is None:  # gone meanwhile
            continue
        results.append((item["id"], item["number"]))
    return results


def vouched(batches: list[list[Read]]) -> list[str]:
    """Through when the source vouched."""
    return [read.fields["through"] for batch in batches for read in batch if isinstance(read, Closing)]
