"""Reading ahead: order, bound, errors behind what came before them, and nothing left running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import pytest

from services.ingest.ahead import ahead


class Numbers:
    """Makes numbers and remembers how many, and whether it was closed."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.made = 0
        self.closed = False
        self._count = count
        self._error = error

    async def make(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self._count):
                self.made += 1
                yield number
            if self._error is not None:
                raise self._error
        finally:
            self.closed = True


@pytest.mark.parametrize("limit", [1, 3])
async def test_order_is_kept_and_no_more_is_made_than_was_asked_for(limit: int) -> None:
    numbers = Numbers(50)
    seen = []
    async for number in ahead(numbers.make(), limit):
        seen.append(number)
        for _ in range(20):
            await asyncio.sleep(0)
        # one in use, `limit` that wait, one that is made and finds no room
        assert numbers.made <= len(seen) + limit + 1
    assert seen == list(range(50))


async def test_an_error_comes_behind_the_items_before_it() -> None:
    numbers = Numbers(5, KeyError("broken"))
    reading = ahead(numbers.make(), 2)
    assert [await anext(reading) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError):
        await anext(reading)


async def test_who_stops_early_leaves_nothing_running() -> None:
    numbers = Numbers(100)
    reading = ahead(numbers.make(), 2)
    assert await anext(reading) == 0
    await reading.aclose()
    assert numbers.closed
    assert len(asyncio.all_tasks()) == 1


async def test_a_generator_that_swallows_its_cancellation_ends_all_the_same() -> None:
    """As it does in a call of a library that waits by `asyncio.wait_for`, whose answer has just come."""
    waits = asyncio.Event()

    async def items() -> AsyncGenerator[int, None]:
        yield 0
        waits.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        for number in range(1, 10):
            yield number

    async with asyncio.timeout(5), aclosing(ahead(items(), 1)) as found:
        async for _ in found:
            await waits.wait()
            break
