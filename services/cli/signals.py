"""An order to stop: SIGTERM or SIGINT set an event, and the process ends in its own time."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from services.cli.context import current_command
from services.stopping import LATE_SECONDS, Deadline


def stop_on_signals(seconds: float | None) -> asyncio.Event:
    """The event that the running loop's process will be told to stop by.

    A process of a command that still runs `LATE_SECONDS` after the `seconds` that it was given to stop says what it
    waits for, and is ended by force: a library may wait for a server without end. None: it ends others, and is not cut
    off from that.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    command = current_command()
    deadline = Deadline(seconds + LATE_SECONDS, loop) if seconds is not None and command is not None else None
    if command is not None and deadline is not None:
        command.call_on_close(deadline.cancel)

    def ordered() -> None:
        stop.set()
        if deadline is not None:
            deadline.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ordered)
    return stop


def stop_with_parent() -> None:
    """Take the end of standard input for an order to stop: it is a pipe of the parent, which ends with it in any case.

    For a process that takes orders (`stop_on_signals`): it is ended by force as by any other, where it does not obey.
    """
    loop, number = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(number, 4096):
            loop.remove_reader(number)
            signal.raise_signal(signal.SIGTERM)

    loop.add_reader(number, read)
