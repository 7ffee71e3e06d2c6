"""`visabus topics`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from services.cli.context import settings_of

if TYPE_CHECKING:
    from services.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="The topics of the bus.")
    group.command()(create)
    app.add_typer(group, name="topics")


def create(context: typer.Context) -> None:
    """Create the topics that are missing; those that stand are left as they are.

    visabus --bus kafka://127.0.0.1:9092 topics create
    """
    settings = settings_of(context)
    asyncio.run(_declare(settings))
    from services.wiring import topics

    for topic in topics():
        typer.echo(f"{topic.name}  {topic.partitions}{'  compacted' if topic.compacted else ''}")


async def _declare(settings: Settings) -> None:
    from services.wiring import open_bus, topics

    bus = await open_bus(settings)
    try:
        await bus.declare(topics())
    finally:
        await bus.close()
