"""`visabus retract`: withdraw one bad file, poll or message whole."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.audited import MOST_REASON, Confidential, reading, remember
from services.cli.context import MISUSED, Refusal, need, settings_of, system_named
from services.clock import wall_clock

if TYPE_CHECKING:
    from collections.abc import Collection

    from services.retraction import Withdrawal
    from services.settings import Settings

_LEAST_REASON = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(retract)


def retract(
    context: typer.Context,
    batch: Annotated[str, typer.Option("--batch", metavar="NAME", help="The file, poll or message.")],
    system: Annotated[
        str | None,
        typer.Option(callback=system_named, help="Its system; needed where several have a batch of the name."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes/--dry-run", help="Do it; otherwise only say what would be retracted.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="Needed with --yes; kept in the audit log. Name no person.")
    ] = "",
    confidential: Confidential = False,
) -> None:
    """Withdraw a bad batch whole: retract each record whose last version on the bus came from it.

    Says what that is; nothing is sent without --yes. Records that have a later version from another batch are left
    alone. What an earlier batch told of a record does not come back by it: the owner sends the record again, with a
    later number. Where events are signed, the key of the system has to be here: none retracts another's records.
    How many records of a system that may be confidential by law are in a batch is told with --confidential alone.

        visabus retract --batch I94.D20250210.S000102
        visabus retract --batch I94.D20250210.S000102 --confidential --why "how much is it?"
        visabus retract --batch I94.D20250210.S000102 --system I94 --yes --why "test data, says the owner"
    """
    import orjson

    settings = settings_of(context)
    need(settings.bus_url, "bus", "ingest")
    if yes and len(why.strip()) < _LEAST_REASON:
        lacking = "a --why that says more" if why.strip() else "--why"
        raise Refusal(f"--yes needs {lacking}: what it is for is kept in the audit log", MISUSED)
    reason = f"{batch}: {why}" if why else batch
    if len(reason) > MOST_REASON:
        raise Refusal(f"--why and the batch's name are {MOST_REASON - 2} characters together at most", MISUSED)
    verb = reading("retract batch" if yes else "retract batch (dry run)", why, confidential=confidential)
    remember(settings, verb, about=[f"batch/{system or ''}/{batch}"], why=reason if reason.isprintable() else why)
    done = asyncio.run(_retract(settings, batch, system, _hidden(confidential=confidential), really=yes))
    covered = not confidential and _is_covered(done.systems[0])
    if as_json:
        typer.echo(orjson.dumps(_body(done, done_now=yes, covered=covered)).decode())
    else:
        for line in _lines(done, done_now=yes, covered=covered):
            typer.echo(line)
    if not yes:
        typer.echo("dry run, nothing was sent; --yes does it", err=True)


def _hidden(*, confidential: bool) -> frozenset[str]:
    """The systems of which nothing exists for who lacks the right."""
    from adapters.registry import systems
    from services.redaction import marked_by_law

    return frozenset() if confidential else frozenset(name for name, each in systems().items() if marked_by_law(each))


def _is_covered(system: str) -> bool:
    """Whether counts of a batch would tell of hidden records in it (`services.redaction`)."""
    from adapters.registry import systems
    from services.redaction import may_be_marked

    return may_be_marked(systems().get(system))


async def _retract(
    settings: Settings, batch: str, system: str | None, hidden: Collection[str], *, really: bool
) -> Withdrawal:
    from services.authority import Admission
    from services.authority.signatures import Verifier
    from services.ingest.sources import without_key
    from services.retraction import withdraw, withdrawal
    from services.wiring import declared_bus, signing_keys

    keys = signing_keys(settings)
    async with declared_bus(settings) as bus:
        admission = Admission(wall_clock, verifier=Verifier(keys) if keys is not None else None)
        which = await withdrawal(bus, batch, system, admission)
        known = [each for each in which.systems if each not in hidden]
        if not known:
            raise Refusal(
                f"no event on the bus is of a batch {batch}; `visabus receipts list` names the batches", MISUSED
            )
        if len(known) > 1:
            raise Refusal(f"{', '.join(known)} have a batch {batch}: say --system", MISUSED)
        if len(which.systems) > 1:
            which = await withdrawal(bus, batch, known[0], admission)
        if (missing := without_key(settings, which.systems[0])) is not None:
            raise Refusal(f"{missing}; a retraction without it would be refused")
        if really and which.events:
            producer = await bus.producer()
            try:
                await withdraw(producer, which.events, wall_clock())
            finally:
                await producer.close()
        return which


def _body(done: Withdrawal, *, done_now: bool, covered: bool) -> dict[str, Any]:
    from services.retraction import UNTOLD

    body = {"needs": "--confidential", **UNTOLD} if covered else done.counts
    return {"system": done.systems[0], "done": done_now, **body}


def _lines(done: Withdrawal, *, done_now: bool, covered: bool) -> list[str]:
    verb = "retracted" if done_now else "would be retracted"
    if covered:
        return [
            f"{done.systems[0]}: {verb}: each record whose last version came from the batch",
            "  records of its system may be confidential by law: how many they are needs --confidential --why",
        ]
    kinds = ", ".join(f"{count} {kind}" for kind, count in done.kinds.items())
    lines = [f"{done.systems[0]}: {verb}: {done.records} records, {len(done.events)} events ({kinds or 'none'})"]
    if done.earlier:
        lines.append(f"  {done.earlier} of them were told of before by another batch: that does not come back by it")
    if done.superseded:
        lines.append(f"  {done.superseded} records are left alone: a later version came from another batch")
    if done.retracted:
        lines.append(f"  {done.retracted} records are left alone: they are retracted already")
    return lines
