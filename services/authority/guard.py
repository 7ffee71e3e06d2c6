"""What ingest lets out: what the system may say, and no stamp that lies ahead. The correlator looks at both again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from adapters.core import System
from schemas.events import AnyEvent
from services.authority.rights import Rights, rights_of
from services.authority.stamps import Latest
from services.clock import wall_clock


@dataclass(frozen=True, slots=True)
class Guard:
    """The guard of one system."""

    rights: Rights
    wall: Callable[[], datetime] = wall_clock

    @classmethod
    def of(cls, system: System) -> Guard:
        """That of a system."""
        return cls(rights_of(system))

    def check(self, event: AnyEvent, known: datetime) -> None:
        """Raises Refused. `known`: the moment of knowing that the event is to be published with."""
        self.rights.check(event)
        Latest.at(self.wall()).check(known, event.recorded_at)
