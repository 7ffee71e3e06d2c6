"""ACRIMe as the simulator has it: messages in files, or in a queue where there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.queue import QueueDown, fill
from services.simulator.source import Feeds, Run, Served, Source, SourceUnavailable, Surroundings, Writer
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
        yield Served({"ACRIME.queue": {"url": surroundings.queue}})


def _messages(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each message of the files with a name."""
    for path in sorted(directory.glob("ACRIME.*")):
        for number, body in enumerate(path.read_text(encoding="ascii").split(OPENING)[1:], 1):
            yield f"{path.name}.{number}", f"{OPENING}{body}".encode("ascii")


SOURCE = Acrime()
