"""CPMS as the simulator has it: messages in a folder, signed and pushed while the middleware listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.push import pushing
from services.simulator.source import Run, Served, Source, Surroundings, Writer
from services.simulator.systems.cpms import rates
from services.simulator.systems.cpms.writer import CpmsWriter

PATH, MEDIA_TYPE = "/push/cpms", "application/json"


class Cpms(Source):
    """Biometric appointments and cards."""

    system = "CPMS"
    place = "cpms"
    pushes = "push"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return CpmsWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Send all messages, where there is a push handler. Sending raises SourceUnavailable."""
        yield pushing(self.system, place, surroundings, path=PATH, media_type=MEDIA_TYPE)


SOURCE = Cpms()
