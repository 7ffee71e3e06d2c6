"""The same door over a real Kafka: repeated, killed half way, opened again."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import toy_door
from push_client import Signer
from toy_door import PATH, opened, settings
from toy_source import world

from bus.contract import Bus
from bus.open import open_bus
from services import failpoints
from services.wiring import topics


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[Bus]:
    opened = await open_bus(f"kafka://{kafka}")
    await opened.declare(topics())
    yield opened
    await opened.close()


class Crash(Exception):
    """Stands for a death of the process."""


@pytest.mark.law(2, "the door over Kafka")
async def test_a_push_counts_once_whatever_happens(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus is shared with other tests: the feed is this one's own."""
    feed = replace(toy_door.FEED, name=f"push{uuid.uuid4().hex}")
    monkeypatch.setattr(toy_door, "FEED", feed)
    monkeypatch.setattr(toy_door, "TOY", replace(toy_door.TOY, feeds=(feed,)))
    body = b"good 1\nbad x\nskip 2\ntwo 3"
    headers = Signer().headers(PATH, body, 1_764_000_000)
    for point in ("door.decoded", "door.sent", "door.answered", "door.saved"):

        async def crash(at: str, point: str = point) -> None:
            if at == point:
                raise Crash

        with failpoints.armed(crash):
            async with opened(tmp_path, bus, settings()) as rig:
                answer = await rig.http.post(PATH, content=body, headers=headers)
                assert answer.status_code == (500 if point != "door.saved" else 200)
    async with opened(tmp_path, bus, settings()) as rig:
        answer = await rig.http.post(PATH, content=body, headers=headers)
        assert (answer.status_code, answer.json()["read"]) == (200, 4)
        assert (await rig.push(b"good 4")).status_code == 200
    seen = await world(bus)
    counters = seen.checkpoints[f"TOY/{feed.name}"]["counters"]
    assert counters == {"read": 5, "published": 3, "dead_lettered": 1, "filtered": {"toy.skip": 1}, "events": 4}
    assert len({dead_letter["id"] for dead_letter in seen.dead_letters if dead_letter["feed"] == feed.name}) == 1
