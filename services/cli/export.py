"""`visabus export`: the view in its canonical form."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import aclosing
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.audited import Confidential, StatedReason, reading, remember
from services.cli.context import instant_of, need, settings_of
from services.cli.meter import Meter, apart

if TYPE_CHECKING:
    from services.settings import Settings

_MANY = 1000
"""Lines after which an export looks whether to say how far it is."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(export)


def export(
    context: typer.Context,
    digest: Annotated[bool, typer.Option("--digest", help="Only the SHA-256 of the export.")] = False,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="Add each stay's outcome at this instant (RFC 3339).")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Answer from what was known by then (RFC 3339).")
    ] = None,
    confidential: Confidential = False,
    why: StatedReason = "",
) -> None:
    """Write the view to standard output, one JSON object a line: what is complete, then every person by id.

    That it was asked for is kept in the audit log, with the reason (`--why`); a digest alone of what may be told to
    all is not.

    The bytes depend on the events alone, so two installations that saw the same events can be compared by `--digest`.

    ```
    visabus export --digest
    visabus export --as-of 2026-11-24T00:00:00Z | jq .
    ```
    """
    settings = settings_of(context)
    need(settings.store_url, "store", "correlate")
    second, micros = instant_of(as_of), instant_of(known_at)
    verb = reading("export", why, confidential=confidential)
    if confidential or not digest:  # a digest tells of nobody
        remember(settings, verb, why=why)
    asyncio.run(_run(settings, digest=digest, as_of=second, known_at=micros, confidential=confidential))


def _written(line: bytes) -> bool:
    """Whether anybody still reads: `visabus export | head` ends here, and quietly."""
    try:
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


async def _run(
    settings: Settings, *, digest: bool, as_of: datetime | None, known_at: datetime | None, confidential: bool
) -> None:
    from services.export import lines
    from services.store import open_store

    store = await open_store(settings.store_url)
    total = sha256()
    try:
        second = None if as_of is None else int(as_of.timestamp())
        micros = None if known_at is None else round(known_at.timestamp() * 1_000_000)
        written = lines(store.reads, as_of=second, known_at=micros, confidential=confidential)
        # one line says what is complete; to count the persons is worth while for a terminal alone
        count = 1 + sum((await store.reads.outcomes()).values()) if apart() else None
        meter = Meter("lines") if count is not None else None
        done = 0
        async with aclosing(written) as result:
            async for line in result:
                done += 1
                if meter is not None and done % _MANY == 0:
                    meter.at(done, count, "exported")
                total.update(line + b"\n")
                if not digest and not _written(line):
                    break
    finally:
        await store.close()
    if digest:
        typer.echo(total.hexdigest())
