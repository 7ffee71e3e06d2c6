"""An order to stop: SIGTERM or SIGINT set an event, and the process ends in its own time."""

from __future__ import annotations

import asyncio
import os
import signal
import sys


def stop_on_signals() -> asyncio.Event:
    """The event that the running loop's process will be told to stop by."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def stop_with_parent(stop: asyncio.Event) -> None:
    """Set the event once standard input ends: it is a pipe of the parent, which ends with it, however that ends."""
    loop, number = asyncio.get_running_loop(), sys.stdin.fileno()

    def read() -> None:
        if not os.read(number, 4096):
            loop.remove_reader(number)
            stop.set()

    loop.add_reader(number, read)
