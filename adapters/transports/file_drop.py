"""A directory that files are dropped into: each file once, in the order of their names.

A file is known by its content. Sent again under another name it is told (a note) and not read. One whose content
changed under its name is read again: records said before keep their ids. A name that comes late, below others that are
done, is read: the position (`drop_memory`) forgets files, and never takes one that it has not seen for one of those.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from hashlib import blake2b
from io import BufferedReader
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

from adapters.core import (
    BadRecord,
    Batch,
    Completeness,
    Credentials,
    Format,
    Json,
    Read,
    Resent,
    SourceDown,
    TellsCompleteness,
)
from adapters.transports.archives import Bounded, read_zip, whole_archive
from adapters.transports.drop_memory import Done, Memory
from adapters.transports.offline import opened
from adapters.transports.slices import at_once, by_few

log = logging.getLogger(__name__)
_TEMPORARY = (".part", ".tmp", ".filepart", ".partial")


_MOST = 64
_SMALL = 2**18
"""Files up to this size are read when they are looked at, several of them together up to this size."""
_QUICK = 2**14
"""Contents up to this size are read at once: to have a thread do it would cost more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that is to be read, with its content if it is small: what was digested is then what is read."""

    done: Done
    content: bytes | None = field(repr=False)


Examined = tuple[str, Seen | None, str]


@dataclass(frozen=True, slots=True)
class FileDrop:
    """The transport. `unchanged`: seconds that a file has lain as it is before it is taken, if its format cannot tell
    by a total that it is whole; `patience`: so long a file whose end is missing is held to be still on its way, then it
    is read as it is.
    """

    pattern: str = "*"
    unwrap: str | None = None  # "gzip"; "zip": an archive's members one after another, a bare file as it is
    unchanged: float = 30.0
    patience: float = 900.0
    window: int = 100
    limit: int = 4 * 2**30  # bytes, and bytes unwrapped
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if self.unwrap not in (None, "gzip", "zip"):
            raise ValueError(f"unwrap {self.unwrap!r} is not understood")
        if self.window < 1:
            raise ValueError("a window of at least one file")

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> DropFolder:
        """The directory at a path or `file:` URL. Raises ValueError if there is no format."""
        if format is None:
            raise ValueError("files need a format")
        parts = urlsplit(url)
        path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(url)
        return DropFolder(path, format, self)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """A file as it would be dropped. Raises OSError, ValueError if there is no format."""
        if format is None:
            raise ValueError("files need a format")
        with opened(source) as stream:
            yield from read_stream(stream, format, self.unwrap, self.limit)


@dataclass(slots=True)
class DropFolder:
    """An opened directory. Every call of `batches` looks at it anew."""

    path: Path
    format: Format
    options: FileDrop
    left: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # names that do not match
    ends: dict[tuple[str, int, int], Completeness] = field(default_factory=dict)
    real: dict[str, str] = field(default_factory=dict)  # names that are no UTF-8, by how they are spelled here

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each file beyond the position. Raises SourceDown."""
        self.left, self.ends = [], {}
        memory = Memory.of(position, self.options.window)
        inodes = await asyncio.to_thread(self._inodes)
        self.left += [f"{name}: its name does not match {self.options.pattern}" for name in sorted(self.others)]
        late, beyond = memory.to_examine(inodes)
        unfinished = await asyncio.to_thread(self._unfinished, [*late, *beyond], memory)
        newest = max(inodes.values(), default=0)
        oldest_unfinished = [min(inodes[name] for name in unfinished)] if unfinished else []
        number = 0
        async for name, seen, why in self._examine_all([*late, *beyond], memory):
            number += 1
            if why:
                self.left.append(f"{name}: {why}")
            if seen is None:
                continue
            done = seen.done
            if memory.full and unfinished:
                log.warning("too many files to remember behind one that may still be on its way: it is waited for")
                self.left.append(f"{name} and what follows: {min(unfinished)} is waited for")
                return
            memory.reach(newest, [*(inodes[each] for each in late[number : number + 1]), *oldest_unfinished])
            twin = memory.same(done.digest)
            memory.add(done, inodes)
            if twin is not None and twin != name:
                memory.again += 1
                log.info("known content under another name, told in its receipt; not read again")
                yield Batch(name, self._resent(name, twin), memory.position(), content=done.digest)
            elif twin is None:
                yield Batch(name, self._reader(name, seen.content), memory.position(), content=done.digest)

    def deferred(self) -> list[str]:
        """Files that may still be on their way."""
        return self.left

    async def close(self) -> None:
        """Nothing is held between two looks."""

    def _inodes(self) -> dict[str, int]:
        """The files of the directory with the time at which something last happened to each. Raises SourceDown."""
        inodes: dict[str, int] = {}
        self.others, self.real = [], {}
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name.endswith(_TEMPORARY):
                        continue
                    with suppress(FileNotFoundError):
                        link, file = entry.stat(follow_symlinks=False), entry.stat()
                        if S_ISREG(file.st_mode):
                            name = self._spelled(entry.name)
                            if fnmatchcase(name, self.options.pattern):
                                inodes[name] = max(link.st_ctime_ns, file.st_ctime_ns)
                            else:
                                self.others.append(name)
        except OSError as error:
            raise SourceDown(f"{self.path}: {error.strerror}") from error
        return inodes

    def _spelled(self, name: str) -> str:
        """The name as it can stand in a position: bytes that are no UTF-8 as `\\xfc`."""
        if name.isascii():
            return name
        spelled = os.fsencode(name).decode("utf-8", "backslashreplace")
        if spelled != name:
            self.real[spelled] = name
        return spelled

    def _path(self, name: str) -> Path:
        return self.path / self.real.get(name, name)

    def _unfinished(self, names: Sequence[str], memory: Memory) -> list[str]:
        """Those that are not to be taken yet. Raises SourceDown."""
        return [name for name in names if self._state(name, memory.done.get(name))[1]]

    async def _examine_all(self, names: Sequence[str], memory: Memory) -> AsyncIterator[Examined]:
        """Each name as `_examine` sees it, a few of them in one go of a thread. Raises SourceDown."""
        first = 0
        while first < len(names):
            few = await asyncio.to_thread(self._examine_few, names[first : first + _MOST], memory.done)
            for each in few:
                yield each
            first += len(few)

    def _examine_few(self, names: Sequence[str], known: Mapping[str, Done]) -> list[Examined]:
        """The first of these names; fewer of them where they have more than a few bytes. Raises SourceDown.

        What is raised at a name that is not the first is raised when it is.
        """
        examined: list[Examined] = []
        size = 0
        for name in names:
            try:
                seen, why = self._examine(name, known.get(name))
            except SourceDown:
                if examined:
                    break
                raise
            examined.append((name, seen, why))
            size += seen.done.size if seen is not None else 0
            if size > _SMALL:
                break
        return examined

    def _examine(self, name: str, before: Done | None) -> tuple[Seen | None, str]:
        """The file as it is if it is to be read: whole, settled, not known; or why not yet. Raises SourceDown."""
        path = self._path(name)
        stat, why = self._state(name, before)
        if stat is None or why:
            return None, why
        content: bytes | None = None
        try:
            if stat.st_size <= _SMALL:
                content = path.read_bytes()
                digest = blake2b(content, digest_size=8).hexdigest()
            else:
                digest = _digest(path)
            after = path.stat()
        except FileNotFoundError:
            log.info("a file went away before it was read")
            return None, ""
        except OSError as error:
            raise SourceDown(f"{path}: {error.strerror}") from error
        if (after.st_size, after.st_mtime_ns) != (stat.st_size, stat.st_mtime_ns):
            return None, ""
        return Seen(Done(name, stat.st_size, stat.st_mtime_ns, digest), content), ""

    def _state(self, name: str, before: Done | None) -> tuple[os.stat_result | None, str]:
        """The file's state, or None if it is as it was before or gone; and why it is not to be taken yet."""
        path = self._path(name)
        try:
            stat = path.stat()
            if before and (before.size, before.changed) == (stat.st_size, stat.st_mtime_ns):
                return None, ""
            if not os.access(path, os.R_OK):
                return stat, "it may not be read: Permission denied"
            age = abs(self.options.clock() - stat.st_mtime)  # the sender's clock may be ahead
            if age < self.options.unchanged and not self._complete(path, stat):
                return stat, f"it is taken once it has lain unchanged for {self.options.unchanged:g} s"
            if age < self.options.patience and not self._ended(path, stat):
                patience = f"once it has lain unchanged for {self.options.patience:g} s it is read as it is"
                return stat, f"what closes it is missing; {patience}"
        except FileNotFoundError:
            return None, ""
        except OSError as error:
            raise SourceDown(f"{path}: {error.strerror}") from error
        return stat, ""

    def _complete(self, path: Path, stat: os.stat_result) -> bool:
        """Whether the file holds as much as its end says."""
        return self.options.unwrap is None and self._end_of(path, stat) is Completeness.COUNTED

    def _ended(self, path: Path, stat: os.stat_result) -> bool:
        """Whether what closes such a file is there, or nothing could tell."""
        if self.options.unwrap == "zip":
            with path.open("rb") as stream:
                return whole_archive(stream)
        return self.options.unwrap is not None or self._end_of(path, stat) is not Completeness.OPEN

    def _end_of(self, path: Path, stat: os.stat_result) -> Completeness | None:
        """What the file's end says; asked once for each state of a file."""
        if not isinstance(self.format, TellsCompleteness):
            return None
        state = (path.name, stat.st_size, stat.st_mtime_ns)
        if state not in self.ends:
            with path.open("rb") as stream:
                self.ends[state] = self.format.is_complete(stream)
        return self.ends[state]

    def _resent(self, name: str, twin: str) -> Callable[[], AsyncIterator[Read]]:
        async def records() -> AsyncIterator[Read]:
            yield Resent(place=name, raw=b"", fields={"read as": twin})

        return records

    def _reader(self, name: str, content: bytes | None) -> Callable[[], AsyncIterator[Read]]:
        if content is None:
            return lambda: by_few(self._reads(self._path(name)))
        reads = partial(read_small, content, self.format, self.options.unwrap, self.options.limit)
        # what is packed may be large in truth, and a large text may take its time: a thread reads those
        quick = self.options.unwrap is None and len(content) <= _QUICK
        return (lambda: at_once(reads())) if quick else (lambda: by_few(reads()))

    def _reads(self, path: Path) -> Iterator[Read]:
        try:
            with path.open("rb") as stream:
                yield from read_stream(stream, self.format, self.options.unwrap, self.options.limit)
        except OSError as error:
            raise SourceDown(f"{path}: {error.strerror}") from error


def read_small(content: bytes, format: Format, unwrap: str | None, limit: int) -> Iterator[Read]:
    """What a file of that content holds."""
    with opened(content) as stream:
        yield from read_stream(stream, format, unwrap, limit)


def read_stream(stream: BufferedReader, format: Format, unwrap: str | None, limit: int) -> Iterator[Read]:
    """What a file holds. One that is too large, or cannot be unwrapped, is refused from where that showed."""
    size = stream.seek(0, 2)
    stream.seek(0)
    if size > limit:
        yield BadRecord(f"a file of {size} bytes, at most {limit}", place="byte 0", raw=stream.read(4096))
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


def _digest(path: Path) -> str:
    state = blake2b(digest_size=8)
    with path.open("rb") as stream:
        while data := stream.read(2**20):
            state.update(data)
    return state.hexdigest()
