"""kill -9 of the API at random moments: whoever was answered stands in the audit log, and its chain is whole."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from subprocess import Popen
from typing import Any

import httpx
import pytest
from killing import KILLS, MOST_AT_WORK, Kind, new_seed, wait_until
from pipeline import Pipeline

from services.api import development
from services.audit import Row, keys_of, open_reading, verify
from services.settings import Settings, load
from services.simulator.truth.records import Truth

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 20 * KILLS)]

PURPOSE = "overstay-review"


@dataclass(slots=True)
class Caller:
    """Looks people up, one request after another, whoever answers."""

    url: str
    headers: dict[str, str]
    paths: Sequence[str]
    asked: int = 0
    pending: bool = False
    requests: list[str] = field(default_factory=list)  # the names of those that were answered
    answers: dict[str, Any] = field(default_factory=dict)  # by path; each time the same

    async def look_up(self) -> None:
        """Until cancelled."""
        async with httpx.AsyncClient(base_url=self.url, headers=self.headers, trust_env=False, timeout=30) as http:
            while True:
                path = self.paths[len(self.requests) % len(self.paths)]
                self.asked += 1
                self.pending = True
                try:
                    response = await http.get(path)
                except httpx.TransportError:
                    await asyncio.sleep(0.05)
                    continue
                self.pending = False
                assert response.status_code == 200, response.text
                self.requests.append(response.headers["visabus-request"])
                answered = response.json()["persons"]
                assert self.answers.setdefault(path, answered) == answered


def unremembered(answered: Collection[str], rows: Collection[Row]) -> list[str]:
    """Requests that were answered and do not stand in the log once."""
    remembered = [row.request for row in rows]
    return [request for request in answered if remembered.count(request) != 1]


async def rows_of(settings: Settings) -> list[Row]:
    """The audit log, whose chain has to be whole."""
    ring = keys_of(settings).seal
    async with open_reading(settings.audit_url, ring) as log:
        assert (await verify(log.rows(), ring)).broken is None
        return [row async for row in log.rows()]


@pytest.mark.law(
    7,
    "30 random kills of the API: each answer is in the log once, and its chain is whole; a row taken out is seen",
)
async def test_an_api_killed_at_random_remembers_whom_it_answered(
    population: Path, undisturbed: Pipeline, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    seed = new_seed()
    data = shutil.copytree(undisturbed.data, tmp_path / "data")
    pipeline = Pipeline.embedded(data, population)
    settings = load(environment={"VISABUS_DATA_DIR": str(data)})
    truth = Truth.read(population / "truth")
    numbers = [stay.number for person in truth.persons() for stay in person.stays if stay.number]
    as_of = truth.as_of.strftime("%Y-%m-%dT%H:%M:%SZ")
    token = development.token(
        settings.api,
        data,
        subject="tester",
        client="tests",
        scopes=["status:read"],
        purposes=[PURPOSE],
        now=datetime.now(UTC),
        ttl=36_000,
    )
    headers = {"Authorization": f"Bearer {token}", "Visabus-Purpose": PURPOSE}
    paths = [f"/v1/status/i94/{number}?as_of={as_of}" for number in numbers[:50]]
    caller = Caller(pipeline.door_url, headers, paths)

    async def answered(process: Popen[bytes]) -> None:
        before = len(caller.requests)

        async def done() -> bool:
            return len(caller.requests) > before or process.poll() is not None or looking.done()

        await wait_until(done, every=0.002)

    async def pending() -> bool:
        return caller.pending

    looking = asyncio.create_task(caller.look_up())
    api = Kind("serve", lambda: pipeline.start("serve", "--port", str(pipeline.port)), answered, pending, within=0.15)
    rng = Random(seed)
    try:
        for _ in range(KILLS):
            await api.kill(rng)
        assert not looking.done()
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    tell(f"seed {seed}; {api.summary()}; {len(caller.requests)} look-ups answered")
    rows = await rows_of(settings)
    assert len(caller.requests) >= KILLS
    assert unremembered(caller.requests, rows) == []
    assert api.met >= MOST_AT_WORK * KILLS
    # planted: a row that was lost behind its answer
    lost = rows[len(rows) // 2].request
    assert unremembered([lost], [row for row in rows if row.request != lost]) == [lost]
