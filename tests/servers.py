"""The real servers that tests need: started once, shared by all workers of a run, stopped by the last to go."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from services import kafka_local


class Unavailable(RuntimeError):
    """A server cannot be had on this machine; the message says what to install."""


class Shared:
    """A server that the workers of one run share, counted in a directory that all of them see."""

    def __init__(self, directory: Path, start: Callable[[Path], str], stop: Callable[[Path], None]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._start = start
        self._stop = stop

    def acquire(self) -> str:
        """Start the server unless another worker has, and return its address."""
        with self._locked():
            address = self.directory / "address"
            if self._users() == 0:
                address.write_text(self._start(self.directory))
            self._count(self._users() + 1)
            return address.read_text()

    def release(self) -> None:
        """Stop the server if no other worker uses it."""
        with self._locked():
            self._count(self._users() - 1)
            if self._users() == 0:
                self._stop(self.directory)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _users(self) -> int:
        counted = self.directory / "users"
        return int(counted.read_text()) if counted.exists() else 0

    def _count(self, users: int) -> None:
        (self.directory / "users").write_text(str(users))


def start_kafka(directory: Path) -> str:
    """The address of a local Kafka whose data lie in the directory."""
    try:
        return kafka_local.start(directory)
    except kafka_local.KafkaUnavailable as error:
        raise Unavailable(str(error)) from error


def stop_kafka(directory: Path) -> None:
    """Stop it in good order."""
    kafka_local.stop(directory)


def start_postgres(directory: Path, rules: str = "", certificates: Path | None = None) -> str:
    """The SQLAlchemy URL of a fresh PostgreSQL on a loopback port.

    `rules` are lines for pg_hba.conf in place of its own. With `certificates` it speaks TLS by server.crt and
    server.key there, and asks for those of ca.pem.
    """
    tools = _postgres_tools()
    # Not below pytest's own directory, which only its owner may enter: PostgreSQL refuses to run as root.
    data = Path(tempfile.mkdtemp(prefix="visabus-postgres-"))
    (directory / "data").write_text(str(data))
    if _as_postgres():
        owner = pwd.getpwnam("postgres")
        os.chown(data, owner.pw_uid, owner.pw_gid)
    port = free_port()
    initdb = ("-D", f"{data}/db", "-U", "visabus", "--auth=trust", "-E", "UTF8", "--no-locale", "--no-sync")
    _run(tools / "initdb", *initdb)
    if rules:
        (data / "db" / "pg_hba.conf").write_text(rules)
    secure = _secured(data, certificates) if certificates is not None else ""
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data}"
        f" -c wal_level=logical -c max_connections=200{secure}"
    )
    _run(tools / "pg_ctl", "-D", f"{data}/db", "-l", f"{data}/log", "-w", "-o", options, "start")
    return f"postgresql+asyncpg://visabus@127.0.0.1:{port}/postgres"


def _secured(data: Path, certificates: Path) -> str:
    """The options for TLS, with the files where the server may read them."""
    names = {"ssl_cert_file": "server.crt", "ssl_key_file": "server.key", "ssl_ca_file": "ca.pem"}
    for name in names.values():
        shutil.copy(certificates / name, data / name)
        (data / name).chmod(0o600)
        if _as_postgres():
            owner = pwd.getpwnam("postgres")
            os.chown(data / name, owner.pw_uid, owner.pw_gid)
    return " -c ssl=on" + "".join(f" -c {option}={data}/{name}" for option, name in names.items())


def as_owner(directory: Path, *statements: str) -> None:
    """Have statements run as the owner, by the server's own socket."""
    data = Path((directory / "data").read_text())
    (port,) = (int(name.suffix[1:]) for name in data.glob(".s.PGSQL.*") if name.suffix != ".lock")

    async def run() -> None:
        connection = await asyncpg.connect(host=str(data), port=port, user="visabus", database="postgres")
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())


def restart_postgres(directory: Path) -> None:
    """Stop it at once, as a crash would, and start it again with the options it had."""
    data = (directory / "data").read_text()
    _run(_postgres_tools() / "pg_ctl", "-D", f"{data}/db", "-l", f"{data}/log", "-m", "immediate", "-w", "restart")


def stop_postgres(directory: Path) -> None:
    """Stop it and throw its data away."""
    data = (directory / "data").read_text()
    _run(_postgres_tools() / "pg_ctl", "-D", f"{data}/db", "-m", "fast", "-w", "stop")
    shutil.rmtree(data)


def start_mariadb(directory: Path, *more: str) -> str:
    """The SQLAlchemy URL of a fresh MariaDB on a loopback port, with a binary log of whole rows; `more` options."""
    server = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    install = shutil.which("mariadb-install-db")
    if not Path(server).exists() or install is None:
        raise Unavailable("MariaDB is missing; on Debian: apt-get install mariadb-server")
    data = Path(tempfile.mkdtemp(prefix="visabus-mariadb-"))
    (directory / "data").write_text(str(data))
    port = free_port()
    common = ("--no-defaults", f"--datadir={data}/db", *(("--user=root",) if os.geteuid() == 0 else ()))
    _said([install, *common, "--auth-root-authentication-method=normal", "--skip-test-db"], data / "install.log")
    options = (
        *common, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={data}/socket", f"--pid-file={data}/pid",
        "--log-bin=binlog", "--server-id=1", "--binlog-format=ROW", "--binlog-row-image=FULL",
        "--character-set-server=utf8mb4", "--innodb-flush-log-at-trx-commit=0", *more,
    )  # fmt: skip
    # a shell leaves it behind: nobody here waits for its end
    started = ("bash", "-c", 'setsid "$@" </dev/null >"$0" 2>&1 &', str(data / "log"), server, *options)
    subprocess.run(started, check=True)
    end = time.monotonic() + 60
    while not _answers(port):
        if time.monotonic() > end:
            raise Unavailable(f"MariaDB does not start: {(data / 'log').read_text()[-300:]}")
        time.sleep(0.1)
    grant = "CREATE USER visabus@'127.0.0.1' IDENTIFIED BY 'visabus'; GRANT ALL ON *.* TO visabus@'127.0.0.1'"
    as_root(directory, grant)
    return f"mysql+aiomysql://visabus:visabus@127.0.0.1:{port}/mysql"


def as_root(directory: Path, statements: str) -> None:
    """Have statements run as MariaDB's root, by the server's own socket."""
    data = (directory / "data").read_text()
    client = shutil.which("mariadb") or "mariadb"
    command = [client, "--no-defaults", f"--socket={data}/socket", "-uroot", "-e", statements]
    _said(command, Path(data) / "client.log")


def stop_mariadb(directory: Path) -> None:
    """Stop it and throw its data away."""
    data = Path((directory / "data").read_text())
    process = int((data / "pid").read_text())
    os.kill(process, signal.SIGTERM)
    end = time.monotonic() + 30
    while (data / "pid").exists() and time.monotonic() < end:
        time.sleep(0.05)
    shutil.rmtree(data)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _said(command: list[str], log: Path) -> None:
    """Run a tool whose words go to a file. Raises Unavailable with them."""
    with log.open("w") as said:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False)
    if done.returncode != 0:
        raise Unavailable(f"{Path(command[0]).name}: {log.read_text().strip()[-300:]}")


@asynccontextmanager
async def fresh_mariadb(server: str) -> AsyncIterator[str]:
    """The SQLAlchemy URL of an empty MariaDB database on a server, for a while."""
    name = f"test_{uuid.uuid4().hex}"
    url = f"{server.rpartition('/')[0]}/{name}"
    engine = create_async_engine(server)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        yield url
        async with engine.begin() as connection:
            await connection.execute(text(f"DROP DATABASE {name}"))
    finally:
        await engine.dispose()


@asynccontextmanager
async def fresh_database(server: str) -> AsyncIterator[str]:
    """The SQLAlchemy URL of an empty database on a server, for a while."""
    name = f"test_{uuid.uuid4().hex}"
    await _execute(server, f"CREATE DATABASE {name}")
    try:
        yield f"{server.rpartition('/')[0]}/{name}"
    finally:
        await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg", "postgresql"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _postgres_tools() -> Path:
    on_path = shutil.which("pg_ctl")
    result = [Path(on_path).parent] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not result or not (result[-1] / "initdb").exists():
        raise Unavailable("PostgreSQL is missing; on Debian: apt-get install postgresql")
    return result[-1]


def _as_postgres() -> bool:
    return os.geteuid() == 0


def _run(tool: Path, *arguments: str) -> None:
    become = ("runuser", "-u", "postgres", "--") if _as_postgres() else ()
    # pg_ctl leaves a server behind that would keep a pipe open: its output goes to a file.
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            [*become, tool, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            cwd="/",
            check=False,
        )
        said.seek(0)
        if done.returncode != 0:
            raise Unavailable(f"{tool.name}: {said.read().strip()}")


def free_port() -> int:
    """A port of the loopback that nobody holds, below those that the kernel gives to whoever connects."""
    while True:
        port = random.choice(range(20_000, 32_000))
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
