"""The same questions over a real Kafka."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from toy_asked import Asked, Oracle, book_of, feed_of, identifier
from toy_source import settings

from adapters.core import Feed
from bus.contract import Bus
from bus.open import open_bus
from services.ingest import Source, recorded, run
from services.questions import Priority, question_of
from services.wiring import topics


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[Bus]:
    opened = await open_bus(f"kafka://{kafka}")
    await opened.declare(topics())
    yield opened
    await opened.close()


async def test_each_is_asked_until_the_answer_is_whole(bus: Bus, tmp_path: Path) -> None:
    name = f"feed{uuid.uuid4().hex}"
    at = datetime(2026, 1, 1, tzinfo=UTC)
    producer = await bus.producer()
    asked = [question_of(f"TOY/{name}", identifier(number), Priority.CHANGED, at) for number in range(10)]
    await producer.send([each.message() for each in asked])
    source = feed_of(tmp_path, Asked())
    feed = Feed(name, source.feed.transport, source.feed.mapping)
    for _ in range(2):
        (outcome,) = await run(
            settings(tmp_path), [Source(source.system, feed, source.url)], once=True, bus=bus, clock=recorded
        )
        assert (outcome.error, outcome.deferred) == (None, ())
    times = Oracle(tmp_path).times()
    assert times == {number: 3 if number in (3, 5) else 1 for number in range(10)}
    assert list((await book_of(bus)).open(f"TOY/{name}")) == []
    await producer.close()
