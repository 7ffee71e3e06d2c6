"""Bearer tokens: JSON Web Tokens of one issuer, checked by keys and algorithms that configuration fixes.

A token never chooses how it is checked: each key has one algorithm, and a token that names another is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import jwt
import orjson
import structlog

MAX_TOKEN = 8_192
MAX_KEY_SET = 262_144
MAX_CLAIM = 200
ALGORITHMS = ("RS256", "ES256")
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")
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


def shared_secret(secret: bytes) -> OneKey:
    """HS256, for demonstrations: whoever can check such a token can also make one. Raises ValueError."""
    if len(secret) < 32:
        raise ValueError("a shared secret has 32 bytes or more")
    return OneKey(Key(secret, "HS256"))


def public_key(pem: bytes) -> OneKey:
    """RS256 with the public key in a PEM file. Raises ValueError."""
    try:
        return OneKey(Key(jwt.get_algorithm_by_name("RS256").prepare_key(pem), "RS256"))
    except (jwt.InvalidKeyError, NotImplementedError):
        raise ValueError("no RSA public key in PEM") from None


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
        results = dict(_usable(body["keys"]))
        if not results:
            raise ValueError("no key for RS256 or ES256 with an id")
        return cls(results)

    @classmethod
    def read(cls, path: Path) -> KeySet:
        """The set in a file. Raises ValueError, OSError."""
        return cls.parse(path.read_bytes())

    async def find(self, kid: str | None) -> Key | None:
        return self._keys.get(kid) if kid is not None else None


def _usable(entries: Iterable[Any]) -> Iterable[tuple[str, Key]]:
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("kid"), str) or entry.get("use", "sig") != "sig":
            continue
        algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(entry.get("kty")))
        if algorithm is None or entry.get("alg", algorithm) != algorithm:
            continue
        try:
            yield entry["kid"], Key(jwt.PyJWK(entry, algorithm).key, algorithm)
        except jwt.PyJWTError:
            continue  # one malformed key must not take the others with it


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
class Trust:
    """Whose tokens are believed: one issuer, one audience, its keys; `clients` empty means any client of the issuer."""

    issuer: str
    audience: str
    keys: Keys
    clients: frozenset[str] = frozenset()
    leeway: int = 30

    async def caller(self, token: str, now: float) -> Caller:
        """Whom a token proves. Raises Unauthenticated."""
        if len(token) > MAX_TOKEN:
            raise Unauthenticated("too-long")
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise Unauthenticated("malformed") from None
        kind = header.get("typ")
        if "crit" in header or (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
            raise Unauthenticated("header")
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
        if _instant(claims, "exp", required=True) + self.leeway <= now:
            raise Unauthenticated("expired")
        if max(_instant(claims, "nbf"), _instant(claims, "iat")) - self.leeway > now:
            raise Unauthenticated("not-yet")
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
        id = str(number) if number is not None else f"sha256:{hashlib.sha256(token.encode()).hexdigest()[:32]}"
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
