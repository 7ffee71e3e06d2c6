"""Dead letters: a record that could not be read, with the reason, its place and its bytes."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import orjson

from adapters.core import BadRecord, Origin
from bus.contract import Message
from schemas.topics import DEAD_LETTERS

LETTERS = UUID("0b8a5f0e-6a0d-5a61-9d0c-3a1b7f6d2c44")
"""Namespace of the ids of dead letters."""

MAX_RAW = 256 * 1024
"""Larger bytes go to the spool, and the letter names their digest."""

MAX_CONTEXT = 16 * 1024
"""What stood before a record is kept beside it up to this size."""

_REASON = 2_000
_PLACE = 500


class SpoolDown(Exception):
    """The spool could not be written (a full disk, most often); nothing was promised; try again."""


@dataclass(frozen=True, slots=True)
class Spool:
    """Bytes kept under their own digest: writing them twice changes nothing."""

    directory: Path

    def path(self, digest: str) -> Path:
        """Where the bytes of that digest are."""
        return self.directory / digest[:2] / digest

    def keep(self, data: bytes) -> str:
        """Keep `data` durably; its SHA-256. Raises SpoolDown."""
        digest = sha256(data).hexdigest()
        path = self.path(digest)
        if not path.exists():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write(path, data)
                synced(self.directory)
            except OSError as error:
                raise SpoolDown(error.strerror or "cannot write") from error
        return digest

    def load(self, digest: str) -> bytes:
        """The bytes of that digest."""
        return self.path(digest).read_bytes()


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, on disk once this returns."""
    replace(path, data)
    synced(path.parent)


def replace(path: Path, data: bytes) -> None:
    """The same for one of several files of a directory, to be `synced` once behind them all."""
    draft = path.with_name(f".{uuid4().hex}.draft")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def synced(directory: Path) -> None:
    """What a directory names is on disk once this returns."""
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def letter(
    bad: BadRecord,
    origin: Origin,
    spool: Spool,
    *,
    counted: bool = True,
    context: bytes | None = None,
    ordinal: int | None = None,
) -> Message:
    """The message that keeps a refused record. Its id is derived: the same record refused twice is one letter.

    `counted` is false for what is no record (a note, the unreadable rest of a batch). `context` are the bytes of what
    stood before it and says how it is read, a header most often; `ordinal` is its number behind that. Raises SpoolDown.
    """
    digest = sha256(bad.raw).hexdigest()
    place = clean(bad.place)
    parts = (origin.system, origin.feed, clean(origin.batch), place, digest)
    identity = str(uuid5(LETTERS, "".join(f"{len(part)}:{part}" for part in parts)))
    large = len(bad.raw) > MAX_RAW
    body = {
        "id": identity,
        "system": origin.system,
        "feed": origin.feed,
        "batch": clean(origin.batch),
        "place": place[:_PLACE],
        "record": clean(bad.record)[:_PLACE] if bad.record is not None else None,
        "reason": clean(bad.reason)[:_REASON],
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
    return posted(body)


def posted(body: dict[str, Any]) -> Message:
    """The message of a letter's body."""
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", body["id"].encode()),
        ("ce_source", f"urn:visabus:system:{body['system']}".encode()),
        ("ce_type", b"visabus.dead-letter"),
        ("content-type", b"application/json"),
    )
    return Message(DEAD_LETTERS, f"{body['system']}/{body['feed']}".encode(), orjson.dumps(body), headers)


def clean(text: str) -> str:
    """Fit for UTF-8: what is quoted from broken bytes or file names may hold lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()
