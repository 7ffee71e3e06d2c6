"""ACRIMe as the simulator has it: messages in files, or in a queue where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.queue import queued
from services.simulator.source import Feeds, Run, Served, Source, Surroundings, Writer
from services.simulator.systems.acrime import rates
from services.simulator.systems.acrime.writer import OPENING, AcrimeWriter


class Acrime(Source):
    """Queries of the police and their answers."""

    system = "ACRIME"
    place = "acrime"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return AcrimeWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the files."""
        return {"ACRIME.files": {"url": place.as_uri()}}

    def serve(self, place: Path, surroundings: Surroundings) -> AbstractAsyncContextManager[Served]:
        """Put all messages into the queue, where there is one. Raises SourceUnavailable."""
        return queued(surroundings.queue, "ACRIME.queue", _messages(place), self.feeds(place))


def _messages(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each message of the files with a name."""
    for path in sorted(directory.glob("ACRIME.*")):
        for number, body in enumerate(path.read_text(encoding="ascii").split(OPENING)[1:], 1):
            yield f"{path.name}.{number}", f"{OPENING}{body}".encode("ascii")


SOURCE = Acrime()
