"""`visabus connector`."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(connector)


def connector(
    url: Annotated[str, typer.Argument(metavar="URL", help="Kafka Connect's address, such as http://host:8083.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connector.")],
) -> None:
    """Say whether a connector of Debezium sends what this project reads, and whether it does: its task, not it alone.

    Ends with 1 if something is wrong with either.

        visabus connector http://connect.example:8083 eid
    """
    from adapters.formats.debezium import wrong_settings

    config, status = (_asked(url, f"/connectors/{name}{part}") for part in ("/config", "/status"))
    wrong = wrong_settings({str(key): str(value) for key, value in config.items()})
    tasks = status.get("tasks") or [{"id": 0, "state": "not there"}]
    for task in tasks:
        if task.get("state") != "RUNNING":
            why = str(task.get("trace", "")).partition("\n")[0]
            wrong.append(f"task {task.get('id')} is {task.get('state')}{f': {why}' if why else ''}")
    for line in wrong:
        typer.echo(line)
    if wrong:
        raise typer.Exit(1)
    typer.echo(f"{name}: {len(tasks)} task running, configuration as this project reads it")


def _asked(url: str, path: str) -> dict[str, Any]:
    """What Connect answers. Ends the command where it does not."""
    import httpx

    try:
        answer = httpx.get(url.rstrip("/") + path, timeout=30)
        answer.raise_for_status()
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        typer.echo(f"{path} cannot be had: {type(error).__name__}", err=True)
        raise typer.Exit(2) from None
    return body if isinstance(body, dict) else {}
