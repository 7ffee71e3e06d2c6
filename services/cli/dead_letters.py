"""`visabus dead-letters`: the records that could not be read; look at them, mend and replay them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import FAILED, MISUSED, Refusal, need, settings_of

if TYPE_CHECKING:
    from bus.contract import Bus
    from services.ingest.replay import Choice, Group, Letter, Result
    from services.settings import Settings

SystemOption = Annotated[str | None, typer.Option(help="Only of this system.")]
ReasonOption = Annotated[str | None, typer.Option(metavar="TEXT", help="Only with this in the reason.")]
BatchOption = Annotated[str | None, typer.Option(help="Only of this file, poll or push.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Records that could not be read: look, mend, replay.")
    group.command("list")(list_)
    group.command()(show)
    group.command()(replay)
    app.add_typer(group, name="dead-letters")


def list_(
    context: typer.Context,
    system: SystemOption = None,
    reason: ReasonOption = None,
    batch: BatchOption = None,
    each: Annotated[bool, typer.Option("--each", help="Every letter instead of groups.")] = False,
    waiting: Annotated[bool, typer.Option("--waiting", help="Without those that were replayed.")] = False,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    per_page: Annotated[int, typer.Option(min=1, max=10_000, help="Lines of a page.")] = 50,
) -> None:
    """List the letters by system and reason, the most frequent first; or each of them.

    A line has letters, of them waiting, first and last, system, reason and the id of one; with --each the id, when,
    system, batch, place and reason.

        visabus dead-letters list
        visabus dead-letters list --each --system I94 --reason EVENT-DATE --page 2
    """
    from services.ingest.replay import Choice, groups
    from services.ingest.shown import plain

    found = asyncio.run(_letters(settings_of(context), Choice((), system, reason, batch, waiting)))
    lines = [_line(letter) for letter in found] if each else [_group_line(group) for group in groups(found)]
    for line in lines[(page - 1) * per_page : page * per_page]:
        typer.echo(plain(line))
    pages = max(1, -(-len(lines) // per_page))
    open_ = sum(letter.replayed is None for letter in found)
    typer.echo(f"page {page} of {pages}; {len(found)} letters, {open_} waiting", err=True)


def show(
    context: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="Of one letter, or how it begins.")],
    hexadecimal: Annotated[bool, typer.Option("--hex", help="The bytes alone.")] = False,
    save: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the bytes, to mend them.")] = None,
) -> None:
    """Show one letter: place, reason, and its bytes beside what the interface says they are.

    visabus dead-letters show 3f2a --save record.dat
    """
    from adapters.registry import systems
    from services.ingest import shown
    from services.ingest.shown import plain

    settings = settings_of(context)
    letter = _only(asyncio.run(_letters(settings, _by_id(id), whole=True)), id)
    for name, value in _facts(letter):
        typer.echo(f"{name:<10} {plain(value)}")
    raw = _bytes(settings, letter)
    if save is not None:
        save.write_bytes(raw)
        typer.echo(f"{len(raw)} bytes in {save}", err=True)
        return
    known = systems().get(letter.system)
    feed = next((feed for feed in known.feeds if feed.name == letter.feed), None) if known is not None else None
    typer.echo("")
    for line in shown.hexadecimal(raw) if hexadecimal else shown.shown(feed, letter, raw):
        typer.echo(line)


def replay(
    context: typer.Context,
    id: Annotated[
        list[str] | None, typer.Option("--id", help="One letter, or how its id begins; may be repeated.")
    ] = None,
    system: SystemOption = None,
    reason: ReasonOption = None,
    batch: BatchOption = None,
    mended: Annotated[
        Path | None,
        typer.Option("--with", metavar="FILE", exists=True, dir_okay=False, help="Mended bytes of one letter."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes/--dry-run", help="Do it; else it is only told what would be done.")
    ] = False,
) -> None:
    """Read letters again by the present adapter and publish what they say, under the ids of a first reading.

    Without --yes nothing is sent. A letter that was replayed is left alone, so it can be run again at any time.
    Exits with 1 if something is still refused.

        visabus dead-letters replay --system I94 --reason "is in no code table"
        visabus dead-letters replay --id 3f2a --with record.dat --yes
    """
    from services.ingest.replay import Choice
    from services.ingest.shown import plain

    if not (id or system or reason or batch):
        raise Refusal("which letters? say --id, --system, --reason or --batch", MISUSED)
    choice = Choice(tuple(id or ()), system, reason, batch)
    data = mended.read_bytes() if mended is not None else None
    results = asyncio.run(_replay(settings_of(context), choice, data, really=yes))
    for result in results:
        typer.echo(plain(_result_line(result, done=yes)))
    outcomes = [result.outcome for result in results]
    counts = ", ".join(f"{outcomes.count(name)} {name}" for name in dict.fromkeys(outcomes)) or "no such letter"
    typer.echo(f"{'done' if yes else 'dry run, nothing was sent; --yes does it'}: {counts}", err=True)
    if "refused" in outcomes or not outcomes:
        raise typer.Exit(FAILED)


def _by_id(id: str) -> Choice:
    from services.ingest.replay import Choice

    return Choice((id.lower(),))


def _only(found: list[Letter], id: str) -> Letter:
    if len(found) != 1:
        raise Refusal(f"no letter {id}" if not found else f"{len(found)} letters begin with {id}", MISUSED)
    return found[0]


def _bytes(settings: Settings, letter: Letter) -> bytes:
    from services.ingest.letters import Spool

    try:
        return letter.bytes_of(Spool(settings.data_dir / "spool"))
    except OSError:
        raise Refusal("its bytes are not in the spool of this data directory") from None


def _facts(letter: Letter) -> list[tuple[str, str]]:
    facts = [
        ("id", letter.id),
        ("feed", f"{letter.system}.{letter.feed}, mapping version {letter.mapping_version}"),
        ("batch", letter.batch),
        ("place", letter.place),
        ("record", letter.record or "not known"),
        ("reason", letter.reason),
        ("at", letter.at.isoformat(timespec="seconds")),
        ("bytes", f"{letter.size}{', in the spool' if letter.spooled else ''}"),
        ("replayed", letter.replayed.isoformat(timespec="seconds") if letter.replayed else "no"),
    ]
    return facts if letter.counted else [*facts, ("kind", "no record: a note, or a rest that could not be told apart")]


def _line(letter: Letter) -> str:
    state = "replayed" if letter.replayed else "waiting "
    at = letter.at.isoformat(timespec="seconds")
    return f"{letter.id}  {state}  {at}  {letter.system}.{letter.feed}  {letter.batch}  {letter.place}  {letter.reason}"


def _group_line(group: Group) -> str:
    first, last = (moment.isoformat(timespec="seconds") for moment in (group.first, group.last))
    head = f"{group.letters:7}  {group.waiting:7} waiting  {first}  {last}"
    return f"{head}  {group.system}.{group.feed}  {group.reason}  (such as {group.example[:8]})"


def _result_line(result: Result, *, done: bool) -> str:
    said = {
        "publish": f"{'published' if done else 'would publish'} {result.events} events",
        "leave out": f"{'left out' if done else 'would leave out'} by {result.why}",
        "refused": f"still refused: {result.why}",
        "already": f"already {result.why}",
    }
    letter = result.letter
    return f"{letter.id}  {letter.system}  {letter.batch}  {letter.place}  {said[result.outcome]}"


@asynccontextmanager
async def _bus(settings: Settings) -> AsyncIterator[Bus]:
    from services.wiring import open_bus, topics

    need(settings.bus_url, "bus", "ingest")
    bus = await open_bus(settings)
    try:
        await bus.declare(topics())
        yield bus
    finally:
        await bus.close()


async def _letters(settings: Settings, choice: Choice, *, whole: bool = False) -> list[Letter]:
    from services.ingest.replay import letters

    async with _bus(settings) as bus:
        return await letters(bus, choice, whole=whole)


async def _replay(settings: Settings, choice: Choice, mended: bytes | None, *, really: bool) -> list[Result]:
    from adapters.registry import systems
    from services.ingest.clocks import now
    from services.ingest.letters import Spool
    from services.ingest.replay import judge, letters, loaded, replay

    spool = Spool(settings.data_dir / "spool")
    async with _bus(settings) as bus:
        chosen = await letters(bus, choice)
        if mended is not None and len(chosen) != 1:
            raise Refusal(f"--with mends one letter, {len(chosen)} are chosen", MISUSED)
        if not really:
            return [_light(judge(systems(), letter, spool, now, mended)) async for letter in loaded(bus, chosen)]
        producer = await bus.producer()
        try:
            done = replay(systems(), loaded(bus, chosen), producer, spool, now, _on, mended=mended)
            return [_light(result) async for result in done]
        finally:
            await producer.close()


def _light(result: Result) -> Result:
    """What is told of it, without the bytes."""
    return replace(result, messages=(), letter=replace(result.letter, raw=b"", context=None))


async def _on(point: str) -> None:
    return
