"""`visabus receipts`: what became of each batch, for the owner of its system."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.audited import Confidential, StatedReason, reading, remember
from services.cli.context import MISUSED, Refusal, need, settings_of, system_named

if TYPE_CHECKING:
    from services.receipts import Index, Query
    from services.settings import Settings

SystemOption = Annotated[str | None, typer.Option(callback=system_named, help="Only of this system.")]
BatchOption = Annotated[str | None, typer.Option(help="Only of this file, poll or message.")]
RecordOption = Annotated[
    str | None, typer.Option(metavar="KEY", help="Only of batches that held this record; needs --system.")
]
RefusedOption = Annotated[bool, typer.Option("--refused", help="Only those with refused records.")]
SinceOption = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Only of this day (UTC) or later.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="What became of each batch: list, show, export.")
    group.command("list")(list_)
    group.command()(show)
    group.command()(export)
    app.add_typer(group, name="receipts")


def list_(
    context: typer.Context,
    system: SystemOption = None,
    batch: BatchOption = None,
    record: RecordOption = None,
    refused: RefusedOption = False,
    since: SinceOption = None,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    per_page: Annotated[int, typer.Option(min=1, max=10_000, help="Lines of a page.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    confidential: Confidential = False,
    why: StatedReason = "",
) -> None:
    """List the receipts, the newest first: when, feed, batch, and what became of its records.

    Without --confidential there is none of a system whose records the law keeps confidential, or that held such a
    record; and of a system that may hold some, a receipt says that its batch was read, without counts.

    visabus receipts list --system I94 --refused
    visabus receipts list --system CLAIMS3 --record 4711
    """
    from services.dead_letters.display import plain

    query = _query(system, batch, record, refused, since)
    settings = settings_of(context)
    verb = reading("receipts list", why, confidential=confidential)
    index, query = _index(settings, query, confidential=confidential)
    _remember(settings, verb, query, why)
    for each in index.find(query, limit=per_page, offset=(page - 1) * per_page):
        receipt = _shown(each, confidential=confidential)
        typer.echo(_compact(receipt) if as_json else plain(_line(receipt)))
    count = index.count(query)
    typer.echo(f"page {page} of {max(1, -(-count // per_page))}; {count} receipts", err=True)


def show(
    context: typer.Context,
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="The file, poll or message.")],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line; without it indented.")] = False,
    system: SystemOption = None,
    confidential: Confidential = False,
    why: StatedReason = "",
) -> None:
    """Show the receipts of one batch as JSON, the newest first: one for each content that it had.

    visabus receipts show I94.D20250210.S000102
    """
    settings = settings_of(context)
    verb = reading("receipts show", why, confidential=confidential)
    index, query = _index(settings, _query(system, batch, None, False, None), confidential=confidential)
    _remember(settings, verb, query, why)
    receipts = list(index.find(query))
    if not receipts:
        raise Refusal(f"there is no receipt of {batch}", MISUSED)
    shown = [_shown(receipt, confidential=confidential) for receipt in receipts]
    for receipt in shown:
        typer.echo(_compact(receipt) if as_json else _indented(receipt))
    if any(receipt.get("covered") for receipt in shown):
        typer.echo("records of its system may be confidential by law: its counts need --confidential --why", err=True)


def export(
    context: typer.Context,
    system: SystemOption = None,
    batch: BatchOption = None,
    record: RecordOption = None,
    refused: RefusedOption = False,
    since: SinceOption = None,
    confidential: Confidential = False,
    why: StatedReason = "",
) -> None:
    """Write the receipts to standard output, the newest first, one JSON object a line.

    visabus receipts export --system I94 --since 2026-11-01 > receipts.jsonl
    """
    settings = settings_of(context)
    verb = reading("receipts export", why, confidential=confidential)
    query = _query(system, batch, record, refused, since)
    index, query = _index(settings, query, confidential=confidential)
    _remember(settings, verb, query, why)
    for receipt in index.find(query):
        typer.echo(_compact(_shown(receipt, confidential=confidential)))


def _query(system: str | None, batch: str | None, record: str | None, refused: bool, since: datetime | None) -> Query:
    from services.receipts import Query

    if record is not None and system is None:
        raise Refusal("--record needs --system: two systems may use one key", MISUSED)
    return Query(system, batch, record, refused, since.isoformat() if since is not None else None)


def _remember(settings: Settings, verb: str, query: Query, why: str) -> None:
    """Keep in the audit log who asked for receipts, and of which record. Raises Refusal."""
    about = [f"record/{query.system}/{query.record}"] if query.record is not None else []
    remember(settings, verb, about=about, why=why)


def _index(settings: Settings, query: Query, *, confidential: bool) -> tuple[Index, Query]:
    """Return the index of the data directory, brought up to the bus, and what is asked of it for the caller."""
    from services.wiring import receipt_index

    need(settings.bus_url, "bus", "ingest")
    index = receipt_index(settings)
    return index, asyncio.run(_follow(settings, index, query, confidential=confidential))


async def _follow(settings: Settings, index: Index, query: Query, *, confidential: bool) -> Query:
    from services.cli.redaction import open_veil
    from services.redaction import marked_by_law, may_be_marked
    from services.wiring import declared_bus

    async with AsyncExitStack() as opened:
        bus = await opened.enter_async_context(declared_bus(settings))
        await index.follow(bus, settings.bus_url)
        if confidential:
            return query
        veil = await open_veil(settings, bus, opened)
        without = [name for name, system in veil.systems.items() if marked_by_law(system)]
        if query.system is not None and query.record is not None:
            without += [name for name, _ in await veil.hidden([(query.system, query.record)])]
        # which batches have refusals is a count, too
        open_to_all = [name for name, system in veil.systems.items() if not may_be_marked(system)]
        return replace(query, without=tuple(without), among=tuple(open_to_all) if query.refused else None)


def _shown(receipt: dict[str, Any], *, confidential: bool) -> dict[str, Any]:
    from adapters.registry import systems
    from services.redaction import covered_receipt

    return receipt if confidential else covered_receipt(receipt, systems())


def _line(receipt: dict[str, Any]) -> str:
    head = f"{receipt['at'][:19]}  {receipt['system']}.{receipt['feed']}  {receipt['batch']}"
    if receipt.get("covered"):
        return f"{head}  was read; its counts need --confidential --why"
    filtered = sum(receipt["filtered"].values())
    counts = f"{receipt['read']} read = {receipt['published']} published, {receipt['dead_lettered']} dead letters"
    return f"{head}  {counts}, {filtered} left out"


def _compact(receipt: dict[str, Any]) -> str:
    import orjson

    return orjson.dumps(receipt).decode()


def _indented(receipt: dict[str, Any]) -> str:
    import orjson

    return orjson.dumps(receipt, option=orjson.OPT_INDENT_2).decode()
