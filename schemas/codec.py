"""Events to bytes and back. Bytes are UTF-8 JSON without absent fields."""

from __future__ import annotations

import orjson
from pydantic import TypeAdapter, ValidationError

from schemas.events import SCHEMA_VERSION, AnyEvent, Event
from schemas.upcast import upcast

_ADAPTER: TypeAdapter[AnyEvent] = TypeAdapter(Event)
MAX_BYTES = 1_000_000
"""No canonical event is larger; what is larger is refused before it is parsed."""


class Undecodable(ValueError):
    """The bytes are no canonical event; the message tells where, without repeating the content."""


def encode(event: AnyEvent) -> bytes:
    """The event's bytes. Raises ValueError if nobody stamped it: an event without a moment of knowing is no event."""
    if event.published_at is None:
        raise ValueError("an event is stamped with its moment of knowing before it is published")
    return event.__pydantic_serializer__.to_json(event, exclude_none=True)


def decode(data: bytes) -> AnyEvent:
    """The event in `data`, brought to the present version. Raises Undecodable."""
    if len(data) > MAX_BYTES:
        raise Undecodable(f"{len(data)} bytes, at most {MAX_BYTES}")
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"no JSON: {error}") from None
    if not isinstance(body, dict):
        raise Undecodable("no JSON object")
    version = body.get("schema_version")
    if type(version) is not int:  # neither missing nor 2.0 nor true: the version decides how all else is read
        raise Undecodable("schema_version: no integer")
    if version != SCHEMA_VERSION:
        data = orjson.dumps(upcast(body))
    try:
        # strict: what is published is written one way, and 1700000000 or "7" is none of it, as the schemas say too
        event = _ADAPTER.validate_json(data, strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise Undecodable(f"{where}: {first['msg']}") from None
    if event.published_at is None:
        raise Undecodable("published_at: missing")
    return event
