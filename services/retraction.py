"""One bad batch withdrawn whole: a retraction of each record whose last version on the bus came from it.

A retraction is what the mapper makes of a record that is gone: the same parts, in the owner's name, at a revision
above. That is the number of the bad version with the greatest digest there is: a later number of the owner's stands
above it, and nothing of the bad batch does. A record that has a later version from another batch is left alone, and so
is what was retracted already: to do it again does nothing more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from bus.contract import Bus, Delivery, Producer
from bus.events import message_of
from schemas.codec import Undecodable, decode
from schemas.events import AnyEvent, Operation, Revision
from schemas.ids import event_id
from schemas.topics import CONTROL, EVENT_TOPICS
from services.authority import Admission

_HIGHEST = "f" * 16
_TOGETHER = 500
Record = tuple[str, str]
Version = tuple[int, str, int]


@dataclass(slots=True)
class _Standing:
    """What the bus says of one record."""

    version: Version | None = None
    events: dict[str, AnyEvent] = field(default_factory=dict)  # of the highest version, by id
    batches: set[str] = field(default_factory=set)


UNTOLD: Mapping[str, Any] = {"records": None, "events": None, "kinds": {}}
"""The counts of a withdrawal where they would tell of hidden records in a batch (`services.redaction`)."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal comes to."""

    events: tuple[AnyEvent, ...]  # to retract, those of coverage first
    systems: tuple[str, ...]  # that have a batch of the name
    records: int  # whose last version came from the batch
    superseded: int  # that have a later version from elsewhere
    retracted: int  # that were retracted already
    earlier: int  # of `records`, those that another batch told of before: that does not come back

    @property
    def kinds(self) -> dict[str, int]:
        """How many events of each kind."""
        return dict(sorted(Counter(event.kind for event in self.events).items()))

    @property
    def counts(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "records": self.records,
            "events": len(self.events),
            "kinds": self.kinds,
            "told_before_by_another_batch": self.earlier,
            "left_alone_later_version": self.superseded,
            "left_alone_retracted": self.retracted,
        }


async def withdrawal(bus: Bus, batch: str, system: str | None, admission: Admission) -> Withdrawal:
    """Return what withdrawing a batch comes to. The topics of events are read twice. Raises BusDown."""
    judging = admission.at()
    records: dict[Record, _Standing] = {}
    spelt = orjson.dumps(batch)
    async for one in _all(bus):
        if one.value is None or spelt not in one.value:
            continue
        event = _event(one)
        if event is None or event.batch != batch or system not in (None, event.system):
            continue
        if event.kind != "decision":
            records.setdefault((event.system, event.record), _Standing())
    keys = {f"{owner}/{record}".encode() for owner, record in records}
    async for one in _all(bus):
        if one.key not in keys or (event := _event(one)) is None:
            continue
        standing = records.get((event.system, event.record))
        if standing is None or event.kind == "decision":
            continue
        try:
            judging.fact(one)
        except Undecodable:
            continue  # what no correlator takes is no version of the record
        _take(standing, event)
    return _sum(batch, records)


def _take(standing: _Standing, event: AnyEvent) -> None:
    standing.batches.add(event.batch)
    version = (event.revision.number, event.revision.digest, event.mapping_version)
    if standing.version is None or version > standing.version:
        standing.version, standing.events = version, {}
    if version == standing.version:
        standing.events.setdefault(str(event.id), event)


def _sum(batch: str, records: dict[Record, _Standing]) -> Withdrawal:
    events: list[AnyEvent] = []
    superseded = retracted = earlier = whole = 0
    for standing in records.values():
        last = list(standing.events.values())
        if any(event.operation is Operation.RETRACT for event in last):
            retracted += 1
        elif not last or any(event.batch != batch for event in last):
            superseded += 1
        else:
            events += last
            if any(event.kind != "coverage" for event in last):  # what it vouched for is none of its records
                whole += 1
                earlier += len(standing.batches) > 1
    events.sort(key=lambda event: (event.kind != "coverage", event.system, event.record, event.part))
    systems = tuple(sorted({system for system, _ in records}))
    return Withdrawal(tuple(events), systems, whole, superseded, retracted, earlier)


def retraction_of(event: AnyEvent, now: datetime) -> AnyEvent:
    """Return the event that takes this one back, with its stamp."""
    number, digest = event.revision.number, _HIGHEST
    if event.revision.digest == _HIGHEST:
        number += 1
    changes = {
        "operation": Operation.RETRACT,
        "revision": Revision(number=number, digest=digest),
        "id": event_id(event.system, event.record, event.part, number, digest, event.mapping_version),
        "place": "withdrawn with its batch",
        "published_at": now,
    }
    return event.model_copy(update=changes)


async def withdraw(producer: Producer, events: Sequence[AnyEvent], now: datetime) -> None:
    """Return once all are retracted. Raises BusDown; run it again then: what was retracted is left alone."""
    messages = [message_of(retraction_of(event, now)) for event in events]
    for start in range(0, len(messages), _TOGETHER):
        await producer.send(messages[start : start + _TOGETHER])


async def _all(bus: Bus) -> AsyncIterator[Delivery]:
    for topic in (*(each for each in EVENT_TOPICS if each != CONTROL), CONTROL):
        async for one in bus.read(topic):
            yield one


def _event(one: Delivery) -> AnyEvent | None:
    try:
        return decode(one.value or b"")
    except Undecodable:
        return None
