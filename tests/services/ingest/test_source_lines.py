"""A source that goes away is told by one line for each reason why, and by one when it is back, over real sources."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contracts.transports.worlds import LEAVING, Topic, World, made
from killing import wait_until
from sshd_local import Sshd, sshd
from toy_source import settings, toy

from adapters.core import Connection, Filtered, Format
from adapters.formats.json_message import JsonMessage
from adapters.transports.kafka_topic import KafkaTopic
from bus.embedded import EmbeddedBus
from links.reasons import Reason
from services.ingest import feed_run, recorded, run
from services.logs import configure


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A real OpenSSH server."""
    with sshd(tmp_path_factory.mktemp("ssh")) as running:
        yield running


class Opens:
    """A transport over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.elsewhere = False

    def open(self, url: str, format: Format | None, credentials: object = None) -> Connection:
        if self.elsewhere:
            return KafkaTopic().open("kafka://127.0.0.1:1/nothing-listens", JsonMessage())
        return self.world.open()

    async def away(self) -> None:
        """Have the source go away. Of Kafka, whose server others use, nothing listens at the address."""
        if isinstance(self.world, Topic):
            self.elsewhere = True
        else:
            await self.world.away()

    async def back(self) -> None:
        """Have it come back."""
        if isinstance(self.world, Topic):
            self.elsewhere = False
        else:
            await self.world.back()


async def lines_of_an_outage(kind: str, folder: Path, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """The lines of a host whose source goes away, is asked again several times, and comes back."""
    stream = io.StringIO()
    configure("info", "json", stream)

    def lines(event: str = "") -> list[dict[str, Any]]:
        parsed = [json.loads(line) for line in stream.getvalue().splitlines()]
        return [line for line in parsed if line["event"].startswith(event or "source ")]

    bus = await EmbeddedBus.open(folder / "bus.db")
    async with made(kind, request.getfixturevalue, folder) as world:
        source = toy(folder)
        opens = Opens(world)
        feed = replace(source.feed, transport=opens, mapping=lambda _read, _origin: Filtered("toy.skip"))
        stop = asyncio.Event()
        await world.put(0)
        quick = settings(folder, poll_seconds=0.1, retry_cap_seconds=0.1)
        task = asyncio.create_task(run(quick, [replace(source, feed=feed)], bus=bus, stop=stop, clock=recorded))

        async def done() -> bool:
            return bool(lines("batch done"))

        async def down() -> bool:
            return bool(lines("source down"))

        async def back() -> bool:
            return bool(lines("source back"))

        try:
            await wait_until(done, every=0.05)
            await opens.away()
            await wait_until(down, every=0.05)
            await asyncio.sleep(1)  # some more attempts
            await opens.back()
            await wait_until(back, every=0.05)
        finally:
            stop.set()
            await task
            await bus.close()
    return lines()


@pytest.mark.law(2, "a source that goes away: one line that says why, one when it is back")
@pytest.mark.parametrize(
    "kind", [*(each for each in LEAVING if each != "push"), pytest.param("topic", marks=pytest.mark.kafka)]
)
async def test_one_line_when_it_goes_and_one_when_it_is_back(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, logs: None
) -> None:
    lines = await lines_of_an_outage(kind, tmp_path, request)
    *gone, back = lines
    assert back["event"] == "source back"
    assert {line["event"] for line in gone} == {"source down"}
    assert len({line["why"] for line in gone}) == len(gone) <= 2, "a lost connection, then one that is refused"
    assert all(line["why"] and line["code"] in set(Reason) for line in gone), lines


@pytest.mark.law(2, planted="a feed that tells each attempt, or nothing")
async def test_a_line_for_each_attempt_is_seen(
    tmp_path: Path, request: pytest.FixtureRequest, logs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_run, "_is_news", lambda _before, _why: True)
    with pytest.raises(AssertionError):
        await test_one_line_when_it_goes_and_one_when_it_is_back("files", tmp_path, request, logs)
