"""Which systems a synthetic population is written for: those asked for, of those that are connected."""

from __future__ import annotations

from services.cli.context import MISUSED, Refusal

HELP = "Comma-separated, such as I94,CLAIMS3,SEVIS; all of them if not said."
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
