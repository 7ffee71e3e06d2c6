"""IDENT as the simulator has it: messages in a folder, signed and pushed while the middleware listens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from services.simulator.population.rates import table
from services.simulator.push import Pushed, PushKey, push, pushing
from services.simulator.source import DepartureReports, Run, Served, Source, Surroundings, Writer
from services.simulator.systems.ident import rates
from services.simulator.systems.ident.writer import IdentWriter

PATH, MEDIA_TYPE = "/push/ident", "application/xml"


async def send_messages(http: httpx.AsyncClient, place: Path, key: PushKey) -> Pushed:
    """Send all messages of a folder in order; return what the push handler answered. Raises NotTaken, Refused."""
    return await push(http, place, key, path=PATH, media_type=MEDIA_TYPE)


class Ident(Source):
    """Biometric encounters: enrolments, entries and exits."""

    system = "IDENT"
    place = "ident"
    departures = DepartureReports(alone=rates.DEPARTURE_ALONE, beside=rates.DEPARTURE_BESIDE)
    pushes = "push"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return IdentWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Send all messages, where there is a push handler. Sending raises SourceUnavailable."""
        yield pushing(self.system, place, surroundings, path=PATH, media_type=MEDIA_TYPE)


SOURCE = Ident()
