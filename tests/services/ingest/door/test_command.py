"""`visabus door` as it is run: a process of its own, with IDENT's messages."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from push_client import SECRET, Signer, insist
from systems.ident_build import ENROLMENT, ENTRY, MERGE, encounter, message
from toy_source import world
from typer.testing import CliRunner

from bus.embedded import EmbeddedBus
from services.cli import app
from services.cli.children import VISABUS

pytestmark = pytest.mark.slow
PATH = "/push/ident"
SIGNER = Signer("ident-2026a")


def _port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


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
        encounter(), encounter(ENTRY, match="NOT-MATCHED"), encounter(ENROLMENT, port="QQQ"), encounter(MERGE, sex="?")
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
    found = await world(bus)
    await bus.close()
    assert found.saved["IDENT/push"]["counters"] == {
        **{"read": 4, "published": 1, "dead_lettered": 2, "filtered": {"not-matched": 1}, "events": 1}
    }
    assert found.saved["IDENT/push"]["released"] is True
    arguments = ["--data", str(tmp_path / "data"), "dead-letters", "list"]
    listed = await asyncio.to_thread(CliRunner().invoke, app, arguments)
    assert "2 letters, 2 waiting" in listed.output


def test_without_a_key_or_with_one_of_a_system_that_does_not_push(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["--data", str(tmp_path), "door"])
    assert told.exit_code == 2
    assert "the settings have no key" in told.output
    environment = {"VISABUS_DOOR__KEYS": '{"a": {"system": "I94", "hmac_secret": "' + "x" * 32 + '"}}'}
    told = CliRunner().invoke(app, ["--data", str(tmp_path), "door"], env=environment)
    assert told.exit_code == 2
    assert "I94 is no system that pushes" in told.output
    assert "x" * 32 not in told.output
