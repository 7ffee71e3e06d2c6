"""TECS as the simulator has it: messages in files, or in a queue where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.queue import QueueDown, fill
from services.simulator.source import Feeds, Run, Served, Source, SourceUnavailable, Surroundings, Writer
from services.simulator.systems.tecs import rates
from services.simulator.systems.tecs.writer import TecsWriter


class Tecs(Source):
    """Primary inspection."""

    system = "TECS"
    place = "tecs"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return TecsWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the files."""
        return {"TECS.files": {"url": place.as_uri()}}

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Put all messages into the queue, where there is one. Raises SourceUnavailable."""
        if not surroundings.queue:
            yield Served(self.feeds(place))
            return
        try:
            await fill(surroundings.queue, _messages(place))
        except QueueDown as error:
            raise SourceUnavailable(f"the queue cannot be filled: {error}") from None
        yield Served({"TECS.queue": {"url": surroundings.queue}})


def _messages(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the message of each file with a name."""
    for path in sorted(directory.glob("TECS.*")):
        yield path.name, path.read_bytes()


SOURCE = Tecs()
