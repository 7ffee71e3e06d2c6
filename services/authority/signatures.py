"""Signatures of messages: HMAC-SHA-256 (RFC 2104, FIPS 180-4) by a key of the system whose ingest sends them.

A header `visabus-signature` has the id of the key, the second of signing, and the code over that second, the topic, the
key and the exact value of the message. The attributes of the event are no part of it: they repeat its value, and a
reader compares the two. So a signed message cannot be changed, nor moved to another topic or key; sent once more as it
is, it says nothing new.
"""

from __future__ import annotations

import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from bus.contract import BusError, Delivery, Message
from schemas.cloudevents import SIGNATURE
from services.authority.keys import KeyFiles
from services.authority.rights import Refused

TOLERANCE_SECONDS = 300
_REFRESH_SECONDS = 1.0
"""How often an unknown key may have the files read again: a forger must not make a reader read all the time."""


class NoKey(BusError):
    """A system has no key by which it could sign now."""


def text_of(at: bytes, topic: str, key: bytes | None, value: bytes | None) -> bytes:
    """What is signed. Lengths are part of it, so no two messages spell alike."""
    key_length = -1 if key is None else len(key)
    length = -1 if value is None else len(value)
    parts = (at, topic.encode(), key_length, length, key or b"", value or b"")
    return b"visabus 1\0%b\0%b\0%d\0%d\0%b%b" % parts


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs messages of the systems whose keys it has."""

    keys: KeyFiles
    clock: Callable[[], float] = time.time

    def signed(self, message: Message, system: str) -> Message:
        """The message with its signature; one that was signed before is left as it is. Raises NoKey."""
        for name, _ in message.headers:
            if name == SIGNATURE:
                return message
        self.keys.refresh()
        now = self.clock()
        key = self.keys.signing(system, now)
        if key is None:
            raise NoKey(f"there is no key by which {system} may sign now; `visabus keys make {system}` makes one")
        at = b"%d" % now
        code = key.code(text_of(at, message.topic, message.key, message.value))
        header = (SIGNATURE, b"%b %b %b" % (key.name, at, b2a_base64(code, newline=False)))
        return Message(message.topic, message.key, message.value, (*message.headers, header))


@dataclass(frozen=True, slots=True)
class Verifier:
    """Knows signatures by the keys of an installation."""

    keys: KeyFiles

    def signer_of(self, one: Delivery, now: float) -> str:
        """The system whose ingest has signed a message. Raises Refused."""
        carried = [content for name, content in one.headers if name == SIGNATURE]
        if len(carried) != 1:
            raise Refused("signature: missing" if not carried else "signature: more than one")
        try:
            name, at, code = carried[0].split(b" ")
            seconds, given = int(at), a2b_base64(code)
        except ValueError:
            raise Refused("signature: none that can be read") from None
        key = self.keys.by_name.get(name)
        if key is None and self.keys.refresh(_REFRESH_SECONDS):
            key = self.keys.by_name.get(name)
        if key is None:
            raise Refused("signature: by a key that is not known here")
        made = key.code(text_of(at, one.partition.topic, one.key, one.value))
        if not compare_digest(made, given):
            raise Refused("signature: wrong")
        if not key.signs(seconds):
            raise Refused("signature: at a time at which its key did not sign")
        if seconds > now + TOLERANCE_SECONDS:
            raise Refused("signature: of a time that lies ahead")
        return key.system
