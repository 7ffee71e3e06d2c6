"""Prefetching: items are made while the last ones are in use, and what has gathered by then is taken together."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import TypeVar

from links.tasks import cancel

T = TypeVar("T")


async def prefetch(
    items: AsyncGenerator[T, None], limit: int, weight: Callable[[T], float], linger: float
) -> AsyncGenerator[list[T], None]:
    """Yield the same items in the same order, made ahead by one task from first to last, a list of them at a time.

    A list weighs one at most, unless it is a single item; items of a weight of about `limit` are made ahead. The first
    item of a quiet time is yielded at once. While items stream, coming within `linger` seconds of the last list, a
    full list is waited for, `linger` seconds at most: each list costs its reader a wait for a disk. What the generator
    raises is raised here, behind the items that came before it.
    """
    ready: deque[T] = deque()
    held = 0.0
    changed, room = asyncio.Event(), asyncio.Event()
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
                    ready.append(item)
                    held += weight(item)
                    changed.set()
        finally:
            changed.set()

    async def full() -> None:
        while held < 1 and not filler.done():
            changed.clear()
            await changed.wait()

    filler = asyncio.create_task(fill())
    since = -2 * linger  # when the last list was done with
    try:
        while True:
            while not ready and not filler.done():
                changed.clear()
                await changed.wait()
            if not ready:
                break
            if time.monotonic() - since < linger:
                with suppress(TimeoutError):
                    async with asyncio.timeout(linger):
                        await full()
            some = [ready.popleft()]
            weighs = weight(some[0])
            while ready and weighs + weight(ready[0]) <= 1:
                weighs += weight(ready[0])
                some.append(ready.popleft())
            held -= weighs
            room.set()
            yield some
            since = time.monotonic()
        await filler
    finally:
        over = True
        await cancel(filler)
