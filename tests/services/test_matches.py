"""Possible matches are listed, decided over the bus, and undone; by the real command."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from pipeline import VISABUS, Pipeline
from populations import START, Person, World, bytes_of, encounter

from bus.events import message_of
from bus.open import open_bus
from schemas.codec import decode
from schemas.events import AnyEvent, Name
from schemas.identifiers import Identifier, Scheme
from services.wiring import topics

pytestmark = pytest.mark.slow


def people(world: World) -> tuple[Person, Person]:
    """Two of one name, whose dates of birth differ in one digit."""
    one = Person(Name(family="SMITH", given="ANN"), "1980-02-03", "F", "GBR", [world.number("P")], None)
    other = Person(Name(family="SMITH", given="ANN"), "1980-02-04", "F", "GBR", [], None)
    return one, other


def installation(data: Path) -> Pipeline:
    """An embedded one without sources."""
    return Pipeline(data, f"embedded://{data}/bus.db", f"sqlite+aiosqlite:///{data}/store.db", {}, data / "messages")


async def reported(pipeline: Pipeline, events: list[AnyEvent]) -> None:
    """The events on the bus, and resolved."""
    pipeline.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    bus = await open_bus(pipeline.bus)
    await bus.declare(topics())
    producer = await bus.producer()
    await producer.send([message_of(one) for one in events])
    await producer.close()
    await bus.close()
    pipeline.correlate()


def matches(pipeline: Pipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command's answer."""
    settings = {
        "VISABUS_DATA_DIR": str(pipeline.data),
        "VISABUS_BUS_URL": pipeline.bus,
        "VISABUS_STORE_URL": pipeline.store,
    }
    return subprocess.run(
        [VISABUS, "matches", *arguments], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )


def listed(pipeline: Pipeline) -> list[dict[str, object]]:
    """The matches as JSON."""
    done = matches(pipeline, "list", "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def pasted(pipeline: Pipeline) -> subprocess.CompletedProcess[str]:
    """What the list of an installation that is named on the command line shows, run as it stands there."""
    command = [VISABUS, "--data", str(pipeline.data), "matches", "list"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    name, *words = shlex.split(shown.splitlines()[-1].partition("--same")[0])
    assert name == "visabus"
    command = [VISABUS, *words, "--same", "--by", "J. Doe", "--why", "seen"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_listed_decided_undone(tmp_path: Path) -> None:
    world = World(1)
    one, other = people(world)
    numbers = [Identifier.of(Scheme.RECEIPT, f"LIN000000000{digit}") for digit in (1, 2, 3)]
    stranger = world.person()
    events = [
        encounter(world, person, START + timedelta(day), number)
        for day, (person, number) in enumerate(zip((one, other, stranger), numbers, strict=True))
    ]
    pipeline = installation(tmp_path / "data")
    await reported(pipeline, [decode(raw) for raw in bytes_of(events)])
    (result,) = listed(pipeline)
    records = ["/".join(result[side]["record"]) for side in ("one", "other")]  # type: ignore[index]
    assert sorted(records) == sorted(f"I94/{event.record}" for event in events[:2])
    assert "date of birth +3.9" in str(result["by"])
    before = pipeline.digest()

    done = pasted(pipeline)
    assert done.returncode == 0, done.stderr
    pipeline.correlate()
    assert listed(pipeline) == []
    joined = pipeline.digest()
    assert joined != before

    assert matches(pipeline, "undo", *records, "--by", "J. Doe", "--why", "mistaken").returncode == 0
    pipeline.correlate()
    assert len(listed(pipeline)) == 1
    assert pipeline.digest() == before

    assert matches(pipeline, "decide", *records[::-1], "--different", "--by", "J. Doe", "--why", "x").returncode == 0
    pipeline.correlate()
    assert listed(pipeline) == []
    assert "No possible matches" in matches(pipeline, "list").stdout


def test_what_is_no_decision(tmp_path: Path) -> None:
    pipeline = installation(tmp_path / "data")
    words = ("--same", "--by", "a", "--why", "b")
    for wrong in (("I94/1", "I94/1"), ("I94", "APIS/2"), ("I94/", "APIS/2")):
        done = matches(pipeline, "decide", *wrong, *words)
        assert done.returncode == 2, done.stdout
        assert done.stderr.startswith("visabus: ")
