"""Reading ahead: the next item is made while the last one is in use, and never more than a few."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def ahead(items: AsyncGenerator[T, None], limit: int) -> AsyncGenerator[T, None]:
    """The same items in the same order, up to `limit` of them made ahead, by one task from first to last.

    What the generator raises is raised here, behind the items that came before it.
    """
    queue: asyncio.Queue[T] = asyncio.Queue(limit)
    over = False

    async def fill() -> None:
        async with aclosing(items):
            async for item in items:
                if over:  # cancelled, but the generator was in a call that swallows that (asyncio.wait_for before 3.12)
                    return
                await queue.put(item)

    filler = asyncio.create_task(fill())
    getter: asyncio.Task[T] | None = None
    try:
        while True:
            getter = asyncio.create_task(queue.get())
            await asyncio.wait({getter, filler}, return_when=asyncio.FIRST_COMPLETED)
            if not getter.done():
                break
            yield getter.result()
        getter.cancel()
        while not queue.empty():
            yield queue.get_nowait()
        await filler
    finally:
        over = True
        filler.cancel()
        if getter is not None:
            getter.cancel()
        await asyncio.gather(*(task for task in (filler, getter) if task is not None), return_exceptions=True)
