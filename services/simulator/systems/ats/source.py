"""ATS as the simulator has it: files of UPAX and of the carriers, or a topic of UPAX where there is a Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from services.simulator.kafka import KafkaDown, Keyed, write
from services.simulator.population.rates import table
from services.simulator.source import Feeds, Run, Served, Source, SourceUnavailable, Surroundings, Writer
from services.simulator.systems.ats import rates
from services.simulator.systems.ats.writer import AtsWriter


class Ats(Source):
    """Travel records, vettings and reservations."""

    system = "ATS"
    place = "ats"
    derived = True
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return AtsWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feeds of the files."""
        return {
            "ATS.upax-files": {"url": (place / "upax").as_uri()},
            "ATS.reservations": {"url": (place / "reservations").as_uri()},
        }

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Write UPAX to its topic, where there is a Kafka (`kafka://host:port/topic`). Raises SourceUnavailable."""
        feeds = dict(self.feeds(place))
        if surroundings.server:
            try:
                await write(surroundings.server, _messages(place / "upax"))
            except KafkaDown as error:
                raise SourceUnavailable(f"the topic cannot be filled: {error}") from None
            del feeds["ATS.upax-files"]
            feeds["ATS.upax"] = {"url": surroundings.server}
        yield Served(feeds)


def _messages(directory: Path) -> Iterator[Keyed]:
    """Yield each message by the key of its record."""
    for path in sorted(directory.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            yield orjson.loads(line)["recordId"].encode(), line


SOURCE = Ats()
