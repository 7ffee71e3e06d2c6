"""Which events stand: the last word of each record that was known by then."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from oracle.days import instant

Event = dict[str, Any]
Key = tuple[str, str]


def key_of(event: Event) -> Key:
    """The record that an event is of."""
    return event["system"], event["record"]


def standing(events: Iterable[Event], known_at: datetime | None) -> list[Event]:
    """The asserted events of each record's highest revision and mapping version among those published by `known_at`."""
    records: dict[Key, list[Event]] = {}
    for event in events:
        if known_at is None or instant(event["published_at"]) <= known_at:
            records.setdefault(key_of(event), []).append(event)
    kept = []
    for versions in records.values():
        last = max(_version(event) for event in versions)
        kept += [event for event in versions if _version(event) == last and event.get("operation") != "retract"]
    return kept


def _version(event: Event) -> tuple[int, str, int]:
    return event["revision"]["number"], event["revision"]["digest"], event["mapping_version"]


def receipts_of(event: Event) -> set[str]:
    """The receipts that an event names."""
    named = {i["value"] for i in event["subject"].get("identifiers", []) if i["scheme"] == "receipt"}
    return named | ({event["receipt"]} if event.get("receipt") else set())


def i94_of(event: Event) -> set[str]:
    """The I-94 numbers that an event names."""
    return {i["value"] for i in event["subject"].get("identifiers", []) if i["scheme"] == "i94"}


def implausible(event: Event) -> bool:
    """Whether an event is dated after its own record was made."""
    from oracle.days import start_of

    made = event.get("recorded_at") or event["published_at"]
    return start_of(event["occurred_at"]) > instant(made)
