"""TECS as the simulator has it: messages in files, or in a queue where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.queue import queued
from services.simulator.source import Feeds, Run, Served, Source, Surroundings, Writer
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

    def serve(self, place: Path, surroundings: Surroundings) -> AbstractAsyncContextManager[Served]:
        """Put all messages into the queue, where there is one. Raises SourceUnavailable."""
        return queued(surroundings.queue, "TECS.queue", _messages(place), self.feeds(place))


def _messages(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the message of each file with a name."""
    for path in sorted(directory.glob("TECS.*")):
        yield path.name, path.read_bytes()


SOURCE = Tecs()
