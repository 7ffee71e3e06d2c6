"""CPU of a program and of all that it starts, those that it does not wait for at its end among them."""

from __future__ import annotations

import os
from pathlib import Path

_HERTZ = os.sysconf("SC_CLK_TCK")


class Tree:
    """A process and its descendants, measured from time to time: what each had used when it was last seen."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._seen: dict[tuple[int, str], float] = {}

    def sample(self) -> float:
        """Measure again and return the seconds of all that were ever seen."""
        pending = [self._process]
        while pending:
            each = pending.pop()
            try:
                fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
                # the process's own: of children that ended and were waited for it is their own last measure that counts
                self._seen[each, fields[19]] = sum(map(int, fields[11:13])) / _HERTZ
                for thread in Path(f"/proc/{each}/task").iterdir():
                    pending += map(int, (thread / "children").read_text().split())
            except OSError:
                continue
        return sum(self._seen.values())
