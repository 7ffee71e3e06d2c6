"""Addresses of a bus."""

from __future__ import annotations

from pathlib import Path

import pytest

from bus.embedded import EmbeddedBus
from bus.kafka import KafkaBus
from bus.open import open_bus


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "embedded:// or kafka://"),
        ("bus.db", "embedded:// or kafka://"),
        ("redis://localhost:1", "not redis"),
        ("embedded://", "names no file"),
        ("embedded:///var/", "names no file"),
        ("embedded://x.db?replication=1", "unknown setting of a embedded bus: replication"),
        ("kafka://", "no Kafka server"),
        ("kafka://host", "host:port"),
        ("kafka://host:port", "host:port"),
        ("kafka://h:1/path", "no path"),
        ("kafka://user:secret@h:1", "do not belong"),
        ("kafka://h:1?sasl_password=x", "secret"),
        ("kafka://h:1?colour=red", "colour"),
        ("kafka://h:1?deadline=soon", "soon"),
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
