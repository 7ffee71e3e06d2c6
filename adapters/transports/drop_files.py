"""What all drops of files do alike, wherever the files lie: names, waiting for the end, content known, unwrapping."""

from __future__ import annotations

import gzip
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from adapters.core import BadRecord, Batch, Completeness, Format, Json, Read, Resent, TellsCompleteness
from adapters.transports.archives import Bounded, read_zip, whole_archive
from adapters.transports.drop_memory import Done
from adapters.transports.offline import opened
from adapters.transports.slices import at_once, by_few

log = logging.getLogger(__name__)
_TEMPORARY = (".part", ".tmp", ".filepart", ".partial")
SMALL = 2**18
"""Files up to this size are kept in memory when they are digested: what was digested is then what is read."""
_QUICK = 2**14
"""Contents up to this size are read at once: to have a thread do it would cost more."""
Reader = Callable[[], AsyncIterator[Read]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that is to be read, with its content if it is small: what was digested is then what is read."""

    done: Done
    content: bytes | None = field(repr=False)


A_LINK = "a link, which is not followed"


class Waiting(Protocol):
    """How long a drop waits for a file, and how it is wrapped."""

    @property
    def unwrap(self) -> str | None: ...
    @property
    def unchanged(self) -> float: ...
    @property
    def patience(self) -> float: ...


class Remembers(Protocol):
    """What is known of the files that are done."""

    again: int

    def same(self, digest: str) -> str | None:
        """The name of a file with this content."""

    def position(self) -> Json:
        """All of it, as a position."""


def check_options(unwrap: str | None, window: int) -> None:
    """Raises ValueError for options that make no sense."""
    if unwrap not in (None, "gzip", "zip"):
        raise ValueError(f"unwrap {unwrap!r} is not understood")
    if window < 1:
        raise ValueError("a window of at least one file")


def is_temporary(name: str) -> bool:
    """Whether senders give such a name to what they have not written to its end."""
    return name.startswith(".") or name.endswith(_TEMPORARY)


def misses(name: str, pattern: str) -> str:
    """The note on a file that no feed takes."""
    return f"{name}: its name does not match {pattern}"


def spelled(name: str) -> str:
    """A name as it can stand in a position: bytes that are no UTF-8, which came as surrogates, as `\\xfc`."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")


def end_of(stream: BinaryIO, format: Format, unwrap: str | None) -> Completeness | None:
    """What a file's end says; None if nothing in it could tell. Leaves the stream anywhere."""
    if unwrap == "zip":
        return Completeness.CLOSED if whole_archive(stream) else Completeness.OPEN
    if unwrap is None and isinstance(format, TellsCompleteness):
        return format.is_complete(stream)
    return None


def tells_its_end(format: Format, unwrap: str | None) -> bool:
    """Whether it is worth while to read what a file's end says."""
    return unwrap == "zip" or (unwrap is None and isinstance(format, TellsCompleteness))


def why_not_yet(options: Waiting, age: float, end: Callable[[], Completeness | None]) -> str:
    """Why a file that has lain for `age` seconds as it is is not to be taken yet; nothing if it is."""
    if age < options.unchanged and (options.unwrap is not None or end() is not Completeness.COUNTED):
        return f"it is taken once it has lain unchanged for {options.unchanged:g} s"
    if age < options.patience and end() is Completeness.OPEN:
        patience = f"once it has lain unchanged for {options.patience:g} s it is read as it is"
        return f"what closes it is missing; {patience}"
    return ""


def batch_of(memory: Remembers, done: Done, twin: str | None, reader: Reader) -> Batch | None:
    """The batch of a file that is remembered now; a note if `twin` had its content, None if that is the file itself."""
    if twin is None:
        return Batch(done.name, reader, memory.position(), content=done.digest, named=True)
    if twin == done.name:
        return None
    memory.again += 1
    log.info("known content under another name, told in its receipt; not read again")
    return Batch(done.name, _resent(done.name, twin), memory.position(), content=done.digest, named=True)


def small_reader(content: bytes, format: Format, unwrap: str | None, limit: int) -> Reader:
    """What a small file holds."""
    reads = partial(read_file, content, format, unwrap, limit)
    # what is packed may be large in truth, and a large text may take its time: a thread reads those
    quick = unwrap is None and len(content) <= _QUICK
    return (lambda: at_once(reads())) if quick else (lambda: by_few(reads()))


def read_file(file: Path | bytes, format: Format, unwrap: str | None, limit: int) -> Iterator[Read]:
    """What a file, or one of that content, holds. Raises OSError."""
    with opened(file) as stream:
        yield from read_stream(stream, format, unwrap, limit)


def read_stream(stream: BinaryIO, format: Format, unwrap: str | None, limit: int) -> Iterator[Read]:
    """What a file holds. One that is too large, or cannot be unwrapped, is refused from where that showed."""
    size = stream.seek(0, 2)
    stream.seek(0)
    if size > limit:
        yield too_large(size, limit, stream.read(4096))
        return
    if unwrap is None:
        yield from format.read(stream)
        return
    if unwrap == "zip":
        yield from read_zip(stream, format, limit)
        return
    with gzip.GzipFile(fileobj=stream, mode="rb") as unwrapped:
        bounded = Bounded(cast(BinaryIO, unwrapped), limit)
        yield from format.read(cast(BinaryIO, bounded))
        if bounded.problem is not None:
            yield BadRecord(bounded.problem, place=f"byte {bounded.taken} of what was unwrapped", raw=b"")


def too_large(size: int, limit: int, head: bytes) -> BadRecord:
    """The refusal of a file, with its first bytes."""
    return BadRecord(f"a file of {size} bytes, at most {limit}", place="byte 0", raw=head)


def _resent(name: str, twin: str) -> Reader:
    async def records() -> AsyncIterator[Read]:
        yield Resent(place=name, raw=b"", fields={"read as": twin})

    return records
