"""SAVE as the simulator has it: a SOAP service on loopback that answers with the verifications that were written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.soap import Records, soap_service
from services.simulator.source import Run, Served, Source, Surroundings, Writer
from services.simulator.systems.save import rates
from services.simulator.systems.save.writer import SaveWriter

NAMESPACE, ANSWER = "urn:visabus:save:1", "GetVerificationsResponse"


class Save(Source):
    """Verifications of status."""

    system = "SAVE"
    place = "save"
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return SaveWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer polls."""
        records = Records.of(place, NAMESPACE, ANSWER)
        async with soap_service(records.page) as address:
            yield Served({"SAVE.verifications": {"url": address, "user": "visabus", "secret": "simulated"}})


SOURCE = Save()
