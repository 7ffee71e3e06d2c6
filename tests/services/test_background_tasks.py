"""What runs beside the work of a process: an error that nobody foresaw is told, and ends none of it in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from push_client import SECRET

from services.audit.heads import HeadKeeper
from services.cli import door
from services.cli import web as web_command
from services.cli.context import Refusal
from services.console import watch
from services.console.history import History
from services.ingest import host
from services.ingest.door.key_files import KeyFiles
from services.ingest.door.signatures import Keys
from services.ingest.host import Host
from services.settings import SettingsError, load
from services.store import following

Run = Callable[[], Coroutine[Any, Any, None]]


class Again:
    """A step that fails the first time, and tells that it came again."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.came = asyncio.Event()

    async def step(self, *_: Any, **__: Any) -> Any:
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.came.set()
        return False

    def at_once(self, *_: Any) -> Any:
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.came.set()


def heads_given_out(again: Again, patch: pytest.MonkeyPatch) -> Run:
    log: Any = SimpleNamespace()
    keeper = HeadKeeper(log, "sqlite+aiosqlite:///audit.db", log, again.step, lambda: datetime.now(UTC))
    patch.setattr(keeper, "give", again.step)
    return lambda: keeper.run(0.001, compared=True)


def live_edition(again: Again, patch: pytest.MonkeyPatch) -> Run:
    patch.setattr(following, "SECONDS", 0.001)
    store: Any = SimpleNamespace(edition=1)
    follower = following._Follower(store, "sqlite+aiosqlite:///store.db")
    patch.setattr(follower, "moved", again.step)
    return follower.run


def flow_shown(again: Again, patch: pytest.MonkeyPatch) -> Run:
    patch.setattr(watch, "SECONDS", 0.001)
    observer: Any = SimpleNamespace(observe=SimpleNamespace)
    history = History()
    patch.setattr(History, "add", lambda _self, _overview: True)
    patch.setattr(History, "save", again.at_once)

    async def observe(_now: datetime) -> Any:
        return SimpleNamespace()

    observer.observe = observe
    return watch.Watch(observer, history, lambda: datetime.now(UTC)).run


def keys_of_the_door(again: Again, patch: pytest.MonkeyPatch) -> Run:
    files = KeyFiles([], lambda: load(environment={}), Keys.of({}), set())
    patch.setattr(KeyFiles, "compare", again.at_once)
    return lambda: files.watch(0.001)


def receipts_ended(again: Again, patch: pytest.MonkeyPatch) -> Run:
    patch.setattr(host, "_DAY", 0.001)
    patch.setattr(host, "expired", again.step)
    settings = load(environment={})
    some: Any = None
    alone = Host(settings, some, once=False, stop=asyncio.Event(), clock=some, patience=some)
    return lambda: alone._expire(some)


TASKS: dict[Callable[[Again, pytest.MonkeyPatch], Run], Exception] = {
    heads_given_out: KeyError(1),
    live_edition: ValueError("none"),
    flow_shown: OSError(28, "No space left on device"),
    keys_of_the_door: RuntimeError("none"),
    receipts_ended: RuntimeError("none"),
}


@pytest.mark.law(2, "what runs beside the work of a process goes on after an error that nobody foresaw")
@pytest.mark.parametrize("task", TASKS)
async def test_it_is_told_and_tried_again(
    task: Callable[[Again, pytest.MonkeyPatch], Run],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    again = Again(TASKS[task])
    running, came = asyncio.create_task(task(again, monkeypatch)()), asyncio.create_task(again.came.wait())
    await asyncio.wait([running, came], timeout=60, return_when=asyncio.FIRST_COMPLETED)
    for each in (running, came):
        each.cancel()
    await asyncio.gather(running, came, return_exceptions=True)
    assert again.came.is_set(), running.exception()
    said = capsys.readouterr().out
    assert "error" in said or "cannot be kept" in said


class Web:
    """A server that serves until it is told to end."""

    def __init__(self) -> None:
        self._ending = asyncio.Event()

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "should_exit":
            self._ending.set()
        super().__setattr__(name, value)

    async def serve(self) -> None:
        await self._ending.wait()


async def _fails(*_: object) -> None:
    raise RuntimeError("a bug")


@pytest.mark.law(2, "a door that could not be fenced ends, and says so")
async def test_a_door_without_its_sentry_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_command, "server", lambda *_, **__: Web())
    monkeypatch.setattr(door, "_watch", _fails)
    app: Any = None
    files = KeyFiles([], lambda: load(environment={}), Keys.of({}), set())
    with pytest.raises(Refusal, match="start it again"):
        await asyncio.wait_for(door._serve(app, {}, files, load(environment={}), "", 0, asyncio.Event()), 60)


@pytest.mark.law(2, planted="a door that nobody watches")
async def test_a_door_that_is_not_watched_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_command, "server", lambda *_, **__: Web())
    monkeypatch.setattr(door, "_watch", _fails)
    monkeypatch.setattr(door, "_unwatched", lambda _server, _task: None)
    app: Any = None
    files = KeyFiles([], lambda: load(environment={}), Keys.of({}), set())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(door._serve(app, {}, files, load(environment={}), "", 0, asyncio.Event()), 0.3)


def test_a_file_of_keys_whose_mode_was_mended_is_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It was refused because others could read it; what mends that changes no content."""
    file = tmp_path / "visabus.toml"

    def write(secret: str, mode: int) -> None:
        file.touch()
        file.chmod(mode)
        file.write_text(f'[door.keys."a"]\nsystem = "TOY"\nhmac_secret = "{secret}"\n')

    write(SECRET, 0o600)
    keys = Keys.of(load(file, environment={}).door.keys)
    files = KeyFiles([file, tmp_path / "gone"], lambda: load(file, environment={}), keys, {"TOY"})
    files.compare()
    write(SECRET + "2", 0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load(file, environment={})
    files.compare()
    assert "stay in force" in capsys.readouterr().out
    file.chmod(0o600)
    files.compare()
    assert "keys changed" in capsys.readouterr().out
