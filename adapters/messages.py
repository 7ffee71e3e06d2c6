"""A message of a log or queue as one line of JSON, where a format needs more of it than its value: key and headers.

    {"key": "...", "value": "...", "headers": [["name", "..."]]}

Bytes that are UTF-8 stand as text, others as `{"base64": "..."}`, none as null; `headers` may be left out. A transport
gives a format that `TakesMessages` such lines in place of the bare values, and a file of such lines stands for the log.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import orjson

from adapters.core import Format

CHANGE_TABLE = "change-table"
"""The connector that records of a change table name as their source: their values are as the database writes JSON."""

CLOCK = "visabus_clock"
"""The table in which an owner says through when all that was committed stands before its row in the log."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message. A value of None is a tombstone, where the log knows such."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes | None]] = ()


@runtime_checkable
class TakesMessages(Format, Protocol):
    """A format whose stream has a line for each message, as `line_of` writes it."""

    takes_messages: ClassVar[bool]


def line_of(message: Message) -> bytes:
    """The message as a line, with its end."""
    headers = [[name, _shown(value)] for name, value in message.headers]
    body = {"key": _shown(message.key), "value": _shown(message.value)} | ({"headers": headers} if headers else {})
    return bytes(memoryview(orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)))  # without its spare memory


def message_of(line: bytes) -> Message:
    """The reverse of `line_of`. Raises ValueError."""
    body = orjson.loads(line)
    if not isinstance(body, dict) or not {"key", "value"} <= set(body) <= {"key", "value", "headers"}:
        raise ValueError("no line of a message: key, value and headers expected")
    headers = body.get("headers", [])
    if not isinstance(headers, list) or any(
        not isinstance(each, list) or len(each) != 2 or not isinstance(each[0], str) for each in headers
    ):
        raise ValueError("headers are pairs of a name and a value")
    return Message(_read(body["value"]), _read(body["key"]), tuple((name, _read(value)) for name, value in headers))


def _shown(data: bytes | None) -> Any:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}


def _read(shown: Any) -> bytes | None:
    if shown is None:
        return None
    if isinstance(shown, str):
        return shown.encode()
    if isinstance(shown, dict) and set(shown) == {"base64"} and isinstance(shown["base64"], str):
        return b64decode(shown["base64"], validate=True)
    raise ValueError("a key, value or header is text, base64 or null")
