"""A running host reads a file as soon as it was renamed into place, and says of each file that waits why it does."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from toy_source import Folder, settings, toy, world

from adapters.core import Read
from adapters.transports import drop_watch
from adapters.transports.file_drop import FileDrop
from bus.contract import Bus
from services.ingest import recorded, run
from services.ingest.sources import Source
from services.logs import configure

SOON = 60.0
"""Far below the pause between two polls, and time enough on a busy machine."""


class ToyLines:
    """The toy's records, a line each; nothing tells that a file is whole."""

    def read(self, stream: BinaryIO) -> Iterator[Read]:
        return (Folder(Path(), [])._read(line.rstrip(b"\n"), f"line {n}") for n, line in enumerate(stream, 1))


def dropped(folder: Path) -> Source:
    source = toy(folder)
    transport = FileDrop(pattern="*.txt", unchanged=30)
    return replace(source, feed=replace(source.feed, transport=transport, format=ToyLines()))


@pytest.fixture
def log(logs: None) -> Callable[[], list[dict[str, Any]]]:
    stream = io.StringIO()
    configure("info", "json", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@asynccontextmanager
async def host(folder: Path, bus: Bus, poll_seconds: float) -> AsyncIterator[None]:
    stop = asyncio.Event()
    configured = settings(folder, poll_seconds=poll_seconds)
    task = asyncio.create_task(run(configured, [dropped(folder)], stop=stop, bus=bus, clock=recorded))
    yield
    stop.set()
    await task


async def until(so: Callable[[], Any]) -> float:
    """After how many seconds it was so."""
    began = time.monotonic()
    while time.monotonic() - began < SOON:
        result = so()
        if await result if asyncio.iscoroutine(result) else result:
            return time.monotonic() - began
        await asyncio.sleep(0.02)
    raise AssertionError("not in time")


async def test_a_file_that_is_renamed_into_place_is_read_at_once(bus: Bus, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()

    async def events(count: int) -> bool:
        return len((await world(bus)).events) == count

    async with host(folder, bus, poll_seconds=600):
        await asyncio.sleep(0.5)
        for number in range(1, 4):
            part = folder / f"a{number}.txt.part"
            part.write_text(f"good {number}\n")
            part.rename(folder / f"a{number}.txt")
            await until(lambda number=number: events(number))  # type: ignore[misc]


async def test_without_word_from_the_system_it_is_read_at_the_next_poll(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drop_watch, "INotify", None)
    monkeypatch.setitem(globals(), "SOON", 3.0)
    with pytest.raises(AssertionError, match="not in time"):
        await test_a_file_that_is_renamed_into_place_is_read_at_once(bus, tmp_path)


async def test_what_waits_says_so_once_and_why(
    bus: Bus, tmp_path: Path, log: Callable[[], list[dict[str, Any]]]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()

    def lines() -> list[str]:
        return [line["why"] for line in log() if line["event"] == "left for later"]

    async with host(folder, bus, poll_seconds=0.02):
        (folder / "a.txt").write_text("good 1\n")
        await until(lambda: len(lines()) == 1)
        (folder / "b.txt").write_text("good 2\n")
        await until(lambda: len(lines()) == 2)
        await asyncio.sleep(0.3)
        why = "it is taken once it has lain unchanged for 30 s"
        assert lines() == [f"a.txt: {why}", f"b.txt: {why}"]
        for name in ("a.txt", "b.txt"):
            (folder / name).unlink()
        await until(lambda: log()[-1]["event"] == "nothing is left for later")
