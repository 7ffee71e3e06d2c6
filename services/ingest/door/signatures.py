"""Which system sent a message, and that it is unchanged: keys, and what they sign."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.ingest.door import problems
from services.settings import DoorKey

_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_SIGNATURE = re.compile(r"[A-Za-z0-9+/=]{1,200}")


@dataclass(frozen=True, slots=True)
class Signed:
    """What the headers of a push say."""

    key: str
    timestamp: int
    nonce: str
    signature: bytes = field(repr=False)

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Signed:
        """The headers, checked for their form. Raises Problem."""
        key = _header(headers, "Visabus-Key", _KEY)
        timestamp = _header(headers, "Visabus-Timestamp", _TIMESTAMP)
        nonce = _header(headers, "Visabus-Nonce", _NONCE)
        try:
            signature = b64decode(_header(headers, "Visabus-Signature", _SIGNATURE), validate=True)
        except NoBase64:
            raise problems.headers("Visabus-Signature") from None
        return cls(key, int(timestamp), nonce, signature)

    def text(self, method: str, path: str, body: bytes) -> bytes:
        """What is signed."""
        lines = ("visabus-push-1", method, path, self.key, str(self.timestamp), self.nonce, sha256(body).hexdigest())
        return "\n".join(lines).encode()


def _header(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    value = headers.get(name, "")
    if not form.fullmatch(value) or (name == "Visabus-Timestamp" and value != str(int(value))):
        raise problems.headers(name)
    return value


class Way(Protocol):
    """How a key proves."""

    def proves(self, text: bytes, signature: bytes) -> bool:
        """Whether the signature is the key's over this text."""


@dataclass(frozen=True, slots=True)
class Shared:
    """HMAC-SHA-256 with a shared secret."""

    secret: bytes = field(repr=False)

    def proves(self, text: bytes, signature: bytes) -> bool:
        """In a time that tells nothing of where they differ."""
        return hmac.compare_digest(hmac.digest(self.secret, text, "sha256"), signature)


@dataclass(frozen=True, slots=True)
class Public:
    """Ed25519 with the sender's public key."""

    key: Ed25519PublicKey

    def proves(self, text: bytes, signature: bytes) -> bool:
        """RFC 8032."""
        try:
            self.key.verify(signature, text)
        except InvalidSignature:
            return False
        return True


_NOBODY = Shared(bytes(32))
"""Stands in for an unknown key, so that it takes as long to refuse as a known one."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that are believed, each for one system. Two of a system at once are how keys are changed."""

    known: Mapping[str, tuple[str, Way]]

    @classmethod
    def of(cls, settings: Mapping[str, DoorKey]) -> Keys:
        """The keys of the settings."""
        return cls({name: (key.system, _way(key)) for name, key in settings.items()})

    def systems(self) -> set[str]:
        """Whose keys there are."""
        return {system for system, _ in self.known.values()}

    def check(self, system: str, signed: Signed, text: bytes) -> None:
        """Whether a key of that system signed this text. Raises Problem."""
        owner, way = self.known.get(signed.key, ("", _NOBODY))
        proven = way.proves(text, signed.signature)
        if not proven or owner != system:
            raise problems.signature()


def _way(key: DoorKey) -> Way:
    if key.hmac_secret is not None:
        return Shared(key.hmac_secret.get_secret_value().encode())
    return Public(Ed25519PublicKey.from_public_bytes(b64decode(key.ed25519_public_key or "")))
