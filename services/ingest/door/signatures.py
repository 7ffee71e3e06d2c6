"""Which system sent a message, and that it is unchanged: HTTP Message Signatures (RFC 9421) with keys of the settings.

A signature covers method, path, content type and the digest of the body (RFC 9530), so a request's head proves who
sends it before a byte of the body is read. The library's own clock is not asked: age is judged by the door's.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import http_sf
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    InvalidSignature,
    MappingKeyResolver,
    algorithms,
)
from starlette.datastructures import Headers

from services.ingest.door import problems
from services.settings import DoorKey

TAG = "visabus-push"
"""The tag (RFC 9421 section 2.3) of the one signature that is read; others beside it are passed over."""
COVERED = ("@method", "@path", "content-type", "content-digest")
"""What has to be signed."""
_INPUT_BYTES = 4_000
_COMPONENTS = 20
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(frozen=True, slots=True)
class Signed:
    """What the head of a push says of its signature."""

    key: str
    created: int
    nonce: str
    expires: int | None = None

    @classmethod
    def of(cls, headers: Headers) -> Signed:
        """The parameters of the signature, checked for their form. Raises Problem."""
        if "signature" not in headers:
            raise problems.headers("Signature")
        if "content-digest" not in headers:
            raise problems.headers("Content-Digest")
        covered, given = _tagged(", ".join(headers.getlist("signature-input")))
        key, created, nonce, expires = (given.get(name) for name in ("keyid", "created", "nonce", "expires"))
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise problems.headers("Signature-Input: keyid")
        if type(created) is not int or not 0 <= created < 10**12:
            raise problems.headers("Signature-Input: created")
        if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
            raise problems.headers("Signature-Input: nonce")
        if expires is not None and (type(expires) is not int or expires < created):
            raise problems.headers("Signature-Input: expires")
        if len(covered) > _COMPONENTS or not set(COVERED) <= {name for name, parameters in covered if not parameters}:
            raise problems.headers(f"Signature-Input: {', '.join(COVERED)}")
        return cls(key, created, nonce, expires)

    def young(self, now: float, window: int) -> bool:
        """Whether it may be taken now: signed no longer ago, and no further ahead, than the window, and not expired."""
        return abs(now - self.created) <= window and (self.expires is None or now <= self.expires)


def _tagged(text: str) -> tuple[list[tuple[Any, Any]], Mapping[str, Any]]:
    """The covered components and the parameters of the signature with our tag. Raises Problem."""
    if not text or len(text) > _INPUT_BYTES:
        raise problems.headers("Signature-Input")
    try:
        members: Any = http_sf.parse(text.encode(), tltype="dictionary")
    except (ValueError, TypeError, RecursionError):
        raise problems.headers("Signature-Input") from None
    if not isinstance(members, dict):
        raise problems.headers("Signature-Input")
    results = [member for member in members.values() if isinstance(member[0], list) and member[1].get("tag") == TAG]
    if len(results) != 1:
        raise problems.headers(f'Signature-Input: tag="{TAG}"')
    covered, parameters = results[0]
    return list(covered), parameters


@dataclass(frozen=True, slots=True)
class Head:
    """A request as far as it is signed, in the form that the library reads."""

    method: str
    url: str
    headers: Headers


class _Verifier(HTTPMessageVerifier):
    """Asks no clock: `Signed.young` does, by the door's."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """Leave it to the door."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a key proves: an algorithm and what it needs. The key fixes it, whatever a request says."""

    algorithm: type[HTTPSignatureAlgorithm]
    material: bytes | Ed25519PublicKey = field(repr=False)

    def proves(self, key: str, head: Head) -> bytes | None:
        """Return what was signed if the signature is the key's; otherwise None."""
        resolver = MappingKeyResolver(public_keys={key: self.material}, private_keys={})
        verifier = _Verifier(signature_algorithm=self.algorithm, key_resolver=resolver)
        try:
            (result,) = verifier.verify(head, max_age=None, expect_tag=TAG, require_components=COVERED)
        except (HTTPMessageSignaturesException, ValueError):  # the latter: more signatures than one
            return None
        return "\n".join(f"{name}: {value}" for name, value in result.covered_components.items()).encode()


_UNKNOWN = Way(algorithms.HMAC_SHA256, token_bytes(32))
"""Stands in for an unknown key, so that it takes as long to refuse as a known one."""


@dataclass(slots=True)
class Keys:
    """The keys that are believed, each for one system. Two of a system at once are how keys are changed."""

    known: Mapping[str, tuple[str, Way]]

    @classmethod
    def of(cls, settings: Mapping[str, DoorKey]) -> Keys:
        """The keys of the settings."""
        return cls({name: (key.system, _way(key)) for name, key in settings.items()})

    def replace(self, settings: Mapping[str, DoorKey]) -> tuple[set[str], set[str]]:
        """Believe these keys from now on; return the ids of new or changed ones, and of those that are gone."""
        fresh = Keys.of(settings).known
        added = {name for name, key in fresh.items() if not _same(self.known.get(name), key)}
        removed = set(self.known) - set(fresh)
        self.known = fresh
        return added, removed

    def systems(self) -> set[str]:
        """Whose keys there are."""
        return {system for system, _ in self.known.values()}

    def check(self, system: str, signed: Signed, head: Head) -> bytes:
        """Return what a key of that system signed. Raises Problem."""
        owner, way = self.known.get(signed.key, ("", _UNKNOWN))
        text = way.proves(signed.key, head)
        if text is None or owner != system:
            raise problems.signature()
        return text


def _same(one: tuple[str, Way] | None, other: tuple[str, Way]) -> bool:
    if one is None or (one[0], one[1].algorithm) != (other[0], other[1].algorithm):
        return False
    return _raw(one[1].material) == _raw(other[1].material)


def _raw(material: bytes | Ed25519PublicKey) -> bytes:
    return material if isinstance(material, bytes) else material.public_bytes_raw()


def check_digest(head: Head, body: bytes) -> None:
    """Whether the body is the one whose digest was signed. Raises Problem."""
    try:
        ContentDigest.verify(", ".join(head.headers.getlist("content-digest")), body)
    except InvalidSignature:
        raise problems.digest() from None


def _way(key: DoorKey) -> Way:
    if key.hmac_secret is not None:
        return Way(algorithms.HMAC_SHA256, key.hmac_secret.get_secret_value().encode())
    return Way(algorithms.ED25519, Ed25519PublicKey.from_public_bytes(b64decode(key.ed25519_public_key or "")))
