"""`visabus correlate`: from events on the bus to the status view."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import settings_of, start_logs

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
) -> None:
    """Take events off the bus into the store, resolve persons, and publish what changed, until SIGTERM or SIGINT.

    Any number may run on one store: they share the partitions, and one that was thought dead cannot write.

    ```
    visabus correlate
    visabus --bus kafka://localhost:9092 --store postgresql://visabus@localhost/visabus correlate --once
    ```
    """
    settings = settings_of(context)
    start_logs(settings)
    asyncio.run(_run(settings, once=once, hold=hold))


async def _run(settings: Settings, *, once: bool, hold: bool) -> None:
    from services.cli.signals import stop_on_signals
    from services.correlator.process import run
    from services.memory import collect_rarely
    from services.metrics import exported

    collect_rarely()
    with exported(settings.metrics.host, settings.metrics.correlate):
        await run(settings, once=once, hold=hold, stop=stop_on_signals())
