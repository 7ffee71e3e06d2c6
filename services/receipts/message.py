"""A receipt as a message of the bus."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from bus.contract import Message
from schemas.topics import RECEIPTS
from services.dead_letters import encodable
from services.keyring import Keyring

MAX_BYTES = 900_000
"""A larger receipt is cut: every broker takes a message of a million bytes."""

_LISTS = ("notes", "refused", "lost_values", "coverage")
_DIGEST_BYTES = 8


KEYS = "receipts.key"
"""The file of the keys by which receipts name records: many a record's key is a document number, and a digest without
a key would be one of a few billion that anybody can try. Hosts and commands of one installation need the same."""
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{4,}")
_NO_NUMBER = re.compile(r"[A-Za-z-]+|(?:19|20)\d\d-?[01]\d-?[0-3]\d(?:T\d\d)?|\d{1,5}")
_COUNTED = re.compile(r"(?:byte|line|offset|character|change|record|records|message|segment|block|page)s? $")


def record_digests(ring: Keyring, system: str, record: str) -> list[bytes]:
    """Return the digests under which receipts name a record, by every key; the first is that in use."""
    content = f"{len(system)}:{system}{record}".encode("utf-8", "backslashreplace")
    return [bytes.fromhex(mac)[:_DIGEST_BYTES] for mac in ring.macs(content)]


def without_numbers(place: str, ring: Keyring) -> str:
    """Return a place with a keyed digest for what may be somebody's number, such as the key of a row.

    Counts (of bytes, lines, offsets), dates and short numbers stay as they are.
    """

    def hidden(match: re.Match[str]) -> str:
        if _NO_NUMBER.fullmatch(match[0]) or (match[0].isdigit() and _COUNTED.search(place[: match.start()])):
            return match[0]
        return f"#{ring.mac(match[0].encode())[:12]}"

    return _NUMBER.sub(hidden, place)


_SOMEBODYS = frozenset({"person", "reservation", "nextPage", "nextCursor"})
"""What sources say of themselves that has somebody's number in it: whom was asked about, a locator, the last key."""


def without_persons(fields: Mapping[str, Any], ring: Keyring) -> dict[str, Any]:
    """Return what a source says of itself (header, trailer, answer) with a keyed digest for what is somebody's."""
    return {
        name: f"#{ring.mac(str(value).encode('utf-8', 'backslashreplace'))[:12]}" if name in _SOMEBODYS else value
        for name, value in fields.items()
    }


def message_of(body: dict[str, Any], records: Mapping[str, str | None], mark: str, ring: Keyring) -> Message:
    """Return the message of a receipt. `mark` is of the content of its batch.

    `records` are the keys of its records, each with the rule that left it out, or None.

    A batch that is read again with the same content replaces its receipt; one with another content gets its own.
    """
    by_rule: dict[str | None, bytearray] = {None: bytearray()}
    for record, rule in records.items():
        digest = record_digests(ring, body["system"], record)[0]
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
