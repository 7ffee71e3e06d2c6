"""Garbage collection for a process that makes or holds millions of small objects without cycles."""

from __future__ import annotations

import atexit
import gc


def collect_nothing() -> None:
    """Look for no cycles while a process starts: reading modules leaves next to none, and looking costs a fifth of it.

    `collect_rarely` ends that.
    """
    gc.disable()


def collect_rarely() -> None:
    """Leave what stands at the start alone and look for cycles rarely: it would cost a fifth of the time otherwise.

    At the end nothing is looked through either: the interpreter would do so three times, for half a second where there
    are millions of objects, and what a process leaves behind the system takes back.
    """
    if gc.isenabled():
        gc.collect()
    rarely()
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


def rarely() -> None:
    """Leave what stands alone and look for cycles rarely, where cycles were looked for a moment ago."""
    gc.freeze()
    gc.set_threshold(1_000_000, 50, 100)
    gc.enable()


def leave_alone_what_stands() -> None:
    """Leave what stands at the start alone and collect as usual.

    For a process that answers requests: errors make cycles, and memory has to stay flat however many are refused.
    """
    gc.collect()
    gc.freeze()
