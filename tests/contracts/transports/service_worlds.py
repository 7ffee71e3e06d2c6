"""Sources of the common contract that are services: asked by SOAP, asked item by item, and one that pushes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import toy_door
from contracts.transports import rest_service
from contracts.transports.test_soap_poll import FORMAT, POLL, Owner
from contracts.transports.world import World
from push_client import Signer

from adapters.core import BadRecord, Batch, Connection, Read, Record, SourceDown
from adapters.formats.json_page import JsonPage
from bus.contract import Delivery, Partition
from bus.embedded import EmbeddedBus
from schemas.topics import DEAD_LETTERS, STATUSES
from services.wiring import topics


class Items(World):
    """A REST service with cursors."""

    style = "cursor"

    def __init__(self) -> None:
        rest_service.forget()
        self.service = rest_service.Service(style=self.style, most=2)
        self.stack = AsyncExitStack()

    async def make(self) -> None:
        await self.stack.enter_async_context(rest_service.served(self.service))

    async def put(self, *numbers: int, size: int = 0) -> None:
        for number in numbers:
            self.service.put(f"K{number}", text="x" * size)

    async def again(self, number: int) -> None:
        """The same item, as it was, in another page than before."""
        self.service.items[f"K{number}"] = self.service.items.pop(f"K{number}")

    async def half(self, number: int) -> None:
        await self.put(number)
        self.service.before = lambda request: rest_service.Reply(b'{"items": [{"id": "K', cut=15)

    async def rest(self) -> None:
        self.service.before = lambda request: None

    async def away(self) -> None:
        await self.stack.aclose()

    async def back(self) -> None:
        rest_service.forget()
        self.stack = AsyncExitStack()
        await self.make()

    def open(self) -> Connection:
        return rest_service.transport(self.style).open(self.service.url, JsonPage())

    def number(self, record: Record) -> int:
        return int(str(record.fields["id"]).removeprefix("K"))


class Answers(Items):
    """The same, asked item by item behind a listing."""

    style = "items"

    async def spoil(self) -> None:
        self.service.put("K\n")

    def open(self) -> Connection:
        return rest_service.transport("items").open(self.service.url, rest_service.ANSWERS)

    def number(self, record: Record) -> int:
        return int(str(record.fields["listed"]["id"]).removeprefix("K"))


class Soap(World):
    """A SOAP service that checks what it is asked by the schema of its WSDL; three items to a page."""

    def __init__(self) -> None:
        self.owner = Owner()
        self.port, self.server = 0, None

    server: ThreadingHTTPServer | None

    def start(self) -> None:
        known = self.owner

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status, more, answer = known.reply({}, body)
                self.send_response(status)
                for name, value in ({"Content-Type": "text/xml", "Content-Length": str(len(answer))} | more).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        self.owner.url = f"http://127.0.0.1:{self.port}/changes"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def end(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    async def put(self, *numbers: int, size: int = 0) -> None:
        for number in numbers:
            at = f"{number // 60:02}:{number % 60:02}"
            self.owner.items[number + 1] = at, f"<c:Text>{'x' * size}</c:Text>" if size else ""

    async def again(self, number: int) -> None:
        self.owner.items[number + 1] = self.owner.items.pop(number + 1)

    async def half(self, number: int) -> None:
        await self.put(number)
        self.owner.before = lambda asked: (200, {"Content-Length": "9000", "Connection": "close"}, b"<s:Envelope")

    async def rest(self) -> None:
        self.owner.before = lambda asked: None

    async def spoil(self) -> None:
        at, _ = self.owner.items[2]
        self.owner.items[9999] = at, "<c:Day>tomorrow</c:Day>"

    async def away(self) -> None:
        self.end()

    async def back(self) -> None:
        self.start()

    def open(self) -> Connection:
        return replace(POLL, timeout=3.0).open(self.owner.url, FORMAT)

    def number(self, record: Record) -> int:
        return int(record.fields["Key"][0]) - 1


class Pushed(World):
    """A system that pushes, and sends all again at every poll, as if never answered. What came of it is on the bus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outbox: list[tuple[bytes, dict[str, str]]] = []
        self.bus: EmbeddedBus | None = None
        self.there = True

    async def make(self) -> None:
        self.bus = await EmbeddedBus.open(self.folder / "bus.db")
        await self.bus.declare(topics())

    async def end(self) -> None:
        if self.bus is not None:
            await self.bus.close()

    def _post(self, body: bytes) -> None:
        self.outbox.append((body, Signer().headers(toy_door.PATH, body, 1_764_000_000)))

    async def put(self, *numbers: int, size: int = 0) -> None:
        for number in numbers:
            self._post(b"good %d%s" % (number + 1, b" " * size))

    async def again(self, number: int) -> None:
        self.outbox.append(self.outbox[number])

    async def half(self, number: int) -> None:
        """What arrives is not what was signed."""
        await self.put(number)
        body, headers = self.outbox[-1]
        self.outbox[-1] = body[: len(body) // 2], headers
        self.cut = body

    async def rest(self) -> None:
        self.outbox[-1] = self.cut, self.outbox[-1][1]

    cut = b""

    async def spoil(self) -> None:
        self._post(b"bad x")

    async def away(self) -> None:
        """The bus behind the door: it cannot take what is sent, and says why."""
        self.there = False

    async def back(self) -> None:
        self.there = True

    def open(self) -> Connection:
        return Door(self)

    def number(self, record: Record) -> int:
        return int(record.fields["record"]) - 1


class Door:
    """What stands on the bus once the sender has sent all that it has; it waits and tells why where that cannot be."""

    def __init__(self, world: Pushed) -> None:
        self.world = world

    async def batches(self, position: Any) -> AsyncIterator[Batch]:
        bus = self.world.bus
        assert bus is not None
        door = toy_door.opened(self.world.folder, bus, toy_door.settings(rate=10_000, burst=10_000))
        async with door as rig:
            outbox = list(self.world.outbox)
            failing = toy_door.fail(rig)
            if not self.world.there:
                body = b"good 0"
                outbox.append((body, Signer().headers(toy_door.PATH, body, 1_764_000_000)))
                failing.plan += ["down"] * 100
            for body, headers in outbox:
                answer = await rig.http.post(toy_door.PATH, content=body, headers=headers)
                if answer.status_code != 200:
                    failing.plan.clear()
                    said = answer.json()
                    raise SourceDown(f"{answer.status_code} {said['title']}: {said.get('detail', '')}")
        places = dict(position or {})
        for topic in (STATUSES, DEAD_LETTERS):
            start = {int(name.split("/")[1]): at for name, at in places.items() if name.startswith(f"{topic}/")}
            several = [one async for one in bus.read(topic, start or None)]
            for one in sorted(several, key=_order):
                places = places | {f"{topic}/{one.partition.number}": one.position + 1}
                read = _read(one)

                async def records(read: Read = read) -> AsyncIterator[Read]:
                    yield read

                yield Batch(f"{topic} {one.position}", records, places)

    async def close(self) -> None:
        return


def _order(one: Delivery) -> int:
    body = orjson.loads(one.value or b"{}")
    return int(body.get("record") or 0) if str(body.get("record") or 0).isdigit() else 0


def _read(one: Delivery) -> Read:
    body = orjson.loads(one.value or b"{}")
    if one.partition.topic == DEAD_LETTERS:
        return BadRecord(body["reason"], place=body["place"], raw=one.value or b"")
    return Record(str(Partition(*one.partition)), one.value or b"", {"record": body["record"]})
