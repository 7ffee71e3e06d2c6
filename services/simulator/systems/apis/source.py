"""APIS as the simulator has it: manifests in files, or in a queue where there is one."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from services.simulator.population.plans import Crossing
from services.simulator.population.rates import table
from services.simulator.queue import queued
from services.simulator.source import (
    DepartureReports,
    Feeds,
    Run,
    Served,
    Source,
    Surroundings,
    Writer,
)
from services.simulator.systems.apis import rates
from services.simulator.systems.apis.queue import messages
from services.simulator.systems.apis.writer import ApisWriter


def _on_a_manifest(departure: Crossing) -> bool:
    """Return whether a manifest can report a departure: it cannot say that it means the second pass of an hour."""
    return departure.second is not None and departure.mode == "A" and not departure.again


class Apis(Source):
    """The carriers' manifests."""

    system = "APIS"
    place = "apis"
    departures = DepartureReports(can=_on_a_manifest, alone=rates.DEPARTURE_ALONE, beside=rates.DEPARTURE_BESIDE)
    rates = table(vars(rates))

    def open(self, run: Run) -> Writer:
        """Begin to write."""
        return ApisWriter(run)

    def feeds(self, place: Path) -> Feeds:
        """Return the feed of the files."""
        return {"APIS.files": {"url": place.as_uri()}}

    def serve(self, place: Path, surroundings: Surroundings) -> AbstractAsyncContextManager[Served]:
        """Put all interchanges into the queue, where there is one. Raises SourceUnavailable."""
        return queued(surroundings.queue, "APIS.queue", messages(place), self.feeds(place))


SOURCE = Apis()
