"""Events of each kind by any system, and how a bus delivers them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from populations import START, World, make, passport

from bus.contract import Delivery, Partition
from bus.events import message_of
from schemas.events import AnyEvent, Arrival, Coverage, Decision, Departure, Evidence, RecordRef, Status
from schemas.moments import Moment

NOW = START + timedelta(days=30)
WORLD = World(19)
SOMEBODY = WORLD.person()
ABOUT = {"occurred_at": Moment.instant(START), "subject": WORLD.subject(SOMEBODY, passport(SOMEBODY))}


def arrival(**more: Any) -> AnyEvent:
    return make(Arrival, WORLD, record="T1", known=START, **(ABOUT | more))


def departure(**more: Any) -> AnyEvent:
    return make(Departure, WORLD, record="T2", known=START, **(ABOUT | {"evidence": Evidence.INSPECTED} | more))


def status(system: str, fact: str, **more: Any) -> AnyEvent:
    return make(Status, WORLD, record="S1", known=START, system=system, fact=fact, **(ABOUT | more))


def coverage(system: str, scope: str) -> AnyEvent:
    return make(Coverage, WORLD, record="C", known=START, system=system, scope=scope, since=START, through=START)


def decision(system: str) -> AnyEvent:
    sides = {name: RecordRef(system="I94", record=name) for name in ("one", "other")}
    return make(Decision, WORLD, record="D", known=START, system=system, same=True, by="E", why="seen", **sides)


def delivered(event: AnyEvent, change: Callable[[dict[str, Any]], object] | None = None, **other: Any) -> Delivery:
    """The event as a bus delivers it, with its value changed."""
    message = message_of(event)
    value = message.value or b""
    if change is not None:
        body = orjson.loads(value)
        change(body)
        value = orjson.dumps(body)
    one = Delivery(Partition(message.topic, 0), 0, message.key, value, message.headers)
    return one._replace(**other)
