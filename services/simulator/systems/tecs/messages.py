"""Messages of TECS by its interface document: records of 80 characters, the messages of a day in one file."""

from __future__ import annotations

import os
from pathlib import Path
from time import time

from services.simulator.clock import stamp
from services.simulator.spill_buffer import SpillBuffer

PAGE, LENGTH = "cp037", 80
_HELD = "#####"
"""In place of the number of an inspection, until its message is put together."""


def record(kind: str, *values: str) -> str:
    """Return a record of an inspection."""
    return (kind + _HELD + "".join(values)).ljust(LENGTH)


def text(value: str, size: int) -> str:
    """Return a text, cut or filled with blanks."""
    return value[:size].ljust(size)


class Messages:
    """All messages, one for each day on which inspections were recorded."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._spill_buffer = SpillBuffer(directory)
        self.inspections = self.filtered = 0

    def add(self, recorded: int, number: int, records: str, *, filtered: bool = False) -> None:
        """Write an inspection at an instant."""
        at = stamp(recorded)
        self._spill_buffer.add(at[:8], f"{at}\t{number:012}\t{records}\n".encode("ascii"))
        self.inspections += 1
        self.filtered += filtered

    def finish(self) -> None:
        """Write the files."""
        for sequence, (day, data) in enumerate(self._spill_buffer.take(), 1):
            lines = sorted(line.split("\t") for line in data.decode("ascii").splitlines())
            inspections = [line[2].replace(_HELD, f"{number:05}") for number, line in enumerate(lines, 1)]
            body = "".join(inspections)
            head = f"TH00100JFK{sequence:09}{day}235959".ljust(LENGTH)
            tail = f"TZ9{sequence:09}{len(lines):05}{len(body) // LENGTH + 2:06}".ljust(LENGTH)
            path = self._directory / f"TECS.D{day}"
            path.write_bytes((head + body + tail).encode(PAGE))
            lain = int(time()) - 3_600
            os.utime(path, (lain, lain))
