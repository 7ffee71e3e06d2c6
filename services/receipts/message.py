"""A receipt as a message of the bus."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
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


def message_of(body: dict[str, Any], records: Mapping[str, str | None], mark: str) -> Message:
    """Return the message of a receipt. `mark` is of the content of its batch.

    `records` are the keys of its records, each with the rule that left it out, or None.

    A batch that is read again with the same content replaces its receipt; one with another content gets its own.
    """
    by_rule: dict[str | None, bytearray] = {None: bytearray()}
    for record, rule in records.items():
        digest = record_digest(body["system"], record)
        by_rule[None] += digest
        if rule is not None:
            by_rule.setdefault(rule, bytearray()).extend(digest)
    whole = body | {
        "records": b64encode(by_rule.pop(None)).decode(),
        "left_out": {str(rule): b64encode(digests).decode() for rule, digests in by_rule.items()},
        "cut": False,
    }
    value = _encoded(whole)
    while len(value) > MAX_BYTES:
        whole = _cut(whole)
        value = _encoded(whole)
    key = "/".join((body["system"], body["feed"], body["batch"], mark))
    return Message(RECEIPTS, encodable(key).encode(), value)


def _cut(body: dict[str, Any]) -> dict[str, Any]:
    """Return the receipt with half of its longest list, and of the records that it is found by."""
    longest = max(_LISTS, key=lambda name: len(orjson.dumps(plain(body[name]))))
    shorter = body[longest][: len(body[longest]) // 2]
    left_out = {rule: _half(digests) for rule, digests in body["left_out"].items()}
    return body | {longest: shorter, "records": _half(body["records"]), "left_out": left_out, "cut": True}


def _half(digests: str) -> str:
    """Return the first half of digests, cut where one of them and four letters of base64 end."""
    return digests[: len(digests) // 64 * 32]


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
