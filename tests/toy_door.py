"""A door for the toy system, and a process that runs it: `python -m toy_door DIR PORT BUG`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import uvicorn
from fastapi import FastAPI
from push_client import SECRET, Signer
from toy_source import mapping

from adapters.core import BadRecord, Feed, Read, Record, System
from adapters.transports.http_push import HttpPush
from bus.contract import Bus, BusDown, Message, Placed
from bus.embedded import EmbeddedBus
from services.cli.signals import stop_on_signals
from services.dead_letters import Spool
from services.ingest.door import Keys, PushHandler, create_app, open_push_handlers
from services.ingest.door.ledger import Answer
from services.settings import DoorSettings
from services.wiring import topics


class Lines:
    """The format: a line is a record."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        """Its first word says what becomes of it."""
        for number, line in enumerate(stream.read().splitlines(), start=1):
            word, _, key = line.decode().strip().partition(" ")
            place = f"line {number}"
            if word == "bad":
                yield BadRecord("unreadable", place=place, raw=line)
            elif word == "huge":
                yield BadRecord("too long", place=place, raw=line * 300_000)
            else:
                yield Record(place, line, {"word": word, "key": key})


PUSH = HttpPush("entry", lambda read: str(read.fields["key"]), frozenset({"application/xml"}))
FEED = Feed("push", transport=PUSH, mapping=mapping, format=Lines())
TOY = System("TOY", "Toy", "nobody", 28, ("status",), ("fin",), 1, (FEED,))
PATH = "/push/toy"


@dataclass
class Rig:
    """An open door, in this process."""

    app: FastAPI
    handler: PushHandler
    bus: Bus
    http: httpx.AsyncClient
    keys: Keys
    now: list[float] = field(default_factory=lambda: [1_764_000_000.0])

    async def push(self, body: bytes, *, signer: Signer | None = None, **given: str) -> httpx.Response:
        """A fresh push."""
        headers = (signer or Signer()).headers(PATH, body, int(self.now[0])) | given
        return await self.http.post(PATH, content=body, headers=headers)


def settings(**given: object) -> DoorSettings:
    """With one shared key, unless told otherwise."""
    keys = {"toy-2026a": {"system": "TOY", "hmac_secret": SECRET}}
    return DoorSettings.model_validate({"keys": keys} | given)


@asynccontextmanager
async def opened(directory: Path, bus: Bus, door: DoorSettings) -> AsyncIterator[Rig]:
    """A door over an open bus."""
    now = [1_764_000_000.0]
    spool = Spool(directory / "spool")
    handlers = open_push_handlers([(TOY, FEED)], bus, spool, takeover_seconds=0.05, clock=lambda: now[0], limits=door)
    async with handlers as handlers:
        keys = Keys.of(door.keys)
        app = create_app(handlers, keys, door, lambda: now[0])
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://door") as http:
            yield Rig(app, handlers["toy"], bus, http, keys, now)


class Failing:
    """A producer that fails at the sends it is told; `late` ones arrive all the same."""

    def __init__(self, sound: Any) -> None:
        self.sound = sound
        self.plan: list[str] = []

    async def send(self, messages: list[Message]) -> Placed:
        fate = self.plan.pop(0) if self.plan else "sound"
        placed: Placed = await self.sound.send(messages) if fate != "down" else {}
        if fate != "sound":
            raise BusDown("not there")
        return placed

    async def close(self) -> None:
        await self.sound.close()


def fail(rig: Rig, *plan: str) -> Failing:
    """Have the next sends of a door fail as planned."""
    failing = Failing(rig.handler.producer)
    failing.plan = list(plan)
    ledger = rig.handler.ledger
    rig.handler.producer = ledger.producer = ledger.ownership.producer = failing
    return failing


async def _process(directory: Path, port: int, bug: str) -> None:
    """Serve."""
    if bug == "planted":
        plant()
    stop_on_signals(None)  # uvicorn sends itself the signal again once it has stopped
    bus = await EmbeddedBus.open(directory / "bus.db")
    await bus.declare(topics())
    async with opened(directory, bus, settings(rate=10_000, burst=10_000)) as rig:
        config = uvicorn.Config(rig.app, port=port, log_config=None, access_log=False)
        await uvicorn.Server(config).serve()
    await bus.close()


def plant() -> None:
    """The planted bug: the answer goes out, and is kept, before the events are durable."""
    from services.ingest.door import push_handler as module

    sound = module.PushHandler._keep

    async def unsound(self: PushHandler, post: module.Post, digest: str) -> Answer:
        async def later() -> None:
            await asyncio.sleep(0.5)  # the answer is with the sender by then
            if len(_LATER) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            await sound(self, post, digest)

        _LATER.append(asyncio.create_task(later()))
        count = len(post.body.splitlines())
        return Answer(post.name, digest, post.expires, {"read": count, "refused": 0, "answers": []})

    module.PushHandler._keep = unsound  # type: ignore[method-assign]


_LATER: list[asyncio.Task[None]] = []


if __name__ == "__main__":
    folder, number, kind = sys.argv[1:]
    asyncio.run(_process(Path(folder), int(number), kind))
