"""`visabus connector`."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.context import MISUSED, Refusal, warn_of_password


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(connector)


def connector(
    url: Annotated[str, typer.Argument(metavar="URL", help="Kafka Connect's address, such as http://host:8083.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connector.")],
    cafile: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With https: the trusted authorities, in place of the machine's."),
    ] = None,
    certfile: Annotated[Path | None, typer.Option(metavar="FILE", help="With https: the client certificate.")] = None,
    keyfile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With https: the key of it, without a passphrase.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Check that a Debezium connector is set up to send what visabus reads, and that it and its task run.

    Ends with 1 if something is wrong with either.

        visabus connector http://connect.example:8083 eid
        visabus connector https://connect.example:8443 eid --cafile /etc/visabus/ca.pem
    """
    from adapters.formats.debezium import wrong_settings

    warn_of_password("URL", url)
    context = _context(url, cafile, certfile, keyfile)
    config, status = (_asked(url, f"/connectors/{name}{part}", context) for part in ("/config", "/status"))
    wrong = wrong_settings({str(key): str(value) for key, value in config.items()})
    tasks = status.get("tasks") or [{"id": 0, "state": "not there"}]
    for task in tasks:
        if task.get("state") != "RUNNING":
            why = str(task.get("trace", "")).partition("\n")[0]
            wrong.append(f"task {task.get('id')} is {task.get('state')}{f': {why}' if why else ''}")
    if as_json:
        typer.echo(json.dumps({"connector": name, "tasks": len(tasks), "wrong": wrong}))
        raise typer.Exit(1 if wrong else 0)
    for line in wrong:
        typer.echo(line)
    if wrong:
        raise typer.Exit(1)
    typer.echo(f"{name}: {len(tasks)} task running, configuration as this project reads it")


def _context(url: str, *files: Path | None) -> ssl.SSLContext | None:
    """How TLS is spoken, None for http. Raises Refusal."""
    from links.reasons import Unusable
    from links.tls import Tls

    if not url.startswith("https:"):
        if any(files):
            raise Refusal("http takes no certificates; https does", MISUSED)
        return None
    ca, cert, key = (str(file) if file is not None else None for file in files)
    try:
        return Tls(ca=ca, cert=cert, key=key).context()
    except Unusable as error:
        raise Refusal(f"{url}: {error}", MISUSED) from None
    except ValueError as error:
        raise Refusal(f"{error}: --certfile and --keyfile", MISUSED) from None


def _asked(url: str, path: str, context: ssl.SSLContext | None) -> dict[str, Any]:
    """What Connect answers. Ends the command where it does not."""
    import httpx

    from links.reasons import failure_of

    try:
        answer = httpx.get(url.rstrip("/") + path, timeout=30, verify=context or True)
        answer.raise_for_status()
        body = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        typer.echo(f"{path} cannot be had: {failure_of(error) or type(error).__name__}", err=True)
        raise typer.Exit(2) from None
    return body if isinstance(body, dict) else {}
