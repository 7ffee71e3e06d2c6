"""Reading ahead: what comes next is made while the last is in use, and what has piled up by then is taken together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import TypeVar

T = TypeVar("T")


async def prefetch(
    items: AsyncGenerator[T, None], limit: int, weight: Callable[[T], float], linger: float
) -> AsyncGenerator[list[T], None]:
    """The same items in the same order, made ahead by one task from first to last, a list of them at a time.

    A list weighs one at most, if it is not a single item; about `limit` is made ahead. Who comes back to find items
    waiting is behind, and waits up to `linger` seconds more for a full list; who waits for an item gets it at once.
    What the generator raises is raised here, behind the items that came before it.
    """
    waiting: deque[T] = deque()
    held = 0.0
    news, room = asyncio.Event(), asyncio.Event()
    over = False

    async def fill() -> None:
        nonlocal held
        try:
            async with aclosing(items):
                async for item in items:
                    while held >= limit and not over:
                        room.clear()
                        await room.wait()
                    if over:  # cancelled, but the generator was in a call that swallows that (asyncio.wait_for < 3.12)
                        return
                    waiting.append(item)
                    held += weight(item)
                    news.set()
        finally:
            news.set()

    async def full() -> None:
        while held < 1 and not filler.done():
            news.clear()
            await news.wait()

    filler = asyncio.create_task(fill())
    try:
        while True:
            if waiting:
                with suppress(TimeoutError):
                    async with asyncio.timeout(linger):
                        await full()
            while not waiting and not filler.done():
                news.clear()
                await news.wait()
            if not waiting:
                break
            taken = [waiting.popleft()]
            weighs = weight(taken[0])
            while waiting and weighs + weight(waiting[0]) <= 1:
                weighs += weight(waiting[0])
                taken.append(waiting.popleft())
            held -= weighs
            room.set()
            yield taken
        await filler
    finally:
        over = True
        filler.cancel()
        await asyncio.gather(filler, return_exceptions=True)
