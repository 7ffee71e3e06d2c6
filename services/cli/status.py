"""`visabus status`: is it all running, how far is it, and what wants attention."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from services.addresses import exists
from services.cli.context import FAILED, Refusal, need, settings_of, system_named

if TYPE_CHECKING:
    from schemas.operations import FeedStatus, Overview, RebuildStatus
    from services.overview import Observer
    from services.settings import Settings

_WATCH_SECONDS = 2.0
_CLEAR = "\x1b[H\x1b[2J"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)


def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until Ctrl-C.")] = False,
    system: Annotated[
        str | None,
        typer.Option(callback=system_named, help="Only feeds, coverage and dead letters of a system."),
    ] = None,
) -> None:
    """Show the flow as it stands: feeds, correlators, the view, coverage and dead letters; problems first.

    Reads bus and store and changes nothing. Exits with 1 if something wants attention.

        visabus status
        visabus status --system I94 --json | jq .feeds
    """
    settings = settings_of(context)
    need(settings.bus_url, "bus", "ingest")
    try:
        problems = asyncio.run(_run(settings, system, as_json=as_json, watch=watch))
    except KeyboardInterrupt:
        raise typer.Exit from None
    except Exception as error:
        raise _on_a_full_disk(settings, error) from None
    if problems:
        raise typer.Exit(FAILED)


def _on_a_full_disk(settings: Settings, error: Exception) -> Exception:
    """Return the error, with the word that the disk is full where that is so: then nothing can be opened either."""
    from shutil import disk_usage

    from bus.contract import BusDown
    from services.overview.problems import LEAST_BYTES, full_disk
    from services.store.contract import StoreDown

    if not isinstance(error, (BusDown, StoreDown)) or not settings.data_dir.is_dir():
        return error
    free = disk_usage(settings.data_dir).free
    return Refusal(f"{error}; {full_disk(free)}") if free < LEAST_BYTES else error


async def _run(settings: Settings, system: str | None, *, as_json: bool, watch: bool) -> bool:
    async with observer(settings) as observing:
        while True:
            overview = of_system(await observing.observe(datetime.now(UTC)), system)
            text = overview.model_dump_json() if as_json else "\n".join(lines(overview))
            typer.echo(f"{_CLEAR}{text}" if watch and not as_json else text)
            if not watch:
                return bool(overview.problems)
            await asyncio.sleep(_WATCH_SECONDS)


@asynccontextmanager
async def observer(settings: Settings) -> AsyncIterator[Observer]:
    """Open what an overview is made of. Raises BusDown, StoreDown."""
    from services.overview import Observer
    from services.store.following import followed
    from services.wiring import declared_bus

    async with AsyncExitStack() as opened:
        bus = await opened.enter_async_context(declared_bus(settings))
        if not exists(settings.store_url):
            yield Observer(bus, None, settings.feeds, directory=settings.data_dir)
            return
        store = await opened.enter_async_context(followed(settings.store_url))
        yield Observer(bus, store.reads, settings.feeds, store.home, settings.data_dir)


def of_system(overview: Overview, system: str | None) -> Overview:
    """Return the overview with the feeds, coverage and dead letters of one system; whole for None."""
    if system is None:
        return overview
    from services.overview import problems_of

    wanted = system.upper()
    part = overview.model_copy(
        update={
            name: tuple(each for each in getattr(overview, name) if each.system == wanted)
            for name in ("feeds", "coverage", "dead_letters")
        }
    )
    return part.model_copy(update={"problems": tuple(problems_of(part))})


def lines(overview: Overview) -> Iterator[str]:
    """Yield the overview for the eye."""
    from services.dead_letters.display import plain

    now = overview.at
    yield f"{now.isoformat(timespec='seconds')}  {'ATTENTION' if overview.problems else _all_well(overview)}"
    yield from (f"  ! {plain(problem)}" for problem in overview.problems)
    if overview.feeds:
        yield ""
        yield from _table(_FEED_HEADS, [_feed(each, now) for each in overview.feeds])
    if overview.correlators:
        yield ""
        heads = ("CORRELATOR", "STATE", "HEARD", "LAST COMMIT", "BEHIND", "PARTITIONS")
        rows = [
            (
                each.process,
                "running" if each.alive else "gone",
                _age(each.heard_at, now),
                _age(each.committed_at, now),
                str(each.behind),
                str(len(each.partitions)),
            )
            for each in overview.correlators
        ]
        yield from _table(heads, rows)
    if overview.store is not None:
        store = overview.store
        outcomes = ", ".join(f"{count} {outcome.value}" for outcome, count in store.outcomes.items())
        yield ""
        yield f"View: {store.persons} persons ({outcomes or 'no outcomes'}; {store.without_outcome} without a stay)"
        yield (
            f"      lag {overview.lag} messages, {store.backlog} batches to resolve, {store.undelivered} to publish, "
            f"{store.quarantined} quarantined; known through {_time(store.known_through)}"
        )
    if overview.rebuild is not None:
        yield ""
        yield f"Rebuild: {_rebuild(overview.rebuild)}"
    if overview.coverage:
        yield ""
        reach = [(each.system, each.scope, _time(each.through), _age(each.through, now)) for each in overview.coverage]
        yield from _table(("COVERAGE OF", "SCOPE", "COMPLETE THROUGH", "AGE"), reach)
    if overview.dead_letters:
        yield ""
        waiting = [
            (
                str(each.waiting),
                f"{each.system}.{each.feed}",
                _age(each.last, now),
                each.example[:8],
                plain(each.reason),
            )
            for each in overview.dead_letters
        ]
        yield from _table(("DEAD LETTERS", "FEED", "LAST", "SUCH AS", "REASON"), waiting)


def _all_well(overview: Overview) -> str:
    """What is said where nothing wants attention; a feed whose process ended on purpose is no trouble, and not read."""
    idle = sum(each.state.value in ("ended", "never") for each in overview.feeds)
    if not idle:
        return "all is running"
    which = "no feed is read" if idle == len(overview.feeds) else f"{idle} of {len(overview.feeds)} feeds are not read"
    return f"nothing wants attention, but {which} now (`visabus ingest`, or the door, reads on)"


_FEED_HEADS = ("FEED", "STATE", "LAST BATCH", "AGE", "CAUGHT UP", "READ", "PUBLISHED", "REFUSED", "LEFT OUT", "HOLDER")


def _feed(feed: FeedStatus, now: datetime) -> tuple[str, ...]:
    from services.dead_letters.display import plain

    counts = (feed.read, feed.published, feed.dead_lettered, feed.filtered)
    return (
        f"{feed.system}.{feed.feed}",
        feed.state.value,
        plain(feed.last_batch or "-")[:40],
        _age(feed.last_batch_at, now),
        _age(feed.caught_up_at, now),
        *map(str, counts),
        feed.holder or "-",
    )


def _rebuild(rebuild: RebuildStatus) -> str:
    """How far a rebuild is."""
    from services.cli.meter import duration
    from services.dead_letters.display import plain

    parts = [f"edition {rebuild.edition}, {rebuild.state.value}"]
    if rebuild.stage is not None:
        of = f" of {rebuild.total:,} ({rebuild.done / rebuild.total:.0%})" if rebuild.total else ""
        parts.append(f"{rebuild.stage} {rebuild.done:,}{of}")
    parts += [f"{rebuild.rate:,.0f}/s"] if rebuild.rate is not None else []
    parts += [f"{duration(rebuild.seconds_left)} left"] if rebuild.seconds_left is not None else []
    parts += [f"by {rebuild.process}"] if rebuild.process is not None else []
    parts += [plain(rebuild.why)] if rebuild.why is not None else []
    return ", ".join(parts)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _time(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z") if at is not None else "never"


def _age(at: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in the largest unit that says something."""
    if at is None:
        return "-"
    seconds = (now - at).total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
