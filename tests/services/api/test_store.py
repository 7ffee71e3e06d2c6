"""The same answers from a real store: SQLite always, PostgreSQL where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from correlation import Driver
from populations import START, World, bytes_of, encounter, passport

from schemas.codec import encode
from schemas.events import Action, Handling, RecordRef, Request
from schemas.identifiers import Identifier, Scheme
from services.api import answers
from services.api.answers import ByIdentifier, Known, When, ids_of, status_view
from services.domain import caps
from services.domain.pools import merged_facts
from services.store import Store, open_store

PATHS = (
    "/v1/status/i94/111111111A1",
    "/v1/status/i94/222222222A1",
    "/v1/status/passport/GBR/123456789",
    "/v1/timeline/passport/GBR/123456789",
    "/v1/status/i94/111111111A1?known_at=2026-01-01T00:02:30Z",
    "/v1/status/i94/111111111A1?as_of=2026-06-01T00:00:00Z",
    "/v1/status/receipt/IOE0123456789",
    "/v1/status/fin/123456789",
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres"))
    return f"sqlite+aiosqlite:///{tmp_path}/store.db"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    store = await open_store(url)
    yield store
    await store.close()


async def test_a_real_store_answers_as_the_one_in_memory(
    store: Store, world: Any, build: Any, open_client: Any
) -> None:
    make = world.make
    one = make.subject("111111111A1", passport="123456789", name="One")
    other = make.subject("222222222A1", passport="123456789", name="Other", birth="1990-05-05")
    events = [
        make.arrival("A1", date(2026, 1, 10), date(2026, 7, 9), subject=one),
        make.arrival("A2", date(2026, 2, 1), date(2026, 7, 31), subject=other),
        make.filing("F1", date(2026, 7, 1), subject=one),
        make.departure("D2", date(2026, 8, 20), subject=other),
        make.filing(
            "F2", date(2026, 8, 1), asks=Request.ADJUST, action=Action.APPROVED, subject=one, handling=(Handling.TPS,)
        ),
        make.decision(RecordRef(system="I94", record="A1"), RecordRef(system="I94", record="A2"), same=False),
        *make.coverage(datetime(2026, 11, 1, tzinfo=UTC)),
    ]
    world.reads.take(*events)
    driver = Driver(store.writer)
    for event in events:
        await driver.append([encode(event)])
    await driver.finish()
    right = world.token("status:read timeline:read confidential:read")
    async with open_client(build(store.reads, world.audit)) as client:
        for path in PATHS:
            for token in (world.token(), right):
                headers = {"authorization": f"Bearer {token}", "visabus-purpose": "admission"}
                real, memory = await client.get(path, headers=headers), await world.client.get(path, headers=headers)
                assert real.status_code == memory.status_code
                if real.status_code == 200:
                    assert [real.json()[name] for name in ("as_of", "known_at", "persons")] == [
                        memory.json()[name] for name in ("as_of", "known_at", "persons")
                    ]
        ready = await client.get("/readyz")
        assert ready.json() == {
            "status": "stale",
            "correlators": 0,
            "correlated_at": None,
            "behind": None,
            "backlog": 0,
            "quarantined": 0,
        }


async def test_a_store_that_is_gone_is_a_problem(tmp_path: Path, world: Any, build: Any, open_client: Any) -> None:
    directory = tmp_path / "gone"
    store = await open_store(f"sqlite+aiosqlite:///{directory}/store.db")
    await store.close()
    for file in directory.iterdir():
        file.unlink()
    directory.rmdir()
    async with open_client(build(store.reads, world.audit)) as client:
        headers = {"authorization": f"Bearer {world.token()}", "visabus-purpose": "admission"}
        response = await client.get(PATHS[0], headers=headers)
        assert (response.status_code, response.json()["type"]) == (503, "urn:visabus:problem:no-store")
        assert response.headers["retry-after"] == "5"
        assert (await client.get("/readyz")).json()["checks"] == {"store": "down", "audit": "ready"}
    await store.close()
    assert [row.result for row in await world.rows()] == ["failed"]


async def test_a_number_of_too_many_says_that_others_may_hold_it(
    store: Store, world: Any, build: Any, open_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "CAP", 2)
    crowd = World(5)
    shared = Identifier.of(Scheme.RECEIPT, "SRC0000000001")
    driver = Driver(store.writer)
    people = [crowd.person() for _ in range(6)]
    for day, person in enumerate(people):
        await driver.append(bytes_of([encounter(crowd, person, START + timedelta(day), shared, passport(person))]))
        await driver.finish()
    headers = {"authorization": f"Bearer {world.token()}", "visabus-purpose": "admission"}
    own = passport(people[-1])
    async with open_client(build(store.reads, world.audit)) as client:
        many = (await client.get(f"/v1/status/receipt/{shared.value}", headers=headers)).json()
        first_only = {"known_at": (START + timedelta(hours=1)).isoformat()}
        few = (await client.get(f"/v1/status/receipt/{shared.value}", headers=headers, params=first_only)).json()
        one = (await client.get(f"/v1/status/passport/{own.issuer}/{own.value}", headers=headers)).json()
    assert many["truncated"]
    assert not few["truncated"]
    assert len(few["persons"]) == 1
    assert len(many["persons"]) < len(people)
    assert not one["truncated"]
    assert len(one["persons"]) == 1


async def held_under(number: ByIdentifier, raws: list[bytes], url: str) -> frozenset[str]:
    """Whom a number leads to once a store has taken the events one by one."""
    store = await open_store(url)
    driver = Driver(store.writer)
    for raw in raws:
        await driver.append([raw])
        await driver.finish()
    reads = store.reads
    facts = merged_facts(await reads.pools([number.key]))
    known = Known(facts, await reads.coverage(), await reads.known_through(), await reads.cutoffs())
    await store.close()
    return frozenset(ids_of(status_view(number, When(1_790_000_000), known, confidential=True)))


async def in_any_order(directory: Path, orders: int) -> set[frozenset[str]]:
    """The answers to one number of too many, over orders of arrival."""
    crowd, rng = World(5), Random(5)
    shared = Identifier.of(Scheme.RECEIPT, "SRC0000000001")
    own = [Identifier.of(Scheme.A_NUMBER, crowd.number("A", 9)) for _ in range(6)]
    raws = bytes_of(
        [encounter(crowd, crowd.person(), START + timedelta(day), shared, one) for day, one in enumerate(own)]
    )
    results = set()
    for order in range(orders):
        results.add(await held_under(ByIdentifier(shared), raws, f"sqlite+aiosqlite:///{directory}/{order}.db"))
        rng.shuffle(raws)
    return results


@pytest.mark.law(1, "look-ups by a number that more claims share than it admits")
async def test_whom_a_number_of_too_many_leads_to_is_no_matter_of_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "CAP", 2)
    (result,) = await in_any_order(tmp_path, 5)
    assert len(result) == caps.CAP


@pytest.mark.law(1, planted="an answer with all holders of a number that does not admit them")
async def test_and_who_was_thrown_out_would_make_it_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: all of the pool who hold the number are told."""
    monkeypatch.setattr(caps, "CAP", 2)
    monkeypatch.setattr(answers, "caps_of", lambda *_, **__: None)
    assert len(await in_any_order(tmp_path, 5)) > 1
