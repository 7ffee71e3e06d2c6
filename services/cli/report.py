"""`visabus report`: the yearly account of every admission."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.audited import Confidential, StatedReason, reading, remember
from services.cli.context import FAILED, MISUSED, Refusal, need, settings_of

if TYPE_CHECKING:
    from services.domain.accounting import Cell, Report
    from services.settings import Settings


class By(StrEnum):
    """What the lines of the table are."""

    CLASS = "class"
    CITIZENSHIP = "citizenship"
    WAIVER = "waiver"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(report)


def report(
    context: typer.Context,
    year: Annotated[int, typer.Option(min=1901, max=9000, help="Fiscal year: 2025 ends on 30 September 2025.")],
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="How things stood at this instant (RFC 3339); by default now.")
    ] = None,
    by: Annotated[By, typer.Option(help="The lines of the table; JSON has all three.")] = By.CLASS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
    confidential: Confidential = False,
    why: StatedReason = "",
) -> None:
    """Account for the admissions of a fiscal year, and for the departures expected in it.

    Exits with 1 if a sum does not close: admissions and outcomes, cells and totals, stays and arrivals.

    ```
    visabus report --year 2025
    visabus report --year 2025 --as-of 2025-12-31T00:00:00Z --json | jq .total
    ```
    """
    settings = settings_of(context)
    need(settings.store_url, "store", "correlate")
    second = _second(as_of)
    remember(settings, reading("report", why, confidential=confidential), why=why)
    result = asyncio.run(accounted(settings, year, second, confidential=confidential))
    wrong = list(result.problems())
    typer.echo(json.dumps(result.as_json()) if as_json else "\n".join(_table(result, by)))
    for line in wrong:
        typer.echo(f"visabus: does not close: {line}", err=True)
    if wrong:
        raise typer.Exit(FAILED)


def _second(text: str | None) -> int:
    if text is None:
        return int(datetime.now(UTC).timestamp())
    try:
        result = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{text!r} is no RFC 3339 instant; write 2026-11-24T00:00:00Z", MISUSED) from None
    return int((result if result.tzinfo is not None else result.replace(tzinfo=UTC)).timestamp())


async def accounted(settings: Settings, year: int, as_of: int, *, confidential: bool = False) -> Report:
    """The report out of a store: its persons, and the arrivals themselves once more."""
    from services.domain.accounting import Report
    from services.domain.history import history_of
    from services.store import open_store

    store = await open_store(settings.store_url)
    try:
        async with store.reads.one_state() as state:
            report = Report(year, as_of, await state.coverage())
            async with aclosing(state.histories(confidential=confidential)) as histories:
                async for data in histories:
                    report.add(history_of(data))
            async with aclosing(state.all_pools(confidential=confidential)) as pools:
                async for pool in pools:
                    report.count(pool.facts.values())
    finally:
        await store.close()
    return report


HEADS = {
    "admitted": "admissions",
    "in time": "DEPARTED_IN_TIME",
    "late": "DEPARTED_LATE",
    "unseen": "CLOSED_UNOBSERVED",
    "adjusted": "ADJUSTED",
    "undeterm.": "UNDETERMINED",
    "in status": "IN_STATUS",
    "grace": "IN_GRACE",
    "pending": "PENDING",
    "termin.": "TERMINATED",
    "suspected": "OVERSTAY_SUSPECTED",
    "unknown": "DEPARTURE_UNKNOWN",
}
"""Short heads of the outcome classes; the sum of all but the first is the first."""


def _table(account: Report, by: By) -> Iterator[str]:
    said = {True: "waiver", False: "visa"}
    cells = account.by(
        lambda key: {By.CLASS: key.admission_class, By.CITIZENSHIP: key.citizenship}.get(by, said[key.waiver])
    )
    moment = datetime.fromtimestamp(account.as_of, UTC).isoformat().replace("+00:00", "Z")
    yield f"Fiscal year {account.year}, as of {moment}"
    yield _line("", [*HEADS, "expected", "overstays", "rate"])
    for name, cell in cells.items():
        yield _line(str(name), _figures(cell))
    yield _line("all", _figures(account.total))
    yield f"Not admitted: {account.refused}. Expected: authorised period ended in the year; overstays are of these."


def _figures(cell: Cell) -> list[str]:
    counts = [cell.admissions, *(cell.outcomes[word] for word in list(HEADS.values())[1:])]
    rate = "-" if cell.rate is None else f"{cell.rate:.2%}"
    return [*map(str, counts), str(cell.expected), str(cell.overstays), rate]


def _line(name: str, figures: list[str]) -> str:
    return f"{name:<6}" + "".join(f"{figure:>10}" for figure in figures)
