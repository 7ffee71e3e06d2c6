"""`visabus decode`: a dry run of one adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import FAILED, MISUSED, Refusal, system_named

if TYPE_CHECKING:
    from adapters.core import BadRecord, Lost
    from adapters.decode import Totals


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(decode)


def decode(
    system: Annotated[
        str, typer.Argument(metavar="SYSTEM", help="As `visabus adapters` lists it, or one of its feeds: I94.nightly.")
    ],
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", exists=True, dir_okay=False, readable=True, help="Files in the system's format."
        ),
    ],
    feed: Annotated[str | None, typer.Option(help="Which of the system's feeds; by default the first.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Print the refused records as JSON lines.")] = False,
) -> None:
    """Show what a file would become, and publish nothing.

    Events are JSON lines on standard output; refused records and optional values that are wrong, with place and
    reason, and the totals go to standard error. Exits with 0 if all was readable, with 1 if something was refused.

        visabus decode I94 nightly-20261124.dat > events.jsonl
        visabus decode CLAIMS3 cases.csv --refused 2> refused.jsonl
    """
    from adapters.decode import Totals, decode_file
    from adapters.registry import systems

    known = systems()
    system, _, named = system.partition(".")
    system = system_named(system) or ""
    if system not in known:
        raise Refusal(f"{system} has no adapter", MISUSED)
    feed = feed or named or None
    names = [each.name for each in known[system].feeds]
    if feed is not None and feed not in names:
        raise Refusal(f"{system} has no feed {feed}; it has {', '.join(names)}", MISUSED)
    totals = Totals()
    for file in files:
        for result in decode_file(known[system], file, feed=feed):
            totals.add(result)
            for event in result.events:
                typer.echo(event.model_dump_json(exclude_none=True))
            if result.refused is not None:
                typer.echo(_written(file, result.refused, as_json=refused), err=True)
            for lost in result.lost:
                typer.echo(_lost(file, result.read.place, lost, as_json=refused), err=True)
    typer.echo(json.dumps(_summary(totals)) if refused else _line(totals), err=True)
    if totals.refused:
        raise typer.Exit(FAILED)


def _written(file: Path, bad: BadRecord, *, as_json: bool) -> str:
    if not as_json:
        return f"{file.name}: {bad.place}: {bad.reason}"
    body = {"file": file.name, "place": bad.place, "record": bad.record, "reason": bad.reason, "raw": bad.raw.hex()}
    return json.dumps(body)


def _lost(file: Path, place: str, lost: Lost, *, as_json: bool) -> str:
    if not as_json:
        return f"{file.name}: {place}: the record goes on without {lost.reason}"
    return json.dumps({"file": file.name, "place": place, "lost": lost.name, "reason": lost.reason})


def _summary(totals: Totals) -> dict[str, object]:
    counted = {"read": totals.read, "published": totals.published, "refused": totals.refused}
    named = {"filtered": totals.filtered, "events": totals.events, "lost": totals.lost}
    return {"totals": {**counted, **{name: dict(each) for name, each in named.items()}}}


def _line(totals: Totals) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(totals.events.items())) or "none"
    left_out = "".join(f", {count} left out by {rule}" for rule, count in sorted(totals.filtered.items()))
    lost = ", ".join(f"{count} {name}" for name, count in sorted(totals.lost.items()))
    message = f"{totals.read} read = {totals.published} readable, {totals.refused} refused{left_out}; events: {kinds}"
    return f"{message}; optional values that were wrong: {lost}" if lost else message
