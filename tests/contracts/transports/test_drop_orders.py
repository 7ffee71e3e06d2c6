"""Files that come in any order, some half-written, while a drop that forgets most of them looks: each is read once."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, BinaryIO

import orjson
import pytest
from opening import connect

from adapters.core import Completeness, Feed, Json, Mapped, Read, Record
from adapters.transports import drop_memory
from adapters.transports.drop_memory import FULL, Memory
from adapters.transports.file_drop import FileDrop

WINDOW = 2
END = b"END\n"


class Ending:
    """A record is a line; a file is whole once it ends with END."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        for line in stream:
            yield Record("line", line, {"text": line.decode().strip()})

    def is_complete(self, stream: BinaryIO) -> Completeness:
        return Completeness.CLOSED if stream.read().endswith(END) else Completeness.OPEN


@dataclass
class Yard:
    """A directory in which files appear, and a drop that looks at it now and then."""

    path: Path
    rng: Random
    left: list[str]  # names that have not come yet
    half: list[str] = field(default_factory=list)  # those that are not whole yet
    read: Counter[str] = field(default_factory=Counter)  # by name, how often it was read whole
    position: Json | None = None
    met: Counter[str] = field(default_factory=Counter)  # what the world holds
    largest: int = 0  # of the positions, in files

    def feed(self) -> Feed:
        transport = FileDrop(unchanged=0, patience=3600, window=WINDOW)
        return Feed("drop", transport, lambda entry, origin: Mapped(), Ending())

    def comes(self) -> None:
        """A file appears, whole or half, or a half one is finished."""
        if self.half and (not self.left or self.rng.random() < 0.3):
            name = self.half.pop(self.rng.randrange(len(self.half)))
            with (self.path / name).open("ab") as file:
                file.write(END)
        elif self.left:
            name = self.left.pop()
            self.met["late"] += bool(self.position and name < self.position["floor"])
            new = self.path.parent / f"{self.path.name}.new"
            whole = self.rng.random() < 0.8
            new.write_bytes(name.encode() + b"\n" + END * whole)
            if whole and self.rng.random() < 0.5:
                os.utime(new, (0, 0))  # copied with the time of its source
            new.rename(self.path / name)
            if not whole:
                self.half.append(name)
                self.met["half"] += 1
        if self.rng.random() < 0.2:
            time.sleep(0.005)  # longer than the clock of a file system stands still

    async def looks(self, cut: bool) -> None:
        """Read what is there; files go on coming. Where it is cut the process died behind a saved position."""
        transport = connect(str(self.path), self.feed())
        many = self.rng.randrange(4) if cut else 1000
        async for batch in transport.batches(self.position):
            lines = [read.fields["text"] async for read in batch.records() if isinstance(read, Record)]
            assert lines == [batch.name, "END"], "half a file"
            self.read[batch.name] += 1
            self.position = orjson.loads(orjson.dumps(batch.after))
            self.largest = max(self.largest, len(batch.after["done"]))
            if self.rng.random() < 0.3:
                self.comes()
            many -= 1
            if many < 0:
                self.met["cut"] += 1
                break
        await transport.close()


async def world(path: Path, seed: int) -> Yard:
    """All files have come, all is read."""
    rng = Random(seed)
    names = [f"N{number:03}" for number in range(rng.randrange(10, 40))]
    rng.shuffle(names)
    yard = Yard(path, rng, names)
    while yard.left or yard.half:
        for _ in range(rng.choice((1, 1, 3, 10))):
            yard.comes()
        if rng.random() < 0.6:
            await yard.looks(cut=rng.random() < 0.3)
    for _ in range(2):
        await yard.looks(cut=False)
    return yard


def wrong(yard: Yard) -> list[str]:
    """Violations of: each file once, and a small position."""
    results = [f"{path.name} lost" for path in yard.path.iterdir() if not yard.read[path.name]]
    results += [f"{name} read {count} times" for name, count in yard.read.items() if count > 1]
    return results + ["a position too large"] * (yard.largest > FULL * WINDOW + 1)


async def worlds(path: Path, seeds: Iterable[int]) -> tuple[list[str], Counter[str]]:
    """What goes wrong in some worlds, and how many hold what they are about."""
    results: list[str] = []
    met: Counter[str] = Counter()
    for seed in seeds:
        (path / str(seed)).mkdir()
        yard = await world(path / str(seed), seed)
        results += [f"world {seed}: {each}" for each in wrong(yard)]
        met.update(kind for kind, count in yard.met.items() if count)
    return results, met


@pytest.mark.law(
    2,
    "60 random directories whose files come in any order, some half-written, before, behind and during "
    "a look that remembers two of them and may be cut off: each once",
)
@pytest.mark.slow
async def test_each_file_is_read_once_in_whatever_order_they_come(tmp_path: Path) -> None:
    result, met = await worlds(tmp_path, range(60))
    assert result == []
    assert all(met[kind] >= 20 for kind in ("late", "half", "cut")), met


async def test_each_is_read_once_in_some_worlds(tmp_path: Path) -> None:
    """The same, quickly."""
    result, met = await worlds(tmp_path, range(100, 112))
    assert result == []
    assert met.keys() == {"late", "half", "cut"}


def by_name_alone(self: Memory, inodes: dict[str, int]) -> tuple[list[str], list[str]]:
    """Planted: a name up to the floor is a file that is done."""
    return [], sorted(name for name in inodes if name > self.floor)


def whatever_is_unread(self: Memory, newest: int, unread: Any) -> None:
    """Planted: what waits, or has still to be read, counts as looked at."""
    sound_reach(self, newest, [])


def never(self: Memory, done: drop_memory.Done, inodes: dict[str, int]) -> None:
    """Planted: nothing is forgotten."""
    self.done[done.name] = done


sound_reach = Memory.reach


@pytest.mark.law(
    2,
    planted="a name below the last one forgotten taken for done; what waits or has still to be read taken for "
    "looked at; nothing forgotten",
)
@pytest.mark.parametrize(
    ("method", "bug", "reported"),
    [
        ("to_examine", by_name_alone, "lost"),
        ("reach", whatever_is_unread, "lost"),
        ("add", never, "a position too large"),
    ],
)
async def test_a_planted_bug_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, bug: Callable[..., Any], reported: str
) -> None:
    monkeypatch.setattr(Memory, method, bug)
    for seed in range(40):
        result, _ = await worlds(tmp_path, [seed])
        if any(reported in each for each in result):
            return
    raise AssertionError("the bug was not seen")


async def test_where_too_many_would_have_to_be_remembered_the_half_file_is_waited_for(tmp_path: Path) -> None:
    yard = Yard(tmp_path, Random(0), [])
    (tmp_path / "N000").write_bytes(b"N000\n")
    await asyncio.sleep(0.02)  # longer than the clock of a file system stands still
    for number in range(1, FULL * WINDOW + 10):
        name = f"N{number:03}"
        (tmp_path / name).write_bytes(name.encode() + b"\n" + END)
    await yard.looks(cut=False)
    assert len(yard.read) == FULL * WINDOW
    transport = connect(str(tmp_path), yard.feed())
    assert [batch async for batch in transport.batches(yard.position)] == []
    assert transport.deferred()[-1] == f"N{FULL * WINDOW + 1:03} and what follows: N000 is waited for"
    with (tmp_path / "N000").open("ab") as file:
        file.write(END)
    await yard.looks(cut=False)
    assert wrong(yard) == []
    assert yard.position is not None
    assert len(yard.position["done"]) <= FULL * WINDOW
