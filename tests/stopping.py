"""Waits for a process that was told to stop (SIGSTOP)."""

from __future__ import annotations

import time
from pathlib import Path


def wait_until_stopped(pid: int, seconds: float = 60) -> None:
    """Until every thread has stopped, as proc(5) tells it: those that have not may still answer."""
    deadline = time.monotonic() + seconds
    while not all(_stopped(thread) for thread in Path(f"/proc/{pid}/task").iterdir()):
        assert time.monotonic() < deadline, "the process was never stopped"
        time.sleep(0.01)  # it is another process: there is nothing to wait on


def _stopped(thread: Path) -> bool:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0] == "T"
