"""Files that come into a directory in all ways that senders have: none is read half, and a rename is an end."""

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

from adapters.core import Json, Read, Record
from adapters.transports import drop_watch, file_drop
from adapters.transports.drop_watch import DropWatch, State
from adapters.transports.file_drop import DropFolder, FileDrop

TICK = 0.011
"""Longer than the clock of a file system stands still."""
LINES = 4


class Lines:
    """A record is a line; nothing tells that a file is whole."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        for line in stream:
            yield Record("line", line, {"text": line.decode().strip()})


@dataclass
class Yard:
    """A directory that files come into, and a feed that looks at it. `ways`: what the feed can tell by."""

    path: Path
    rng: Random
    ways: str = "all"
    position: Json | None = None
    watch: DropWatch | None = None
    skew: float = 0.0
    number: int = 0
    under_way: list[Iterator[bool]] = field(default_factory=list)
    whole: dict[str, list[str]] = field(default_factory=dict)  # by name, what is there once it is whole
    read: dict[str, list[list[str]]] = field(default_factory=dict)
    at_once: set[str] = field(default_factory=set)  # came by a rename since the last look
    late: list[str] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)

    def clock(self) -> float:
        return time.time() + self.skew

    async def looks(self) -> None:
        drop = FileDrop(unchanged=30, patience=900, clock=self.clock).open(str(self.path), Lines())
        if self.ways != "once":
            watch = drop.watch(self.watch)
            assert isinstance(watch, DropWatch)
            self.watch = watch
            watch.clock = self.clock
        due, self.at_once = self.at_once, set()
        async for batch in drop.batches(self.position):
            lines = [read.fields["text"] async for read in batch.records() if isinstance(read, Record)]
            self.read.setdefault(batch.name, []).append(lines)
            self.position = orjson.loads(orjson.dumps(batch.after))
        self.late += [name for name in due if self.whole[name] not in self.read.get(name, [])]

    def lines(self, name: str) -> list[str]:
        self.number += 1
        self.whole[name] = [f"{name} {self.number} {line}" for line in range(LINES)]
        return self.whole[name]

    # --- the ways of senders; each yields where the feed may look

    def written(self, path: Path, lines: list[str], between: Callable[[], Any] = lambda: None) -> Iterator[bool]:
        with path.open("w") as file:
            for line in lines:
                file.write(line + "\n")
                file.flush()
                time.sleep(TICK)
                between()
                yield True

    def renamed(self, name: str, old: bool = False) -> Iterator[bool]:
        """Under a temporary name beside it, or elsewhere; with the time of its source, or that of now."""
        beside = [f".{name}.Xa3f", f"{name}.part", f"{name}.tmp", f"../{self.path.name}.{name}"]
        path = self.path / self.rng.choice(beside)
        lines = self.lines(name)
        yield from self.written(path, lines)
        if old:
            os.utime(path, (1e9, 1e9))
        time.sleep(TICK)
        path.rename(self.path / name)
        self.at_once.add(name)

    def linked(self, name: str) -> Iterator[bool]:
        path = self.path / f".{name}"
        yield from self.written(path, self.lines(name))
        time.sleep(TICK)
        os.link(path, self.path / name)
        path.unlink()
        if self.ways != "unasked":  # the kernel tells of a link as of a file that is begun
            self.at_once.add(name)

    def in_place(self, name: str) -> Iterator[bool]:
        yield from self.written(self.path / name, self.lines(name))

    def with_rights(self, name: str) -> Iterator[bool]:
        """Its rights change while it is written."""
        path = self.path / name
        yield from self.written(path, self.lines(name), lambda: path.chmod(self.rng.choice((0o600, 0o640))))

    def copied(self, name: str) -> Iterator[bool]:
        """cp -p: it gets the time of its source when all is written."""
        yield from self.written(self.path / name, self.lines(name))
        os.utime(self.path / name, (1e9 + self.number, 1e9 + self.number))

    def reused(self, name: str) -> Iterator[bool]:
        """A new file gets the inode of a temporary one."""
        path = self.path / f"{name}.part"
        path.write_text("left\n")
        yield True
        path.unlink()
        REUSED.add(name)
        yield from self.in_place(name)

    def replaced(self, name: str) -> Iterator[bool]:
        """Renamed into place, taken away and written there anew."""
        path = self.path.parent / f"{self.path.name}.new"
        path.write_text("x\n" * 40)
        path.rename(self.path / name)
        (self.path / name).unlink()
        yield from self.in_place(name)

    def begins(self) -> None:
        kind = self.rng.choice(
            ("renamed", "old", "over", "linked", "in_place", "with_rights", "copied", "reused", "replaced")
        )
        name = f"N{self.rng.randrange(1000):03}{len(self.whole)}"
        done = [each for each, texts in self.read.items() if self.whole[each] in texts]
        if kind == "over" and done:
            name = self.rng.choice(done)  # a done file is replaced by a rename
        self.met[kind] += 1
        way = self.renamed if kind in ("old", "over") else getattr(self, kind)
        self.under_way.append(way(name, old=True) if kind == "old" else way(name))

    def goes_on(self) -> None:
        way = self.rng.choice(self.under_way)
        if next(way, None) is None:
            self.under_way.remove(way)


async def world(path: Path, seed: int) -> Yard:
    rng = Random(seed)
    yard = Yard(path, rng, ("all", "untold", "unasked", "once")[seed % 4], skew=rng.choice((0.0, -15.0, 15.0)))
    if yard.ways == "unasked":
        # from the first look on the kernel tells; and whether a file is open is not asked
        await yard.looks()
    for _ in range(8):
        yard.begins()
        for _ in range(rng.randrange(8)):
            if yard.under_way:
                yard.goes_on()
            if rng.random() < 0.5:
                await yard.looks()
    while yard.under_way:
        yard.goes_on()
        if rng.random() < 0.3:
            await yard.looks()
    await yard.looks()
    yard.skew += 60
    await yard.looks()
    if yard.watch is not None:
        yard.watch.close()
    return yard


def wrong(yard: Yard) -> list[str]:
    """Violations of: never half, nothing lost, each content once; and a rename is an end."""
    results = [f"{name} late" for name in yard.late]
    for name, whole in yard.whole.items():
        texts = yard.read.get(name, [])
        results += [f"{name} lost"] * (whole not in texts)
        results += [f"{name} read half" for lines in texts if len(lines) < LINES]
        results += [f"{name} read twice"] * (len(texts) != len({tuple(lines) for lines in texts}))
    return results


async def worlds(path: Path, seeds: Iterable[int], patch: pytest.MonkeyPatch) -> tuple[list[str], Counter[str]]:
    results: list[str] = []
    met: Counter[str] = Counter()
    for seed in seeds:
        (path / str(seed)).mkdir()
        with patch.context() as other:
            if seed % 4 == 1:
                other.setattr(drop_watch, "INotify", None)
            if seed % 4 == 2:
                other.setattr(file_drop, "open_for_writing", lambda descriptor: None)
            yard = await world(path / str(seed), seed)
        results += [f"world {seed}, {yard.ways}: {each}" for each in wrong(yard)]
        met.update(yard.met)
    return results, met


@pytest.mark.law(
    2,
    "60 random directories with senders that rename, link, copy with times, write slowly in place, change rights "
    "meanwhile or reuse an inode, and clocks that differ: none read half or lost, what was renamed at the next look",
)
@pytest.mark.slow
async def test_none_is_read_half_and_a_rename_is_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, met = await worlds(tmp_path, range(60), monkeypatch)
    assert result == []
    assert min(met.values()) >= 20
    assert len(met) == 9


async def test_the_same_in_some_worlds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await worlds(tmp_path, range(100, 108), monkeypatch))[0] == []


def by_the_touch_alone(self: DropFolder, path: Path, stat: os.stat_result) -> bool:
    """Planted: whoever changes rights has written to the end."""
    return drop_watch.touched_without_a_write(stat)


def by_the_inode_alone(self: DropWatch, name: str, stat: os.stat_result) -> bool:
    """Planted: an inode is given once."""
    again = stat.st_ino in self._temporary_before or name in REUSED  # not each file system gives inodes twice
    return again or self._came.get(name) == State.of(stat)


def by_the_name_alone(self: DropWatch, name: str, stat: os.stat_result) -> bool:
    """Planted: what was renamed there once is what lies there."""
    return name in SEEN


def never(self: DropFolder, path: Path, stat: os.stat_result) -> bool:
    """Planted: a rename is no end."""
    return False


SEEN: set[str] = set()
REUSED: set[str] = set()
"""Names of files that have, or on another file system would have, the inode of a temporary one."""
sound_appeared = DropWatch._appeared


def seen(self: DropWatch, name: str, *, renamed: bool) -> bool:
    if renamed:
        SEEN.add(name)
    return sound_appeared(self, name, renamed=renamed)


@pytest.mark.law(
    2,
    planted="a file taken for renamed by a change of rights, by an inode that was used before, or by its name; and a "
    "rename taken for nothing",
)
@pytest.mark.parametrize(
    ("owner", "method", "bug", "reported"),
    [
        (DropFolder, "_renamed", by_the_touch_alone, "read half"),
        (DropWatch, "renamed", by_the_inode_alone, "read half"),
        (DropWatch, "renamed", by_the_name_alone, "read half"),
        (DropFolder, "_renamed", never, "late"),
    ],
)
async def test_a_planted_bug_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, bug: Callable[..., Any], reported: str
) -> None:
    SEEN.clear()
    REUSED.clear()
    monkeypatch.setattr(DropWatch, "_appeared", seen)
    monkeypatch.setattr(owner, method, bug)
    for seed in range(80):
        result, _ = await worlds(tmp_path, [seed], monkeypatch)
        if any(reported in each for each in result):
            return
    raise AssertionError("the bug was not seen")


# --- one by one


async def test_what_was_seen_to_grow_waits_by_the_own_clock(tmp_path: Path) -> None:
    """The clock of a file server is an hour behind: by the time of its change the file has lain for long."""
    now = time.time() + 3600
    watch = DropWatch(tmp_path, clock=lambda: now)
    path = tmp_path / "N1"

    async def names() -> list[str]:
        drop = FileDrop(unchanged=30, clock=lambda: now).open(str(tmp_path), Lines())
        drop.watch(watch)
        return [batch.name async for batch in drop.batches(None)]

    with path.open("w") as file:
        file.write("a\n")
        file.flush()
        assert await names() == ["N1"]
        file.write("b\n")
        file.flush()
        assert await names() == []
    now += 29
    assert await names() == []
    now += 2
    assert await names() == ["N1"]
    watch.close()


async def test_a_rename_and_a_close_wake_and_a_temporary_name_does_not(tmp_path: Path) -> None:
    watch = DropWatch(tmp_path)
    watch.drain()

    async def wakes(seconds: float = 30) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await watch.stirred()
        except TimeoutError:
            return False
        return True

    part = tmp_path / "N1.part"
    part.write_text("a\n")
    assert not await wakes(0.3)
    part.rename(tmp_path / "N1")
    assert await wakes()
    with (tmp_path / "N2").open("w") as file:
        file.write("a\n")
        file.flush()
        assert not await wakes(0.3)
    assert await wakes()
    watch.close()
    assert not await wakes(0.3)


async def test_a_directory_that_is_made_anew_is_watched_anew(tmp_path: Path) -> None:
    drop, new = tmp_path / "drop", tmp_path / "new"
    watch = DropWatch(drop)
    watch.drain()  # there is none
    drop.mkdir()
    watch.drain()
    drop.rmdir()
    drop.mkdir()
    watch.drain()
    new.write_text("a\n")
    new.rename(drop / "N1")
    watch.drain()
    assert watch.renamed("N1", (drop / "N1").stat())
    watch.close()
