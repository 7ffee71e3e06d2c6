"""`visabus feeds`: hold a feed, let it go on, have it read again, decide on a batch that waits.

What an operator ordered outlasts restarts.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from services.cli.audited import MOST_REASON, NOT_STATED, StatedReason, operating_user, remember
from services.cli.context import MISUSED, Refusal, need, settings_of

if TYPE_CHECKING:
    from schemas.operations import FeedStatus, WaitingStatus
    from services.feeds import Checkpoint, Word
    from services.receipts import Extent
    from services.settings import Settings

FeedArgument = Annotated[str, typer.Argument(metavar="SYSTEM.FEED", help="As `visabus feeds list` shows it.")]
Why = Annotated[
    str,
    typer.Option("--why", metavar="TEXT", help="Needed; shown to others and kept in the audit log. Name no person."),
]
_LEAST_REASON = 3


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        no_args_is_help=True, help="Hold a feed, let it go on, have it read again, decide on a batch: list, pause, ..."
    )
    group.command("list")(list_)
    group.command()(pause)
    group.command()(resume)
    group.command()(rewind)
    group.command()(waiting)
    group.command()(release)
    group.command()(reject)
    app.add_typer(group, name="feeds")


def list_(
    context: typer.Context,
    system: Annotated[str | None, typer.Option(help="Only of this system.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """List the feeds of the settings, those that were ever read and those that are held: state, counts, who holds one.

    visabus feeds list
    visabus feeds list --json | jq 'select(.state == "paused")'
    """
    from services.dead_letters.display import plain

    settings = settings_of(context)
    need(settings.bus_url, "bus", "ingest")
    feeds = [each for each in asyncio.run(_feeds(settings)) if system is None or each.system == system.upper()]
    width = max((len(f"{feed.system}.{feed.feed}") for feed in feeds), default=0)
    for feed in feeds:
        typer.echo(feed.model_dump_json() if as_json else plain(_line(feed, width)))


def pause(context: typer.Context, feed: FeedArgument, why: Why = "") -> None:
    """Have nothing more read of a feed until it is resumed, whatever is restarted meanwhile.

    What was read already is sent and saved first. Feeds of a door answer 503 with Retry-After and keep nothing.

        visabus feeds pause I94.nightly --why "the owner is mending file S000102"
    """
    from services.feeds import Word

    _order(context, feed, Word.PAUSE, why)
    typer.echo(f"{feed} is paused; `visabus feeds resume {feed}` lets it go on", err=True)


def resume(context: typer.Context, feed: FeedArgument, why: StatedReason = "") -> None:
    """Let a feed go on that was paused, from where it stopped.

    visabus feeds resume I94.nightly --why "the file is mended"
    """
    from services.feeds import Word

    _order(context, feed, Word.RESUME, why.strip() or NOT_STATED)
    typer.echo(f"{feed} goes on", err=True)


def rewind(
    context: typer.Context,
    feed: FeedArgument,
    before: Annotated[
        str | None,
        typer.Option(metavar="BATCH", help="Only this file and those that its source gives after it."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes/--dry-run", help="Do it; otherwise only say what would be read again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    why: Why = "",
) -> None:
    """Have all that the source of a feed still holds read again: from its beginning, or from a file on (--before).

    Says what that is, by the receipts. Nothing is done without --yes. Events that stand on the bus come again under
    the same ids and change nothing; the feed's counters begin anew. A source that no longer holds something (a queue,
    a file that was taken away) does not send it again. With --before the counters go on; where the source no longer
    holds that file nothing is read again, and `visabus status` says so.

        visabus feeds rewind I94.nightly
        visabus feeds rewind I94.nightly --before I94.D20250210.S000102
        visabus feeds rewind I94.nightly --yes --why "mapping version 3 reads the port of entry"
    """
    from services.feeds import Word

    settings, key = _feed_of(context, feed)
    if before is not None:
        _refuse_before(key)
    checkpoint, extent = asyncio.run(_again(settings, key, before))
    if checkpoint is None:
        raise Refusal(f"{feed} was never read: there is nothing to read again")
    if before is not None and not extent.batches:
        raise Refusal(
            f"{feed} has no receipt of a batch {before}; `visabus receipts list --system {key.rpartition('/')[0]}` "
            "names them",
            MISUSED,
        )
    if not as_json:
        for line in again(checkpoint, extent, before):
            typer.echo(line)
    if yes:
        _order(context, feed, Word.REWIND, why, about=before or "")
        typer.echo(f"{feed} is read again by the process that holds it, or the next `visabus ingest`", err=True)
    else:
        remember(settings, "feeds rewind (dry run)", about=[f"feed/{key}"], why=why)
        typer.echo("dry run, nothing was done; --yes does it", err=True)
    if as_json:  # once the order is given: it says so
        typer.echo(orjson.dumps(_again_body(key, checkpoint, extent, before, done=yes)).decode())


def _refuse_before(key: str) -> None:
    """Refuse to read a feed again from a batch on where batches have no names that stay. Raises Refusal."""
    from adapters.registry import systems
    from services.ingest.sources import names_files

    system, _, feed = key.rpartition("/")
    if not names_files(systems()[system].feed(feed)):
        raise Refusal(
            f"{system}.{feed}: --before needs a feed of files; the batches of this one are made as it is read: "
            "without --before all that its source holds is read again",
            MISUSED,
        )


def waiting(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """Show the batches that wait for a person, because they would change more outcomes than `ingest.hold_above`.

    For each what it would change, by the outcome that is and the one that would be. Nothing of it was sent; it lies in
    its source, and what follows waits behind it. `feeds release` sends it, `feeds reject` leaves it out with a receipt.

        visabus feeds waiting
        visabus feeds release I94.nightly --why "the airline's backlog of May, says the owner"
    """
    from services.dead_letters.display import plain

    settings = settings_of(context)
    need(settings.bus_url, "bus", "ingest")
    feeds = asyncio.run(_feeds(settings))
    if not as_json and not any(feed.waiting for feed in feeds):
        typer.echo("no batch waits for a person", err=True)
    for feed in feeds:
        if feed.waiting is None:
            continue
        if as_json:
            body = {"system": feed.system, "feed": feed.feed, **feed.waiting.model_dump(mode="json")}
            typer.echo(orjson.dumps(body).decode())
        else:
            for line in _preview(feed, feed.waiting):
                typer.echo(plain(line))


def release(context: typer.Context, feed: FeedArgument, why: Why = "") -> None:
    """Have the batch sent that waits. Shown first by `visabus feeds waiting`.

    visabus feeds release I94.nightly --why "the airline's backlog of May, says the owner"
    """
    from services.feeds import Word

    batch = _decide(context, feed, Word.RELEASE, why)
    typer.echo(f"{batch} is sent by the process that holds {feed}, or the next `visabus ingest`", err=True)


def reject(context: typer.Context, feed: FeedArgument, why: Why = "") -> None:
    """Have nothing of the batch sent that waits: its records are left out, its receipt says by whom and why.

    A mended file under the same name is another batch, and is read.

        visabus feeds reject I94.nightly --why "the owner sends it again with the right dates"
    """
    from services.feeds import Word

    batch = _decide(context, feed, Word.REJECT, why)
    typer.echo(f"{batch} is left out by the process that holds {feed}, or the next `visabus ingest`", err=True)


def _decide(context: typer.Context, feed: str, word: Word, why: str) -> str:
    """Give a word on the batch that waits, and return its name. Raises Refusal where none does."""
    settings, key = _feed_of(context, feed)
    its = [each for each in asyncio.run(_feeds(settings)) if f"{each.system}/{each.feed}" == key]
    batch = its[0].waiting if its else None
    if batch is None:
        raise Refusal(f"no batch of {feed} waits; `visabus feeds waiting` shows those that do")
    _order(context, feed, word, why, about=batch.id)
    return batch.batch


def _preview(feed: FeedStatus, batch: WaitingStatus) -> list[str]:
    """What a batch that waits would change, in lines."""
    from services.feeds.waiting import of_records

    head = (
        f"{feed.system}.{feed.feed}: {batch.batch}{of_records(batch.records)} waits since "
        f"{batch.since.isoformat(timespec='seconds')}: it would change {_more(batch)} (at most {batch.limit} may)"
    )
    lines = [f"  {count:>8}  {change}" for change, count in batch.changes.items()]
    if batch.appeared:
        lines.append(f"  {batch.appeared:>8}  persons without an outcome would have a first one")
    return [head, *lines]


def _more(batch: WaitingStatus) -> str:
    """The outcomes that it would change, as far as everyone may know of them."""
    return f"{batch.changed} outcomes" if batch.changed > batch.limit else f"more than {batch.limit} outcomes"


def again(checkpoint: Checkpoint, extent: Extent, before: str | None = None) -> list[str]:
    """What reading a feed again comes to, in lines."""
    counters = checkpoint.counters
    where = f", from {before} on" if before is not None else ""
    # of a batch the records are not told to everybody (`services.redaction`), and two such answers differ by one batch
    records = f" with {extent.records} records" if before is None else ""
    lines = [f"would be read again{where}: {extent.batches} batches{records}, by the receipts"]
    if extent.first is not None and extent.last is not None:
        lines[0] += f", done from {extent.first[:19]}Z to {extent.last[:19]}Z"
    if before is None:
        lines.append(f"the feed has counted {counters.read} records, {counters.events} events; it counts anew")
    return lines


def _again_body(
    key: str, checkpoint: Checkpoint, extent: Extent, before: str | None, *, done: bool
) -> dict[str, object]:
    """The same as one object."""
    system, _, feed = key.rpartition("/")
    body: dict[str, object] = {"system": system, "feed": feed, "before": before, "ordered": done}
    body |= {"batches": extent.batches, "first": extent.first, "last": extent.last}
    if before is None:  # of a batch the records are not told to everybody
        counters = checkpoint.counters
        body |= {"records": extent.records, "counted": counters.read, "events": counters.events}
    return body


def _order(context: typer.Context, feed: str, word: Word, why: str, *, about: str = "") -> None:
    """Check, remember in the audit log, and give an order. Raises Refusal."""
    settings, key = _feed_of(context, feed)
    if len(why.strip()) < _LEAST_REASON:
        lacking = "says too little" if why.strip() else "is needed"
        raise Refusal(
            f"--why {lacking}: what `feeds {word}` is for is shown to others and kept in the audit log", MISUSED
        )
    reason = f"{feed}: {why}"
    if len(reason) > MOST_REASON:
        raise Refusal(f"--why is one line of {MOST_REASON - len(feed) - 2} characters at most", MISUSED)
    remember(settings, f"feeds {word}", about=[f"feed/{key}"], why=reason)
    asyncio.run(_give(settings, key, word, why, about))


def _feed_of(context: typer.Context, name: str) -> tuple[Settings, str]:
    """The settings, and the key of a feed. Raises Refusal where there is none, or none that can be ordered here."""
    from adapters.core import Pushed
    from adapters.registry import systems
    from services.ingest.sources import without_key
    from services.nearest import no_system

    settings = settings_of(context)
    need(settings.bus_url, "bus", "ingest")
    system_name, _, feed_name = name.rpartition(".")
    if (alone := systems().get(name)) is not None:
        known = ", ".join(f"{name}.{each.name}" for each in alone.feeds)
        raise Refusal(f"{name} is a system: say which feed of it ({known})", MISUSED)
    system = systems().get(system_name)
    if system is None:
        raise Refusal(f"{name}: {no_system(system_name or name, systems())}", MISUSED)
    feed = next((each for each in system.feeds if each.name == feed_name), None)
    if feed is None:
        known = ", ".join(f"{system_name}.{each.name}" for each in system.feeds)
        raise Refusal(f"{name}: no feed {feed_name}; {system_name} has {known}", MISUSED)
    if (missing := without_key(settings, system_name)) is not None:
        raise Refusal(f"{missing}; an order without it would be passed over")
    if isinstance(feed.transport, Pushed) and context.command.name == "rewind":
        raise Refusal(f"{name} is pushed: its owner has to send again what is to be read again")
    return settings, f"{system_name}/{feed_name}"


async def _feeds(settings: Settings) -> tuple[FeedStatus, ...]:
    from services.feeds import Checkpoints, Orders
    from services.feeds.status import feeds_of
    from services.wiring import declared_bus

    checkpoints, orders = Checkpoints(), Orders()
    async with declared_bus(settings) as bus:
        await checkpoints.read(bus)
        await orders.follow(bus)
    named = [name.replace(".", "/") for name in settings.feeds]
    return feeds_of(checkpoints.held, named, datetime.now(UTC), orders.paused)


async def _again(settings: Settings, key: str, before: str | None) -> tuple[Checkpoint | None, Extent]:
    from services.feeds import Checkpoints
    from services.wiring import declared_bus, receipt_index

    index = receipt_index(settings)
    checkpoints = Checkpoints()
    async with declared_bus(settings) as bus:
        await checkpoints.read(bus)
        await index.follow(bus, settings.bus_url)
    system, _, feed = key.rpartition("/")
    return checkpoints.last.get(key), index.extent(system, feed, before)


async def _give(settings: Settings, key: str, word: Word, why: str, about: str) -> None:
    from services.feeds import give
    from services.wiring import declared_bus

    async with declared_bus(settings) as bus:
        await give(bus, key, word, by=operating_user(), why=why, now=datetime.now(UTC), about=about)


def _line(feed: FeedStatus, width: int) -> str:
    counts = f"{feed.read} read = {feed.published} published, {feed.dead_lettered} refused, {feed.filtered} left out"
    head = f"{f'{feed.system}.{feed.feed}':<{width}}  {feed.state.value:<8}  {counts}"
    held = f"  held by {feed.holder}" if feed.holder is not None else ""
    order = f"  paused {feed.paused_at.isoformat(timespec='seconds')} by {feed.paused_by}" if feed.paused_at else ""
    return f"{head}{held}{order}" + (f"  {feed.why}" if feed.why is not None else "")
