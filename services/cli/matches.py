"""`visabus matches`: persons who may be one; and a person's word on them."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.audited import Confidential, StatedReason, reading, remember
from services.cli.context import MISUSED, Given, Refusal, need, settings_of

if TYPE_CHECKING:
    from schemas.events import Decision, RecordRef
    from services.matches import Possible, Side
    from services.settings import Settings

RecordArgument = Annotated[str, typer.Argument(metavar="SYSTEM/RECORD", help="A record, as `matches list` shows it.")]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides.")]
WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="What it rests on.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="Persons who may be one: list, decide, undo.")
    group.command("list")(list_)
    group.command()(decide)
    group.command()(undo)
    app.add_typer(group, name="matches")


def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="The most entries to list.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    confidential: Confidential = False,
    why: StatedReason = "",
    documents: Annotated[
        bool, typer.Option("--documents", help="Also those who share a document's number and nothing else.")
    ] = False,
) -> None:
    """List persons whose records are alike, but not enough to be joined.

    Each with its score in bits, what it is made of, both persons, and the command that decides. A passport's or
    visa's number under two who differ in everything was mistyped or given out again: --documents lists these, too.

    ```
    visabus matches list
    visabus matches list --documents
    visabus matches list --limit 1000 --json | jq .score
    ```
    """
    count = 0
    settings = settings_of(context)
    need(settings.store_url, "store", "correlate")
    command = _same_bus(context.find_object(Given) or Given())
    verb = reading("matches list", why, confidential=confidential)
    results = asyncio.run(_listed(settings, limit, documents=documents, confidential=confidential))
    persons = dict.fromkeys(side.person for result in results for side in (result.one, result.other))
    remember(settings, verb, why=why, persons=[*persons])
    for result in results:
        count += 1
        typer.echo(json.dumps(asdict(result)) if as_json else "\n".join(_lines(result, command)))
    if not count and not as_json:
        typer.echo("No possible matches.")


def decide(
    context: typer.Context,
    one: RecordArgument,
    other: RecordArgument,
    by: ByOption,
    why: WhyOption,
    same: Annotated[bool, typer.Option("--same/--different", help="One person's, or two persons'.")],
) -> None:
    """Say whether two records are one person's. A later word on the same two replaces it.

    The decision goes over the bus like any event; the correlator joins or parts the persons.

    ```
    visabus matches decide I94/I94-2024-7 APIS/LH0400-4 --same --by "J. Doe" --why "both passports seen"
    ```
    """
    from services.matches import decision

    settings = settings_of(context)
    at = datetime.now(UTC)
    event = _made(lambda: decision(_ref(one), _ref(other), same=same, by=by, why=why, at=at))
    _decided(settings, f"matches decide {'same' if same else 'different'}", one, other, by, why)
    asyncio.run(_send(settings, event))
    typer.echo(f"Told: {one} and {other} are {'one person' if same else 'two persons'}.")


def undo(context: typer.Context, one: RecordArgument, other: RecordArgument, by: ByOption, why: WhyOption) -> None:
    """Take back a decision on two records, as if it had not been made.

    ```
    visabus matches undo I94/I94-2024-7 APIS/LH0400-4 --by "J. Doe" --why "another passport"
    ```
    """
    from services.matches import undone

    settings = settings_of(context)
    at = datetime.now(UTC)
    event = _made(lambda: undone(_ref(one), _ref(other), by=by, why=why, at=at))
    _decided(settings, "matches undo", one, other, by, why)
    asyncio.run(_send(settings, event))
    typer.echo(f"Told: nothing is decided on {one} and {other}.")


def _decided(settings: Settings, verb: str, one: str, other: str, by: str, why: str) -> None:
    """Keep in the audit log who decides on what, before it is sent. Raises Refusal."""
    need(settings.bus_url, "bus", "ingest")
    remember(settings, verb, about=[f"record/{one}", f"record/{other}"], why=f"{why} (by {by})")


def _made(make: Callable[[], Decision]) -> Decision:
    try:
        return make()
    except ValueError as error:
        message = str(error).splitlines()[-1].strip()
        raise Refusal(f"no decision can be made of that: {message}", MISUSED) from None


def _ref(text: str) -> RecordRef:
    from schemas.events import RecordRef

    system, slash, record = text.partition("/")
    if not slash or not record:
        raise Refusal(f"{text!r} is no SYSTEM/RECORD; `visabus matches list` shows them", MISUSED)
    return RecordRef(system=system, record=record)


async def _send(settings: Settings, event: Decision) -> None:
    from bus.events import message_of
    from services.wiring import send

    need(settings.bus_url, "bus", "ingest")
    await send(settings, [message_of(event)])


async def _listed(settings: Settings, limit: int, *, documents: bool, confidential: bool) -> list[Possible]:
    from services.matches import possible
    from services.store import open_store

    store = await open_store(settings.store_url)
    results: list[Possible] = []
    try:
        listing = possible(store.reads, documents=documents, confidential=confidential)
        async with aclosing(listing) as matches:
            async for one in matches:
                results.append(one)
                if len(results) >= limit:
                    break
    finally:
        await store.close()
    return results


def _same_bus(given: Given) -> str:
    """The command, told again where the bus is: what is pasted finds it. A bus's address never has a secret in it.

    A store's may have one, and no decision needs it.
    """
    options = (("--settings", given.settings), ("--bus", given.bus), ("--data", given.data))
    return shlex.join(["visabus", *(word for name, value in options if value for word in (name, str(value)))])


def _lines(matches: Possible, command: str) -> list[str]:
    sides = (matches.one, matches.other)
    records = " ".join(shlex.quote("/".join(side.record)) for side in sides)
    return [
        f"{matches.score:.1f} bits ({matches.by})",
        *(f"  but {veto}" for veto in matches.vetoes),
        *(f"  {_written(side)}" for side in sides),
        f"  {command} matches decide {records} --same|--different --by NAME --why TEXT",
    ]


def _written(side: Side) -> str:
    names = "; ".join(f"{family}, {given}".rstrip(", ") for family, given in side.names)
    parts = (names, ", ".join(side.births), ", ".join(side.citizenship), ", ".join(side.identifiers[:6]))
    return f"{side.person}  {' | '.join(part for part in parts if part)}"
