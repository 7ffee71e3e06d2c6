"""`visabus door`: take what systems push over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from links.tasks import cancel
from services.cli.context import FAILED, MISUSED, Refusal, settings_of, sources_of, start_logs
from services.cli.ingest import Stamp

if TYPE_CHECKING:
    from fastapi import FastAPI

    from adapters.core import Feed, System
    from bus.contract import Bus
    from schemas.operations import FeedStatus
    from services.cli.web import Server
    from services.ingest.door import PushHandler
    from services.ingest.door.key_files import KeyFiles
    from services.settings import Settings

_KEYS_SECONDS = 1.0
"""How often the files that keys stand in are compared."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the settings stand, and how they are read again."""

    load: Callable[[], Settings]
    paths: list[Path]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(door)


def door(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Where to listen; by default as the settings say.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Where to listen.")] = None,
    stamp: Annotated[Stamp, typer.Option(help="now, or for history: when the source recorded it.")] = Stamp.NOW,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Also take the feeds that another running door holds.")
    ] = False,
) -> None:
    """Take what systems push over HTTP, signed, and answer each record once it is durable on the bus.

    Whose pushes are taken, and signed with which keys, stands in the settings; secrets can stand in the environment
    or in the secrets directory:

        [door.keys."ident-2026a"]
        system = "IDENT"
        hmac_secret = "..."

    Keys are read again when these files change. One door runs at a time: a second one is refused, unless --take-over
    says that it takes the feeds over. Ends with SIGTERM or SIGINT, and with 1 if another door took over.

        visabus door --port 8081
    """
    settings = settings_of(context)
    pushed = _pushed(settings)
    start_logs(settings)
    host, port = host or settings.door.host, settings.door.port if port is None else port
    files = KeySource(lambda: settings_of(context), sources_of(context))
    lost = asyncio.run(_run(settings, pushed, host, port, stamp, files, take_over=take_over))
    if lost:
        typer.echo("visabus: another door took over", err=True)
        raise typer.Exit(FAILED)


def _pushed(settings: Settings) -> list[tuple[System, Feed]]:
    """The feeds that there are keys for. Raises Refusal."""
    from adapters.core import Pushed
    from adapters.registry import systems

    if not settings.door.keys:
        raise Refusal('the settings have no key; add a [door.keys."..."] table', MISUSED)
    feeds = []
    for name in sorted({key.system for key in settings.door.keys.values()}):
        system = systems().get(name)
        pushed = [feed for feed in system.feeds if isinstance(feed.transport, Pushed)] if system is not None else []
        if system is None or not pushed:
            raise Refusal(f"door.keys: {name} is no system that pushes; `visabus adapters` lists them", MISUSED)
        feeds.append((system, pushed[0]))
    return feeds


async def _run(
    settings: Settings,
    pushed: list[tuple[System, Feed]],
    host: str,
    port: int,
    stamp: Stamp,
    source: KeySource | None = None,
    *,
    take_over: bool,
) -> bool:
    from services.cli.signals import stop_on_signals
    from services.ingest.door import Keys, create_app
    from services.ingest.door.key_files import KeyFiles
    from services.memory import leave_alone_what_stands
    from services.metrics import FeedCollector, exported
    from services.stopping import Stopped, cut_off

    leave_alone_what_stands()
    stop = stop_on_signals(settings.deadlines.stop)
    async with AsyncExitStack() as opening:
        try:
            async with cut_off(stop):
                handlers = await _open(settings, pushed, stamp, opening, stop, take_over=take_over)
        except Stopped:
            return False
        keys = Keys.of(settings.door.keys)
        source = source or KeySource(lambda: settings, [])
        files = KeyFiles(source.paths, source.load, keys, {system.name for system, _ in pushed})
        app = create_app(handlers, keys, settings.door)
        metrics = settings.metrics
        with exported(metrics.host, metrics.door, FeedCollector(lambda: _status(handlers))):
            return await _serve(app, handlers, files, settings, host, port, stop)


async def _open(
    settings: Settings,
    pushed: list[tuple[System, Feed]],
    stamp: Stamp,
    opening: AsyncExitStack,
    stop: asyncio.Event,
    *,
    take_over: bool,
) -> dict[str, PushHandler]:
    """Open the bus and take the feeds, both closed with `opening`. Raises BusDown after the outage that may be."""
    import structlog

    from bus.contract import BusDown
    from services import retry
    from services.dead_letters import Spool
    from services.feeds.processes import new_owner
    from services.ingest import now, recorded
    from services.ingest.door import open_push_handlers
    from services.ingest.door.readers import ReaderDown
    from services.ingest.gate import gate_of
    from services.outages import Outage
    from services.wiring import open_bus, topics

    log = structlog.get_logger("door")
    outage = Outage(partial(log.warning, "waiting for the bus"), partial(log.info, "the bus is there again"))
    policy = retry.bus(BusDown, stop=stop, deadline=settings.deadlines.bus_outage, on_failure=outage.failed)
    bus: Bus = await policy(open_bus, settings)
    opening.push_async_callback(bus.close)
    await policy(bus.declare, topics())
    owner = new_owner()  # the same at each attempt: what an attempt before took is not held by another

    async def opened() -> dict[str, PushHandler]:
        handlers = open_push_handlers(
            pushed,
            bus,
            Spool(settings.data_dir / "spool"),
            takeover_seconds=2 * settings.ingest.fence_seconds,
            take_over=take_over,
            clock=time.time,
            stamp=now if stamp is Stamp.NOW else recorded,
            limits=settings.door,
            apart=True,
            held=lambda orders: gate_of(settings, orders, bus),
            owner=owner,
        )
        return await opening.enter_async_context(handlers)

    # the bus may go away between one step and the next: each is tried again
    try:
        result: dict[str, PushHandler] = await policy(opened)
    except ReaderDown as error:
        raise Refusal(str(error)) from None
    outage.over()
    return result


def _status(handlers: Mapping[str, PushHandler]) -> Iterator[FeedStatus]:
    for handler in handlers.values():
        yield from handler.ledger.ownership.status(handler.orders.paused)


async def _serve(
    app: FastAPI,
    handlers: dict[str, PushHandler],
    files: KeyFiles,
    settings: Settings,
    host: str,
    port: int,
    stop: asyncio.Event,
) -> bool:
    """Until told to stop, or until another door took over; whether that was it."""
    from services.cli.web import serve_until, server

    web = server(app, host, port, grace=settings.deadlines.stop, limits=settings.web)
    sentry = asyncio.create_task(_watch(web, handlers, settings.ingest.fence_seconds))
    sentry.add_done_callback(partial(_unwatched, web))
    keys = asyncio.create_task(files.watch(_KEYS_SECONDS))
    try:
        await serve_until(stop, web)
    finally:
        await cancel(sentry, keys)
    if not sentry.cancelled() and sentry.exception() is not None:
        raise Refusal("nothing sees any more whether another door takes over: the log says why; start it again")
    return any(handler.ledger.lost for handler in handlers.values())


def _unwatched(server: Server, sentry: asyncio.Task[None]) -> None:
    """Stop a door that has lost its sentry: it could not be fenced, nor held by an operator."""
    from services.logs import describe

    if not sentry.cancelled() and (error := sentry.exception()) is not None:
        import structlog

        structlog.get_logger("door").error("sentry failed", **describe(error))
        server.should_exit = True


async def _watch(server: Server, handlers: dict[str, PushHandler], seconds: float) -> None:
    """See whether another door took over, and stop if so: two would count apart. Say that this one runs."""
    from bus.contract import BusDown, UnknownTopic
    from services.feeds.status import HEARTBEAT_SECONDS

    beaten = time.monotonic()
    while not server.should_exit and not any(handler.ledger.lost for handler in handlers.values()):
        await asyncio.sleep(seconds)
        due = time.monotonic() - beaten >= HEARTBEAT_SECONDS
        try:
            for handler in handlers.values():
                await handler.ledger.watch()
                await handler.orders.follow(handler.ledger.bus)
                if due:
                    await handler.ledger.ownership.beat()
            beaten = time.monotonic() if due else beaten
        except (BusDown, UnknownTopic):
            continue  # the next request finds out
    server.should_exit = True
