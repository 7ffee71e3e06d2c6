"""A system that pushes, as its owner would write it: signs by RFC 9421, and asks again until answered."""

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
        return signed(self, path, body, timestamp, nonce or token_urlsafe(18), {"content-type": kind})


def signed(
    signer: Signer,
    path: str,
    body: bytes,
    created: int,
    nonce: str,
    fields: Mapping[str, str],
    *,
    method: str = "POST",
    covered: tuple[str, ...] = ("@method", "@path", "content-type", "content-digest"),
    parameters: str | None = None,
) -> dict[str, str]:
    """All headers of one push, by RFC 9421 section 2.5, written by hand: no library may err for both sides."""
    digest = f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"
    values = {"@method": method, "@path": path, "content-digest": digest} | dict(fields)
    given = parameters or f';created={created};keyid="{signer.key}";nonce="{nonce}";tag="visabus-push"'
    named = " ".join(f'"{name}"' for name in covered)
    input_ = f"({named}){given}"
    lines = [f'"{name}": {values[name]}' for name in covered] + [f'"@signature-params": {input_}']
    text = "\n".join(lines).encode()
    if isinstance(signer.secret, str):
        signature = hmac.digest(signer.secret.encode(), text, "sha256")
    else:
        signature = signer.secret.sign(text)
    return {
        **fields,
        "content-digest": digest,
        "signature-input": f"sig1={input_}",
        "signature": f"sig1=:{b64encode(signature).decode()}:",
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
