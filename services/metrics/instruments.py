"""What a process counts as it works. One registry a process: a test may read it, and only a server shows it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

TRANSACTIONS = Histogram(
    "visabus_correlator_transaction_seconds",
    "Time of a step of the correlator, its transaction included.",
    ["step"],
    registry=REGISTRY,
    buckets=_FAST,
)
EVENTS = Counter("visabus_correlator_events", "Events that were committed to the store.", registry=REGISTRY)
CHANGES = Counter("visabus_correlator_changes", "Changes of status that were published.", registry=REGISTRY)
FENCED = Counter("visabus_correlator_fenced", "Times that another correlator had taken a partition.", registry=REGISTRY)
LAG = Gauge("visabus_correlator_lag_messages", "Messages of the bus that the store has not.", registry=REGISTRY)

REQUESTS = Histogram(
    "visabus_http_request_seconds",
    "Time of a request to this process, by route and status.",
    ["route", "status"],
    registry=REGISTRY,
    buckets=_FAST,
)
AUDIT_FAILURES = Counter(
    "visabus_audit_failures",
    "Look-ups that were not answered: their row could not be written.",
    registry=REGISTRY,
)

CLOSED = Counter(
    "visabus_http_connections_closed",
    "Connections that this process closed, by why: slow heads and bodies, answers not fetched, too many.",
    ["reason"],
    registry=REGISTRY,
)
ENUMERATION = Counter(
    "visabus_http_enumeration_alarms", "Alarms: many look-ups of one subject found no one.", registry=REGISTRY
)
LIMITED = Counter("visabus_http_limited", "Look-ups not answered: too many of one subject.", registry=REGISTRY)
FORGED = Counter(
    "visabus_bus_forged",
    "Messages passed over that another has written in the name of a system, by topic.",
    ["topic"],
    registry=REGISTRY,
)
STOPPED = Counter(
    "visabus_door_keys_stopped", "Keys stopped: too much of what they sent was refused.", registry=REGISTRY
)


def value_of(instrument: Counter | Gauge) -> float:
    """Return what an instrument without labels says now."""
    return next(iter(instrument.collect())).samples[0].value
