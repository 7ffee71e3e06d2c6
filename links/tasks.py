"""The end of a task that waits for another server."""

from __future__ import annotations

import asyncio
from typing import Any

AGAIN_SECONDS = 5.0
"""After how long a task that has not ended is cancelled again: longer than closing a connection takes."""


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until each has ended, in whatever way.

    A library may swallow a cancellation: `asyncio.wait_for` of Python 3.11 does where the answer comes at the same
    moment, and aiokafka where it awaits a task that it has cancelled itself. A loop around it would go on for ever, so
    its task is cancelled again.
    """
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=AGAIN_SECONDS)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # asyncio is not to complain that it was never seen
