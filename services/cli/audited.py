"""What commands leave in the audit log: who of this machine looked whom up or decided what, and why.

The log of the API is theirs too. A command that tells of persons, or decides on them, tells nothing and sends nothing
unless its row is written.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict, Unpack

import typer

from services.addresses import exists
from services.cli.context import MISUSED, Refusal
from services.clock import wall_clock

if TYPE_CHECKING:
    from services.audit import AuditLog
    from services.audit.heads import HeadKeeper
    from services.settings import Settings

CLIENT = "visabus-cli"
NOT_STATED = "not stated"
MOST_REASON = 500
MOST_PERSONS = 1_000
"""Persons that a row names; a list of more says so in its reason."""
_UNSET = 2**32 - 1

StatedReason = Annotated[
    str, typer.Option("--why", metavar="TEXT", help="What it is for, kept in the audit log; name no person.")
]

Confidential = Annotated[
    bool,
    typer.Option(
        "--confidential", help="With what the law keeps confidential. Needs --why; both are kept in the audit log."
    ),
]
"""Without it a command tells what it would if there were no confidential record."""


def reading(verb: str, why: str, *, confidential: bool) -> str:
    """The verb of a row, with the right that is used. Raises Refusal for that right without a reason."""
    if not confidential:
        return verb
    if not why.strip():
        raise Refusal("--confidential needs --why: what it is for is kept in the audit log", MISUSED)
    return f"{verb} confidential:read"


def operating_user() -> str:
    """The user of the operating system, by the process and not by what its environment says.

    With sudo or su also who logged in (Linux keeps that, and no process can change it).
    """
    user = _name(os.geteuid())
    try:
        login = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        login = _UNSET
    return f"os:{user}" if login in (_UNSET, os.geteuid()) else f"os:{user}, logged in as {_name(login)}"


def _name(uid: int) -> str:
    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return str(uid)


class RowFields(TypedDict, total=False):
    """What a row says besides its verb. `about` stands in the log as keyed hashes, as `persons` do."""

    about: Sequence[str]
    why: str
    purpose: str
    persons: Sequence[str]
    token: str


def remember(settings: Settings, verb: str, **row: Unpack[RowFields]) -> None:
    """Write one row for each of what was asked about, or one. Raises Refusal where the log does not take it."""
    asyncio.run(remembered(settings, verb, **row))


async def remembered(settings: Settings, verb: str, **row: Unpack[RowFields]) -> None:
    """The same, where a loop runs."""
    from services.audit import AuditDown, keys_of, open_audit
    from services.audit.rows import Entry, Result
    from services.keyring import UnsafeKey

    why, persons = row.get("why", ""), row.get("persons", ())
    log_quietly(settings)
    if len(why) > MOST_REASON or (not why.isprintable() and why):
        raise Refusal(f"--why is one line of {MOST_REASON} characters at most", MISUSED)
    try:
        keys = keys_of(settings)
        log = await open_audit(settings.audit_url, keys, wall_clock)
    except (UnsafeKey, OSError, AuditDown) as error:
        raise Refusal(f"nothing is told that the audit log does not remember: {error}") from None
    reason = why or NOT_STATED
    if len(persons) > MOST_PERSONS:
        reason += f" (the first {MOST_PERSONS} of {len(persons)} persons)"
    try:
        keeper = await _keeper(settings, log)
        for each in row.get("about") or ("",):
            await log.write(
                Entry(
                    request=str(uuid.uuid4()),
                    subject=operating_user(),
                    client=CLIENT,
                    purpose=row.get("purpose", ""),
                    verb=verb,
                    looked_up=log.name(each) if each else "",
                    result=Result.DONE,
                    reason=reason,
                    persons=tuple(persons[:MOST_PERSONS]),
                    source=socket.gethostname(),
                    token=row.get("token", ""),
                )
            )
        if keeper is not None:
            await keeper.close()
    except AuditDown as error:
        raise Refusal(f"nothing is told that the audit log does not remember: {error}") from None
    finally:
        await log.close()


async def _keeper(settings: Settings, log: AuditLog) -> HeadKeeper | None:
    """What gives out heads, once the log was compared with those known; None where there is no bus, or it is down."""
    from bus.contract import BusError

    if not exists(settings.bus_url):
        return None
    keeper = keeper_of(settings, log)
    try:
        await keeper.compare()
    except BusError as error:
        typer.echo(f"visabus: the audit log was not compared with its heads: {type(error).__name__}", err=True)
        return None
    return keeper


def log_quietly(settings: Settings) -> None:
    """Have warnings go to standard error, where the command keeps no log: standard output belongs to results."""
    import structlog

    from services.logs import configure

    if not structlog.is_configured():
        configure("warning", settings.log.form)


def keeper_of(settings: Settings, log: AuditLog) -> HeadKeeper:
    """What compares a log with its heads on the bus, and gives out new ones. Raises UnsafeKey, OSError."""
    from functools import partial

    from services.audit import keys_of
    from services.audit.heads import HeadKeeper
    from services.wiring import open_bus

    return HeadKeeper(log, settings.audit_url, keys_of(settings).seal, partial(open_bus, settings), wall_clock)
