"""`visabus ingest`: run the feeds."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.addresses import exists
from services.cli.context import (
    FAILED,
    FEED_ELSEWHERE,
    MISUSED,
    Given,
    Refusal,
    refuse_password,
    settings_of,
    start_logs,
)
from services.cli.meter import Shown, wanted

if TYPE_CHECKING:
    from services.ingest import Clock, Outcome, Source
    from services.ingest.dry_run import Forecast
    from services.settings import Settings


_MOST_DEFERRED = 5
"""The number of pieces left for later that are named."""


class Stamp(StrEnum):
    """Where the moment of knowing comes from."""

    NOW = "now"
    RECORDED = "recorded"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)


def ingest(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End when no source has anything more.")] = False,
    stamp: Annotated[Stamp, typer.Option(help="now, or for history: when the source recorded it.")] = Stamp.NOW,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Also take the feeds that another running process holds.")
    ] = False,
    feed: Annotated[
        list[str] | None, typer.Option(metavar="NAME[=URL]", help="Only this feed; with a URL, whatever settings say.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what reading the sources now would come to; nothing is changed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: a JSON object for each feed.")] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=64, metavar="N", help="Share the work out among this many processes.")
    ] = 1,
    progress: Shown = None,
    mappers: Annotated[int, typer.Option("--mappers", min=0, max=64, hidden=True)] = 0,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Read the feeds of the settings and publish their events, until SIGTERM or SIGINT.

    Where each feed stands is kept on the bus. A feed that another running process holds is waited for, and taken up
    when that process lets it go or ends; with --once it is refused. --take-over takes it at once. A receipt for each
    batch is kept on the bus (`visabus receipts`). Exits with 1 if a feed was stopped.

        visabus --settings visabus.toml ingest
        visabus ingest --once --feed I94.nightly=file:///srv/i94/out
        visabus ingest --once --stamp recorded
        visabus ingest --dry-run --feed I94.nightly
        visabus --settings visabus.toml ingest --workers 4

    With --workers N the feeds are read by N processes of this one, each with feeds of its own in turns; one that ends
    is started again, and all end with this one. Their metrics are at the port of the settings and those behind it.
    Processes beyond the number of feeds map the records of big files beside those that read them.

    --dry-run reads and maps what the sources have beyond the feeds' positions, and prints for each feed what would be
    published, refused (by reason) and left out (by rule). It takes no feed, sends, saves and acknowledges nothing, and
    exits with 1 if a source cannot be read or a feed would be stopped.
    """
    from services.lean import structlog_alone
    from services.memory import collect_nothing

    structlog_alone()
    if not dry_run and workers == 1:
        collect_nothing()
        context.call_on_close(gc.enable)  # however the command ends
    from services.ingest import now, recorded, sources

    for each in feed or []:
        refuse_password("--feed", each.partition("=")[2], FEED_ELSEWHERE)
    names, addresses = _named(feed or [])
    settings = settings_of(context, feeds=addresses or None)
    if not settings.feeds and not names:
        raise Refusal('the settings name no feed; add --feed I94.nightly=file:///... or a [feeds."..."] table', MISUSED)
    feeds_read = sources(settings, names)
    start_logs(settings)
    clock = now if stamp is Stamp.NOW else recorded
    if as_json and not dry_run:
        raise Refusal("--json needs --dry-run: a run that publishes says in its log what it does", MISUSED)
    if dry_run and workers > 1:
        raise Refusal("--workers: a dry run is one process", MISUSED)
    if dry_run:
        forecasts = asyncio.run(_forecasts(settings, feeds_read, clock))
        for forecast in forecasts:
            typer.echo(_as_json(forecast) if as_json else "\n  ".join(_would(forecast)))
        if any(forecast.error is not None for forecast in forecasts):
            raise typer.Exit(FAILED)
        return
    if workers > 1 and len(feeds_read) > 1:
        given = [f"{name}={addresses[name]['url']}" if name in addresses else name for name in map(_name, feeds_read)]
        options = [*(["--once"] if once else []), "--stamp", stamp.value]
        options += [] if progress is None else ["--progress" if progress else "--no-progress"]
        code = asyncio.run(_run_workers(context, settings, given, workers, options, once=once, take_over=take_over))
        if code:
            raise typer.Exit(code)
        return
    outcomes = asyncio.run(
        _run(
            settings,
            feeds_read,
            once=once,
            take_over=take_over,
            clock=clock,
            mappers=mappers or workers - 1,
            with_parent=with_parent,
            progress=wanted(progress),
        )
    )
    for outcome in outcomes:
        typer.echo(_line(outcome), err=True)
    if any(outcome.error is not None for outcome in outcomes):
        raise typer.Exit(FAILED)


def _named(feeds: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """The names that were given, and the addresses that came with some."""
    pairs = [feed.partition("=") for feed in feeds]
    return [name for name, _, _ in pairs], {name: {"url": url} for name, _, url in pairs if url}


def _name(source: Source) -> str:
    return source.name


async def _run_workers(
    context: typer.Context,
    settings: Settings,
    feeds: Sequence[str],
    workers: int,
    options: Sequence[str],
    *,
    once: bool,
    take_over: bool,
) -> int:
    from services.cli.signals import stop_on_signals
    from services.cli.workers import Workers, shared_out

    given = context.find_object(Given) or Given()
    group = Workers(settings, given, options, once=once, take_over=take_over, stop=stop_on_signals(None))
    return await group.run(shared_out(feeds, workers), workers)


async def _run(
    settings: Settings,
    feeds: Sequence[Source],
    *,
    once: bool,
    take_over: bool,
    clock: Clock,
    mappers: int,
    with_parent: bool,
    progress: bool,
) -> list[Outcome]:
    from services.cli.meter import Meter
    from services.cli.signals import stop_on_signals, stop_with_parent
    from services.ingest import run
    from services.memory import collect_rarely

    collect_rarely()
    stop = stop_on_signals(settings.deadlines.stop)
    if with_parent:
        stop_with_parent()
    return await run(
        settings,
        feeds,
        once=once,
        take_over=take_over,
        stop=stop,
        clock=clock,
        mappers=mappers,
        progress=Meter("records", about=True).at if progress else None,
    )


async def _forecasts(settings: Settings, feeds: Sequence[Source], clock: Clock) -> list[Forecast]:
    from tempfile import TemporaryDirectory

    from services.ingest.dry_run import dry_run
    from services.wiring import open_bus

    bus = await open_bus(settings) if exists(settings.bus_url) else None
    try:
        with TemporaryDirectory(prefix="visabus-dry-run-") as scratch:
            return await dry_run(feeds, settings, bus, clock, Path(scratch))
    finally:
        if bus is not None:
            await bus.close()


def _as_json(forecast: Forecast) -> str:
    import orjson

    names = ("batches", "resumed", "paused", "error", "deferred")
    facts = {name: getattr(forecast, name) for name in names}
    body = {"feed": forecast.name, **forecast.counters.as_json(), "reasons": forecast.reasons, **facts}
    return orjson.dumps(body).decode()


def _would(forecast: Forecast) -> list[str]:
    """What a feed would come to, in lines."""
    from services.dead_letters.display import plain

    counters = forecast.counters
    begin = "behind its position" if forecast.resumed else "from the beginning of its source"
    lines = [
        f"{forecast.name}: would read {counters.read} records of {forecast.batches} whole batches {begin} = "
        f"{counters.published} published ({counters.events} events), {counters.dead_lettered} refused, "
        f"{sum(counters.filtered.values())} left out"
    ]
    lines += [f"refused {count}: {reason}" for reason, count in forecast.reasons.items()]
    lines += [f"left out {count}: {rule}" for rule, count in counters.filtered.items()]
    lines += [f"wrong optional values {count}: {name}" for name, count in counters.lost.items()]
    lines += [f"left for later: {each}" for each in forecast.deferred[:_MOST_DEFERRED]]
    if len(forecast.deferred) > _MOST_DEFERRED:
        lines.append(f"left for later: {len(forecast.deferred) - _MOST_DEFERRED} more")
    if forecast.paused is not None:
        lines.append(f"it is paused and would read nothing now: {forecast.paused}")
    if forecast.error is not None:
        lines.append(f"would be stopped: {forecast.error}")
    return [plain(line) for line in lines]


def _line(outcome: Outcome) -> str:
    counters = outcome.counters
    counts = (
        f"{counters.read} read = {counters.published} published, {counters.dead_lettered} dead letters, "
        f"{sum(counters.filtered.values())} left out"
    )
    lines = [f"{outcome.name}: {counts}", *([outcome.error] if outcome.error is not None else [])]
    lines += [f"left for later: {each}" for each in outcome.deferred[:_MOST_DEFERRED]]
    if len(outcome.deferred) > _MOST_DEFERRED:
        lines.append(f"left for later: {len(outcome.deferred) - _MOST_DEFERRED} more")
    return "\n  ".join(lines)
