"""A dead letter as a message of the bus."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

import orjson

from adapters.core import BadRecord, Origin
from bus.contract import Message
from schemas.topics import DEAD_LETTERS
from services.dead_letters.spool import Spool

NAMESPACE = UUID("0b8a5f0e-6a0d-5a61-9d0c-3a1b7f6d2c44")
"""Namespace of the ids of dead letters."""

MAX_RAW = 256 * 1024
"""Larger bytes go to the spool, and the dead letter names their digest."""

MAX_CONTEXT = 16 * 1024
"""The bytes that stood before a record are kept beside it up to this size."""

_MAX_REASON = 2_000
_MAX_PLACE = 500


def dead_letter(
    bad: BadRecord,
    origin: Origin,
    spool: Spool,
    *,
    counted: bool = True,
    context: bytes | None = None,
    ordinal: int | None = None,
) -> Message:
    """Return the message that keeps a refused record. Its id is derived: a record refused twice is one dead letter.

    `counted` is false for what is no record (a note, the unreadable rest of a batch). `context` are the bytes that
    stood before the record and say how it is read, most often a header; `ordinal` is the record's number behind them.
    Raises SpoolDown.
    """
    digest = sha256(bad.raw).hexdigest()
    place = encodable(bad.place)
    parts = (origin.system, origin.feed, encodable(origin.batch), place, digest)
    identity = str(uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts)))
    large = len(bad.raw) > MAX_RAW
    body = {
        "id": identity,
        "system": origin.system,
        "feed": origin.feed,
        "batch": encodable(origin.batch),
        "place": place[:_MAX_PLACE],
        "record": encodable(bad.record)[:_MAX_PLACE] if bad.record is not None else None,
        "reason": encodable(bad.reason)[:_MAX_REASON],
        "counted": counted,
        "bytes": len(bad.raw),
        "digest": digest,
        "raw": None if large else b64encode(bad.raw).decode(),
        "spooled": spool.keep(bad.raw) if large else None,
        "mapping_version": origin.mapping_version,
        "context": b64encode(context).decode() if context is not None and len(context) <= MAX_CONTEXT else None,
        "ordinal": ordinal,
        "replayed": False,
        "at": datetime.now(UTC).isoformat(),
    }
    return message_of_body(body)


def dead_message(topic: str, part: int, position: int, raw: bytes, reason: str, spool: Spool) -> Message:
    """Return the dead letter of a message of the bus that is no event, or may not count. Raises SpoolDown."""
    bad = BadRecord(reason, place=f"{topic} {part} position {position}", raw=raw)
    return dead_letter(bad, Origin("BUS", "correlator", topic, 1), spool)


def message_of_body(body: dict[str, Any]) -> Message:
    """Return the message of a dead letter's body."""
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", body["id"].encode()),
        ("ce_source", f"urn:visabus:system:{body['system']}".encode()),
        ("ce_type", b"visabus.dead-letter"),
        ("content-type", b"application/json"),
    )
    return Message(DEAD_LETTERS, f"{body['system']}/{body['feed']}".encode(), orjson.dumps(body), headers)


def encodable(text: str) -> str:
    """Return the text fit for UTF-8: quotations of broken bytes or file names may hold lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()
