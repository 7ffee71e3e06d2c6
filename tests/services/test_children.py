"""Processes of a command: none outlives it, and one that fails is quoted."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from services.cli import children
from services.cli.children import Child, Children
from services.cli.context import Refusal


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell in place of the command line: `start(name, "-c", script)`."""
    monkeypatch.setattr(children, "VISABUS", Path("/bin/sh"))
    monkeypatch.setattr(children, "GRACE_SECONDS", 0.3)


def alive(child: Child) -> bool:
    try:
        os.kill(child.process.pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_all_are_ended_also_those_that_will_not(tmp_path: Path) -> None:
    async with Children(tmp_path, {"PATH": os.environ["PATH"]}) as group:
        willing = await group.start("willing", "-c", "exec sleep 60")
        deaf = await group.start("deaf", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done")
        for _ in range(500):
            if "ready" in deaf.last_words():
                break
            await asyncio.sleep(0.01)
        assert alive(willing)
        assert alive(deaf)
        group.check(willing, deaf)
    assert not alive(willing)
    assert not alive(deaf)
    assert deaf.process.returncode == -9


async def test_all_are_ended_after_an_error(tmp_path: Path) -> None:
    started = []

    async def fail() -> None:
        async with Children(tmp_path, {"PATH": os.environ["PATH"]}) as group:
            started.append(await group.start("child", "-c", "exec sleep 60"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert [alive(child) for child in started] == [False]


async def test_one_that_fails_is_quoted(tmp_path: Path) -> None:
    async with Children(tmp_path, {"WORD": "because"}) as group:
        failing = await group.start("failing", "-c", 'echo "$WORD" >&2; exit 3')
        with pytest.raises(Refusal, match=r"failing ended with 3(?s:.*)because"):
            await group.finished(failing)
        with pytest.raises(Refusal, match="failing"):
            group.check(failing)
        await group.finished(await group.start("fine", "-c", "exit 0"))
