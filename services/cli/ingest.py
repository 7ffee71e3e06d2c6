"""`visabus ingest`: run the feeds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.context import FAILED, FEED_ELSEWHERE, MISUSED, Refusal, refuse_password, settings_of, start_logs

if TYPE_CHECKING:
    from services.ingest import Clock, Outcome, Source
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
) -> None:
    """Read the feeds of the settings and publish their events, until SIGTERM or SIGINT.

    Where each feed stands is kept on the bus. A feed that another running process holds is waited for, and taken up
    when that process lets it go or ends; with --once it is refused. --take-over takes it at once. A receipt for each
    batch is kept on the bus (`visabus receipts`). Exits with 1 if a feed was stopped.

        visabus --settings visabus.toml ingest
        visabus ingest --once --feed I94.nightly=file:///srv/i94/out
        visabus ingest --once --stamp recorded
    """
    from services.ingest import now, recorded, sources

    for each in feed or []:
        refuse_password("--feed", each.partition("=")[2], FEED_ELSEWHERE)
    names, addresses = _named(feed or [])
    settings = settings_of(context, feeds=addresses or None)
    if not settings.feeds and not names:
        raise Refusal('the settings name no feed; add --feed I94.nightly=file:///... or a [feeds."..."] table', MISUSED)
    feeds_read = sources(settings, names)
    start_logs(settings)
    outcomes = asyncio.run(
        _run(
            settings,
            feeds_read,
            once=once,
            take_over=take_over,
            clock=now if stamp is Stamp.NOW else recorded,
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


async def _run(
    settings: Settings, feeds: Sequence[Source], *, once: bool, take_over: bool, clock: Clock
) -> list[Outcome]:
    from services.cli.signals import stop_on_signals
    from services.ingest import run
    from services.memory import collect_rarely

    collect_rarely()
    return await run(settings, feeds, once=once, take_over=take_over, stop=stop_on_signals(), clock=clock)


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
