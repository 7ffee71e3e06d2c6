"""Tokens that this installation gives itself, for development and demonstrations."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import jwt

from services.api import keys
from services.api.tokens import Trust, shared_secret
from services.settings import ApiSettings

ISSUER = "urn:visabus:local"


def secret_of(settings: ApiSettings, directory: Path) -> bytes:
    """The shared secret in force: the configured one, or the one of the data directory. Raises UnsafeKey, OSError."""
    if settings.hs_secret is not None:
        return settings.hs_secret.get_secret_value().encode()
    return keys.token_key(directory)


def issuer_of(settings: ApiSettings) -> str:
    """Whose name the tokens carry."""
    return settings.issuer or ISSUER


def trust_of(settings: ApiSettings, directory: Path) -> Trust:
    """Belief in these tokens and no others. Raises UnsafeKey, OSError."""
    return Trust(issuer_of(settings), settings.audience, shared_secret(secret_of(settings, directory)))


def token(
    settings: ApiSettings,
    directory: Path,
    *,
    subject: str,
    client: str,
    scopes: Sequence[str],
    purposes: Sequence[str],
    now: datetime,
    ttl: int,
    id: str = "",
) -> str:
    """A token for `ttl` seconds, with this id or one of its own. Raises UnsafeKey, OSError."""
    at = int(now.timestamp())
    claims = {
        "iss": issuer_of(settings),
        "aud": settings.audience,
        "sub": subject,
        "azp": client,
        "iat": at,
        "nbf": at,
        "exp": at + ttl,
        "scope": " ".join(scopes),
        "purposes": list(purposes),
        "jti": id or str(uuid.uuid4()),
    }
    return jwt.encode(claims, secret_of(settings, directory), "HS256", {"typ": "at+jwt"})
