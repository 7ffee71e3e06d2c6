"""Nobody gets in without a token, a scope and a purpose; and nobody is answered without a row in the audit log."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI

from services.api.guard import OPEN
from services.audit import AuditDown, Entry, Result, verify

EXAMPLES = {
    "scheme": "i94",
    "value": "123456789A1",
    "issuer": "CBP",
    "person_id": "0" * 32,
}
PATH = "/v1/status/i94/123456789A1"
QUESTION = {"scheme": "i94", "value": "123456789A1"}


def operations(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each method and path of OpenAPI with values put in, and its operation."""
    for path, item in app.openapi()["paths"].items():
        assert set(item) in ({"get"}, {"post"})
        for method, operation in item.items():
            yield method.upper(), re.sub(r"\{(\w+)\}", lambda match: EXAMPLES[match[1]], path), operation


def problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"] == f"urn:visabus:problem:{kind}"
    assert body["instance"] == f"urn:uuid:{response.headers['visabus-request']}"
    return dict(body)


class Gone:
    """An audit log that cannot be written."""

    async def write(self, entry: Entry) -> None:
        raise AuditDown("gone")

    async def ping(self) -> None:
        raise AuditDown("gone")

    def name(self, text: str) -> str:
        return text


@pytest.mark.law(7, "every route there is")
async def test_every_route_but_health_denies_by_default(world: Any, build: Any, open_client: Any) -> None:
    world.reads.take(world.make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28)))
    seen = 0
    async with open_client(build(world.reads, Gone())) as unaudited:
        for method, path, operation in operations(world.app):
            if path in OPEN:
                assert "security" not in operation
                continue

            async def ask(token: str, purpose: str | None = "admission", **asked: str) -> Any:
                return await world.ask(asked["path"], token, purpose, method=asked["method"], body=QUESTION)

            ask = partial(ask, path=path, method=method)
            seen += 1
            ((scope,),) = (need["bearer"] for need in operation["security"])
            bare = await world.client.request(method, path)
            problem(bare, 401, "token-missing")
            assert bare.headers["www-authenticate"].startswith("Bearer")
            problem(await ask("nonsense"), 401, "token")
            other = " ".join({"status:read", "timeline:read", "confidential:read"} - {scope})
            refused = await ask(world.token(other))
            problem(refused, 403, "scope")
            assert f'scope="{scope}"' in refused.headers["www-authenticate"]
            problem(await ask(world.token(scope), None), 400, "purpose-missing")
            problem(await ask(world.token(scope), "curiosity"), 400, "purpose-missing")
            problem(await ask(world.token(scope), "enforcement"), 403, "purpose")
            body = QUESTION if method == "POST" else None
            headers = {"authorization": f"Bearer {world.token(scope)}", "visabus-purpose": "admission"}
            silent = await unaudited.request(method, path, headers=headers, json=body)
            problem(silent, 503, "no-audit")
            documented = set(operation["responses"])
            assert {"200", "400", "401", "403", "404", "422", "503"} <= documented
    assert seen == 8


async def test_every_route_of_the_app_is_in_openapi(world: Any) -> None:
    listed = set(world.app.openapi()["paths"])
    routes = {route.path for route in world.app.routes}
    assert routes - listed == {"/openapi.json", "/docs"}


async def test_health_needs_no_token_and_tells_of_nobody(world: Any) -> None:
    assert (await world.client.get("/healthz")).json() == {"status": "alive"}
    assert (await world.client.get("/readyz")).json() == {
        "status": "stale",
        "correlators": 0,
        "correlated_at": None,
        "behind": None,
        "backlog": 0,
        "quarantined": 0,
    }
    assert "<h2>GET /v1/status/{scheme}/{value}</h2>" in (await world.client.get("/docs")).text
    assert (await world.client.get("/openapi.json")).json()["components"]["securitySchemes"]["bearer"]
    assert await world.rows() == []


async def test_not_ready_without_store_or_audit(world: Any, build: Any, open_client: Any) -> None:
    world.reads.down = True
    async with open_client(build(world.reads, Gone())) as client:
        body = problem(await client.get("/readyz"), 503, "not-ready")
        assert body["checks"] == {"store": "down", "audit": "down"}
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.law(7, "one row each")
async def test_a_row_for_every_look_up(world: Any) -> None:
    world.reads.take(world.make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28)))
    numbered = world.token(jti="the token's id")
    answered = await world.ask(f"{PATH}?as_of=2026-10-01T00:00:00Z&known_at=2026-10-02T00:00:00Z", numbered)
    await world.ask("/v1/status/i94/999999999A1")
    await world.ask(PATH, world.token("timeline:read"))
    await world.ask(PATH, world.token(), "enforcement")
    await world.ask("/v1/status/i94/nonsense")  # asks for nobody
    world.reads.down = True
    problem(await world.ask(PATH), 503, "no-store")
    rows = await world.rows()
    assert [(row.result, row.reason) for row in rows] == [
        ("answered", ""),
        ("not found", ""),
        ("refused", "scope"),
        ("refused", "purpose"),
        ("failed", ""),
    ]
    first = rows[0]
    assert first.request == answered.headers["visabus-request"]
    assert (first.subject, first.client, first.purpose, first.verb) == (
        "officer-7",
        "portal",
        "admission",
        "status:read",
    )
    assert (first.as_of, first.known_at) == ("2026-10-01T00:00:00+00:00", "2026-10-02T00:00:00+00:00")
    assert json.loads(first.persons) == [world.audit.name("person/" + answered.json()["persons"][0]["person"])]
    assert (first.source, first.token) == ("127.0.0.1", "the token's id")
    assert all(row.token.startswith("sha256:") for row in rows[1:])  # of tokens without an id
    assert answered.json()["persons"][0]["person"] not in str(rows)
    # one person looked for is one name in the log, answered or refused, and not the number itself
    assert {row.looked_up for row in rows if row is not rows[1]} == {world.audit.name("i94/CBP/123456789A1")}
    assert (await verify(world.audit.rows(), world.keys.seal)).broken is None


@pytest.mark.law(7, "a look-up that ends in a bug")
async def test_a_look_up_that_a_bug_ends_is_remembered_too(world: Any) -> None:
    async def bug(keys: Any) -> Any:
        raise RuntimeError

    world.reads.pools = bug
    problem(await world.ask(PATH), 500, "bug")
    (row,) = await world.rows()
    assert (row.result, row.looked_up) == ("failed", world.audit.name("i94/CBP/123456789A1"))


@pytest.mark.law(7, "and one that finds a store that hangs")
async def test_a_store_that_hangs_is_down_and_remembered(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.api.authorised_lookup.READING", 0.05)

    async def hang(keys: Any) -> Any:
        await asyncio.Event().wait()

    world.reads.pools = hang
    problem(await world.ask(PATH), 503, "no-store")
    assert [row.result for row in await world.rows()] == ["failed"]


async def accounted(client: Any, audit: Any, paths: list[str], token: str) -> bool:
    """The checker: whether each answered request has exactly one row of its own."""
    answered = []
    for path in paths:
        response = await client.get(path, headers={"authorization": f"Bearer {token}", "visabus-purpose": "admission"})
        if response.status_code == 200:
            answered.append(response.headers["visabus-request"])
    results = [row.request async for row in audit.rows() if row.result == Result.ANSWERED]
    return len(answered) == len(paths) and sorted(results) == sorted(answered)


@pytest.mark.law(7, planted="an app that says it wrote to the log, and did not")
async def test_the_checker_passes_what_is_right_and_catches_an_app_that_does_not_audit(
    world: Any, build: Any, open_client: Any
) -> None:
    world.reads.take(world.make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28)))
    paths = [PATH, PATH, "/v1/timeline/i94/123456789A1"]
    assert await accounted(world.client, world.audit, paths, world.token())

    class Forgetful:
        """The planted bug: says that it wrote, and does not."""

        async def write(self, entry: Entry) -> None:
            return

        async def ping(self) -> None:
            return

        def name(self, text: str) -> str:
            return text

    async with open_client(build(world.reads, Forgetful())) as planted:
        assert not await accounted(planted, world.audit, paths, world.token())


@pytest.mark.law(7, planted="a route that answers without an authorised look-up")
async def test_the_guard_withholds_what_a_route_tells_without_an_authorised_lookup(world: Any) -> None:
    @world.app.get("/v1/leak")
    async def leak() -> dict[str, str]:
        return {"family": "Canaria"}

    response = await world.client.get("/v1/leak")
    problem(response, 500, "not-audited")
    assert "Canaria" not in response.text


TAMPERED = {
    "another issuer": {"iss": "https://other.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "elsewhere"},
    "no audience": {"aud": None},
    "expired": {"exp": 1_000_000_000},
    "never expires": {"exp": None},
    "expires at no time": {"exp": "tomorrow"},
    "not yet": {"nbf": 4_000_000_000},
    "issued in the future": {"iat": 4_000_000_000},
    "no client": {"azp": None},
    "no subject": {"sub": None},
    "scopes of no form": {"scope": ["status:read"]},
    "purposes of no form": {"purposes": "admission"},
    "a subject without end": {"sub": "x" * 300},
    "an instant out of all bounds": {"exp": 2**60},
}


@pytest.mark.parametrize("claims", TAMPERED.values(), ids=TAMPERED)
async def test_a_token_that_proves_nothing(world: Any, claims: dict[str, Any]) -> None:
    response = await world.ask(PATH, world.token(**claims))
    body = problem(response, 401, "token")
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert body["detail"] == "The token is not valid."
    assert await world.rows() == []


@pytest.mark.law(7, "forged tokens")
async def test_an_unsigned_or_forged_token(world: Any) -> None:
    header, body, signature = world.token().split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for forged in (
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{header}.{body}.",
        f"{header}.{body}.{signature[:-4]}AAAA",
        world.token(key=b"another secret of 32 bytes or more!"),
        world.token(algorithm="HS512", key=b"a secret of the tests, 32 bytes or more".ljust(64, b"!")),
        world.token(headers={"crit": ["b64"], "b64": True}),
        world.token(headers={"typ": "logout+jwt"}),
        world.token(scope="status:read " * 1_000),
        "a.b.c",
        "",
    ):
        assert (await world.ask(PATH, forged)).status_code == 401


async def test_two_authorisations_or_another_kind_are_none(world: Any) -> None:
    bearer = ("authorization", f"Bearer {world.token()}")
    purpose = ("visabus-purpose", "admission")
    twice = await world.client.get(PATH, headers=[bearer, bearer, purpose])
    problem(twice, 401, "token-missing")
    basic = await world.client.get(PATH, headers={"authorization": "Basic dTpw"})
    problem(basic, 401, "token-missing")
    purposes = await world.client.get(PATH, headers=[bearer, purpose, purpose])
    problem(purposes, 400, "purpose-missing")
