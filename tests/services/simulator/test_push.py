"""The sender's side of the push handler: what is signed, and how a sender insists."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import httpx
import pytest
from push_client import Signer, signed

from services.simulator import push as pushing
from services.simulator.push import NotTaken, Pushed, PushKey, Refused, push

KEY = PushKey("ident-test", "a secret of more than thirty-two bytes!")
WHERE = {"path": "/push/ident", "media_type": "application/xml"}
TAKEN = {"read": 2, "accepted": 1, "left_out": 1, "refused": 0}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "_jitter", lambda state: 0.001)


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    (tmp_path / "IDENT.000001.xml").write_bytes(b"<one/>")
    return tmp_path


def client(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://door")


def _parameter(request: httpx.Request, name: str) -> str:
    result = re.search(rf';{name}="?([^";]+)', request.headers["Signature-Input"])
    assert result is not None
    return result[1]


def _nonce(request: httpx.Request) -> str:
    return _parameter(request, "nonce")


async def test_messages_are_signed_as_the_interface_says_and_sent_in_order(messages: Path) -> None:
    (messages / "IDENT.000002.xml").write_bytes(b"<two/>")
    seen: list[httpx.Request] = []

    def door(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=TAKEN)

    async with client(door) as http:
        pushed = await push(http, messages, KEY, **WHERE, clock=lambda: 1_764_028_800.5)
    assert pushed == Pushed(messages=2, read=4, accepted=2, left_out=2)
    assert [request.content for request in seen] == [b"<one/>", b"<two/>"]
    for request in seen:
        sent = request.headers
        created, nonce = 1_764_028_800, _nonce(request)
        parameters = f';created={created};keyid="ident-test";alg="hmac-sha256";expires={created + 300};nonce="{nonce}"'
        by_hand = signed(
            Signer("ident-test", KEY.secret),
            "/push/ident",
            request.content,
            created,
            nonce,
            {"content-type": "application/xml"},
            parameters=f'{parameters};tag="visabus-push"',
        )
        assert sent["Signature-Input"] == by_hand["signature-input"].replace("sig1", "visabus")
        assert sent["Signature"] == by_hand["signature"].replace("sig1", "visabus")
        assert sent["Content-Digest"] == by_hand["content-digest"]
        assert sent["Content-Type"] == "application/xml"
        assert 16 <= len(nonce) <= 64
    assert _nonce(seen[0]) != _nonce(seen[1])


async def test_the_same_signed_bytes_until_they_are_answered(messages: Path) -> None:
    seen: list[tuple[bytes, str]] = []

    def door(request: httpx.Request) -> httpx.Response:
        seen.append((request.content, request.headers["Signature"]))
        if len(seen) == 1:
            raise httpx.ReadTimeout("no answer")
        if len(seen) == 2:
            raise httpx.ConnectError("nobody listens")
        return httpx.Response((503, 429, 200)[len(seen) - 3], json=TAKEN, headers={"Retry-After": "0"})

    async with client(door) as http:
        assert (await push(http, messages, KEY, **WHERE)).messages == 1
    assert len(seen) == 5
    assert len(set(seen)) == 1


async def test_an_old_signature_is_renewed_with_another_nonce(messages: Path) -> None:
    now = [1_000.0]
    seen: list[tuple[str, str]] = []

    def door(request: httpx.Request) -> httpx.Response:
        seen.append((_parameter(request, "created"), _nonce(request)))
        now[0] += 130
        return httpx.Response(200 if len(seen) == 4 else 503, json=TAKEN)

    async with client(door) as http:
        await push(http, messages, KEY, **WHERE, clock=lambda: now[0])
    assert [stamp for stamp, _ in seen] == ["1000", "1000", "1260", "1260"]
    assert len({nonce for _, nonce in seen}) == 2


async def test_a_file_sent_once_more_under_another_name_is_another_message(messages: Path) -> None:
    (messages / "IDENT.000002.xml").write_bytes(b"<one/>")
    nonces: list[str] = []

    def door(request: httpx.Request) -> httpx.Response:
        nonces.append(_nonce(request))
        return httpx.Response(200, json=TAKEN)

    async with client(door) as http:
        await push(http, messages, KEY, **WHERE)
        await push(http, messages, KEY, **WHERE)
    assert len(set(nonces)) == 2
    assert nonces[:2] == nonces[2:]


async def test_what_the_door_does_not_want_is_not_sent_again(messages: Path) -> None:
    asked = 0

    def door(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(401, json={"type": "urn:visabus:problem:signature"})

    async with client(door) as http:
        with pytest.raises(Refused, match="401"):
            await push(http, messages, KEY, **WHERE)
    assert asked == 1


async def test_the_sender_gives_up_at_last(messages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "GIVEN_UP_SECONDS", 0.05)
    async with client(lambda request: httpx.Response(503)) as http:
        with pytest.raises(NotTaken):
            await push(http, messages, KEY, **WHERE)


async def test_retry_after_is_kept(messages: Path) -> None:
    answers = iter([httpx.Response(429, headers={"Retry-After": "1"}), httpx.Response(200, json=TAKEN)])
    began = monotonic()
    async with client(lambda request: next(answers)) as http:
        await push(http, messages, KEY, **WHERE)
    assert monotonic() - began >= 1


def test_a_secret_is_not_told() -> None:
    assert KEY.secret not in repr(KEY)
