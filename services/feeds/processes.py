"""Which process holds a feed, told so that another one on the same machine sees whether it still runs."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from uuid import uuid4


def new_owner() -> str:
    """Return a name for this process: unique, and with its place where the system says that."""
    place = _place()
    return f"{uuid4().hex}@{place}:{os.getpid()}:{_begun(os.getpid())}" if place else uuid4().hex


def has_ended(owner: str) -> bool:
    """Return whether the process of that name ran on this machine and runs no more. False where that is not known."""
    place, _, process = owner.partition("@")[2].partition(":")
    number, _, begun = process.partition(":")
    if not place or place != _place() or not number.isdecimal():
        return False
    return _begun(int(number)) != begun


@cache
def _place() -> str:
    """This boot of this machine, and the name space of its processes; empty where the system does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _begun(process: int) -> str:
    """When a process began, in ticks since the boot; empty if there is none, or if it waits for its parent only."""
    try:
        # behind the name, which may contain anything, come the state and, as the 20th field from there, the start
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
