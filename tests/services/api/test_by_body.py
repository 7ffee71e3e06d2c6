"""Look-ups by a body: the same answers as by the path, and no number in an address or a log."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

CANARY = "987654321A1"


@pytest.fixture
def known(world: Any) -> Any:
    world.reads.take(world.make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28)))
    return world


async def asked(world: Any, path: str, body: object, **given: Any) -> Any:
    return await world.ask(path, method="POST", body=body, **given)


def without_clock(response: Any) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("verb", ["status", "timeline"])
async def test_the_same_answer_as_by_the_path_and_the_same_row(known: Any, verb: str) -> None:
    at = "2026-10-01T00:00:00Z"
    by_path = await known.ask(f"/v1/{verb}/i94/123456789A1?as_of={at}&known_at={at}")
    question = {"scheme": "i94", "value": "123456789A1", "as_of": at, "known_at": at}
    by_body = await asked(known, f"/v1/{verb}", question)
    assert by_path.status_code == 200
    assert by_body.content == by_path.content
    person = by_path.json()["persons"][0]["person"]
    assert (await asked(known, f"/v1/{verb}", {"person": person, "as_of": at, "known_at": at})).content
    first, second, third = await known.rows()
    assert first.looked_up == second.looked_up == known.audit.name("i94/CBP/123456789A1")
    assert third.looked_up == known.audit.name(f"person/{person}")
    assert (first.as_of, first.known_at, first.persons) == (second.as_of, second.known_at, second.persons)


async def test_a_number_with_its_issuer(known: Any) -> None:
    missing = await asked(known, "/v1/status", {"scheme": "passport", "issuer": "D", "value": "C01X00T47"})
    assert missing.status_code == 404
    (row,) = await known.rows()
    assert row.looked_up == known.audit.name("passport/DEU/C01X00T47")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"[" * 4_000,
        b'{"scheme": "i94"}',
        b'{"value": "123456789A1"}',
        b'{"scheme": "i94", "value": "nonsense"}',
        b'{"scheme": "name", "value": "CANARY"}',
        b'{"scheme": "CANARY", "value": "1"}',
        b'{"scheme": "i94", "value": "123456789A1", "CANARY": 1}',
        b'{"scheme": "i94", "value": "123456789A1", "value": "123456789A1"}',
        b'{"scheme": "i94", "value": "123456789A1", "person": "00000000000000000000000000000000"}',
        b'{"person": "CANARY"}',
        b'{"person": 1}',
        b'{"scheme": "i94", "value": "123456789A1", "as_of": "CANARY"}',
        b'{"scheme": "i94", "value": "123456789A1", "as_of": 0}',
        b'\xff{"CANARY": 1}',
    ],
)
async def test_a_body_that_asks_nothing(known: Any, body: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    headers = {
        "authorization": f"Bearer {known.token()}",
        "visabus-purpose": "admission",
        "content-type": "application/json",
    }
    response = await known.client.post("/v1/status", content=body, headers=headers)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert "CANARY" not in response.text + capsys.readouterr().out
    # and before the token is looked at, nothing is said of the body
    bare = await known.client.post("/v1/status", content=body, headers={"content-type": "application/json"})
    assert bare.status_code == 401
    assert await known.rows() == []


async def test_other_kinds_sizes_and_queries(known: Any) -> None:
    headers = {"authorization": f"Bearer {known.token()}", "visabus-purpose": "admission"}
    question = {"scheme": "i94", "value": "123456789A1"}
    form = await known.client.post("/v1/status", data=question, headers=headers)
    assert form.status_code == 415
    query = await known.client.post("/v1/status?as_of=2026-10-01T00:00:00Z", json=question, headers=headers)
    assert query.status_code == 422
    large = await known.client.post("/v1/status", json=question | {"value": "x" * 5_000}, headers=headers)
    assert large.status_code == 413
    assert (await known.client.get("/v1/status", headers=headers)).status_code == 405
    assert await known.rows() == []


async def test_whom_a_refused_body_asked_for_is_remembered(known: Any) -> None:
    question = {"scheme": "i94", "value": "123456789A1"}
    refused = await asked(known, "/v1/timeline", question, token=known.token("status:read"))
    assert refused.status_code == 403
    (row,) = await known.rows()
    assert (row.result, row.looked_up) == ("refused", known.audit.name("i94/CBP/123456789A1"))


async def test_no_number_in_the_log(known: Any, capsys: pytest.CaptureFixture[str]) -> None:
    await asked(known, "/v1/status", {"scheme": "i94", "value": CANARY})
    await known.ask(f"/v1/status/i94/{CANARY}")
    await known.ask(f"/v1/status/i94/{CANARY}?x={CANARY}")
    await known.ask(f"/v1/nowhere/{CANARY}")
    out = capsys.readouterr()
    assert out.out + out.err
    assert CANARY not in out.out + out.err


async def test_the_operation_is_described(known: Any) -> None:
    document = known.app.openapi()
    operation = document["paths"]["/v1/status"]["post"]
    (schema,) = (each["schema"]["$ref"] for each in operation["requestBody"]["content"].values())
    named = document["components"]["schemas"][schema.rpartition("/")[2]]
    assert set(named["properties"]) == {"scheme", "issuer", "value", "person", "as_of", "known_at"}
    assert "Scheme" in json.dumps(document["components"]["schemas"])
    assert "<h2>POST /v1/status</h2>" in (await known.client.get("/docs")).text
