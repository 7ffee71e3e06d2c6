"""`visabus answer`: events in a file, answers out; nothing is stored."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from services.cli.context import FAILED, MISUSED, Refusal, instant_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(answer)


def answer(
    events: Annotated[str, typer.Argument(metavar="EVENTS.jsonl", help="Canonical events; `-`: standard input.")],
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="The instant asked about (RFC 3339); by default now.")
    ] = None,
    known_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Answer from what was known by then (RFC 3339).")
    ] = None,
    matches: Annotated[bool, typer.Option("--matches", help="List possible matches of two persons, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """Answer from canonical events, one a line, as the published schema has them; older versions are read too.

    Every person with the outcome, its rule and citation, the stays and the evidence. Nothing is stored, and no bus or
    store is needed. A line that is no event is named on standard error with the reason: the others are answered, and
    the exit code is 1.

    ```
    visabus decode I94 nightly-20261124.dat > events.jsonl
    visabus answer events.jsonl --as-of 2026-11-24T00:00:00Z
    visabus answer events.jsonl --matches --json | jq .outcome
    ```
    """
    from services.answering import answers, match_line, read

    second = int((instant_of(as_of) or datetime.now(UTC)).timestamp())
    moment = instant_of(known_at)
    micros = None if moment is None else round(moment.timestamp() * 1_000_000)
    with _opened(events) as lines:
        known = read(lines)
    _write(answers(known, second, micros), as_json=as_json)
    if matches:
        _write((match_line(match) for match in known.matches(micros)), as_json=as_json)
    for lost in known.lost:
        typer.echo(f"{events}: line {lost.number}: {lost.reason}", err=True)
    for bad in known.bad:
        typer.echo(f"{events}: line {bad.number}: {bad.reason}", err=True)
    if known.bad:
        raise typer.Exit(FAILED)


def _opened(events: str) -> AbstractContextManager[BinaryIO]:
    if events == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(events).open("rb")
    except OSError as error:
        raise Refusal(f"{events} cannot be read: {error.strerror}", MISUSED) from None


def _write(lines: Iterable[bytes], *, as_json: bool) -> None:
    """Lines to standard output, as far as it is read: `visabus answer ... | head` ends quietly."""
    from services.answering import as_text

    try:
        for line in lines:
            sys.stdout.buffer.write((line if as_json else f"{as_text(line)}\n".encode()) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
