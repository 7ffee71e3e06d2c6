"""`visabus feeds`: list, pause, resume, rewind; who did it is in the audit log."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from toy_border import border
from toy_source import once, settings, toy, world
from typer.testing import CliRunner

from bus.embedded import EmbeddedBus
from services.audit import keys_of, open_reading
from services.authority.keys import make
from services.cli import app
from services.correlator import process
from services.ingest import now, run
from services.settings import load
from services.wiring import topics


@pytest.fixture
async def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("good 1\nbad 2\nskip 3")
    (folder / "b.txt").write_text("good 11\ntwo 12")
    monkeypatch.setattr("adapters.registry.systems", lambda: {"TOY": toy(folder).system})
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    await once(folder, bus)
    await bus.close()
    shutil.copy(folder / "data" / "receipts.key", tmp_path)
    return tmp_path


def command(data: Path, *arguments: str, code: int = 0, **environment: str) -> str:
    done = CliRunner().invoke(app, ["--data", str(data), *arguments], env={"COLUMNS": "300", **environment})
    assert done.exit_code == code, done.output
    return done.output


def verbs(data: Path) -> list[tuple[str, str]]:
    async def rows() -> list[tuple[str, str]]:
        settings = load(environment={}, data_dir=data)
        async with open_reading(settings.audit_url, keys_of(settings).seal) as reading:
            return [(row.verb, row.reason) async for row in reading.rows() if row.verb != "audit begin"]

    return asyncio.run(rows())


def test_pause_list_resume(data: Path) -> None:
    assert "--why is needed" in command(data, "feeds", "pause", "TOY.lines", code=2)
    assert "TOY.lines is paused" in command(data, "feeds", "pause", "TOY.lines", "--why", "being mended")
    feed = json.loads(command(data, "feeds", "list", "--json"))
    assert (feed["state"], feed["why"], feed["read"]) == ("paused", "being mended", 5)
    assert feed["paused_by"].startswith("os:")
    assert "paused" in command(data, "feeds", "list", "--system", "toy")
    assert command(data, "feeds", "list", "--system", "OTHER") == ""
    assert "is paused since" in command(data, "status", code=1)
    command(data, "feeds", "resume", "TOY.lines")  # as the hint says
    assert json.loads(command(data, "feeds", "list", "--json"))["state"] == "ended"
    assert verbs(data) == [("feeds pause", "TOY.lines: being mended"), ("feeds resume", "TOY.lines: not stated")]


def test_a_rewind_says_what_would_be_read_again_and_does_nothing_unasked(data: Path) -> None:
    said = command(data, "feeds", "rewind", "TOY.lines")
    assert "would be read again: 2 batches with 5 records" in said
    assert "dry run, nothing was done" in said
    assert _ids(data) == {1}
    done = command(data, "feeds", "rewind", "TOY.lines", "--yes", "--why", "a new mapping")
    assert "would be read again: 2 batches with 5 records" in done
    assert _ids(data, read=True) == {2}
    assert [verb for verb, _ in verbs(data)] == ["feeds rewind (dry run)", "feeds rewind"]


def test_a_rewind_in_json_says_ordered_once_it_is(data: Path) -> None:
    asked = ("feeds", "rewind", "TOY.lines", "--json")
    body = json.loads(command(data, *asked).splitlines()[-1])
    assert (body["ordered"], body["batches"]) == (False, 2)
    assert "ordered" not in command(data, *asked, "--yes", code=2), "without --why"
    body = json.loads(command(data, *asked, "--yes", "--why", "a new mapping").splitlines()[-1])
    assert body["ordered"] is True


def test_from_a_file_on_it_says_and_reads_that_one_and_those_behind_it(data: Path) -> None:
    said = command(data, "feeds", "rewind", "TOY.lines", "--before", "b.txt")
    assert "would be read again, from b.txt on: 1 batches, by the receipts" in said
    assert "counts anew" not in said
    assert "has no receipt of a batch x.txt" in command(
        data, "feeds", "rewind", "TOY.lines", "--before", "x.txt", code=2
    )
    command(data, "feeds", "rewind", "TOY.lines", "--before", "b.txt", "--yes", "--why", "a new mapping")
    assert _ids(data, read=True) == {1, 2}


def test_a_feed_without_files_is_read_again_as_a_whole(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toy_source.Files.names_files", False)
    said = command(data, "feeds", "rewind", "TOY.lines", "--before", "b.txt", code=2)
    assert "--before needs a feed of files" in said


def _ids(data: Path, *, read: bool = False) -> set[int]:
    async def counts() -> set[int]:
        bus = await EmbeddedBus.open(data / "bus.db")
        try:
            if read:
                await once(data / "in", bus)
            return set((await world(bus)).ids().values())
        finally:
            await bus.close()

    return asyncio.run(counts())


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (("pause", "TOY.none", "--why", "see"), "TOY has TOY.lines"),
        (("pause", "NONE.lines", "--why", "see"), "no system NONE"),
        (("pause", "lines", "--why", "see"), "no system lines"),
        (("rewind", "TOY.lines", "--yes"), "--why is needed"),
        (("pause", "TOY.lines", "--why", "x" * 495), "characters at most"),
    ],
)
def test_what_is_asked_wrongly_is_told(data: Path, arguments: tuple[str, ...], output: str) -> None:
    assert output in command(data, "feeds", *arguments, code=2)


def test_where_events_are_signed_an_order_needs_the_key_of_its_system(data: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    make(keys, "OTHER")
    environment = {"VISABUS_SIGNING__KEYS": str(keys)}
    words = ("feeds", "pause", "TOY.lines", "--why", "being mended")
    assert "has no key of TOY" in command(data, *words, code=1, **environment)
    make(keys, "TOY")
    command(data, *words, **environment)
    assert '"state":"paused"' in command(data, "feeds", "list", "--json", **environment)
    command(data, "feeds", "resume", "TOY.lines", "--why", "forged, without a key")
    assert '"state":"ended"' in command(data, "feeds", "list", "--json")
    assert '"state":"paused"' in command(data, "feeds", "list", "--json", **environment)


@pytest.fixture
async def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A border feed of which a batch waits, because it would change an outcome."""
    folder = tmp_path / "in"
    folder.mkdir()
    monkeypatch.setattr("adapters.registry.systems", lambda: {"I94": border(folder).system})
    bus = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    await bus.declare(topics())
    at = settings(tmp_path, hold_above=0)
    for name, line in (("001.txt", "arrive 1"), ("002.txt", "leave 1 9")):
        (folder / name).write_text(line)
        await run(at, [border(folder)], once=True, bus=bus, clock=now)
        await process.run(at, once=True, stop=asyncio.Event())
    await bus.close()
    return tmp_path / "data"


@pytest.mark.parametrize("word", ["release", "reject"])
def test_a_batch_that_waits_is_shown_and_decided(waiting: Path, word: str) -> None:
    said = command(waiting, "feeds", "waiting")
    assert "I94.lines: 002.txt waits since" in said
    assert "it would change 1 outcomes (at most 0 may)" in said
    assert "1  DEPARTURE_UNKNOWN -> DEPARTED_LATE" in said
    body = json.loads(command(waiting, "feeds", "waiting", "--json"))
    assert (body["system"], body["feed"], body["changed"]) == ("I94", "lines", 1)
    assert '"state":"waiting"' in command(waiting, "feeds", "list", "--json")
    assert "--why is needed" in command(waiting, "feeds", word, "I94.lines", code=2)
    assert "002.txt is" in command(waiting, "feeds", word, "I94.lines", "--why", "the owner says so")
    assert verbs(waiting) == [(f"feeds {word}", "I94.lines: the owner says so")]


def test_where_nothing_waits_nothing_is_decided(data: Path) -> None:
    assert command(data, "feeds", "waiting") == "no batch waits for a person\n"
    said = command(data, "feeds", "release", "TOY.lines", "--why", "see", code=1)
    assert "no batch of TOY.lines waits" in said
