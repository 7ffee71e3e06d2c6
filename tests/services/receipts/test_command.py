"""`visabus receipts`: list, show, export."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from toy_source import once
from typer.testing import CliRunner

from adapters.registry import RESERVED
from bus.embedded import EmbeddedBus
from services.cli import app
from services.wiring import topics


@pytest.fixture
async def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("adapters.registry.RESERVED", RESERVED | {"TOY"})  # commands know the name
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("good 1\nbad 2\nskip 3")
    (folder / "b.txt").write_text("good 11\ntwo 12")
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    await once(folder, bus)
    await bus.close()
    shutil.copy(folder / "data" / "receipts.key", tmp_path)  # as hosts and commands share it
    return tmp_path


def command(data: Path, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["--data", str(data), "receipts", *arguments], env={"COLUMNS": "300"})
    assert done.exit_code == code, done.output
    return done.output


ALL = ("--confidential", "--why", "a test")


def test_list(data: Path) -> None:
    newest, oldest, end = command(data, "list", *ALL).splitlines()
    assert newest.endswith("TOY.lines  b.txt  2 read = 2 published, 0 dead letters, 0 left out")
    assert oldest.endswith("TOY.lines  a.txt  3 read = 1 published, 1 dead letters, 1 left out")
    assert end == "page 1 of 1; 2 receipts"
    assert command(data, "list", "--refused", *ALL).count("a.txt") == 1
    assert command(data, "list", "--refused") == "page 1 of 1; 0 receipts\n"
    assert command(data, "list").count("was read; its counts need --confidential --why") == 2
    assert "b.txt" in command(data, "list", "--system", "TOY", "--record", "12")
    assert command(data, "list", "--system", "TOY", "--record", "13") == "page 1 of 1; 0 receipts\n"
    assert command(data, "list", "--since", "2999-01-01") == "page 1 of 1; 0 receipts\n"
    assert "--record needs --system" in command(data, "list", "--record", "12", code=2)


def test_show_and_export(data: Path) -> None:
    one = json.loads(command(data, "show", "a.txt", *ALL))
    assert (one["batch"], one["read"], one["reasons"]) == ("a.txt", 3, {"unreadable": 1})
    lines = [json.loads(line) for line in command(data, "export", *ALL).splitlines()]
    assert [line["batch"] for line in lines] == ["b.txt", "a.txt"]
    assert lines[1] == one
    assert "there is no receipt of c.txt" in command(data, "show", "c.txt", code=2)


def test_nothing_is_made_where_no_bus_is(tmp_path: Path) -> None:
    assert "there is no bus" in command(tmp_path / "none", "list", code=1)
    assert not (tmp_path / "none").exists()
