"""Reading ahead: order, bound, what is taken together, errors behind what came before, and nothing left running."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress

import pytest

from services.ingest.prefetch import prefetch


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


def whole(number: int) -> float:
    return 1.0


def reading(
    items: AsyncGenerator[int, None], limit: int = 1, weight: Callable[[int], float] = whole, linger: float = 0.01
) -> AsyncGenerator[list[int], None]:
    return prefetch(items, limit, weight, linger)


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("limit", [1, 3])
async def test_order_is_kept_and_no_more_is_made_than_was_asked_for(limit: int) -> None:
    numbers = Numbers(50)
    seen = []
    async for few in reading(numbers.make(), limit):
        seen += few
        await turns()
        # one in use, `limit` that wait, one that is made and finds no room
        assert numbers.made <= len(seen) + limit + 1
    assert seen == list(range(50))


async def test_what_piled_up_is_taken_together_up_to_a_full_list() -> None:
    numbers = Numbers(50)
    lists = []
    async for few in reading(numbers.make(), weight=lambda number: 0.1):
        lists.append(few)
        await turns()
        assert numbers.made <= sum(map(len, lists)) + 12
    assert [number for few in lists for number in few] == list(range(50))
    assert max(map(len, lists)) == 10
    assert len(lists) <= 7


async def test_an_item_heavier_than_a_list_comes_alone() -> None:
    weights = [0.2, 0.2, 5.0, 0.2, 0.2]
    lists = []
    async for few in reading(Numbers(5).make(), 10, lambda number: weights[number]):
        lists.append(few)
        await turns()
    assert lists == [[0, 1], [2], [3, 4]]


async def test_who_is_behind_waits_for_more_but_not_long() -> None:
    stuck = asyncio.Event()

    async def items() -> AsyncGenerator[int, None]:
        yield 0
        await asyncio.sleep(0.02)
        yield 1
        await asyncio.sleep(0.02)
        yield 2
        await stuck.wait()

    async with asyncio.timeout(60), aclosing(reading(items(), weight=lambda number: 0.1, linger=0.2)) as lists:
        assert await anext(lists) == [0]  # whoever waits gets it at once
        await asyncio.sleep(0.03)
        began = time.monotonic()
        assert await anext(lists) == [1, 2]
        assert time.monotonic() - began >= 0.2


async def test_an_error_comes_behind_the_items_before_it() -> None:
    numbers = Numbers(5, KeyError("broken"))
    lists = reading(numbers.make(), 2)
    assert [await anext(lists) for _ in range(5)] == [[0], [1], [2], [3], [4]]
    with pytest.raises(KeyError):
        await anext(lists)


async def test_who_stops_early_leaves_nothing_running() -> None:
    numbers = Numbers(100)
    lists = reading(numbers.make(), 2)
    assert await anext(lists) == [0]
    await lists.aclose()
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

    async with asyncio.timeout(60), aclosing(reading(items())) as lists:
        async for _ in lists:
            await waits.wait()
            break
