"""A private OpenSSH server for the tests, from Debian's package: own keys, own files, on loopback, for one user."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from servers import Unavailable, free_port

_SSHD = Path("/usr/sbin/sshd")
_SEPARATION = Path("/run/sshd")
_START_TIMEOUT = 20.0
PASSPHRASE = "correct horse battery staple"


@dataclass(frozen=True)
class Sshd:
    """A running server. `known_hosts` has its key; `key` lets the user in, `locked_key` the same behind PASSPHRASE."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def user(self) -> str:
        """Who may come: the user who runs the tests."""
        return getpass.getuser()

    @property
    def known_hosts(self) -> Path:
        """A file with the server's host key."""
        return self.directory / "known_hosts"

    @property
    def key(self) -> Path:
        """A key that the server takes."""
        return self.directory / "user"

    @property
    def locked_key(self) -> Path:
        """The same, behind a passphrase."""
        return self.directory / "locked"

    def url(self, path: Path) -> str:
        """The address of a directory."""
        return f"sftp://{self.user}@127.0.0.1:{self.port}{path}"

    def requests(self) -> Counter[str]:
        """How often SFTP clients have asked for what until now, as the server logs it: `lstat`, `open`, `readdir`."""
        log = self.directory / "requests"
        text = log.read_text(errors="replace") if log.exists() else ""
        return Counter(word for word in re.findall(r" request \d+: (\w+)", text) if word != "sent")

    def sessions(self) -> list[int]:
        """The processes in which clients are served: children of the server, and theirs."""
        children: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text().rpartition(")")[2].split()
                children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        results, rest = [], [self.process.pid]
        while rest:
            below = children.get(rest.pop(), [])
            results += below
            rest += below
        return results

    def channel(self) -> int:
        """The process of SFTP itself, below that of the connection."""
        return next(pid for pid in self.sessions() if b"sftp-server" in Path(f"/proc/{pid}/cmdline").read_bytes())

    def kill_sessions(self) -> None:
        """SIGKILL to all that serve clients; the server itself goes on."""
        for pid in self.sessions():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        """End the server and all that serve clients."""
        serving = self.sessions()  # its children are nobody's once it is gone
        self.process.terminate()
        self.process.wait(10)
        for pid in serving:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def sshd(directory: Path, port: int = 0) -> Iterator[Sshd]:
    """A server for a while; again on the same directory and port it is the same one. Raises Unavailable."""
    if not _SSHD.exists() or shutil.which("ssh-keygen") is None:
        raise Unavailable("OpenSSH's server is missing; on Debian: apt-get install openssh-server")
    if os.geteuid() == 0:
        _SEPARATION.mkdir(mode=0o755, exist_ok=True)  # the directory that its unprivileged child is shut into
    port = port or free_port()
    _prepare(directory, port)
    with (directory / "log").open("ab") as log:
        command = [str(_SSHD), "-D", "-e", "-f", str(directory / "sshd_config")]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
    server = Sshd(directory, port, process)
    try:
        _wait(server)
        yield server
    finally:
        server.stop()


def _prepare(directory: Path, port: int) -> None:
    """The keys, which stay what they were, and the configuration."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, passphrase in (("host", ""), ("user", ""), ("stranger", ""), ("impostor", "")):
        if not (directory / name).exists():
            _keygen("-t", "ed25519", "-N", passphrase, "-C", name, "-f", directory / name)
    if not (directory / "locked").exists():
        shutil.copy(directory / "user", directory / "locked")
        _keygen("-p", "-P", "", "-N", PASSPHRASE, "-f", directory / "locked")
    shutil.copy(directory / "user.pub", directory / "authorized_keys")
    host = " ".join((directory / "host.pub").read_text().split()[:2])
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {host}\n")
    (directory / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {directory}/host\nPidFile none\n"
        f"AuthorizedKeysFile {directory}/authorized_keys\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        "PasswordAuthentication yes\nKbdInteractiveAuthentication no\nMaxStartups 100\nUseDNS no\nLogLevel ERROR\n"
        f"Subsystem sftp /usr/lib/openssh/sftp-server -e -l DEBUG3 2>>{directory}/requests\n"
    )


def _keygen(*arguments: object) -> None:
    command = ["ssh-keygen", "-q", *map(str, arguments)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _wait(server: Sshd) -> None:
    pause = Event()
    for _ in range(int(_START_TIMEOUT / 0.05)):
        if server.process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            pause.wait(0.05)
    raise Unavailable(f"sshd: {(server.directory / 'log').read_text()[-2000:].strip()}")
