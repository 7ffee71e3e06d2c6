"""Bearer tokens: JSON Web Tokens of one issuer, checked by keys and algorithms that configuration fixes.

A token never chooses how it is checked: each key has one algorithm, and a token that names another is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import jwt
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from services.api.watched import Watched

MAX_TOKEN = 8_192
MAX_KEY_SET = 262_144
MAX_CLAIM = 200
ALGORITHMS = ("RS256", "ES256")
TYPE = "at+jwt"
"""RFC 9068 section 2.1."""
LONGEST = 43_200
"""Seconds from `iat` to `exp`."""
RSA_BITS = 2_048
SECRET_BYTES = 32
_log = structlog.get_logger()


class Unauthenticated(Exception):
    """The token proves nothing. `code` is a word of ours, fit for logs."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, through which client, and what they may do for which purposes."""

    subject: str
    client: str
    scopes: frozenset[str]
    purposes: frozenset[str]
    token: str = ""  # its id: `jti`, or a digest of one that has none


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the one algorithm that it is for."""

    material: Any
    algorithm: str


class Keys(Protocol):
    """Where keys come from."""

    async def find(self, kid: str | None) -> Key | None:
        """The key with this id; None if there is none."""


@dataclass(frozen=True, slots=True)
class OneKey:
    """A single key, whatever id a token names."""

    key: Key

    async def find(self, kid: str | None) -> Key | None:
        return self.key


class KeyFile:
    """Keys in a file, read again when it changes."""

    def __init__(self, path: Path, parse: Callable[[bytes], Keys]) -> None:
        """Read it. Raises ValueError, OSError."""
        self._file = Watched(path, parse)

    async def find(self, kid: str | None) -> Key | None:
        return await self._file.get().find(kid)


def shared_secret(secret: bytes) -> OneKey:
    """HS256, for demonstrations: whoever can check such a token can also make one. Raises ValueError."""
    if len(secret) < SECRET_BYTES:
        raise ValueError(f"a shared secret has {SECRET_BYTES} bytes or more")
    return OneKey(Key(secret, "HS256"))


def public_key(pem: bytes) -> OneKey:
    """RS256 with the public key in a PEM file. Raises ValueError."""
    try:
        material = jwt.get_algorithm_by_name("RS256").prepare_key(pem)
    except (jwt.InvalidKeyError, NotImplementedError):
        raise ValueError("no RSA public key in PEM") from None
    if not isinstance(material, RSAPublicKey):
        raise ValueError("no RSA public key in PEM")
    _strong(material)
    return OneKey(Key(material, "RS256"))


def _strong(material: Any) -> None:
    """Whether a public key may be believed at all. Raises ValueError."""
    if isinstance(material, RSAPublicKey) and material.key_size < RSA_BITS:
        raise ValueError(f"an RSA key of {material.key_size} bits; {RSA_BITS} or more are needed")
    if isinstance(material, EllipticCurvePublicKey) and not isinstance(material.curve, SECP256R1):
        raise ValueError(f"a key on the curve {material.curve.name}; ES256 has P-256 (RFC 7518 section 3.4)")


class KeySet:
    """A JSON Web Key Set: the keys for signatures in it, by their ids."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self._keys = dict(keys)

    @classmethod
    def parse(cls, data: bytes) -> KeySet:
        """The set in `data`, less keys for encryption and shared secrets, which are none of ours. Raises ValueError."""
        try:
            body = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise ValueError("no JSON") from None
        if not isinstance(body, dict) or not isinstance(body.get("keys"), list):
            raise ValueError("no JSON Web Key Set")
        results: dict[str, Key] = {}
        refused: list[str] = []
        for entry in body["keys"]:
            try:
                results.update(_usable(entry))
            except ValueError as error:
                refused.append(str(error))
        if refused:
            _log.warning("keys of the issuer are not used", why="; ".join(sorted(set(refused))))
        if not results:
            raise ValueError(": ".join(["no key for RS256 or ES256 with an id", *refused[:1]]))
        return cls(results)

    async def find(self, kid: str | None) -> Key | None:
        return self._keys.get(kid) if kid is not None else None


def _usable(entry: Any) -> dict[str, Key]:
    """The key of an entry; none if it is for something else. Raises ValueError for one that must not be used."""
    if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
        return {}
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(entry.get("kty")))
    if algorithm is None or entry.get("alg", algorithm) != algorithm:
        return {}
    if algorithm == "ES256" and entry.get("crv") != "P-256":
        raise ValueError("a key on another curve than P-256")
    try:
        material = jwt.PyJWK(entry, algorithm).key
    except jwt.PyJWTError:
        raise ValueError("a malformed key") from None
    _strong(material)
    return {entry["kid"]: Key(material, algorithm)}


class RemoteKeySet:
    """A key set at an address. An unknown id has it fetched again, but no more often than every `pause` seconds.

    Whoever sends tokens with made-up ids can so neither slow the API down nor have it hammer the issuer. A set that
    cannot be fetched leaves the last one in force for `keep` seconds.
    """

    def __init__(
        self, url: str, client: httpx.AsyncClient, *, pause: float = 60, fresh: float = 600, keep: float = 86_400
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("a key set is fetched over https")
        self._url, self._client = url, client
        self._pause, self._fresh, self._keep = pause, fresh, keep
        self._keys: KeySet | None = None
        self._tried = self._fetched = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str | None) -> Key | None:
        key = await self._held(kid)
        if key is None or self._now() - self._fetched > self._fresh:
            await self._refresh()
            key = await self._held(kid)
        return key

    async def _held(self, kid: str | None) -> Key | None:
        if self._keys is None or self._now() - self._fetched > self._keep:
            return None
        return await self._keys.find(kid)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _refresh(self) -> None:
        async with self._lock:
            if self._now() - self._tried < self._pause:
                return
            self._tried = self._now()
            try:
                self._keys = KeySet.parse(await self._fetch())
                self._fetched = self._now()
            except (httpx.HTTPError, TimeoutError, ValueError) as error:
                _log.warning("the issuer's key set cannot be fetched", code=type(error).__name__)

    async def _fetch(self) -> bytes:
        data = b""
        async with (
            asyncio.timeout(5),
            self._client.stream("GET", self._url, headers={"accept": "application/json"}) as response,
        ):
            response.raise_for_status()
            async for piece in response.aiter_bytes():
                data += piece
                if len(data) > MAX_KEY_SET:
                    raise ValueError("the key set is too large")
        return data


@dataclass(frozen=True, slots=True)
class Revoked:
    """Tokens, and all tokens of subjects, that are not believed though their time is not over."""

    tokens: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, data: bytes) -> Revoked:
        """A line each: an id as in the audit log, or `sub:` and a subject; # begins a remark. Raises ValueError."""
        lines = [line.strip() for line in data.decode("utf-8").splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        if any(len(line) > MAX_CLAIM + 4 or not line.isprintable() for line in lines):
            raise ValueError("a line that is no token's id")
        subjects = {line.removeprefix("sub:").strip() for line in lines if line.startswith("sub:")}
        return cls(frozenset(line for line in lines if not line.startswith("sub:")), frozenset(subjects))


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens are believed: one issuer, one audience, its keys; `clients` empty means any client of the issuer.

    `types` are those of the header `typ`, in lower case and without `application/`; "" is a token that has none.
    `revoked` says what was revoked.
    """

    issuer: str
    audience: str
    keys: Keys
    clients: frozenset[str] = frozenset()
    leeway: int = 30
    types: frozenset[str] = frozenset({TYPE})
    longest: float = LONGEST
    revoked: Callable[[], Revoked] | None = None

    async def caller(self, token: str, now: float) -> Caller:
        """Whom a token proves. Raises Unauthenticated."""
        if len(token) > MAX_TOKEN:
            raise Unauthenticated("too-long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise Unauthenticated("malformed") from None
        if "crit" in header:
            raise Unauthenticated("header")
        kind = header.get("typ", "")
        if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in self.types:
            raise Unauthenticated("type")
        kid = header.get("kid")
        key = await self.keys.find(kid if isinstance(kid, str) else None)
        if key is None:
            raise Unauthenticated("key")
        if header.get("alg") != key.algorithm:
            raise Unauthenticated("algorithm")
        return self._caller(_claims(token, key), token, now)

    def _caller(self, claims: Mapping[str, Any], token: str, now: float) -> Caller:
        audience = claims.get("aud")
        if claims.get("iss") != self.issuer:
            raise Unauthenticated("issuer")
        if self.audience not in (audience if isinstance(audience, list) else [audience]):
            raise Unauthenticated("audience")
        expires, issued = (_instant(claims, name, required=True) for name in ("exp", "iat"))
        if expires + self.leeway <= now:
            raise Unauthenticated("expired")
        if max(_instant(claims, "nbf"), issued) - self.leeway > now:
            raise Unauthenticated("not-yet")
        if expires - issued > self.longest:
            raise Unauthenticated("too-long-lived")
        client = claims.get("azp", claims.get("client_id"))
        if not _word(client) or (self.clients and client not in self.clients):
            raise Unauthenticated("client")
        subject, scope, purposes = claims.get("sub"), claims.get("scope", ""), claims.get("purposes", [])
        if not _word(subject):
            raise Unauthenticated("subject")
        if (
            not isinstance(scope, str)
            or not isinstance(purposes, list)
            or not all(isinstance(p, str) for p in purposes)
        ):
            raise Unauthenticated("claims")
        number = claims.get("jti")
        if number is not None and not _word(number):
            raise Unauthenticated("token-id")
        # of what is signed, since a signature by ECDSA can be written in two ways
        digest = hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest()[:32]
        id = str(number) if number is not None else f"sha256:{digest}"
        revoked = self.revoked() if self.revoked is not None else Revoked()
        if id in revoked.tokens or subject in revoked.subjects:
            raise Unauthenticated("revoked")
        return Caller(str(subject), str(client), frozenset(scope.split()), frozenset(purposes), id)


def _claims(token: str, key: Key) -> Mapping[str, Any]:
    """The claims of a token whose signature holds. Times are checked by us: the clock is an input."""
    try:
        body = jwt.PyJWS().decode(token, key.material, algorithms=[key.algorithm])
        claims = orjson.loads(body)
    except (jwt.PyJWTError, orjson.JSONDecodeError, ValueError, TypeError):
        raise Unauthenticated("signature") from None
    if not isinstance(claims, dict):
        raise Unauthenticated("claims")
    return claims


def _instant(claims: Mapping[str, Any], name: str, *, required: bool = False) -> float:
    value = claims.get(name)
    if value is None and not required:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise Unauthenticated(name)
    return float(value)


def _word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_CLAIM and value.isprintable()
