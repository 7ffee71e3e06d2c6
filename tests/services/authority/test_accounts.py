"""The account of each process may do what its commands do, and no more: as rules in words, and on a Kafka with them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from authorised_kafka import OWNER, AuthorisedKafka
from click.testing import Result
from servers import free_port
from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed
from typer.testing import CliRunner

from adapters.registry import systems
from bus.contract import UnknownTopic
from schemas.topics import CONTROL, FEED_ORDERS
from services.authority import accounts
from services.cli import app
from services.feeds import Ownership
from services.settings import load
from services.wiring import open_bus

PROGRAM = [sys.executable, "-c", "from services.cli import app; app()"]


def test_the_rules_are_told_as_json() -> None:
    done = CliRunner().invoke(app, ["topics", "acls", "--json"])
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    wanted = accounts.rules(accounts.accounts(systems()))
    assert [accounts.Rule(**{name: each[name] for name in accounts.Rule.__slots__}) for each in rows] == wanted
    assert {each["account"]: each["purpose"] for each in rows}["visabus-api"] == "visabus serve"


def test_nobody_but_operators_orders_feeds() -> None:
    writers = {each.name for each in accounts.accounts(systems()) if FEED_ORDERS in each.writes}
    assert writers == {"visabus-operator", "visabus-console"}
    deciding = {each.name for each in accounts.accounts(systems()) if CONTROL in each.writes}
    assert {"visabus-examiner", "visabus-console"} <= deciding
    assert "visabus-operator" not in deciding
    assert "visabus-api" not in deciding


@pytest.mark.slow
def test_the_commands_do_with_their_accounts(kafka: str, tmp_path: Path) -> None:
    """Status, trace, feeds, receipts and dead letters as the operator; serve with and without the page."""
    assert kafka  # whether one can be run here
    broker = AuthorisedKafka(tmp_path / "kafka", accounts=[each.name for each in accounts.accounts(systems())])
    broker.start()
    try:
        for words in (["topics", "create"], ["topics", "acls", "--apply"]):
            succeeds(broker, tmp_path, OWNER, words)
        held(broker, tmp_path)
        Retrying(retry=retry_if_result(bool), stop=stop_after_delay(60), wait=wait_fixed(0.2))(
            lambda: run(broker, tmp_path, "visabus-operator", ["feeds", "list"]).exit_code
        )
        for words in OPERATORS:
            succeeds(broker, tmp_path, "visabus-operator", words)
        assert run(broker, tmp_path, "visabus-operator", ["status", "--json"]).exit_code in (0, 1)  # 1: no correlator
        # the API's account is let neither read positions nor order a feed
        refused = run(broker, tmp_path, "visabus-api", ["feeds", "resume", "I94.nightly", "--why", "a test"])
        assert refused.exit_code not in (0, 2), refused.output
        assert "authoriz" in refused.output.lower() or "not-authorised" in refused.output.lower(), refused.output
        succeeds(broker, tmp_path, "visabus-correlator", ["correlate", "--once"])
        succeeds(broker, tmp_path, "visabus-rebuild", ["rebuild", "--compare", "--switch", "--why", "a test"])
        with served(broker, tmp_path, "visabus-api", []) as client:
            assert client.get("/v1/status/i94/98765432101", headers=token(tmp_path, "status:read")).status_code == 404
        with served(broker, tmp_path, "visabus-console", ["--console"]) as client:
            may = token(tmp_path, "operations:read", "records:read", "operations:write")
            for path in ("overview", "dead-letters", "systems/I94"):
                answer = client.get(f"/console/api/{path}", headers=may)
                assert answer.status_code == 200, (path, answer.text)
            assert client.get("/console/api/trace?about=I94+1", headers=may).status_code == 404
            for path, body in ORDERS.items():
                answer = client.post(f"/console/api/{path}", headers=may, json={"why": "a test", **body})
                assert answer.status_code == 200, (path, answer.text)
    finally:
        broker.stop()


ORDERS: dict[str, dict[str, object]] = {
    "feeds/I94/nightly/pause": {},
    "feeds/I94/nightly/resume": {},
    "feeds/I94/nightly/rewind": {"yes": True},
}
OPERATORS = (
    ["feeds", "list"],
    ["feeds", "pause", "I94.nightly", "--why", "a test"],
    ["feeds", "resume", "I94.nightly", "--why", "a test"],
    ["feeds", "rewind", "I94.nightly", "--why", "a test"],
    ["receipts", "list"],
    ["dead-letters", "list"],
)


def environment(broker: AuthorisedKafka, directory: Path, account: str) -> dict[str, str]:
    """The settings of a process."""
    return {**broker.environment(account), "VISABUS_DATA_DIR": str(directory / "data"), "VISABUS_LOG__FORM": "json"}


def run(broker: AuthorisedKafka, directory: Path, account: str, words: list[str]) -> Result:
    """A command in the name of an account."""
    return CliRunner().invoke(app, words, env=environment(broker, directory, account))


def succeeds(broker: AuthorisedKafka, directory: Path, account: str, words: list[str]) -> None:
    done = run(broker, directory, account, words)
    assert done.exit_code == 0, (words, done.output, done.exception)


def held(broker: AuthorisedKafka, directory: Path) -> None:
    """A feed that its ingest's account has held once, so that there is one to be ordered."""

    async def claim() -> None:
        bus = await open_bus(load(environment=environment(broker, directory, accounts.ingest_account("I94"))))
        try:
            producer = await bus.producer()
            await Ownership(bus, producer).claim(["I94/nightly"])
            await producer.close()
        finally:
            await bus.close()

    Retrying(retry=retry_if_exception_type(UnknownTopic), stop=stop_after_delay(60), wait=wait_fixed(0.2))(
        lambda: asyncio.run(claim())  # the broker takes its rules in a moment after it has answered
    )


def token(directory: Path, *scopes: str) -> dict[str, str]:
    """The headers of a caller."""
    words = ["--data", str(directory / "data"), "token", "--purpose", "audit"]
    for scope in scopes:
        words += ["--scope", scope]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return {"authorization": f"Bearer {done.stdout.strip()}", "visabus-purpose": "audit"}


@contextmanager
def served(broker: AuthorisedKafka, directory: Path, account: str, words: list[str]) -> Iterator[httpx.Client]:
    """`visabus serve` in the name of an account, once it has compared its audit log with the heads on the bus."""
    port = free_port()
    variables = {**os.environ, **environment(broker, directory, account)}
    with (directory / f"{account}.log").open("w") as log:
        process = subprocess.Popen([*PROGRAM, "serve", "--port", str(port), *words], stderr=log, env=variables)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            tries = Retrying(
                retry=retry_if_exception_type(httpx.TransportError) | retry_if_result(lambda answer: answer == 503),
                stop=stop_after_delay(90),
                wait=wait_fixed(0.2),
            )
            headers = token(directory, "status:read")
            tries(lambda: client.get("/v1/status/i94/98765432102", headers=headers).status_code)
            yield client
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, (directory / f"{account}.log").read_text()
