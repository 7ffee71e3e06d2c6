"""`visabus adapters`."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(adapters)


def adapters() -> None:
    """List the systems and their feeds.

    A feed is given an address in the settings:

        [feeds."I94.nightly"]
        url = "file:///srv/i94/out"
    """
    from rich.console import Console
    from rich.table import Table

    from adapters.registry import systems

    table = Table("no.", "system", "feeds", "emits", "identifiers", "owner", box=None, pad_edge=False)
    for system in sorted(systems().values(), key=lambda system: system.number):
        feeds = "\n".join(f"{system.name}.{feed.name}" for feed in system.feeds)
        emits, identifiers = ", ".join(system.emits), ", ".join(system.identifiers)
        table.add_row(str(system.number), system.title, feeds, emits, identifiers, system.owner)
    Console().print(table)
