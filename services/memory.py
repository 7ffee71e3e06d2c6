"""Garbage collection for a process that makes or holds millions of small objects without cycles."""

from __future__ import annotations

import gc


def collect_nothing() -> None:
    """Look for no cycles while a process starts: reading modules leaves next to none, and looking costs a fifth of it.

    `collect_rarely` ends that.
    """
    gc.disable()


def collect_rarely() -> None:
    """Leave what stands at the start alone and look for cycles rarely: it would cost a fifth of the time otherwise."""
    if gc.isenabled():
        gc.collect()
    gc.freeze()
    rarely()


def rarely() -> None:
    """Look for cycles rarely from now on: for a process that goes on to import most of what it is made of."""
    gc.set_threshold(400_000, 50, 100)
    gc.enable()


def leave_alone_what_stands() -> None:
    """Leave what stands at the start alone and collect as usual.

    For a process that answers requests: errors make cycles, and memory has to stay flat however many are refused.
    """
    gc.collect()
    gc.freeze()
