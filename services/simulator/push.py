"""The sender's side of the push handler, from the interface pages alone: signs messages, insists on an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_delay, wait_random_exponential

from services.simulator.source import Served, SourceUnavailable, Surroundings

AGAIN = (429, 503)
"""Answers after which the same bytes are sent again."""
YOUNG_SECONDS = 240
"""An older signature is renewed; the push handler takes none older than 300."""
EXPIRES_SECONDS = 300
GIVEN_UP_SECONDS = 300.0


class NotTaken(Exception):
    """The message was not answered, and may be sent again; `wait` says how long the push handler asks to wait."""

    def __init__(self, text: str, wait: float = 0.0) -> None:
        super().__init__(text)
        self.wait = wait


class Refused(Exception):
    """The push handler does not want the message as it is."""


@dataclass(frozen=True, slots=True)
class PushKey:
    """A secret shared with the push handler, and its name."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the push handler answered, added up."""

    messages: int = 0
    read: int = 0
    accepted: int = 0
    left_out: int = 0
    refused: int = 0

    def plus(self, body: dict[str, Any]) -> Pushed:
        """With one more answer."""
        return Pushed(
            self.messages + 1,
            self.read + body["read"],
            self.accepted + body["accepted"],
            self.left_out + body["left_out"],
            self.refused + body["refused"],
        )


@dataclass(slots=True)
class _Head:
    """What the library signs: method, path and headers; the host is not signed."""

    method: str
    url: str
    headers: dict[str, str]


def headers(key: PushKey, path: str, media_type: str, body: bytes, timestamp: int, nonce: str) -> dict[str, str]:
    """Return the headers of a request, signed by RFC 9421 with HMAC-SHA-256."""
    head = _Head("POST", f"http://door{path}", {"Content-Type": media_type})
    secret = key.secret.encode()
    created = datetime.fromtimestamp(timestamp, UTC)
    HTTPMessageSigner(
        signature_algorithm=algorithms.HMAC_SHA256,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={key.id: secret}),
    ).sign(
        head,
        key_id=key.id,
        created=created,
        expires=created + timedelta(seconds=EXPIRES_SECONDS),
        nonce=nonce,
        label="visabus",
        tag="visabus-push",
        covered_component_ids=("@method", "@path", "content-type"),
        body=body,
    )
    return head.headers


@dataclass(slots=True)
class Message:
    """A file's body with its signature, renewed when it gets old.

    The nonce follows from the file's name and the body: equal runs have equal nonces, and a file sent once more under
    another name is another message.
    """

    key: PushKey
    path: str
    media_type: str
    name: str
    body: bytes
    clock: Callable[[], float]
    signed: int = 0
    times: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def sign(self) -> dict[str, str]:
        """Return the headers to send it with: the same ones for as long as they are believed."""
        now = int(self.clock())
        if not self.headers or now - self.signed > YOUNG_SECONDS:
            self.signed = now
            self.times += 1
            nonce = sha256(f"{self.name}\n".encode() + self.body).hexdigest()[:32]
            self.headers = headers(self.key, self.path, self.media_type, self.body, now, f"{nonce}-{self.times}")
        return self.headers


async def push(
    http: httpx.AsyncClient,
    directory: Path,
    key: PushKey,
    *,
    path: str,
    media_type: str,
    clock: Callable[[], float] = time.time,
) -> Pushed:
    """Send all files of a directory, one after another in the order of their names. Raises NotTaken, Refused."""
    pushed = Pushed()
    paths = await asyncio.to_thread(lambda: sorted(directory.iterdir()))
    for file in paths:
        body = await asyncio.to_thread(file.read_bytes)
        pushed = pushed.plus(await insist(http, Message(key, path, media_type, file.name, body, clock)))
    return pushed


async def insist(http: httpx.AsyncClient, message: Message) -> dict[str, Any]:
    """Return the answer to a message, however often it has to be sent. Raises NotTaken, Refused."""
    policy = AsyncRetrying(
        retry=retry_if_exception_type(NotTaken), wait=_wait, stop=stop_after_delay(GIVEN_UP_SECONDS), reraise=True
    )
    answer: dict[str, Any] = await policy(_send, http, message)
    return answer


_jitter = wait_random_exponential(multiplier=0.1, max=5)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return max(_jitter(state), error.wait if isinstance(error, NotTaken) else 0.0)


async def _send(http: httpx.AsyncClient, message: Message) -> dict[str, Any]:
    try:
        response = await http.post(message.path, content=message.body, headers=message.sign())
    except httpx.TransportError as error:
        raise NotTaken(f"no answer: {type(error).__name__}") from None
    if response.status_code in AGAIN:
        asked = response.headers.get("Retry-After", "0")
        raise NotTaken(f"{response.status_code}", float(asked) if asked.isdecimal() else 0.0)
    if response.status_code != 200:
        raise Refused(f"{response.status_code}: {response.text[:200]}")
    body: dict[str, Any] = response.json()
    return body


def pushing(system: str, place: Path, surroundings: Surroundings, *, path: str, media_type: str) -> Served:
    """Serve a system that sends the messages of a folder by itself, where there is a push handler.

    Sending raises SourceUnavailable.
    """
    http, key = surroundings.door, surroundings.key

    async def send() -> None:
        if http is None or key is None:
            return
        try:
            await push(http, place, key, path=path, media_type=media_type)
        except (NotTaken, Refused) as error:
            raise SourceUnavailable(f"{system}: a message was not taken: {error}") from None

    return Served(send=send)
