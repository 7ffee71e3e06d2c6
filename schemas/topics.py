"""The topics, declared in one place, and the key under which an event keeps its order."""

from __future__ import annotations

from schemas.events import AnyEvent

ARRIVALS = "visabus.arrival"
DEPARTURES = "visabus.departure"
EXTENSIONS = "visabus.extension"
STATUSES = "visabus.status"
CONTROL = "visabus.control"
POSITIONS = "visabus.positions"
EXTRACTS = "visabus.extracts"
CHANGES = "visabus.status-changes"
CHANGES_LATEST = "visabus.status-changes.latest"
CONFIDENTIAL_CHANGES = "visabus.confidential-changes"
CONFIDENTIAL_CHANGES_LATEST = "visabus.confidential-changes.latest"
DEAD_LETTERS = "visabus.dead-letters"
PUSH_ANSWERS = "visabus.push-answers"
RECEIPTS = "visabus.receipts"
QUESTIONS = "visabus.questions"
FEED_ORDERS = "visabus.feed-orders"
AUDIT_HEADS = "visabus.audit-heads"

EVENT_TOPICS: tuple[str, ...] = (ARRIVALS, DEPARTURES, EXTENSIONS, STATUSES, CONTROL)
COMPACTED: frozenset[str] = frozenset(
    {POSITIONS, EXTRACTS, CHANGES_LATEST, CONFIDENTIAL_CHANGES_LATEST, PUSH_ANSWERS, RECEIPTS, QUESTIONS}
)
"""All others keep every message for good: compacting events would rewrite what was known when."""

PARTITIONS: dict[str, int] = {
    ARRIVALS: 4,
    DEPARTURES: 4,
    EXTENSIONS: 4,
    STATUSES: 4,
    CONTROL: 1,
    POSITIONS: 1,
    EXTRACTS: 1,
    CHANGES: 4,
    CHANGES_LATEST: 4,
    CONFIDENTIAL_CHANGES: 4,
    CONFIDENTIAL_CHANGES_LATEST: 4,
    DEAD_LETTERS: 1,
    PUSH_ANSWERS: 1,
    RECEIPTS: 1,
    QUESTIONS: 1,
    FEED_ORDERS: 1,
    AUDIT_HEADS: 1,
}

_OF_KIND = {
    "arrival": ARRIVALS,
    "departure": DEPARTURES,
    "extension": EXTENSIONS,
    "status": STATUSES,
    "coverage": CONTROL,
    "decision": CONTROL,
}


def topic_of_kind(kind: str) -> str:
    """The topic that carries a kind of event."""
    return _OF_KIND[kind]


def topic_of(event: AnyEvent) -> str:
    """The topic that carries events of this kind."""
    return _OF_KIND[event.kind]


def key_of(event: AnyEvent) -> bytes:
    """Revisions of one record keep their order; nothing else needs to."""
    return f"{event.system}/{event.record}".encode()
