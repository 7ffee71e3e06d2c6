"""Systems that send by a queue or a topic: from a real broker comes what their files say, event for event."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest
from foreign_kafka import ForeignTopic
from toy_source import settings, world

from adapters.registry import systems
from bus.embedded import EmbeddedBus
from services.ingest import Source, recorded, run
from services.simulator import simulate
from services.simulator.registry import sources
from services.simulator.source import Feeds, SourceUnavailable, Surroundings
from services.wiring import topics


@pytest.fixture
def population(tmp_path: Path) -> Path:
    """The files of three systems."""
    directory = tmp_path / "population"
    needed = {source.system for source in sources().values() if source.required}
    simulate(directory, persons=80, seed=5, systems=needed | {"ACRIME", "APIS", "ATS", "TECS"})
    return directory


async def events(feeds: Feeds, directory: Path) -> list[str]:
    """The ids of all events that the feeds give; none of their records may be refused."""
    await asyncio.to_thread(directory.mkdir)
    bus = await EmbeddedBus.open(directory / "bus.db")
    await bus.declare(topics())
    known = []
    for name, at in feeds.items():
        system = systems()[name.partition(".")[0]]
        known.append(Source(system, system.feed(name.partition(".")[2]), at["url"]))
    try:
        for outcome in await run(settings(directory, chunk_records=500), known, once=True, bus=bus, clock=recorded):
            assert outcome.error is None
            assert outcome.deferred == ()
        result = await world(bus)
    finally:
        await bus.close()
    assert result.dead_letters == []
    return sorted(result.ids())


@pytest.mark.parametrize("name", ["ACRIME", "APIS", "TECS"])
async def test_a_queue_gives_what_the_files_say(rabbitmq: str, population: Path, tmp_path: Path, name: str) -> None:
    source = sources()[name]
    place = population / source.place
    queue = f"{rabbitmq}/{name.lower()}.{uuid.uuid4().hex}"
    async with source.serve(place, Surroundings(queue=queue)) as served:
        assert set(served.feeds) == {f"{name}.queue"}
        by_queue = await events(served.feeds, tmp_path / "queue")
        async with source.serve(place, Surroundings(queue=queue)):
            pass
        with pytest.raises(SourceUnavailable, match="holds messages already"):
            async with source.serve(place, Surroundings(queue=queue)):
                pass
    async with source.serve(place, Surroundings()) as served:
        by_files = await events(served.feeds, tmp_path / "files")
    assert by_queue == by_files != []


async def test_a_topic_gives_what_the_files_say(kafka: str, population: Path, tmp_path: Path) -> None:
    source, topic = sources()["ATS"], ForeignTopic(kafka)
    place = population / source.place
    async with source.serve(place, Surroundings(server=topic.url)) as served:
        assert set(served.feeds) == {"ATS.upax", "ATS.reservations"}
        by_topic = await events(served.feeds, tmp_path / "topic")
        with pytest.raises(SourceUnavailable, match="TopicAlreadyExistsError"):
            async with source.serve(place, Surroundings(server=topic.url)):
                pass
    async with source.serve(place, Surroundings()) as served:
        by_files = await events(served.feeds, tmp_path / "files")
    assert by_topic == by_files != []
