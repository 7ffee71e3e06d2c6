"""`visabus adapters`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from adapters.core import System


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(adapters)


def adapters(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table of the README.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line, one for each system.")] = False,
) -> None:
    """List the systems and their feeds.

    A feed is given an address in the settings:

        [feeds."I94.nightly"]
        url = "file:///srv/i94/out"
    """
    from rich.console import Console
    from rich.table import Table

    from adapters.registry import systems

    if as_json:
        for system in sorted(systems().values(), key=lambda system: system.number):
            typer.echo(_as_json(system))
        return
    if markdown:
        typer.echo(as_markdown(systems().values()))
        return
    table = Table("no.", "system", "feeds", "emits", "identifiers", "owner", box=None, pad_edge=False)
    for system in sorted(systems().values(), key=lambda system: system.number):
        feeds = "\n".join(f"{system.name}.{feed.name}" for feed in system.feeds)
        emits, identifiers = ", ".join(system.emits), ", ".join(system.identifiers)
        table.add_row(str(system.number), system.title, feeds, emits, identifiers, system.owner)
    Console().print(table)


def _as_json(system: System) -> str:
    import orjson

    feeds = [
        {"name": f"{system.name}.{feed.name}", "transport": type(feed.transport).__name__} for feed in system.feeds
    ]
    body = {
        "number": system.number,
        "system": system.name,
        "title": system.title,
        "owner": system.owner,
        "feeds": feeds,
    }
    return orjson.dumps(body | {"emits": list(system.emits), "identifiers": list(system.identifiers)}).decode()


def as_markdown(known: Iterable[System]) -> str:
    """The systems as a table in Markdown, each with a link to its interface."""
    rows = ["| no. | system | owner | feeds | emits | identifiers |", "| --- | --- | --- | --- | --- | --- |"]
    for system in sorted(known, key=lambda system: system.number):
        link = f"[{system.title}](adapters/systems/{system.name.lower()}/README.md)"
        feeds = ", ".join(f"`{system.name}.{feed.name}`" for feed in system.feeds)
        emits, identifiers = ", ".join(system.emits), ", ".join(system.identifiers)
        rows.append(f"| {system.number} | {link} | {system.owner} | {feeds} | {emits} | {identifiers} |")
    return "\n".join(rows)
