"""`visabus rebuild`: each step as a command, what it prints, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from correlation import reference
from pipeline import VISABUS
from populations import bytes_of, world_of
from rebuilding import Site
from typer.testing import CliRunner

from services.cli import app
from services.failpoints import VARIABLE
from services.rebuild import cleanup, correlators, running
from services.store.contract import StoreDown


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory with a bus and a view of it."""
    asyncio.run(_correlated(tmp_path))
    return tmp_path


RAWS = bytes_of(world_of(21, persons=8)[0])


def site_of(data: Path) -> Site:
    """Its installation."""
    return Site.at(data, f"sqlite+aiosqlite:///{data}/store.db")


async def _correlated(data: Path) -> None:
    site = site_of(data)
    await site.publish(RAWS)
    await site.correlate()


def command(data: Path, *arguments: str, code: int = 0) -> str:
    """What a command writes to standard output."""
    done = CliRunner().invoke(app, ["--data", str(data), *arguments], env={"COLUMNS": "300"})
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.output


def test_step_by_step(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "GRACE_SECONDS", 0.2)
    digest = command(data, "export", "--digest").strip()
    text = command(data, "rebuild")
    assert f"byte for byte: {len(reference(RAWS))} persons, digest {digest}" in text
    assert "nothing is switched" in text
    assert "edition 2 is live" in command(data, "rebuild", "--switch", "--why", "a test")
    assert command(data, "export", "--digest").strip() == digest
    assert "told now: 0" in command(data, "rebuild", "--tell-changes")
    assert "removed: edition 1" in command(data, "rebuild", "--drop-old")
    assert "there is no old edition" in command(data, "rebuild", "--drop-old")
    assert command(data, "export", "--digest").strip() == digest
    assert "edition 2 is live" in command(data, "rebuild", "--switch", code=1)  # done already
    assert {file.name for file in data.glob("store*.db")} == {"store.db", "store-2.db"}


def test_all_at_once_as_json(data: Path) -> None:
    lines = command(data, "rebuild", "--compare", "--switch", "--tell-changes", "--json").splitlines()
    compared, switched = (json.loads(line) for line in lines)
    assert compared["compared"]["equal"]
    assert compared["compared"]["by_outcome"] == []
    assert (switched["switched"], switched["before"], switched["told"]) == (2, 1, True)


def test_a_second_correlator_builds_and_ends(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --correlators 2: the one of this process reads nothing here, so that the view is the other process's."""
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def kept(*arguments: Any, **named: Any) -> asyncio.subprocess.Process:
        started.append(await start(*arguments, **named))
        return started[-1]

    async def idle(_settings: object, *, stop: asyncio.Event, **_named: object) -> None:
        await stop.wait()

    monkeypatch.setattr(asyncio, "create_subprocess_exec", kept)
    monkeypatch.setattr(correlators, "run", idle)
    monkeypatch.setattr(correlators, "BEHIND", 0)  # so little is otherwise read without others
    digest = command(data, "export", "--digest").strip()
    assert f"byte for byte: {len(reference(RAWS))} persons, digest {digest}" in command(
        data, "rebuild", "--correlators", "2"
    )
    assert [each.returncode for each in started] == [0]


def test_others_see_how_far_a_rebuild_is(data: Path) -> None:
    assert "Rebuild" not in command(data, "status", code=1)
    command(data, "rebuild")
    assert "Rebuild: edition 2, built, compare " in command(data, "status", code=1)
    status = json.loads(CliRunner().invoke(app, ["--data", str(data), "status", "--json"]).stdout)
    assert (status["rebuild"]["state"], status["rebuild"]["compared"]) == ("built", True)
    command(data, "rebuild", "--switch")
    assert "Rebuild" not in command(data, "status", code=1)


def test_why_a_rebuild_gave_up_is_seen(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_arguments: object, **_named: object) -> None:
        raise StoreDown("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(running, "compare", failing)
        CliRunner().invoke(app, ["--data", str(data), "rebuild"])
    said = command(data, "status", code=1)
    assert "! the rebuild of edition 2 gave up: the disk is full; `visabus rebuild` goes on with it" in said
    assert "byte for byte" in command(data, "rebuild")
    assert "gave up" not in command(data, "status", code=1)


def test_a_switch_unseen_has_to_be_said(data: Path) -> None:
    command(data, "rebuild", "--no-compare")
    assert "was not compared with the live one yet" in command(data, "rebuild", "--switch", code=1)
    assert "edition 2 is live" in command(data, "rebuild", "--switch", "--no-compare")


def test_differences_are_listed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.correlator import resolve

    persons = resolve.persons
    with monkeypatch.context() as patched:
        patched.setattr(resolve, "persons", lambda *arguments: persons(*arguments)[1:])
        command(data, "rebuild", "--no-compare")
    listed = data / "differences.jsonl"
    text = command(data, "rebuild", "--differences", str(listed), "--why", "a test")
    rows = [json.loads(line) for line in listed.read_text().splitlines()]
    assert f"persons whose answer changes: {len(rows):,}" in text
    assert rows
    assert all(row["after"] is None and set(row) == {"person", "before", "after"} for row in rows)
    assert listed.stat().st_mode & 0o077 == 0


def test_a_rebuild_is_given_up(data: Path) -> None:
    command(data, "rebuild")
    assert "given up: edition 2" in command(data, "rebuild", "--discard")
    assert "no rebuild was under way" in command(data, "rebuild", "--discard")
    assert not list(data.glob("store-2.db*"))
    assert "no rebuild is under way: `visabus rebuild` begins one" in command(data, "rebuild", "--switch", code=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--discard", "--switch"], "--discard gives up what the other options go on with"),
        (["--differences", "x", "--no-compare"], "--differences needs --compare"),
        (["--differences", "x", "--switch"], "--differences needs --compare"),
        (["--master", "local[*]"], "--master goes with --engine spark"),
    ],
)
def test_what_does_not_go_together_is_refused(data: Path, arguments: list[str], words: str) -> None:
    assert words in command(data, "rebuild", *arguments, code=2)


def test_without_a_store_there_is_nothing_to_rebuild(tmp_path: Path) -> None:
    assert "there is no store" in command(tmp_path, "rebuild", code=1)
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.law(2, "`visabus rebuild` killed in its switch leaves one live view, and is gone on with")
@pytest.mark.parametrize("point", ["switch.carried", "switch.written", "switch.committed"])
def test_killed_in_the_switch(data: Path, point: str) -> None:
    killed = subprocess.run(
        [VISABUS, "--data", str(data), "rebuild", "--compare", "--switch"],
        env={**os.environ, VARIABLE: f"{point}:1:SIGKILL"},
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    site = site_of(data)
    assert asyncio.run(site.view()) == reference(RAWS)
    if point != "switch.committed":
        assert asyncio.run(site.edition()) == 1
        command(data, "rebuild", "--switch")
    assert asyncio.run(site.edition()) == 2
    assert asyncio.run(site.view()) == reference(RAWS)
    asyncio.run(site.correlate())
    assert asyncio.run(site.gaps()) == []
