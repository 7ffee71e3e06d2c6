"""Who asks a REST service and how often: tokens, rates, quotas, wishes to be left alone, clocks."""

from __future__ import annotations

import time
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs

import pytest
from contracts.transports.rest_service import (
    CLOCK,
    Reply,
    Request,
    Service,
    forget,
    format_of,
    poll,
    poll_until_down,
    records,
    served,
    transport,
    vouched,
)

from adapters.core import Credentials, Defers, SourceDown
from adapters.transports import http_client

WHO = Credentials("visabus", "s&cret")


def styled(style: str = "cursor", count: int = 8) -> Service:
    forget()
    known = Service(style=style)
    for number in range(count):
        known.put(f"K{number}")
    return known


def asked(known: Service, path: str) -> list[Request]:
    return [request for request in known.asked if request.path.startswith(path)]


async def left(url: str, by: Any, position: Any = None) -> tuple[list[str], Any]:
    """What a poll left for later, and where it ends."""
    connection = by.open(url, format_of("items" if hasattr(by, "item") else "cursor"))
    async for batch in connection.batches(position):
        position = batch.after
    assert isinstance(connection, Defers)
    words = list(connection.deferred())
    await connection.close()
    return words, position


@pytest.mark.parametrize(
    ("said", "lives"),
    [
        ('"1799"', 1799),
        ("1800", 1800),
        ("1799.5", 1799.5),
        ('"soon"', 300),
        ("null", 300),
        ("-5", 300),
        ('"nan"', 300),
        ("9e99", 86_400),
        ("[]", 300),
    ],
)
async def test_how_long_a_token_lives_may_be_text_or_nonsense(said: str, lives: float) -> None:
    async with served(styled()) as known:
        body = f'{{"access_token": "good", "expires_in": {said}, "status": "approved"}}'.encode()
        known.before = lambda request: Reply(body) if request.path == "/token" else None
        await poll(known.url, transport("cursor", token="/token"), credentials=WHO)
        ((_, ends),) = http_client._TOKENS.values()
        assert lives * 0.75 - 5 < ends - time.monotonic() < lives


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"access_token": 7}', b'{"access_token": "a\\nb"}', b"[]", b"{}"])
async def test_an_answer_without_a_token_is_a_source_down(body: bytes) -> None:
    async with served(styled()) as known:
        known.before = lambda request: Reply(body) if request.path == "/token" else None
        with pytest.raises(SourceDown, match="gave no token"):
            await poll(known.url, transport("cursor", token="/token"), credentials=WHO)


async def test_credentials_stand_in_the_header_or_in_the_body() -> None:
    async with served(styled()) as known:
        await poll(known.url, transport("cursor", token="/token", scope="cases"), credentials=WHO)
        (first,) = asked(known, "/token")
        assert first.headers["authorization"] == f"Basic {b64encode(b'visabus:s%26cret').decode()}"
        assert parse_qs(first.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["cases"]}
        forget()
        await poll(known.url, transport("cursor", token="/token", credentials_in="body"), credentials=WHO)
        _, second = asked(known, "/token")
        assert "authorization" not in second.headers
        form = {"grant_type": ["client_credentials"], "client_id": ["visabus"], "client_secret": ["s&cret"]}
        assert parse_qs(second.body.decode()) == form
    with pytest.raises(ValueError, match="header or body"):
        transport("cursor", credentials_in="query")


@pytest.mark.parametrize("style", ["cursor", "items"])
async def test_a_token_that_ends_in_the_middle_of_a_poll_is_renewed(style: str) -> None:
    """Every third request finds its token refused: each is asked again once, with a new one."""
    async with served(styled(style)) as known:
        good = {"token": "", "uses": 0}

        def before(request: Request) -> Reply | None:
            if request.path == "/token":
                good.update(token=f"T{len(known.asked)}", uses=0)
                return Reply.of({"access_token": good["token"], "expires_in": "1799"})
            good["uses"] += 1
            if request.headers.get("authorization") != f"Bearer {good['token']}" or good["uses"] > 3:
                return Reply(b"{}", 401)
            return None

        known.before = before
        batches, _ = await poll(known.url, transport(style, token="/token"), credentials=WHO)
        assert [key for key, _ in records(batches)] == list(known.items)
        assert len(asked(known, "/token")) >= 2
        assert "s&cret" not in repr(known.asked[-1])


async def test_headers_of_the_installation_are_sent() -> None:
    async with served(styled()) as known:
        await poll(known.url, transport("cursor", headers={"demo_id": "42"}))
        assert known.asked[0].headers["demo_id"] == "42"


async def test_requests_of_a_second_keep_their_distance() -> None:
    async with served(styled("items", 5)) as known:
        times: list[float] = []
        known.after = lambda request: times.append(time.monotonic())
        await poll(known.url, transport("items", per_second=20.0))
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert len(gaps) >= 6
        assert sum(gaps) >= 0.7 * 0.05 * len(gaps), "none come together: a gateway divides the second"


@pytest.mark.parametrize("style", ["cursor", "items"])
async def test_the_quota_of_a_day_is_kept_and_the_poll_goes_on_the_next(
    style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with served(styled(style)) as known:
        taken: list[Any] = []
        position: Any = None
        for day in range(9):
            monkeypatch.setattr(http_client, "_today", lambda day=day: f"2025-03-{day + 10}")
            known.asked.clear()
            for _ in range(2):  # a process begins again on the same day: the position knows what was used
                batches, positions = await poll(known.url, transport(style, per_day=3), position)
                taken += batches
                position = (positions or [position])[-1]
                forget()
            assert len(known.asked) <= 3, f"day {day}"
        assert [key for key, _ in records(taken)] == list(known.items)
        assert vouched(taken) == [CLOCK]


async def test_what_a_quota_leaves_is_told() -> None:
    async with served(styled("items")) as known:
        words, _ = await left(known.url, transport("items", per_day=3))
        assert len(words) == 1
        assert "the 3 requests of" in words[0]
        assert "goes on tomorrow" in words[0]
        assert (await left(known.url, transport("items", per_day=3)))[0] == words
        assert len(known.asked) == 3


async def test_polls_keep_their_distance_once_one_came_to_its_end() -> None:
    async with served(styled()) as known:
        known.before = lambda request: Reply(b"", 500)
        with pytest.raises(SourceDown):
            await poll(known.url, transport("cursor", rest=60.0))
        known.before = lambda request: None
        batches, positions = await poll(known.url, transport("cursor", rest=60.0))
        assert records(batches)
        known.put("K9")
        requests = len(known.asked)
        assert await poll(known.url, transport("cursor", rest=60.0), positions[-1]) == ([], [])
        assert len(known.asked) == requests
        batches, _ = await poll(known.url, transport("cursor", rest=0.0), positions[-1])
        assert records(batches) == [("K9", 9)]


NOW = datetime(2025, 3, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("nan", 0.0),
        ("1e400", 3600.0),
        ("999999", 3600.0),
        ("soon", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW + timedelta(seconds=90)).replace("+0000", "-0000"), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Fri, 99 Foo 2025 99:99:99 GMT", 0.0),
        ("Fri, 14 Mar 99999999999 12:00:00 GMT", 0.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_a_wish_to_be_left_alone_is_read_by_the_clock_of_the_server(
    said: str, seconds: float, status: int
) -> None:
    """The server's clock is years behind this one: a date it gives is no date of ours."""
    async with served(styled()) as known:
        date = format_datetime(NOW, usegmt=True)
        known.before = lambda request: Reply(b"", status, {"Retry-After": said, "Date": date})
        with pytest.raises(SourceDown, match=f"answered {status}") as caught:
            await poll(known.url, transport("cursor"))
        assert caught.value.retry_after == seconds


async def test_a_wish_in_the_middle_of_items_costs_none_that_came_before() -> None:
    async with served(styled("items")) as known:
        known.before = lambda request: Reply(b"{}", 429, {"Retry-After": "7"}) if len(known.asked) == 6 else None
        batches, positions, why = await poll_until_down(known.url, transport("items", together=3))
        assert "left alone for 7 s" in why
        rest, _ = await poll(known.url, transport("items", together=3), positions[-1])
        assert [key for key, _ in records(batches + rest)] == list(known.items)


@pytest.mark.parametrize("clock", ["2099-01-01T00:00:00Z", "yesterday", "", "2025-03-15T04:00:00", None, 7])
async def test_a_clock_that_is_none_vouches_for_nothing_and_it_is_told(clock: Any) -> None:
    async with served(styled()) as known:
        known.clock = clock
        words, position = await left(known.url, transport("cursor"))
        assert words == ["its as_of is no moment up to now: nothing is vouched for"]
        known.clock = CLOCK
        batches, _ = await poll(known.url, transport("cursor"), position)
        assert vouched(batches) == [CLOCK], "from where it was vouched for last"


async def test_a_clock_that_goes_back_takes_nothing_back() -> None:
    async with served(styled()) as known:
        _, positions = await poll(known.url, transport("cursor"))
        known.clock = "2025-03-14T00:00:00Z"
        known.put("K9")
        batches, _ = await poll(known.url, transport("cursor"), positions[-1])
        assert (records(batches), vouched(batches)) == ([("K9", 9)], [])


async def test_a_change_in_the_future_is_read_and_moves_nothing_on() -> None:
    """A record of a wrong clock must not hide those that change before its time has come."""
    async with served(styled()) as known:
        known.put("K8", changed="2098-01-01T00:00:00Z")
        batches, positions = await poll(known.url, transport("cursor"))
        assert "K8" in [key for key, _ in records(batches)]
        known.put("K9")
        batches, _ = await poll(known.url, transport("cursor"), positions[-1])
        assert records(batches) == [("K9", 10)]


async def test_a_server_whose_clock_is_ahead_of_this_one_is_followed() -> None:
    async with served(styled()) as known:
        later = datetime.now(UTC) + timedelta(days=40)
        known.put("K8", changed=later.isoformat())
        known.before = lambda request: None
        answer = known._answer
        known._answer = lambda request: _dated(answer(request), later)  # type: ignore[method-assign]
        _, positions = await poll(known.url, transport("cursor"))
        assert positions[-1]["high"][:10] == later.date().isoformat()


def _dated(reply: Reply, at: datetime) -> Reply:
    reply.headers["Date"] = format_datetime(at, usegmt=True)
    return reply
