"""A canonical event as a message of the bus."""

from __future__ import annotations

from bus.contract import Message
from schemas.cloudevents import headers_of
from schemas.codec import MAX_BYTES, encode
from schemas.events import AnyEvent
from schemas.topics import key_of, topic_of


def message_of(event: AnyEvent, traceparent: str | None = None) -> Message:
    """The message of a stamped event, a CloudEvent in binary mode. Raises ValueError where no bus would take it."""
    value = encode(event)
    if len(value) > MAX_BYTES:
        raise ValueError("an event larger than any bus takes")
    return Message(topic_of(event), key_of(event), value, headers_of(event, traceparent))
