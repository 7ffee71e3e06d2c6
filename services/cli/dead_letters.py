"""`visabus dead-letters`: the records that could not be read; look at them, mend and replay them."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.audited import Confidential, StatedReason, reading, remember
from services.cli.context import FAILED, MISUSED, Refusal, need, settings_of, system_named

if TYPE_CHECKING:
    from adapters.core import System
    from bus.contract import Bus
    from services.dead_letters import DeadLetter, Group, Selection
    from services.ingest.replay import Replay
    from services.settings import Settings

SystemOption = Annotated[str | None, typer.Option(callback=system_named, help="Only of this system.")]
ReasonOption = Annotated[str | None, typer.Option(metavar="TEXT", help="Only those with this text in the reason.")]
BatchOption = Annotated[str | None, typer.Option(help="Only of this file, poll or push.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Records that could not be read: list, show, mend, replay.")
    group.command("list")(list_)
    group.command()(show)
    group.command()(replay)
    app.add_typer(group, name="dead-letters")


def list_(
    context: typer.Context,
    system: SystemOption = None,
    reason: ReasonOption = None,
    batch: BatchOption = None,
    each: Annotated[bool, typer.Option("--each", help="Every dead letter instead of groups.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Without those that were replayed.")] = False,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    per_page: Annotated[int, typer.Option(min=1, max=10_000, help="Lines of a page.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    confidential: Confidential = False,
    why: StatedReason = "",
) -> None:
    """List the dead letters by system and reason, the most frequent first; or each of them.

    A line has the number of dead letters, how many of them are pending, first and last, system, reason and the id of
    one; with --each the id, when, system, batch, place and reason. Without --confidential no dead letter is known of
    records that the law keeps confidential, and reasons quote no values where a record of the system may be such.

        visabus dead-letters list
        visabus dead-letters list --each --system I94 --reason EVENT-DATE --page 2
    """
    from services.dead_letters import Selection, group
    from services.dead_letters.display import plain

    settings = settings_of(context)
    verb = reading("dead-letters list", why, confidential=confidential)
    selection = Selection((), system, reason, batch, pending)
    selected = asyncio.run(_read(settings, selection, confidential=confidential))
    remember(settings, verb, why=why)
    groups = [] if each else group(selected)
    if as_json:
        lines = (
            [_as_json(_body(letter)) for letter in selected] if each else [_as_json(asdict(some)) for some in groups]
        )
    else:
        lines = [_line(letter) for letter in selected] if each else [_group_line(some) for some in groups]
    for line in lines[(page - 1) * per_page : page * per_page]:
        typer.echo(line if as_json else plain(line))
    pages = max(1, -(-len(lines) // per_page))
    pending_count = sum(dead_letter.replayed is None for dead_letter in selected)
    typer.echo(f"page {page} of {pages}; {len(selected)} dead letters, {pending_count} pending", err=True)


def show(
    context: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="The id of one dead letter, or its beginning.")],
    as_hex: Annotated[bool, typer.Option("--hex", help="The bytes alone.")] = False,
    save: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the bytes, to mend them.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object, with the bytes in base64 unless they are saved.")
    ] = False,
    confidential: Confidential = False,
    why: StatedReason = "",
) -> None:
    """Show one dead letter: place, reason, and its bytes beside what the interface says they are.

    What the reason names begins with `>`.

    Bytes that could not be read may be of a record that the law keeps confidential: of most systems they need
    --confidential, and so do the record's key and the values that the reason quotes.

        visabus dead-letters show 3f2a
        visabus dead-letters show 3f2a --save record.dat --confidential --why "a ticket's number"
    """
    from adapters.registry import systems
    from services.dead_letters.display import hexadecimal, plain
    from services.dead_letters.marking import lines_of
    from services.redaction import may_be_marked

    settings = settings_of(context)
    verb = reading(
        "dead-letters show" if save is None else "dead-letters save",
        why,
        confidential=confidential,
    )
    dead_letter = _only(asyncio.run(_read(settings, _by_id(id), whole=True, confidential=confidential)), id)
    covered = not confidential and may_be_marked(systems().get(dead_letter.system))
    remember(settings, verb, about=[f"dead-letter/{dead_letter.id}"], why=why)
    if not as_json:
        for name, value in _facts(dead_letter, covered=covered):
            typer.echo(f"{name:<10} {plain(value)}")
    raw = b"" if covered else _bytes(settings, dead_letter)
    if as_json:
        data = {} if covered or save is not None else {"data": b64encode(raw).decode()}
        typer.echo(_as_json(_body(dead_letter) | {"record": None if covered else dead_letter.record} | data))
    if covered:
        need_right = f"a record of {dead_letter.system} may be confidential by law: its bytes need --confidential --why"
        if save is not None or as_hex:
            raise Refusal(need_right, MISUSED)
        typer.echo(need_right, err=True)
        return
    if save is not None:
        save.write_bytes(raw)
        typer.echo(f"{len(raw)} bytes in {save}", err=True)
        return
    if as_json:
        return
    known = systems().get(dead_letter.system)
    feed = next((feed for feed in known.feeds if feed.name == dead_letter.feed), None) if known is not None else None
    typer.echo("")
    if as_hex:
        for text in hexadecimal(raw):
            typer.echo(text)
        return
    for line in lines_of(feed, dead_letter, raw):
        unmarked = not line.marked or line.text.startswith(">")
        typer.echo(line.text if unmarked else f">{line.text.removeprefix(' ')}")


def replay(
    context: typer.Context,
    id: Annotated[
        list[str] | None, typer.Option("--id", help="The id of a dead letter, or its beginning; may be repeated.")
    ] = None,
    system: SystemOption = None,
    reason: ReasonOption = None,
    batch: BatchOption = None,
    mended: Annotated[
        Path | None,
        typer.Option("--with", metavar="FILE", exists=True, dir_okay=False, help="Mended bytes of one dead letter."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes/--dry-run", help="Do it; otherwise only print what would be done.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    release: Annotated[
        bool, typer.Option("--release", help="Send it though it changes more outcomes than ingest.hold_above.")
    ] = False,
    confidential: Confidential = False,
    why: StatedReason = "",
) -> None:
    """Read dead letters again by the present adapter and publish what they say, under the ids of a first reading.

    Without --yes nothing is sent. A dead letter that was replayed is left alone, so it can be run again at any time.
    Exits with 1 if something is still refused. What would change more outcomes than `ingest.hold_above` says how many
    and which, and is sent with --release alone. Without --confidential none of a record that the law keeps
    confidential.

        visabus dead-letters replay --system I94 --reason "is in no code table"
        visabus dead-letters replay --id 3f2a --with record.dat --yes
    """
    from services.dead_letters import Selection
    from services.dead_letters.display import plain

    if not (id or system or reason or batch):
        raise Refusal("which dead letters? say --id, --system, --reason or --batch", MISUSED)
    choice = Selection(tuple(id or ()), system, reason, batch)
    data = mended.read_bytes() if mended is not None else None
    settings = settings_of(context)
    verb = "dead-letters replay mended" if mended is not None else "dead-letters replay"
    verb = (f"{verb} released" if release else verb) if yes else f"{verb} (dry run)"
    verb = reading(verb, why, confidential=confidential)
    need(settings.bus_url, "bus", "ingest")
    remember(settings, verb, about=[f"dead-letter/{each}" for each in choice.ids], why=why)
    results = asyncio.run(_replay(settings, choice, data, really=yes, release=release, confidential=confidential))
    for result in results:
        typer.echo(_as_json(_result_body(result)) if as_json else plain(_result_line(result, done=yes)))
    outcomes = [result.outcome for result in results]
    counts = ", ".join(f"{outcomes.count(name)} {name}" for name in dict.fromkeys(outcomes)) or "no such dead letter"
    typer.echo(f"{'done' if yes else 'dry run, nothing was sent; --yes does it'}: {counts}", err=True)
    if "refused" in outcomes or not outcomes:
        raise typer.Exit(FAILED)


def _by_id(id: str) -> Selection:
    from services.dead_letters import Selection

    return Selection((id.lower(),))


def _only(matching: list[DeadLetter], id: str) -> DeadLetter:
    if len(matching) != 1:
        raise Refusal(
            f"no dead letter {id}" if not matching else f"{len(matching)} dead letters begin with {id}", MISUSED
        )
    return matching[0]


def _bytes(settings: Settings, dead_letter: DeadLetter) -> bytes:
    from services.dead_letters import Spool

    try:
        return dead_letter.bytes_of(Spool(settings.data_dir / "spool"))
    except OSError:
        raise Refusal("its bytes are not in the spool of this data directory") from None


def _facts(dead_letter: DeadLetter, *, covered: bool = False) -> list[tuple[str, str]]:
    facts = [
        ("id", dead_letter.id),
        ("feed", f"{dead_letter.system}.{dead_letter.feed}, mapping version {dead_letter.mapping_version}"),
        ("batch", dead_letter.batch),
        ("place", dead_letter.place),
        ("record", "not told" if covered else dead_letter.record or "not known"),
        ("reason", dead_letter.reason),
        ("at", dead_letter.at.isoformat(timespec="seconds")),
        ("bytes", f"{dead_letter.size}{', in the spool' if dead_letter.spooled else ''}"),
        ("replayed", dead_letter.replayed.isoformat(timespec="seconds") if dead_letter.replayed else "no"),
    ]
    return (
        facts
        if dead_letter.counted
        else [*facts, ("kind", "no record: a note, or a rest that could not be told apart")]
    )


def _body(letter: DeadLetter) -> dict[str, object]:
    """What is known of a dead letter but its record's key and its bytes."""
    names = ("id", "system", "feed", "batch", "place", "reason", "at", "size", "counted", "replayed")
    return {name: getattr(letter, name) for name in names}


def _as_json(body: dict[str, object]) -> str:
    import orjson

    from services.dead_letters import encodable

    return orjson.dumps(
        {key: encodable(each) if isinstance(each, str) else each for key, each in body.items()}
    ).decode()


def _line(dead_letter: DeadLetter) -> str:
    state = "replayed" if dead_letter.replayed else "pending "
    at = dead_letter.at.isoformat(timespec="seconds")
    head = f"{dead_letter.id}  {state}  {at}  {dead_letter.system}.{dead_letter.feed}"
    return f"{head}  {dead_letter.batch}  {dead_letter.place}  {dead_letter.reason}"


def _group_line(group: Group) -> str:
    first, last = (moment.isoformat(timespec="seconds") for moment in (group.first, group.last))
    head = f"{group.dead_letters:7}  {group.pending:7} pending  {first}  {last}"
    return f"{head}  {group.system}.{group.feed}  {group.reason}  (such as {group.example[:8]})"


def _result_body(result: Replay) -> dict[str, object]:
    outcome = {"outcome": result.outcome, "why": result.why, "events": result.events}
    return {name: value for name, value in _body(result.dead_letter).items() if name != "reason"} | outcome


def _result_line(result: Replay, *, done: bool) -> str:
    phrases = {
        "publish": f"{'published' if done else 'would publish'} {result.events} events",
        "leave out": f"{'left out' if done else 'would leave out'} by {result.why}",
        "refused": f"still refused: {result.why}",
        "already": f"already {result.why}",
    }
    dead_letter = result.dead_letter
    return (
        f"{dead_letter.id}  {dead_letter.system}  {dead_letter.batch}  {dead_letter.place}  {phrases[result.outcome]}"
    )


async def _read(settings: Settings, choice: Selection, *, whole: bool = False, confidential: bool) -> list[DeadLetter]:
    from services.wiring import declared_bus

    need(settings.bus_url, "bus", "ingest")
    async with declared_bus(settings) as bus:
        return await _selected(settings, bus, choice, whole=whole, confidential=confidential)


async def _selected(
    settings: Settings, bus: Bus, choice: Selection, *, whole: bool = False, confidential: bool
) -> list[DeadLetter]:
    """The dead letters selected of those that exist for the caller, as they may be told."""
    from services.cli.redaction import open_veil
    from services.dead_letters import read

    if confidential:
        return await read(bus, choice, whole=whole)
    async with AsyncExitStack() as opened:
        veil = await open_veil(settings, bus, opened)
        return await veil.letters(choice, whole=whole)


async def _replay(
    settings: Settings, choice: Selection, mended: bytes | None, *, really: bool, release: bool, confidential: bool
) -> list[Replay]:
    from adapters.registry import systems
    from services.dead_letters import Spool, load
    from services.ingest.clocks import now
    from services.ingest.replay import assess, replay
    from services.wiring import declared_bus

    need(settings.bus_url, "bus", "ingest")
    spool = Spool(settings.data_dir / "spool")
    light = partial(_light, systems=None if confidential else systems())
    async with declared_bus(settings) as bus:
        selected = await _selected(settings, bus, choice, confidential=confidential)
        if mended is not None and len(selected) != 1:
            raise Refusal(f"--with mends one dead letter, {len(selected)} are selected", MISUSED)

        async def assessed() -> AsyncIterator[Replay]:
            async for dead_letter in load(bus, selected):
                yield assess(systems(), dead_letter, spool, now, mended)

        if not (really and release):
            await _refuse_much(settings, bus, assessed(), really=really)
        if not really:
            return [light(result) async for result in assessed()]
        producer = await bus.producer()
        try:
            done = replay(systems(), load(bus, selected), producer, spool, now, mended=mended)
            return [light(result) async for result in done]
        finally:
            await producer.close()


async def _refuse_much(settings: Settings, bus: Bus, assessed: AsyncIterator[Replay], *, really: bool) -> None:
    """Say what replaying would change where that is much. Raises Refusal where it was to be done."""
    from services.feeds import Orders
    from services.ingest.gate import NotJudged, gate_of
    from services.ingest.replay import would_change

    if (gate := gate_of(settings, Orders(), bus)) is None:
        return
    try:
        waiting = await would_change(assessed, gate)
    except NotJudged as error:
        said = f"what it would change cannot be told: {error}; --release sends it unseen"
        if really:
            raise Refusal(f"nothing was sent: {said}") from None
        typer.echo(said, err=True)
        return
    finally:
        await gate.close()
    if waiting is None:
        return
    said = f"{waiting.in_words()}, and at most {waiting.limit} may change unseen: --release sends it all the same"
    if really:
        raise Refusal(f"nothing was sent: {said}")
    typer.echo(said, err=True)


def _light(result: Replay, *, systems: Mapping[str, System] | None) -> Replay:
    """What is told of it, without the bytes; with `systems` as it is told without the right."""
    from services.dead_letters import shape
    from services.redaction import may_be_marked

    why = result.why
    if why is not None and systems is not None and may_be_marked(systems.get(result.dead_letter.system)):
        why = shape(why)
    return replace(result, why=why, messages=(), dead_letter=replace(result.dead_letter, raw=b"", context=None))
