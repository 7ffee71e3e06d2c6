"""The door in one process: who is let in, what is answered, and that it counts once."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageVerifier, InvalidSignature, MappingKeyResolver, algorithms
from push_client import SECRET, Signer, signed
from starlette.datastructures import Headers
from toy_door import PATH, Rig, fail, opened, settings
from toy_source import World, world

from bus.contract import Bus, Message
from schemas.cloudevents import traceparent_of
from schemas.topics import EVENT_TOPICS, PUSH_ANSWERS
from services import failpoints
from services.dead_letters import Spool
from services.feeds import Word, give
from services.ingest.door import Keys
from services.ingest.door.key_files import KeyFiles
from services.ingest.door.ledger import Answer, Kept
from services.ingest.door.limits import Refusals
from services.ingest.door.signatures import COVERED, Head, Signed
from services.problems import Problem
from services.settings import Settings, load

LINES = b"good 1\ntwo 2\nskip 3\nrefuse 4\nbad x\ngood 5"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NONCE = "one-nonce-for-a-message"
OTHER = "another secret that is longer than 32 bytes"


@pytest.fixture
async def rig(tmp_path: Path, bus: Bus) -> AsyncIterator[Rig]:
    async with opened(tmp_path, bus, settings()) as seen:
        yield seen


def counters(seen: World) -> dict[str, Any]:
    return dict(seen.checkpoints["TOY/push"]["counters"])


def problem(answer: httpx.Response, status: int, kind: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == f"urn:visabus:problem:{kind}"
    assert answer.json()["status"] == status


async def nothing_taken(rig: Rig) -> None:
    seen = await world(rig.bus)
    assert (seen.events, seen.dead_letters) == ([], [])
    assert counters(seen)["read"] == 0


# --- what is answered --------------------------------------------------------------------------------------------


@pytest.mark.law(2, "a push, answered record by record")
async def test_each_record_is_answered_and_all_of_it_is_on_the_bus(rig: Rig) -> None:
    answer = await rig.push(LINES)
    assert answer.status_code == 200
    body = answer.json()
    assert [body[name] for name in ("read", "accepted", "left_out", "refused")] == [6, 3, 1, 2]
    assert body["answers"] == [
        {"number": 1, "entry": "1", "outcome": "accepted"},
        {"number": 2, "entry": "2", "outcome": "accepted"},
        {"number": 3, "entry": "3", "outcome": "left_out", "reason": "toy.skip"},
        {"number": 4, "entry": "4", "outcome": "refused", "reason": "refused by the mapping"},
        {"number": 5, "entry": None, "outcome": "refused", "reason": "unreadable"},
        {"number": 6, "entry": "5", "outcome": "accepted"},
    ]
    seen = await world(rig.bus)
    assert len(seen.events) == 4
    assert {event.batch for event in seen.events} == {body["batch"]}
    assert sorted(dead_letter["place"] for dead_letter in seen.dead_letters) == ["line 4", "line 5"]
    wanted = {"read": 6, "published": 3, "dead_lettered": 2, "filtered": {"toy.skip": 1}, "events": 4}
    assert counters(seen) == wanted


@pytest.mark.parametrize(("sent", "carried"), [(TRACE, TRACE), ("somebody's number", None), ("", None)])
async def test_the_senders_trace_is_carried_along(rig: Rig, sent: str, carried: str | None) -> None:
    assert (await rig.push(LINES, traceparent=sent)).status_code == 200
    traces = [traceparent_of(delivery.headers) for topic in EVENT_TOPICS async for delivery in rig.bus.read(topic)]
    assert traces == [carried] * 4


async def test_a_feed_that_is_held_takes_nothing_and_goes_on_when_it_is_resumed(rig: Rig) -> None:
    when = datetime.now(UTC)
    await give(rig.bus, "TOY/push", Word.PAUSE, by="os:op", why="being mended", now=when)
    await rig.handler.orders.follow(rig.bus)
    answer = await rig.push(LINES)
    problem(answer, 503, "paused")
    assert int(answer.headers["retry-after"]) > 0
    assert "being mended" not in answer.text  # a sender is told that, and no operator's words
    stranger = await rig.push(LINES, signer=Signer(secret=OTHER))
    problem(stranger, 401, "signature")  # and who is not known is not even told that
    await nothing_taken(rig)
    await give(rig.bus, "TOY/push", Word.RESUME, by="os:op", why="mended", now=when)
    await rig.handler.orders.follow(rig.bus)
    assert (await rig.push(LINES)).status_code == 200


async def test_a_door_that_starts_holds_what_was_held(tmp_path: Path, bus: Bus) -> None:
    await give(bus, "TOY/push", Word.PAUSE, by="os:op", why="being mended", now=datetime.now(UTC))
    async with opened(tmp_path, bus, settings()) as rig:
        problem(await rig.push(LINES), 503, "paused")
        await nothing_taken(rig)


async def test_nonsense_among_the_answers_stops_no_door(tmp_path: Path, bus: Bus) -> None:
    producer = await bus.producer()
    odd = Answer("toy-2026a/6", "d", 1, {"answers": []}).value().replace(b'"expires":1', b'"expires":"soon"')
    for number, value in enumerate((b"{", b"[]", b"{}", b"null", b"1", b"\xff", odd)):
        await producer.send([Message(PUSH_ANSWERS, f"TOY/push/toy-2026a/{number}".encode(), value)])
    async with opened(tmp_path, bus, settings()) as rig:
        assert (await rig.push(LINES)).status_code == 200


async def test_an_empty_message_is_answered(rig: Rig) -> None:
    assert (await rig.push(b"")).json()["answers"] == []


@pytest.mark.law(3, "a push repeated")
async def test_the_same_bytes_get_the_same_answer_and_count_once(rig: Rig) -> None:
    headers = Signer().headers(PATH, LINES, int(rig.now[0]))
    first, again = [await rig.http.post(PATH, content=LINES, headers=headers) for _ in range(2)]
    assert first.content == again.content
    seen = await world(rig.bus)
    assert counters(seen)["read"] == 6
    assert set(seen.ids().values()) == {1}


async def test_the_same_bytes_at_the_same_time_are_worked_on_once(rig: Rig) -> None:
    headers = Signer().headers(PATH, LINES, int(rig.now[0]))
    pushes = [rig.http.post(PATH, content=LINES, headers=headers) for _ in range(8)]
    answers = await asyncio.gather(*pushes)
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    seen = await world(rig.bus)
    assert counters(seen)["read"] == 6
    assert set(seen.ids().values()) == {1}


async def test_many_at_once_are_all_counted(rig: Rig) -> None:
    answers = await asyncio.gather(*(rig.push(f"good {number}\nbad {number}".encode()) for number in range(16)))
    assert {answer.status_code for answer in answers} == {200}
    seen = await world(rig.bus)
    assert counters(seen) == {"read": 32, "published": 16, "dead_lettered": 16, "filtered": {}, "events": 16}
    assert len(seen.dead_letters) == 16


@pytest.mark.law(3, "and repeated to the next door")
async def test_answers_and_counters_outlive_the_process(tmp_path: Path, bus: Bus) -> None:
    headers = Signer().headers(PATH, LINES, 1_764_000_000, NONCE)
    async with opened(tmp_path, bus, settings()) as before:
        first = await before.http.post(PATH, content=LINES, headers=headers)
    async with opened(tmp_path, bus, settings()) as after:
        again = await after.http.post(PATH, content=LINES, headers=headers)
        stolen = {name: headers[name] for name in ("signature-input", "signature")}
        problem(await after.push(b"good 9", **stolen), 401, "signature")
        nonce = Signer().headers(PATH, b"good 9", 1_764_000_000, NONCE)
        problem(await after.http.post(PATH, content=b"good 9", headers=nonce), 409, "nonce")
        await after.push(b"good 7")
    assert first.content == again.content
    seen = await world(bus)
    assert counters(seen)["read"] == 7
    assert seen.checkpoints["TOY/push"]["released"] is True


async def test_answers_are_kept_as_long_as_the_request_would_be_let_in(rig: Rig) -> None:
    headers = Signer().headers(PATH, LINES, int(rig.now[0]))
    await rig.http.post(PATH, content=LINES, headers=headers)
    rig.now[0] += 301
    problem(await rig.http.post(PATH, content=LINES, headers=headers), 401, "signature")
    await rig.push(b"good 8")
    held = {delivery.key: delivery.value async for delivery in rig.bus.read(PUSH_ANSWERS)}
    assert sorted(value is None for value in held.values()) == [False, True]


# --- who is let in -----------------------------------------------------------------------------------------------


def altered(headers: dict[str, str], name: str, old: str, new: str) -> dict[str, str]:
    assert old in headers[name]
    return headers | {name: headers[name].replace(old, new)}


def base64_of(data: bytes) -> str:
    return f"sig1=:{b64encode(data).decode()}:"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("signature-input", "toy-2026a", "toy-2025b"),
        ("signature-input", NONCE, "another-nonce-than-signed"),
        ("signature-input", "created=1764000000", "created=1764000001"),
        ("signature-input", ";tag", ';alg="ed25519";tag'),
        ("signature-input", ";tag", ';alg="rsa-v1_5-sha256";tag'),
        ("signature-input", '"@path"', '"@path" "@authority"'),
        ("signature-input", '"@path"', '"@path" "x-none"'),
        ("signature-input", ";tag", ';unheard="of";tag'),
        ("signature-input", "sig1", "sig2"),
        ("content-type", "application/xml", "application/xml; charset=x"),
        ("content-digest", "sha-256=:", "sha-256=:AAAA"),
    ],
)
async def test_what_was_not_signed_so_is_refused(rig: Rig, name: str, old: str, new: str) -> None:
    headers = altered(Signer().headers(PATH, LINES, int(rig.now[0]), NONCE), name, old, new)
    problem(await rig.http.post(PATH, content=LINES, headers=headers), 401, "signature")
    await nothing_taken(rig)


@pytest.mark.parametrize("signature", [base64_of(bytes(32)), base64_of(bytes(31)), base64_of(b""), "sig1=4", "x", ""])
async def test_a_signature_that_is_none_is_refused(rig: Rig, signature: str) -> None:
    answer = await rig.push(LINES, signature=signature)
    problem(answer, 401, "signature")
    assert 'tag="visabus-push"' in answer.headers["accept-signature"]
    await nothing_taken(rig)


async def test_a_signature_for_another_path_or_method_is_refused(rig: Rig) -> None:
    now = int(rig.now[0])
    for other in ({"path": "/push/other"}, {"path": PATH, "method": "PUT"}):
        headers = signed(
            Signer(), body=LINES, created=now, nonce=NONCE, fields={"content-type": "application/xml"}, **other
        )
        problem(await rig.http.post(PATH, content=LINES, headers=headers), 401, "signature")
    await nothing_taken(rig)


@pytest.mark.parametrize("missing", ["@method", "@path", "content-type", "content-digest"])
async def test_what_has_to_be_signed_is_signed(rig: Rig, missing: str) -> None:
    covered = tuple(name for name in COVERED if name != missing)
    fields = {"content-type": "application/xml"}
    headers = signed(Signer(), PATH, LINES, int(rig.now[0]), NONCE, fields, covered=covered)
    problem(await rig.http.post(PATH, content=LINES, headers=headers), 400, "headers")
    # and by the check of the signature itself, should the head's be passed
    head = Head("POST", f"http://door{PATH}", Headers(headers))
    with pytest.raises(Problem, match="signature"):
        Keys.of(settings().keys).check("TOY", Signed("toy-2026a", int(rig.now[0]), NONCE), head)
    await nothing_taken(rig)


async def test_more_may_be_signed_and_others_may_sign_too(rig: Rig) -> None:
    covered = (*COVERED, "@authority")
    fields = {"content-type": "application/xml", "@authority": "door"}
    headers = signed(Signer(), PATH, LINES, int(rig.now[0]), NONCE, fields, covered=covered)
    del headers["@authority"]
    headers["signature-input"] += ', proxy=("@method");created=1;keyid="p"'
    headers["signature"] += ", proxy=:AAAA:"
    assert (await rig.http.post(PATH, content=LINES, headers=headers)).status_code == 200
    twice = altered(headers, "signature-input", 'keyid="p"', 'keyid="p";tag="visabus-push"')
    problem(await rig.http.post(PATH, content=LINES, headers=twice), 400, "headers")


@pytest.mark.parametrize("away", [-301, 301])
async def test_a_signature_made_too_long_ago_or_ahead_is_refused(rig: Rig, away: int) -> None:
    headers = Signer().headers(PATH, LINES, int(rig.now[0]) + away)
    problem(await rig.http.post(PATH, content=LINES, headers=headers), 401, "signature")
    headers = Signer().headers(PATH, LINES, int(rig.now[0]) + (300 if away > 0 else -300))
    assert (await rig.http.post(PATH, content=LINES, headers=headers)).status_code == 200


async def test_an_expired_signature_is_refused_and_a_late_expiry_widens_nothing(rig: Rig) -> None:
    now = int(rig.now[0])

    async def sent(created: int, expires: int, nonce: str) -> httpx.Response:
        parameters = f';created={created};expires={expires};keyid="toy-2026a";nonce="{nonce}";tag="visabus-push"'
        fields = {"content-type": "application/xml"}
        headers = signed(Signer(), PATH, LINES, created, nonce, fields, parameters=parameters)
        return await rig.http.post(PATH, content=LINES, headers=headers)

    problem(await sent(now - 10, now - 1, NONCE), 401, "signature")
    problem(await sent(now - 301, now + 10_000, NONCE), 401, "signature")
    problem(await sent(now, now - 1, NONCE), 400, "headers")
    assert (await sent(now - 10, now, NONCE)).status_code == 200


async def test_the_same_nonce_with_another_body_is_refused(rig: Rig) -> None:
    nonce = "one-nonce-for-two-bodies"
    for body, status in ((b"good 1", 200), (b"good 2", 409), (b"good 1", 200)):
        headers = Signer().headers(PATH, body, int(rig.now[0]), nonce)
        assert (await rig.http.post(PATH, content=body, headers=headers)).status_code == status
    seen = await world(rig.bus)
    assert [event.record for event in seen.events] == ["1"]


async def test_two_keys_are_believed_at_once_and_one_of_another_system_is_not(tmp_path: Path, bus: Bus) -> None:
    private = Ed25519PrivateKey.generate()
    public = b64encode(private.public_key().public_bytes_raw()).decode()
    keys = {
        "toy-2026a": {"system": "TOY", "hmac_secret": SECRET},
        "toy-2026b": {"system": "TOY", "hmac_secret": OTHER},
        "toy-2026c": {"system": "TOY", "ed25519_public_key": public},
        "other": {"system": "OTHER", "hmac_secret": OTHER},
    }
    async with opened(tmp_path, bus, settings(keys=keys)) as rig:
        assert (await rig.push(b"good 1")).status_code == 200
        assert (await rig.push(b"good 2", signer=Signer("toy-2026b", OTHER))).status_code == 200
        assert (await rig.push(b"good 3", signer=Signer("toy-2026c", private))).status_code == 200
        problem(await rig.push(b"good 4", signer=Signer("other", OTHER)), 401, "signature")
        problem(await rig.push(b"good 5", signer=Signer("toy-2026c", Ed25519PrivateKey.generate())), 401, "signature")
        problem(await rig.push(b"good 6", signer=Signer("toy-2026a", OTHER)), 401, "signature")
    async with opened(tmp_path, bus, settings(keys={"toy-2026b": keys["toy-2026b"]})) as rig:
        problem(await rig.push(b"good 7"), 401, "signature")
        assert (await rig.push(b"good 8", signer=Signer("toy-2026b", OTHER))).status_code == 200
    assert counters(await world(bus))["read"] == 4


async def test_keys_are_read_again_when_their_files_change(
    tmp_path: Path, bus: Bus, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    file, secrets = tmp_path / "visabus.toml", tmp_path / "secrets"
    secrets.mkdir()

    def key(name: str, secret: str) -> None:
        path = secrets / f"door__keys__{name}__hmac_secret"
        path.touch(mode=0o600)
        path.write_text(secret)

    def write(*names: str) -> None:
        file.write_text("".join(f'[door.keys."{name}"]\nsystem = "TOY"\n' for name in names))

    def read() -> Settings:
        return load(file, environment={"VISABUS_SECRETS_DIR": str(secrets)})

    def said() -> str:
        text = capsys.readouterr().out + caplog.text
        caplog.clear()
        return text

    caplog.set_level(logging.INFO)
    write("toy-2026a")
    key("toy-2026a", SECRET)
    async with opened(tmp_path, bus, read().door) as rig:
        files = KeyFiles([file, secrets], read, rig.keys, {"TOY"})
        files.compare()
        assert "keys changed" not in said()
        fresh = Signer("toy-2026b", OTHER)
        problem(await rig.push(b"good 1", signer=fresh), 401, "signature")
        key("toy-2026b", OTHER)
        write("toy-2026a", "toy-2026b")
        files.compare()
        assert (await rig.push(b"good 1", signer=fresh)).status_code == 200
        assert (await rig.push(b"good 2")).status_code == 200, "both are believed meanwhile"
        assert SECRET not in (text := said())
        assert "toy-2026b" in text
        for wrong in ("[door.keys", '[door.keys."toy-2026b"]\nsystem = 7\n', ""):
            (secrets / "door__keys__toy-2026a__hmac_secret").unlink(missing_ok=True)
            file.write_text(wrong)
            for _ in range(3):
                files.compare()
            assert said().count("stay in force") == 1
            assert (await rig.push(b"good 3")).status_code == 200
        write("toy-2026b")
        files.compare()
        problem(await rig.push(b"good 4"), 401, "signature")
        assert (await rig.push(b"good 4", signer=fresh)).status_code == 200
        key("toy-2026b", SECRET)
        files.compare()
        problem(await rig.push(b"good 5", signer=fresh), 401, "signature")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("keyid", 'keyid="toy-2026a"', 'keyid=""'),
        ("keyid", 'keyid="toy-2026a"', 'keyid="a b"'),
        ("keyid", ';keyid="toy-2026a"', ""),
        ("created", "1764000000", "1764000000.0"),
        ("created", "1764000000", '"1764000000"'),
        ("created", "1764000000", "-1"),
        ("created", ";created=1764000000", ""),
        ("nonce", NONCE, "short"),
        ("nonce", NONCE, "n" * 65),
        ("nonce", f';nonce="{NONCE}"', ""),
        ("tag", ';tag="visabus-push"', ""),
        ("tag", 'tag="visabus-push"', 'tag="another"'),
        ("expires", ";tag", ";expires=1.5;tag"),
        ("Signature-Input", "sig1=", "sig1=((((("),
        ("Signature-Input", "sig1=", "sig1=" + "x" * 5_000),
    ],
)
async def test_a_malformed_signature_input_is_told(rig: Rig, name: str, old: str, new: str) -> None:
    headers = altered(Signer().headers(PATH, LINES, int(rig.now[0]), NONCE), "signature-input", old, new)
    answer = await rig.http.post(PATH, content=LINES, headers=headers)
    problem(answer, 400, "headers")
    assert name in answer.json()["detail"]


@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest"])
async def test_a_missing_header_is_told(rig: Rig, name: str) -> None:
    headers = Signer().headers(PATH, LINES, int(rig.now[0]))
    del headers[name]
    answer = await rig.http.post(PATH, content=LINES, headers=headers)
    problem(answer, 400, "headers")
    assert name in answer.json()["detail"].lower()


def test_the_library_agrees_with_the_standards_own_example() -> None:
    """RFC 9421, appendix B.2.5 (HMAC) with the request and the key of B.2 and B.1.5."""
    secret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
    headers = {
        "host": "example.com",
        "date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "content-type": "application/json",
        "signature-input": 'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
        "signature": "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
    }
    keys = MappingKeyResolver(public_keys={"test-shared-secret": b64decode(secret)}, private_keys={})
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=keys)
    verifier.validate_created_and_expires = lambda *_, **__: None  # type: ignore[method-assign]  # it is of 2021
    head = Head("POST", "https://example.com/foo?param=Value&Pet=dog", Headers(headers))
    assert verifier.verify(head, max_age=None)
    with pytest.raises(InvalidSignature):
        verifier.verify(Head(head.method, "https://example.org/foo", head.headers), max_age=None)


async def test_other_paths_methods_and_types(rig: Rig) -> None:
    problem(await rig.push(LINES, **{"content-type": "text/plain"}), 415, "content-type")
    headers = Signer().headers(PATH, LINES, int(rig.now[0]))
    problem(await rig.http.post("/push/nobody", content=LINES, headers=headers), 404, "no-route")
    problem(await rig.http.post(f"{PATH}?x=1", content=LINES, headers=headers), 404, "no-route")
    problem(await rig.http.post("/", content=LINES, headers=headers), 404, "no-route")
    problem(await rig.http.get(PATH), 405, "method")
    problem(await rig.http.get("/openapi.json"), 404, "no-route")
    assert (await rig.http.get("/healthz")).status_code == 200
    assert (await rig.http.get("/readyz")).status_code == 200


# --- how much ----------------------------------------------------------------------------------------------------


async def test_too_many_bytes_or_records(tmp_path: Path, bus: Bus) -> None:
    async with opened(tmp_path, bus, settings(max_bytes=20_000)) as rig:
        problem(await rig.push(b"x" * 20_001), 413, "too-large")

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * 10_000

        headers = Signer().headers(PATH, b"x" * 30_000, int(rig.now[0]))
        problem(await rig.http.post(PATH, content=pieces(), headers=headers), 413, "too-large")
        problem(await rig.push(b"\n".join(b"good %d" % number for number in range(1_001))), 413, "too-large")
        await nothing_taken(rig)
        assert (await rig.push(b"\n".join(b"good %d" % number for number in range(1_000)))).json()["accepted"] == 1_000


async def test_too_many_requests_of_one_key(tmp_path: Path, bus: Bus) -> None:
    keys = {name: {"system": "TOY", "hmac_secret": SECRET} for name in ("toy-2026a", "toy-2026b")}
    async with opened(tmp_path, bus, settings(rate=0.01, burst=2, keys=keys)) as rig:
        statuses = [(await rig.push(b"good 1")).status_code for _ in range(2)]
        late = await rig.push(b"good 1")
        problem(late, 429, "rate")
        assert 1 <= int(late.headers["retry-after"]) <= 100
        other = await rig.push(b"good 1", signer=Signer("toy-2026b"))
        wrong = await rig.push(b"good 1", signer=Signer("toy-2026a", OTHER))
    assert statuses == [200, 200]
    assert other.status_code == 200, "another key has a bucket of its own"
    problem(wrong, 401, "signature")


async def test_too_many_at_the_same_time(tmp_path: Path, bus: Bus) -> None:
    inside, go = asyncio.Event(), asyncio.Event()

    async def hold(point: str) -> None:
        inside.set()
        await go.wait()

    with failpoints.armed(hold):
        async with opened(tmp_path, bus, settings(concurrent=1)) as rig:
            first = asyncio.create_task(rig.push(b"good 1"))
            await inside.wait()
            busy = await rig.push(b"good 2")
            go.set()
            assert (await first).status_code == 200
            assert (await rig.push(b"good 2")).status_code == 200
    problem(busy, 503, "busy")
    assert busy.headers["retry-after"] == "1"


@pytest.mark.parametrize("proven", [False, True], ids=["limit", "planted"])
async def test_only_what_a_key_proved_has_a_place(
    tmp_path: Path, bus: Bus, proven: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd of strangers with bodies that never end takes no place; planted: they are believed, and take them all."""
    never = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"good"
        await never.wait()

    strangers = [Signer("toy-2026a", OTHER), Signer("unknown"), Signer("unknown", OTHER)]
    async with opened(tmp_path, bus, settings(concurrent=3)) as rig:
        if proven:
            monkeypatch.setattr(Keys, "check", lambda *_: b"")
        now = int(rig.now[0])
        heads = [signer.headers(PATH, b"good 1", now) for signer in strangers]
        heads.append(Signer().headers(PATH, b"good 1", now - 400))
        crowd = [asyncio.create_task(rig.http.post(PATH, content=pieces(), headers=head)) for head in heads]
        await asyncio.sleep(0.2)
        answer = await rig.push(b"good 2")
        if proven:
            problem(answer, 503, "busy")
        else:
            assert answer.status_code == 200
            assert [(await each).status_code for each in crowd] == [401] * 4, "before a byte of the body is read"
        for each in crowd:
            each.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)


async def test_a_slow_body_is_given_up(tmp_path: Path, bus: Bus) -> None:
    never = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"good 1"
        await never.wait()

    async with opened(tmp_path, bus, settings(body_seconds=0.05)) as rig:
        headers = Signer().headers(PATH, b"good 1", int(rig.now[0]))
        problem(await rig.http.post(PATH, content=pieces(), headers=headers), 408, "slow")


@pytest.mark.parametrize("most", [3_000, 10**9], ids=["limit", "planted"])
async def test_kept_answers_have_so_many_bytes_and_then_the_sender_waits(tmp_path: Path, bus: Bus, most: int) -> None:
    async with opened(tmp_path, bus, settings(answer_bytes=most)) as rig:
        headers = Signer().headers(PATH, b"good 0", int(rig.now[0]), NONCE)
        assert (await rig.http.post(PATH, content=b"good 0", headers=headers)).status_code == 200
        answers = [await rig.push(f"good {number}".encode()) for number in range(1, 12)]
        taken = [answer for answer in answers if answer.status_code == 200]
        if most == 10**9:
            assert len(taken) == 11
            return
        assert 0 < len(taken) < 11
        problem(answers[-1], 503, "full")
        assert 250 < int(answers[-1].headers["retry-after"]) <= 302
        # a repetition is answered all the same, and counts once
        assert (await rig.http.post(PATH, content=b"good 0", headers=headers)).status_code == 200
        assert counters(await world(bus))["read"] == len(taken) + 1
        rig.now[0] += 302
        assert (await rig.push(b"good 20")).status_code == 200
        assert len(rig.handler.ledger._answers) == 1
        assert 0 < rig.handler.ledger._bytes < 3_000
    async with opened(tmp_path, bus, settings(answer_bytes=most)) as again:
        assert len(again.handler.ledger._answers) == 1, "what was read back is counted the same"
        assert 0 < again.handler.ledger._bytes < 3_000


def test_a_thousand_answers_take_little() -> None:
    named = [{"number": number, "entry": f"E{number:010}", "outcome": "accepted"} for number in range(1_000)]
    body = {"batch": "b", "read": 1_000, "accepted": 1_000, "left_out": 0, "refused": 0, "answers": named}
    answer = Answer("toy-2026a/n", "d" * 64, 1, body, number=7, epoch=2)
    kept = Kept.of(answer)
    assert kept.answer("toy-2026a/n") == answer
    assert kept.cost < 12_000


@pytest.mark.parametrize("share", [0.5, 1.0], ids=["stop", "planted"])
async def test_a_key_that_sends_too_much_that_is_refused_is_stopped_and_starts_again(
    tmp_path: Path, bus: Bus, share: float, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    keys = {
        "toy-2026a": {"system": "TOY", "hmac_secret": SECRET},
        "toy-2026b": {"system": "TOY", "hmac_secret": OTHER},
    }
    limits = settings(refuse_share=share, refuse_min=10, stop_seconds=100, keys=keys)
    async with opened(tmp_path, bus, limits) as rig:
        now = [0.0]
        rig.handler.refusals.clock = lambda: now[0]
        half = b"\n".join([b"bad x", b"good 1"] * 5)
        assert (await rig.push(half)).status_code == 200
        assert (await rig.push(b"bad x\nbad y\ngood 2")).status_code == 200  # 7 of 13
        after = await rig.push(b"good 3")
        if share == 1:
            assert after.status_code == 200
            return
        problem(after, 429, "stopped")
        assert after.headers["retry-after"] == "100"
        assert "starts again" in after.json()["detail"]
        forged = await rig.push(b"good 3", signer=Signer("toy-2026a", OTHER))
        problem(forged, 401, "signature")  # whoever has no key learns nothing
        assert (await rig.push(b"good 3", signer=Signer("toy-2026b", OTHER))).status_code == 200
        now[0] += 100
        assert (await rig.push(b"good 4")).status_code == 200
        out = capsys.readouterr().out + caplog.text
        assert out.count("a key is stopped") == out.count("a key starts again") == 1
        assert re.search(r"refused\W+7", out)


def test_a_good_past_hides_no_bad_present() -> None:
    refusals = Refusals(0.5, 10, 100, lambda: 0.0)
    for _ in range(1_000):
        refusals.count("k", 10, 0)
    for _ in range(4):
        refusals.count("k", 10, 10)
    with pytest.raises(Problem, match="stopped"):
        refusals.check("k")
    refusals.check("another")


# --- when something is down --------------------------------------------------------------------------------------


@pytest.mark.law(2, "no bus, no answer")
@pytest.mark.parametrize(
    "plan",
    [
        ("down",),
        ("late",),
        ("sound", "down"),
        ("sound", "late"),
        ("sound", "sound", "down"),
        ("sound", "late", "sound", "down", "sound", "late"),
    ],
)
async def test_a_bus_that_is_down_takes_nothing_and_the_repetition_counts_once(rig: Rig, plan: tuple[str, ...]) -> None:
    """Whichever send fails, and whether or not it arrived: events, answer, position."""
    fail(rig, *plan)
    headers = Signer().headers(PATH, LINES, int(rig.now[0]))
    first = await rig.http.post(PATH, content=LINES, headers=headers)
    problem(first, 503, "unavailable")
    assert int(first.headers["retry-after"]) >= 1
    for number in range(6):
        await rig.push(f"good 10{number}".encode())
    answer = await rig.http.post(PATH, content=LINES, headers=headers)
    assert (answer.status_code, answer.json()["read"]) == (200, 6)
    rig.handler.producer.plan = []
    await rig.push(b"good 200")
    answers = {key: json.loads(value) for key, value in [(d.key, d.value) async for d in rig.bus.read(PUSH_ANSWERS)]}
    seen = await world(rig.bus)
    assert counters(seen)["read"] == sum(answer["body"]["read"] for answer in answers.values())
    assert max(answer["number"] for answer in answers.values()) == len(answers)
    assert {"1", "2", "5", "200"} <= {event.record for event in seen.events}


@pytest.mark.parametrize("arrived", ["down", "late"])
async def test_a_nonce_of_which_nobody_knows_whether_it_was_answered_is_used(rig: Rig, arrived: str) -> None:
    fail(rig, "sound", arrived)
    nonce = "one-nonce-for-two-bodies"
    headers = Signer().headers(PATH, b"good 1", int(rig.now[0]), nonce)
    problem(await rig.http.post(PATH, content=b"good 1", headers=headers), 503, "unavailable")
    other = Signer().headers(PATH, b"good 2", int(rig.now[0]), nonce)
    problem(await rig.http.post(PATH, content=b"good 2", headers=other), 409, "nonce")
    assert (await rig.http.post(PATH, content=b"good 1", headers=headers)).json()["read"] == 1
    seen = await world(rig.bus)
    assert {event.record for event in seen.events} == {"1"}
    assert counters(seen)["read"] == 1


async def test_a_full_disk_takes_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("services.dead_letters.spool.write", write)
        problem(await rig.push(b"good 1\nhuge 2"), 503, "unavailable")
    await nothing_taken(rig)
    assert (await rig.push(b"good 1\nhuge 2")).json()["refused"] == 1
    (dead_letter,) = (await world(rig.bus)).dead_letters
    assert Spool(rig.handler.spool.directory).load(dead_letter["spooled"]) == b"huge 2" * 300_000


@pytest.mark.law(3, "two doors")
async def test_a_door_that_was_superseded_takes_nothing(tmp_path: Path, bus: Bus) -> None:
    async with opened(tmp_path, bus, settings()) as first:
        await first.push(b"good 1")
        async with opened(tmp_path, bus, settings()) as second:
            await first.handler.ledger.watch()
            assert first.handler.ledger.lost
            problem(await first.push(b"good 2"), 503, "unavailable")
            problem(await first.http.get("/readyz"), 503, "unavailable")
            assert (await second.push(b"good 2")).status_code == 200
    assert counters(await world(bus))["read"] == 2


async def test_a_late_word_of_a_superseded_door_is_not_the_last(tmp_path: Path, bus: Bus) -> None:
    async with opened(tmp_path, bus, settings()) as first:
        await first.push(b"good 1")
        stale = first.handler.ledger.holding.checkpoint.message("TOY/push")
        async with opened(tmp_path, bus, settings()) as second:
            await second.push(b"good 2")
            await first.handler.producer.send([stale])
            await second.handler.ledger.watch()
            assert (await world(bus)).checkpoints["TOY/push"]["counters"]["read"] == 2


async def test_logs_tell_no_record(
    rig: Rig, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    await rig.push(b"good 4711\nbad CANARY\nbug CANARY")
    await rig.push(b"good 4711", **{"signature-input": 'sig1=("CANARY");keyid="CANARY"'})
    out = capsys.readouterr()
    assert "CANARY" not in caplog.text + out.out + out.err
    assert SECRET not in repr(settings()) + repr(rig.handler) + caplog.text + out.err
