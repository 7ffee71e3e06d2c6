"""Right ways to connect to servers that want TLS, a login and certificates; and the whole demo over them."""

from __future__ import annotations

import asyncio
import http.server
import json
import os
import ssl
import subprocess
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aio_pika
import pytest
from certificates import PASSPHRASE, Authority
from secure_kafka import OWNER, SecureKafka
from secure_servers import PASSWORD, Secure
from servers import as_owner
from sqlalchemy import text

from adapters.core import Connection, Credentials, Read, SourceDown
from adapters.formats.json_message import JsonMessage
from adapters.formats.json_page import JsonPage
from adapters.transports.amqp_queue import AmqpQueue
from adapters.transports.database_poll import DatabasePoll
from adapters.transports.databases import open_engine
from adapters.transports.rest_poll import RestPoll
from bus.contract import Message, Topic
from bus.open import open_bus
from services.audit.keys import AuditKeys
from services.audit.log import open_audit
from services.audit.rows import AuditDown
from services.keyring import Keyring
from services.store import open_store

pytestmark = pytest.mark.slow

PW = quote(PASSWORD)
VIEW = DatabasePoll(view="item", columns=("id", "changed"), key="id", order="changed", numbered=True)
VISABUS = Path(sysconfig.get_path("scripts")) / "visabus"


async def reads(connection: Connection) -> list[Read]:
    try:
        return [record async for batch in connection.batches(None) async for record in batch.records()]
    finally:
        await connection.close()


# --- Kafka -------------------------------------------------------------------------------------------------------


async def sent_and_read(address: str, topic: str, **options: Any) -> bytes:
    """What comes back of a message by a bus: topics made, sent, read, a group joined."""
    bus = await open_bus(address, **options)
    try:
        await bus.declare([Topic(topic, 1)])
        await (await bus.producer()).send([Message(topic, b"k", b"over TLS")])
        consumer = await bus.consumer(f"readers.{topic}", [topic])
        async with asyncio.timeout(30):
            while not (deliveries := await consumer.poll()):
                pass
        await consumer.commit({delivery.partition: delivery.position + 1 for delivery in deliveries})
        return deliveries[0].value or b""
    finally:
        await bus.close()


async def test_kafka_by_scram(secure_kafka: SecureKafka) -> None:
    login = {"sasl_mechanism": "SCRAM-SHA-512", "sasl_username": OWNER[0], "sasl_password": OWNER[1]}
    options = {"security_protocol": "SASL_SSL", "ssl_cafile": secure_kafka.authority} | login
    assert await sent_and_read(f"kafka://{secure_kafka.address}", "by-scram", **options) == b"over TLS"


async def test_kafka_by_a_client_certificate_with_an_encrypted_key(secure_kafka: SecureKafka) -> None:
    """All but the passphrase may stand in the address."""
    files = {"cafile": "ca.pem", "certfile": "member.crt", "keyfile": "member.key"}
    query = "&".join(f"ssl_{name}={secure_kafka.file(file)}" for name, file in files.items())
    address = f"kafka://{secure_kafka.at('mutual')}?security_protocol=SSL&{query}"
    assert await sent_and_read(address, "by-certificate", ssl_password=PASSPHRASE) == b"over TLS"


async def test_kafka_by_a_signed_token(secure_kafka: SecureKafka) -> None:
    """The broker checks issued tokens against a key set; the authorisation server is one of the test's own."""
    with tokens(secure_kafka.token()) as (address, asked):
        options = {
            "security_protocol": "SASL_SSL",
            "ssl_cafile": secure_kafka.authority,
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_username": "client",
            "sasl_password": "client's own",
            "oauth_token_url": address,
            "oauth_scope": "kafka",
        }
        assert await sent_and_read(f"kafka://{secure_kafka.address}", "by-token", **options) == b"over TLS"
    assert asked == ["grant_type=client_credentials&scope=kafka"]


async def test_a_token_that_the_broker_refuses(secure_kafka: SecureKafka) -> None:
    with tokens(secure_kafka.token(aud="another broker")) as (address, _):
        options = {
            "security_protocol": "SASL_SSL",
            "ssl_cafile": secure_kafka.authority,
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_username": "stranger",
            "sasl_password": "x",
            "oauth_token_url": address,
        }
        with pytest.raises(Exception, match="credentials: "):
            await sent_and_read(f"kafka://{secure_kafka.address}", "by-token", **options)


@contextmanager
def tokens(token: str) -> Iterator[tuple[str, list[str]]]:
    """An authorisation server that gives one token, and what it was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            body = json.dumps({"access_token": token, "expires_in": 600}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with served(Handler) as port:
        yield f"http://127.0.0.1:{port}/token", asked


@contextmanager
def served(handler: type[http.server.BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- databases ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def encrypted(address: str) -> Any:
    """A connection of the store's, which has to be encrypted."""
    store = await open_store(address)
    try:
        async with store.engine.connect() as connection:
            query = (
                "SELECT ssl, usename FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE pid = pg_backend_pid()"
            )
            yield tuple((await connection.execute(text(query))).one())
    finally:
        await store.close()


async def test_the_store_by_password(secure_postgres: Secure) -> None:
    address = f"postgresql+asyncpg://visabus:{PW}@127.0.0.1:{secure_postgres.port}/visabus?{secure_postgres.query}"
    async with encrypted(address) as seen:
        assert seen == (True, "visabus")


async def test_the_store_by_a_file_of_passwords(secure_postgres: Secure, tmp_path: Path) -> None:
    file = tmp_path / "pgpass"
    file.write_text(f"127.0.0.1:{secure_postgres.port}:visabus:visabus:{PASSWORD}\n")
    file.chmod(0o600)
    address = f"postgresql://visabus@127.0.0.1:{secure_postgres.port}/visabus?{secure_postgres.query}&passfile={file}"
    async with encrypted(address) as seen:
        assert seen == (True, "visabus")


async def test_a_database_by_a_client_certificate_with_an_encrypted_key(secure_postgres: Secure) -> None:
    files = f"sslcert={secure_postgres.file('member.crt')}&sslkey={secure_postgres.file('member.key')}"
    query = f"{secure_postgres.query}&{files}&sslpassword={quote(PASSPHRASE)}"
    engine, address = open_engine(f"postgresql://member@127.0.0.1:{secure_postgres.port}/visabus?{query}")
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT current_user"))).scalar() == "member"
    await engine.dispose()
    assert PASSPHRASE not in address
    assert quote(PASSPHRASE) not in address


async def test_the_audit_log(secure_postgres: Secure) -> None:
    address = f"postgresql://visabus:{PW}@127.0.0.1:{secure_postgres.port}/visabus?{secure_postgres.query}"
    keys = AuditKeys(Keyring.of(b"s" * 32), Keyring.of(b"n" * 32))
    log = await open_audit(address, keys, lambda: datetime.now(UTC))
    await log.close()
    with pytest.raises(AuditDown, match="tls-name: "):
        await open_audit(address.replace("127.0.0.1", "localhost"), keys, lambda: datetime.now(UTC))


@pytest.mark.parametrize(
    ("mode", "host"), [("require", "localhost"), ("verify-ca", "localhost"), ("prefer", "localhost")]
)
async def test_modes_that_do_not_check_the_name(mode: str, host: str, secure_postgres: Secure) -> None:
    """The server's certificate is for 127.0.0.1 alone."""
    root = "" if mode == "prefer" else f"&sslrootcert={secure_postgres.file('ca.pem')}"
    address = f"postgresql://visabus:{PW}@localhost:{secure_postgres.port}/visabus?sslmode={mode}{root}"
    async with encrypted(address) as seen:
        assert seen == (True, "visabus")


async def test_a_view_in_mariadb(secure_mariadb: Secure) -> None:
    at = f"127.0.0.1:{secure_mariadb.port}/source?{secure_mariadb.authority}"
    assert await reads(VIEW.open(f"mariadb://{at}", None, Credentials("visabus", PASSWORD))) == []
    engine, _ = open_engine(f"mariadb://{at}", Credentials("visabus", PASSWORD))
    async with engine.connect() as connection:
        cipher = (await connection.execute(text("SHOW SESSION STATUS LIKE 'Ssl_cipher'"))).one()[1]
        driver: Any = (await connection.get_raw_connection()).driver_connection
        socket = driver._writer.get_extra_info("socket")
    await engine.dispose()
    await asyncio.sleep(0)
    assert cipher
    assert socket.fileno() < 0, "the socket waits for the server's goodbye"


async def test_a_view_in_mariadb_by_a_client_certificate(secure_mariadb: Secure) -> None:
    files = f"ssl_cert={secure_mariadb.file('member.crt')}&ssl_key={secure_mariadb.file('member.key')}"
    query = f"{secure_mariadb.authority}&{files}&ssl_key_password={quote(PASSPHRASE)}"
    url = f"mariadb://127.0.0.1:{secure_mariadb.port}/source?{query}"
    assert await reads(VIEW.open(url, None, Credentials("member", PASSWORD))) == []


# --- AMQP, HTTP --------------------------------------------------------------------------------------------------


async def test_a_queue_by_a_client_certificate(secure_rabbitmq: Secure) -> None:
    clear = int((secure_rabbitmq.directory / "clear").read_text())
    connection = await aio_pika.connect(host="127.0.0.1", port=clear, login="visabus", password=PASSWORD)
    async with connection, connection.channel() as channel:
        await channel.declare_queue("right")
        await channel.default_exchange.publish(aio_pika.Message(b'{"n": 1}'), "right")
    by = AmqpQueue(
        ssl_cafile=secure_rabbitmq.file("ca.pem"),
        ssl_certfile=secure_rabbitmq.file("member.crt"),
        ssl_keyfile=secure_rabbitmq.file("member.key"),
        ssl_password=PASSPHRASE,
    )
    url = f"amqps://127.0.0.1:{secure_rabbitmq.port}/right"
    (record,) = await reads(by.open(url, JsonMessage(), Credentials("visabus", PASSWORD)))
    assert record.fields == {"n": 1}  # type: ignore[union-attr]  # a record


class Page(http.server.BaseHTTPRequestHandler):
    """An empty page."""

    def do_GET(self) -> None:
        body = b'{"items": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


async def test_a_rest_service_with_an_authority_and_a_client_certificate_of_its_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "certificates")
    server, member = authority.certify("server"), authority.certify("member", passphrase=PASSPHRASE)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(*server)
    ours = RestPoll("/items", ssl_cafile=str(authority.ca))
    known = replace(ours, ssl_certfile=str(member[0]), ssl_keyfile=str(member[1]), ssl_password=PASSPHRASE)
    with served(Page, context) as port:
        cases = {
            "tls-ca": (RestPoll("/items"), "127.0.0.1"),
            "tls-name": (known, "localhost"),
            "tls-files": (replace(known, ssl_password="wrong"), "127.0.0.1"),
        }
        for code, (by, host) in cases.items():
            with pytest.raises(SourceDown, match=f"{code}: "):
                await reads(by.open(f"https://{host}:{port}", JsonPage()))
        assert await reads(known.open(f"https://127.0.0.1:{port}", JsonPage())) == []
    with pytest.raises(SourceDown, match="settings: http takes no certificates"):
        known.open("http://127.0.0.1:1", JsonPage())


# --- the whole demo ----------------------------------------------------------------------------------------------


def visabus(*arguments: str, **settings: str) -> str:
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"} | settings
    done = subprocess.run([VISABUS, *arguments], capture_output=True, text=True, timeout=280, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demo_over_tls_gives_the_digest_of_the_plain_one(
    secure_kafka: SecureKafka, secure_postgres: Secure, tmp_path: Path
) -> None:
    settings = {
        "VISABUS_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "VISABUS_KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
        "VISABUS_KAFKA__USERNAME": OWNER[0],
        "VISABUS_KAFKA__PASSWORD": OWNER[1],
        "VISABUS_KAFKA__CAFILE": secure_kafka.authority,
        "VISABUS_STORE__SSLMODE": "verify-full",
        "VISABUS_STORE__SSLROOTCERT": secure_postgres.file("ca.pem"),
    }
    as_owner(secure_postgres.directory, "CREATE DATABASE demo OWNER visabus")
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:{secure_postgres.port}:demo:visabus:{PASSWORD}\n")
    passwords.chmod(0o600)
    settings["VISABUS_STORE__PASSFILE"] = str(passwords)
    store = f"postgresql://visabus@127.0.0.1:{secure_postgres.port}/demo"
    options = ("--bus", f"kafka://{secure_kafka.address}", "--store", store)
    few = ("demo", "--once", "--persons", "200")
    visabus(*few, "--keep", str(tmp_path / "plain"))
    visabus(*few, "--keep", str(tmp_path / "secure"), *options, **settings)
    plain = visabus("--data", str(tmp_path / "plain" / "data"), "export", "--digest")
    assert visabus("--data", str(tmp_path / "secure" / "data"), *options, "export", "--digest", **settings) == plain
