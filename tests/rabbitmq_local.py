"""A private RabbitMQ node for the tests, from Debian's package: its data in a directory, all its ports on loopback."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event

from servers import Unavailable, free_port

# Not the script in sbin: that one leaves for Debian's own data directory and user.
_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_CONTROL = _SERVER.with_name("rabbitmqctl")
_START_TIMEOUT = 120.0


def start(directory: Path, certificates: Path | None = None) -> str:
    """Start a node on the data in the directory; its address, without a queue. Raises Unavailable.

    With `certificates` it also speaks TLS by server.crt and server.key there, on the port in the file `tls`, with
    clients that have a certificate by ca.pem.
    """
    if not _SERVER.exists() or shutil.which("epmd") is None:
        raise Unavailable("RabbitMQ is missing; on Debian: apt-get install rabbitmq-server")
    directory.mkdir(parents=True, exist_ok=True)
    port, names, distribution = _prepare(directory)
    if certificates is not None:
        _secure(directory, certificates)
    with (directory / "output").open("ab") as output:
        # Left to itself behind a shell that ends at once: who starts the node is not always who stops it.
        subprocess.run(
            ["sh", "-c", f"setsid {_SERVER} </dev/null &"],
            env=_environment(directory, port, names, distribution),
            stdout=output,
            stderr=output,
            check=True,
        )
    _wait(lambda: _answers(port), directory)
    return f"amqp://guest:guest@127.0.0.1:{port}"


def _secure(directory: Path, certificates: Path) -> None:
    secure = directory / "tls"
    if not secure.exists():
        secure.write_text(str(free_port()))
    with (directory / "rabbitmq.conf").open("a") as settings:
        settings.write(
            f"listeners.ssl.1 = 127.0.0.1:{secure.read_text()}\n"
            f"ssl_options.cacertfile = {certificates}/ca.pem\n"
            f"ssl_options.certfile = {certificates}/server.crt\n"
            f"ssl_options.keyfile = {certificates}/server.key\n"
            "ssl_options.verify = verify_peer\n"
            "ssl_options.fail_if_no_peer_cert = true\n"
        )


def control(directory: Path, *command: str) -> None:
    """Have rabbitmqctl do something on the node."""
    ports = map(int, (directory / "ports").read_text().split())
    full = [_CONTROL, *command]
    subprocess.run(full, env=_environment(directory, *ports), stdout=subprocess.DEVNULL, check=True)


def write_down(directory: Path) -> None:
    """Have the node write down which queues there are: it tells of a new one before a kill would leave it there."""
    control(directory, "eval", "mnesia:dump_log().")


def kill(directory: Path) -> None:
    """SIGKILL, as a fault would have it; the data stay and `start` takes them up again at the same address."""
    _end(directory, signal.SIGKILL)


def stop(directory: Path) -> None:
    """Stop it in good order, and the daemon that knows its name."""
    _end(directory, signal.SIGTERM)
    _, names, _ = (directory / "ports").read_text().split()
    subprocess.run(["epmd", "-port", names, "-kill"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def _prepare(directory: Path) -> tuple[int, int, int]:
    """The node's ports, which stay what they were, and its files."""
    remembered = directory / "ports"
    if not remembered.exists():
        remembered.write_text(" ".join(str(free_port()) for _ in range(3)))
        cookie = directory / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o600)
        (directory / "enabled_plugins").write_text("[].\n")
    port, names, distribution = map(int, remembered.read_text().split())
    (directory / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\n")
    (directory / "pid").unlink(missing_ok=True)
    return port, names, distribution


def _environment(directory: Path, port: int, names: int, distribution: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(directory),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_NODENAME": f"visabus{port}@localhost",
        "RABBITMQ_PID_FILE": str(directory / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }


def _answers(port: int) -> bool:
    """Whether a broker speaks AMQP there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"AMQP\0\0\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _end(directory: Path, how: signal.Signals) -> None:
    pid = int((directory / "pid").read_text())
    with suppress(ProcessLookupError):  # dead already
        os.kill(pid, how)
    _wait(lambda: not _lives(pid), directory)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wait(done: Callable[[], bool], directory: Path) -> None:
    pause = Event()
    for _ in range(int(_START_TIMEOUT / 0.2)):
        if done():
            return
        pause.wait(0.2)
    raise Unavailable(f"RabbitMQ: {(directory / 'output').read_text()[-2000:].strip()}")
