"""PCQS as the simulator has it, asked by ingest: who is known, who is not, and who is answered at the second try."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from bus.embedded import EmbeddedBus
from schemas.codec import decode
from schemas.events import Operation, Status
from schemas.topics import STATUSES
from services.cli.serving import answering
from services.ingest import recorded, run, sources
from services.questions import Book, Priority, question_of
from services.settings import load
from services.simulator.systems.pcqs.source import SOURCE, SOURCES, Answers
from services.wiring import topics

FILE = '<Record recordId="099000117"><DateFileOpened>2020-05-04</DateFileOpened></Record>'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "population" / "pcqs"
    folder.mkdir(parents=True)
    lines = [
        {"person": "A099000117", "away": "CIS2", "failed": True, "records": {each: [] for each in SOURCES}},
        {"person": "A099000118", "away": "", "failed": False, "records": {each: [] for each in SOURCES}},
    ]
    for line in lines:
        line["records"]["CIS2"] = [("", FILE)]  # type: ignore[index]  # a mapping
    body = [{"clock": 1_760_000_000}, *lines]
    (folder / "answers").write_bytes(b"\n".join(map(orjson.dumps, body)))
    return folder


async def test_all_whom_it_is_asked_about_are_answered_in_the_end(place: Path, tmp_path: Path) -> None:
    bus = await EmbeddedBus.open(tmp_path / "data" / "bus.db")
    await bus.declare(topics())
    async with answering([SOURCE], tmp_path / "population", keys={}) as systems:
        settings = load(environment={}, data_dir=tmp_path / "data", feeds=systems.feeds)
        await systems.ask(settings)
        producer = await bus.producer()
        stranger = question_of(
            "PCQS/persons", "receipt/USCIS/EAC9909900117", Priority.DOUBTFUL, datetime(2026, 1, 1, tzinfo=UTC)
        )
        await producer.send([stranger.message()])
        (outcome,) = await run(settings, sources(settings), once=True, bus=bus, clock=recorded)
        book = Book(bus, producer)
        await book.follow()
    assert (outcome.error, outcome.deferred, outcome.counters.dead_lettered) == (None, (), 0)
    # the first of them twice, the second and the stranger once, of four sources each; one did not answer once
    assert (outcome.counters.read, dict(outcome.counters.filtered)) == (16, {"unavailable": 1})
    assert list(book.open("PCQS/persons")) == []
    events = [decode(each.value or b"") async for each in bus.read(STATUSES)]
    opened = {event.record for event in events if isinstance(event, Status) and event.operation is Operation.ASSERT}
    assert opened == {"A099000117/CIS2", "A099000118/CIS2"}
    await bus.close()


def test_a_question_about_nobody_is_refused(place: Path) -> None:
    with pytest.raises(Exception, match="nobody is named"):
        Answers(place).of({})
