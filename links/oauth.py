"""Tokens by which a client logs in to Kafka with OAUTHBEARER (RFC 7628), got by client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from links.reasons import Failure, Reason, Unusable, failure_of

if TYPE_CHECKING:
    import ssl

_UNSAID_LIFE = 300.0
"""Seconds for which a token is used whose answer does not say how long it lives."""
_TIMEOUT = 5.0


@dataclass(slots=True)
class Tokens:
    """Asks one authorisation server for tokens, and keeps each for most of its life."""

    url: str
    client: str
    secret: str = field(repr=False)
    scope: str = ""
    tls: ssl.SSLContext | None = None
    _token: str = field(default="", init=False, repr=False)
    _ends: float = field(default=0.0, init=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def token(self) -> str:
        """Return a token that still lives. Raises Unusable, which says why there is none."""
        async with self._asking:
            if time.monotonic() >= self._ends:
                self._token, lives = await self._new()
                self._ends = time.monotonic() + lives - min(30.0, lives / 5)
            return self._token

    async def _new(self) -> tuple[str, float]:
        import httpx  # here: most installations log in by password

        form = {"grant_type": "client_credentials"} | ({"scope": self.scope} if self.scope else {})
        try:
            async with httpx.AsyncClient(verify=self.tls or True, timeout=_TIMEOUT) as client:
                answer = await client.post(self.url, data=form, auth=(self.client, self.secret))
        except httpx.HTTPError as error:
            known = failure_of(error)
            reason = known.reason if known is not None else Reason.CLOSED
            raise Unusable(Failure(reason, f"no token from the authorisation server: {reason.words}")) from None
        if answer.status_code != 200:
            refused = Reason.CREDENTIALS if answer.status_code in (400, 401, 403) else Reason.CLOSED
            raise Unusable(Failure(refused, f"the authorisation server answered {answer.status_code}"))
        try:
            body = answer.json()
            token, lives = body["access_token"], float(body.get("expires_in", _UNSAID_LIFE))
        except (ValueError, KeyError, TypeError):
            raise Unusable(Failure(Reason.CREDENTIALS, "the authorisation server answered with no token")) from None
        if not isinstance(token, str) or not token:
            raise Unusable(Failure(Reason.CREDENTIALS, "the authorisation server answered with no token"))
        return token, max(lives, 1.0)


def token_provider(tokens: Tokens) -> Any:
    """Return aiokafka's kind of provider."""
    from aiokafka.abc import AbstractTokenProvider  # here: it loads the client
    from aiokafka.errors import KafkaError

    class Provider(AbstractTokenProvider):  # type: ignore[misc]  # the library has no types
        """Hands the tokens on."""

        async def token(self) -> str:
            """Return a token. Raises KafkaError, the only errors that aiokafka takes for what they are."""
            try:
                return await tokens.token()
            except Unusable as error:
                raise KafkaError(str(error)) from error

    return Provider()
