"""The end of tasks that wait for other servers."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from links import tasks
from links.tasks import cancel


async def deaf(times: int) -> None:
    """A loop whose library swallows so many cancellations."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if times == 0:
                raise
            times -= 1


async def failing() -> None:
    """A task that answers its cancellation with an error of its own."""
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        raise ValueError("closed") from None


@pytest.mark.parametrize("times", [0, 1, 2])
async def test_a_task_ends_however_often_its_library_swallows_a_cancellation(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.01)
    running = [asyncio.create_task(deaf(times)), asyncio.create_task(failing()), asyncio.create_task(asyncio.sleep(0))]
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await cancel(*running)
    assert [task.done() for task in running] == [True, True, True]


async def test_nothing_to_cancel_is_no_error() -> None:
    await cancel()


async def test_a_task_that_closes_something_has_time_for_it() -> None:
    """It is not cancelled a second time at once."""
    closed = asyncio.Event()

    async def working() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.05)
            closed.set()

    task = asyncio.create_task(working())
    await asyncio.sleep(0)
    with suppress(asyncio.CancelledError):
        await cancel(task)
    assert closed.is_set()
