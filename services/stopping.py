"""What an order to stop cuts off, and the end of a process that does not obey it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any

import structlog

LATE_SECONDS = 10.0
"""How much longer than it was given a process may take to end, until it is ended by force."""
_SAYING_SECONDS = 2.0
"""What is said at such an end may take so long: standard error may be a pipe that is full."""
_MOST_PLACES = 10
_FAILED = 1
_FRAMES, _INNER = ("cr_frame", "gi_frame", "ag_frame"), ("cr_await", "gi_yieldfrom", "ag_await")
"""Of coroutines and generators: the frame, and what is waited for inside."""


class Stopped(Exception):
    """The order to stop came before all was open; what was open is closed."""


@asynccontextmanager
async def cut_off(stop: asyncio.Event) -> AsyncIterator[None]:
    """Cancel what is done inside as soon as `stop` is set, whatever it waits for. Raises Stopped.

    For opening, and for what only reads: nobody else would look at the order while a server does not answer.
    """

    async def expire() -> None:
        await stop.wait()
        limit.reschedule(asyncio.get_running_loop().time())

    try:
        async with asyncio.timeout(None) as limit:
            expiring = asyncio.create_task(expire())
            try:
                yield
            finally:
                expiring.cancel()
    except TimeoutError:
        if not limit.expired():
            raise
        raise Stopped from None
    if stop.is_set():
        raise Stopped


class Deadline:
    """The end of a process by force, so many seconds after its `start`, unless it is cancelled."""

    def __init__(
        self, seconds: float, loop: asyncio.AbstractEventLoop, end: Callable[[int], object] = os._exit
    ) -> None:
        self._seconds = seconds
        self._loop = loop
        self._end = end
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        """Let the time run, once: in a thread, for the loop may hang as well."""
        if self._timer is None:
            self._timer = threading.Timer(self._seconds, self._over)
            self._timer.daemon = True
            self._timer.start()

    def cancel(self) -> None:
        """Let the process live."""
        if self._timer is not None:
            self._timer.cancel()

    def _over(self) -> None:
        try:
            saying = threading.Thread(target=self._say, daemon=True)
            saying.start()
            saying.join(_SAYING_SECONDS)
        finally:
            self._end(_FAILED)

    def _say(self) -> None:
        structlog.get_logger("process").error(
            "not stopped in time, ended by force", seconds=self._seconds, frames=waiting(self._loop)
        )


def waiting(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Where the tasks of a loop wait: the function that each began with, and the one it came to; each place once."""
    return list(dict.fromkeys(" > ".join(_places(task)) for task in asyncio.all_tasks(loop)))[:_MOST_PLACES]


def _places(task: asyncio.Task[Any]) -> list[str]:
    frames: list[FrameType] = []
    waits: Any = task.get_coro()
    while waits is not None:
        frame = next((frame for name in _FRAMES if (frame := getattr(waits, name, None)) is not None), None)
        frames += [frame] if frame is not None else []
        waits = next((inner for name in _INNER if (inner := getattr(waits, name, None)) is not None), None)
    ends = dict.fromkeys((*frames[:1], *frames[-1:]))
    return [f"{frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.f_lineno} {frame.f_code.co_name}" for frame in ends]
