"""A directory that files are dropped into: each file once, in the order of their names.

A file is known by its content. Sent again under another name it is told (a note) and not read. One whose content
changed under its name is read again: records said before keep their ids. A name that comes late, below others that are
done, is read: the position (`drop_memory`) forgets files, and never takes one that it has not seen for one of those.

A file that was renamed into place is whole and read at once (`drop_watch` tells how that is known). One that is written
where it lies may grow: it waits until it has lain unchanged for a while.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from errno import ELOOP
from fnmatch import fnmatchcase
from hashlib import blake2b
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import BinaryIO, ClassVar
from urllib.parse import unquote, urlsplit

from adapters.core import Batch, Completeness, Credentials, Format, Json, Read, SourceDown, Watch
from adapters.transports.drop_files import (
    A_LINK,
    SMALL,
    Reader,
    Seen,
    batch_of,
    check_options,
    end_of,
    is_temporary,
    misses,
    read_file,
    read_stream,
    small_reader,
    spelled,
    tells_its_end,
    why_not_yet,
)
from adapters.transports.drop_memory import Done, Memory
from adapters.transports.drop_watch import DropWatch, age_by, go_on, open_for_writing, touched_without_a_write
from adapters.transports.needed_format import needed
from adapters.transports.slices import by_few
from links.reasons import Reason

log = logging.getLogger(__name__)
_MOST = 64
"""Files that are examined in one go, as long as they are small together."""
Examined = tuple[str, Seen | None, str]


class LinkInItsPlace(OSError):
    """A link, a pipe or a directory in the place of a file."""


@dataclass(frozen=True, slots=True)
class FileDrop:
    """The transport. `unchanged`: seconds that a file has lain as it is before it is taken, if it was not renamed into
    place and its format cannot tell by a total that it is whole; `patience`: so long a file whose end is missing is
    held to be still on its way, then it is read as it is.
    """

    pattern: str = "*"
    unwrap: str | None = None  # "gzip"; "zip": an archive's members one after another, a bare file as it is
    unchanged: float = 30.0
    patience: float = 900.0
    window: int = 100
    limit: int = 4 * 2**30  # bytes, and bytes unwrapped
    clock: Callable[[], float] = time.time
    names_files: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_options(self.unwrap, self.window)

    def open(self, url: str, format: Format | None, credentials: Credentials | None = None) -> DropFolder:
        """The directory at a path or `file:` URL. Raises ValueError if there is no format."""
        parts = urlsplit(url)
        path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(url)
        return DropFolder(path, needed(format, "files"), self)

    def offline(self, source: Path | bytes, format: Format | None) -> Iterator[Read]:
        """A file as it would be dropped. Raises OSError, ValueError if there is no format."""
        yield from read_file(source, needed(format, "files"), self.unwrap, self.limit)


@dataclass(slots=True)
class DropFolder:
    """An opened directory. Every call of `batches` looks at it anew."""

    path: Path
    format: Format
    options: FileDrop
    left: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # names that do not match
    links: list[str] = field(default_factory=list)  # names of links, which are not followed
    ends: dict[tuple[str, int, int], Completeness | None] = field(default_factory=dict)
    real: dict[str, str] = field(default_factory=dict)  # names that are no UTF-8, by how they are spelled here
    seeing: DropWatch | None = None  # what is seen between two looks
    sizes: dict[str, int] = field(default_factory=dict)  # of the files that are there
    passed: int = 0  # bytes of files that the present look has come past
    met: int = 0  # bytes of all that it has to come past

    def watch(self, before: Watch | None) -> Watch:
        """Go on with what watched the directory until now."""
        self.seeing = go_on(before, self.path)
        return self.seeing

    async def batches(self, position: Json | None) -> AsyncIterator[Batch]:
        """A batch for each file beyond the position. Raises SourceDown."""
        self.left, self.ends = [], {}
        memory = Memory.of(position, self.options.window)
        inodes = await asyncio.to_thread(self._inodes)
        self.left += [misses(name, self.options.pattern) for name in sorted(self.others)]
        self.left += [f"{name}: {A_LINK}" for name in sorted(self.links)]
        late, beyond = memory.to_examine(inodes)
        self.passed, self.met = 0, sum(self.sizes.get(name, 0) for name in (*late, *beyond))
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
            if (batch := batch_of(memory, done, twin, self._reader(name, seen.content))) is not None:
                yield batch
            self.passed += self.sizes.get(name, 0)

    def deferred(self) -> list[str]:
        """Files that may still be on their way."""
        return self.left

    def extent(self) -> tuple[int, int]:
        """See `adapters.core.KnowsEnd`."""
        return self.passed, self.met

    async def close(self) -> None:
        """Nothing is held between two looks."""

    def _inodes(self) -> dict[str, int]:
        """The files of the directory with the time at which something last happened to each. Raises SourceDown."""
        inodes: dict[str, int] = {}
        self.others, self.links, self.real, self.sizes = [], [], {}, {}
        temporary = []
        if self.seeing is not None:
            self.seeing.drain()
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if is_temporary(entry.name):
                        temporary.append(entry.inode())
                        continue
                    with suppress(FileNotFoundError):
                        file = entry.stat(follow_symlinks=False)
                        name = self._spelled(entry.name)
                        matches = fnmatchcase(name, self.options.pattern)
                        if S_ISLNK(file.st_mode):
                            self.links.append(name)
                        elif S_ISREG(file.st_mode) and matches:
                            inodes[name] = file.st_ctime_ns
                            self.sizes[name] = file.st_size
                        elif S_ISREG(file.st_mode):
                            self.others.append(name)
                        elif matches:
                            self.left.append(f"{name}: it is no file")
        except OSError as error:
            raise SourceDown(f"{self.path}: {error.strerror}", code=_code(error)) from error
        if self.seeing is not None:
            self.seeing.listed(temporary)
        return inodes

    def _spelled(self, name: str) -> str:
        """The name as it can stand in a position."""
        result = spelled(name)
        if result != name:
            self.real[result] = name
        return result

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
            if size > SMALL:
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
            if stat.st_size <= SMALL:
                with plain_file(path) as stream:
                    content = stream.read()
                digest = blake2b(content, digest_size=8).hexdigest()
            else:
                digest = _digest(path)
            after = path.lstat()
        except FileNotFoundError:
            log.info("a file went away before it was read")
            return None, ""
        except LinkInItsPlace:
            return None, A_LINK
        except OSError as error:
            raise SourceDown(f"{path}: {error.strerror}", code=_code(error)) from error
        if (after.st_size, after.st_mtime_ns) != (stat.st_size, stat.st_mtime_ns):
            return None, ""
        return Seen(Done(name, stat.st_size, stat.st_mtime_ns, digest), content), ""

    def _state(self, name: str, before: Done | None) -> tuple[os.stat_result | None, str]:
        """The file's state, or None if it is as it was before or gone; and why it is not to be taken yet."""
        path = self._path(name)
        try:
            stat = path.lstat()
            if not S_ISREG(stat.st_mode):  # since it was listed
                return None, A_LINK
            if before and (before.size, before.changed) == (stat.st_size, stat.st_mtime_ns):
                return None, ""
            if trouble := _trouble(path):
                return stat, f"it may not be read: {trouble}"
            age = abs(self.options.clock() - stat.st_mtime)  # the sender's clock may be ahead
            age = age_by(self.seeing, path.name, stat, age)
            if age < self.options.unchanged and self._renamed(path, stat):
                age = self.options.unchanged
            return stat, why_not_yet(self.options, age, lambda: self._end_of(path, stat))
        except FileNotFoundError:
            return None, ""
        except LinkInItsPlace:
            return None, A_LINK
        except OSError as error:
            raise SourceDown(f"{path}: {error.strerror}", code=_code(error)) from error

    def _renamed(self, path: Path, stat: os.stat_result) -> bool:
        """Whether the file came by a rename, as it is. Raises OSError."""
        known = self.seeing is not None and self.seeing.renamed(path.name, stat)
        if not known and not touched_without_a_write(stat):
            return False
        with plain_file(path) as stream:
            written = open_for_writing(stream.fileno())
        return written is False or (known and written is None)

    def _end_of(self, path: Path, stat: os.stat_result) -> Completeness | None:
        """What the file's end says; asked once for each state of a file."""
        if not tells_its_end(self.format, self.options.unwrap):
            return None
        state = (path.name, stat.st_size, stat.st_mtime_ns)
        if state not in self.ends:
            with plain_file(path) as stream:
                self.ends[state] = end_of(stream, self.format, self.options.unwrap)
        return self.ends[state]

    def _reader(self, name: str, content: bytes | None) -> Reader:
        if content is None:
            return lambda: by_few(self._reads(self._path(name)))
        return small_reader(content, self.format, self.options.unwrap, self.options.limit)

    def _reads(self, path: Path) -> Iterator[Read]:
        try:
            with plain_file(path) as stream:
                yield from read_stream(stream, self.format, self.options.unwrap, self.options.limit)
        except OSError as error:
            raise SourceDown(f"{path}: {error.strerror}", code=_code(error)) from error


def plain_file(path: Path) -> BinaryIO:
    """Open a file, and neither what a link in its place leads to nor a pipe. Raises LinkInItsPlace, OSError.

    Senders may write the directory; what else this process may read is none of theirs.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == ELOOP:  # open(2): with O_NOFOLLOW, of a symbolic link
            raise LinkInItsPlace(ELOOP, A_LINK) from None
        raise
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise LinkInItsPlace(ELOOP, A_LINK)
    return os.fdopen(descriptor, "rb")


def _trouble(path: Path) -> str:
    """Why this file cannot be read, if so; the others may be readable. Raises FileNotFoundError, LinkInItsPlace."""
    try:
        with plain_file(path) as stream:
            stream.read(1)
    except (FileNotFoundError, LinkInItsPlace):
        raise
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _digest(path: Path) -> str:
    state = blake2b(digest_size=8)
    with plain_file(path) as stream:
        while data := stream.read(2**20):
            state.update(data)
    return state.hexdigest()


def _code(error: OSError) -> Reason | None:
    """Return why a directory or file cannot be read, as far as that has a code; words of the system say the rest."""
    return Reason.ABSENT if isinstance(error, FileNotFoundError) else None
