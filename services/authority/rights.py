"""What each system may say, derived from its adapter's own declaration: nothing beside the adapter has to be kept.

The table is made from the registry by every process that needs it, ingest and correlator alike, and lies on no topic:
what comes over the bus cannot widen it. So a correlator is told of further packages (`VISABUS_SYSTEM_PACKAGES`) as
ingest is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.core import System
from adapters.mapper import vouches_for_nothing
from schemas.events import PEOPLE, Evidence

EXAMINERS = "VISABUS"
"""The system in whose name the command line has persons decide."""


class Refused(ValueError):
    """An event that its system may not say, or that somebody else says in its name. The text quotes no value of it."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What one system may say; None: whatever its kinds can say."""

    kinds: frozenset[str]
    scopes: frozenset[str] | None = frozenset()
    facts: frozenset[str] | None = None  # of its statuses
    evidence: frozenset[str] | None = None
    marks: frozenset[str] = frozenset()
    """Marks of handling that each of its events has. More may stand there: a mark takes nothing from others."""

    def check(self, event: Any) -> None:
        """Raises Refused. `event` is a canonical event, or its wire form: they call their fields alike."""
        kind = event.kind
        if kind == "coverage":
            if not self._covers(event.scope):
                raise Refused("scope: this system cannot vouch for it")
            return
        if kind not in self.kinds:
            raise Refused("kind: this system tells nothing of the kind")
        if event.operation == "retract" or kind == "decision":
            return  # it takes back what the system itself has said, and states nothing
        if kind == "status":
            if self.facts is not None and event.fact not in self.facts:
                raise Refused("fact: this system tells no such fact")
        elif kind == "departure" and self.evidence is not None and event.evidence not in self.evidence:
            raise Refused("evidence: this system has no such evidence")
        if self.marks and not self.marks.issubset(event.handling):
            raise Refused("handling: a mark is missing that the law puts on every record of this system")

    def _covers(self, scope: str | None) -> bool:
        if scope is None or self.scopes is not None:
            return scope in (self.scopes or ())
        return scope.partition(":")[0] in self.kinds


_WORDS = [*map(str, Evidence)]
_STRENGTHS = {word: frozenset(_WORDS[place:]) for place, word in enumerate(_WORDS)}
"""Evidence, and what is as strong or weaker."""


def rights_of(system: System) -> Rights:
    """The rights of a system, as its adapter declares them.

    What it leaves out is allowed as far as its kinds reach, coverage only where one of its mappings can vouch.
    """
    covers = system.covers
    if covers is None and all(vouches_for_nothing(feed.mapping) for feed in system.feeds):
        covers = ()
    return Rights(
        frozenset(system.emits) & PEOPLE,
        None if covers is None else frozenset(covers),
        None if system.facts is None else frozenset(system.facts),
        None if system.evidence is None else _STRENGTHS[system.evidence],
        frozenset(map(str, system.marks)),
    )


def table(known: Mapping[str, System] | None = None) -> dict[str, Rights]:
    """The rights of every system that has an adapter. `known`: None for all of the registry."""
    if known is None:
        from adapters.registry import systems  # here: it imports every adapter

        known = systems()
    return {name: rights_of(system) for name, system in known.items()}


DECIDING = Rights(frozenset({"decision"}))
"""Those of a system without an adapter: an office whose persons decide on two records. No system of files decides.

Where keys are set, it is one that has a key of its own.
"""
