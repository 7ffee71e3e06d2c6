"""A receipt as a message of the bus."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import orjson

from bus.contract import Message
from schemas.topics import RECEIPTS
from services.dead_letters import encodable

MAX_BYTES = 900_000
"""A larger receipt is cut: every broker takes a message of a million bytes."""

_LISTS = ("notes", "refused", "lost_values", "coverage")
_DIGEST_BYTES = 8


def record_digest(system: str, record: str) -> bytes:
    """Return the digest under which a receipt names a record."""
    content = f"{len(system)}:{system}{record}".encode("utf-8", "backslashreplace")
    return blake2b(content, digest_size=_DIGEST_BYTES, person=b"receipt").digest()


def message_of(body: dict[str, Any], records: Iterable[str], mark: str) -> Message:
    """Return the message of a receipt. `records` are the keys of its records; `mark` is of the content of its batch.

    A batch that is read again with the same content replaces its receipt; one with another content gets its own.
    """
    digests = b"".join(record_digest(body["system"], record) for record in records)
    whole = body | {"records": b64encode(digests).decode(), "cut": False}
    value = _encoded(whole)
    while len(value) > MAX_BYTES:
        whole = _cut(whole)
        value = _encoded(whole)
    key = "/".join((body["system"], body["feed"], body["batch"], mark))
    return Message(RECEIPTS, encodable(key).encode(), value)


def _cut(body: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt with half of its longest list, and of the records that it is found by."""
    longest = max(_LISTS, key=lambda name: len(orjson.dumps(plain(body[name]))))
    kept = body["records"][: len(body["records"]) // 64 * 32]
    shorter = body[longest][: len(body[longest]) // 2]
    return body | {longest: shorter, "records": kept, "cut": True}


def _encoded(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except (TypeError, orjson.JSONEncodeError):
        return orjson.dumps(plain(body))


def plain(value: Any) -> Any:
    """Return the value fit for JSON: fields of notes may hold bytes and dates, and texts broken surrogates."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {encodable(str(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float) else encodable(str(value))
