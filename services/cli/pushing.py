"""What IDENT pushes, in a demo and in an evaluation: a key for the door, and the messages sent through it."""

from __future__ import annotations

import time
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.settings import Settings
    from services.simulator.ident_push import Key, Pushed

SYSTEM = "IDENT"
KEY_ID = "ident-simulated"


def new_key() -> Key:
    """A key of this run alone."""
    from services.simulator.ident_push import Key

    return Key(KEY_ID, token_urlsafe(32))


def door(key: Key, port: int = 0) -> dict[str, Any]:
    """The settings of a door that believes the key. The sender waits for each answer, so no rate need hold it back."""
    keys = {key.id: {"system": SYSTEM, "hmac_secret": key.secret}}
    return {"port": port, "keys": keys, "rate": 10_000, "burst": 100_000}


async def through_door(url: str, messages: Path, key: Key) -> Pushed:
    """Send all messages to a door that listens. Raises NotTaken, Refused."""
    import httpx

    from services.simulator.ident_push import push

    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
        return await push(http, messages, key)


async def in_process(settings: Settings, messages: Path, key: Key) -> Pushed:
    """Send all messages to a door in this process, which stamps what it takes with the time of its record."""
    import httpx

    from adapters.registry import systems
    from services.dead_letters import Spool
    from services.ingest import recorded
    from services.ingest.door import Keys, create_app, open_push_handlers
    from services.simulator.ident_push import push
    from services.wiring import open_bus

    system = systems()[SYSTEM]
    bus = await open_bus(settings)
    try:
        spool = Spool(settings.data_dir / "spool")
        found = [(system, system.feed("push"))]
        async with open_push_handlers(
            found, bus, spool, settle_seconds=0, clock=time.time, pause=_on, stamp=recorded
        ) as handlers:
            app = create_app(handlers, Keys.of(settings.door.keys), settings.door)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://door") as http:
                return await push(http, messages, key)
    finally:
        await bus.close()


async def _on(point: str) -> None:
    return
