"""`visabus serve`, `token` and `audit verify`, as one would use them."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed
from typer.testing import CliRunner, Result

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


def test_an_audit_log_that_somebody_changed(tmp_path: Path) -> None:
    missing = run(tmp_path, "audit", "verify")
    assert (missing.exit_code, "there is no audit log at" in missing.stderr) == (1, True)
    assert not [path for path in tmp_path.iterdir() if "audit" in path.name]
    assert run(tmp_path, "audit", "create").exit_code == 0
    whole = run(tmp_path, "audit", "verify")
    assert (whole.exit_code, whole.stdout.splitlines()[0]) == (0, "1 rows, unbroken")
    head = whole.stdout.splitlines()[1]
    assert "there is no bus" in whole.stderr
    assert run(tmp_path, "audit", "verify", "--head", "nonsense").exit_code == 2
    assert run(tmp_path, "audit", "verify", "--head", head).exit_code == 0
    cut = run(tmp_path, "audit", "verify", "--head", f"2{head[1:]}")
    assert cut.exit_code == 1
    assert cut.stderr.startswith("visabus: the audit log is broken: row 2: its seal was given out, and it is missing")
    with closing(sqlite3.connect(tmp_path / "audit.db")) as connection, connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET purpose = 'audit'")
    changed = run(tmp_path, "audit", "verify")
    assert changed.exit_code == 1
    assert changed.stderr == (
        "visabus: the audit log is broken: row 1: was changed after it was written, or sealed again without the key; "
        "the trigger audit_no_update is missing\n"
    )


def test_who_looked_up_a_number(tmp_path: Path) -> None:
    assert run(tmp_path, "audit", "create").exit_code == 0
    assert run(tmp_path, "audit", "find", "i94/nonsense").exit_code == 2
    nobody = run(tmp_path, "audit", "find", "i94/123456789A1", "--why", "request of the data subject")
    (line,) = nobody.stdout.splitlines()
    assert (nobody.exit_code, "123456789" in line) == (0, False)
    assert "  visabus-cli  " in line
    assert "audit find" in line
    assert "request of the data subject" in line
    assert pwd.getpwuid(os.geteuid()).pw_name in line
    assert len(run(tmp_path, "audit", "find", "I94/CBP/123456789A1").stdout.splitlines()) == 2
    # planted: another key of names finds nothing, and an old one that is still there does
    assert run(tmp_path, "audit", "rotate", "--names").exit_code == 0
    assert len(run(tmp_path, "audit", "find", "i94/123456789A1").stdout.splitlines()) == 3
    keys = (tmp_path / "audit.key").read_text().splitlines()
    (tmp_path / "audit.key").write_text(keys[-1])
    assert len(run(tmp_path, "audit", "find", "i94/123456789A1").stdout.splitlines()) == 2


def test_a_new_key_of_seals_leaves_what_stands(tmp_path: Path) -> None:
    assert run(tmp_path, "audit", "create").exit_code == 0
    rotated = run(tmp_path, "audit", "rotate")
    assert (rotated.exit_code, "2 keys" in rotated.stdout) == (0, True)
    assert run(tmp_path, "audit", "find", "i94/123456789A1").exit_code == 0
    assert run(tmp_path, "audit", "verify").stdout.startswith("3 rows, unbroken\n")


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
    verified = run(tmp_path, "audit", "verify")
    assert verified.stdout.startswith("3 rows, unbroken\n")
    assert "the last of row 3" in verified.stderr
