"""A table whose rows went all at once (TRUNCATE): every record of it that stands on the bus is taken back.

The source names none of the rows, and the bus has them all: the topics of events are read twice, once for the last
version of each record, once for its events. Each is retracted in the owner's name, at the number of the TRUNCATE: above
all versions that came before it, below those of rows that are put there afterwards. What has a version above it, or is
retracted already, is left alone, so to do it again does nothing more.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

from adapters.core import Emptied, Origin
from bus.contract import Bus, Delivery, Message
from bus.events import message_of
from schemas.codec import Undecodable, decode
from schemas.events import AnyEvent, Operation, Revision, stamped
from schemas.ids import event_id
from schemas.topics import CONTROL, EVENT_TOPICS
from services.authority import Admission
from services.authority.guard import Guard
from services.authority.signatures import Verifier
from services.clock import wall_clock
from services.domain.facts import Fact
from services.ingest.clocks import Clock
from services.settings import Settings
from services.wiring import signing_keys

_LOWEST = "0" * 16
"""The digest of such a retraction: a row that shares the number was put there afterwards."""
_TOGETHER = 2_000
_TOPICS = tuple(topic for topic in EVENT_TOPICS if topic != CONTROL)
Version = tuple[int, str, int]


@dataclass(frozen=True, slots=True)
class Emptying:
    """Finds what stood in a table. `waits`: whether all that was read before is to be on the bus first."""

    bus: Bus
    admission: Callable[[], Admission]  # made where a table was emptied: it reads every adapter
    waits: bool = True

    @classmethod
    def of(cls, bus: Bus, settings: Settings, *, waits: bool = True) -> Emptying:
        """By the keys of an installation. Raises SettingsError."""
        keys = signing_keys(settings)
        return cls(bus, partial(Admission, wall_clock, verifier=Verifier(keys) if keys is not None else None), waits)

    async def standing(self, system: str, note: Emptied) -> Standing:
        """The last version of each record of the table, of those below the TRUNCATE. Raises BusDown."""
        judging = self.admission().at()
        prefix = f"{system}/{note.prefix}".encode()
        versions: dict[bytes, tuple[Version, bool]] = {}
        for topic in _TOPICS:
            async for one in self.bus.read(topic):
                if one.key is None or not one.key.startswith(prefix):
                    continue
                try:
                    fact: Fact = judging.fact(one)
                except Undecodable:
                    continue  # what no correlator takes is no version of the record
                version = (fact.version[0], fact.version[1], fact.version[2])
                held = versions.get(one.key)
                if held is None or version >= held[0]:
                    gone = fact.retract or (held is not None and held[0] == version and held[1])
                    versions[one.key] = version, gone
        there = {key: version for key, (version, gone) in versions.items() if not gone and version[0] < note.number}
        return Standing(self.bus, note, there)


async def _all(bus: Bus, topic: str, start: Mapping[int, int]) -> AsyncGenerator[Delivery, None]:
    async for one in bus.read(topic, start or None):
        yield one


@dataclass(slots=True)
class Standing:
    """The records of a table that stand, and how far their events were taken back."""

    bus: Bus
    note: Emptied
    versions: Mapping[bytes, Version]
    _places: dict[tuple[str, int], int] = field(default_factory=dict)
    _ids: set[str] = field(default_factory=set)

    async def some(self, origin: Origin, clock: Clock, guard: Guard) -> list[Message]:
        """The next retractions; none once all were given. Raises BusDown: call it again then."""
        if not self.versions:
            return []
        result: list[Message] = []
        places, ids = dict(self._places), set[str]()
        for topic in _TOPICS:
            start = {number: place for (name, number), place in places.items() if name == topic}
            async with aclosing(_all(self.bus, topic, start)) as deliveries:
                async for one in deliveries:
                    places[topic, one.partition.number] = one.position + 1
                    event = self._last(one)
                    if event is None or str(event.id) in self._ids or str(event.id) in ids:
                        continue
                    ids.add(str(event.id))
                    taken_back = self._retraction(event, origin)
                    known = clock(taken_back)
                    guard.check(taken_back, known)
                    result.append(message_of(stamped(taken_back, known)))
                    if len(result) >= _TOGETHER:
                        break
            if len(result) >= _TOGETHER:
                break
        self._places = places
        self._ids |= ids
        return result

    def _last(self, one: Delivery) -> AnyEvent | None:
        """The event, if it is of the last version of a record that stands."""
        version = self.versions.get(one.key or b"")
        if version is None:
            return None
        try:
            event = decode(one.value or b"")
        except Undecodable:
            return None
        return event if (event.revision.number, event.revision.digest, event.mapping_version) == version else None

    def _retraction(self, event: AnyEvent, origin: Origin) -> AnyEvent:
        number, mapping = self.note.number, origin.mapping_version
        changes = {
            "operation": Operation.RETRACT,
            "revision": Revision(number=number, digest=_LOWEST),
            "mapping_version": mapping,
            "id": event_id(event.system, event.record, event.part, number, _LOWEST, mapping),
            "batch": origin.batch[:200],
            "place": self.note.place[:200],
            "recorded_at": self.note.at,
            "published_at": None,
        }
        return event.model_copy(update=changes)
