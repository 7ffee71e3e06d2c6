"""`visabus correlate`: from events on the bus to the status view."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from links.tasks import cancel
from services.cli.context import settings_of, start_logs
from services.cli.meter import Shown, wanted

if TYPE_CHECKING:
    from services.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(correlate)


def correlate(
    context: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="End when everything on the bus is resolved and all changes are published.")
    ] = False,
    hold: Annotated[
        bool, typer.Option("--hold", help="Publish no changes yet: for a store that is rebuilt beside the live one.")
    ] = False,
    progress: Shown = None,
    edition: Annotated[int | None, typer.Option("--edition", min=1, hidden=True)] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Take events off the bus into the store, resolve persons, and publish what changed, until SIGTERM or SIGINT.

    Any number may run on one store: they share the partitions, and one that was thought dead cannot write. Where a
    rebuild is switched to (`visabus rebuild`), those that run go over to the new view by themselves.

    ```
    visabus correlate
    visabus --bus kafka://localhost:9092 --store postgresql://visabus@localhost/visabus correlate --once
    ```
    """
    settings = settings_of(context)
    start_logs(settings)
    asyncio.run(
        _run(settings, once=once, hold=hold, progress=wanted(progress), edition=edition, with_parent=with_parent)
    )


async def _run(
    settings: Settings, *, once: bool, hold: bool, progress: bool, edition: int | None, with_parent: bool
) -> None:
    from services.memory import collect_nothing, collect_rarely

    collect_nothing()  # what is imported now stays
    from services.cli.signals import stop_on_signals, stop_with_parent
    from services.correlator.process import run
    from services.metrics import exported
    from services.store.writer import Superseded

    collect_rarely()
    stop = stop_on_signals(settings.deadlines.stop)
    if with_parent:
        stop_with_parent()
    if edition is not None:  # beside those that serve the live view, whose port it would take
        with suppress(Superseded):
            await run(settings, once=once, hold=hold, stop=stop, edition=edition)
        return
    with exported(settings.metrics.host, settings.metrics.correlate):
        async with _metered(stop, shown=progress):
            await run(settings, once=once, hold=hold, stop=stop)


@asynccontextmanager
async def _metered(stop: asyncio.Event, *, shown: bool) -> AsyncIterator[None]:
    """Say how far a backlog is worked off, as long as there is one."""
    if not shown:
        yield
        return
    from services.cli.meter import Meter
    from services.metrics.instruments import EVENTS, LAG, value_of
    from services.retry import wait

    meter = Meter("events")
    begun = value_of(EVENTS)

    async def tell() -> None:
        while not stop.is_set():
            done, left = round(value_of(EVENTS) - begun), round(value_of(LAG))
            if left:
                meter.at(done, done + left)
            await wait(1.0, stop)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        await cancel(telling)
