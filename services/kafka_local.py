"""A local Apache Kafka of one node, for demos, tests and the command line: start, stop, kill."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
from pathlib import Path

# Below the range that the kernel picks outgoing ports from, so that nobody takes one before Kafka binds it.
_PORTS = range(20_000, 32_000)
_START_TIMEOUT = 300.0


class KafkaUnavailable(RuntimeError):
    """The local Kafka could not be run; the message says what is missing."""


def start(directory: Path, port: int = 0) -> str:
    """Start Kafka on its data in `directory`, or leave it running, and return its bootstrap address.

    Port 0 takes the port that the directory had before, or a free one.
    """
    directory = directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    port, controller = _ports(directory, port)
    _run("start", str(directory), str(port), str(controller))
    return f"127.0.0.1:{port}"


def stop(directory: Path) -> None:
    """Stop in good order; the data stay."""
    _run("stop", str(directory.absolute()))


def kill(directory: Path) -> None:
    """Stop with SIGKILL, as a fault would."""
    _run("kill", str(directory.absolute()))


def fetch() -> None:
    """Fetch the jars, unless they are there."""
    _run("fetch")


def _ports(directory: Path, port: int) -> tuple[int, int]:
    remembered = directory / "ports"
    old, controller = map(int, remembered.read_text().split()) if remembered.exists() else (0, 0)
    wanted = port or old or _free_port()
    # The controller's port is written into the quorum that the data remember, so it never changes.
    controller = controller or _free_port()
    remembered.write_text(f"{wanted} {controller}\n")
    return wanted, controller


def _free_port() -> int:
    while True:
        port = random.choice(_PORTS)  # noqa: S311 (nothing secret)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def _run(*arguments: str) -> None:
    bash = shutil.which("bash")
    if bash is None:
        raise KafkaUnavailable("bash is missing")
    command = [bash, str(_script()), *arguments]

    done = subprocess.run(  # noqa: S603 (our own script)
        command,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=_START_TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        raise KafkaUnavailable(done.stderr.strip())


def _script() -> Path:
    here = Path(__file__).parent
    places = (here / "kafka_files" / "kafka", here.parent / "deploy" / "kafka" / "kafka")
    for place in places:
        if place.exists():
            return place
    raise KafkaUnavailable(f"the files of the local Kafka are missing: {places[-1].parent}")
