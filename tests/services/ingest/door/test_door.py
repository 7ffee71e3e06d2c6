"""The door in one process: who is let in, what is answered, and that it counts once."""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from push_client import SECRET, Signer
from toy_door import PATH, Rig, opened, settings
from toy_source import World, world

from bus.contract import Bus, BusDown, Message
from schemas.cloudevents import traceparent_of
from schemas.topics import EVENT_TOPICS, PUSH_ANSWERS
from services import failpoints
from services.dead_letters import Spool

LINES = b"good 1\ntwo 2\nskip 3\nrefuse 4\nbad x\ngood 5"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
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
    headers = Signer().headers(PATH, LINES, 1_764_000_000)
    async with opened(tmp_path, bus, settings()) as before:
        first = await before.http.post(PATH, content=LINES, headers=headers)
    async with opened(tmp_path, bus, settings()) as after:
        again = await after.http.post(PATH, content=LINES, headers=headers)
        problem(await after.push(b"good 9", **{"Visabus-Nonce": headers["Visabus-Nonce"]}), 401, "signature")
        nonce = Signer().headers(PATH, b"good 9", 1_764_000_000, headers["Visabus-Nonce"])
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


@pytest.mark.parametrize(
    "change",
    [
        {"Visabus-Key": "toy-2025b"},
        {"Visabus-Nonce": "another-nonce-than-signed"},
        {"Visabus-Timestamp": "1764000001"},
        {"Visabus-Signature": b64encode(bytes(32)).decode()},
        {"Visabus-Signature": b64encode(bytes(31)).decode()},
    ],
)
async def test_what_was_not_signed_so_is_refused(rig: Rig, change: dict[str, str]) -> None:
    problem(await rig.push(LINES, **change), 401, "signature")
    await nothing_taken(rig)


async def test_another_body_than_signed_is_refused(rig: Rig) -> None:
    headers = Signer().headers(PATH, LINES, int(rig.now[0]))
    problem(await rig.http.post(PATH, content=LINES + b"\ngood 9", headers=headers), 401, "signature")
    await nothing_taken(rig)


@pytest.mark.parametrize("away", [-301, 301])
async def test_a_stale_timestamp_is_refused(rig: Rig, away: int) -> None:
    headers = Signer().headers(PATH, LINES, int(rig.now[0]) + away)
    problem(await rig.http.post(PATH, content=LINES, headers=headers), 401, "signature")
    headers = Signer().headers(PATH, LINES, int(rig.now[0]) + (300 if away > 0 else -300))
    assert (await rig.http.post(PATH, content=LINES, headers=headers)).status_code == 200


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Visabus-Key", ""),
        ("Visabus-Key", "a b"),
        ("Visabus-Timestamp", "1764000000.0"),
        ("Visabus-Timestamp", "01764000000"),
        ("Visabus-Nonce", "short"),
        ("Visabus-Nonce", "n" * 65),
        ("Visabus-Signature", "no base64!"),
        ("Visabus-Signature", "abc"),
    ],
)
async def test_malformed_headers_are_told(rig: Rig, name: str, value: str) -> None:
    answer = await rig.push(LINES, **{name: value})
    problem(answer, 400, "headers")
    assert name in answer.json()["detail"]


async def test_other_paths_methods_and_types(rig: Rig) -> None:
    problem(await rig.push(LINES, **{"Content-Type": "text/plain"}), 415, "content-type")
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


async def test_a_slow_body_is_given_up(tmp_path: Path, bus: Bus) -> None:
    never = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"good 1"
        await never.wait()

    async with opened(tmp_path, bus, settings(body_seconds=0.05)) as rig:
        headers = Signer().headers(PATH, b"good 1", int(rig.now[0]))
        problem(await rig.http.post(PATH, content=pieces(), headers=headers), 408, "slow")


# --- when something is down --------------------------------------------------------------------------------------


class Failing:
    """A producer that fails at the sends it is told; `late` ones arrive all the same."""

    def __init__(self, sound: Any) -> None:
        self.sound = sound
        self.plan: list[str] = []

    async def send(self, messages: list[Message]) -> None:
        fate = self.plan.pop(0) if self.plan else "sound"
        if fate != "down":
            await self.sound.send(messages)
        if fate != "sound":
            raise BusDown("not there")

    async def close(self) -> None:
        await self.sound.close()


def fail(rig: Rig, *plan: str) -> None:
    failing = Failing(rig.handler.producer)
    failing.plan = list(plan)
    ledger = rig.handler.ledger
    rig.handler.producer = ledger.producer = ledger.ownership.producer = failing


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
    await rig.push(b"good 4711", **{"Visabus-Nonce": "CANARY"})
    out = capsys.readouterr()
    assert "CANARY" not in caplog.text + out.out + out.err
    assert SECRET not in repr(settings()) + repr(rig.handler) + caplog.text + out.err
