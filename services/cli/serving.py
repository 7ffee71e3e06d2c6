"""The simulated systems while they answer, in a demo and in an evaluation: their feeds, and what they push."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from services.settings import Settings
    from services.simulator import Source
    from services.simulator.push import PushKey


def push_keys(sources: Iterable[Source]) -> dict[str, PushKey]:
    """Return a key of this run alone for each system that pushes, by the system's name."""
    from services.simulator.push import PushKey

    return {
        source.system: PushKey(f"{source.system.lower().replace('/', '-')}-simulated", token_urlsafe(32))
        for source in sources
        if source.pushes
    }


def door(keys: Mapping[str, PushKey], port: int = 0) -> dict[str, Any]:
    """Return the settings of a push handler that believes the keys.

    The senders wait for each answer, so no rate need hold them back.
    """
    believed = {key.id: {"system": system, "hmac_secret": key.secret} for system, key in keys.items()}
    return {"port": port, "keys": believed, "rate": 10_000, "burst": 100_000}


@dataclass(frozen=True, slots=True)
class Answering:
    """Systems that answer: the settings of their feeds, and a coroutine that sends what the systems send."""

    feeds: dict[str, dict[str, Any]]
    send: Callable[[], Awaitable[None]]
    questions: list[tuple[str, str]] = field(default_factory=list)  # feed and identifier

    async def ask(self, settings: Settings) -> None:
        """Put the questions on the bus, for the systems that are asked."""
        from datetime import UTC, datetime

        from services.cli.ask import put
        from services.questions import Priority, question_of

        now = datetime.now(UTC)
        if self.questions:
            keys = [(feed.replace(".", "/", 1), identifier) for feed, identifier in self.questions]
            await put(settings, [question_of(feed, each, Priority.BY_HAND, now, "simulated") for feed, each in keys])


@asynccontextmanager
async def answering(
    sources: Iterable[Source],
    population: Path,
    *,
    keys: Mapping[str, PushKey],
    http: httpx.AsyncClient | None = None,
    queues: Mapping[str, str] | None = None,
    servers: Mapping[str, str] | None = None,
) -> AsyncIterator[Answering]:
    """Have all systems answer for as long as the context lasts. Raises SourceUnavailable, from sending too.

    `http` is a client of the push handler; `queues` has the address of an empty queue by system, `servers` that of an
    empty server of the system's own kind.
    """
    from services.simulator import Surroundings

    feeds: dict[str, dict[str, Any]] = {}
    senders = []
    questions: list[tuple[str, str]] = []
    async with AsyncExitStack() as stack:
        for source in sources:
            addresses = ((given or {}).get(source.system, "") for given in (queues, servers))
            surroundings = Surroundings(http, keys.get(source.system), *addresses)
            served = await stack.enter_async_context(source.serve(population / source.place, surroundings))
            feeds.update({name: dict(settings) for name, settings in served.feeds.items()})
            senders.append(served.send)
            questions += [(feed, each) for feed, some in served.questions.items() for each in some]

        async def send() -> None:
            await asyncio.gather(*(each() for each in senders))

        yield Answering(feeds, send, questions)


@asynccontextmanager
async def push_handler(settings: Settings, sources: Iterable[Source]) -> AsyncIterator[httpx.AsyncClient]:
    """Run a push handler in this process, which stamps what it takes with the time of its record; yield a client."""
    import httpx

    from adapters.registry import systems
    from services.dead_letters import Spool
    from services.ingest import recorded
    from services.ingest.door import Keys, create_app, open_push_handlers
    from services.wiring import open_bus

    feeds = [(systems()[source.system], systems()[source.system].feed(source.pushes)) for source in sources]
    bus = await open_bus(settings)
    try:
        spool = Spool(settings.data_dir / "spool")
        async with open_push_handlers(
            feeds, bus, spool, takeover_seconds=0, clock=time.time, stamp=recorded, limits=settings.door
        ) as handlers:
            app = create_app(handlers, Keys.of(settings.door.keys), settings.door)
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://door") as http:
                yield http
    finally:
        await bus.close()
