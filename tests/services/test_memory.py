"""What a process does at its end: it does not look through millions of objects that the system takes back anyway."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import atexit, gc
atexit.register(lambda: print("frozen" if gc.get_freeze_count() > 10_000 and gc.get_count()[0] < 1_000 else "not"))
from services.memory import collect_rarely
if {rarely}:
    collect_rarely()
kept = [[] for _ in range(20_000)]
"""


def at_the_end(*, rarely: bool) -> str:
    """What a process says last; handlers that are registered first are called last."""
    return subprocess.check_output([sys.executable, "-c", PROGRAM.format(rarely=rarely)], text=True).strip()


def test_nothing_is_collected_at_the_end() -> None:
    assert at_the_end(rarely=True) == "frozen"
    assert at_the_end(rarely=False) == "not"
