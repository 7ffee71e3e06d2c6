"""A local Kafka Connect with Debezium's connectors, for tests: start, stop, connectors whose task runs."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from servers import Unavailable, free_port

SCRIPT = Path(__file__).parent.parent / "deploy" / "connect" / "connect"
PATIENCE = 90.0
"""Seconds until a task has to run: a busy machine makes the first of a worker slow."""
JSON = {
    f"{side}.converter{option}": value
    for side in ("key", "value")
    for option, value in (
        ("", "org.apache.kafka.connect.json.JsonConverter"),
        (".schemas.enable", "true"),
        (".replace.null.with.default", "false"),
    )
}
"""Converters as the interface page asks for them: with schemas, and NULL is null."""


def start(directory: Path, bootstrap: str) -> str:
    """The address of a worker on a broker, whose files lie in the directory. Raises Unavailable."""
    port = free_port()
    _run("start", str(directory), str(port), bootstrap)
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    while httpx.get(f"{url}/connectors", timeout=PATIENCE).status_code != 200:  # it listens before it answers
        if time.monotonic() > end:
            raise Unavailable(f"Kafka Connect does not answer; see {directory}/worker.log")
        time.sleep(0.1)
    return url


def stop(directory: Path) -> None:
    """Stop it in good order."""
    _run("stop", str(directory))


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [SCRIPT, *arguments], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise Unavailable(done.stderr.strip())


@dataclass(frozen=True)
class Connect:
    """A worker. A connector is there for as long as its context lasts."""

    url: str

    @contextmanager
    def connector(self, name: str, config: Mapping[str, Any], *, runs: bool = True) -> Iterator[None]:
        """A connector; with `runs` its task runs once the context is entered."""
        with httpx.Client(base_url=self.url, timeout=PATIENCE) as client:
            put = client.put(f"/connectors/{name}/config", json={k: str(v) for k, v in (JSON | dict(config)).items()})
            assert put.status_code == 201, put.text
            try:
                if runs:
                    self.await_task(name)
                yield
            finally:
                client.delete(f"/connectors/{name}")

    def state(self, name: str) -> tuple[str, str, str]:
        """The state of a connector, of its one task, and what the task died of."""
        status = httpx.get(f"{self.url}/connectors/{name}/status", timeout=PATIENCE).json()
        task = next(iter(status.get("tasks", ())), {})
        return status.get("connector", {}).get("state", ""), task.get("state", ""), task.get("trace", "")

    def await_task(self, name: str, state: str = "RUNNING") -> None:
        """Return once the task, not the connector alone, is in a state."""
        end = time.monotonic() + PATIENCE
        while True:
            _, task, trace = self.state(name)
            if task == state:
                return
            assert task != "FAILED", trace
            assert time.monotonic() < end, f"the task of {name} is {task or 'not there'}"
            time.sleep(0.1)

    def config(self, name: str) -> dict[str, str]:
        """The configuration of a connector as the worker has it."""
        result = httpx.get(f"{self.url}/connectors/{name}/config", timeout=PATIENCE).json()
        assert isinstance(result, dict)
        return result
