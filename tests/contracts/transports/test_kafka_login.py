"""A foreign topic on a real Kafka that wants TLS, a login and rights: who may read does, and who may not learns why."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from secure_kafka import READER, SecureKafka

from adapters.core import Credentials, Read, SourceDown
from adapters.formats.json_message import JsonMessage
from adapters.transports.kafka_topic import KafkaTopic

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def broker(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """`kafka` comes first, because it knows whether one can be had."""
    result = SecureKafka(tmp_path_factory.mktemp("secure-kafka"))
    result.start()
    try:
        result.create("upax")
        result.let_read("upax")
        result.create("others")
        producer = Producer(result.configured())
        producer.produce("upax", b'{"n": 1}')
        producer.flush(30)
        yield result
    finally:
        result.stop()


def transport(broker: SecureKafka, **options: Any) -> KafkaTopic:
    login = {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "ssl_cafile": broker.authority, "timeout": 5}
    return KafkaTopic(**(login | options))


async def read(broker: SecureKafka, topic: str, by: KafkaTopic, secret: str = READER[1]) -> list[Read]:
    consumer = by.open(f"kafka://{broker.address}/{topic}", JsonMessage(), Credentials(READER[0], secret))
    try:
        async with asyncio.timeout(40):
            return [each async for batch in consumer.batches(None) async for each in batch.records()]
    finally:
        await consumer.close()


async def test_whoever_has_the_rights_reads(broker: SecureKafka) -> None:
    (record,) = await read(broker, "upax", transport(broker))
    assert record.fields == {"n": 1}  # type: ignore[union-attr]  # a record


async def test_a_wrong_password_is_told_as_such_and_never_itself(
    broker: SecureKafka, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SourceDown, match="credentials: user or password is refused") as error:
        await read(broker, "upax", transport(broker), "wrong-secret-7")
    assert "wrong-secret-7" not in f"{error.value} {caplog.text}"


async def test_a_certificate_that_is_not_trusted(broker: SecureKafka) -> None:
    by = replace(transport(broker), ssl_cafile=None)
    with pytest.raises(SourceDown, match="tls-ca: "):
        await read(broker, "upax", by)


async def test_a_client_that_speaks_no_tls(broker: SecureKafka) -> None:
    by = transport(broker, security_protocol="SASL_PLAINTEXT", ssl_cafile=None)
    with pytest.raises(SourceDown, match="tls-needed: "):
        await read(broker, "upax", by)


async def test_a_way_to_log_in_that_the_broker_does_not_know(broker: SecureKafka) -> None:
    by = transport(broker, sasl_mechanism="SCRAM-SHA-256")
    with pytest.raises(SourceDown, match=r"mechanism: .* does not know this way to log in"):
        await read(broker, "upax", by)


async def test_a_topic_that_may_not_be_read(broker: SecureKafka) -> None:
    with pytest.raises(SourceDown, match="the right to read the topic is missing"):
        await read(broker, "others", transport(broker))


async def test_certificates_that_are_no_files(broker: SecureKafka, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(SourceDown, match=r"tls-files: .*no PEM"):
        await read(broker, "upax", transport(broker, ssl_cafile=str(tmp_path / "ca.pem")))
