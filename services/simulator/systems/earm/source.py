"""EARM as the simulator has it: a SOAP service on loopback that answers with the cases that were written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.simulator.population.rates import table
from services.simulator.soap import Records, soap_service
from services.simulator.source import DepartureReports, Run, Served, Source, Surroundings, Writer
from services.simulator.systems.earm import rates
from services.simulator.systems.earm.writer import EarmWriter

NAMESPACE, ANSWER = "urn:visabus:earm:1", "GetCasesResponse"


class Earm(Source):
    """Removal cases and detention."""

    system = "EARM"
    place = "earm"
    departures = DepartureReports(
        can=lambda crossing: crossing.removed, alone=rates.REMOVAL_ALONE, beside=rates.REMOVAL_BESIDE
    )
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return EarmWriter(run)

    @asynccontextmanager
    async def serve(self, place: Path, surroundings: Surroundings) -> AsyncIterator[Served]:
        """Answer polls."""
        records = Records.of(place, NAMESPACE, ANSWER)
        async with soap_service(records.page) as address:
            yield Served({"EARM.cases": {"url": address, "user": "visabus", "secret": "simulated"}})


SOURCE = Earm()
