"""Addresses of a bus."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from contracts.bus.places import Place

from bus.contract import BusError, Topic
from bus.embedded import EmbeddedBus
from bus.kafka import KafkaBus
from bus.kafka_control import Control
from bus.kafka_settings import KafkaSettings
from bus.open import check, open_bus
from services import wiring
from services.settings import SettingsError, load


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "embedded:// or kafka://"),
        ("bus.db", "embedded:// or kafka://"),
        ("redis://localhost:1", "not redis"),
        ("embedded://", "names no file"),
        ("embedded:///var/", "names no file"),
        ("embedded://x.db?replication=1", "no setting of a bus that is embedded: replication"),
        ("kafka://", "no Kafka server"),
        ("kafka://host", "host:port"),
        ("kafka://host:port", "host:port"),
        ("kafka://h:1/path", "no path"),
        ("kafka://user:secret@h:1", "do not belong"),
        ("kafka://h:1?sasl_password=x", "secret"),
        ("kafka://h:1?colour=red", "colour"),
        ("kafka://h:1?deadline=soon", "deadline is a number"),
        ("kafka://h:1?security_protocol=TLS", "one of PLAINTEXT"),
        ("kafka://h:1?security_protocol=SASL_SSL&sasl_mechanism=PLAIN", "needs sasl_mechanism"),
        ("kafka://h:1?sasl_mechanism=PLAIN", "SASL settings with"),
        ("kafka://h:1?ssl_cafile=/ca.pem", "TLS settings with"),
        ("kafka://h:1?security_protocol=SSL&ssl_certfile=/c.pem", "go together"),
    ],
)
async def test_a_wrong_address_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        await open_bus(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://u:hunter2@h",
        "kafka://u:hunter2@h:1",
        "kafka://u:hunter2/x@h:1",
        "kafka://u:hunter2",
        "kafka://h:1?sasl_password=hunter2",
        "kafka://h:1?deadline=hunter2",
        "embedded://hunter2/",
    ],
)
def test_a_wrong_address_is_not_quoted(url: str) -> None:
    with pytest.raises(ValueError, match=r"bus|address|server|path|number") as caught:
        check(url)
    assert "hunter2" not in str(caught.value)


async def test_an_embedded_address_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url, path in (
        (f"embedded://{tmp_path}/a/bus.db", "a/bus.db"),
        ("embedded://b/bus.db?lease=2", "b/bus.db"),
    ):
        bus = await open_bus(url)
        assert isinstance(bus, EmbeddedBus)
        assert (tmp_path / path).exists()
        await bus.close()


async def test_a_kafka_address_names_servers_and_settings() -> None:
    bus = await open_bus(
        "kafka://a:1,b:2?security_protocol=SASL_PLAINTEXT&sasl_mechanism=SCRAM-SHA-512&sasl_username=u&deadline=2",
        sasl_password="secret",
        max_rebuilds=1,
    )
    assert isinstance(bus, KafkaBus)
    settings = bus._settings
    assert settings.servers == ("a:1", "b:2")
    assert (settings.deadline, settings.max_rebuilds, settings.sasl_password) == (2.0, 1, "secret")
    assert "secret" not in repr(settings)
    await bus.close()


@pytest.mark.kafka
async def test_a_kafka_topic_that_forgets_is_refused(on_kafka: Place) -> None:
    """As Kafka makes one by itself for whoever asks for its name: kept for a week."""
    name = f"test.{uuid.uuid4().hex}"
    admin = AIOKafkaAdminClient(bootstrap_servers=on_kafka.url.removeprefix("kafka://"))
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs={"retention.ms": "604800000"})])
    await admin.close()
    bus = await on_kafka.reopen()
    with pytest.raises(BusError, match=r"retention\.ms=604800000 instead of -1"):
        await bus.declare([Topic(name, 1)])


@pytest.mark.parametrize(("copies", "least"), [(1, "1"), (2, "1"), (3, "2"), (5, "2")])
def test_an_acknowledged_message_is_on_two_disks_where_there_are_three(copies: int, least: str) -> None:
    new = Control(KafkaSettings(servers=("h:1",)))._new(Topic("t", 1), copies)
    assert (new.replication_factor, new.topic_configs["min.insync.replicas"]) == (copies, least)


async def test_what_an_address_says_of_security_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The defaults of the settings take nothing away from it."""
    opened: list[KafkaSettings] = []

    async def kept(settings: KafkaSettings) -> None:
        opened.append(settings)

    monkeypatch.setattr("bus.kafka.KafkaBus.open", kept)
    await wiring.open_bus(load(environment={"VISABUS_BUS_URL": "kafka://h:1?security_protocol=SSL"}))
    assert [each.security_protocol for each in opened] == ["SSL"]
    assert opened[0].replication == 0


async def test_an_address_and_settings_that_disagree_on_security_are_refused() -> None:
    environment = {
        "VISABUS_BUS_URL": "kafka://h:1?security_protocol=SSL",
        "VISABUS_KAFKA__SECURITY_PROTOCOL": "PLAINTEXT",
    }
    with pytest.raises(SettingsError, match="security_protocol of the address and that of the settings differ"):
        await wiring.open_bus(load(environment=environment))
