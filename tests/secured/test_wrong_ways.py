"""Wrong ways to connect, on real servers: each ends within seconds in one line that names the reason, and no secret."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import aio_pika
import pytest
from certificates import PASSPHRASE, Authority
from secure_kafka import OWNER, READER, READERS, SecureKafka
from secure_servers import PASSWORD, Secure, start_expired_postgres
from servers import Shared, stop_postgres
from typer.testing import CliRunner

from adapters.core import Connection, Credentials, SourceDown
from adapters.formats.json_message import JsonMessage
from adapters.transports.amqp_queue import AmqpQueue
from adapters.transports.database_poll import DatabasePoll
from adapters.transports.kafka_topic import KafkaTopic
from links.reasons import Reason
from services.cli import app

pytestmark = pytest.mark.slow

SECONDS = 20.0
"""Two or three on a quiet machine, and less than any library waits or tries again by itself."""
WRONG = "hunter 2 wrong"
PW = quote(PASSWORD)
VIEW = DatabasePoll(view="item", columns=("id", "changed"), key="id", order="changed", numbered=True)


@dataclass(frozen=True)
class Servers:
    """All of them, and a directory with files that are wrong."""

    kafka: SecureKafka
    postgres: Secure
    mariadb: Secure
    rabbitmq: Secure
    expired: Secure
    clear_postgres: str
    clear_mariadb: str
    wrong: Path


@pytest.fixture(scope="module")
def servers(
    secure_kafka: SecureKafka,
    secure_postgres: Secure,
    secure_mariadb: Secure,
    secure_rabbitmq: Secure,
    postgres_server: str,
    mariadb_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Servers]:
    """Some of them speak no TLS."""
    stranger = Authority(tmp_path_factory.mktemp("wrong"), "another authority")
    stranger.certify("member", passphrase=PASSPHRASE)
    torn = stranger.directory / "torn.key"
    torn.write_text("-----BEGIN PRIVATE KEY-----\nnothing\n")
    torn.chmod(0o600)
    expired = Shared(tmp_path_factory.mktemp("expired"), start_expired_postgres, stop_postgres)
    expired.acquire()
    clear = [server.rpartition("@")[2].partition("/")[0] for server in (postgres_server, mariadb_server)]
    yield Servers(
        secure_kafka,
        secure_postgres,
        secure_mariadb,
        secure_rabbitmq,
        Secure(expired.directory),
        *clear,
        stranger.directory,
    )
    expired.release()


# --- what is done, and the line that it ends with ----------------------------------------------------------------


def command(arguments: list[str], environment: Mapping[str, str]) -> str:
    """The error of a command that fails: one line, or the heading of the settings and one."""
    done = CliRunner().invoke(app, arguments, env={f"VISABUS_{name}": value for name, value in environment.items()})
    assert done.exit_code in (1, 2), done.output + repr(done.exception)
    heading, *mistakes = done.stderr.splitlines()
    if heading != "visabus: settings: one mistake":
        assert mistakes == []
        return heading
    (mistake,) = mistakes
    return f"settings: {mistake}"


def bus(address: str, **settings: str) -> str:
    """Use a bus."""
    named = {f"KAFKA__{name.upper()}": value for name, value in settings.items()}
    return command(["--bus", f"kafka://{address}", "topics", "create"], named)


def store(address: str, **settings: str) -> str:
    """Use a store."""
    named = {f"STORE__{name.upper()}": value for name, value in settings.items()}
    return command(["export", "--digest"], named | {"STORE_URL": f"postgresql://{address}"})


def source(opened: Callable[[], Connection]) -> str:
    """Read a source."""

    async def read() -> None:
        connection = opened()
        try:
            async for batch in connection.batches(None):
                _ = [record async for record in batch.records()]
        finally:
            await connection.close()

    with pytest.raises(SourceDown) as caught:
        asyncio.run(read())
    return str(caught.value)


def scram(at: Servers, user: str = OWNER[0], password: str = OWNER[1], **more: str) -> dict[str, str]:
    """The settings of a bus that logs in."""
    login = {"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", "username": user, "password": password}
    return login | {"cafile": at.kafka.authority} | more


def mutual(at: Servers, **more: str) -> dict[str, str]:
    """The settings of a bus that shows a certificate."""
    files = {"certfile": at.kafka.file("member.crt"), "keyfile": at.kafka.file("member.key")}
    both = {"security_protocol": "SSL", "cafile": at.kafka.authority, "key_password": PASSPHRASE}
    return both | files | more


def topic(at: Servers, name: str = "upax", secret: str = READER[1], **more: str) -> str:
    """Read a topic of a foreign Kafka."""
    options = {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "ssl_cafile": at.kafka.authority} | more
    by = KafkaTopic(**options)  # type: ignore[arg-type]  # texts
    return source(lambda: by.open(f"kafka://{at.kafka.address}/{name}", JsonMessage(), Credentials(READER[0], secret)))


def queue(at: Servers, address: str, user: str = "visabus", secret: str = PASSWORD, **more: str) -> str:
    """Read a queue."""
    member = {
        "ssl_cafile": at.rabbitmq.file("ca.pem"),
        "ssl_certfile": at.rabbitmq.file("member.crt"),
        "ssl_keyfile": at.rabbitmq.file("member.key"),
        "ssl_password": PASSPHRASE,
    }
    files = member if address.startswith("amqps") else {}
    by = AmqpQueue(**{name: value for name, value in (files | more).items() if value})
    return source(lambda: by.open(f"{address}/upax", JsonMessage(), Credentials(user, secret)))


def view(address: str, secret: str = PASSWORD, user: str = "visabus") -> str:
    """Read a view of a foreign database."""
    return source(lambda: VIEW.open(address, None, Credentials(user, secret)))


def of_mariadb(at: Servers, host: str = "127.0.0.1", query: str | None = None, database: str = "source") -> str:
    query = at.mariadb.authority if query is None else query
    return f"mariadb://{host}:{at.mariadb.port}/{database}?{query}"


def of_postgres(at: Servers, user: str = "visabus", secret: str = PW, host: str = "127.0.0.1", query: str = "") -> str:
    return f"{user}:{secret}@{host}:{at.postgres.port}/visabus?{query or at.postgres.query}"


R = Reason
WAYS: dict[str, tuple[Reason, Callable[[Servers], str]]] = {
    # Kafka, as the bus
    "kafka: wrong authority": (
        R.TLS_CA,
        lambda at: bus(at.kafka.address, **scram(at, cafile=str(at.wrong / "ca.pem"))),
    ),
    "kafka: wrong name": (R.TLS_NAME, lambda at: bus(at.kafka.at("sasl", "localhost"), **scram(at))),
    "kafka: expired": (
        R.TLS_EXPIRED,
        lambda at: bus(at.kafka.at("expired"), security_protocol="SSL", cafile=at.kafka.authority),
    ),
    "kafka: wrong password": (R.CREDENTIALS, lambda at: bus(at.kafka.address, **scram(at, password=WRONG))),
    "kafka: unknown user": (R.CREDENTIALS, lambda at: bus(at.kafka.address, **scram(at, "stranger"))),
    "kafka: wrong mechanism": (
        R.MECHANISM,
        lambda at: bus(at.kafka.address, **scram(at, sasl_mechanism="SCRAM-SHA-256")),
    ),
    "kafka: plain to TLS": (R.TLS_NEEDED, lambda at: bus(at.kafka.address)),
    "kafka: login without TLS to TLS": (
        R.TLS_NEEDED,
        lambda at: bus(
            at.kafka.address,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            username=OWNER[0],
            password=OWNER[1],
        ),
    ),
    "kafka: TLS to plain": (R.TLS_NONE, lambda at: bus(at.kafka.at("clear"), **scram(at))),
    "kafka: no login": (
        R.CLOSED,
        lambda at: bus(
            at.kafka.address + "?deadline=2", security_protocol="SSL", cafile=at.kafka.authority, replication="1"
        ),
    ),
    "kafka: no client certificate": (
        R.TLS_CLIENT,
        lambda at: bus(at.kafka.at("mutual"), security_protocol="SSL", cafile=at.kafka.authority),
    ),
    "kafka: a client certificate by another": (
        R.TLS_CLIENT,
        lambda at: bus(
            at.kafka.at("mutual"),
            **mutual(at, certfile=str(at.wrong / "member.crt"), keyfile=str(at.wrong / "member.key")),
        ),
    ),
    "kafka: wrong passphrase": (R.TLS_FILES, lambda at: bus(at.kafka.at("mutual"), **mutual(at, key_password=WRONG))),
    "kafka: a key that is none": (
        R.TLS_FILES,
        lambda at: bus(at.kafka.at("mutual"), **mutual(at, keyfile=str(at.wrong / "torn.key"))),
    ),
    "kafka: a key of another certificate": (
        R.TLS_FILES,
        lambda at: bus(at.kafka.at("mutual"), **mutual(at, keyfile=str(at.wrong / "member.key"))),
    ),
    "kafka: no right to create": (R.NOT_AUTHORISED, lambda at: bus(at.kafka.address, **scram(at, *READERS["scram"]))),
    "kafka: address and settings differ": (
        R.SETTINGS,
        lambda at: bus(f"{at.kafka.address}?security_protocol=PLAINTEXT", **scram(at)),
    ),
    # Kafka, as a source
    "topic: no right": (R.NOT_AUTHORISED, lambda at: topic(at, "others")),
    "topic: wrong password": (R.CREDENTIALS, lambda at: topic(at, secret=WRONG)),
    "topic: wrong authority": (R.TLS_CA, lambda at: topic(at, ssl_cafile=str(at.wrong / "ca.pem"))),
    "topic: an option in the address": (R.SETTINGS, lambda at: topic(at, "upax?security_protocol=SSL")),
    # PostgreSQL, as the store
    "store: wrong authority": (
        R.TLS_CA,
        lambda at: store(of_postgres(at, query=f"sslmode=verify-full&sslrootcert={at.wrong}/ca.pem")),
    ),
    "store: wrong name": (R.TLS_NAME, lambda at: store(of_postgres(at, host="localhost"))),
    "store: expired": (
        R.TLS_EXPIRED,
        lambda at: store(f"visabus:{PW}@127.0.0.1:{at.expired.port}/visabus?{at.expired.query}"),
    ),
    "store: wrong password": (R.CREDENTIALS, lambda at: store(of_postgres(at, secret=quote(WRONG)))),
    "store: unknown user": (R.CREDENTIALS, lambda at: store(of_postgres(at, user="stranger"))),
    "store: no right": (R.NOT_AUTHORISED, lambda at: store(of_postgres(at, user="reader"))),
    "store: plain to TLS": (R.TLS_NEEDED, lambda at: store(of_postgres(at, query="sslmode=disable"))),
    "store: TLS to plain": (
        R.TLS_NONE,
        lambda at: store(f"visabus@{at.clear_postgres}/postgres?{at.postgres.query}"),
    ),
    "store: no client certificate": (R.TLS_CLIENT, lambda at: store(of_postgres(at, user="member"))),
    "store: wrong passphrase": (
        R.TLS_FILES,
        lambda at: store(
            of_postgres(at, user="member"),
            sslcert=at.postgres.file("member.crt"),
            sslkey=at.postgres.file("member.key"),
            sslpassword=WRONG,
        ),
    ),
    "store: no passphrase": (
        R.TLS_FILES,
        lambda at: store(
            of_postgres(at, user="member"),
            sslcert=at.postgres.file("member.crt"),
            sslkey=at.postgres.file("member.key"),
        ),
    ),
    "store: an option that there is not": (R.SETTINGS, lambda at: store(of_postgres(at, query="ssl_mode=disable"))),
    # PostgreSQL, as a source
    "view: wrong password": (
        R.CREDENTIALS,
        lambda at: view(f"postgresql://127.0.0.1:{at.postgres.port}/visabus?{at.postgres.query}", WRONG),
    ),
    "view: no right": (
        R.NOT_AUTHORISED,
        lambda at: source(
            lambda: DatabasePoll(view="secret", columns=("id", "x"), key="id", order="x", numbered=True).open(
                f"postgresql://127.0.0.1:{at.postgres.port}/postgres?{at.postgres.query}",
                None,
                Credentials("reader", PASSWORD),
            )
        ),
    ),
    # MariaDB
    "mariadb: wrong authority": (R.TLS_CA, lambda at: view(of_mariadb(at, query=f"ssl_ca={at.wrong}/ca.pem"))),
    "mariadb: wrong name": (R.TLS_NAME, lambda at: view(of_mariadb(at, "localhost"))),
    "mariadb: wrong password": (R.CREDENTIALS, lambda at: view(of_mariadb(at), WRONG)),
    "mariadb: unknown user": (R.CREDENTIALS, lambda at: view(of_mariadb(at), user="stranger")),
    "mariadb: no right": (R.NOT_AUTHORISED, lambda at: view(of_mariadb(at, database="source"), user="reader")),
    "mariadb: plain to TLS": (R.CREDENTIALS, lambda at: view(of_mariadb(at, query="ssl_mode=DISABLED"))),
    "mariadb: TLS to plain": (
        R.TLS_NONE,
        lambda at: view(f"mariadb://{at.clear_mariadb}/mysql?{at.mariadb.authority}", "visabus"),
    ),
    "mariadb: no client certificate": (R.CREDENTIALS, lambda at: view(of_mariadb(at), user="member")),
    "mariadb: contradiction": (
        R.SETTINGS,
        lambda at: view(of_mariadb(at, query=f"{at.mariadb.authority}&ssl_mode=DISABLED")),
    ),
    # AMQP
    "amqp: wrong authority": (
        R.TLS_CA,
        lambda at: queue(at, f"amqps://127.0.0.1:{at.rabbitmq.port}", ssl_cafile=str(at.wrong / "ca.pem")),
    ),
    "amqp: wrong name": (R.TLS_NAME, lambda at: queue(at, f"amqps://localhost:{at.rabbitmq.port}")),
    "amqp: no client certificate": (
        R.TLS_CLIENT,
        lambda at: queue(at, f"amqps://127.0.0.1:{at.rabbitmq.port}", ssl_certfile="", ssl_keyfile="", ssl_password=""),
    ),
    "amqp: wrong passphrase": (
        R.TLS_FILES,
        lambda at: queue(at, f"amqps://127.0.0.1:{at.rabbitmq.port}", ssl_password=WRONG),
    ),
    "amqp: wrong password": (
        R.CREDENTIALS,
        lambda at: queue(at, f"amqps://127.0.0.1:{at.rabbitmq.port}", secret=WRONG),
    ),
    "amqp: unknown user": (R.CREDENTIALS, lambda at: queue(at, f"amqps://127.0.0.1:{at.rabbitmq.port}", "stranger")),
    "amqp: no right": (R.NOT_AUTHORISED, lambda at: queue(at, f"amqps://127.0.0.1:{at.rabbitmq.port}", "reader")),
    "amqp: plain to TLS": (R.TLS_NEEDED, lambda at: queue(at, f"amqp://127.0.0.1:{at.rabbitmq.port}")),
    "amqp: TLS to plain": (
        R.TLS_NONE,
        lambda at: queue(at, f"amqps://127.0.0.1:{(at.rabbitmq.directory / 'clear').read_text()}"),
    ),
    "amqp: certificates without TLS": (
        R.SETTINGS,
        lambda at: queue(
            at,
            f"amqp://127.0.0.1:{(at.rabbitmq.directory / 'clear').read_text()}",
            ssl_cafile=at.rabbitmq.file("ca.pem"),
        ),
    ),
    "amqp: an option in the address": (
        R.SETTINGS,
        lambda at: source(
            lambda: AmqpQueue().open(f"amqps://127.0.0.1:{at.rabbitmq.port}/upax?cafile=x", JsonMessage())
        ),
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _topics(servers: Servers) -> None:
    servers.kafka.create("upax")
    servers.kafka.create("others")
    servers.kafka.let_read("upax")

    async def queue() -> None:
        port = int((servers.rabbitmq.directory / "clear").read_text())
        connection = await aio_pika.connect(host="127.0.0.1", port=port, login="visabus", password=PASSWORD)
        async with connection, connection.channel() as channel:
            await channel.declare_queue("upax")

    asyncio.run(queue())


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_way_ends_in_a_line_with_its_reason(
    way: str, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason, go = WAYS[way]
    monkeypatch.setenv("VISABUS_DATA_DIR", str(tmp_path))
    began = time.monotonic()
    line = go(servers)
    took = time.monotonic() - began
    assert f"{reason}: " in line
    assert "\n" not in line
    assert took < SECONDS
    for secret in (PASSWORD, WRONG, PASSPHRASE, OWNER[1], READER[1], READERS["scram"][1], PW):
        assert secret not in line
