"""What reading the sources would come to: the same as a run makes of them, and nothing is changed by it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import toy_source
from toy_source import once, settings, toy
from typer.testing import CliRunner

from adapters.core import Batch, Json
from bus.contract import Bus
from schemas.topics import PARTITIONS
from services.cli import app
from services.feeds import Word, give
from services.ingest import Source, recorded
from services.ingest.dry_run import Forecast, dry_run

LINES = "good 1\ntwo 2\nbad x\nskip 3\nrefuse 4\nthrough 9"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "in"
    directory.mkdir()
    (directory / "a.txt").write_text(LINES)
    return directory


async def forecast(folder: Path, bus: Bus | None, source: Source | None = None) -> Forecast:
    scratch = folder.parent / "scratch"
    (result,) = await dry_run([source or toy(folder)], settings(folder), bus, recorded, scratch)
    return result


async def contents(bus: Bus) -> list[tuple[Any, ...]]:
    """All that stands on the bus."""
    return [tuple(delivery) for topic in PARTITIONS for delivery in [each async for each in bus.read(topic)]]


async def test_it_says_what_a_run_then_does_and_changes_nothing(bus: Bus, folder: Path) -> None:
    before = await contents(bus)
    said = await forecast(folder, bus)
    assert await contents(bus) == before
    assert not (folder / "data").exists()
    (outcome,) = await once(folder, bus)
    assert said.counters == outcome.counters
    assert (said.batches, said.resumed, said.error) == (1, False, None)
    assert said.reasons == {"unreadable": 1, "refused by the mapping": 1}
    assert said.counters.filtered == {"toy.skip": 1}


async def test_it_begins_where_the_feed_stands_and_anew_where_it_is_rewound(bus: Bus, folder: Path) -> None:
    await once(folder, bus)
    (folder / "b.txt").write_text("good 11")
    said = await forecast(folder, bus)
    assert (said.counters.read, said.batches, said.resumed) == (1, 1, True)
    await give(bus, "TOY/lines", Word.REWIND, by="os:op", why="see", now=datetime.now(UTC))
    said = await forecast(folder, bus)
    assert (said.counters.read, said.batches, said.resumed) == (6, 2, False)


async def test_without_a_bus_it_reads_from_the_beginning(folder: Path) -> None:
    said = await forecast(folder, None)
    assert (said.counters.read, said.resumed) == (5, False)


async def test_a_feed_that_would_be_stopped_or_cannot_be_read_is_told(bus: Bus, folder: Path) -> None:
    (folder / "b.txt").write_text("bad\n" * 300)
    said = await forecast(folder, bus)
    assert said.error is not None
    assert "200 of the first 200 records of b.txt" in said.error
    said = await forecast(folder, bus, toy(folder, down=["batches"]))
    assert said.error == "its source cannot be read: batches"


async def test_nothing_is_acknowledged(bus: Bus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledged = []
    plain = toy_source.Folder.batches

    async def queue(self: toy_source.Folder, position: Json | None) -> Any:
        async for batch in plain(self, position):

            async def done(batch: Batch = batch) -> None:
                acknowledged.append(batch.name)

            yield replace(batch, done=done)

    monkeypatch.setattr(toy_source.Folder, "batches", queue)
    await forecast(folder, bus)
    assert acknowledged == []
    await once(folder, bus)
    assert acknowledged == ["a.txt"]


def digest_of(directory: Path) -> dict[str, str]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_command_makes_and_changes_no_file(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = toy(folder)
    monkeypatch.setattr("adapters.registry.systems", lambda: {"TOY": source.system})
    run = partial(CliRunner().invoke, app)
    words = ["--data", str(tmp_path / "data"), "ingest", "--feed", f"TOY.lines={folder}"]
    before = digest_of(tmp_path)
    done = run([*words, "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "TOY.lines: would read 5 records of 1 whole batches from the beginning" in done.stdout
    assert "refused 1: unreadable" in done.stdout
    assert "left out 1: toy.skip" in done.stdout
    body = json.loads(run([*words, "--dry-run", "--json"]).stdout)
    assert (body["feed"], body["read"], body["events"]) == ("TOY.lines", 5, 3)
    assert digest_of(tmp_path) == before
    assert not (tmp_path / "data").exists()
    assert run([*words, "--json"]).exit_code == 2
