"""`visabus settings check`, `--version`, and facts as JSON."""

from __future__ import annotations

import json
from base64 import b64decode
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from toy_source import once, toy
from typer.testing import CliRunner

from bus.embedded import EmbeddedBus
from schemas.topics import PARTITIONS
from services.authority.keys import make
from services.cli import app
from services.cli.settings import shown
from services.wiring import topics

SECRET = "correct-horse-battery"


def command(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "300"})
    assert done.exit_code == code, done.output
    assert SECRET not in done.output
    return done.stdout


def test_the_version_is_that_of_the_installed_program() -> None:
    assert command("--version") == f"visabus {version('visabus')}\n"


def file(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "visabus.toml"
    path.write_text(f'data_dir = "{tmp_path}/data"\n{content}')
    path.chmod(0o600)
    return path


def check(tmp_path: Path, content: str, code: int = 0) -> Any:
    return json.loads(command("--settings", file(tmp_path, content), "settings", "check", "--json", code=code))


def test_settings_without_a_mistake_say_how_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "i94").mkdir()
    make(tmp_path / "keys", "I94")
    make(tmp_path / "keys", "ESTA")
    content = f"""
        store_url = "postgresql://visabus:{SECRET}@db.example/visabus"
        [signing]
        keys = "{tmp_path}/keys"
        [feeds."I94.nightly"]
        url = "file://{tmp_path}/i94"
        [feeds."ESTA.authorizations"]
        url = "https://esta.example:8443/v2?token={SECRET}"
        user = "visabus"
        secret = "{SECRET}"
    """
    findings = check(tmp_path, content)
    assert findings["mistakes"] == []
    assert findings["places"]["store_url"].endswith("://visabus:***@db.example/visabus")
    assert findings["feeds"]["I94.nightly"].endswith(f"FileDrop, path {tmp_path}/i94")
    assert findings["feeds"]["ESTA.authorizations"] == (
        "https://esta.example:8443/v2?***  RestPoll, host esta.example, port 8443, path /v2, user visabus"
    )
    assert findings["files"]["signing.keys"].startswith(f"{tmp_path}/keys, mode 7")
    assert not (tmp_path / "data").exists()
    text = command("--settings", tmp_path / "visabus.toml", "settings", "check")
    assert "feed  I94.nightly  file://" in text


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    key = tmp_path / "client.key"
    key.write_text(SECRET)
    key.chmod(0o644)
    content = f"""
        [feeds."I94.nightly"]
        url = "file://{tmp_path}/none"
        [feeds."I94.weekly"]
        url = "file://{tmp_path}"
        [feeds."NONE.lines"]
        url = "file://{tmp_path}"
        [feeds."TVS.push"]
        url = "https://tvs.example/"
        [feeds."BCI.batches"]
        url = "sftp://visabus@bci.example/out"
        options = {{ known_hosts = "{tmp_path}/hosts", key = "{key}" }}
        [door.keys."i94-2026"]
        system = "I94"
        hmac_secret = "{SECRET * 2}"
    """
    mistakes = check(tmp_path, content, code=2)["mistakes"]
    for part in (
        f"feeds.I94.nightly.url: {tmp_path}/none: there is no such file or directory",
        "feeds.I94.weekly: ",
        "feeds.NONE.lines: no system NONE",
        "feeds.TVS.push: TVS pushes it",
        f"feeds.BCI.batches.options.known_hosts: {tmp_path}/hosts is not there",
        "feeds.BCI.batches.options.key: ",
        "door.keys.i94-2026.system: I94 is no system that pushes",
    ):
        assert any(mistake.startswith(part) for mistake in mistakes), (part, mistakes)


def test_what_no_setting_may_be_is_told_at_once(tmp_path: Path) -> None:
    mistakes = check(tmp_path, '[api]\nport = "many"\n[ingest]\npoll = 1\nchunk_records = 0', code=2)["mistakes"]
    assert {mistake.partition(":")[0] for mistake in mistakes} == {"api.port", "ingest.poll", "ingest.chunk_records"}


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("sftp://me:pw@host:22/in", "sftp://me:***@host:22/in"),
        ("https://host/a?key=pw#pw", "https://host/a?***"),
        ("/srv/in", "/srv/in"),
        ("file:///srv/in", "file:///srv/in"),
        ("amqps://u:p%40w@h/v", "amqps://u:***@h/v"),
        ("http://[::1", "(cannot be read)"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, seen: str) -> None:
    assert shown(url) == seen


@pytest.fixture
async def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("good 1\nbad 2\nskip 3")
    monkeypatch.setattr("adapters.registry.systems", lambda: {"TOY": toy(folder).system})
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    await once(folder, bus)
    await bus.close()
    return tmp_path


def test_facts_come_as_json(data: Path) -> None:
    (system,) = [json.loads(line) for line in command("adapters", "--json").splitlines()]
    assert (system["system"], system["feeds"]) == ("TOY", [{"name": "TOY.lines", "transport": "Files"}])
    words = ("--data", data, "receipts", "list", "--json", "--confidential", "--why", "a test")
    (receipt,) = [json.loads(line) for line in command(*words).splitlines()]
    assert (receipt["batch"], receipt["read"]) == ("a.txt", 3)
    (some,) = [json.loads(line) for line in command("--data", data, "dead-letters", "list", "--json").splitlines()]
    assert (some["reason"], some["pending"]) == ("unreadable", 1)
    words = ("--data", data, "dead-letters", "list", "--each", "--json")
    (letter,) = [json.loads(line) for line in command(*words).splitlines()]
    assert (letter["place"], letter["replayed"]) == ("line 2", None)
    words = ("--data", data, "dead-letters", "show", letter["id"], "--json")
    assert "data" not in json.loads(command(*words))  # any record of the toy may be confidential
    shown_letter = json.loads(command(*words, "--confidential", "--why", "a test"))
    assert b64decode(shown_letter["data"]) == b"bad 2"
    made = [json.loads(line) for line in command("--data", data, "topics", "create", "--json").splitlines()]
    assert {each["topic"]: each["partitions"] for each in made} == PARTITIONS
    assert command("--data", data, "ask", "open", "--json") == ""
