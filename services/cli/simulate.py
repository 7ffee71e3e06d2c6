"""`visabus simulate`: a synthetic population in the systems' native formats."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import MISUSED, Refusal
from services.cli.population import HELP, NoiseOption, RateOption, noise_of, sources_of

if TYPE_CHECKING:
    from rich.table import Table

    from services.simulator import Truth


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(simulate)


def simulate(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The directory to write; it must hold no simulation yet.")
    ],
    persons: Annotated[int, typer.Option(min=1, max=5_000_000, help="How many travellers.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Equal seeds write equal files.")] = 1,
    years: Annotated[int, typer.Option(min=1, max=20, help="How far back the records go.")] = 2,
    end: Annotated[
        str | None, typer.Option("--until", metavar="ISO", help="When the records end; 2026-10-31T08:00Z.")
    ] = None,
    systems: Annotated[str | None, typer.Option(metavar="NAMES", help=HELP)] = None,
    noise: NoiseOption = 0.0,
    rate: RateOption = None,
) -> None:
    """Write what the systems would hold of a synthetic population, and apart from it what is true.

    Each system has a folder or file of its own, such as `DIR/i94/` and `DIR/claims3.db`; `DIR/truth/` has each person's
    stays and outcomes.

    ```
    visabus simulate /tmp/population --persons 10000 --seed 7
    visabus simulate /tmp/misspelt --persons 10000 --seed 7 --noise 1
    visabus simulate /tmp/twins --persons 10000 --noise 1 --rate twins=0.05 --rate copies=0
    visabus ingest --once --stamp recorded --feed I94.nightly=file:///tmp/population/i94
    ```
    """
    from rich.console import Console

    from services.simulator import RECORDS_END
    from services.simulator import simulate as write

    mistakes, sources = noise_of(noise, rate), sources_of(systems)
    try:
        moment = _moment(end) if end else RECORDS_END
        truth = write(
            directory,
            persons=persons,
            seed=seed,
            years=years,
            records_end=moment,
            systems=sources,
            known=sources,
            noise=mistakes,
        )
    except ValueError as error:
        raise Refusal(str(error), MISUSED) from None
    console = Console()
    for table in tables(truth):
        console.print(table)
    console.print(f"Records end {truth.records_end.isoformat()}; the truth is told as of {truth.as_of.isoformat()}.")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} needs its offset, such as {text}Z")
    return moment


def tables(truth: Truth) -> list[Table]:
    """Return what was written, in words and numbers."""
    from rich.table import Table

    counts = truth.counts
    systems = Table("system", "what", title=f"{counts['persons']:,} persons, {counts['stays']:,} stays")
    for system, written in counts["systems"].items():
        systems.add_row(system, ", ".join(f"{number:,} {name}" for name, number in written.items()))
    outcomes = Table("outcome", "stays", title="true outcomes")
    for name, number in counts["outcomes"].items():
        outcomes.add_row(name, f"{number:,}")
    kinds = Table("kind of stay", "stays", title="what happened")
    for name, number in counts["kinds"].items():
        kinds.add_row(name, f"{number:,}")
    if not truth.noisy:
        return [systems, outcomes, kinds]
    mistakes = Table("mistake", "rate", "put in", title="what is wrong in the records")
    for name, number in counts["noise"]["injected"].items():
        mistakes.add_row(name, f"{counts['noise']['rates'][name]:.2%}", f"{number:,}")
    return [systems, outcomes, kinds, mistakes]
