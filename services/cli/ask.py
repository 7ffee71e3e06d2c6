"""`visabus ask`: whom sources are asked about that tell nothing by themselves."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.audited import remember
from services.cli.context import MISUSED, Refusal, settings_of, start_logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.questions import Asking
    from services.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Whom sources are asked about: about, follow, open.")
    group.command()(about)
    group.command()(follow)
    group.command("open")(open_)
    app.add_typer(group, name="ask")


def _kept(count: int) -> str:
    return f"{count} {'question' if count == 1 else 'questions'} kept"


def about(
    context: typer.Context,
    identifiers: Annotated[list[str], typer.Argument(metavar="SCHEME/NUMBER...", help="Such as a_number/A099000117.")],
    why: Annotated[str, typer.Option(help="A reason that names no person; it is kept with the question.")] = "",
) -> None:
    """Ask about persons, at once and before all others.

    The questions are kept on the bus; the process that reads the feed asks them.

    ```
    visabus ask about a_number/A099000117 sevis/N0099000117
    ```
    """
    from datetime import UTC, datetime

    from schemas.identifiers import Identifier, InvalidIdentifier
    from services.questions import Priority, question_of

    questions: list[Asking] = []
    feeds = asked_feeds()
    for text in identifiers:
        try:
            who = Identifier.parse(text)
        except InvalidIdentifier as error:
            raise Refusal(str(error), MISUSED) from None
        able = [feed for feed, schemes in feeds.items() if who.scheme.value in schemes]
        if not able:
            known = ", ".join(sorted({scheme for schemes in feeds.values() for scheme in schemes}))
            raise Refusal(f"no source can be asked by {who.scheme.value}; by {known}", MISUSED)
        now = datetime.now(UTC)
        questions += [question_of(feed, who.text, Priority.BY_HAND, now, why) for feed in able]
    settings = settings_of(context)
    remember(settings, "ask about", about=sorted({question.identifier for question in questions}), why=why)
    asyncio.run(put(settings, questions))
    typer.echo(_kept(len(questions)), err=True)


def follow(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End when no change is left that there is room for.")] = False,
    most_open: Annotated[
        int, typer.Option(min=1, help="Questions that are open at most; further changes wait meanwhile.")
    ] = 1_000,
) -> None:
    """Follow the changes of the view, and ask about whose status has become doubtful or has changed.

    ```
    visabus ask follow
    ```
    """
    from services.cli.signals import stop_on_signals
    from services.questions.process import run

    settings = settings_of(context)
    start_logs(settings)

    async def following() -> int:
        return await run(
            settings, asked_feeds(), most_open=most_open, once=once, stop=stop_on_signals(settings.deadlines.stop)
        )

    typer.echo(_kept(asyncio.run(following())), err=True)


def open_(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """Count what is open: by feed, how many, how many of them after a try without a whole answer.

    ```
    visabus ask open
    ```
    """
    settings = settings_of(context)
    for feed, (count, again) in sorted(asyncio.run(_counts(settings)).items()):
        body = {"feed": feed.replace("/", "."), "open": count, "asked_before": again}
        typer.echo(json.dumps(body) if as_json else f"{feed}  {count} open, {again} of them asked before")


def asked_feeds() -> dict[str, tuple[str, ...]]:
    """Return the feeds that are asked, with the schemes by which."""
    from adapters.core import Asked
    from adapters.registry import systems

    return {
        f"{system.name}/{feed.name}": feed.transport.schemes
        for system in systems().values()
        for feed in system.feeds
        if isinstance(feed.transport, Asked)
    }


async def put(settings: Settings, questions: Sequence[Asking]) -> None:
    """Keep questions on the bus."""
    from services.wiring import send

    await send(settings, [each.message() for each in questions])


async def _counts(settings: Settings) -> dict[str, tuple[int, int]]:
    from services.questions import Book
    from services.wiring import declared_bus

    async with declared_bus(settings) as bus:
        producer = await bus.producer()
        try:
            book = Book(bus, producer)
            await book.follow()
        finally:
            await producer.close()
    entries = {feed: [entry for _, entry in book.open(feed)] for feed in book.entries}
    return {feed: (len(some), sum(entry.tries > 0 for entry in some)) for feed, some in entries.items()}
