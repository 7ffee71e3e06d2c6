"""How often one caller may ask, and what is said when a caller seems to try numbers out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

import pytest

from services.api.app import create_app
from services.buckets import Alarm, Buckets
from services.settings import ApiSettings

PATH = "/v1/status/i94/123456789A1"
NOBODY = "/v1/status/i94/999999999A1"
ALARM = "find no one"
Opened = Callable[..., Any]


@pytest.fixture
def opened(world: Any, open_client: Any) -> Opened:
    """An API with limits and a clock of its own."""

    @asynccontextmanager
    async def open_with(now: list[float], **given: Any) -> AsyncIterator[Any]:
        def clock() -> datetime:
            return world.now

        settings = ApiSettings.model_validate(given)
        app = create_app(world.backing.trust, world.reads, world.audit, clock, settings, elapsed=lambda: now[0])
        async with open_client(app) as client:
            world.client = client
            yield world

    world.reads.take(world.make.arrival("A1", date(2026, 9, 1), date(2027, 2, 28)))
    world.backing = world.app.state.backing
    return open_with


@pytest.mark.parametrize(("burst", "limited"), [(3, True), (1_000, False)], ids=["limit", "planted"])
async def test_one_subject_asks_so_often_and_another_is_not_touched(opened: Opened, burst: int, limited: bool) -> None:
    now = [0.0]
    async with opened(now, rate=0.5, burst=burst) as world:
        assert [(await world.ask(PATH)).status_code for _ in range(3)] == [200] * 3
        late = await world.ask(PATH)
        assert late.status_code == (429 if limited else 200)
        if not limited:
            return
        assert late.headers["retry-after"] == "2"
        assert late.json()["type"] == "urn:visabus:problem:rate"
        refused = await world.ask(PATH, world.token("timeline:read"))
        assert refused.status_code == 429, "refusals count too, so trying scopes out is no way round"
        assert (await world.ask(PATH, world.token(sub="officer-8"))).status_code == 200
        assert (await world.ask(PATH, world.token(jti="another", azp="elsewhere"))).status_code == 429
        assert (await world.client.get("/healthz")).status_code == 200
        now[0] += 2
        assert (await world.ask(PATH)).status_code == 200
        assert (await world.ask(PATH)).status_code == 429
        assert len(await world.rows()) == 5, "what is answered 429 looks nobody up"


async def test_a_token_that_proves_nothing_takes_nobodys_turn(opened: Opened) -> None:
    async with opened([0.0], rate=0.5, burst=1) as world:
        for _ in range(5):
            assert (await world.ask(PATH, world.token(key=b"another secret of 32 bytes or more!"))).status_code == 401
        assert (await world.ask(PATH)).status_code == 200


@pytest.mark.parametrize(("most", "raised"), [(5, 1), (1_000, 0)], ids=["alarm", "planted"])
async def test_many_look_ups_that_find_no_one_raise_one_alarm(
    opened: Opened, most: int, raised: int, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def said() -> str:
        text = capsys.readouterr().out + caplog.text
        caplog.clear()
        return text

    now = [0.0]
    async with opened(now, not_found_alarm=most) as world:
        for _ in range(4):
            assert (await world.ask(NOBODY)).status_code == 404
            assert (await world.ask(NOBODY, world.token(sub="officer-8"))).status_code == 404
        assert ALARM not in said()
        fifth = await world.ask(NOBODY)
        for _ in range(20):
            await world.ask(NOBODY)
        out = said()
        assert out.count(ALARM) == raised
        if raised:
            line = next(line for line in out.splitlines() if ALARM in line)
            assert fifth.headers["visabus-request"] in line, "leads to the audit row, which says who it was"
            assert "officer-7" not in line
        now[0] += 600
        for _ in range(5):
            await world.ask(NOBODY)
        assert said().count(ALARM) == raised


def test_no_more_callers_are_remembered_than_there_is_room_for() -> None:
    now = [0.0]
    buckets = Buckets(1.0, 2, lambda: now[0], most=100)
    alarm = Alarm(3, 60.0, lambda: now[0], remembered=100)
    for number in range(1_000):
        assert buckets.take(f"caller {number}") == 0
        alarm.count(f"caller {number}")
    assert len(buckets._held) == len(alarm._counted) == 100
    assert [buckets.take("caller 999") for _ in range(2)] == [0, 1]
