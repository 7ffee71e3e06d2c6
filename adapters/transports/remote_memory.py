"""Which files of a directory are done where nothing but name, size and time of change is known of a file.

Over SFTP there is no time at which an inode changed, and the time of change is whatever the sender sets. So no file
below those that are done is passed over for its name or its time. Position: `done`, the files remembered one by one as
`[name, size, time of change in ns, digest]`; `floor`, the greatest name that was forgotten; `below`, the sketch of the
forgotten, from which each file up to the floor that is new, or has another size or time, can be told; `again`, how many
files were known content under a new name.

Two things are left to trust: that a file whose content is replaced has another size or time, and that no more than some
hundred of those that are done change or go away between two positions. Where more did (an owner puts a year away),
that is told, and what lies there is read again: its records keep their ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from adapters.core import Json
from adapters.transports.drop_memory import Done
from adapters.transports.set_sketch import CAPACITY, Sketch, number_of


class State(NamedTuple):
    """A file as a listing has it: bytes, and the time of its last change in ns."""

    size: int
    changed: int


@dataclass(slots=True)
class RemoteMemory:
    """The position, unpacked. `window`: files that are remembered one by one."""

    window: int
    done: dict[str, Done] = field(default_factory=dict)
    floor: str = ""
    below: Sketch = field(default_factory=Sketch)
    again: int = 0
    gone: set[int] = field(default_factory=set)  # forgotten files that were missing from the listing, as they were

    @classmethod
    def of(cls, position: Json | None, window: int) -> RemoteMemory:
        """Unpack a position."""
        known: dict[str, Any] = position or {}
        done = [Done(*entry) for entry in known.get("done", ())]
        below = Sketch.of(known.get("below"))
        return cls(window, {each.name: each for each in done}, known.get("floor", ""), below, known.get("again", 0))

    def position(self) -> Json:
        """Pack it."""
        return {
            "done": [self.done[name].entry for name in sorted(self.done)],
            "floor": self.floor,
            "below": self.below.text(),
            "again": self.again,
        }

    def to_examine(self, listing: Mapping[str, State]) -> tuple[list[str], bool]:
        """The names of files that are not known as they are, those up to the floor first; and whether all is known.

        Where too much has changed to tell what, all files up to the floor are to be examined: False.
        """
        beyond, below = [], {}
        for name, state in listing.items():
            if name in self.done:
                if not _same(self.done[name], state):
                    beyond.append(name)
            elif name > self.floor:
                beyond.append(name)
            else:
                below[_number(name, *state)] = name
        difference = Sketch(below).difference(self.below)
        if difference is None:
            self.below = Sketch()
            return sorted([*below.values(), *beyond]), False
        new, self.gone = difference
        return sorted(below[number] for number in new) + sorted(beyond), True

    @property
    def crowded(self) -> bool:
        """Whether so many of the forgotten files are gone, or are others now, that they should not be kept in mind."""
        return len(self.gone) > CAPACITY // 2

    def forget_gone(self, listing: Mapping[str, State]) -> None:
        """Take them out that are missing from a second listing too: one alone may miss what is there."""
        self.gone -= {_number(name, *state) for name, state in listing.items()}
        for number in self.gone:
            self.below.remove(number)
        self.gone = set()

    def add(self, done: Done) -> None:
        """Remember a file, and forget the least names.

        None that is greater than both its own and the floor: between them may lie names that are still to be read.
        """
        self.done[done.name] = done
        for name in sorted(self.done):
            if len(self.done) <= self.window or name >= max(done.name, self.floor):
                return
            forgotten = self.done.pop(name)
            self.below.add(_number(name, forgotten.size, forgotten.changed))
            self.floor = max(self.floor, name)

    def same(self, digest: str) -> str | None:
        """The name of a file with this content."""
        return next((done.name for done in self.done.values() if done.digest == digest), None)


def _same(done: Done, state: State) -> bool:
    return (done.size, done.changed) == state


def _number(name: str, size: int, changed: int) -> int:
    return number_of(f"{name}\0{size}\0{changed}")
