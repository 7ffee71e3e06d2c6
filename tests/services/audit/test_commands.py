"""What commands tell of persons and decide on them is in the audit log: by whom of this machine, and why."""

from __future__ import annotations

import asyncio
import os
import pwd
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import structlog
from toy_source import once
from typer.testing import CliRunner

from adapters.registry import RESERVED
from bus.embedded import EmbeddedBus
from services.audit import Row, held_keys, open_reading
from services.cli import app, audited
from services.correlator.process import run
from services.settings import load
from services.wiring import topics

pytestmark = pytest.mark.usefixtures("logs")


@pytest.fixture
async def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("adapters.registry.RESERVED", RESERVED | {"TOY"})  # commands know the name
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("good 1\nbad 2\nskip 3")
    bus = await EmbeddedBus.open(tmp_path / "bus.db")
    await bus.declare(topics())
    await once(folder, bus)
    await bus.close()
    await run(load(environment={}, data_dir=tmp_path), once=True, hold=False, stop=asyncio.Event())
    return tmp_path


def command(data: Path, *arguments: str, code: int = 0) -> str:
    structlog.reset_defaults()  # each is a process of its own
    done = CliRunner().invoke(app, ["--data", str(data), *arguments], env={"COLUMNS": "300"})
    assert done.exit_code == code, done.output
    return done.output


def rows_of(data: Path) -> list[Row]:
    settings = load(environment={}, data_dir=data)

    async def read() -> list[Row]:
        async with open_reading(settings.audit_url, held_keys(settings).seal) as log:
            return [row async for row in log.rows()][1:]

    return asyncio.run(read())


ASKED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("export", "--why", "w"), "export"),
    (("report", "--year", "2025", "--why", "w"), "report"),
    (("matches", "list", "--why", "w"), "matches list"),
    (("dead-letters", "list", "--why", "w"), "dead-letters list"),
    (("dead-letters", "list", "--each", "--why", "w"), "dead-letters list"),
    (("dead-letters", "replay", "--system", "TOY", "--why", "w"), "dead-letters replay (dry run)"),
    (("dead-letters", "replay", "--system", "TOY", "--yes", "--release", "--why", "w"), "dead-letters replay released"),
    (("receipts", "list", "--why", "w"), "receipts list"),
    (("receipts", "show", "a.txt", "--why", "w"), "receipts show"),
    (("receipts", "export", "--why", "w"), "receipts export"),
    (("ask", "about", "a_number/A099000117", "--why", "w"), "ask about"),
    (("token", "--scope", "status:read", "--purpose", "admission", "--why", "w"), "token status:read"),
    (("audit", "find", "a_number/A099000117", "--why", "w"), "audit find"),
)


def test_each_command_leaves_a_row(data: Path) -> None:
    for arguments, _ in ASKED:
        command(data, *arguments, code=int("replay" in arguments))  # the record is still refused
    identity = command(data, "dead-letters", "list", "--each").split()[0]
    command(data, "dead-letters", "show", identity, "--save", str(data / "record"), "--confidential", "--why", "w")
    decision = ("TOY/1", "TOY/2", "--by", "J. Doe", "--why", "both seen")
    command(data, "matches", "decide", *decision, "--same")
    command(data, "matches", "undo", *decision)
    command(data, "export", "--digest")  # tells of nobody
    command(data, "receipts", "list", "--system", "TOY", "--record", "1")
    rows = rows_of(data)
    assert [row.verb for row in rows] == [
        *(verb for _, verb in ASKED),
        "dead-letters list",
        "dead-letters save confidential:read",
        *["matches decide same"] * 2,
        *["matches undo"] * 2,
        "receipts list",
    ]
    assert {row.subject.partition(" ")[0] for row in rows} == {f"os:{pwd.getpwuid(os.geteuid()).pw_name}"}
    assert all(row.source and row.client == "visabus-cli" for row in rows)
    assert [row.reason for row in rows[: len(ASKED)]] == ["w"] * len(ASKED)
    assert [row.reason for row in rows[-7:]] == ["not stated", "w", *["both seen (by J. Doe)"] * 4, "not stated"]
    assert "A099000117" not in str(rows)
    assert "TOY/1" not in str(rows)
    assert command(data, "audit", "find", "record/TOY/1").count("matches") == 2
    assert command(data, "audit", "verify").startswith(f"{len(rows_of(data)) + 1} rows, unbroken")


@pytest.mark.law(7, planted="a log that was cut off: no command tells of persons")
def test_whom_no_log_remembers_no_command_tells(data: Path) -> None:
    command(data, "export")
    command(data, "export")
    with closing(sqlite3.connect(data / "audit.db")) as connection, connection:
        connection.execute("DROP TRIGGER audit_no_delete")
        connection.execute("DELETE FROM audit WHERE sequence > 2")
    cut = command(data, "export", code=1)
    assert "nothing is told that the audit log does not remember: row 3: its seal was given out" in cut
    assert '{"' not in cut
    for arguments, _ in ASKED[:-1]:
        assert "nothing is told that the audit log does not remember" in command(data, *arguments, code=1)
    accepted = command(data, "audit", "accept", "--why", "a test cut it off", code=0)
    assert accepted.startswith("accepted\n3:")
    # its trigger is still gone
    assert "the trigger audit_no_delete is missing" in command(data, "export", code=1)


def test_the_user_is_the_process_and_not_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USER", "LOGNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody")
    assert "somebody" not in audited.operating_user()
    assert f"({os.geteuid()})" in audited.operating_user()


def test_a_reason_is_one_line(data: Path) -> None:
    for why in ("x" * 501, "a\nb", "\x1b[2J"):
        assert "--why is one line" in command(data, "receipts", "list", "--why", why, code=2)
