"""Lines of other libraries, bounded: a library that says the same thousands of times says it once a minute.

A line is known again by its logger and its template. The first is written at once; those that follow within a minute
are counted, and one line behind that minute has their number. A library that fills its templates itself is bounded by
the number of its different lines.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TextIO

SECONDS = 60.0
MOST = 20
"""Different lines of one library a minute; all that go beyond count as one."""
Key = tuple[str, str]
_OTHERS = "other lines"


def template_of(record: logging.LogRecord) -> str:
    """Return the first line of what a library wrote, before it is filled in."""
    return (str(record.msg).splitlines() or [""])[0]


@dataclass(slots=True)
class _Met:
    """One kind of line."""

    since: float
    last: logging.LogRecord
    repeated: int = 0


@dataclass(slots=True)
class Repeats:
    """What was said within the last minute. Used by one thread at a time: its handler has a lock."""

    met: dict[Key, _Met] = field(default_factory=dict)

    def passed(self, record: logging.LogRecord) -> Iterator[logging.LogRecord]:
        """Yield what is to be written now: sums of minutes that are over, and the record unless it is counted."""
        yield from self.sums(record.created - SECONDS)
        if isinstance(record.msg, dict):  # structlog's, which are this project's own
            yield record
            return
        library = record.name.partition(".")[0]
        key = (record.name, template_of(record))
        if key not in self.met and sum(name.partition(".")[0] == library for name, _ in self.met) >= MOST:
            key = (library, _OTHERS)
        if (met := self.met.get(key)) is None:
            self.met[key] = _Met(record.created, record)
            yield record
            return
        met.repeated += 1
        met.last = record

    def sums(self, until: float) -> Iterator[logging.LogRecord]:
        """Yield a line for each kind that was met first before `until` and repeated; its minute is over."""
        for key, met in [each for each in self.met.items() if each[1].since <= until]:
            del self.met[key]
            if met.repeated:
                yield _sum(key, met)


def _sum(key: Key, met: _Met) -> logging.LogRecord:
    """Return the last of the lines as one that says how many there were."""
    record = copy.copy(met.last)
    record.exc_info = record.exc_text = record.stack_info = None
    record.repeated = met.repeated
    if key[1] == _OTHERS:
        record.name, record.msg, record.args = key[0], _OTHERS, ()
    return record


class BoundedHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream, those of other libraries bounded."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.repeats = Repeats()

    def emit(self, record: logging.LogRecord) -> None:
        """Write what is due."""
        for each in self.repeats.passed(record):
            super().emit(each)

    def close(self) -> None:
        """Write the sums that are left, at the end of the process."""
        if not self.stream.closed:
            for each in self.repeats.sums(float("inf")):
                super().emit(each)
        super().close()
