"""What is done to one read alone, whatever stands around it: mapped, guarded, stamped and encoded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from adapters.core import BadRecord, Filtered, Lost, Mapping_, Note, Origin, Read, Record
from bus.contract import Message
from bus.events import message_of
from schemas.events import AnyEvent, Coverage, stamped
from services.authority import Refused
from services.authority.guard import Guard
from services.ingest.clocks import Clock


@dataclass(frozen=True, slots=True)
class Encoded:
    """The messages of a read, and what its batch remembers of them."""

    messages: list[Message]
    lost: Sequence[Lost] = ()
    records: list[str] = field(default_factory=list)  # of events other than coverage
    coverage: list[Coverage] = field(default_factory=list)


Outcome = Encoded | Filtered | BadRecord


@dataclass(frozen=True, slots=True)
class Work:
    """The work for one feed. It depends on nothing but the read, so any process may do it."""

    mapping: Mapping_
    clock: Clock
    guard: Guard

    def outcome(
        self,
        read: Read,
        origin: Origin,
        trace: str | None = None,
        select: Callable[[Sequence[AnyEvent]], Sequence[AnyEvent]] | None = None,
    ) -> Outcome:
        """Return what a read comes to; of its events those that `select` leaves. Raises nothing."""
        if isinstance(read, BadRecord):
            return read
        try:
            mapped = self.mapping(read, origin)
            if isinstance(mapped, Filtered):
                return mapped
            events = mapped.events if select is None else select(mapped.events)
            if not events and isinstance(read, Record):
                return _bug(read, "neither an event nor a rule that leaves the record out")
            return self._encoded(events, mapped.lost, origin, trace)
        except BadRecord as bad:
            return bad
        except Refused as refused:
            return BadRecord(str(refused), place=read.place, raw=read.raw)
        except Exception as error:
            # Whatever a mapping raises is a bug of the adapter, and a bug must cost no record: it is kept and told.
            return _bug(read, type(error).__name__)

    def _encoded(self, events: Sequence[AnyEvent], lost: Sequence[Lost], origin: Origin, trace: str | None) -> Encoded:
        result = Encoded([], lost)
        for event in events:
            if event.system != origin.system:
                raise ValueError("an event of another system")
            known = self.clock(event)
            self.guard.check(event, known)
            result.messages.append(message_of(stamped(event, known), trace))
            if isinstance(event, Coverage):
                result.coverage.append(event)
            else:
                result.records.append(event.record)
        return result


def _bug(read: Record | Note, what: str) -> BadRecord:
    return BadRecord(f"adapter error: {what}", place=read.place, raw=read.raw)
