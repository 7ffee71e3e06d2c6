"""What is seen of a directory between two looks: which files were renamed into it, and which ones grew.

A rename is an end: a file that comes by it is whole. It is known by one of three signs, each of which a file that is
written where it lies does not give:

- the kernel told of it (inotify(7), IN_MOVED_TO), and size, time of change and inode are as they were then;
- its inode lay here under a temporary name at the look before, and its st_ctime is behind its st_mtime;
- its st_ctime is behind its st_mtime, and no process has it open for writing: a rename or a link sets the first alone
  (inode(7)), a write sets both alike. A change of rights also sets the first alone, hence the second half.

The kernel tells nothing of what another host does on a network file system, and not all systems have inotify. So looks
now and then stay what finds files; what the kernel tells only makes the next one come sooner.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from errno import EAGAIN
from pathlib import Path
from typing import Any, NamedTuple

from adapters.core import Watch
from adapters.transports.drop_files import is_temporary

INotify: Any = None
flags: Any = None
if sys.platform == "linux":
    with suppress(ImportError):  # looks now and then find the same
        import inotify_simple

        INotify, flags = inotify_simple.INotify, inotify_simple.flags

log = logging.getLogger(__name__)


class State(NamedTuple):
    """What another file, or other content, would have otherwise."""

    inode: int
    size: int
    changed: int

    @classmethod
    def of(cls, stat: os.stat_result) -> State:
        """That of a file."""
        return cls(stat.st_ino, stat.st_size, stat.st_mtime_ns)


def touched_without_a_write(stat: os.stat_result) -> bool:
    """Whether something other than a write was the last that happened to the file."""
    return stat.st_ctime_ns > stat.st_mtime_ns


def open_for_writing(descriptor: int) -> bool | None:
    """Whether any process of this host has the file open for writing; None where that cannot be told.

    A read lease is granted only where none has (fcntl(2), F_SETLEASE), to the file's owner or with CAP_LEASE. It is
    given back at once. A writer who comes in between waits for that, and the signal that tells of it is one that is
    ignored (SIGIO, the usual one, ends a process).
    """
    if not hasattr(fcntl, "F_SETLEASE") or not hasattr(fcntl, "F_SETSIG"):
        return None
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return True if error.errno == EAGAIN else None
    return False


@dataclass(slots=True)
class DropWatch:
    """What is seen of one directory as long as a feed reads it. `clock` is one that nobody sets."""

    path: Path
    clock: Callable[[], float] = time.monotonic
    _events: Any = None  # an INotify
    _logged: bool = False  # whether it was logged that the kernel tells nothing
    _watched: tuple[int, int] | None = None  # the directory that the events are of
    _came: dict[str, State] = field(default_factory=dict)  # files that were renamed into place, as they were then
    _came_before: dict[str, State] = field(default_factory=dict)  # up to the last look; what is asked for is kept
    _temporary: frozenset[int] = frozenset()  # inodes under temporary names at this look
    _temporary_before: frozenset[int] = frozenset()  # and at the one before
    _states: dict[str, tuple[State, float | None]] = field(default_factory=dict)  # and when they were seen to change
    _states_before: dict[str, tuple[State, float | None]] = field(default_factory=dict)

    def drain(self) -> None:
        """Take what the kernel told up to now; called before a directory is listed. Never raises.

        What nothing was asked about at the last look is forgotten: those files are done, or gone.
        """
        self._came_before, self._came = self._came, {}
        self._states_before, self._states = self._states, {}
        try:
            self._take()  # first: a directory made anew may have the inode of the one that is gone
            directory = self.path.stat()
            if self._watched != (directory.st_dev, directory.st_ino):
                self._begin((directory.st_dev, directory.st_ino))
        except OSError:
            self._end()

    def listed(self, temporary: Iterable[int]) -> None:
        """What a look found: the inodes under temporary names."""
        self._temporary_before, self._temporary = self._temporary, frozenset(temporary)

    def renamed(self, name: str, stat: os.stat_result) -> bool:
        """Whether the file came by a rename, and is as it came."""
        state = State.of(stat)
        came = self._came.get(name) or self._came_before.get(name)
        if stat.st_ino in self._temporary_before and touched_without_a_write(stat):
            came = state  # without a touch it may be a new file that got the inode of one that is gone
        if came == state:
            self._came[name] = state
        return came == state

    def still(self, name: str, stat: os.stat_result) -> float | None:
        """For how many seconds the file has been as it is, by this clock; None if it was not seen otherwise."""
        state = State.of(stat)
        before, changed = self._states.get(name) or self._states_before.get(name, (state, None))
        if before != state:
            changed = self.clock()
        self._states[name] = (state, changed)
        return None if changed is None else self.clock() - changed

    async def stirred(self) -> None:
        """Return once the kernel tells that a file may have come; never where it tells nothing."""
        while self._events is not None:
            readable, loop = asyncio.Event(), asyncio.get_running_loop()
            descriptor = self._events.fileno()
            loop.add_reader(descriptor, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(descriptor)
            try:
                if self._take():
                    return
            except OSError:
                self._end()
        await asyncio.Event().wait()

    def close(self) -> None:
        """Let go of the directory."""
        if self._events is not None:
            self._events.close()
        self._events = self._watched = None

    def _begin(self, directory: tuple[int, int]) -> None:
        """Raises OSError."""
        self.close()
        self._forget()
        if INotify is None:
            return
        self._events = INotify(nonblocking=True)
        mask = flags.MOVED_TO | flags.MOVED_FROM | flags.CREATE | flags.DELETE | flags.CLOSE_WRITE | flags.ONLYDIR
        self._events.add_watch(str(self.path), mask)
        self._watched = directory

    def _end(self) -> None:
        self.close()
        self._forget()
        if not self._logged:
            self._logged = True
            log.info("the system does not tell what comes into a directory: it is looked at now and then only")

    def _forget(self) -> None:
        self._came.clear()
        self._came_before.clear()

    def _take(self) -> bool:
        """Take down what the kernel told; whether a file may have come. Raises OSError."""
        came = False
        for event in self._events.read(timeout=0) if self._events is not None else ():
            if event.mask & flags.Q_OVERFLOW:
                self._forget()
                came = True
            elif event.mask & flags.IGNORED:  # the directory is gone
                self._watched = None
                came = True
            elif event.mask & flags.ISDIR or not event.name or is_temporary(event.name):
                continue
            elif event.mask & flags.CLOSE_WRITE:
                came = True
            else:
                self._came.pop(event.name, None)
                self._came_before.pop(event.name, None)
                if event.mask & (flags.MOVED_TO | flags.CREATE):
                    came |= self._appeared(event.name, renamed=bool(event.mask & flags.MOVED_TO))
        return came

    def _appeared(self, name: str, *, renamed: bool) -> bool:
        """Whether a look is worth while: a file that is made here tells by its close, a link does not."""
        try:
            stat = (self.path / name).lstat()
        except OSError:
            return False
        if renamed:
            self._came[name] = State.of(stat)
        return renamed or touched_without_a_write(stat)


def go_on(before: Watch | None, path: Path) -> DropWatch:
    """What watched the directory until now, or a new one."""
    if isinstance(before, DropWatch) and before.path == path:
        return before
    if before is not None:
        before.close()
    return DropWatch(path)


def age_by(watch: DropWatch | None, name: str, stat: os.stat_result, age: float) -> float:
    """For how long a file has lain as it is: by its time of change or, if it was seen to grow, by what was seen."""
    seen = watch.still(name, stat) if watch is not None else None
    return age if seen is None else min(age, seen)
