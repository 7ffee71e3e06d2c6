"""Errors say nothing that was sent, nor what went wrong inside; requests have bounds; answers their headers."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi import Request
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.identifiers import Identifier, InvalidIdentifier, Scheme
from services.api.authorised_lookup import rfc3339
from services.logs import configure

PATH = "/v1/status/i94/123456789A1"
CANARIES = ("CANARIA", "ZIZI", "123456789A1", "1980-02-03", "P0CANARY1", "OFFICER-7")


@pytest.fixture
def logged(logs: None) -> io.StringIO:
    """What the process logs, as in production."""
    stream = io.StringIO()
    configure("debug", "json", stream)
    return stream


WRONG = {
    "scheme": ("/v1/status/canaria/123456789A1", 422, "invalid"),
    "scheme that finds nobody": ("/v1/status/booking/P0CANARY1", 422, "identifier"),
    "number": ("/v1/status/i94/P0CANARY1", 422, "identifier"),
    "number without end": (f"/v1/status/i94/{'CANARIA' * 20}", 422, "invalid"),
    "passport without issuer": ("/v1/status/passport/P0CANARY1", 422, "identifier"),
    "passport of no state": ("/v1/status/passport/QQQ/P0CANARY1", 422, "identifier"),
    "another issuer than the scheme's": ("/v1/status/i94/ICE/123456789A1", 422, "identifier"),
    "person": ("/v1/persons/Canaria", 422, "invalid"),
    "as_of of no form": (f"{PATH}?as_of=Canaria", 422, "invalid"),
    "as_of as a number": (f"{PATH}?as_of=1700000000", 422, "invalid"),
    "as_of without an offset": (f"{PATH}?as_of=2026-01-01T00:00:00", 422, "invalid"),
    "as_of with a bare plus": (f"{PATH}?as_of=2026-01-01T00:00:00+00:00", 422, "invalid"),
    "as_of out of bounds": (f"{PATH}?as_of=9999-12-31T23:59:59Z", 422, "invalid"),
    "no day": (f"{PATH}?known_at=2026-02-30T00:00:00Z", 422, "invalid"),
    "a parameter that nobody knows": (f"{PATH}?Canaria=1", 422, "invalid"),
    "a parameter twice": (f"{PATH}?as_of=2026-01-01T00:00:00Z&as_of=2025-01-01T00:00:00Z", 400, "repeated"),
    "a query without end": (f"{PATH}?as_of={'Canaria' * 100}", 414, "too-long"),
    "a path without end": (f"/v1/{'Canaria/' * 100}", 414, "too-long"),
    "no route": ("/v1/canaria/zizi", 404, "no-route"),
    "a slash too many": (f"{PATH}/", 404, "no-route"),
    "nobody": ("/v1/status/i94/999999999A1", 404, "not-found"),
}


@pytest.mark.parametrize(("path", "status", "kind"), WRONG.values(), ids=WRONG)
async def test_a_problem_repeats_nothing(world: Any, logged: io.StringIO, path: str, status: int, kind: str) -> None:
    response = await world.ask(path)
    assert (response.status_code, response.json()["type"]) == (status, f"urn:visabus:problem:{kind}"), response.text
    assert response.headers["content-type"] == "application/problem+json"
    for canary in CANARIES:
        assert canary not in response.text.upper()
        assert canary not in logged.getvalue().upper()
    if kind in ("invalid", "identifier"):
        bare = await world.client.get(path)
        assert bare.status_code == 401  # what is wrong is told to those only who may ask


async def test_logs_tell_of_nobody(world: Any, logged: io.StringIO) -> None:
    subject = world.make.subject(passport="P0CANARY1")
    world.reads.take(world.make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28), subject=subject))
    assert "CANARIA" in (await world.ask(PATH)).text
    await world.ask("/v1/timeline/passport/GBR/P0CANARY1")
    await world.ask(PATH, world.token("timeline:read"))
    await world.ask(PATH, world.token(exp=1_000_000_000))
    await world.ask(f"{PATH}?as_of=Canaria")
    world.reads.down = True
    await world.ask(PATH)
    text = logged.getvalue()
    for canary in CANARIES:
        assert canary not in text.upper()
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [line["status"] for line in requests] == [200, 200, 403, 401, 422, 503]
    assert {line["route"] for line in requests} == {
        "/v1/status/{scheme}/{value}",
        "/v1/timeline/{scheme}/{issuer}/{value}",
    }
    assert requests[3]["code"] == "expired"
    assert "dropped" not in text


async def test_a_bug_shows_nothing_of_itself(world: Any, logged: io.StringIO) -> None:
    async def bug(keys: Any) -> Any:
        raise RuntimeError("Canaria, 1980-02-03")

    world.reads.pools = bug
    response = await world.ask(PATH)
    assert response.status_code == 500
    assert response.json()["type"] == "urn:visabus:problem:bug"
    assert "Traceback" not in response.text
    for canary in CANARIES:
        assert canary not in (response.text + logged.getvalue()).upper()
    assert "RuntimeError" in logged.getvalue()


async def test_other_methods_and_bodies(world: Any) -> None:
    headers = {"authorization": f"Bearer {world.token()}", "visabus-purpose": "admission"}
    posted = await world.client.post(PATH, content=b"{}", headers=headers)
    assert posted.status_code == 405
    assert posted.headers["allow"] == "GET"
    assert posted.headers["content-type"] == "application/problem+json"
    assert (await world.client.request("CANARIA", PATH)).status_code == 405
    large = await world.client.request("GET", PATH, content=b"x" * 5_000, headers=headers)
    assert (large.status_code, large.json()["type"]) == (413, "urn:visabus:problem:body")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000

    # a body of unsaid length is not read, or read up to the bound
    @world.app.post("/v1/reads-bodies")
    async def reads(request: Request) -> int:
        return len(await request.body())

    endless = await world.client.post("/v1/reads-bodies", content=pieces(), headers=headers)
    assert (endless.status_code, endless.json()["type"]) == (413, "urn:visabus:problem:body")


async def test_too_many_at_once_are_turned_away_and_health_is_not(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.api.guard.MAX_AT_ONCE", 2)
    go, two = asyncio.Event(), asyncio.Barrier(3)
    pools = world.reads.pools

    async def waiting(keys: Any) -> Any:
        if not go.is_set():
            await two.wait()
        await go.wait()
        return await pools(keys)

    world.reads.pools = waiting
    inside = [asyncio.create_task(world.ask(PATH)) for _ in range(2)]
    await two.wait()
    turned_away = await world.ask(PATH)
    assert (turned_away.status_code, turned_away.json()["type"]) == (503, "urn:visabus:problem:busy")
    assert turned_away.headers["content-type"] == "application/problem+json"
    assert turned_away.headers["retry-after"] == "1"
    assert (await world.client.get("/healthz")).status_code == 200
    go.set()
    assert [answer.status_code for answer in await asyncio.gather(*inside)] == [404, 404]
    assert (await world.ask(PATH)).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/openapi.json", PATH, "/v1/none"])
async def test_headers_of_every_answer(world: Any, path: str) -> None:
    for response in (await world.client.get(path), await world.ask(path)):
        headers = response.headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["referrer-policy"] == "no-referrer"
        assert "strict-transport-security" in headers
        assert len(headers["visabus-request"]) == 36
        assert "access-control-allow-origin" not in headers
        assert len(headers.get_list("cache-control")) == 1


async def test_openapi_describes_the_problems(world: Any) -> None:
    document = (await world.client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert {"ProblemDetails", "Mistake"} <= set(schemas)
    assert "HTTPValidationError" not in schemas
    for item in document["paths"].values():
        (operation,) = item.values()
        for status, response in operation["responses"].items():
            kind = "application/json" if status == "200" else "application/problem+json"
            assert list(response["content"]) == [kind]
            reference = response["content"][kind]["schema"]["$ref"].rpartition("/")[2]
            assert reference in schemas


@settings(max_examples=300, deadline=None)
@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", fullmatch=True))
def test_an_instant_is_read_or_refused(text: str) -> None:
    try:
        at = rfc3339(text)
    except ValueError:
        return
    assert at is not None
    assert at.utcoffset() == timedelta(0)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(Scheme)), st.text(max_size=40), st.text(max_size=12))
def test_an_identifier_is_read_or_refused(scheme: Scheme, value: str, issuer: str) -> None:
    try:
        result = Identifier.of(scheme, value, issuer)
    except InvalidIdentifier:
        return
    assert Identifier.parse(result.text) == result
