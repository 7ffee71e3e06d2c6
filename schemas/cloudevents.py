"""CloudEvents 1.0 for Kafka, binary content mode: the attributes are headers, the value is the event and nothing else.

The subject attribute is left out on purpose: a record's key may be a person's document number, and headers are what
every tool on the way shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from urllib.parse import quote

from schemas.codec import Undecodable, decode
from schemas.events import AnyEvent

Headers = tuple[tuple[str, bytes], ...]

SPECVERSION = b"1.0"
CONTENT_TYPE = b"application/json"
_OF_CHANGES: Headers = (
    ("ce_specversion", SPECVERSION),
    ("ce_source", b"urn:visabus:correlator"),
    ("ce_type", b"visabus.status-change"),
    ("ce_dataschema", b"urn:visabus:schema:status-change"),
    ("content-type", CONTENT_TYPE),
)
TRACEPARENT = "traceparent"
SIGNATURE = "visabus-signature"
"""The header of a message that its sender signed; no attribute of the event."""
"""The W3C header goes by its own name, where tracers look for it, and not as a CloudEvents extension."""
_TRACE = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


@cache
def source_of(system: str) -> bytes:
    """The attribute `source` of a system's events."""
    return f"urn:visabus:system:{quote(system, safe='')}".encode()


@cache
def _constant(system: str, kind: str, version: int) -> Headers:
    """What all events of one kind and system have in common."""
    return (
        ("ce_specversion", SPECVERSION),
        ("ce_source", source_of(system)),
        ("ce_type", f"visabus.{kind}".encode()),
        ("ce_dataschema", f"urn:visabus:schema:{kind}:{version}".encode()),
        ("content-type", CONTENT_TYPE),
    )


def headers_of(event: AnyEvent, traceparent: str | None = None) -> Headers:
    """The headers of a stamped event. Raises ValueError if nobody stamped it."""
    if event.published_at is None:
        raise ValueError("an event is stamped with its moment of knowing before it is published")
    headers = (
        *_constant(event.system, event.kind, event.schema_version),
        ("ce_id", str(event.id).encode()),
        ("ce_time", event.published_at.isoformat().replace("+00:00", "Z").encode()),
    )
    return headers if traceparent is None else (*headers, (TRACEPARENT, traceparent.encode()))


def headers_of_change(identity: str, at: str, traceparent: str | None = None) -> Headers:
    """The headers of a change of status; `at` is its instant as RFC 3339 has it. Told twice, it has one id."""
    headers = (*_OF_CHANGES, ("ce_id", identity.encode()), ("ce_time", at.encode()))
    return headers if traceparent is None else (*headers, (TRACEPARENT, traceparent.encode()))


def event_of(headers: Iterable[tuple[str, bytes]], value: bytes) -> AnyEvent:
    """The event of a message. Raises Undecodable where headers and value disagree, or are no CloudEvent of ours."""
    attributes = {name.lower(): content for name, content in headers}
    if attributes.get("ce_specversion") != SPECVERSION:
        raise Undecodable("ce_specversion: not 1.0")
    event = decode(value)
    for name, content in headers_of(event):
        # time and schema may be spelt otherwise by another producer, or be of an older version; the value decides
        if name in ("ce_id", "ce_source", "ce_type") and attributes.get(name) != content:
            raise Undecodable(f"{name}: missing, or another than the value's")
    return event


def traceparent_of(headers: Iterable[tuple[str, bytes]]) -> str | None:
    """The W3C trace context that came along, if any; what is none is passed over, as the standard has it."""
    results = [content for name, content in headers if name.lower() == TRACEPARENT]
    return trace(results[0].decode("ascii", "replace")) if len(results) == 1 else None


def trace(text: str) -> str | None:
    """The text if it is a trace context."""
    return text if _TRACE.fullmatch(text) else None
