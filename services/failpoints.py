"""Failpoints: named places where a test stops, slows or kills the process. Nothing happens there in production.

    await failpoints.reach("ingest.sent")

A test arms an action for what runs in its own context, so that two hosts of one process can meet different fates:

    with failpoints.armed(action):
        await run(...)

A child process is armed by its environment: `VISABUS_TEST_FAILPOINT=ingest.sent:2:SIGKILL` sends it that signal the
second time that it reaches that point.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Action = Callable[[str], Awaitable[None]]
"""Awaited with the name of each point that is reached."""

VARIABLE = "VISABUS_TEST_FAILPOINT"

POINTS = frozenset(
    "append.begin append.written append.committed"
    " compare.written resolve.locked resolve.written resolve.committed outbox.sent"
    " door.decoded door.sent door.answered door.saved"
    " ingest.decoded ingest.sent ingest.saved"
    " replay.sent replay.marked"
    " ask.sent"
    " rebuild.filled rebuild.compared switch.locked switch.carried switch.written switch.committed drop.marked".split()
)
"""Every point there is."""

_action: ContextVar[Action | None] = ContextVar("failpoint", default=None)
_everywhere: Action | None = None


async def reach(point: str) -> None:
    """Do what is armed for this place, which in production is nothing."""
    for action in (_action.get(), _everywhere):
        if action is not None:
            await action(point)


async def ignore(point: str) -> None:
    """Do nothing."""


@contextmanager
def armed(action: Action) -> Iterator[None]:
    """Arm an action for what runs, or is started as a task, inside of this context."""
    token = _action.set(action)
    try:
        yield
    finally:
        _action.reset(token)


def signals(point: str, nth: int, sent: signal.Signals) -> Action:
    """Return an action that sends this process a signal the `nth` time that it reaches the point. Raises ValueError."""
    if point not in POINTS:
        raise ValueError(f"there is no failpoint {point!r}")
    passed = 0

    async def action(at: str) -> None:
        nonlocal passed
        if at == point:
            passed += 1
            if passed == nth:
                os.kill(os.getpid(), sent)

    return action


def arm_by(value: str) -> None:
    """Arm this process as the environment variable says: `POINT:NTH:SIGNAL`. Raises ValueError."""
    global _everywhere
    point, nth, name = value.split(":")
    _everywhere = signals(point, int(nth), signal.Signals[name])


if os.environ.get(VARIABLE):
    arm_by(os.environ[VARIABLE])
