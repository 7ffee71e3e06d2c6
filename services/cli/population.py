"""What a synthetic population is to be: the systems it is written for, of those connected, and its mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import MISUSED, Refusal, warn_of_password

if TYPE_CHECKING:
    from services.simulator import Noise, Source

HELP = "Comma-separated, such as I94,CLAIMS3,SEVIS; by default all of them."
NoiseOption = Annotated[float, typer.Option(min=0, help="Mistakes in the records: 1 as usual, 2 twice as many.")]
RateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rate",
        metavar="KIND=SHARE",
        help="How often one kind of mistake happens, from 0 to 1, whatever --noise says. May be repeated.",
    ),
]


def known() -> dict[str, Source]:
    """Return the sources of the connected systems, in order."""
    from adapters.registry import further_packages, systems
    from services.simulator import sources

    return {system: source for system, source in sources(further_packages()).items() if system in systems()}


def sources_of(text: str | None) -> dict[str, Source]:
    """Return the sources to write, in order: those named, or all that are connected. Raises Refusal."""
    connected = known()
    if text is None:
        return connected
    names = {name.strip().upper() for name in text.split(",")}
    for name in sorted(names - connected.keys()):
        raise Refusal(f"--systems: no population can be written for {name!r}; of {', '.join(connected)}", MISUSED)
    required = [system for system, source in connected.items() if source.required]
    if not names.issuperset(required):
        raise Refusal(f"--systems: {' and '.join(required)} are always written; name them too", MISUSED)
    return {system: source for system, source in connected.items() if system in names}


def queues_of(texts: list[str] | None, sources: Mapping[str, Source], option: str = "--queue") -> dict[str, str]:
    """Return addresses of queues, or of what else an option names, by system, from SYSTEM=URL each. Raises Refusal."""
    queues: dict[str, str] = {}
    for text in texts or ():
        system, _, url = text.partition("=")
        if not url or system.upper() not in sources:
            raise Refusal(f"{option}: {text!r} is not SYSTEM=URL of a system that is written", MISUSED)
        warn_of_password(option, url)
        queues[system.upper()] = url
    return queues


def noise_of(factor: float, rates: list[str] | None) -> Noise:
    """Return the usual rates times the factor, with those given one by one as KIND=SHARE. Raises Refusal."""
    from services.simulator import Noise
    from services.simulator.noise import KINDS

    rates_by_kind: dict[str, float] = {}
    for text in rates or ():
        kind, _, share = text.partition("=")
        try:
            rates_by_kind[kind.strip()] = float(share)
        except ValueError:
            kinds = ", ".join(KINDS)
            raise Refusal(
                f"--rate: {text!r} is not KIND=SHARE, such as twins=0.01; kinds are {kinds}", MISUSED
            ) from None
    try:
        return Noise().scaled(factor).rated(rates_by_kind)
    except ValueError as error:
        raise Refusal(f"{'--rate' if rates_by_kind else '--noise'}: {error}", MISUSED) from None
