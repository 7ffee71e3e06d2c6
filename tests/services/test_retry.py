"""The retry policies: how long they wait, when they end."""

from __future__ import annotations

import asyncio

import pytest
from tenacity import RetryCallState

from services import retry
from services.outages import Outage


def silent(**_: object) -> None:
    """Say nothing."""


class Down(Exception):
    """The test's own."""


class Failing:
    """Fails so many times, then answers."""

    def __init__(self, times: int) -> None:
        self.calls = 0
        self._times = times

    async def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._times:
            raise Down
        return "well"


async def waits(failures: int, cap: float, calls: int, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of a source that fails so often, without waiting them."""
    waited: list[float] = []

    async def wait(seconds: float, stop: asyncio.Event) -> None:
        waited.append(seconds)

    monkeypatch.setattr(retry, "wait", wait)
    policy = retry.source(Down, stop=asyncio.Event(), failures=failures, cap=cap)
    assert await policy(Failing(calls)) == "well"
    return waited


async def test_a_source_is_asked_again_with_jitter_up_to_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = await waits(100, 8.0, 60, monkeypatch)
    assert max(waited) <= 8.0
    assert len({round(each, 6) for each in waited}) > 30
    assert sum(waited[:2]) <= 1.5


async def test_a_source_that_fails_on_is_left_alone_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = await waits(3, 8.0, 10, monkeypatch)
    assert all(each <= 8.0 for each in waited[:3])
    assert all(40.0 <= each <= 80.0 for each in waited[3:])


async def test_it_is_given_up_after_the_attempts_that_were_named() -> None:
    failing = Failing(10)
    policy = retry.source(Down, stop=asyncio.Event(), failures=3, cap=0.001, attempts=3)
    with pytest.raises(Down):
        await policy(failing)
    assert failing.calls == 3


async def test_stop_ends_the_wait_at_once() -> None:
    stop = asyncio.Event()

    def on_failure(state: RetryCallState) -> None:
        stop.set()

    policy = retry.source(Down, stop=stop, failures=0, cap=3_600, on_failure=on_failure)
    async with asyncio.timeout(60):
        with pytest.raises(Down):
            await policy(Failing(10))


async def test_the_bus_is_given_up_at_its_deadline() -> None:
    with pytest.raises(Down):
        await retry.bus(Down, stop=asyncio.Event(), deadline=0.2)(Failing(1_000))


async def worked_and_failed(outage: Outage, failures: int, *, away: bool) -> int:
    """Work for longer than the deadline before the first failure; how often it was tried."""
    calls = 0
    counted = outage.seconds if away else None
    policy = retry.bus(Down, stop=asyncio.Event(), deadline=0.05, on_failure=outage.failed, away=counted)
    async for attempt in policy:
        with attempt:
            calls += 1
            if calls == 1:
                await asyncio.sleep(0.1)
                outage.over()
            if calls <= failures:
                raise Down
    return calls


async def test_an_outage_counts_from_its_first_failure_however_long_it_went_well_before() -> None:
    assert await worked_and_failed(Outage(silent, silent), 1, away=True) == 2
    with pytest.raises(Down):  # what it was: a process that had run for longer than an outage may last met none
        await worked_and_failed(Outage(silent, silent), 1, away=False)


async def test_an_outage_that_lasts_is_given_up_behind_work_that_went_well() -> None:
    with pytest.raises(Down):
        await worked_and_failed(Outage(silent, silent), 10_000, away=True)


async def test_other_errors_are_not_retried() -> None:
    calls = 0

    async def broken() -> None:
        nonlocal calls
        calls += 1
        raise KeyError

    with pytest.raises(KeyError):
        await retry.bus(Down, stop=asyncio.Event(), deadline=5)(broken)
    assert calls == 1


class Final(Down):
    """An error that says that trying again cannot help."""

    final = True


class FinallyFailing(Failing):
    """Fails so many times for good."""

    async def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._times:
            raise Final
        return "well"


async def test_what_cannot_get_better_is_not_tried_again_by_the_bus() -> None:
    failing = FinallyFailing(10)
    with pytest.raises(Final):
        await retry.bus(Down, stop=asyncio.Event(), deadline=60.0)(failing)
    assert failing.calls == 1


async def test_what_cannot_get_better_ends_a_source_that_has_a_last_attempt() -> None:
    failing = FinallyFailing(10)
    with pytest.raises(Final):
        await retry.source(Down, stop=asyncio.Event(), failures=3, cap=60.0, attempts=3)(failing)
    assert failing.calls == 1


async def test_what_cannot_get_better_is_tried_rarely_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def wait(seconds: float, stop: asyncio.Event) -> None:
        waited.append(seconds)

    monkeypatch.setattr(retry, "wait", wait)
    assert await retry.source(Down, stop=asyncio.Event(), failures=5, cap=8.0)(FinallyFailing(2)) == "well"
    assert len(waited) == 2
    assert all(40.0 <= each <= 80.0 for each in waited)
