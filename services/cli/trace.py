"""`visabus trace`: what became of a record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from services.addresses import exists
from services.cli.audited import Confidential, StatedReason, reading, remembered
from services.cli.context import MISUSED, Refusal, need, settings_of

if TYPE_CHECKING:
    from schemas.operations import Step, Trace
    from services.settings import Settings
    from services.trace import About


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(trace)


def trace(
    context: typer.Context,
    what: Annotated[
        list[str],
        typer.Argument(metavar="SYSTEM KEY | EVENT-ID | SCHEME/ISSUER/VALUE | FILE", help="What to follow."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    confidential: Confidential = False,
    why: StatedReason = "",
) -> None:
    """Follow a record, an event, all records under a number, or a file: what became of it, step by step.

    Shows the batch that held it, the rule that left it out or the reason why it was refused, its events with topic and
    position, whether they are in the store, whose record it is, that person's status and the changes told, replays
    included. A look-up like any other: it leaves a row in the audit log. Exits with 1 if nothing is known of it, and
    without --confidential nothing is known of what the law keeps confidential.

        visabus trace I94 99000000001
        visabus trace 6f1c9a52-7c52-5f0e-9a7c-2f1f6f2f1a11
        visabus trace passport/GBR/543456789 --json
        visabus trace I94.D20250210.S000102
    """
    from adapters.registry import systems
    from services.trace import question_of

    settings = settings_of(context)
    need(settings.bus_url, "bus", "ingest")
    try:
        about = question_of(what, systems())
    except ValueError as error:
        raise Refusal(str(error), MISUSED) from None
    verb = reading("trace", why, confidential=confidential)
    result = asyncio.run(_run(settings, about, " ".join(what), verb, why, confidential=confidential))
    typer.echo(result.model_dump_json() if as_json else "\n".join(_lines(result)))


async def _run(settings: Settings, about: About, asked: str, verb: str, why: str, *, confidential: bool) -> Trace:
    from adapters.registry import systems
    from services.store import open_store
    from services.trace import Tracer, audited
    from services.wiring import declared_bus, receipt_index

    await remembered(settings, verb, about=[audited(about, asked)], why=why)
    async with AsyncExitStack() as opened:
        bus = await opened.enter_async_context(declared_bus(settings))
        index = receipt_index(settings)
        await index.follow(bus, settings.bus_url)
        reads = None
        if exists(settings.store_url):
            store = await open_store(settings.store_url)
            opened.push_async_callback(store.close)
            reads = store.reads
        try:
            tracer = Tracer(bus, reads, index, systems())
            return await tracer.trace(about, asked, datetime.now(UTC), confidential=confidential)
        except LookupError as error:
            hint = (
                "" if confidential else "; of records that may be confidential by law only --confidential --why tells"
            )
            raise Refusal(f"{error}{hint}") from None


def _lines(trace: Trace) -> Iterator[str]:
    from services.dead_letters.display import plain

    for step in trace.batches:
        yield plain(_line(step))
    for record in trace.records:
        yield plain(f"{record.system} {record.record}")
        yield from (plain(f"  {_line(step)}") for step in record.steps)
    if trace.more:
        yield f"{trace.more} more are left out: ask for one of them"


def _line(step: Step) -> str:
    at = step.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if step.at is not None else "now"
    return f"{at:<20}  {step.kind.value:<11}  {step.where}: {step.what}"
