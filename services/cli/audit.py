"""`visabus audit`."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from services.addresses import exists
from services.cli.audited import StatedReason, keeper_of, log_quietly, operating_user, remembered
from services.cli.context import FAILED, MISUSED, Refusal, need, settings_of
from services.clock import wall_clock

if TYPE_CHECKING:
    from services.audit import AuditKeys, Row, Verdict
    from services.audit.heads import Head
    from services.settings import Settings

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")
BROKEN = "the audit log is broken"


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="The audit log: who looked whom up, when and why.")
    group.callback()(_group)
    for command in (create, verify, find, rotate, accept):
        group.command()(command)
    app.add_typer(group, name="audit")


def _group() -> None:
    """The audit log: who looked whom up, when and why."""


def create(context: typer.Context) -> None:
    """Make the log and its keys where there are none, by a role that may make tables; others then need no such right.

    visabus audit create
    """
    asyncio.run(_create(settings_of(context)))


def verify(
    context: typer.Context,
    head: Annotated[
        list[str] | None,
        typer.Option(metavar="ROW:SEAL", help="A row noted earlier, beside those that were given out to the bus."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, of a log that is broken as well.")] = False,
) -> None:
    """Check that no row was changed, taken out or put in, and that none is missing. Ends with 1 if it is not so.

    Nothing is written: the log is opened for reading alone. All rows are checked by the keys that seal them, the
    triggers against those that this program makes, and each head that was given out to the bus.

    Prints the last row as ROW:SEAL: it can be noted where the log's keepers cannot change it, and given next time.

        visabus audit verify --head 1204:9f86d081884c7d65...
    """
    heads = [_noted(text) for text in head or ()]
    settings = settings_of(context)
    verdict, wrong, compared = asyncio.run(_verify(settings, heads))
    if verdict.broken is not None:
        wrong = [verdict.broken, *wrong]
    if as_json:
        body = {"rows": verdict.rows, "last": f"{verdict.rows}:{verdict.head}", "wrong": wrong, "compared": compared}
        typer.echo(json.dumps(body))
        if wrong:
            raise typer.Exit(FAILED)
        return
    if wrong:
        raise Refusal(f"{BROKEN}: {'; '.join(wrong)}")
    typer.echo(f"{verdict.rows} rows, unbroken")
    typer.echo(f"{verdict.rows}:{verdict.head}")
    typer.echo(f"visabus: {compared}", err=True)


def find(
    context: typer.Context,
    numbers: Annotated[
        list[str],
        typer.Argument(metavar="SCHEME/NUMBER...", help="Such as i94/123456789A1, person/ID, record/SYSTEM/KEY."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    why: StatedReason = "",
) -> None:
    """List the rows of those who looked up a number, or were told of a person. It is remembered too.

    The log has numbers and persons as keyed hashes only: this needs the keys of the installation.

    ```
    visabus audit find passport/GBR/P7654321 --why "request of the data subject"
    ```
    """
    settings = settings_of(context)
    spelt = [_spelt(number) for number in numbers]
    for row in asyncio.run(_find(settings, spelt, why)):
        typer.echo(json.dumps(_body(row)) if as_json else _line(row))


def rotate(
    context: typer.Context, names: Annotated[bool, typer.Option("--names", help="The key of names.")] = False
) -> None:
    """Add a new key, by which rows are sealed from the next start on. What the old ones sealed stands.

    With several machines copy the file to all of them before they are started again.

    ```
    visabus audit rotate
    ```
    """
    from services.audit.keys import names_file, seal_file
    from services.keyring import UnsafeKey
    from services.keyring import rotate as rotated

    settings = settings_of(context)
    path = names_file(settings) if names else seal_file(settings)
    what = "names" if names else "seals"
    asyncio.run(remembered(settings, f"audit rotate {what}"))
    try:
        ring = rotated(path)
    except (UnsafeKey, OSError) as error:
        raise Refusal(str(error)) from None
    typer.echo(f"{path}: {len(ring.keys)} keys, {ring.id} is used from the next start on")


def accept(
    context: typer.Context,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="What happened, and who decided so.")],
) -> None:
    """Take the log as it stands for the whole one, after an operator has found out what is missing.

    The API answers again once it is started anew. Heads that were given out before do not count any more; the log says
    who accepted it, and why.

    ```
    visabus audit accept --why "database restored from the backup of 3 November; rows 1205 to 1300 are in the journal"
    ```
    """
    settings = settings_of(context)
    if not why.strip():
        raise Refusal("--why says what happened", MISUSED)
    sequence, seal = asyncio.run(_accept(settings, why))
    typer.echo(f"accepted\n{sequence}:{seal}")


def _noted(text: str) -> tuple[int, str]:
    match = _HEAD.fullmatch(text)
    if match is None:
        raise Refusal("a row is noted as ROW:SEAL, as this command prints it", MISUSED)
    return int(match[1]), match[2]


def _spelt(number: str) -> str:
    """What is looked for, as the log's names are made of it. Raises Refusal."""
    from schemas.identifiers import Identifier, InvalidIdentifier

    if re.fullmatch(r"person/[0-9a-f]{32}|record/[^/]+/.+|dead-letter/.+", number):
        return number
    try:
        return Identifier.parse(number).text
    except (InvalidIdentifier, ValueError) as error:
        raise Refusal(
            f"{error}; write SCHEME/NUMBER, such as i94/123456789A1, person/ID or record/SYSTEM/KEY", MISUSED
        ) from None


_SHOWN = ("at", "subject", "client", "source", "verb", "purpose", "result", "reason", "request")


def _line(row: Row) -> str:
    return "  ".join(getattr(row, name) or "-" for name in _SHOWN)


def _body(row: Row) -> dict[str, object]:
    return {"sequence": row.sequence} | {name: getattr(row, name) or None for name in _SHOWN}


def _keys(settings: Settings) -> AuditKeys:
    from services.audit import held_keys
    from services.keyring import UnsafeKey

    try:
        return held_keys(settings)
    except (UnsafeKey, OSError) as error:
        raise Refusal(f"the keys of the audit log: {error}") from None


async def _create(settings: Settings) -> None:
    from services.audit import AuditDown, keys_of, open_audit
    from services.keyring import UnsafeKey

    try:
        log = await open_audit(settings.audit_url, keys_of(settings), wall_clock)
    except (UnsafeKey, OSError, AuditDown) as error:
        raise Refusal(str(error)) from None
    await log.close()


async def _verify(settings: Settings, noted: list[tuple[int, str]]) -> tuple[Verdict, list[str], str]:
    """The verdict, what is wrong beside the rows, and what the log was compared with."""
    from services.audit import AuditDown, open_reading, verify
    from services.audit.keys import seal_file

    if not seal_file(settings).exists():
        need(settings.audit_url, "audit log", "audit create")
    keys = _keys(settings)
    heads, compared = await _heads(settings, keys)
    need_log(settings, heads)
    known = [*noted, *((head.sequence, head.seal) for head in heads)]
    if len(dict(known)) != len(set(known)):
        raise Refusal(f"{BROKEN}: two heads of one row differ: of a log that was put back both ways were given out")
    try:
        async with open_reading(settings.audit_url, keys.seal) as log:
            wrong = await log.wrong()
            if wrong == ["there is no table of the log"]:
                raise Refusal(f"{BROKEN}: there is no table of the log in its database: it was dropped, or replaced")
            verdict = await verify(log.rows(), keys.seal, known, heads[-1].log if heads else "")
    except AuditDown as error:
        raise Refusal(str(error)) from None
    return verdict, wrong, compared


def need_log(settings: Settings, heads: list[Head]) -> None:
    """Refuse a log whose file is not there; in other words where its heads were given out. Raises Refusal."""
    try:
        need(settings.audit_url, "audit log", "audit create")
    except Refusal:
        if not heads:
            raise
        last = heads[-1].sequence
        raise Refusal(f"{BROKEN}: its file is gone, and row {last} was given out: it was deleted, or moved") from None


async def _heads(settings: Settings, keys: AuditKeys) -> tuple[list[Head], str]:
    """The heads on the bus, and in words whether there are any."""
    from bus.contract import BusError
    from services.audit.heads import given_out, place_of
    from services.wiring import open_bus

    if not exists(settings.bus_url):
        return [], "not compared with heads given out: there is no bus"
    log_quietly(settings)
    try:
        bus = await open_bus(settings)
        try:
            heads = await given_out(bus, keys.seal, place_of(settings.audit_url))
        finally:
            await bus.close()
    except BusError as error:
        raise Refusal(f"the heads given out cannot be read: the bus does not answer ({type(error).__name__})") from None
    if not heads:
        return [], "no head was given out yet: a log that was cut off at its end would look whole"
    return heads, f"compared with {len(heads)} heads given out, the last of row {heads[-1].sequence}"


async def _find(settings: Settings, numbers: list[str], why: str) -> list[Row]:
    from services.audit import AuditDown, open_reading

    need(settings.audit_url, "audit log", "audit create")
    keys = _keys(settings)
    await remembered(settings, "audit find", about=numbers, why=why)
    names = {name for number in numbers for name in keys.all_names(number)}
    try:
        async with open_reading(settings.audit_url, keys.seal) as log:
            return [
                row async for row in log.rows() if row.looked_up in names or any(name in row.persons for name in names)
            ]
    except AuditDown as error:
        raise Refusal(str(error)) from None


async def _accept(settings: Settings, why: str) -> tuple[int, str]:
    import uuid

    from bus.contract import BusError
    from services.audit import AuditDown, keys_of, open_audit
    from services.audit.rows import Entry, Result
    from services.cli.audited import CLIENT

    _keys(settings)
    log_quietly(settings)
    try:
        log = await open_audit(settings.audit_url, keys_of(settings), wall_clock)
        try:
            request = str(uuid.uuid4())
            entry = Entry(request, operating_user(), CLIENT, "", "audit accept", "", Result.DONE, reason=why)
            await log.write(entry)
            return await keeper_of(settings, log).accept()
        finally:
            await log.close()
    except (AuditDown, BusError) as error:
        raise Refusal(f"the log cannot be accepted: {error}", FAILED) from None
