"""The places that a bus can live in. Opening a place again is a restart."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from contracts.bus.places import Broker, Place


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """Each test that asks for it runs over both buses."""
    embedded = request.param == "embedded"
    result = _embedded(tmp_path) if embedded else _on_kafka(request.getfixturevalue("kafka"))
    yield result
    await result.close()


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Place]:
    """The embedded bus only."""
    result = _embedded(tmp_path)
    yield result
    await result.close()


@pytest.fixture
async def on_kafka(kafka: str) -> AsyncIterator[Place]:
    """Kafka only."""
    result = _on_kafka(kafka)
    yield result
    await result.close()


def _on_kafka(address: str) -> Place:
    # A Kafka that is not ours may allow no shorter session than its default.
    session = 6.0 if "KAFKA_BOOTSTRAP_SERVERS" in os.environ else 2.0
    return Place("kafka", f"kafka://{address}", {"session_timeout": session})


def _embedded(directory: Path) -> Place:
    return Place("embedded", f"embedded://{directory}/bus.db", {"lease": 1.0})


@pytest.fixture(scope="session")
def private_broker(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A Kafka that tests may stop and kill; `kafka` comes first, because it knows whether one can be had."""
    broker = Broker(tmp_path_factory.mktemp("private-kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
async def broker(private_broker: Broker) -> AsyncIterator[tuple[Broker, Place]]:
    """The private Kafka, running, and a bus on it that gives up soon."""
    private_broker.start()
    place = Place("kafka", f"kafka://{private_broker.address}", {"deadline": 3.0, "session_timeout": 2.0})
    yield private_broker, place
    private_broker.start()
    await place.close()
