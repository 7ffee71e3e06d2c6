"""Which files of a directory are done, told in a few kilobytes however many there were.

Position: `done`, the files remembered one by one as `[name, size, mtime in ns, digest]`; `floor`, the greatest name
that was forgotten; `reached`: a file up to `floor` that is not remembered is done if nothing happened to it since then,
by the time at which its inode changed (st_ctime, in ns); `again`, how many files were known content under a new name.

Names do not come in their order: a backlog is copied in any, and a half-written file is finished behind others. So a
name below the floor is no sign that a file is done. Writing, renaming or linking a file sets its st_ctime, which nobody
can set back; `reached` stays below that of each file that was seen and not read. What is left to trust is that the
clock of the file system does not go back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.core import Json

FULL = 10
"""Windows that may be remembered before a file that is still on its way has to be waited for."""


@dataclass(frozen=True, slots=True)
class Done:
    """A file that was read."""

    name: str
    size: int
    changed: int
    digest: str
    entry: tuple[str, int, int, str] = field(init=False, repr=False, compare=False)  # in a position, made once

    def __post_init__(self) -> None:
        object.__setattr__(self, "entry", (self.name, self.size, self.changed, self.digest))


@dataclass(slots=True)
class Memory:
    """The position, unpacked. `window`: files that are remembered one by one."""

    window: int
    done: dict[str, Done] = field(default_factory=dict)
    floor: str = ""
    reached: int | None = None
    again: int = 0

    @classmethod
    def of(cls, position: Json | None, window: int) -> Memory:
        """Unpack a position."""
        known: dict[str, Any] = position or {}
        done = [Done(*entry) for entry in known.get("done", ())]
        return cls(
            window,
            {entry.name: entry for entry in done},
            known.get("floor", ""),
            known.get("reached"),
            known.get("again", 0),
        )

    def position(self) -> Json:
        """Pack it."""
        return {
            "done": [self.done[name].entry for name in sorted(self.done)],
            "floor": self.floor,
            "reached": self.reached,
            "again": self.again,
        }

    def to_examine(self, inodes: Mapping[str, int]) -> tuple[list[str], list[str]]:
        """Of names with their st_ctime those up to the floor to which something happened, by time, and those beyond."""
        late: list[str] = []
        beyond: list[str] = []
        for name, changed in inodes.items():
            if name > self.floor:
                beyond.append(name)
            elif self.reached is not None and changed > self.reached:
                late.append(name)
        return sorted(late, key=lambda name: (inodes[name], name)), sorted(beyond)

    def reach(self, newest: int, unread: Iterable[int]) -> None:
        """Everything in the directory, up to the newest st_ctime, was looked at but what is unread, by its st_ctime.

        The last tick of the clock stays out, for a file may yet come in it; unless so many came that it must be over.
        """
        now = newest - (not self.full)
        self.reached = min((max(now, self.reached or 0), *(changed - 1 for changed in unread)))

    def add(self, done: Done, inodes: Mapping[str, int]) -> None:
        """Remember a file, and forget those to which nothing happened since `reached`, the least names first.

        None that is greater than both its own and the floor: between them may lie names that nobody has looked at.
        """
        self.done[done.name] = done
        for name in sorted(self.done):
            if len(self.done) <= self.window or name >= max(done.name, self.floor):
                return
            if inodes.get(name, 0) <= (self.reached or 0):
                del self.done[name]
                self.floor = max(self.floor, name)

    @property
    def full(self) -> bool:
        """Whether it would get too large."""
        return len(self.done) >= FULL * self.window

    def same(self, digest: str) -> str | None:
        """The name of a file with this content."""
        return next((done.name for done in self.done.values() if done.digest == digest), None)
