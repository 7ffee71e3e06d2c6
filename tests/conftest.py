"""What all tests share: the real servers, and what happens where one cannot be had."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import connect_local
import loops
import pytest
import rabbitmq_local
from hypothesis import settings as hypothesis_settings
from secure_kafka import SecureKafka
from secure_servers import Secure, start_secure_mariadb, start_secure_postgres, start_secure_rabbitmq
from servers import (
    Shared,
    Unavailable,
    fresh_database,
    fresh_mariadb,
    start_kafka,
    start_mariadb,
    start_postgres,
    stop_kafka,
    stop_mariadb,
    stop_postgres,
)

from services import kafka_local

os.umask(0o077)  # as every process of this project runs: what tests lay into a data directory is closed as well
asyncio.set_event_loop_policy(loops.Policy())
hypothesis_settings.register_profile("visabus", deadline=None)  # no test asserts speed
hypothesis_settings.load_profile("visabus")
_NOT_RUN = "not run, a server is missing: "


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for a server is marked by it."""
    for item in items:
        asked = {
            name.removeprefix("quiet_").removeprefix("secure_").removesuffix("_server")
            for name in getattr(item, "fixturenames", ())
        }
        for server in {"connect", "kafka", "mariadb", "postgres", "rabbitmq"} & asked:
            item.add_marker(server)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests told (seeds, counts, waits), and one line that says what was not run and how to run it."""
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for line in (value for name, value in report.user_properties if name == "told" and report.when == "call"):
            terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {line}")
    skipped = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", ()) if report.longrepr]
    reasons = [reason.partition(_NOT_RUN)[2] for reason in skipped if _NOT_RUN in reason]
    if reasons:
        why = "; ".join(sorted(set(reasons)))
        terminalreporter.write_line(f"{len(reasons)} tests were not run for want of a server: {why}", yellow=True)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Apache Kafka."""
    yield from _server("KAFKA_BOOTSTRAP_SERVERS", _shared(tmp_path_factory, "kafka"), start_kafka, stop_kafka)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The SQLAlchemy URL of a real PostgreSQL, where databases may be made."""
    directory = _shared(tmp_path_factory, "postgres")
    yield from _server("VISABUS_TEST_POSTGRES", directory, start_postgres, stop_postgres)


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real RabbitMQ, as `amqp://user:password@host:port`."""
    directory = _shared(tmp_path_factory, "rabbitmq")
    yield from _server("VISABUS_TEST_RABBITMQ", directory, rabbitmq_local.start, rabbitmq_local.stop)


@pytest.fixture
def node(rabbitmq: str, tmp_path: Path) -> Iterator[Path]:
    """The directory of a node that one test may kill. Where there is a shared one, there can be another."""
    if "VISABUS_TEST_RABBITMQ" in os.environ:
        pytest.skip("not run, a server is missing: RabbitMQ of this machine's own, to be killed")
    yield tmp_path / "node"
    rabbitmq_local.stop(tmp_path / "node")


@pytest.fixture(scope="session")
def quiet_postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of this worker alone: what waits for transactions of the server waits for no other test's."""
    directory = tmp_path_factory.mktemp("quiet-postgres")
    yield from _server("VISABUS_TEST_POSTGRES", directory, start_postgres, stop_postgres)


@pytest.fixture
async def quiet_postgres(quiet_postgres_server: str) -> AsyncIterator[str]:
    """The SQLAlchemy URL of a fresh, empty database of that server."""
    async with fresh_database(quiet_postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The SQLAlchemy URL of a real MariaDB with a binary log, where databases may be made."""
    yield from _server("VISABUS_TEST_MARIADB", _shared(tmp_path_factory, "mariadb"), start_mariadb, stop_mariadb)


@pytest.fixture
async def mariadb(mariadb_server: str) -> AsyncIterator[str]:
    """The SQLAlchemy URL of a fresh, empty MariaDB database."""
    async with fresh_mariadb(mariadb_server) as url:
        yield url


@pytest.fixture(scope="session")
def secure_kafka(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """A real Kafka that wants TLS and a login. `kafka` comes first, because it knows whether one can be had."""
    shared = Shared(_shared(tmp_path_factory, "secure-kafka"), _start_secure_kafka, _stop_secure_kafka)
    shared.acquire()
    yield SecureKafka.started(shared.directory)
    shared.release()


def _start_secure_kafka(directory: Path) -> str:
    broker = SecureKafka(directory)
    broker.start()
    return broker.address


def _stop_secure_kafka(directory: Path) -> None:
    SecureKafka(directory).stop()


@pytest.fixture(scope="session")
def secure_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """A real PostgreSQL that wants TLS."""
    directory = _shared(tmp_path_factory, "secure-postgres")
    yield from _secure(Shared(directory, start_secure_postgres, stop_postgres))


@pytest.fixture(scope="session")
def secure_mariadb(mariadb_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """A real MariaDB that wants TLS."""
    directory = _shared(tmp_path_factory, "secure-mariadb")
    yield from _secure(Shared(directory, start_secure_mariadb, stop_mariadb))


@pytest.fixture(scope="session")
def secure_rabbitmq(rabbitmq: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    """A real RabbitMQ that wants TLS and client certificates."""
    directory = _shared(tmp_path_factory, "secure-rabbitmq")
    yield from _secure(Shared(directory, start_secure_rabbitmq, rabbitmq_local.stop))


def _secure(shared: Shared) -> Iterator[Secure]:
    shared.acquire()
    yield Secure(shared.directory)
    shared.release()


@pytest.fixture(scope="session")
def connect(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[connect_local.Connect]:
    """A real Kafka Connect with Debezium's connectors, on the broker of the tests."""
    start = partial(connect_local.start, bootstrap=kafka)
    for url in _server("VISABUS_TEST_CONNECT", _shared(tmp_path_factory, "connect"), start, connect_local.stop):
        yield connect_local.Connect(url)


@pytest.fixture
async def postgres(postgres_server: str) -> AsyncIterator[str]:
    """The SQLAlchemy URL of a fresh, empty database."""
    async with fresh_database(postgres_server) as url:
        yield url


def _server(
    variable: str, directory: Path, start: Callable[[Path], str], stop: Callable[[Path], None]
) -> Iterator[str]:
    if given := os.environ.get(variable):
        yield given
        return
    shared = Shared(directory, start, stop)
    try:
        address = shared.acquire()
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(f"{_NOT_RUN}{error} (or set {variable})")
    yield address
    shared.release()


def _shared(factory: pytest.TempPathFactory, name: str) -> Path:
    # Each xdist worker has its own directory below one that all of them see.
    base = factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name


@pytest.fixture
def own_kafka(kafka: str, tmp_path: Path) -> Iterator[str]:
    """A Kafka of the test's own, since topics have fixed names. `kafka` only says whether one can be run here."""
    assert kafka
    home = tmp_path / "kafka"
    yield kafka_local.start(home)
    kafka_local.stop(home)
