"""The process that reads what is pushed: `python -m services.ingest.door.reader SYSTEM FEED`.

It has no key, no bus, no settings and no store, an upper limit of memory, and no right to make a file longer. It takes
bodies on standard input and answers with what they hold, each behind its length; a body that takes too long ends it.
"""

from __future__ import annotations

import pickle
import resource
import signal
import sys
from io import BytesIO
from struct import Struct
from typing import BinaryIO

from adapters.core import BadRecord, Feed, Note, Read
from adapters.registry import system_of

SIZE = Struct(">BI")
"""What stands before each answer: which kind, and how many bytes follow."""
READS, TOO_MANY, NO_MEMORY, READY = range(4)
Flat = Read | tuple[str, str, str, bytes, str | None]


def flat(read: Read) -> Flat:
    """What is read in a form that pickles: an exception does not by itself."""
    if isinstance(read, BadRecord):
        return ("bad", read.reason, read.place, read.raw, read.record)
    return read


def answer(feed: Feed, body: bytes, most: int) -> tuple[int, bytes]:
    """The kind of answer to a body, and its bytes."""
    if feed.format is None:
        raise ValueError(f"{feed.name} has no format")
    reads: list[Flat] = []
    records = 0
    try:
        for read in feed.format.read(BytesIO(body)):
            reads.append(flat(read))
            records += not isinstance(read, Note)
            if records > most:
                return TOO_MANY, b""
        return READS, pickle.dumps(reads, pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return NO_MEMORY, b""


def _bound(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _tell(out: BinaryIO, kind: int, data: bytes) -> None:
    out.write(SIZE.pack(kind, len(data)))
    out.write(data)
    out.flush()


def main(system: str, name: str, most: str, memory: str, seconds: str) -> None:
    """Answer one body after another until there are no more."""
    known = system_of(system)  # alone: a door waits for this process
    if known is None:
        raise KeyError(system)
    feed = known.feed(name)
    _bound(int(memory))
    source, out = sys.stdin.buffer, sys.stdout.buffer
    _tell(out, READY, b"")
    while head := source.read(SIZE.size):
        _, size = SIZE.unpack(head)
        body = source.read(size)
        signal.alarm(int(seconds))  # the default action ends the process, should the one that waits be gone
        kind, data = answer(feed, body, int(most))
        signal.alarm(0)
        _tell(out, kind, data)
        if kind == NO_MEMORY:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
