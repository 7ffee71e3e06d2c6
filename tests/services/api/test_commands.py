"""`visabus serve`, `token` and `audit verify`, as one would use them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed
from typer.testing import CliRunner, Result

from services.api.audit import Row, open_audit
from services.cli import app

pytestmark = pytest.mark.usefixtures("logs")


def run(data: Path, *arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["--data", str(data), *arguments], env=environment)


def token(data: Path, *arguments: str) -> str:
    result = run(data, "token", "--scope", "status:read", "--purpose", "admission", *arguments)
    assert result.exit_code == 0, result.output
    assert "for development" in result.stderr
    return result.stdout.strip()


def test_a_token_from_the_local_key(tmp_path: Path) -> None:
    assert token(tmp_path).count(".") == 2
    assert (tmp_path / "token.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "token.key").chmod(0o640)
    refused = run(tmp_path, "token", "--scope", "status:read", "--purpose", "admission")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "chmod 600" in refused.stderr


@pytest.mark.parametrize(
    ("scope", "purpose", "said"),
    [("status:write", "admission", "no such scope"), ("status:read", "curiosity", "no such purpose")],
)
def test_no_token_for_what_does_not_exist(tmp_path: Path, scope: str, purpose: str, said: str) -> None:
    result = run(tmp_path, "token", "--scope", scope, "--purpose", purpose)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_no_token_where_an_issuer_gives_them(tmp_path: Path) -> None:
    (tmp_path / "jwks.json").write_text("{}")
    result = run(
        tmp_path,
        "token",
        "--scope",
        "status:read",
        "--purpose",
        "admission",
        VISABUS_API__JWKS=str(tmp_path / "jwks.json"),
    )
    assert result.exit_code == 2
    assert "issuer" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("--host", "192.0.2.1"), {}, "beyond this machine"),
        (("--jwks-url", "https://issuer.example/keys"), {}, "api.issuer is missing"),
        (("--jwks-url", "http://issuer.example/keys"), {"VISABUS_API__ISSUER": "i"}, "over https"),
        (
            ("--jwks-url", "https://issuer.example/keys"),
            {"VISABUS_API__ISSUER": "i", "VISABUS_API__HS_SECRET": "s" * 32},
            "beside another key",
        ),
    ],
)
def test_serve_refuses_what_is_not_safe(
    tmp_path: Path, arguments: tuple[str, ...], environment: dict[str, str], said: str
) -> None:
    result = run(tmp_path, "serve", *arguments, **environment)
    assert result.exit_code == 2, result.output
    assert said in result.stderr


async def made(data: Path) -> None:
    log = await open_audit(f"sqlite+aiosqlite:///{data}/audit.db", bytes(32), lambda: datetime.now(UTC))
    await log.close()


def test_an_audit_log_that_somebody_changed(tmp_path: Path) -> None:
    missing = run(tmp_path, "audit", "verify")
    assert (missing.exit_code, "there is no audit log at" in missing.stderr) == (1, True)
    asyncio.run(made(tmp_path))
    empty = run(tmp_path, "audit", "verify")
    assert (empty.exit_code, empty.stdout) == (0, "0 rows, unbroken\n")
    assert run(tmp_path, "audit", "verify", "--head", "nonsense").exit_code == 2
    first = Row(1, "t", "r", "s", "c", "p", "v", "l", "", "", "answered", "", "[]", "0" * 64)
    with closing(sqlite3.connect(tmp_path / "audit.db")) as connection, connection:
        columns = [*Row.__slots__]
        values = [getattr(first, name) for name in columns[:-1]] + [first.seal()]
        marks = ", ".join("?" * len(columns))
        connection.execute(f"INSERT INTO audit ({', '.join(columns)}) VALUES ({marks})", values)
    good = run(tmp_path, "audit", "verify")
    assert good.stdout == f"1 rows, unbroken\n1:{first.seal()}\n"
    assert run(tmp_path, "audit", "verify", "--head", f"1:{first.seal()}").exit_code == 0
    cut = run(tmp_path, "audit", "verify", "--head", f"2:{first.seal()}")
    assert (cut.exit_code, cut.stderr) == (1, "visabus: the audit log is broken: row 2: noted, and missing\n")
    with closing(sqlite3.connect(tmp_path / "audit.db")) as connection, connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET purpose = 'audit'")
    changed = run(tmp_path, "audit", "verify")
    assert changed.exit_code == 1
    assert changed.stderr == "visabus: the audit log is broken: row 1: was changed after it was written\n"


@pytest.mark.slow
def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", "from services.cli import app; app()", "--data", str(tmp_path), "serve"]
        done = subprocess.run([*command, "--port", port], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"visabus: cannot listen at 127.0.0.1:{port}; --port takes another"


@pytest.mark.slow
def test_serve_answers_and_stops(tmp_path: Path, unused_tcp_port: int) -> None:
    mine = token(tmp_path)
    environment = {**os.environ, "VISABUS_LOG__FORM": "json"}
    command = [sys.executable, "-c", "from services.cli import app; app()", "--data", str(tmp_path), "serve"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([*command, "--port", str(unused_tcp_port)], stderr=log, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{unused_tcp_port}", timeout=10) as client:
            tries = Retrying(
                retry=retry_if_exception_type(httpx.TransportError), stop=stop_after_delay(60), wait=wait_fixed(0.2)
            )
            assert tries(client.get, "/readyz").json() == {
                "status": "stale",
                "correlators": 0,
                "correlated_at": None,
                "behind": None,
                "backlog": 0,
                "quarantined": 0,
            }
            headers = {"authorization": f"Bearer {mine}", "visabus-purpose": "admission"}
            nobody = client.get("/v1/status/i94/987654321A1", headers=headers)
            assert nobody.status_code == 404
            assert "server" not in nobody.headers
            assert client.get("/v1/status/i94/987654321A1").status_code == 401
            large = client.request("GET", "/healthz", content=b"x" * 100_000)
            assert large.status_code == 413
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    lines = (tmp_path / "log").read_text()
    assert "987654321A1" not in lines
    (listening,) = [json.loads(line)["url"] for line in lines.splitlines() if '"listening"' in line]
    assert listening == f"http://127.0.0.1:{unused_tcp_port}"
    assert "%" not in lines
    routes = [json.loads(line).get("route") for line in lines.splitlines() if '"route"' in line]
    assert routes.count("/v1/status/{scheme}/{value}") == 2
    assert run(tmp_path, "audit", "verify").stdout.startswith("1 rows, unbroken\n")
