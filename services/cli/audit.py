"""`visabus audit`."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import MISUSED, Refusal, need, settings_of

if TYPE_CHECKING:
    from services.api.audit import Verdict
    from services.settings import Settings

_HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(no_args_is_help=True, help="The audit log: who looked whom up, when and why.")
    group.callback()(_group)
    group.command()(verify)
    app.add_typer(group, name="audit")


def _group() -> None:
    """The audit log: who looked whom up, when and why."""


def verify(
    context: typer.Context,
    head: Annotated[
        list[str] | None,
        typer.Option(metavar="ROW:HASH", help="A row noted earlier; without it a log cut off at its end looks whole."),
    ] = None,
) -> None:
    """Check that no row was changed, taken out or put in. Ends with 1 if one was.

    Prints the last row as ROW:HASH: note it where the log's keepers cannot change it, and give it next time.

        visabus audit verify --head 1204:9f86d081884c7d65...
    """
    heads = [_noted(text) for text in head or ()]
    settings = settings_of(context)
    need(settings.audit_url, "audit log", "serve")
    verdict = asyncio.run(_verify(settings, heads))
    if verdict.broken is not None:
        raise Refusal(f"the audit log is broken: {verdict.broken}")
    typer.echo(f"{verdict.rows} rows, unbroken")
    if verdict.rows:
        typer.echo(f"{verdict.rows}:{verdict.head}")


def _noted(text: str) -> tuple[int, str]:
    match = _HEAD.fullmatch(text)
    if match is None:
        raise Refusal("a row is noted as ROW:HASH, as this command prints it", MISUSED)
    return int(match[1]), match[2]


async def _verify(settings: Settings, heads: list[tuple[int, str]]) -> Verdict:
    from services.api import keys
    from services.api.audit import AuditDown, open_audit, verify

    try:
        key = keys.key(settings.data_dir, keys.AUDIT)
        log = await open_audit(settings.audit_url, key, lambda: datetime.now(UTC))
    except (keys.UnsafeKey, OSError, AuditDown) as error:
        raise Refusal(str(error)) from None
    try:
        return await verify(log.rows(), heads)
    except AuditDown as error:
        raise Refusal(str(error)) from None
    finally:
        await log.close()
