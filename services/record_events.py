"""The events of records, as they stand on the bus. Their keys tell whose they are, so that few are decoded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping

from bus.contract import Bus, Delivery
from schemas.codec import Undecodable
from schemas.topics import CONTROL, EVENT_TOPICS
from services.domain.facts import Fact, fact_of

Ref = tuple[str, str]
"""A record: its system and its key."""


async def events_of(
    bus: Bus, records: Collection[Ref], positions: Mapping[tuple[str, int], int] | None = None
) -> AsyncIterator[tuple[Ref, Delivery, Fact]]:
    """Yield the events of records, but coverage and decisions, with their places; from positions on if any are given.

    What cannot be decoded is passed over: no correlator takes it either. Raises BusDown.
    """
    keys = {f"{system}/{record}".encode(): (system, record) for system, record in records}
    for topic in EVENT_TOPICS:
        if topic == CONTROL:
            continue
        start = {part: position for (name, part), position in (positions or {}).items() if name == topic}
        async for delivery in bus.read(topic, start or None):
            record = keys.get(delivery.key or b"")
            if record is not None and (fact := fact_in(delivery)) is not None:
                yield record, delivery, fact


def fact_in(delivery: Delivery) -> Fact | None:
    """Return the fact of an event; None for what cannot be decoded."""
    try:
        return fact_of(delivery.value) if delivery.value is not None else None
    except Undecodable:
        return None
