"""What a synthetic population is to be: the systems it is written for, of those connected, and its mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.context import MISUSED, Refusal

if TYPE_CHECKING:
    from services.simulator import Noise

HELP = "Comma-separated, such as I94,CLAIMS3,SEVIS; all of them if not said."
NoiseOption = Annotated[float, typer.Option(min=0, help="Mistakes in the records: 1 as usual, 2 twice as many.")]
RateOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rate",
        metavar="KIND=SHARE",
        help="How often one kind of mistake happens, from 0 to 1, whatever --noise says. May be given several times.",
    ),
]
JUDGED = ("I94", "CLAIMS3", "APIS", "SEVIS", "IDENT")
"""Systems that are written unless told otherwise."""


def chosen(text: str | None) -> tuple[str, ...]:
    """The systems to write, in the simulator's order. Raises Refusal."""
    from adapters.registry import systems
    from services.simulator import ALWAYS, SYSTEMS

    connected = [name for name in SYSTEMS if name in systems()]
    if text is None:
        return tuple(name for name in connected if name in JUDGED)
    asked = {name.strip().upper() for name in text.split(",")}
    for name in sorted(asked - set(connected)):
        raise Refusal(f"--systems: no population can be written for {name!r}; of {', '.join(connected)}", MISUSED)
    if not asked.issuperset(ALWAYS):
        raise Refusal(f"--systems: {' and '.join(ALWAYS)} are always written; name them too", MISUSED)
    return tuple(name for name in connected if name in asked)


def noise_of(factor: float, rates: list[str] | None) -> Noise:
    """The usual rates so many times, then those told one by one, as KIND=SHARE. Raises Refusal."""
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
