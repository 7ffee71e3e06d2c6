"""Rows of the audit log, and how they are sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import orjson

from services.keyring import Keyring

FIRST = "0" * 64
"""What the first row names as the seal before it."""
BEGIN = "audit begin"
"""What the first row of every log says: a log without rows was emptied."""


class AuditDown(Exception):
    """The audit log cannot be written or read; nothing may be answered."""


class AuditBroken(AuditDown):
    """The audit log is another than the one that was written; nothing is answered until an operator acts."""


class Result(StrEnum):
    """What became of a request."""

    ANSWERED = "answered"
    NOT_FOUND = "not found"
    REFUSED = "refused"
    FAILED = "failed"  # nothing was told: the store did not answer, or the answer could not be made
    DONE = "done"  # a decision, or another act


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be remembered of one request. `persons` are person ids; the log keeps their keyed hashes."""

    request: str
    subject: str
    client: str
    purpose: str
    verb: str
    looked_up: str  # keyed hash
    result: Result
    as_of: str = ""
    known_at: str = ""
    reason: str = ""
    persons: tuple[str, ...] = ()
    source: str = ""  # the address that the request came from, or the machine that the command ran on
    token: str = ""  # the id of the token (jti)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the log."""

    sequence: int
    at: str
    request: str
    subject: str
    client: str
    source: str
    token: str
    purpose: str
    verb: str
    looked_up: str
    as_of: str
    known_at: str
    result: str
    reason: str
    persons: str  # JSON list of keyed hashes
    key: str  # the id of the key that it is sealed by
    previous: str
    hash: str = ""

    def values(self) -> tuple[object, ...]:
        """Its fields, in their order."""
        return tuple(getattr(self, name) for name in self.__slots__)

    def body(self) -> bytes:
        """All but the seal, spelt one way."""
        return orjson.dumps(self.values()[:-1])

    def sealed(self, ring: Keyring) -> Row:
        """The row with its seal: an HMAC over all the rest, by the key in use."""
        row = replace(self, key=ring.id)
        return replace(row, hash=ring.mac(row.body()))

    def holds(self, ring: Keyring) -> bool:
        """Whether the seal is that of the row as it is, by the key that it names."""
        return ring.holds(self.key, self.body(), self.hash)


COLUMNS: tuple[str, ...] = Row.__slots__
