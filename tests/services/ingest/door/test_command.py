"""`visabus door` as it is run: a process of its own, with IDENT's messages."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from push_client import SECRET, Signer, insist
from systems.ident.build import ENTRY, MERGE, encounter, message
from toy_source import world
from typer.testing import CliRunner

from bus.contract import BusDown, Producer
from bus.embedded import EmbeddedBus
from services.cli import app
from services.cli.children import VISABUS
from services.ingest import sources
from services.settings import SettingsError, load

pytestmark = pytest.mark.slow
PATH = "/push/ident"
SIGNER = Signer("ident-2026a")


def _port() -> int:
    with socket.socket() as seen:
        seen.bind(("127.0.0.1", 0))
        return int(seen.getsockname()[1])


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A door with one key, whose secret stands in the secrets directory."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "door__keys__ident-2026a__hmac_secret").write_text(SECRET)
    file = tmp_path / "visabus.toml"
    file.write_text('[door.keys."ident-2026a"]\nsystem = "IDENT"\n[log]\nform = "json"\n')
    port = _port()
    with (tmp_path / "log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            *(VISABUS, "--settings", file, "--data", tmp_path / "data", "door", "--port", str(port)),
            env={**os.environ, "VISABUS_SECRETS_DIR": str(secrets)},
            stderr=log,
        )
    try:
        yield running, f"http://127.0.0.1:{port}"
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def push(http: httpx.AsyncClient, body: bytes) -> dict[str, Any]:
    return await insist(http, PATH, body, SIGNER.headers(PATH, body, int(time.time())))


async def test_a_message_of_ident_is_taken_and_told(
    door: tuple[asyncio.subprocess.Process, str], tmp_path: Path
) -> None:
    running, url = door
    body = message(
        encounter(),
        encounter(ENTRY, match="NOT-MATCHED"),
        encounter(ENTRY, id="E0000000019", port="QQQ"),
        encounter(MERGE, category="?"),
    )
    async with httpx.AsyncClient(base_url=url) as http:
        answer = await push(http, body)
        wrong = await http.post(PATH, content=body, headers=Signer("ident-2025").headers(PATH, body, int(time.time())))
    assert wrong.status_code == 401
    entries = [(entry["encounter"], entry["outcome"], entry.get("reason")) for entry in answer["answers"]]
    assert entries[:3] == [
        ("E0000000017", "accepted", None),
        ("E0000000018", "left_out", "not-matched"),
        ("E0000000019", "refused", "EncounterPortCode: 'QQQ' is in no code table"),
    ]
    assert entries[3][:2] == ("E0000000020", "refused")
    running.terminate()
    assert await running.wait() == 0
    log = (tmp_path / "log").read_text()
    assert '"taken"' in log
    assert not [word for word in ("GARCIA", "123456789", "PAA123456", "E00000000", SECRET) if word in log]
    bus = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    seen = await world(bus)
    await bus.close()
    assert seen.checkpoints["IDENT/push"]["counters"] == {
        **{"read": 4, "published": 1, "dead_lettered": 2, "filtered": {"not-matched": 1}, "events": 1}
    }
    assert seen.checkpoints["IDENT/push"]["released"] is True
    arguments = ["--data", str(tmp_path / "data"), "dead-letters", "list"]
    listed = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert "2 dead letters, 2 pending" in listed.output


def test_without_a_key_or_with_one_of_a_system_that_does_not_push(tmp_path: Path) -> None:
    output = CliRunner().invoke(app, ["--data", str(tmp_path), "door"])
    assert output.exit_code == 2
    assert "the settings have no key" in output.output
    environment = {"VISABUS_DOOR__KEYS": '{"a": {"system": "I94", "hmac_secret": "' + "x" * 32 + '"}}'}
    output = CliRunner().invoke(app, ["--data", str(tmp_path), "door"], env=environment)
    assert output.exit_code == 2
    assert "I94 is no system that pushes" in output.output
    assert "x" * 32 not in output.output


@pytest.mark.parametrize(
    ("key", "mistake"),
    [
        ({"system": "IDENT"}, "neither hmac_secret nor ed25519_public_key"),
        ({"system": "IDENT", "hmac_secret": SECRET, "ed25519_public_key": "A" * 43 + "="}, "one of hmac_secret and"),
        ({"system": "IDENT", "hmac_secret": "short"}, "hmac_secret: shorter than 32 bytes"),
        ({"system": "IDENT", "ed25519_public_key": "not-a-key!!"}, "ed25519_public_key: no base64 of 32 bytes"),
        ({"hmac_secret": SECRET}, "system: missing"),
    ],
)
def test_a_key_that_is_none_is_refused_without_being_shown(key: dict[str, str], mistake: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(mistake)) as caught:
        load(environment={}, door={"keys": {"ident-2026a": key}})
    assert not [value for value in key.values() if len(value) > 8 and value in str(caught.value)]


def test_a_feed_that_is_pushed_has_no_address() -> None:
    with pytest.raises(SettingsError, match="IDENT pushes it"):
        sources(load(environment={}, feeds={"IDENT.push": {"url": "file:///srv/ident"}}))


async def test_a_second_door_is_refused_unless_it_is_told_to_take_over(
    door: tuple[asyncio.subprocess.Process, str], tmp_path: Path
) -> None:
    running, url = door
    async with httpx.AsyncClient(base_url=url) as http:
        await push(http, message(encounter(id="E0000000018")))  # the first one holds the feed by now
    second = await asyncio.create_subprocess_exec(
        *(VISABUS, "--settings", tmp_path / "visabus.toml", "--data", tmp_path / "data", "door", "--port", "0"),
        env={**os.environ, "VISABUS_SECRETS_DIR": str(tmp_path / "secrets")},
        stderr=asyncio.subprocess.PIPE,
    )
    _, output = await asyncio.wait_for(second.communicate(), 60)
    assert second.returncode == 1
    assert b"IDENT.push is held by a process" in output
    assert b"--take-over" in output
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await push(http, message(encounter())))["accepted"] == 1
    assert running.returncode is None


async def test_a_second_door_takes_over_and_the_first_one_ends(
    door: tuple[asyncio.subprocess.Process, str], tmp_path: Path
) -> None:
    running, url = door
    async with httpx.AsyncClient(base_url=url) as http:
        await push(http, message(encounter()))
    port = _port()
    second = await asyncio.create_subprocess_exec(
        *(
            VISABUS,
            "--settings",
            tmp_path / "visabus.toml",
            "--data",
            tmp_path / "data",
            "door",
            "--take-over",
            "--port",
            str(port),
        ),
        env={**os.environ, "VISABUS_SECRETS_DIR": str(tmp_path / "secrets")},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            assert await running.wait() == 1
        assert "another door took over" in (tmp_path / "log").read_text()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            assert (await push(http, message(encounter(ENTRY))))["accepted"] == 1
    finally:
        second.terminate()
        assert await second.wait() == 0
    bus = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    assert (await world(bus)).checkpoints["IDENT/push"]["counters"]["read"] == 2
    await bus.close()


async def test_a_bus_that_goes_away_while_a_door_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of opening is tried again: a door that gives up would leave IDENT with nobody to ask."""
    from services.cli import door as command
    from services.cli.ingest import Stamp

    plain, times = EmbeddedBus.producer, 0

    async def away_at_first(self: EmbeddedBus) -> Producer:
        nonlocal times
        times += 1
        if times < 3:
            raise BusDown("away")
        return await plain(self)

    async def serve(app: object, handlers: dict[str, object], *_: object) -> bool:
        assert list(handlers) == ["ident"]
        return False

    monkeypatch.setattr(EmbeddedBus, "producer", away_at_first)
    monkeypatch.setattr(command, "_serve", serve)
    environment = {
        "VISABUS_DATA_DIR": str(tmp_path),
        "VISABUS_DOOR__KEYS": json.dumps({"k": {"system": "IDENT", "hmac_secret": SECRET}}),
    }
    settings = load(environment=environment)
    assert not await command._run(settings, command._pushed(settings), "127.0.0.1", 0, Stamp.RECORDED, take_over=False)
    assert times == 3
