"""A system that pushes, as its owner would write it: signs by the interface document, and asks again until answered."""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET = "a shared secret of more than thirty-two bytes"


@dataclass(frozen=True)
class Signer:
    """A key and its id. `secret` may be a private key instead."""

    key: str = "toy-2026a"
    secret: str | Ed25519PrivateKey = field(default=SECRET, repr=False)

    def headers(
        self, path: str, body: bytes, timestamp: int, nonce: str | None = None, kind: str = "application/xml"
    ) -> dict[str, str]:
        """All headers of one push."""
        nonce = nonce or token_urlsafe(18)
        digest = sha256(body).hexdigest()
        text = f"visabus-push-1\nPOST\n{path}\n{self.key}\n{timestamp}\n{nonce}\n{digest}".encode()
        if isinstance(self.secret, str):
            signature = hmac.digest(self.secret.encode(), text, "sha256")
        else:
            signature = self.secret.sign(text)
        return {
            "Content-Type": kind,
            "Visabus-Key": self.key,
            "Visabus-Timestamp": str(timestamp),
            "Visabus-Nonce": nonce,
            "Visabus-Signature": b64encode(signature).decode(),
        }


async def insist(
    http: httpx.AsyncClient,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    revive: Callable[[], Any] | None = None,
    rest: float = 0.05,
) -> dict[str, Any]:
    """The same bytes until they are answered. `revive` is awaited where nobody listens."""
    while True:
        try:
            answer = await http.post(path, content=body, headers=dict(headers))
        except httpx.TransportError:
            if revive is not None:
                await revive()
            await asyncio.sleep(rest)
            continue
        if answer.status_code == 200:
            return dict(answer.json())
        if answer.status_code not in (429, 503):
            raise AssertionError(f"{answer.status_code}: {answer.text}")
        await asyncio.sleep(rest)
